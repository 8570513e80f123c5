"""Changes of self-assessments and scorecards (R-SOP-9). Services flush; the caller commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from plugins.sop.programme import measures, queries
from plugins.sop.programme.actions import ProgrammeAction
from plugins.sop.programme.models import (
    AFTER,
    BEFORE,
    SopAssessment,
    SopAssessmentAnswer,
    SopProgramme,
    SopScorecardValue,
)
from plugins.sop.programme.permissions import PROGRAMME_MANAGE
from plugins.sop.programme.questionnaire import KEYS, LEVELS, MOMENTS, QUESTIONS
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import ErrorList
from portal.core.permissions import require
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

PROBLEM_LENGTH = 500
#: Largest value of a measure: what the column holds.
LARGEST = Decimal("9999999999999999")


@dataclass(frozen=True)
class AnswerInput:
    """Levels 1 … 5 (None: not answered) and the problems seen."""

    own: int | None
    industry: int | None
    problem: str = ""


@dataclass(frozen=True)
class AssessmentInput:
    """A filled questionnaire."""

    moment: str
    assessed_on: date
    participants: str = ""
    summary: str = ""
    answers: Mapping[str, AnswerInput] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoreInput:
    """Values of one side for a period; measures that are not named keep what they have, None takes a value back."""

    side: str
    first: date
    last: date
    values: Mapping[str, Decimal | None]
    source: str = ""


def save_assessment(
    programme: SopProgramme, assessment: SopAssessment | None, data: AssessmentInput, actor: Actor
) -> SopAssessment:
    """Keep a self-assessment, a new one or a corrected one.

    :raises Invalid: for an unknown moment, a day in the future, levels outside 1 … 5, or when nothing was answered.
    """
    require(actor, PROGRAMME_MANAGE)
    _check_assessment(data)
    is_new = assessment is None
    if assessment is None:
        assessment = SopAssessment(
            programme_id=programme.id, created_at=clock.now(), created_by_id=actor.user_id, moment=data.moment
        )
        db.session.add(assessment)
    old = {} if is_new else _levels(assessment)
    assessment.moment, assessment.assessed_on = data.moment, data.assessed_on
    assessment.participants, assessment.summary = data.participants.strip()[:500], data.summary.strip()[:2000]
    kept = {answer.question: answer for answer in assessment.answers}
    for question in QUESTIONS:
        given = data.answers.get(question.key, AnswerInput(None, None))
        answer = kept.get(question.key)
        if answer is None:
            answer = SopAssessmentAnswer(question=question.key)
            assessment.answers.append(answer)
        answer.own, answer.industry, answer.problem = given.own, given.industry, given.problem.strip()
    db.session.flush()
    record(
        actor,
        ProgrammeAction.ASSESSED,
        object_type="sop_assessment",
        object_id=assessment.id,
        object_label=programme.title,
        old=old or None,
        new={"moment": assessment.moment, "assessed_on": assessment.assessed_on, **_levels(assessment)},
    )
    return assessment


def _check_assessment(data: AssessmentInput) -> None:
    errors = ErrorList()
    if data.moment not in MOMENTS:
        errors.add("moment", _("Choose when the assessment is made."))
    if data.assessed_on > clock.today():
        errors.add("assessed_on", _("The day lies in the future."))
    if data.assessed_on.year < 2000:
        errors.add("assessed_on", _("Enter a day between 2000 and 2090."))
    answered = 0
    for key, answer in data.answers.items():
        if key not in KEYS or any(level is not None and level not in LEVELS for level in (answer.own, answer.industry)):
            errors.add("", _("A level is between 1 and 5."))
        if len(answer.problem.strip()) > PROBLEM_LENGTH:
            errors.add("", _("Problems: at most %(n)s characters each.", n=PROBLEM_LENGTH))
        answered += answer.own is not None
    if not answered:
        errors.add("", _("Answer at least one question."))
    errors.raise_if_any()


def _levels(assessment: SopAssessment) -> dict[str, object]:
    return {answer.question: [answer.own, answer.industry] for answer in assessment.answers if answer.own}


def save_scores(programme: SopProgramme, data: ScoreInput, actor: Actor) -> int:
    """Keep typed values of one side; only what differs from the present value makes a new line of the history.

    :returns: how many values were kept.
    """
    require(actor, PROGRAMME_MANAGE)
    errors = ErrorList()
    _check_period(data.side, data.first, data.last, errors)
    for key, value in data.values.items():
        measure = measures.BY_KEY.get(key)
        if measure is None:
            errors.add("", _("Unknown measure."))
        elif value is not None:
            _check_value(measure, value, errors)
    errors.raise_if_any()
    present = {line.measure.key: line for line in queries.scorecard(programme.id)}
    kept = 0
    for key, value in data.values.items():
        line = present[key]
        now = line.before if data.side == BEFORE else line.after
        if (now.value if now else None) == value and (now is None or (now.first, now.last) == (data.first, data.last)):
            continue
        _keep(programme, key, data.side, value, data.first, data.last, False, data.source.strip(), actor)
        kept += 1
    if kept:
        _record(programme, data.side, actor, {key: value for key, value in data.values.items() if value is not None})
    return kept


def compute_scores(programme: SopProgramme, side: str, first: date, last: date, actor: Actor) -> int:
    """Let the portal fill in what it knows, over the customers that the actor may see; how many values were kept."""
    require(actor, PROGRAMME_MANAGE)
    errors = ErrorList()
    _check_period(side, first, last, errors)
    errors.raise_if_any()
    sums = measures.totals(actor, first, last)
    source = _("Computed over the customers that %(name)s may see", name=actor.name)
    kept: dict[str, Decimal | None] = {}
    for measure in measures.MEASURES:
        value = measure.compute(sums) if measure.compute else None
        if value is not None:
            _keep(programme, measure.key, side, value, first, last, True, source, actor)
            kept[measure.key] = value
    if kept:
        _record(programme, side, actor, kept)
    return len(kept)


def _check_period(side: str, first: date, last: date, errors: ErrorList) -> None:
    if side not in (BEFORE, AFTER):
        errors.add("side", _("Choose before or after."))
    if last < first:
        errors.add("last", _("The period ends before it begins."))
    elif (last - first).days > 366 * 5:
        errors.add("last", _("A period is at most five years long."))
    if last > clock.today():
        errors.add("last", _("The period ends in the future."))


def _check_value(measure: measures.Measure, value: Decimal, errors: ErrorList) -> None:
    if measure.unit == measures.POINTS and not 0 <= value <= 100:
        errors.add(measure.key, _("Points are between 0 and 100."))
    elif measure.unit == measures.PERCENT and not -1000 <= value <= 1000:
        errors.add(measure.key, _("Enter a percentage."))
    elif measure.unit not in (measures.PERCENT, measures.YUAN) and value < 0:
        errors.add(measure.key, _("Enter zero or more."))
    elif abs(value) > LARGEST:
        errors.add(measure.key, _("The value is too large."))


def _keep(
    programme: SopProgramme,
    measure: str,
    side: str,
    value: Decimal | None,
    first: date,
    last: date,
    is_computed: bool,
    source: str,
    actor: Actor,
) -> None:
    db.session.add(
        SopScorecardValue(
            programme_id=programme.id,
            measure=measure,
            side=side,
            value=None if value is None else value.quantize(measures.CENT),
            first=first,
            last=last,
            is_computed=is_computed,
            source=source[:300],
            at=clock.now(),
            by_id=actor.user_id,
        )
    )
    db.session.flush()


def _record(programme: SopProgramme, side: str, actor: Actor, values: Mapping[str, Decimal | None]) -> None:
    record(
        actor,
        ProgrammeAction.SCORED,
        object_type="sop_programme",
        object_id=programme.id,
        object_label=programme.title,
        new={"side": side, **values},
    )
