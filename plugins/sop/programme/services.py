"""Changes of introduction programmes: plan, progress, budget. Services flush; the caller commits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NoReturn

from sqlalchemy import select

from plugins.sop.programme import budget, plan, queries
from plugins.sop.programme.actions import ProgrammeAction
from plugins.sop.programme.models import (
    FINISHED,
    PLANNED,
    RUNNING,
    STOPPED,
    SopBudgetChoice,
    SopProgramme,
    SopProgrammeEvent,
    SopProgrammeStep,
)
from plugins.sop.programme.permissions import PROGRAMME_MANAGE
from plugins.sop.programme.settings import rates, weeks
from plugins.sop.programme.vocabulary import STATES, word
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid, NotAllowed
from portal.core.paths import path_for
from portal.core.permissions import can, require
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import Actor
from portal.org.models import User

NOTICE = "sop.programme"
TITLE_LENGTH, REASON_LENGTH, NOTE_LENGTH = 200, 500, 2000
#: States that may follow a state.
FOLLOWING = {
    PLANNED: (RUNNING, STOPPED),
    RUNNING: (FINISHED, STOPPED),
    STOPPED: (RUNNING,),
    FINISHED: (RUNNING,),
}


@dataclass(frozen=True)
class ProgrammeInput:
    """What a new programme needs; `weeks` None: those of the settings."""

    title: str
    starts_on: date
    goal: str = ""
    owner_id: int | None = None
    department_id: int | None = None
    weeks: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class StepInput:
    """What a step gets: its first day, its working days, who does it, words of the company's own."""

    begins_on: date
    days: int
    owner_id: int | None = None
    title: str = ""


@dataclass(frozen=True)
class ProgressInput:
    """How far a step is, in percent, and what there is to say."""

    progress: int
    note: str = ""


@dataclass(frozen=True)
class ChoiceInput:
    """A decision for a mode: its days (or the fee, for the tailored one) and the reason."""

    mode: str
    reason: str
    token: str
    days: Mapping[str, int | None]
    fee: Decimal | None = None


def create_programme(data: ProgrammeInput, actor: Actor) -> SopProgramme:
    """Make a programme with its nine steps, one after the other in working days."""
    require(actor, PROGRAMME_MANAGE)
    errors = ErrorList()
    _check_title(data.title, errors)
    _check_person(data.owner_id, errors)
    chosen = data.weeks or weeks()
    if any(not 1 <= number <= 26 for number in chosen):
        errors.add("weeks", _("A stage takes between 1 and 26 weeks."))
    if not 2000 <= data.starts_on.year <= 2090:
        errors.add("starts_on", _("Enter a day between 2000 and 2090."))
    errors.raise_if_any()
    programme = SopProgramme(
        title=data.title.strip(),
        goal=data.goal.strip()[:1000],
        starts_on=data.starts_on,
        owner_id=data.owner_id,
        department_id=data.department_id,
        state=PLANNED,
        created_at=clock.now(),
        created_by_id=actor.user_id,
    )
    db.session.add(programme)
    spans = plan.schedule(data.starts_on, plan.days_by_step(chosen))
    for position, (template, span) in enumerate(zip(plan.TEMPLATES, spans, strict=True), start=1):
        programme.steps.append(
            SopProgrammeStep(
                position=position,
                stage=template.stage,
                key=template.key,
                days=span.days,
                begins_on=span.begins_on,
                ends_on=span.ends_on,
                planned_begins_on=span.begins_on,
                planned_ends_on=span.ends_on,
                owner_id=data.owner_id,
            )
        )
    db.session.flush()
    _event(programme, None, "created", f"{spans[0].begins_on} – {spans[-1].ends_on}", actor)
    _record(
        programme,
        ProgrammeAction.CREATED,
        actor,
        new={"title": programme.title, "starts_on": spans[0].begins_on, "ends_on": spans[-1].ends_on},
    )
    return programme


def change_programme(programme: SopProgramme, data: ProgrammeInput, actor: Actor) -> None:
    """Change title, goal and leader; dates are changed step by step."""
    require(actor, PROGRAMME_MANAGE)
    errors = ErrorList()
    _check_title(data.title, errors)
    _check_person(data.owner_id, errors)
    errors.raise_if_any()
    old = {"title": programme.title, "goal": programme.goal, "owner": programme.owner_id}
    programme.title, programme.goal, programme.owner_id = data.title.strip(), data.goal.strip()[:1000], data.owner_id
    programme.department_id = data.department_id
    db.session.flush()
    new = {"title": programme.title, "goal": programme.goal, "owner": programme.owner_id}
    _record(programme, ProgrammeAction.CHANGED, actor, old=old, new=new)


