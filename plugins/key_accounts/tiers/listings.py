"""The list of tiers and proposals; columns for the list of customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from plugins.key_accounts.measures import rules
from plugins.key_accounts.measures.columns import customer_column, growth_column
from plugins.key_accounts.measures.models import CustomerMeasure, MeasureState, hours_of
from plugins.key_accounts.measures.settings import thresholds
from plugins.key_accounts.permissions import DECIDE_TIER
from plugins.key_accounts.tiers import vocabulary as words
from plugins.key_accounts.tiers.models import IMPORTANT, KEY, ORDINARY, ROLES, CustomerTier, TierDecision
from plugins.key_accounts.tiers.queries import sees_many
from portal.core.components import DASH, money, number, stack, tag
from portal.core.listing import BulkAction, CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import amount_within, value_in
from portal.core.permissions import can, visible
from portal.customers.models import Customer
from portal.customers.search import matching_ids
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.org.models import Department, User

Measure = CustomerMeasure


def _source(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(Measure)
        .join(Customer, Customer.id == Measure.customer_id)
        .join(Department, Department.id == Customer.department_id)
        .outerjoin(CustomerTier, CustomerTier.customer_id == Measure.customer_id)
        .outerjoin(User, User.id == Customer.account_manager_id)
    )


def _seen(actor: Actor) -> list[ColumnElement[bool]]:
    """Visible customers. Whoever sees a good part of all is asked about row by row, in the order of the list: the
    embedded database would read and sort all customers of his departments for a page of fifty."""
    sight = visible(actor, "customers.view")
    if not sees_many(actor):
        return [sight]
    seen = select(Customer.id).where(Customer.id == Measure.customer_id, sight).correlate(Measure)
    return [seen.scalar_subquery().is_not(None)]


def to_decide() -> ColumnElement[bool]:
    """Customers whose proposal differs from their tier and was not answered already with the same proposal."""
    answered = (
        select(TierDecision.proposed)
        .where(TierDecision.customer_id == Measure.customer_id)
        .order_by(TierDecision.id.desc())
        .limit(1)
        .correlate(Measure)
        .scalar_subquery()
    )
    return and_(
        Measure.tier != Measure.proposal,
        or_(Measure.tier != "", Measure.proposal != ORDINARY),
        func.coalesce(answered, "") != Measure.proposal,
    )


def _prepare(_rows: Sequence[Any], _actor: Actor) -> Mapping[str, Any]:
    state = db.session.get(MeasureState, 1)
    return {"buyers": state.buyers if state else 0, "limits": thresholds()}


def reasons_of(row: Any, buyers: int, limits: Any) -> list[str]:
    """Why the portal proposes what it proposes, in words."""
    found = rules.propose(row.sales, row.profit, row.rank, row.repeat_years, bool(row.has_role), buyers, limits)
    return [words.word(words.REASONS, key) for key in found.reasons]


def _proposal_cell(row: Any, context: CellContext) -> Any:
    shown = tag(words.tier_word(row.proposal), words.TONES[row.proposal])
    return stack(shown, _("; ").join(reasons_of(row, context.extras["buyers"], context.extras["limits"])))


def _abc_cell(row: Any, _context: CellContext) -> Any:
    if not row.abc:
        return DASH
    return stack(row.abc, _("up to %(percent)s%%", percent=f"{row.cumulated / 100:.1f}"))


def _roles_cell(row: Any, _context: CellContext) -> Any:
    return _("; ").join(words.word(words.ROLES, name) for name in ROLES if getattr(row, name)) or DASH


_HAS_ROLE = func.coalesce(or_(*(getattr(CustomerTier, name) for name in ROLES)), False)

TIER_LIST = Listing(
    key="key_accounts.tiers",
    title=_l("Tiers of customers"),
    endpoint="key_accounts.tiers",
    identity=Measure.customer_id,
    source=_source,
    where=_seen,
    default_sort="-sales",
    prepare=_prepare,
    columns=[
        customer_column(),
        Column(
            "sales",
            _l("Sales of twelve months"),
            {"sales": Measure.sales},
            cell=lambda row, _c: money(row.sales),
            sort=Measure.sales,
            align="end",
        ),
        growth_column(Measure),
        Column(
            "profit",
            _l("Profit contribution"),
            {"profit": Measure.profit},
            cell=lambda row, _c: money(row.profit),
            sort=Measure.profit,
            align="end",
        ),
        Column(
            "hours",
            _l("Contact hours"),
            {"minutes": Measure.minutes},
            cell=lambda row, _c: number(hours_of(row.minutes), 1),
            export=lambda row, _c: hours_of(row.minutes),
            align="end",
        ),
        Column(
            "abc",
            _l("ABC class"),
            {"abc": Measure.abc, "cumulated": Measure.cumulated},
            cell=_abc_cell,
            export=lambda row, _c: row.abc,
        ),
        Column(
            "tier",
            _l("Tier"),
            {"tier": Measure.tier},
            cell=lambda row, _c: tag(words.tier_word(row.tier), words.TONES[row.tier]),
            export=lambda row, _c: words.tier_word(row.tier),
        ),
        Column(
            "proposal",
            _l("Proposed tier"),
            {
                "proposal": Measure.proposal,
                "proposal_rank": Measure.rank,
                "rank": Measure.rank,
                "repeat_years": Measure.repeat_years,
                "has_role": _HAS_ROLE,
                "sales": Measure.sales,
                "profit": Measure.profit,
            },
            cell=_proposal_cell,
            export=lambda row, _c: words.tier_word(row.proposal),
        ),
        Column(
            "roles",
            _l("Strategic roles"),
            {name: func.coalesce(getattr(CustomerTier, name), False) for name in ROLES},
            cell=_roles_cell,
            export=lambda row, _c: _("; ").join(words.word(words.ROLES, n) for n in ROLES if getattr(row, n)),
            default=False,
        ),
        Column("manager", _l("Account manager"), {"manager": func.coalesce(User.name, "")}, default=False),
    ],
    filters=[
        Filter(
            "tier",
            _l("Tier"),
            "choice",
            lambda value, _a: Measure.tier.in_(["" if item == "none" else item for item in value.values]),
            lambda _a: [*words.TIERS.items(), ("none", words.UNDECIDED)],
        ),
        Filter(
            "proposal",
            _l("Proposed tier"),
            "choice",
            value_in(Measure.proposal),
            lambda _a: list(words.TIERS.items()),
        ),
        Filter(
            "abc",
            _l("ABC class"),
            "choice",
            lambda value, _a: Measure.abc.in_(["" if item == "none" else item for item in value.values]),
            lambda _a: [("A", "A"), ("B", "B"), ("C", "C"), ("none", _l("no purchases"))],
        ),
        Filter(
            "ease",
            _l("Ease of development"),
            "choice",
            lambda value, _a: or_(
                CustomerTier.ease.in_([int(item) for item in value.values if item != "none"]),
                *([CustomerTier.ease.is_(None)] if "none" in value.values else []),
            ),
            lambda _a: [*((str(key), text) for key, text in words.EASE.items()), ("none", _l("not judged"))],
        ),
        Filter("profit", _l("Profit contribution"), "number_range", amount_within(Measure.profit)),
        Filter("loses", _l("Loses money"), "flag", lambda _value, _a: Measure.profit < 0),
    ],
    scenes=[
        Scene("decide", _l("To be decided"), lambda _a: to_decide()),
        Scene("key", _l("Key customers"), lambda _a: Measure.tier == KEY),
        Scene("important", _l("Important customers"), lambda _a: Measure.tier == IMPORTANT),
        Scene("mine", _l("My customers"), lambda actor: Customer.account_manager_id == actor.user_id),
    ],
    bulk_actions=[
        BulkAction(
            "accept", _l("Accept proposals"), "key_accounts.accept_tiers", applies=lambda a: can(a, DECIDE_TIER)
        ),
        BulkAction(
            "otherwise", _l("Decide otherwise"), "key_accounts.decide_tiers", applies=lambda a: can(a, DECIDE_TIER)
        ),
    ],
    row_url=lambda row: url_for("key_accounts.account", customer_id=row.id),
    search=lambda text, _a: Measure.customer_id.in_(matching_ids(text)),
    empty=EmptyText(
        _l("No customers here"),
        _l("The portal computes measures and proposals every ten minutes; new customers appear after that."),
    ),
    export_endpoint="exports.create",
    export_permission="customers.export",
)


def _tier_field() -> Any:
    return func.coalesce(
        select(CustomerTier.tier).where(CustomerTier.customer_id == Customer.id).correlate(Customer).scalar_subquery(),
        "",
    )


#: What the list of customers gets.
CUSTOMER_COLUMNS: tuple[Any, ...] = (
    Column(
        "tier",
        _l("Tier"),
        {"account_tier": _tier_field()},
        cell=lambda row, _c: (
            tag(words.tier_word(row.account_tier), words.TONES[row.account_tier]) if row.account_tier else DASH
        ),
        export=lambda row, _c: words.tier_word(row.account_tier) if row.account_tier else "",
        default=False,
    ),
    Filter(
        "tier",
        _l("Tier"),
        "choice",
        lambda value, _a: Customer.id.in_(select(CustomerTier.customer_id).where(CustomerTier.tier.in_(value.values))),
        lambda _a: list(words.TIERS.items()),
    ),
)
