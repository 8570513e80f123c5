"""The list of interactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from markupsafe import Markup, escape
from sqlalchemy import Select, func, literal, or_, select
from sqlalchemy.orm import aliased

from portal.core import clock
from portal.core.components import DASH, due, money
from portal.core.listing import CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import moment_within, value_in
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
from portal.customers.models import Contact, Customer, Interaction, NextStep, interaction_contact
from portal.customers.permissions import works_with_customers
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.org.models import User

INTERACTIONS = "interactions"


def _interaction_extras(rows: Sequence[Any], _actor: Actor) -> Mapping[str, Any]:
    """Contacts and open next steps of the page's interactions."""
    ids = [row.id for row in rows]
    people: dict[int, list[str]] = {}
    steps: dict[int, Any] = {}
    if ids:
        found = db.session.execute(
            select(interaction_contact.c.interaction_id, Contact.name)
            .join(Contact, Contact.id == interaction_contact.c.contact_id)
            .where(interaction_contact.c.interaction_id.in_(ids))
            .order_by(Contact.id)
        )
        for interaction_id, name in found:
            people.setdefault(interaction_id, []).append(name)
        planned = db.session.execute(
            select(NextStep.interaction_id, NextStep.task, NextStep.due_on)
            .where(NextStep.interaction_id.in_(ids), NextStep.done_at.is_(None), NextStep.cancelled_at.is_(None))
            .order_by(NextStep.due_on.desc())
        )
        steps = {row.interaction_id: row for row in planned}
    return {"people": people, "steps": steps}


def _summary_cell(row: Any, _context: CellContext) -> Any:
    text = row.subject or row.result or ""
    short = text if len(text) <= 60 else f"{text[:59]}…"
    return Markup("<del>{}</del>").format(short) if row.cancelled_at else (short or DASH)


def _step_cell(row: Any, context: CellContext) -> Any:
    step = context.extras.get("steps", {}).get(row.id)
    if step is None:
        return DASH
    task = step.task if len(step.task) <= 30 else f"{step.task[:29]}…"
    return Markup("{} {}").format(escape(task), due(step.due_on, clock.today()))


def interactions_listing() -> Listing:
    """Interactions with all customers one may see."""
    author = aliased(User)

    def source(statement: Select[Any]) -> Select[Any]:
        return statement.join(Customer, Interaction.customer_id == Customer.id).outerjoin(
            author, Interaction.author_id == author.id
        )

    def moment(row: Any, _context: CellContext) -> Any:
        return clock.local(row.at).strftime("%Y-%m-%d %H:%M")

    return Listing(
        key=INTERACTIONS,
        title=_l("Interactions"),
        endpoint="customers.interactions",
        identity=Interaction.id,
        source=source,
        where=where_visible,
        columns=[
            Column(
                "at", _l("When"), {"at": Interaction.at}, cell=moment, export=moment, sort=Interaction.at, sticky=True
            ),
            Column("customer", _l("Customer"), {"customer": Customer.name}),
            Column(
                "kind",
                _l("Kind"),
                {"kind": Interaction.kind},
                cell=vocabulary_cell(words.InteractionKind, "kind"),
                export=word_of(words.InteractionKind, "kind"),
            ),
            Column(
                "summary",
                _l("Result of the contact"),
                {
                    "subject": Interaction.subject,
                    "result": func.substr(Interaction.result, 1, 120),
                    "cancelled_at": Interaction.cancelled_at,
                },
                cell=_summary_cell,
                export=lambda row, _context: row.subject or row.result,
            ),
            Column(
                "people",
                _l("With whom"),
                {"direction": Interaction.direction},
                cell=lambda row, context: _(", ").join(context.extras.get("people", {}).get(row.id, [])) or DASH,
                export=lambda row, context: _(", ").join(context.extras.get("people", {}).get(row.id, [])),
            ),
            Column("author", _l("Recorded by"), {"author": author.name}, cell=text_cell("author")),
            Column("minutes", _l("Minutes"), {"minutes": Interaction.minutes}, default=False, align="end"),
            Column(
                "cost",
                _l("Cost"),
                {"cost": Interaction.cost},
                cell=lambda row, _context: money(row.cost),
                default=False,
                align="end",
            ),
            Column(
                "next",
                _l("Next step"),
                {"interaction_key": Interaction.id},
                cell=_step_cell,
                export=lambda row, context: getattr(context.extras.get("steps", {}).get(row.id), "task", ""),
            ),
        ],
        default_sort="-at",
        filters=[
            Filter("kind", _l("Kind"), "choice", value_in(Interaction.kind), vocabulary_choices(words.InteractionKind)),
            Filter("at", _l("When"), "date_range", moment_within(Interaction.at)),
            Filter(
                "appointment",
                _l("Appointment"),
                "choice",
                value_in(Interaction.appointment),
                vocabulary_choices(words.Appointment),
            ),
            Filter(
                "opinions",
                _l("With opinions or suggestions"),
                "flag",
                lambda _value, _actor: Interaction.opinions != literal(""),
            ),
            Filter("manager", _l("Account manager"), "choice", manager_where, manager_choices),
        ],
        scenes=[
            Scene("own", _l("Recorded by me"), lambda actor: Interaction.author_id == actor.user_id),
            Scene("mine", _l("Of my customers"), mine, works_with_customers),
            Scene("cancelled", _l("Voided"), lambda _actor: Interaction.cancelled_at.is_not(None)),
        ],
        row_url=lambda row: url_for("customers.interaction", interaction_id=row.id),
        search=lambda text, _actor: or_(
            Interaction.subject.contains(text, autoescape=True), Interaction.result.contains(text, autoescape=True)
        ),
        prepare=_interaction_extras,
        muted=lambda row: getattr(row, "cancelled_at", None) is not None,
        empty=EmptyText(_l("No interactions yet"), _l("Record visits, calls and messages on the customer's page.")),
    )
