"""The lists of purchases and of products."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import g, url_for
from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from portal.core import clock, settings
from portal.core.components import DASH, day, money, number, stack, tag
from portal.core.listing import CellContext, Column, EmptyText, Filter, FilterValue, Listing, Scene
from portal.core.listing.conditions import amount_within, value_in, within
from portal.core.permissions import can, visible
from portal.customers import queries as customer_queries
from portal.customers.models import Customer
from portal.customers.permissions import EXPORT, VIEW, works_with_customers
from portal.customers.search import matching_ids
from portal.i18n import _, _l, _n
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, Department, User
from portal.purchases import queries
from portal.purchases import vocabulary as words
from portal.purchases.models import Product, Purchase, PurchaseLine
from portal.purchases.permissions import SEE_MARGIN

PURCHASES = "purchases"
PRODUCTS = "products"
OVERDUE_SETTING = "purchases.overdue_days"


def overdue_days() -> int:
    """After how many days an open purchase counts as overdue (setting)."""
    return int(settings.get(OVERDUE_SETTING))


# ---- cells ---------------------------------------------------------------------------------------------------------


def state_tag(paid_on: Any, cancelled_at: Any) -> Markup:
    """The state of a purchase as a badge."""
    state = words.state_of(paid_on, cancelled_at)
    return tag(words.word(words.STATES, state), words.STATE_TONES[state])


def state_cell(row: Any, purchased_on: Any, overdue: int) -> Any:
    """The state of a purchase and, below it, what belongs to it: day of payment, or how long it has been open."""
    state = words.state_of(row.paid_on, row.cancelled_at)
    if state == words.PAID:
        return stack(state_tag(row.paid_on, None), row.paid_on.isoformat())
    if state == words.CANCELLED:
        return state_tag(row.paid_on, row.cancelled_at)
    days = (clock.today() - purchased_on).days
    tone = "danger" if days > overdue else "warning"
    return tag(_n("Open for %(num)s day", "Open for %(num)s days", days), tone)


def _state(row: Any, _context: CellContext) -> Any:
    if "purchase_overdue_days" not in g:
        g.purchase_overdue_days = overdue_days()
    return state_cell(row, row.state_day, g.purchase_overdue_days)


def _margin(row: Any, context: CellContext) -> Any:
    return money(row.margin_total - row.margin_cost) if can(context.actor, SEE_MARGIN) else DASH


def _margin_value(row: Any, context: CellContext) -> Any:
    return row.margin_total - row.margin_cost if can(context.actor, SEE_MARGIN) else None


def _share(row: Any, _context: CellContext) -> Any:
    part = queries.share(row.share_better, row.share_total)
    return DASH if part is None else number(Decimal(part)) + "%"


# ---- filters -------------------------------------------------------------------------------------------------------


def _state_where(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    conditions = {
        words.OPEN: queries.is_open(),
        words.PAID: and_(Purchase.paid_on.is_not(None), Purchase.cancelled_at.is_(None)),
        words.CANCELLED: Purchase.cancelled_at.is_not(None),
    }
    return or_(*(conditions[key] for key in value.values))


def _has_line(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    line = select(PurchaseLine.id).join(Product, Product.id == PurchaseLine.product_id)
    return line.where(PurchaseLine.purchase_id == Purchase.id, *conditions).exists()


def _grade_where(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    return _has_line(PurchaseLine.grade.in_(value.values))


def _product_where(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    return _has_line(or_(Product.code == value.values[0], Product.name == value.values[0]))


def _category_where(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    return _has_line(Product.category == value.values[0])


def _leads(actor: Actor) -> bool:
    return bool(actor.oversees) or EXECUTIVE in actor.roles


def _manager_choices(actor: Actor) -> list[tuple[str, Any]]:
    if not _leads(actor):
        return []
    if "purchase_managers" not in g:
        g.purchase_managers = [(str(key), name) for key, name in customer_queries.possible_managers(actor, limit=200)]
    return [("0", _("Nobody")), *g.purchase_managers]


def _manager_where(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    ids = [int(key) for key in value.values if key != "0"]
    parts: list[ColumnElement[bool]] = [Customer.account_manager_id.in_(ids)] if ids else []
    if "0" in value.values:
        parts.append(Customer.account_manager_id.is_(None))
    return or_(*parts)


def _department_choices(actor: Actor) -> list[tuple[str, Any]]:
    if not _leads(actor):
        return []
    if "purchase_departments" not in g:
        g.purchase_departments = [(str(key), name) for key, name in customer_queries.possible_departments(actor)]
    return g.purchase_departments


def _department_where(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    return Customer.department_id.in_([int(key) for key in value.values])


# ---- scenes --------------------------------------------------------------------------------------------------------


def _mine(actor: Actor) -> ColumnElement[bool]:
    return Customer.account_manager_id == actor.user_id


def _this_month(_actor: Actor) -> ColumnElement[bool]:
    return and_(Purchase.purchased_on >= clock.today().replace(day=1), Purchase.cancelled_at.is_(None))


def _overdue(_actor: Actor) -> ColumnElement[bool]:
    return and_(queries.is_open(), Purchase.purchased_on < queries.overdue_since(overdue_days()))


def _search(text: str, _actor: Actor) -> ColumnElement[bool]:
    return or_(queries.number_begins(text), Purchase.customer_id.in_(matching_ids(text)))


def purchases_listing() -> Listing:
    """The list of purchases."""
    account_manager = aliased(User)

    def source(statement: Select[Any]) -> Select[Any]:
        return (
            statement.select_from(Purchase)
            .join(Customer, Customer.id == Purchase.customer_id)
            .join(Department, Department.id == Customer.department_id)
            .outerjoin(account_manager, account_manager.id == Customer.account_manager_id)
        )

    return Listing(
        key=PURCHASES,
        title=_l("Purchases"),
        endpoint="purchases.index",
        identity=Purchase.id,
        source=source,
        where=lambda actor: [visible(actor, VIEW)],
        default_sort="-date",
        columns=[
            Column("number", _l("Order number"), {"number": Purchase.number}, sort=Purchase.number, sticky=True),
            Column("customer", _l("Customer"), {"customer": Customer.name}, sort=Customer.name_sort),
            Column(
                "date",
                _l("Date"),
                {"purchased_on": Purchase.purchased_on},
                cell=lambda row, _c: day(row.purchased_on),
                sort=Purchase.purchased_on,
            ),
            Column(
                "total",
                _l("Total"),
                {"total": Purchase.total},
                cell=lambda row, _c: money(row.total),
                sort=Purchase.total,
                align="end",
            ),
            Column(
                "state",
                _l("Payment"),
                {
                    "paid_on": Purchase.paid_on,
                    "cancelled_at": Purchase.cancelled_at,
                    "state_day": Purchase.purchased_on,
                },
                cell=_state,
                export=lambda row, _c: words.word(words.STATES, words.state_of(row.paid_on, row.cancelled_at)),
            ),
            Column(
                "share",
                _l("High and middle grade"),
                {"share_total": Purchase.total, "share_better": Purchase.total_high_middle},
                cell=_share,
                export=lambda row, _c: row.share_better,
                align="end",
            ),
            Column("manager", _l("Account manager"), {"manager": func.coalesce(account_manager.name, "")}),
            Column("department", _l("Department"), {"department": Department.name}, default=False),
            Column(
                "margin",
                _l("Gross margin"),
                {"margin_total": Purchase.total, "margin_cost": Purchase.cost},
                cell=_margin,
                export=_margin_value,
                default=False,
                align="end",
            ),
            Column(
                "paid",
                _l("Paid on"),
                {"paid": Purchase.paid_on},
                cell=lambda row, _c: day(row.paid),
                default=False,
            ),
            Column(
                "remarks",
                _l("Remarks"),
                {"remarks": Purchase.remarks},
                cell=lambda row, _c: row.remarks or DASH,
                default=False,
            ),
        ],
        filters=[
            Filter("date", _l("Date"), "date_range", within(Purchase.purchased_on)),
            Filter("amount", _l("Total (yuan)"), "number_range", amount_within(Purchase.total)),
            Filter("state", _l("Payment"), "choice", _state_where, lambda _a: list(words.STATES.items())),
            Filter("grade", _l("With products of"), "choice", _grade_where, lambda _a: list(words.GRADES.items())),
            Filter("product", _l("Product (article number or name)"), "text", _product_where),
            Filter("category", _l("Category"), "text", _category_where),
            Filter("manager", _l("Account manager"), "choice", _manager_where, _manager_choices),
            Filter("department", _l("Department"), "choice", _department_where, _department_choices),
        ],
        scenes=[
            Scene("mine", _l("My customers'"), _mine, works_with_customers),
            Scene("month", _l("This month"), _this_month),
            Scene("unpaid", _l("Unpaid"), lambda _a: queries.is_open()),
            Scene("overdue", _l("Overdue"), _overdue),
        ],
        row_url=lambda row: url_for("purchases.show", purchase_id=row.id),
        search=_search,
        muted=lambda row: getattr(row, "cancelled_at", None) is not None,
        empty=EmptyText(
            _l("No purchases that you may see"),
            _l("Purchases of the customers you look after appear here. Record one here or on the customer's page."),
            _l("Record a purchase"),
            "purchases.create",
        ),
        export_endpoint="exports.create",
        export_permission=EXPORT,
    )


# ---- products ------------------------------------------------------------------------------------------------------


def _cost(row: Any, context: CellContext) -> Any:
    return money(row.unit_cost) if can(context.actor, SEE_MARGIN) else DASH


def _category_choices(_actor: Actor) -> list[tuple[str, Any]]:
    if "product_categories" not in g:
        g.product_categories = [(name, name) for name in queries.categories()]
    return g.product_categories


def products_listing() -> Listing:
    """The list of products; everybody reads it, costs only with the permission."""
    return Listing(
        key=PRODUCTS,
        title=_l("Products"),
        endpoint="purchases.products",
        identity=Product.id,
        source=lambda statement: statement.select_from(Product),
        where=lambda _actor: [],
        default_sort="name",
        columns=[
            Column("name", _l("Name"), {"name": Product.name}, sort=Product.name_sort, sticky=True),
            Column("code", _l("Article number"), {"code": Product.code}, sort=Product.code),
            Column(
                "category",
                _l("Category"),
                {"category": Product.category},
                cell=lambda row, _c: row.category or DASH,
                sort=Product.category,
            ),
            Column(
                "grade",
                _l("Grade"),
                {"grade": Product.grade},
                cell=lambda row, _c: tag(
                    words.word(words.GRADES, row.grade), words.GRADE_TONES.get(row.grade, "neutral")
                ),
                export=lambda row, _c: words.word(words.GRADES, row.grade),
            ),
            Column("unit", _l("Unit"), {"unit": Product.unit}, cell=lambda row, _c: row.unit or DASH),
            Column(
                "price",
                _l("List price"),
                {"list_price": Product.list_price},
                cell=lambda row, _c: money(row.list_price),
                sort=Product.list_price,
                align="end",
            ),
            Column(
                "cost",
                _l("Unit cost"),
                {"unit_cost": Product.unit_cost},
                cell=_cost,
                export=lambda row, context: row.unit_cost if can(context.actor, SEE_MARGIN) else None,
                default=False,
                align="end",
            ),
            Column(
                "days",
                _l("Days that one unit lasts"),
                {"days_per_unit": Product.days_per_unit},
                cell=lambda row, _c: number(row.days_per_unit),
                align="end",
            ),
            Column(
                "sale",
                _l("Availability"),
                {"is_active": Product.is_active},
                cell=lambda row, _c: tag(_("On sale"), "success") if row.is_active else tag(_("Not on sale")),
                export=lambda row, _c: _("On sale") if row.is_active else _("Not on sale"),
            ),
        ],
        filters=[
            Filter(
                "grade",
                _l("Grade"),
                "choice",
                value_in(Product.grade),
                lambda _a: list(words.GRADES.items()),
            ),
            Filter(
                "category",
                _l("Category"),
                "choice",
                value_in(Product.category),
                _category_choices,
            ),
            Filter("price", _l("List price"), "number_range", amount_within(Product.list_price)),
            Filter("withdrawn", _l("Not on sale"), "flag", lambda _v, _a: Product.is_active.is_(False)),
        ],
        scenes=[Scene("sale", _l("On sale"), lambda _a: Product.is_active)],
        row_url=lambda row: url_for("purchases.product", product_id=row.id),
        search=lambda text, _actor: queries.product_matches(text),
        muted=lambda row: not getattr(row, "is_active", True),
        empty=EmptyText(_l("No products yet"), _l("Department heads and executives add what the company sells.")),
    )
