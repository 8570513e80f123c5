"""Checklist runs of the demo company: a year of them, many under way, some late, some that start themselves."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from plugins.sop.manuals.content import RunTemplate
from plugins.sop.manuals.models import PUBLISHED, ManualVersion, Procedure, VersionProcedure
from plugins.sop.manuals.queries import revision_for_run
from plugins.sop.runs import rules, scheduling
from plugins.sop.runs.models import (
    BY_ACCOUNT_MANAGER,
    CANCELLED,
    DONE,
    MONTHLY,
    OPEN,
    STEP_DONE,
    STEP_OPEN,
    STEP_SKIPPED,
    WEEKLY,
    SopRun,
    SopRunEvent,
    SopRunStep,
)
from plugins.sop.runs.scheduling import ScheduleInput
from plugins.sop.runs.services import NUMBER_PREFIX
from portal.core import clock
from portal.core.calendar import add_working_days
from portal.customers.models import Customer
from portal.documents.services import take_number
from portal.extensions import db
from portal.org.actor import Actor, load_actor
from portal.org.models import User, UserRole

RUNS = 260
DAYS_BACK = 330
NOTES = ("资料齐全", "已当面确认", "已抄送相关部门", "原件已归档", "核对无误", "主管已阅")
SKIPS = ("老客户，资料已在册", "本次不涉及", "客户未要求")
CANCELS = ("客户取消订单", "重复发起", "改由经销商办理")


def load(_actor: Actor) -> None:
    """Fill the demo company (inside its transaction)."""
    today = clock.today()
    draw = random.Random(20260105)
    held = db.session.execute(
        select(
            VersionProcedure.procedure_id,
            VersionProcedure.version_id,
            ManualVersion.effective_from,
            ManualVersion.effective_until,
        )
        .join(ManualVersion, ManualVersion.id == VersionProcedure.version_id)
        .join(Procedure, Procedure.id == VersionProcedure.procedure_id)
        .where(ManualVersion.state == PUBLISHED, ManualVersion.effective_from <= today)
        .order_by(Procedure.code, ManualVersion.effective_from)
    ).all()
    texts: dict[int, RunTemplate] = {}
    versions: dict[int, list[Any]] = {}
    for row in held:
        versions.setdefault(row.procedure_id, []).append(row)
    current = [key for key, rows in versions.items() if rows[-1].effective_until is None]
    customers = _customers()
    people = _people()
    if not current or not people:
        return
    # Some procedures are daily work, others are rare.
    draw.shuffle(current)
    for number in range(RUNS):
        procedure_id = current[min(int(draw.expovariate(0.25)), len(current) - 1)]
        back = int(DAYS_BACK * draw.random() ** 1.6)
        first = versions[procedure_id][0].effective_from
        starts_on = add_working_days(max(today - timedelta(days=back), first), 0)
        if starts_on > today:
            starts_on = add_working_days(today, -1)
        template = _text(versions[procedure_id], starts_on, texts)
        if not template.steps:
            continue
        customer = customers[draw.randrange(len(customers))] if customers and draw.random() < 0.7 else None
        owner = people.get(customer.account_manager_id) if customer else None
        if owner is None:
            owner = people[sorted(people)[draw.randrange(len(people))]]
        _run(template, starts_on, customer.id if customer else None, owner, people, draw, today, number)
    db.session.flush()
    _schedules(current, today)


def _text(rows: list[Any], day: date, texts: dict[int, RunTemplate]) -> RunTemplate:
    """The text of a procedure that held on a day, else the first there was."""
    fitting = [row for row in rows if row.effective_from <= day] or rows[:1]
    found = fitting[-1]
    key = found.version_id * 1_000_000 + found.procedure_id
    if key not in texts:
        texts[key] = revision_for_run(found.version_id, found.procedure_id)
    return texts[key]


def _customers() -> list[Any]:
    statement = (
        select(Customer.id, Customer.account_manager_id)
        .where(Customer.account_manager_id.is_not(None), Customer.total_12m > 0)
        .order_by(Customer.total_12m.desc(), Customer.id)
        .limit(80)
    )
    return list(db.session.execute(statement))


def _people() -> dict[int, Any]:
    """Account managers and those who serve customers."""
    statement = (
        select(User.id, User.department_id, User.name)
        .outerjoin(UserRole, UserRole.user_id == User.id)
        .where(User.is_active, (UserRole.role == "account_manager") | User.login.in_(("fujie", "caoyan", "yuqing")))
        .order_by(User.id)
    )
    return {row.id: row for row in db.session.execute(statement)}


def _at(day: date, hour: int) -> datetime:
    return clock.day_bounds(day)[0] + timedelta(hours=hour, minutes=(hour * 17) % 60)


def _run(
    template: RunTemplate,
    starts_on: date,
    customer_id: int | None,
    owner: Any,
    people: dict[int, Any],
    draw: random.Random,
    today: date,
    number: int,
) -> None:
    steps = [step for step in template.steps if step.is_check] or list(template.steps)
    dates = rules.due_days(starts_on, steps)
    due_on = max((day for day in dates if day is not None), default=None)
    age = (today - starts_on).days
    fate = draw.random()
    cancelled = fate > 0.955 and age > 5
    # Who is quick and who is slow stays the same, so that the figures say something.
    slowness = (owner.id % 5) * 0.05
    finishes = not cancelled and age > 12 and draw.random() > 0.1
    count = len(steps) if finishes else draw.randrange(len(steps)) if age else 0
    closing = due_on or starts_on + timedelta(days=7)
    late = draw.random() < 0.12 + slowness
    end = closing + timedelta(days=draw.randrange(1, 6)) if late else max(starts_on, closing - timedelta(days=1))
    end = min(end, today - timedelta(days=1)) if age else today
    end = max(end, starts_on)
    state = CANCELLED if cancelled else DONE if finishes else OPEN
    run = SopRun(
        number=take_number(NUMBER_PREFIX, starts_on.year),
        procedure_id=template.procedure_id,
        revision_id=template.revision_id,
        version_id=template.version_id,
        customer_id=customer_id,
        department_id=owner.department_id,
        owner_id=owner.id,
        started_by_id=owner.id,
        started_at=_at(starts_on, 9),
        starts_on=starts_on,
        due_on=due_on,
        state=state,
        closed_at=_at(end, 17) if state != OPEN else None,
        closed_on=end if state != OPEN else None,
        closed_by_id=owner.id if state != OPEN else None,
        reason=CANCELS[number % len(CANCELS)] if cancelled else "",
        steps_total=len(steps),
        steps_closed=count,
        token=f"demo-run-{number}",
    )
    db.session.add(run)
    db.session.flush()
    events = [_event(run.id, None, "started", f"{template.code} {template.title}", _at(starts_on, 9), owner.id)]
    rows = []
    span = max((end - starts_on).days, 0)
    latest = starts_on
    colleagues = [key for key, row in people.items() if row.department_id == owner.department_id and key != owner.id]
    for index, (step, day) in enumerate(zip(steps, dates, strict=True)):
        closed = index < count
        on = starts_on + timedelta(days=span * (index + 1) // len(steps))
        if day is not None and day < on and draw.random() > 0.1 + slowness:
            on = day  # most steps are done in time, even where the run as a whole is late
        on = latest = max(on, latest)  # one after the other
        skipped = closed and not step.is_stop and draw.random() < 0.06
        note = SKIPS[draw.randrange(3)] if skipped else NOTES[draw.randrange(6)] if draw.random() < 0.2 else ""
        given = colleagues[draw.randrange(len(colleagues))] if colleagues and draw.random() < 0.15 else None
        rows.append(
            {
                "run_id": run.id,
                "step_id": step.step_id,
                "position": step.number,
                "is_stop": step.is_stop,
                "state": (STEP_SKIPPED if skipped else STEP_DONE) if closed else STEP_OPEN,
                "closed_at": _at(on, 10 + min(index, 6)) if closed else None,
                "closed_on": on if closed else None,
                "closed_by_id": (given or owner.id) if closed else None,
                "note": note if closed else "",
                "assignee_id": given,
                "due_on": day,
            }
        )
        if closed:
            kind = "skipped" if skipped else "ticked"
            events.append(_event(run.id, step.number, kind, note, _at(on, 10 + min(index, 6)), given or owner.id))
    if state != OPEN:
        kind = "completed" if state == DONE else "cancelled"
        events.append(_event(run.id, None, kind, run.reason, _at(end, 17), owner.id))
    db.session.execute(insert(SopRunStep), rows)
    db.session.execute(insert(SopRunEvent), events)


def _event(run_id: int, position: int | None, kind: str, text: str, at: datetime, by_id: int) -> dict[str, Any]:
    return {"run_id": run_id, "position": position, "kind": kind, "text": text, "at": at, "by_id": by_id}


def _schedules(procedure_ids: list[int], today: date) -> None:
    """A weekly and a monthly one, and one for each new customer."""
    caoyan = db.session.scalar(select(User.id).where(User.login == "caoyan"))
    if caoyan is None:
        return
    actor = load_actor(caoyan)
    first, second, third = (procedure_ids * 3)[:3]
    for data in (
        ScheduleInput(second, today, frequency=WEEKLY, weekday=1, owner_id=caoyan, due_days=2),
        ScheduleInput(third, today, frequency=MONTHLY, day=25, owner_id=caoyan, due_days=5),
        ScheduleInput(
            first, today, occasion="customers.created", responsible=BY_ACCOUNT_MANAGER, owner_id=caoyan, due_days=10
        ),
    ):
        scheduling.save_schedule(None, data, actor)
