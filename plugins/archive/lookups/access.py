"""Who looked: the list behind the heads' page, quiet hours, and the alarm for looking up many customers in a day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from plugins.archive.lookups.actions import LookupAction
from plugins.archive.lookups.models import (
    ASKED,
    LOOKED,
    PRINTED,
    RESERVED,
    ArchiveAccess,
    ArchiveAlarm,
)
from plugins.archive.lookups.rules import is_quiet
from portal.audit.services import record
from portal.core import clock, settings
from portal.core.calendar import is_working_day
from portal.core.paths import path_for
from portal.customers.models import Customer
from portal.extensions import db
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import SYSTEM, users_with_role
from portal.org.models import AUDITOR, User
from portal.org.queries import approver_chain

INCIDENT = "archive.incident"
#: Kinds that count for the alarm.
COUNTED = (ASKED, LOOKED, RESERVED, PRINTED)


def note_access(
    kind: str, customer_id: int, user_id: int, *, reference: str = "", detail: str = "", grant_id: int | None = None
) -> ArchiveAccess:
    """Note who looked at, asked for or was refused a customer's dossier; raises the alarm when it is many in a day.

    The caller writes the audit trail. :param user_id: whose look it is (of a copy: its holder's).
    """
    now = clock.now()
    department_id = db.session.scalar(select(Customer.department_id).where(Customer.id == customer_id))
    row = ArchiveAccess(
        at=now,
        user_id=user_id,
        customer_id=customer_id,
        department_id=department_id,
        kind=kind,
        reference=reference,
        detail=detail[:300],
        is_quiet=quiet_at(now),
        grant_id=grant_id,
    )
    db.session.add(row)
    db.session.flush()
    if kind in COUNTED:
        _watch(user_id)
    return row


def quiet_at(moment: datetime) -> bool:
    """Whether a moment lies outside working hours, by the settings."""
    local = clock.local(moment)
    return is_quiet(
        local.hour,
        is_working_day(local.date()),
        settings.get("archive.quiet_from"),
        settings.get("archive.quiet_to"),
    )


def customers_today(user_id: int) -> int:
    """How many different customers somebody asked for or looked at today."""
    begin, end = clock.day_bounds(clock.today())
    found = (
        select(ArchiveAccess.customer_id)
        .where(
            ArchiveAccess.user_id == user_id,
            ArchiveAccess.at >= begin,
            ArchiveAccess.at < end,
            ArchiveAccess.kind.in_(COUNTED),
        )
        .distinct()
        .subquery()
    )
    return int(db.session.scalar(select(func.count()).select_from(found)) or 0)


def _watch(user_id: int) -> None:
    count = customers_today(user_id)
    if count <= settings.get("archive.bulk_customers"):
        return
    table = ArchiveAlarm.__table__
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    raised = db.session.scalar(
        insert(table)
        .values(user_id=user_id, day=clock.today(), customers=count, raised_at=clock.now())
        .on_conflict_do_nothing(index_elements=["user_id", "day"])
        .returning(table.c.id)
    )
    if raised is None:
        return  # told today already
    person = db.session.get_one(User, user_id)
    record(
        SYSTEM,
        LookupAction.BULK,
        object_type="user",
        object_id=user_id,
        object_label=person.name,
        new={"customers": count, "limit": settings.get("archive.bulk_customers")},
    )
    notify(
        watchers_of(person),
        INCIDENT,
        title=message("%(name)s looked up %(count)s customers today", name=person.name, count=count),
        url=path_for("archive_lookups.log", user=user_id),
        about=f"archive_bulk:{user_id}:{clock.today()}",
    )


def watchers_of(person: User) -> list[int]:
    """Whom an alarm about a person is told to: his head (of a head: the one above), and the auditors; never himself."""
    chain = [link.head_id for link in approver_chain(person.department_id) if link.head_id not in (None, person.id)]
    people = {*chain[:1], *users_with_role(AUDITOR)}
    return sorted(i for i in people if i is not None and i != person.id)
