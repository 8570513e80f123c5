"""What follows from the calendar: a version's first day is announced, its next look-through is called to mind."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from sqlalchemy import select

from plugins.sop.manuals.base import note_event
from plugins.sop.manuals.models import PUBLISHED, Manual, ManualEditor, ManualVersion, VersionEvent
from plugins.sop.manuals.queries import effective_on
from plugins.sop.reading.telling import tell_new_version
from portal.core import settings
from portal.core.paths import path_for
from portal.extensions import db
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import SYSTEM, Actor
from portal.org.models import Department

NOTICE = "sop.review"
EFFECTIVE_ONCE = "effective"


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the month's last day when it is shorter."""
    years, index = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, index + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def announce(version: ManualVersion, actor: Actor = SYSTEM) -> None:
    """Note that a version has taken effect, once, and tell those who must read it."""
    note_event(version, "effective", actor, once=EFFECTIVE_ONCE)
    tell_new_version(version, actor)


def unannounced(day: date) -> list[int]:
    """Ids of effective versions whose first day was not announced."""
    told = select(VersionEvent.id).where(
        VersionEvent.version_id == ManualVersion.id, VersionEvent.once == EFFECTIVE_ONCE
    )
    statement = select(ManualVersion.id).where(effective_on(day), ~told.exists()).order_by(ManualVersion.id)
    return list(db.session.scalars(statement))


def due_for_review(day: date) -> list[int]:
    """Ids of effective versions whose next look-through is near or overdue on a day."""
    near = day + timedelta(days=settings.get("sop.review_reminder_days"))
    statement = select(ManualVersion.id).where(
        effective_on(day), ManualVersion.review_due.is_not(None), ManualVersion.review_due <= near
    )
    return list(db.session.scalars(statement.order_by(ManualVersion.id)))


def remind_of_review(version: ManualVersion, day: date) -> bool:
    """Tell head and editors of a manual, once before the day and once when it has gone by. Whether anybody was told."""
    if version.review_due is None or version.state != PUBLISHED:
        return False
    late = version.review_due < day
    once = f"{'late' if late else 'due'} {version.review_due}"
    told = select(VersionEvent.id).where(VersionEvent.version_id == version.id, VersionEvent.once == once)
    if db.session.scalar(told) is not None:
        return False
    note_event(version, "review_due", SYSTEM, once=once)
    values = {"manual": version.manual.title, "number": version.number, "day": version.review_due}
    title = (
        message("%(manual)s %(number)s should have been looked through by %(day)s", **values)
        if late
        else message("%(manual)s %(number)s is to be looked through by %(day)s", **values)
    )
    notify(
        keepers(version.manual),
        NOTICE,
        title=title,
        url=path_for("sop.manual", manual_id=version.manual_id),
        about=f"sop_review:{version.id}",
    )
    return True


def keepers(manual: Manual) -> set[int]:
    """Who looks after a manual: head of its department, its writers, whoever began it."""
    people = set(db.session.scalars(select(ManualEditor.user_id).where(ManualEditor.manual_id == manual.id)))
    head = db.session.scalar(select(Department.head_id).where(Department.id == manual.department_id))
    return {person for person in (*people, head, manual.created_by_id) if person is not None}
