"""A head's delegations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import ErrorList, Invalid, NotAllowed, NotFound
from portal.core.permissions import require
from portal.core.registry import registry
from portal.core.text import clean_name
from portal.extensions import db
from portal.i18n import _
from portal.org import delegation as rules
from portal.org import queries
from portal.org.actions import Action
from portal.org.actor import Actor
from portal.org.models import ADMINISTRATOR, Delegation, User
from portal.org.permissions import DELEGATE, MANAGE
from portal.org.services.base import locked


@dataclass(frozen=True)
class DelegationInput:
    """A head's delegation. Empty `kinds` and `departments` mean all of his."""

    delegate_id: int | None
    begins_at: datetime | None
    ends_at: datetime | None
    kinds: tuple[str, ...] = ()
    departments: tuple[int, ...] = ()
    reason: str = ""


def create_delegation(data: DelegationInput, actor: Actor) -> Delegation:
    """A head names a delegate (R-ORG-2). :raises Invalid: for each broken rule of `portal.org.delegation`."""
    require(actor, DELEGATE)
    if actor.user_id is None:
        raise NotAllowed()
    delegator = locked(User, actor.user_id)
    errors = ErrorList()
    now = clock.now()
    delegate = db.session.get(User, data.delegate_id) if data.delegate_id else None
    if delegate is None or not delegate.is_active:
        errors.add("delegate_id", _("Choose somebody who works here."))
    elif delegate.id == delegator.id or (delegator.person_key and delegator.person_key == delegate.person_key):
        errors.add("delegate_id", _("Nobody can be his own delegate."))
    if data.begins_at is None:
        errors.add("begins_at", _("Say when it begins."))
    if data.ends_at is None:
        errors.add("ends_at", _("Say when it ends."))
    if data.begins_at is not None and data.ends_at is not None:
        if data.ends_at <= data.begins_at:
            errors.add("ends_at", _("The end is before the beginning."))
        elif data.ends_at <= now:
            errors.add("ends_at", _("This is in the past."))
        elif data.ends_at - data.begins_at > rules.LONGEST:
            errors.add("ends_at", _("A delegation lasts at most a year."))
    if not clean_name(data.reason):
        errors.add("reason", _("Say why."))
    elif len(clean_name(data.reason)) > 500:
        errors.add("reason", _("At most %(count)s characters.", count=500))
    scope = rules.Scope(frozenset(data.kinds) or None, frozenset(data.departments) or None)
    known_kinds = {kind.key for kind in registry("approval_kinds")}
    if scope.kinds is not None and not scope.kinds <= known_kinds:
        errors.add("kinds", _("Choose among the kinds of approval."))
    if not rules.within_authority(scope, known_kinds | (scope.kinds or frozenset()), actor.oversees):
        errors.add("departments", _("You can only delegate for departments that you head."))
    errors.raise_if_any()
    if delegate is None or data.begins_at is None or data.ends_at is None:  # for the type checker: refused above
        raise Invalid([("", "")])
    new = rules.Grant(0, delegator.id, delegate.id, max(data.begins_at, now), data.ends_at, scope)
    _check_grant(new)
    kinds, departments = rules.scope_to_text(scope)
    delegation = Delegation(
        delegator_id=delegator.id,
        delegate_id=delegate.id,
        begins_at=new.begins_at,
        ends_at=new.ends_at,
        kinds=kinds,
        departments=departments,
        reason=clean_name(data.reason),
        created_at=now,
        created_by_id=delegator.id,
    )
    db.session.add(delegation)
    db.session.flush()
    record(
        actor,
        Action.DELEGATION_CREATE,
        object_type="delegation",
        object_id=delegation.id,
        object_label=delegate.name,
        new={
            "delegate_id": delegate.id,
            "begins_at": new.begins_at,
            "ends_at": new.ends_at,
            "kinds": kinds,
            "departments": departments,
        },
        reason=delegation.reason,
    )
    return delegation


def _check_grant(new: rules.Grant) -> None:
    """No second delegate for one scope, no circle. Delegations are serialised: two at once could make a circle."""
    db.session.execute(
        select(Delegation.id)
        .where(Delegation.revoked_at.is_(None), Delegation.ends_at > new.begins_at)
        .order_by(Delegation.id)
        .with_for_update()
    )
    existing = queries.grants(Delegation.ends_at > new.begins_at, Delegation.begins_at < new.ends_at)
    other = rules.first_overlap(new, existing)
    if other is not None:
        name = queries.names_of([other.delegate_id]).get(other.delegate_id, "")
        raise Invalid(
            [
                (
                    "begins_at",
                    _(
                        "From %(begins)s to %(ends)s %(name)s is your delegate for some of this already.",
                        begins=f"{clock.local(other.begins_at):%Y-%m-%d %H:%M}",
                        ends=f"{clock.local(other.ends_at):%Y-%m-%d %H:%M}",
                        name=name,
                    ),
                )
            ]
        )
    if rules.closes_circle(new, existing):
        raise Invalid(
            [("delegate_id", _("This person has delegated to you in the same period, directly or through others."))]
        )


def revoke_delegation(delegation_id: int, actor: Actor) -> Delegation:
    """End a delegation at once. The delegator may, the delegate may give it back, administrators may.

    :raises NotFound: for everybody else's eyes it does not exist.
    """
    delegation = locked(Delegation, delegation_id)
    if actor.user_id not in {delegation.delegator_id, delegation.delegate_id}:
        if ADMINISTRATOR not in actor.roles:
            raise NotFound()
        require(actor, MANAGE)
    if delegation.revoked_at is None:
        delegation.revoked_at, delegation.revoked_by_id = clock.now(), actor.user_id
        db.session.flush()
        record(
            actor,
            Action.DELEGATION_REVOKE,
            object_type="delegation",
            object_id=delegation.id,
            object_label=delegation.delegate.name,
        )
    return delegation