def change_state(programme: SopProgramme, state: str, reason: str, actor: Actor) -> None:
    """Begin, finish, stop or take up a programme. :raises Conflict: when its state was changed meanwhile."""
    require(actor, PROGRAMME_MANAGE)
    if state not in FOLLOWING[programme.state]:
        raise Conflict(_("The programme was changed meanwhile."))
    if state == STOPPED and not reason.strip():
        raise Invalid([("reason", _("Give a reason."))])
    if state == FINISHED:
        left = [step for step in programme.steps if step.finished_on is None]
        if left:
            raise Conflict(_("Steps are still open: %(count)s. Finish them first.", count=len(left)))
    old, programme.state = programme.state, state
    programme.state_reason = reason.strip()[:REASON_LENGTH]
    db.session.flush()
    _event(programme, None, "state", " · ".join(filter(None, (str(word(STATES, state)), reason.strip()))), actor)
    _record(
        programme,
        ProgrammeAction.STATE_CHANGED,
        actor,
        old={"state": old},
        new={"state": state},
        reason=reason.strip(),
    )


def change_step(step: SopProgrammeStep, data: StepInput, actor: Actor) -> int:
    """Give a step other dates, another owner, other words; later steps that are not finished follow.

    :returns: how many later steps got other dates.
    :raises Invalid: for days outside 1 … 250, or a begin before the end of the step before.
    """
    require(actor, PROGRAMME_MANAGE)
    programme = queries.load_programme(step.programme_id)
    _require_live(programme)
    errors = ErrorList()
    _check_person(data.owner_id, errors)
    if len(data.title.strip()) > TITLE_LENGTH:
        errors.add("title", _("At most %(n)s characters.", n=TITLE_LENGTH))
    steps = list(programme.steps)
    index = next(number for number, other in enumerate(steps) if other.id == step.id)
    spans = [plan.Span(other.begins_on, other.ends_on, other.days) for other in steps]
    result = spans
    if (data.begins_on, data.days) != (step.begins_on, step.days):
        try:
            result = plan.moved(spans, index, data.begins_on, data.days, [s.finished_on is not None for s in steps])
        except plan.PlanError as error:
            field = "days" if error.code == "plan.days" else "begins_on"
            errors.add(field, _(plan.MESSAGES[error.code]))
    errors.raise_if_any()
    later = 0
    for number, (other, old, new) in enumerate(zip(steps, spans, result, strict=True)):
        if old == new:
            continue
        other.begins_on, other.ends_on, other.days = new.begins_on, new.ends_on, new.days
        other.reminded_on = None
        later += number != index
    if result[index] != spans[index]:
        _moved(programme, step, spans[index], result[index], later, actor)
    if data.owner_id != step.owner_id:
        _named(programme, step, data.owner_id, actor)
    step.title = data.title.strip()
    db.session.flush()
    return later


def _moved(
    programme: SopProgramme, step: SopProgrammeStep, old: plan.Span, new: plan.Span, later: int, actor: Actor
) -> None:
    detail = f"{old.begins_on} – {old.ends_on} → {new.begins_on} – {new.ends_on}"
    _event(programme, step, "moved", detail, actor)
    _record_step(
        step,
        ProgrammeAction.STEP_MOVED,
        actor,
        old={"begins_on": old.begins_on, "ends_on": old.ends_on},
        new={"begins_on": new.begins_on, "ends_on": new.ends_on, "later_steps": later},
    )


def _named(programme: SopProgramme, step: SopProgrammeStep, owner_id: int | None, actor: Actor) -> None:
    old, step.owner_id = step.owner_id, owner_id
    owner = db.session.get(User, owner_id) if owner_id else None
    _event(programme, step, "owner", owner.name if owner else "—", actor)
    _record_step(step, ProgrammeAction.STEP_CHANGED, actor, old={"owner": old}, new={"owner": owner_id})
    if owner is not None and owner.id != actor.user_id:
        notify(
            [owner.id],
            NOTICE,
            title=message(
                "You are responsible for a step of the introduction “%(programme)s”, until %(until)s",
                programme=programme.title,
                until=step.ends_on,
            ),
            url=path_for("sop.programme", programme_id=programme.id),
            actor=actor,
            about=f"sop_programme_step:{step.id}",
        )


def may_report(step: SopProgrammeStep, actor: Actor) -> bool:
    """Whoever is responsible for the step or leads the programme, and those who manage programmes."""
    own = actor.user_id is not None and actor.user_id in (step.owner_id, step.programme.owner_id)
    return own or can(actor, PROGRAMME_MANAGE)


def refuse_report() -> NoReturn:
    """:raises NotAllowed: always, with the reason."""
    raise NotAllowed(_("Only whoever is responsible for the step reports on it."))


