"""Daily work: versions take effect, what is still to be read, what is to be looked through. Safe to run twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from plugins.sop.manuals.models import ManualVersion
from plugins.sop.manuals.publication import announce, due_for_review, remind_of_review, unannounced
from plugins.sop.manuals.queries import effective_on
from plugins.sop.reading.audience import due_day, since
from plugins.sop.reading.telling import LATE, SOON, still_to_read, tell
from portal.core import clock, settings
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _l
from portal.notifications.kinds import message


def take_effect(context: JobContext) -> dict[str, Any]:
    """Announce versions whose first day has come, and remind of versions that are to be looked through."""
    today = clock.today()
    announced = reminded = 0
    for version_id in unannounced(today):
        context.check_cancelled()
        with transaction():
            # Asked again under the writer's lock: another worker may have been faster.
            if version_id in unannounced(today):
                announce(db.session.get_one(ManualVersion, version_id))
                announced += 1
    for version_id in due_for_review(today):
        context.check_cancelled()
        with transaction():
            reminded += remind_of_review(db.session.get_one(ManualVersion, version_id), today)
    return {"announced": announced, "reminded": reminded}


def remind_readers(context: JobContext) -> dict[str, Any]:
    """Remind those who have not read: once some days before the last day, once after it."""
    today = clock.today()
    ahead = timedelta(days=settings.get("sop.reading_reminder_days"))
    rows = db.session.execute(
        select(ManualVersion.id, since().label("since")).where(effective_on(today)).order_by(ManualVersion.id)
    ).all()
    reminded = 0
    for number, row in enumerate(rows, start=1):
        context.check_cancelled()
        with transaction():
            version = db.session.get_one(ManualVersion, row.id)
            open_ones = [(person, due_day(row.since, days)) for person, days in still_to_read(version)]
            values = {"manual": version.title, "number": version.number}
            late = [person for person, due in open_ones if due < today]
            soon = [person for person, due in open_ones if today <= due <= today + ahead]
            reminded += tell(version, late, LATE, message("Overdue: please read %(manual)s %(number)s", **values), None)
            reminded += tell(version, soon, SOON, message("Still to be read: %(manual)s %(number)s", **values), None)
        context.progress(number, len(rows))
    return {"reminded": reminded}


JOBS = (
    Job(
        "sop.take_effect",
        _l("Announce versions of manuals on their first day, remind of look-throughs"),
        take_effect,
        schedule=Schedule(minute="10", hour="0,6-20/2"),
        idempotent=True,
        quiet=True,
    ),
    Job(
        "sop.remind_readers",
        _l("Remind of manuals that are still to be read"),
        remind_readers,
        schedule=Schedule(minute="30", hour="8", working_days=True),
        idempotent=True,
        quiet=True,
    ),
)
