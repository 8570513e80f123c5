"""What a merge of two customers does to their dossiers: told before, written down in both, undone with it.

Two dossiers become one without a request, because the files follow the customer. Nobody approved a look at the files of
the other side, so every grant on either of them ends with the merge.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from plugins.archive.actions import ArchiveAction
from plugins.archive.copies import endings
from plugins.archive.dossiers import queries
from plugins.archive.dossiers.models import CURRENT, ArchiveFile, Dossier
from plugins.archive.dossiers.services import DOSSIER_NOTICE
from plugins.archive.lookups.access import note_access
from plugins.archive.lookups.models import JOINED, PARTED, REVOKED, ArchiveGrant
from portal.approvals.dbtime import database_now
from portal.audit.services import record
from portal.core import clock
from portal.core.paths import path_for
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import Message, message
from portal.notifications.services import notify
from portal.org.actor import Actor, users_with_role
from portal.org.models import ARCHIVE_MAINTAINER


def notes(kept_id: int, merged_id: int) -> list[str]:
    """What the preview of a merge says about the dossiers; nothing when the merged customer has none."""
    kept, merged = queries.dossier_of(kept_id), queries.dossier_of(merged_id)
    if merged is None:
        return []
    files = _file_counts((kept_id, merged_id))
    theirs = files.get(merged_id, 0)
    if kept is None:
        return [
            _("Dossier %(number)s (files in force: %(files)s) goes along as it is.", number=merged.number, files=theirs)
        ]
    ours = files.get(kept_id, 0)
    return [
        _(
            "Both have a dossier. The files of %(merged)s (in force: %(theirs)s) join those of %(kept)s (in force: "
            "%(ours)s); afterwards %(all)s lie in %(kept)s. The archive maintainers are told.",
            merged=merged.number,
            theirs=theirs,
            kept=kept.number,
            ours=ours,
            all=ours + theirs,
        ),
        _(
            "Nobody approved looking at the files of both: grants that are open now end (%(grants)s), and paper copies "
            "made under them are called back.",
            grants=len(_open_grants((kept_id, merged_id))),
        ),
    ]


def after_merge(kept_id: int, merged_id: int, actor: Actor) -> None:
    """Two customers became one; their rows have been moved already.

    With one dossier only, it followed its files; nothing in it changed.
    """
    kept, merged = queries.dossier_of(kept_id), queries.dossier_of(merged_id)
    if kept is None or merged is None:
        return
    why = _("Dossier %(other)s was joined to %(number)s by a merge.", other=merged.number, number=kept.number)
    for grant in _open_grants((kept_id, merged_id)):
        endings.end_grant(grant, REVOKED, why, actor)
    _write(kept, merged, ArchiveAction.DOSSIERS_JOINED, JOINED, actor)
    _tell(
        kept, message("Dossier %(other)s was joined to %(number)s by a merge", other=merged.number, number=kept.number)
    )


def after_undo(kept_id: int, restored_id: int, actor: Actor) -> None:
    """A merge was undone; the files lie again where they lay before it. Grants that it ended stay ended."""
    kept, restored = queries.dossier_of(kept_id), queries.dossier_of(restored_id)
    if kept is None or restored is None:
        return
    _write(kept, restored, ArchiveAction.DOSSIERS_PARTED, PARTED, actor)
    _tell(kept, message("Dossiers %(number)s and %(other)s parted again", number=kept.number, other=restored.number))


def _write(kept: Dossier, other: Dossier, action: ArchiveAction, kind: str, actor: Actor) -> None:
    """A line in the trail and in the list of who looked, of both customers."""
    files = _file_counts((kept.customer_id, other.customer_id))
    now = clock.now()
    for mine, theirs in ((kept, other), (other, kept)):
        mine.changed_at = now
        record(
            actor,
            action,
            object_type="archive_dossier",
            object_id=mine.id,
            object_label=mine.number,
            customer_id=mine.customer_id,
            new={"other": theirs.number, "files": files.get(mine.customer_id, 0)},
        )
        if actor.user_id is not None:
            note_access(kind, mine.customer_id, actor.user_id, reference=mine.number, detail=theirs.number)
    db.session.flush()


def _tell(kept: Dossier, title: Message) -> None:
    notify(
        users_with_role(ARCHIVE_MAINTAINER),
        DOSSIER_NOTICE,
        title=title,
        url=path_for("archive.dossier", customer_id=kept.customer_id),
        about=f"archive_dossier:{kept.id}",
    )


def _file_counts(customer_ids: Sequence[int]) -> dict[int, int]:
    """Files in force by customer."""
    statement = (
        select(ArchiveFile.customer_id, func.count())
        .where(ArchiveFile.customer_id.in_(customer_ids), ArchiveFile.state == CURRENT)
        .group_by(ArchiveFile.customer_id)
    )
    return {row[0]: row[1] for row in db.session.execute(statement)}


def _open_grants(customer_ids: Sequence[int]) -> Sequence[ArchiveGrant]:
    """Grants on some customers that are not over, oldest first."""
    return db.session.scalars(
        select(ArchiveGrant)
        .where(
            ArchiveGrant.customer_id.in_(customer_ids),
            ArchiveGrant.ended_at.is_(None),
            ArchiveGrant.ends_at > database_now(),
        )
        .order_by(ArchiveGrant.id)
    ).all()
