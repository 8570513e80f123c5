"""Changes to the targets of sales people."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy import select

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.opportunities.models import SOURCES, SalesTarget
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Invalid, NotAllowed
from portal.core.money import LIMIT
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User


def set_targets(user_id: int, year: int, amounts: Mapping[str, Decimal | None], actor: Actor) -> None:
    """Set what a person is to sell in a year; None takes a target away.

    :param amounts: source ("" for the whole year) → yuan.
    :raises NotAllowed: for people outside the departments the actor oversees, unless he is an executive.
    """
    user = db.session.get(User, user_id)
    if user is None or not user.is_active:
        raise Invalid([("user_id", _("Choose somebody who works here."))])
    if not may_set_targets(actor, user):
        raise NotAllowed(_("Targets are set by the head of the department or an executive."))
    checker = Checker()
    for source, amount in amounts.items():
        if source not in ("", *SOURCES):
            checker.add("", _("Choose one of the list."))
        elif amount is not None and not 0 <= amount <= LIMIT:
            checker.add(source or "total", _("The amount is too large.") if amount > 0 else _("Not below zero."))
    if not 2000 <= year <= 2100:
        checker.add("year", _("Enter a year such as 2026."))
    checker.done()
    present = {
        row.source: row
        for row in db.session.scalars(
            select(SalesTarget).where(SalesTarget.user_id == user.id, SalesTarget.year == year).with_for_update()
        )
    }
    old = {source: row.amount for source, row in present.items()}
    for source, amount in amounts.items():
        row = present.get(source)
        if amount is None:
            if row is not None:
                db.session.delete(row)
            continue
        if row is None:
            row = SalesTarget(user_id=user.id, year=year, source=source)
            db.session.add(row)
        row.amount, row.set_by_id, row.updated_at = amount, actor.user_id, clock.now()
    db.session.flush()
    record(
        actor,
        KeyAccountAction.TARGETS_SET,
        object_type="user",
        object_id=user.id,
        object_label=user.name,
        old={f"{year} {source}".strip(): amount for source, amount in old.items()},
        new={f"{year} {source}".strip(): amount for source, amount in amounts.items() if amount is not None},
    )


def may_set_targets(actor: Actor, user: User) -> bool:
    """Whether the actor sets the targets of a person."""
    return "executive" in actor.roles or user.department_id in actor.oversees or actor.is_system
