"""Telling people that there is something to read, each of them once for each occasion."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from plugins.sop.manuals.models import ManualVersion
from plugins.sop.reading.audience import read_enough, readers_of
from plugins.sop.reading.models import ReadingReminder
from portal.core import clock
from portal.core.paths import path_for
from portal.extensions import db
from portal.notifications.kinds import Message, message
from portal.notifications.services import notify
from portal.org.actor import Actor

NOTICE = "sop.reading"
PUBLISHED, SOON, LATE = "published", "soon", "late"


def still_to_read(version: ManualVersion) -> list[tuple[int, int]]:
    """(user, days he has from the first day) of those who must read a version and have not."""
    readers = readers_of(version.manual_id).subquery()
    statement = (
        select(readers.c.user_id, readers.c.due_days)
        .join(ManualVersion, ManualVersion.manual_id == readers.c.manual_id)
        .where(ManualVersion.id == version.id, ~read_enough(readers.c.user_id))
        .order_by(readers.c.user_id)
    )
    return [(row.user_id, row.due_days) for row in db.session.execute(statement)]


def tell_new_version(version: ManualVersion, actor: Actor) -> int:
    """Tell those who must read a version that it has taken effect. How many."""
    people = [person for person, _days in still_to_read(version)]
    values = {"manual": version.title, "number": version.number}
    return tell(version, people, PUBLISHED, message("Please read %(manual)s, version %(number)s", **values), actor)


def tell(version: ManualVersion, people: Iterable[int], kind: str, title: Message, actor: Actor | None) -> int:
    """Tell people once of one kind of occasion. How many were told now."""
    told = set(
        db.session.scalars(
            select(ReadingReminder.user_id).where(
                ReadingReminder.version_id == version.id, ReadingReminder.kind == kind
            )
        )
    )
    wanted = sorted(set(people) - told)
    if not wanted:
        return 0
    now = clock.now()
    db.session.add_all(ReadingReminder(version_id=version.id, user_id=one, kind=kind, at=now) for one in wanted)
    db.session.flush()
    notify(
        wanted,
        NOTICE,
        title=title,
        body=version.summary[:300],
        url=path_for("sop.read", manual_id=version.manual_id),
        actor=actor,
        about=f"sop_reading:{version.id}",
    )
    return len(wanted)
