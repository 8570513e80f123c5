"""The list of customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from flask import g, has_request_context, request, url_for
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from sqlalchemy import Select
from sqlalchemy.orm import aliased

from portal.core import clock, regions
from portal.core.components import DASH, due, moment, money, stack, tag
from portal.core.listing import BulkAction, CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import amount_within, moment_within, text_contains, value_in, within
from portal.core.permissions import visible_branches
from portal.customers import vocabulary as words
from portal.customers.listings.base import (
    manager_choices,
    manager_where,
    mine,
    text_cell,
    vocabulary_cell,
    vocabulary_choices,
    where_visible,
    word_of,
)
from portal.customers.listings.narrowing import (
    closed_where,
    department_choices,
    department_where,
    due_today,
    favourites,
    idle,
    idle_days,
    new_this_week,
    region_choices,
    region_label,
    region_where,
    search_where,
    team,
)
from portal.customers.models import Customer
from portal.customers.permissions import EXPORT, VIEW, works_with_customers
from portal.i18n import _l
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, Department, User
from portal.pluginmanager import manager

CUSTOMERS = "customers"
STAGE_TONES: Mapping[str, str] = {
    words.Stage.TO_IDENTIFY: "neutral",
    words.Stage.POTENTIAL: "info",
    words.Stage.OPPORTUNITY: "warning",
    words.Stage.ORDERING: "accent",
    words.Stage.USER: "success",
    words.Stage.DORMANT: "neutral",
    words.Stage.LOST: "danger",
}


def stage_tag(stage: str) -> Markup:
    """A stage as a badge."""
    return tag(words.label(words.Stage, stage), STAGE_TONES.get(stage, "neutral"))


def _name_cell(row: Any, context: CellContext) -> Any:
    badges = context.extras.get("badges", {}).get(row.id, ())
    marks = Markup(" ").join(tag(badge.label, badge.tone) for badge in badges)
    name = Markup("{} {}").format(row.name, marks) if badges else row.name
    return stack(name, row.short_name) if row.short_name and row.short_name != row.name else name


def _region_cell(row: Any, _context: CellContext) -> Any:
    return region_label(row.region_code) or DASH


def _moment_cell(name: str) -> Any:
    def cell(row: Any, _context: CellContext) -> Any:
        value = getattr(row, name)
        if value is None:
            return DASH
        return moment(clock.local(value))

    return cell


def _next_cell(row: Any, _context: CellContext) -> Any:
    return due(row.next_contact_on, clock.today())


def _money_cell(row: Any, _context: CellContext) -> Any:
    return money(row.total_12m)


def _day_of(name: str) -> Any:
    def export(row: Any, _context: CellContext) -> Any:
        value = getattr(row, name)
        return clock.local(value).date() if value is not None else None

    return export


def _degrees(name: str, label: Any, column: Any) -> Column:
    """Latitude or longitude; in a file with all its digits."""

    def export(row: Any, _context: CellContext) -> Any:
        value = getattr(row, name)
        return None if value is None else Decimal(repr(value))

    def cell(row: Any, _context: CellContext) -> Any:
        value = getattr(row, name)
        return DASH if value is None else f"{value:.5f}"

    return Column(name, label, {name: column}, cell=cell, export=export, default=False, align="end")


def _prepare(rows: Sequence[Any], actor: Actor) -> Mapping[str, Any]:
    """Badges of the whole page, one call for all plugins."""
    badges: dict[int, list[Any]] = {}
    if rows:
        for answer in manager().hook.customer_badges(customer_ids=[row.id for row in rows], actor=actor):
            for customer_id, found in answer.items():
                badges.setdefault(customer_id, []).extend(found)
    return {"badges": badges}


def _row_url(row: Any) -> str:
    """The record page; it learns the list one came from, for its previous and next."""
    try:
        begin, end = g.customer_row_url
    except AttributeError:
        base = url_for("customers.show", customer_id=0)
        query = ""
        if has_request_context():
            pairs = [(key, value) for key, value in request.args.items(multi=True) if key not in {"after", "before"}]
            query = quote(urlencode(pairs)[:1500])
        begin, end = g.customer_row_url = (base.removesuffix("0"), f"?in={query}")
    return f"{begin}{row.id}{end}"


def customers_listing() -> Listing:
    """The list of customers."""
    account_manager = aliased(User)

    def source(statement: Select[Any]) -> Select[Any]:
        return statement.join(Department, Customer.department_id == Department.id).outerjoin(
            account_manager, Customer.account_manager_id == account_manager.id
        )

    columns = [
        Column(
            "name",
            _l("Name"),
            {"name": Customer.name, "short_name": Customer.short_name},
            cell=_name_cell,
            sort=Customer.name_sort,
            export=lambda row, _context: row.name,
            sticky=True,
        ),
        Column(
            "kind",
            _l("Kind"),
            {"kind": Customer.kind},
            cell=vocabulary_cell(words.CustomerKind, "kind"),
            export=word_of(words.CustomerKind, "kind"),
        ),
        Column(
            "stage",
            _l("Stage"),
            {"stage": Customer.stage},
            cell=lambda row, _context: stage_tag(row.stage),
            export=word_of(words.Stage, "stage"),
        ),
        Column(
            "region",
            _l("Region"),
            {"region_code": Customer.region_code},
            cell=_region_cell,
            export=lambda row, _context: regions.full_name(row.region_code),
        ),
        Column("industry", _l("Industry"), {"industry": Customer.industry}, cell=text_cell("industry")),
        _degrees("latitude", _l("Latitude"), Customer.latitude),
        _degrees("longitude", _l("Longitude"), Customer.longitude),
        Column("manager", _l("Account manager"), {"manager": account_manager.name}, cell=text_cell("manager")),
        Column("department", _l("Department"), {"department": Department.name}, default=False),
        Column(
            "last_contact",
            _l("Last contact"),
            {"last_contact_at": Customer.last_contact_at},
            cell=_moment_cell("last_contact_at"),
            sort=Customer.last_contact_sort,
            export=_day_of("last_contact_at"),
        ),
        Column(
            "next_contact",
            _l("Next contact"),
            {"next_contact_on": Customer.next_contact_on},
            cell=_next_cell,
            sort=Customer.next_contact_sort,
        ),
        Column(
            "total_12m",
            _l("Sales in 12 months"),
            {"total_12m": Customer.total_12m},
            cell=_money_cell,
            sort=Customer.total_12m,
            align="end",
        ),
        Column(
            "created",
            _l("Created"),
            {"created_at": Customer.created_at},
            cell=_moment_cell("created_at"),
            sort=Customer.created_at,
            export=_day_of("created_at"),
            default=False,
        ),
        Column(
            "party",
            _l("Organisation or person"),
            {"party": Customer.party},
            cell=vocabulary_cell(words.Party, "party"),
            export=word_of(words.Party, "party"),
            default=False,
        ),
        Column(
            "size",
            _l("Size class"),
            {"size_class": Customer.size_class},
            cell=vocabulary_cell(words.SizeClass, "size_class"),
            export=word_of(words.SizeClass, "size_class"),
            default=False,
        ),
        Column(
            "source",
            _l("Source"),
            {"source": Customer.source},
            cell=vocabulary_cell(words.Source, "source"),
            export=word_of(words.Source, "source"),
            default=False,
        ),
        Column("credit_code", _l("Credit code"), {"credit_code": Customer.credit_code}, default=False),
        Column("last_purchase", _l("Last purchase"), {"last_purchase_on": Customer.last_purchase_on}, default=False),
        Column(
            "status",
            _l("Record status"),
            {"status": Customer.status},
            cell=vocabulary_cell(words.Status, "status"),
            export=word_of(words.Status, "status"),
            default=False,
        ),
    ]
    filters = [
        Filter("stage", _l("Stage"), "choice", value_in(Customer.stage), vocabulary_choices(words.Stage)),
        Filter(
            "closed",
            _l("Sale status"),
            "choice",
            closed_where,
            lambda _actor: [("open", _l("Not yet closed")), ("closed", _l("Sale closed"))],
        ),
        Filter("kind", _l("Kind"), "choice", value_in(Customer.kind), vocabulary_choices(words.CustomerKind)),
        Filter(
            "party", _l("Organisation or person"), "choice", value_in(Customer.party), vocabulary_choices(words.Party)
        ),
        Filter("region", _l("Province"), "choice", region_where, region_choices),
        Filter("industry", _l("Industry"), "text", text_contains(Customer.industry)),
        Filter("size", _l("Size class"), "choice", value_in(Customer.size_class), vocabulary_choices(words.SizeClass)),
        Filter("source", _l("Source"), "choice", value_in(Customer.source), vocabulary_choices(words.Source)),
        Filter("manager", _l("Account manager"), "choice", manager_where, manager_choices),
        Filter("department", _l("Department"), "choice", department_where, department_choices),
        Filter(
            "status",
            _l("Record status"),
            "choice",
            value_in(Customer.status),
            vocabulary_choices(words.Status, words.Status.MERGED.value),
        ),
        Filter("contacted", _l("Last contact"), "date_range", moment_within(Customer.last_contact_at)),
        Filter("next", _l("Next contact"), "date_range", within(Customer.next_contact_on)),
        Filter("created", _l("Created"), "date_range", moment_within(Customer.created_at)),
        Filter("sales", _l("Sales in 12 months (yuan)"), "number_range", amount_within(Customer.total_12m)),
    ]
    scenes = [
        Scene("mine", _l("My customers"), mine, works_with_customers),
        Scene("team", _l("My team's"), team, lambda actor: bool(actor.oversees)),
        Scene("today", _l("To contact today"), due_today),
        Scene("idle", _l("Not contacted for %(days)s days", days=LazyString(idle_days)), idle),
        Scene("new", _l("New this week"), new_this_week),
        Scene("favourites", _l("Watched"), favourites),
    ]
    bulk = [
        BulkAction(
            "assign",
            _l("Assign customers"),
            "customers.bulk_assign",
            applies=lambda actor: bool(actor.oversees) or EXECUTIVE in actor.roles,
        ),
        BulkAction("stage", _l("Change stage"), "customers.bulk_stage"),
        BulkAction("watch", _l("Watch"), "customers.bulk_watch"),
    ]
    return Listing(
        key=CUSTOMERS,
        title=_l("Customers"),
        endpoint="customers.index",
        identity=Customer.id,
        source=source,
        where=where_visible,
        branches=lambda actor: visible_branches(actor, VIEW),
        columns=columns,
        default_sort="name",
        filters=filters,
        scenes=scenes,
        bulk_actions=bulk,
        row_url=_row_url,
        search=search_where,
        prepare=_prepare,
        empty=EmptyText(
            _l("No customers that you may see"),
            _l("You see the customers you look after; department heads see those of their departments."),
            _l("Create a customer"),
            "customers.create",
        ),
        export_endpoint="exports.create",
        export_permission=EXPORT,
        muted=lambda row: getattr(row, "status", "") == words.Status.INACTIVE,
    )
