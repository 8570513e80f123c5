"""Saving versions of scorecards; the register of market-order violations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.measures.models import CustomerMeasure
from plugins.key_accounts.satisfaction import health
from plugins.key_accounts.scorecards import criteria
from plugins.key_accounts.scorecards.models import CARDS, VIOLATIONS, Scorecard, ScorecardAnswer, Violation
from plugins.key_accounts.scorecards.settings import limits
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, NotFound
from portal.core.permissions import require
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

NOTE_LENGTH = 500
TEXT_LENGTH = 2000


@dataclass(frozen=True)
class Answer:
    """A judgement: a grade with its note."""

    grade: int
    note: str


@dataclass(frozen=True)
class ScorecardInput:
    """A version of a scorecard. :ivar judgements: criterion → judgement; criteria without one follow the figures."""

    card: str
    judgements: Mapping[str, Answer] = field(default_factory=dict)
    remarks: str = ""


def _customer(customer_id: int, actor: Actor) -> Customer:
    customer = db.session.get(Customer, customer_id)
    if customer is None:
        raise NotFound()
    require(actor, "customers.edit", customer)
    return customer


def save_scorecard(customer_id: int, data: ScorecardInput, actor: Actor) -> Scorecard:
    """Keep a new version. Criteria without a judgement are graded from the figures of today, where there are any.

    :raises Invalid: an unknown criterion, a grade outside 0 … 5, a judgement without a note, an empty card.
    """
    customer = _customer(customer_id, actor)
    if data.card not in CARDS:
        raise NotFound()
    known = {criterion.key for criterion in criteria.CRITERIA[data.card]}
    errors = ErrorList()
    for key, answer in data.judgements.items():
        if key not in known or not 0 <= answer.grade <= criteria.HIGHEST:
            errors.add(f"grade_{key}", _("Choose from the list."))
        elif not answer.note.strip():
            errors.add(f"note_{key}", _("Say why you judge so."))
        elif len(answer.note.strip()) > NOTE_LENGTH:
            errors.add(f"note_{key}", _("At most %(n)s characters.", n=NOTE_LENGTH))
    figures = criteria.figures_of(data.card, db.session.get(CustomerMeasure, customer_id))
    if not data.judgements and not figures:
        errors.add("", _("Answer at least one question."))
    errors.raise_if_any()
    answers = []
    for criterion in criteria.CRITERIA[data.card]:
        judgement, figure = data.judgements.get(criterion.key), figures.get(criterion.key)
        if judgement is not None:
            answers.append(
                ScorecardAnswer(
                    criterion=criterion.key,
                    grade=judgement.grade,
                    source="judgement",
                    figure=figure.figure[:200] if figure else "",
                    note=judgement.note.strip(),
                )
            )
        elif figure is not None:
            answers.append(
                ScorecardAnswer(
                    criterion=criterion.key, grade=figure.grade, source="data", figure=figure.figure[:200], note=""
                )
            )
    grades = {answer.criterion: answer.grade for answer in answers}
    row = Scorecard(
        customer_id=customer_id,
        card=data.card,
        score=criteria.score_of(data.card, grades),
        verdict=criteria.verdict_of(data.card, grades, limits()),
        remarks=data.remarks.strip()[:1000],
        made_at=clock.now(),
        made_by_id=actor.user_id,
        answers=answers,
    )
    db.session.add(row)
    db.session.flush()
    record(
        actor,
        KeyAccountAction.SCORECARD_SAVED,
        object_type="key_accounts_scorecard",
        object_id=row.id,
        object_label=customer.name,
        customer_id=customer_id,
        new={"card": row.card, "score": row.score, "verdict": row.verdict},
    )
    health.refresh([customer_id])
    return row


@dataclass(frozen=True)
class ViolationInput:
    """A breach of market order."""

    kind: str
    happened_on: date | None
    description: str


def record_violation(customer_id: int, data: ViolationInput, actor: Actor) -> Violation:
    """Enter a breach into the register. :raises Invalid: unknown kind, no day or one to come, no description."""
    customer = _customer(customer_id, actor)
    errors = ErrorList()
    description = data.description.strip()
    if data.kind not in VIOLATIONS:
        errors.add("kind", _("Choose from the list."))
    if data.happened_on is None:
        errors.add("happened_on", _("Enter a date."))
    elif data.happened_on > clock.today():
        errors.add("happened_on", _("This day has not come yet."))
    if not description:
        errors.add("description", _("Say what happened."))
    if len(description) > TEXT_LENGTH:
        errors.add("description", _("At most %(n)s characters.", n=TEXT_LENGTH))
    errors.raise_if_any()
    assert data.happened_on is not None  # refused above
    row = Violation(
        customer_id=customer_id,
        kind=data.kind,
        happened_on=data.happened_on,
        description=description,
        recorded_at=clock.now(),
        recorded_by_id=actor.user_id,
    )
    db.session.add(row)
    db.session.flush()
    record(
        actor,
        KeyAccountAction.VIOLATION_RECORDED,
        object_type="key_accounts_violation",
        object_id=row.id,
        object_label=customer.name,
        customer_id=customer_id,
        new={"kind": row.kind, "happened_on": row.happened_on},
    )
    health.refresh([customer_id])
    return row


def settle_violation(row: Violation, measure: str, actor: Actor) -> None:
    """Note what was done about a breach. :raises Conflict: it was settled meanwhile."""
    customer = _customer(row.customer_id, actor)
    errors = ErrorList()
    measure = measure.strip()
    if not measure:
        errors.add("measure", _("Say what was done."))
    if len(measure) > NOTE_LENGTH:
        errors.add("measure", _("At most %(n)s characters.", n=NOTE_LENGTH))
    errors.raise_if_any()
    if row.settled_on is not None:
        raise Conflict(_("It was settled meanwhile."))
    row.measure, row.settled_on = measure, clock.today()
    db.session.flush()
    record(
        actor,
        KeyAccountAction.VIOLATION_SETTLED,
        object_type="key_accounts_violation",
        object_id=row.id,
        object_label=customer.name,
        customer_id=customer.id,
        new={"measure": measure},
    )
    health.refresh([customer.id])