def report_progress(step: SopProgrammeStep, data: ProgressInput, actor: Actor) -> None:
    """Say how far a step is; at 100 percent it is finished (today), below it is open again.

    The first report begins a programme that was only planned.
    :raises NotAllowed: for people who have nothing to do with the step.
    """
    if not may_report(step, actor):
        refuse_report()
    programme = step.programme
    _require_live(programme)
    if not 0 <= data.progress <= 100:
        raise Invalid([("progress", _("Enter a percentage between 0 and 100."))])
    if len(data.note.strip()) > NOTE_LENGTH:
        raise Invalid([("note", _("At most %(n)s characters.", n=NOTE_LENGTH))])
    old, was_finished = step.progress, step.finished_on is not None
    step.progress, step.note = data.progress, data.note.strip()
    step.finished_on = (step.finished_on or clock.today()) if data.progress == 100 else None
    if programme.state == PLANNED and data.progress:
        programme.state = RUNNING
    db.session.flush()
    kind = "finished" if data.progress == 100 and not was_finished else "progress"
    if was_finished and data.progress < 100:
        kind = "reopened"
    _event(programme, step, kind, f"{old}% → {data.progress}%", actor)
    _record_step(step, ProgrammeAction.STEP_CHANGED, actor, old={"progress": old}, new={"progress": data.progress})


def choose_budget(programme: SopProgramme, data: ChoiceInput, actor: Actor) -> SopBudgetChoice:
    """Keep the decision for a mode with its reason and with all modes as they were compared."""
    require(actor, PROGRAMME_MANAGE)
    repeated = db.session.scalars(select(SopBudgetChoice).where(SopBudgetChoice.token == data.token)).first()
    if repeated is not None:
        return repeated  # a double click: the first answer again
    errors = ErrorList()
    reason = data.reason.strip()
    if not reason:
        errors.add("reason", _("Give a reason."))
    if data.mode not in budget.BY_KEY:
        errors.add("mode", _("Choose a mode."))
    offers = priced(data.days, data.fee, errors)
    chosen = next((item for item in offers if item.mode.key == data.mode), None)
    if data.mode == budget.TAILORED and data.fee is None:
        errors.add("fee", _("Enter the fee that was negotiated."))
    errors.raise_if_any()
    assert chosen is not None
    assert chosen.amount is not None
    choice = SopBudgetChoice(
        programme_id=programme.id,
        mode=data.mode,
        days=chosen.days,
        rate=chosen.rate,
        amount=chosen.amount,
        reason=reason[:1000],
        compared=json.dumps([_plain(item) for item in offers]),
        token=data.token[:64],
        chosen_at=clock.now(),
        chosen_by_id=actor.user_id,
    )
    db.session.add(choice)
    db.session.flush()
    _event(programme, None, "budget", f"{data.mode} · {chosen.amount:,.2f}", actor)
    _record(
        programme,
        ProgrammeAction.BUDGET_CHOSEN,
        actor,
        new={"mode": data.mode, "days": chosen.days, "amount": chosen.amount},
        reason=reason,
    )
    return choice


def priced(days: Mapping[str, int | None], fee: Decimal | None, errors: ErrorList) -> list[budget.Offer]:
    """All modes with their amounts; a mode whose days do not fit is noted and shown with its usual days."""
    known, offers = rates(), []
    for mode in budget.MODES:
        try:
            offers.append(budget.offer(mode, days.get(mode.key), known.get(mode.key), fee))
        except budget.BudgetError as error:
            field = "fee" if mode.key == budget.TAILORED else f"days_{mode.key}"
            errors.add(field, _(budget.MESSAGES[error.code], **error.params))
            offers.append(budget.offer(mode, None, known.get(mode.key), None))
    return offers


def _plain(item: budget.Offer) -> dict[str, Any]:
    return {
        "mode": item.mode.key,
        "days": item.days,
        "rate": None if item.rate is None else f"{item.rate:.2f}",
        "amount": None if item.amount is None else f"{item.amount:.2f}",
    }


def _require_live(programme: SopProgramme) -> None:
    if programme.state not in queries.LIVE:
        raise Conflict(_("The programme is not under way; take it up again first."))


def _check_title(title: str, errors: ErrorList) -> None:
    if not title.strip():
        errors.add("title", _("Enter a name."))
    elif len(title.strip()) > TITLE_LENGTH:
        errors.add("title", _("At most %(n)s characters.", n=TITLE_LENGTH))


def _check_person(user_id: int | None, errors: ErrorList) -> None:
    if user_id is None:
        return
    user = db.session.get(User, user_id)
    if user is None or not user.is_active:
        errors.add("owner_id", _("Choose somebody who works here."))


def _event(programme: SopProgramme, step: SopProgrammeStep | None, kind: str, detail: str, actor: Actor) -> None:
    db.session.add(
        SopProgrammeEvent(
            programme_id=programme.id,
            step_id=step.id if step else None,
            kind=kind,
            detail=detail[:1000],
            at=clock.now(),
            by_id=actor.user_id,
        )
    )
    db.session.flush()


def _record(programme: SopProgramme, action: ProgrammeAction, actor: Actor, **fields: Any) -> None:
    record(
        actor,
        action,
        object_type="sop_programme",
        object_id=programme.id,
        object_label=programme.title,
        **fields,
    )


def _record_step(step: SopProgrammeStep, action: ProgrammeAction, actor: Actor, **fields: Any) -> None:
    record(
        actor,
        action,
        object_type="sop_programme_step",
        object_id=step.id,
        object_label=f"{step.programme.title} · {step.position}",
        **fields,
    )
