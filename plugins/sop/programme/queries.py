"""Reads of introduction programmes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Date, Integer, Select, bindparam, func, select
from sqlalchemy.orm import joinedload, selectinload

from plugins.sop.programme.measures import MEASURES, Change, Measure, change
from plugins.sop.programme.models import (
    AFTER,
    BEFORE,
    PLANNED,
    RUNNING,
    SopAssessment,
    SopBudgetChoice,
    SopProgramme,
    SopProgrammeEvent,
    SopProgrammeStep,
    SopScorecardValue,
)
from plugins.sop.programme.plan import expected_progress
from plugins.sop.programme.questionnaire import AreaResult, by_area, overall
from portal.core.errors import NotFound
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User

LIVE = (PLANNED, RUNNING)


@dataclass(frozen=True)
class ProgrammeLine:
    """A programme in the overview; progress is the mean of its steps weighted by their days, in percent."""

    id: int
    title: str
    state: str
    starts_on: date
    ends_on: date
    owner: str
    progress: int
    steps: int
    finished: int
    late: int


def programme_lines(today: date) -> list[ProgrammeLine]:
    """All programmes, newest first; one statement."""
    step = SopProgrammeStep
    statement = (
        select(
            SopProgramme.id,
            SopProgramme.title,
            SopProgramme.state,
            func.min(step.begins_on).label("starts_on"),
            func.max(step.ends_on).label("ends_on"),
            func.coalesce(User.name, "").label("owner"),
            func.sum(step.progress * step.days).label("done"),
            func.sum(step.days).label("days"),
            func.count(step.id).label("steps"),
            func.count(step.finished_on).label("finished"),
            func.sum((step.finished_on.is_(None) & (step.ends_on < today)).cast(Integer)).label("late"),
        )
        .join(step, step.programme_id == SopProgramme.id)
        .outerjoin(User, User.id == SopProgramme.owner_id)
        .group_by(SopProgramme.id, SopProgramme.title, SopProgramme.state, User.name)
        .order_by(SopProgramme.id.desc())
    )
    return [
        ProgrammeLine(
            row.id,
            row.title,
            row.state,
            row.starts_on,
            row.ends_on,
            row.owner,
            int(row.done) // int(row.days),
            row.steps,
            row.finished,
            int(row.late or 0) if row.state in LIVE else 0,
        )
        for row in db.session.execute(statement)
    ]


def load_programme(programme_id: int) -> SopProgramme:
    """A programme with its steps and their owners. :raises NotFound: when there is none."""
    programme = db.session.scalars(
        select(SopProgramme)
        .where(SopProgramme.id == programme_id)
        .options(
            selectinload(SopProgramme.steps).joinedload(SopProgrammeStep.owner),
            joinedload(SopProgramme.owner),
        )
    ).first()
    if programme is None:
        raise NotFound()
    return programme


def load_step(step_id: int) -> SopProgrammeStep:
    """A step. :raises NotFound: when there is none."""
    step = db.session.get(SopProgrammeStep, step_id)
    if step is None:
        raise NotFound()
    return step


def overall_progress(steps: Sequence[SopProgrammeStep]) -> int:
    """Percent of the whole plan, weighted by working days."""
    days = sum(step.days for step in steps)
    return sum(step.progress * step.days for step in steps) // days if days else 0


def expected_overall(steps: Sequence[SopProgrammeStep], today: date) -> int:
    """Percent that should be done today by the present dates."""
    days = sum(step.days for step in steps)
    due = sum(expected_progress(step.begins_on, step.ends_on, today) * step.days for step in steps)
    return due // days if days else 0


def events_of(programme_id: int, limit: int = 60) -> list[SopProgrammeEvent]:
    """What happened to a plan, newest first."""
    statement = (
        select(SopProgrammeEvent)
        .where(SopProgrammeEvent.programme_id == programme_id)
        .options(joinedload(SopProgrammeEvent.by), joinedload(SopProgrammeEvent.step))
        .order_by(SopProgrammeEvent.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(statement))


@cache
def _my_steps_statement() -> Select[*tuple[Any, ...]]:
    """Built once: every home page asks it."""
    step = SopProgrammeStep
    return (
        select(
            step.id,
            step.key,
            step.title,
            step.ends_on,
            step.programme_id,
            SopProgramme.title.label("programme"),
        )
        .join(SopProgramme, SopProgramme.id == step.programme_id)
        .where(
            step.owner_id == bindparam("person", type_=Integer),
            step.finished_on.is_(None),
            step.begins_on <= bindparam("until", type_=Date),
            SopProgramme.state.in_(LIVE),
        )
        .order_by(step.ends_on, step.id)
        .limit(20)
    )


def my_steps(actor: Actor, until: date) -> Sequence[Any]:
    """Steps of the actor that have begun by a day and are not finished; one statement."""
    return db.session.execute(_my_steps_statement(), {"person": actor.user_id, "until": until}).all()


# ---- budget --------------------------------------------------------------------------------------------------------


def choices_of(programme_id: int) -> list[SopBudgetChoice]:
    """Decisions on the mode, newest first."""
    statement = (
        select(SopBudgetChoice)
        .where(SopBudgetChoice.programme_id == programme_id)
        .options(joinedload(SopBudgetChoice.chosen_by))
        .order_by(SopBudgetChoice.id.desc())
    )
    return list(db.session.scalars(statement))


# ---- self-assessment -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """An assessment with its averages."""

    assessment: SopAssessment
    areas: list[AreaResult]
    own: Decimal | None
    industry: Decimal | None


def load_assessment(assessment_id: int) -> SopAssessment:
    """An assessment with its answers. :raises NotFound: when there is none."""
    found = db.session.scalars(
        select(SopAssessment)
        .where(SopAssessment.id == assessment_id)
        .options(selectinload(SopAssessment.answers), joinedload(SopAssessment.created_by))
    ).first()
    if found is None:
        raise NotFound()
    return found


def results_of(programme_id: int) -> list[Result]:
    """All assessments of a programme, the earliest first; two statements."""
    statement = (
        select(SopAssessment)
        .where(SopAssessment.programme_id == programme_id)
        .options(selectinload(SopAssessment.answers), joinedload(SopAssessment.created_by))
        .order_by(SopAssessment.assessed_on, SopAssessment.id)
    )
    return [result_of(assessment) for assessment in db.session.scalars(statement)]


def result_of(assessment: SopAssessment) -> Result:
    """The averages of one assessment."""
    own = {answer.question: answer.own for answer in assessment.answers}
    industry = {answer.question: answer.industry for answer in assessment.answers}
    return Result(assessment, by_area(own, industry), overall(own), overall(industry))


# ---- scorecard -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScoreLine:
    """A measure with its newest value of each side."""

    measure: Measure
    before: SopScorecardValue | None
    after: SopScorecardValue | None
    change: Change | None


def scorecard(programme_id: int) -> list[ScoreLine]:
    """All measures in the order of the rule; one statement."""
    newest = (
        select(func.max(SopScorecardValue.id))
        .where(SopScorecardValue.programme_id == programme_id)
        .group_by(SopScorecardValue.measure, SopScorecardValue.side)
    )
    rows = db.session.scalars(
        select(SopScorecardValue).where(SopScorecardValue.id.in_(newest)).options(joinedload(SopScorecardValue.by))
    )
    found = {(row.measure, row.side): row for row in rows if row.value is not None}
    lines = []
    for measure in MEASURES:
        before, after = found.get((measure.key, BEFORE)), found.get((measure.key, AFTER))
        told = change(measure, before.value if before else None, after.value if after else None)
        lines.append(ScoreLine(measure, before, after, told))
    return lines


def score_history(programme_id: int, limit: int = 100) -> list[SopScorecardValue]:
    """Every value that was ever kept, newest first."""
    statement = (
        select(SopScorecardValue)
        .where(SopScorecardValue.programme_id == programme_id)
        .options(joinedload(SopScorecardValue.by))
        .order_by(SopScorecardValue.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(statement))
