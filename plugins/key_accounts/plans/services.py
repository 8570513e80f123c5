"""Changes to account plans."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.plans import queries
from plugins.key_accounts.plans.models import (
    APPROVED,
    ARCHIVED,
    DONE,
    DRAFT,
    DROPPED,
    OPEN,
    PHASES,
    SUBMITTED,
    AccountPlan,
    PlanAction,
    PlanReview,
    PlanSection,
    PlanTarget,
    PlanVersion,
)
from plugins.key_accounts.plans.prefill import first_words
from plugins.key_accounts.plans.vocabulary import SECTIONS
from portal.approvals.models import ApprovalRequest
from portal.approvals.services import file_request
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.money import LIMIT
from portal.core.permissions import can, require
from portal.customers.models import Customer
from portal.customers.permissions import EDIT, VIEW
from portal.customers.services.common import label_of
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User

KIND = "key_accounts.plan"
SECTION_LENGTH = 8000
#: A text that is saved while somebody writes is one entry of the trail for so long.
AUTOSAVE_PAUSE = timedelta(minutes=10)
MOST_MEASURES = 8


def create_plan(customer_id: int, title: str, first_year: int, years: int, actor: Actor) -> AccountPlan:
    """Begin a plan; its sections are filled from what is known. :raises Conflict: there is a live one already."""
    customer = db.session.get(Customer, customer_id, with_for_update=True)
    if customer is None:
        raise NotFound()
    require(actor, EDIT, customer)
    if queries.live_plan(customer.id) is not None:
        raise Conflict(_("This customer has a plan already. Put it away before you begin another one."))
    checker = Checker()
    title = checker.line("title", title, 200) or _("Account plan %(year)s", year=first_year)
    _check_years(first_year, years, checker)
    checker.done()
    now = clock.now()
    plan = AccountPlan(
        customer_id=customer.id,
        title=title,
        first_year=first_year,
        years=years,
        live=1,
        created_at=now,
        created_by_id=actor.user_id,
        updated_at=now,
    )
    db.session.add(plan)
    db.session.flush()
    for key, body in first_words(customer).items():
        if body:
            db.session.add(
                PlanSection(plan_id=plan.id, key=key, body=body, updated_at=now, updated_by_id=actor.user_id)
            )
    db.session.flush()
    _record(plan, KeyAccountAction.PLAN_CREATED, actor, new={"title": title, "first_year": first_year, "years": years})
    return plan


def change_plan(
    plan_id: int, title: str, first_year: int, years: int, invested: Decimal, actor: Actor, version: int | None = None
) -> AccountPlan:
    """Change title, years and what was invested."""
    plan = _locked(plan_id, actor, version)
    checker = Checker()
    title = checker.line("title", title, 200, required=_("Give the plan a title."))
    _check_years(first_year, years, checker)
    if not 0 <= invested <= LIMIT:
        checker.add("invested", _("Not below zero."))
    checker.done()
    before = {name: getattr(plan, name) for name in ("title", "first_year", "years", "invested")}
    plan.title, plan.first_year, plan.years, plan.invested = title, first_year, years, invested
    _touched(plan)
    after = {name: getattr(plan, name) for name in before}
    _record(plan, KeyAccountAction.PLAN_CHANGED, actor, old=before, new=after)
    return plan


def set_phase(plan_id: int, phase: str, actor: Actor) -> AccountPlan:
    """Go on to another of the four phases (or back)."""
    plan = _locked(plan_id, actor, None, content=False)
    if phase not in PHASES:
        raise Invalid([("phase", _("Choose one of the list."))])
    old, plan.phase = plan.phase, phase
    plan.updated_at = clock.now()
    db.session.flush()
    _record(plan, KeyAccountAction.PLAN_PHASE, actor, old={"phase": old}, new={"phase": phase})
    return plan


def save_section(
    plan_id: int, key: str, body: str, seen: int | None, actor: Actor, by_itself: bool = False
) -> PlanSection:
    """Keep the text of a section.

    :param seen: version the writer saw, 0 for a section that was empty; None does not ask.
    :param by_itself: saved by the page while somebody writes: the trail gets one entry in so many minutes
        (`AUTOSAVE_PAUSE`), not one for each pause.
    :raises Conflict: somebody saved meanwhile; `details` carry his text ("theirs") and its version.
    """
    plan = _locked(plan_id, actor, None)
    if key not in SECTIONS:
        raise NotFound()
    checker = Checker()
    body = checker.text("body", body, SECTION_LENGTH)
    checker.done()
    row = db.session.scalars(
        select(PlanSection).where(PlanSection.plan_id == plan.id, PlanSection.key == key).with_for_update()
    ).first()
    present = row.version if row else 0
    if seen is not None and seen != present and (row is None or row.body != body):
        by = row.updated_by.name if row and row.updated_by else ""
        raise Conflict(
            _("%(name)s saved another text meanwhile.", name=by) if by else _("Another text was saved meanwhile."),
            theirs=row.body if row else "",
            version=present,
        )
    if row is None:
        row = PlanSection(plan_id=plan.id, key=key, body="", updated_at=clock.now())
        db.session.add(row)
    elif row.body == body:
        return row
    goes_on = by_itself and row.updated_by_id == actor.user_id and clock.now() - row.updated_at < AUTOSAVE_PAUSE
    row.body, row.updated_by_id = body, actor.user_id
    if not goes_on:
        row.updated_at = clock.now()
    _touched(plan)
    if not goes_on:
        _record(plan, KeyAccountAction.PLAN_SECTION, actor, new={"section": key, "length": len(body)})
    return row


def set_targets(plan_id: int, values: Mapping[str, Mapping[int, Decimal | None]], actor: Actor) -> None:
    """Set all targets: measure → year → value; what is missing is taken away."""
    plan = _locked(plan_id, actor, None)
    checker = Checker()
    allowed = range(plan.first_year, plan.first_year + plan.years)
    wanted: dict[tuple[str, int], Decimal] = {}
    for measure, by_year in values.items():
        name = checker.line("measures", measure, 60)
        for year, value in by_year.items():
            if value is None or not name:
                continue
            if year not in allowed or abs(value) > LIMIT:
                checker.add("measures", _("The amount is too large."))
            wanted[(name, year)] = value
    if len({name for name, _year in wanted}) > MOST_MEASURES:
        checker.add("measures", _("At most %(n)s measures.", n=MOST_MEASURES))
    checker.done()
    before = {f"{row.measure} {row.year}": row.value for row in _targets(plan.id)}
    for row in _targets(plan.id):
        db.session.delete(row)
    db.session.flush()
    for (name, year), value in wanted.items():
        db.session.add(PlanTarget(plan_id=plan.id, measure=name, year=year, value=value))
    _touched(plan)
    after = {f"{name} {year}": value for (name, year), value in wanted.items()}
    _record(plan, KeyAccountAction.PLAN_TARGETS, actor, old=before, new=after)


def save_action(
    plan_id: int, action_id: int | None, task: str, owner_id: int | None, due_on: date | None, actor: Actor
) -> PlanAction:
    """Add an action, or change an open one."""
    plan = _locked(plan_id, actor, None, content=False)
    action = None
    if action_id is not None:
        action = db.session.get(PlanAction, action_id, with_for_update=True, populate_existing=True)
        if action is None or action.plan_id != plan.id:
            raise NotFound()
        if action.state != OPEN:
            raise Conflict(_("This action is finished."))
    checker = Checker()
    task = checker.line("task", task, 300, required=_("Say what is to be done."))
    due_on = checker.day("due_on", due_on)
    if due_on is None:
        checker.add("due_on", _("Say until when."))
    owner = db.session.get(User, owner_id) if owner_id else None
    if owner is None or not owner.is_active:
        checker.add("owner_id", _("Choose somebody who works here."))
    elif not can(_as_reader(owner), VIEW, plan.customer_id):
        checker.add(
            "owner_id",
            _("%(name)s does not see this customer. Take the person into the account team first.", name=owner.name),
        )
    checker.done()
    assert due_on is not None
    if action is None:
        action = PlanAction(plan_id=plan.id, state=OPEN, created_at=clock.now())
        db.session.add(action)
    action.task, action.owner_id, action.due_on = task, owner_id, due_on
    plan.updated_at = clock.now()
    db.session.flush()
    _record(plan, KeyAccountAction.PLAN_ACTION, actor, new={"task": task, "due_on": due_on, "owner_id": owner_id})
    return action


def finish_action(action_id: int, state: str, result: str, actor: Actor) -> PlanAction:
    """An action is done, dropped or open again: by its owner, or by who may change the customer."""
    action = db.session.get(PlanAction, action_id, with_for_update=True, populate_existing=True)
    plan = db.session.get(AccountPlan, action.plan_id) if action else None
    if action is None or plan is None or not can(actor, VIEW, plan.customer_id):
        raise NotFound()
    if action.owner_id != actor.user_id and not can(actor, EDIT, plan.customer_id):
        raise NotAllowed(_("An action is finished by its owner or by the account manager."))
    if plan.state == ARCHIVED:
        raise Conflict(_("This plan was put away."))
    checker = Checker()
    if state not in (OPEN, DONE, DROPPED):
        checker.add("state", _("Choose one of the list."))
    result = checker.text("result", result, 500, required=_("Give a reason.") if state == DROPPED else None)
    checker.done()
    old, action.state, action.result = action.state, state, result
    action.finished_at = None if state == OPEN else clock.now()
    plan.updated_at = clock.now()
    db.session.flush()
    _record(
        plan,
        KeyAccountAction.PLAN_ACTION,
        actor,
        old={"state": old},
        new={"state": state, "task": action.task},
        reason=result,
    )
    return action


def save_review(
    plan_id: int, review_id: int | None, due_on: date | None, held_on: date | None, result: str, actor: Actor
) -> PlanReview:
    """Add or change a review date; a review that was held says what came of it."""
    plan = _locked(plan_id, actor, None, content=False)
    review = None
    if review_id is not None:
        review = db.session.get(PlanReview, review_id, with_for_update=True)
        if review is None or review.plan_id != plan.id:
            raise NotFound()
    checker = Checker()
    due_on = checker.day("due_on", due_on)
    if due_on is None:
        checker.add("due_on", _("Say until when."))
    held_on = checker.day("held_on", held_on, not_after_today=True)
    result = checker.text("result", result, 2000, required=_("Say what came of it.") if held_on else None)
    checker.done()
    assert due_on is not None
    if review is None:
        review = PlanReview(plan_id=plan.id)
        db.session.add(review)
    review.due_on, review.held_on, review.result = due_on, held_on, result
    db.session.flush()
    _record(plan, KeyAccountAction.PLAN_REVIEW, actor, new={"due_on": due_on, "held_on": held_on})
    return review


def keep_version(plan_id: int, actor: Actor) -> PlanVersion:
    """Keep the plan as it is now."""
    plan = _locked(plan_id, actor, None, content=False)
    version = _keep(plan, "kept", actor)
    _record(plan, KeyAccountAction.PLAN_KEPT, actor, new={"number": version.number})
    return version


def archive_plan(plan_id: int, actor: Actor) -> AccountPlan:
    """Put a plan away; it stays readable, and a new one may begin."""
    plan = _locked(plan_id, actor, None)
    old, plan.state = plan.state, ARCHIVED
    plan.live, plan.updated_at = plan.id + 1, clock.now()
    db.session.flush()
    _record(plan, KeyAccountAction.PLAN_ARCHIVED, actor, old={"state": old}, new={"state": ARCHIVED})
    return plan


# ---- approval ------------------------------------------------------------------------------------------------------


def submit_plan(plan_id: int, token: str, actor: Actor) -> ApprovalRequest:
    """File the plan with the head of the owning department; until he decides it does not change.

    :raises Invalid: an empty plan: at least priorities or direction, and one action or target, must be there.
    """
    plan = _locked(plan_id, actor, None)
    sections = queries.sections_of(plan.id)
    missing = []
    if not any(key in sections and sections[key].body for key in ("priorities", "direction")):
        missing.append(_("Write the priorities or the direction first."))
    if not queries.actions_of(plan.id) and not queries.targets_of(plan.id):
        missing.append(_("Name at least one action or one target."))
    if missing:
        raise Invalid([("", text) for text in missing])
    version = _keep(plan, "submitted", actor)
    customer = db.session.get_one(Customer, plan.customer_id)
    request = file_request(
        KIND,
        actor,
        subject_type="key_accounts_plan",
        subject_id=plan.id,
        title=_("Account plan: %(customer)s", customer=customer.name),
        payload={"plan": plan.id, "version": version.id},
        department_id=customer.department_id,
        customer_id=customer.id,
        token=token,
        scope=f"plan:{plan.id}",
    )
    plan.state, plan.request_id = SUBMITTED, request.id
    db.session.flush()
    _record(plan, KeyAccountAction.PLAN_SUBMITTED, actor, new={"version": version.number, "request": request.id})
    return request


def settle(plan_id: int, approved: bool, actor: Actor) -> None:
    """The head decided, or the request ended otherwise."""
    plan = db.session.get(AccountPlan, plan_id, with_for_update=True, populate_existing=True)
    if plan is None or plan.state != SUBMITTED:
        return
    plan.state = APPROVED if approved else DRAFT
    plan.updated_at = clock.now()
    db.session.flush()
    if approved:
        _keep(plan, "approved", actor)
    _record(plan, KeyAccountAction.PLAN_DECIDED, actor, old={"state": SUBMITTED}, new={"state": plan.state})


def snapshot(plan: AccountPlan) -> dict[str, Any]:
    """The whole plan as primitives."""
    return {
        "title": plan.title,
        "first_year": plan.first_year,
        "years": plan.years,
        "phase": plan.phase,
        "invested": str(plan.invested),
        "sections": {key: row.body for key, row in queries.sections_of(plan.id).items() if row.body},
        "targets": {
            measure: {str(year): str(value) for year, value in by_year.items()}
            for measure, by_year in queries.targets_of(plan.id).items()
        },
        "actions": [
            {
                "task": row.task,
                "owner": row.owner.name if row.owner else "",
                "due_on": row.due_on.isoformat(),
                "state": row.state,
                "result": row.result,
            }
            for row in queries.actions_of(plan.id)
        ],
        "reviews": [
            {
                "due_on": row.due_on.isoformat(),
                "held_on": row.held_on.isoformat() if row.held_on else "",
                "result": row.result,
            }
            for row in queries.reviews_of(plan.id)
        ],
    }


def hand_over(user: User, successor: User | None, actor: Actor) -> None:
    """Somebody left: his open actions go to the successor, or have no owner until the account manager names one."""
    rows = db.session.scalars(
        select(PlanAction)
        .join(AccountPlan, AccountPlan.id == PlanAction.plan_id)
        .where(PlanAction.owner_id == user.id, PlanAction.state == OPEN, AccountPlan.live == 1)
        .order_by(PlanAction.id)
    )
    for action in list(rows):
        action.owner_id = successor.id if successor else None
        db.session.flush()
        _record(
            action.plan,
            KeyAccountAction.PLAN_ACTION,
            actor,
            old={"owner_id": user.id},
            new={"owner_id": action.owner_id, "task": action.task},
        )


# ---- inside --------------------------------------------------------------------------------------------------------


def _locked(plan_id: int, actor: Actor, version: int | None, content: bool = True) -> AccountPlan:
    """:param content: what an approver reads is to be changed; not while he has it before him."""
    plan = db.session.get(AccountPlan, plan_id, with_for_update=True, populate_existing=True)
    if plan is None or not can(actor, VIEW, plan.customer_id):
        raise NotFound()
    require(actor, EDIT, plan.customer_id)
    if plan.state == ARCHIVED:
        raise Conflict(_("This plan was put away."))
    if content and plan.state == SUBMITTED:
        raise Conflict(_("The plan waits for a decision; withdraw the request to change it."))
    if version is not None and plan.version != version:
        raise Conflict(_("Somebody else changed this in the meantime."), version=plan.version)
    return plan


def _touched(plan: AccountPlan) -> None:
    """What was approved is no longer what is written."""
    plan.updated_at = clock.now()
    if plan.state == APPROVED:
        plan.state = DRAFT
    db.session.flush()


def _check_years(first_year: int, years: int, checker: Checker) -> None:
    if not 2000 <= first_year <= 2100:
        checker.add("first_year", _("Enter a year such as 2026."))
    if years not in (1, 2, 3):
        checker.add("years", _("One to three years."))


def _targets(plan_id: int) -> list[PlanTarget]:
    return list(db.session.scalars(select(PlanTarget).where(PlanTarget.plan_id == plan_id)))


def _as_reader(user: User) -> Any:
    from portal.org.actor import actor_from_user

    return actor_from_user(user)


def _keep(plan: AccountPlan, occasion: str, actor: Actor) -> PlanVersion:
    last = db.session.scalar(select(func.max(PlanVersion.number)).where(PlanVersion.plan_id == plan.id)) or 0
    version = PlanVersion(
        plan_id=plan.id,
        number=last + 1,
        occasion=occasion,
        content=json.dumps(snapshot(plan), ensure_ascii=False, sort_keys=True),
        made_at=clock.now(),
        made_by_id=actor.user_id,
    )
    db.session.add(version)
    db.session.flush()
    return version


def _record(
    plan: AccountPlan,
    action: KeyAccountAction,
    actor: Actor,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    reason: str = "",
) -> None:
    record(
        actor,
        action,
        object_type="key_accounts_plan",
        object_id=plan.id,
        object_label=label_of(db.session.get_one(Customer, plan.customer_id)),
        customer_id=plan.customer_id,
        old=old,
        new=new,
        reason=reason,
    )
