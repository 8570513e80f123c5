"""What the end of a grant does to its copies: unprinted ones are cancelled, printed ones called back; reminders."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import not_, select

from plugins.archive.copies import sealing, services, states
from plugins.archive.copies.actions import CopyAction
from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.lookups import grants
from plugins.archive.lookups.models import LEFT, ArchiveGrant
from plugins.archive.lookups.services import NOTICE
from portal.approvals.dbtime import database_now
from portal.audit.services import record
from portal.core import clock, settings
from portal.core.paths import path_for
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message, message_n
from portal.notifications.services import notify
from portal.org.actor import SYSTEM, Actor
from portal.org.models import Department

#: Days after the day of return on which the holder is reminded again, and from which his head is told too.
AGAIN_DAYS, HEAD_DAYS = 3, 3
CHUNK = 100


def end_grant(grant: ArchiveGrant, how: str, why: str, actor: Actor) -> None:
    """End a grant before its time and settle its copies. :raises Invalid, Conflict: as `grants.end_grant`."""
    grants.end_grant(grant, how, why, actor)
    settle(grant, actor)
    if actor.user_id != grant.holder_id:
        notify(
            [grant.holder_id],
            NOTICE,
            title=message("Your grant %(number)s was ended", number=grant.lookup.number),
            body=why,
            url=path_for("archive_lookups.show", lookup_id=grant.lookup_id),
            actor=actor,
            about=f"archive_grant:{grant.id}",
        )


def settle(grant: ArchiveGrant, actor: Actor) -> None:
    """Cancel the unprinted copies of a grant that does not hold any more, and call the printed ones back."""
    why = grants.why_not(grant)
    copies = db.session.scalars(
        select(ArchiveCopy)
        .where(ArchiveCopy.grant_id == grant.id, ArchiveCopy.state.in_((*states.UNPRINTED, *states.RECALLABLE)))
        .order_by(ArchiveCopy.id)
        .with_for_update()
    ).all()
    for copy in copies:
        if copy.state in states.UNPRINTED:
            services.move(copy, states.CANCEL, actor, services.StepInput(note=why), seal=None)
            sealing.forget_after_commit(copy.id)
        else:
            services.recall(copy, why, actor)
    grant.is_settled = True
    db.session.flush()


def unsettled(limit: int = CHUNK) -> list[int]:
    """Ids of grants that do not hold any more and whose copies nobody looked after yet."""
    return list(
        db.session.scalars(
            select(ArchiveGrant.id)
            .where(ArchiveGrant.is_settled.is_(False), not_(grants.holds()))
            .order_by(ArchiveGrant.ends_at)
            .limit(limit)
        )
    )


def settle_one(grant_id: int) -> None:
    """Settle one grant that is over."""
    grant = db.session.get(ArchiveGrant, grant_id)
    if grant is not None and not grant.is_settled:
        settle(grant, SYSTEM)


def person_left(user_id: int, actor: Actor) -> int:
    """End all grants of somebody who left. :returns: how many."""
    found = db.session.scalars(
        select(ArchiveGrant).where(
            ArchiveGrant.holder_id == user_id, ArchiveGrant.ended_at.is_(None), ArchiveGrant.ends_at > database_now()
        )
    ).all()
    for grant in found:
        end_grant(grant, LEFT, "", actor)
    return len(found)


def uncounted() -> list[int]:
    """Ids of copies whose sheets nobody counted in time."""
    limit = clock.now() - timedelta(minutes=settings.get("archive.suspect_minutes"))
    return list(
        db.session.scalars(
            select(ArchiveCopy.id).where(ArchiveCopy.state == states.SENT, ArchiveCopy.sent_at <= limit).limit(CHUNK)
        )
    )


def doubt(copy_id: int) -> None:
    """Nobody said what came out of the printer: the copy is suspect, an operator counts."""
    copy = db.session.get(ArchiveCopy, copy_id)
    if copy is not None and copy.state == states.SENT:
        services.move(copy, states.DOUBT, SYSTEM, services.StepInput(note=_("Nobody counted the sheets in time.")))


def to_remind() -> list[int]:
    """Ids of copies whose holders are due a reminder: the day before, on the day, and each third day after."""
    now = clock.now()
    rows = db.session.execute(
        select(ArchiveCopy.id, ArchiveCopy.due_at, ArchiveCopy.reminded_at)
        .where(ArchiveCopy.state == states.ISSUED, ArchiveCopy.due_at <= now + timedelta(days=1))
        .order_by(ArchiveCopy.due_at)
    )
    found = []
    for row in rows:
        if row.reminded_at is None or (
            row.due_at <= now and (row.reminded_at < row.due_at or row.reminded_at <= now - timedelta(days=AGAIN_DAYS))
        ):
            found.append(row.id)
    return found


def remind(copy_id: int) -> None:
    """Remind the holder of a copy; from the third day his head is told too."""
    copy = db.session.get(ArchiveCopy, copy_id)
    if copy is None or copy.state != states.ISSUED:
        return
    now = clock.now()
    late = (clock.local(now).date() - clock.local(copy.due_at).date()).days
    people = [copy.holder_id]
    if copy.due_at > now:
        title = message("Copy %(number)s is due back by %(due)s", number=copy.number, due=copy.due_at)
    else:
        title = message_n(
            "Copy %(number)s is overdue: %(num)s day",
            "Copy %(number)s is overdue: %(num)s days",
            max(late, 1),
            number=copy.number,
        )
        head = db.session.scalar(select(Department.head_id).where(Department.id == copy.holder.department_id))
        if late >= HEAD_DAYS and head is not None:
            people.append(head)
    notify(
        people,
        NOTICE,
        title=title,
        url=path_for("archive_copies.show", copy_id=copy.id),
        about=f"archive_copy:{copy.id}",
    )
    copy.reminders, copy.reminded_at = copy.reminders + 1, now
    db.session.flush()
    record(
        SYSTEM,
        CopyAction.REMINDED,
        object_type="archive_copy",
        object_id=copy.id,
        object_label=copy.number,
        customer_id=copy.customer_id,
        new={"holder": copy.holder_id, "days": late},
    )
