"""Leaving and coming back (R-ORG-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, Invalid
from portal.core.text import clean_name
from portal.extensions import db
from portal.i18n import _
from portal.org import queries
from portal.org.actions import Action
from portal.org.actor import Actor
from portal.org.models import ADMINISTRATOR, Delegation, Department, User
from portal.org.services.base import locked, require_manage
from portal.org.services.people import refuse_last_administrator
from portal.pluginmanager import manager


@dataclass(frozen=True)
class LeavingInput:
    """Somebody leaves.

    :ivar departments_too: the successor also becomes head of the departments headed by the one who leaves; otherwise
        they have no head and the department above decides (R-ORG-3).
    """

    successor_id: int | None
    departments_too: bool = True
    reason: str = ""


def deactivate_person(user_id: int, data: LeavingInput, actor: Actor) -> User:
    """Somebody leaves (R-ORG-4): the account closes at once, work goes to the successor, nothing is deleted.

    Modules hand over what is theirs (customers, tasks, sessions) in the hook `user_deactivated`, in this transaction.

    :raises Invalid: without a successor where one is needed, or with an unfit one.
    """
    require_manage(actor)
    user = locked(User, user_id)
    if not user.is_active:
        raise Conflict(_("%(name)s has left already.", name=user.name))
    if user.id == actor.user_id:
        raise Invalid([("", _("Nobody closes his own account."))])
    headed = queries.headed_departments(user.id)
    successor = db.session.get(User, data.successor_id) if data.successor_id else None
    if data.successor_id and (successor is None or not successor.is_active or successor.id == user.id):
        raise Invalid([("successor_id", _("Choose somebody else who works here."))])
    if successor is None and (headed or any(role.role != ADMINISTRATOR for role in user.roles)):
        raise Invalid([("successor_id", _("Name who takes over the customers and the open work."))])
    if any(role.role == ADMINISTRATOR for role in user.roles):
        refuse_last_administrator(user)
    now = clock.now()
    user.is_active, user.deactivated_at, user.successor_id = False, now, successor.id if successor else None
    db.session.flush()
    if successor is not None and data.departments_too:
        _hand_over_departments(user, successor)
    _revoke_delegations_of(user, actor, now)
    db.session.execute(
        update(User)
        .where(User.supervisor_id == user.id)
        .values(supervisor_id=successor.id if successor else None, version=User.version + 1)
        .execution_options(synchronize_session=False)
    )
    if successor is not None and successor.supervisor_id == successor.id:
        successor.supervisor_id = None
    db.session.flush()
    db.session.expire_all()
    manager().hook.user_deactivated(user=user, successor=successor, actor=actor)
    db.session.flush()
    record(
        actor,
        Action.PERSON_DEACTIVATE,
        object_type="user",
        object_id=user.id,
        object_label=user.name,
        new={
            "successor_id": successor.id if successor else None,
            "departments": [number for number, _name in headed],
            "departments_too": data.departments_too,
        },
        reason=clean_name(data.reason)[:500],
    )
    return user


def _hand_over_departments(user: User, successor: User) -> None:
    """The successor heads what the other one headed; a deputy who becomes head is deputy no more."""
    for department in db.session.scalars(
        select(Department).where(or_(Department.head_id == user.id, Department.deputy_id == user.id))
    ):
        if department.head_id == user.id:
            department.head_id = successor.id
            if department.deputy_id == successor.id:
                department.deputy_id = None
        elif department.head_id != successor.id:
            department.deputy_id = successor.id
        else:
            department.deputy_id = None
    db.session.flush()


def _revoke_delegations_of(user: User, actor: Actor, now: datetime) -> None:
    db.session.execute(
        update(Delegation)
        .where(
            or_(Delegation.delegator_id == user.id, Delegation.delegate_id == user.id),
            Delegation.revoked_at.is_(None),
            Delegation.ends_at > now,
        )
        .values(revoked_at=now, revoked_by_id=actor.user_id)
        .execution_options(synchronize_session=False)
    )


def reactivate_person(user_id: int, actor: Actor) -> User:
    """Somebody comes back. What was handed over stays with the successor; a new password has to be issued.

    :raises Invalid: when the department was closed meanwhile.
    """
    require_manage(actor)
    user = locked(User, user_id)
    if user.is_active:
        return user
    if not queries.department(user.department_id).is_active:
        raise Invalid([("", _("The department was closed meanwhile; move the person to another one first."))])
    user.is_active, user.deactivated_at, user.successor_id = True, None, None
    db.session.flush()
    record(actor, Action.PERSON_REACTIVATE, object_type="user", object_id=user.id, object_label=user.name)
    return user
