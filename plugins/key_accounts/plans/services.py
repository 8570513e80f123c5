"""Changes to account plans: begin, change, write sections, set targets, put away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.plans import queries
from plugins.key_accounts.plans.base import lock_plan, record_plan, touch_plan
from plugins.key_accounts.plans.models import ARCHIVED, PHASES, AccountPlan, PlanSection, PlanTarget
from plugins.key_accounts.plans.prefill import first_words
from plugins.key_accounts.plans.vocabulary import SECTIONS
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.money import LIMIT
from portal.core.permissions import require
from portal.customers.models import Customer
from portal.customers.permissions import EDIT
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

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
    record_plan(
        plan, KeyAccountAction.PLAN_CREATED, actor, new={"title": title, "first_year": first_year, "years": years}
    )
    return plan


def change_plan(
    plan_id: int, title: str, first_year: int, years: int, invested: Decimal, actor: Actor, version: int | None = None
) -> AccountPlan:
    """Change title, years and what was invested."""
    plan = lock_plan(plan_id, actor, version)
    checker = Checker()
    title = checker.line("title", title, 200, required=_("Give the plan a title."))
    _check_years(first_year, years, checker)
    if not 0 <= invested <= LIMIT:
        checker.add("invested", _("Not below zero."))
    checker.done()
    before = {name: getattr(plan, name) for name in ("title", "first_year", "years", "invested")}
    plan.title, plan.first_year, plan.years, plan.invested = title, first_year, years, invested
    touch_plan(plan)
    after = {name: getattr(plan, name) for name in before}
    record_plan(plan, KeyAccountAction.PLAN_CHANGED, actor, old=before, new=after)
    return plan


def set_phase(plan_id: int, phase: str, actor: Actor) -> AccountPlan:
    """Go on to another of the four phases (or back)."""
    plan = lock_plan(plan_id, actor, None, content=False)
    if phase not in PHASES:
        raise Invalid([("phase", _("Choose one of the list."))])
    old, plan.phase = plan.phase, phase
    plan.updated_at = clock.now()
    db.session.flush()
    record_plan(plan, KeyAccountAction.PLAN_PHASE, actor, old={"phase": old}, new={"phase": phase})
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
    plan = lock_plan(plan_id, actor, None)
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
    touch_plan(plan)
    if not goes_on:
        record_plan(plan, KeyAccountAction.PLAN_SECTION, actor, new={"section": key, "length": len(body)})
    return row


def set_targets(plan_id: int, values: Mapping[str, Mapping[int, Decimal | None]], actor: Actor) -> None:
    """Set all targets: measure → year → value; what is missing is taken away."""
    plan = lock_plan(plan_id, actor, None)
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
    touch_plan(plan)
    after = {f"{name} {year}": value for (name, year), value in wanted.items()}
    record_plan(plan, KeyAccountAction.PLAN_TARGETS, actor, old=before, new=after)


def archive_plan(plan_id: int, actor: Actor) -> AccountPlan:
    """Put a plan away; it stays readable, and a new one may begin."""
    plan = lock_plan(plan_id, actor, None)
    old, plan.state = plan.state, ARCHIVED
    plan.live, plan.updated_at = plan.id + 1, clock.now()
    db.session.flush()
    record_plan(plan, KeyAccountAction.PLAN_ARCHIVED, actor, old={"state": old}, new={"state": ARCHIVED})
    return plan


# ---- inside --------------------------------------------------------------------------------------------------------


def _check_years(first_year: int, years: int, checker: Checker) -> None:
    if not 2000 <= first_year <= 2100:
        checker.add("first_year", _("Enter a year such as 2026."))
    if years not in (1, 2, 3):
        checker.add("years", _("One to three years."))


def _targets(plan_id: int) -> list[PlanTarget]:
    return list(db.session.scalars(select(PlanTarget).where(PlanTarget.plan_id == plan_id)))
