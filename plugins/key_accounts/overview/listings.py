"""All key accounts on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select, and_, func

from plugins.key_accounts.care import vocabulary as care_words
from plugins.key_accounts.care.queries import lights_of
from plugins.key_accounts.measures.columns import customer_column, growth_column
from plugins.key_accounts.measures.models import CustomerMeasure
from plugins.key_accounts.overview.queries import open_sums
from plugins.key_accounts.plans.queries import progress_of
from plugins.key_accounts.satisfaction import vocabulary as health_words
from plugins.key_accounts.satisfaction.models import AccountHealth
from plugins.key_accounts.tiers import vocabulary as tier_words
from plugins.key_accounts.tiers.models import IMPORTANT, KEY, CustomerTier
from portal.core import clock
from portal.core.components import DASH, money, stack, tag
from portal.core.listing import CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import value_in
from portal.core.permissions import visible
from portal.customers.models import Customer
from portal.customers.search import matching_ids
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.org.models import Department, User


def _source(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(CustomerTier)
        .join(Customer, Customer.id == CustomerTier.customer_id)
        .join(Department, Department.id == Customer.department_id)
        .join(CustomerMeasure, CustomerMeasure.customer_id == CustomerTier.customer_id)
        .outerjoin(AccountHealth, AccountHealth.customer_id == CustomerTier.customer_id)
        .outerjoin(User, User.id == Customer.account_manager_id)
    )


def _where(actor: Actor) -> list[ColumnElement[bool]]:
    return [visible(actor, "customers.view"), CustomerTier.tier.in_((KEY, IMPORTANT))]


def _prepare(rows: Sequence[Any], _actor: Actor) -> Mapping[str, Any]:
    ids = [row.id for row in rows]
    today = clock.today()
    return {"progress": progress_of(ids, today), "open": open_sums(ids), "lights": lights_of(ids, today)}


def _health_cell(row: Any, _context: CellContext) -> Any:
    return DASH if row.score is None else tag(str(row.score), health_words.health_tone(row.score))


def _plan_cell(row: Any, context: CellContext) -> Any:
    found = context.extras["progress"].get(row.id)
    if found is None:
        return tag(_("no plan"), "warning")
    shown = f"{found.done} / {found.total}"
    return stack(shown, _("%(num)s overdue", num=found.overdue)) if found.overdue else shown


def _plan_export(row: Any, context: CellContext) -> str:
    found = context.extras["progress"].get(row.id)
    return "" if found is None else f"{found.done} / {found.total}"


def _care_cell(row: Any, context: CellContext) -> Any:
    found = context.extras["lights"].get(row.id)
    return DASH if found is None else tag(care_words.LIGHTS[found], care_words.LIGHT_TONES[found])


def _care_export(row: Any, context: CellContext) -> str:
    found = context.extras["lights"].get(row.id)
    return "" if found is None else str(care_words.LIGHTS[found])


def _open_cell(row: Any, context: CellContext) -> Any:
    found = context.extras["open"].get(row.id)
    return DASH if not found else money(found)


def _grade_cell(row: Any, _context: CellContext) -> Any:
    if row.grade is None:
        return DASH
    return tag(health_words.GRADES[row.grade], health_words.GRADE_TONES[row.grade])


_SCORE = func.coalesce(AccountHealth.score, -1)

ACCOUNTS = Listing(
    key="key_accounts.accounts",
    title=_l("Key accounts"),
    endpoint="key_accounts.accounts",
    identity=CustomerTier.customer_id,
    source=_source,
    where=_where,
    default_sort="-sales",
    prepare=_prepare,
    columns=[
        customer_column(),
        Column(
            "tier",
            _l("Tier"),
            {"tier": CustomerTier.tier},
            cell=lambda row, _c: tag(tier_words.tier_word(row.tier), tier_words.TONES[row.tier]),
            export=lambda row, _c: tier_words.tier_word(row.tier),
        ),
        Column(
            "health",
            _l("Health of the account"),
            {"score": AccountHealth.score},
            cell=_health_cell,
            sort=_SCORE,
            align="end",
        ),
        Column(
            "sales",
            _l("Sales of twelve months"),
            {"sales": CustomerMeasure.sales},
            cell=lambda row, _c: money(row.sales),
            sort=CustomerMeasure.sales,
            align="end",
        ),
        growth_column(CustomerMeasure),
        Column(
            "profit",
            _l("Profit contribution"),
            {"profit": CustomerMeasure.profit},
            cell=lambda row, _c: money(row.profit),
            sort=CustomerMeasure.profit,
            align="end",
        ),
        Column("grade", _l("Satisfaction"), {"grade": AccountHealth.grade}, cell=_grade_cell),
        Column("plan", _l("Plan actions done"), {}, cell=_plan_cell, export=_plan_export),
        Column("care", _l("Care duties"), {}, cell=_care_cell, export=_care_export),
        Column(
            "open",
            _l("Open opportunities"),
            {},
            cell=_open_cell,
            export=lambda row, context: context.extras["open"].get(row.id),
            align="end",
        ),
        Column("manager", _l("Account manager"), {"manager": func.coalesce(User.name, "")}),
    ],
    filters=[
        Filter(
            "tier",
            _l("Tier"),
            "choice",
            value_in(CustomerTier.tier),
            lambda _a: [(key, tier_words.TIERS[key]) for key in (KEY, IMPORTANT)],
        ),
        Filter("loses", _l("Loses money"), "flag", lambda _value, _a: CustomerMeasure.profit < 0),
    ],
    scenes=[
        Scene("key", _l("Key customers"), lambda _a: CustomerTier.tier == KEY),
        Scene("ill", _l("In danger"), lambda _a: AccountHealth.score < 40),
        Scene(
            "falling",
            _l("Falling sales"),
            lambda _a: and_(CustomerMeasure.sales_before > 0, CustomerMeasure.sales < CustomerMeasure.sales_before),
        ),
        Scene("mine", _l("My customers"), lambda actor: Customer.account_manager_id == actor.user_id),
    ],
    row_url=lambda row: url_for("key_accounts.account", customer_id=row.id),
    search=lambda text, _a: CustomerTier.customer_id.in_(matching_ids(text)),
    empty=EmptyText(
        _l("No key accounts yet"),
        _l("Decide which customers are key or important."),
        _l("Tiers of customers"),
        "key_accounts.tiers",
    ),
    export_endpoint="exports.create",
    export_permission="customers.export",
)
