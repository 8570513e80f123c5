"""The list of opportunities."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select, and_, case, func, or_

from plugins.key_accounts.opportunities import queries
from plugins.key_accounts.opportunities import vocabulary as words
from plugins.key_accounts.opportunities.models import LOST, WON, Opportunity
from portal.core import clock, settings
from portal.core.components import day, due, money, stack, tag
from portal.core.listing import CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import amount_within, value_in, within
from portal.core.permissions import visible
from portal.customers.models import Customer, NextStep
from portal.customers.permissions import EXPORT, VIEW
from portal.customers.search import matching_ids
from portal.i18n import _l
from portal.org.actor import Actor
from portal.org.models import User


def _source(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(Opportunity)
        .join(Customer, Customer.id == Opportunity.customer_id)
        .outerjoin(User, User.id == Opportunity.owner_id)
        .outerjoin(NextStep, NextStep.id == Opportunity.next_step_id)
    )


def _seen(actor: Actor) -> list[ColumnElement[bool]]:
    return [visible(actor, VIEW)]


def _search(text: str, _actor: Actor) -> ColumnElement[bool]:
    return or_(
        Opportunity.title.contains(text, autoescape=True),
        Opportunity.competitors.contains(text, autoescape=True),
        Opportunity.customer_id.in_(matching_ids(text)),
    )


def _mine(actor: Actor) -> ColumnElement[bool]:
    return and_(Opportunity.owner_id == actor.user_id, Opportunity.closed_at.is_(None))


def _soon(_actor: Actor) -> ColumnElement[bool]:
    last = clock.today() + timedelta(days=settings.get("key_accounts.opportunity_soon_days"))
    return and_(Opportunity.closed_at.is_(None), Opportunity.close_on <= last)


def _close_cell(row: Any, _context: CellContext) -> Any:
    return day(row.close_on) if row.stage in (WON, LOST) else due(row.close_on, clock.today())


def _stage_cell(row: Any, _context: CellContext) -> Any:
    shown = tag(words.word(words.STAGES, row.stage), words.STAGE_TONES[row.stage])
    return stack(shown, words.reason(row.stage, row.close_reason)) if row.close_reason else shown


OPPORTUNITIES = Listing(
    key="key_accounts.opportunities",
    title=_l("Opportunities"),
    endpoint="key_accounts.opportunities",
    identity=Opportunity.id,
    source=_source,
    where=_seen,
    default_sort="close",
    columns=[
        Column(
            "title",
            _l("Sales opportunity"),
            {"title": Opportunity.title, "customer": Customer.name},
            cell=lambda row, _c: stack(row.title, row.customer),
            export=lambda row, _c: row.title,
            sort=Opportunity.title,
            sticky=True,
        ),
        Column("customer", _l("Customer"), {"customer": Customer.name}, sort=Customer.name_sort, default=False),
        Column(
            "stage",
            _l("Stage"),
            {"stage": Opportunity.stage, "close_reason": Opportunity.close_reason},
            cell=_stage_cell,
            export=lambda row, _c: words.word(words.STAGES, row.stage),
        ),
        Column(
            "source",
            _l("Source"),
            {"source": Opportunity.source},
            cell=lambda row, _c: words.word(words.SOURCES, row.source),
            export=lambda row, _c: words.word(words.SOURCES, row.source),
        ),
        Column(
            "amount",
            _l("Amount"),
            {"amount": Opportunity.amount},
            cell=lambda row, _c: money(row.amount),
            sort=Opportunity.amount,
            align="end",
        ),
        Column(
            "probability",
            _l("Probability"),
            {"probability": Opportunity.probability},
            cell=lambda row, _c: f"{row.probability}%",
            sort=Opportunity.probability,
            align="end",
        ),
        Column(
            "close",
            _l("Expected close"),
            {"close_on": Opportunity.close_on, "stage": Opportunity.stage},
            cell=_close_cell,
            export=lambda row, _c: row.close_on,
            sort=Opportunity.close_on,
        ),
        Column(
            "step",
            _l("Next step"),
            {
                "step": func.coalesce(NextStep.task, ""),
                "step_due": case((queries.step_open(), NextStep.due_on), else_=None),
                "stage": Opportunity.stage,
            },
            cell=lambda row, _c: (
                due(row.step_due, clock.today())
                if row.step_due
                else ("" if row.stage in (WON, LOST) else tag(_l("No next step"), "warning"))
            ),
            export=lambda row, _c: row.step,
        ),
        Column("owner", _l("Owner"), {"owner": func.coalesce(User.name, "")}),
        Column(
            "reason",
            _l("Reason"),
            {"close_reason": Opportunity.close_reason, "stage": Opportunity.stage},
            cell=lambda row, _c: words.reason(row.stage, row.close_reason),
            export=lambda row, _c: words.reason(row.stage, row.close_reason),
            default=False,
        ),
        Column("competitors", _l("Competitors"), {"competitors": Opportunity.competitors}, default=False),
    ],
    filters=[
        Filter(
            "stage",
            _l("Stage"),
            "choice",
            value_in(Opportunity.stage),
            lambda _a: list(words.STAGES.items()),
        ),
        Filter(
            "source",
            _l("Source"),
            "choice",
            value_in(Opportunity.source),
            lambda _a: list(words.SOURCES.items()),
        ),
        Filter(
            "reason",
            _l("Reason of win or loss"),
            "choice",
            value_in(Opportunity.close_reason),
            lambda _a: list({**words.WIN_REASONS, **words.LOSS_REASONS}.items()),
        ),
        Filter("amount", _l("Amount"), "number_range", amount_within(Opportunity.amount)),
        Filter("probability", _l("Probability"), "number_range", within(Opportunity.probability)),
        Filter("close", _l("Expected close"), "date_range", within(Opportunity.close_on)),
    ],
    scenes=[
        Scene("open", _l("Open opportunities"), lambda _a: Opportunity.closed_at.is_(None)),
        Scene("mine", _l("My opportunities"), _mine),
        Scene("soon", _l("Closing soon or overdue"), _soon),
        Scene("stepless", _l("No next step"), lambda _a: queries.without_step()),
        Scene("won", _l("Deal won"), lambda _a: Opportunity.stage == WON),
        Scene("lost", _l("Deal lost"), lambda _a: Opportunity.stage == LOST),
    ],
    row_url=lambda row: url_for("key_accounts.opportunity", opportunity_id=row.id),
    search=_search,
    muted=lambda row: getattr(row, "stage", "") == LOST,
    empty=EmptyText(
        _l("No opportunities yet"),
        _l("Note what a customer might buy: how much, how likely, until when, and what comes next."),
        _l("New opportunity"),
        "key_accounts.new_opportunity",
    ),
    export_endpoint="exports.create",
    export_permission=EXPORT,
)
