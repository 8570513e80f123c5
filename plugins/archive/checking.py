"""The integrity scan of the archive's storage: every content read and compared, what is missing, what nobody refers to.

A content is an orphan when no column of the database refers to it by foreign key and nobody began to put it during the
time of grace. Orphans are removed on demand only, one at a time, each in a transaction that keeps everybody else from
beginning to put a content meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, not_, or_, select, text, update

from plugins.archive.actions import ArchiveAction
from plugins.archive.dossiers.models import ArchiveContent
from plugins.archive.vault import AREA, vault
from portal.audit.services import record
from portal.core import clock
from portal.core.storage import Examined, MissingContent, StorageError, storage
from portal.core.transaction import transaction
from portal.documents.models import READY, Document
from portal.documents.services import erase_content
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import SYSTEM, Actor

GRACE = timedelta(minutes=10)
MISSING, DAMAGED = "missing", "damaged"
CHUNK = 100


@dataclass
class Findings:
    """What a scan found. Digests name contents; keys name what lies in the storage without a row."""

    checked: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    #: rows that nothing refers to
    orphans: list[str] = field(default_factory=list)
    #: storage keys that no row knows
    unknown: list[str] = field(default_factory=list)
    removed: int = 0

    @property
    def is_well(self) -> bool:
        """Whether every content that somebody refers to is there and whole."""
        return not self.missing and not self.damaged

    def as_dict(self) -> dict[str, Any]:
        """For the job's result and the audit trail."""
        return {
            "checked": self.checked,
            "bytes": self.bytes,
            "missing": len(self.missing),
            "damaged": len(self.damaged),
            "orphans": len(self.orphans) + len(self.unknown),
            "removed": self.removed,
        }


def references() -> list[Any]:
    """All columns of the database that refer to a content, whichever module has them."""
    target = ArchiveContent.__table__.c.digest
    return [
        column
        for table in db.metadata.tables.values()
        for column in table.columns
        if any(key.column is target for key in column.foreign_keys)
    ]


def _unreferenced() -> ColumnElement[bool]:
    return not_(or_(*(exists().where(column == ArchiveContent.digest) for column in references())))


def scan(actor: Actor, repair_orphans: bool = False, progress: Callable[[int, int], None] | None = None) -> Findings:
    """Read every content. Opens transactions of its own; call it outside `transaction()`.

    :param repair_orphans: remove what nobody refers to.
    :raises StorageError, OSError: the storage does not answer: then nothing is said about any content.
    """
    found = Findings()
    rows = db.session.execute(
        select(ArchiveContent.digest, ArchiveContent.storage_key, ArchiveContent.size).order_by(ArchiveContent.digest)
    ).all()
    referred = set(db.session.scalars(select(ArchiveContent.digest).where(not_(_unreferenced()))))
    db.session.rollback()
    # A row whose content is being put has no key yet; whether it is an orphan is asked below.
    states: dict[str, str] = {}
    for number, row in enumerate(rows):
        if row.storage_key:
            states[row.digest] = _look(row.digest, row.storage_key)
            found.checked += 1
            found.bytes += row.size
        elif row.digest in referred:
            states[row.digest] = MISSING
        if progress is not None and number % 20 == 0:
            progress(number, len(rows))
    found.missing = sorted(digest for digest, state in states.items() if state == MISSING and digest in referred)
    found.damaged = sorted(digest for digest, state in states.items() if state == DAMAGED and digest in referred)
    _note(states)
    found.orphans = _orphans()
    found.unknown = _unknown({row.storage_key for row in rows})
    if repair_orphans:
        found.removed = sum(_remove(digest) for digest in found.orphans)
        found.removed += sum(_remove_unknown(key) for key in found.unknown)
    cleared = clear_left_documents(actor)
    with transaction():
        record(
            actor,
            ArchiveAction.SCANNED,
            object_type="archive_storage",
            object_id=None,
            new={**found.as_dict(), "left_documents": cleared},
            result="ok" if found.is_well else "failed",
        )
    return found


def examine(progress: Callable[[int, int], None]) -> Examined:
    """The archive's share of the weekly check of all storages (`portal storage check`)."""
    found = scan(SYSTEM, progress=progress)
    return Examined(found.checked, found.bytes, found.missing, found.damaged, [*found.orphans, *found.unknown])


def _look(digest: str, key: str) -> str:
    """ "" when the content is there and whole. :raises OSError: the storage does not answer."""
    try:
        content = vault().get(key)
    except MissingContent:
        return MISSING
    except StorageError as error:
        if isinstance(error, OSError):
            raise
        return DAMAGED
    return "" if hashlib.sha256(content).hexdigest() == digest else DAMAGED


def _note(states: dict[str, str]) -> None:
    now = clock.now()
    by_state: dict[str, list[str]] = {}
    for digest, state in states.items():
        by_state.setdefault(state, []).append(digest)
    for state, digests in by_state.items():
        for start in range(0, len(digests), CHUNK):
            with transaction():
                db.session.execute(
                    update(ArchiveContent)
                    .where(ArchiveContent.digest.in_(digests[start : start + CHUNK]))
                    .values(trouble=state, checked_at=now)
                )


def _orphans() -> list[str]:
    statement = select(ArchiveContent.digest).where(_unreferenced(), ArchiveContent.reserved_at < clock.now() - GRACE)
    return list(db.session.scalars(statement.order_by(ArchiveContent.digest)))


def _unknown(known: Iterable[str]) -> list[str]:
    """Keys in the storage that no row names. While somebody puts a content nothing is called unknown."""
    if _is_being_put():
        return []
    names = set(known) | set(db.session.scalars(select(ArchiveContent.storage_key)))
    return [key for key in vault().iterate(AREA) if key not in names]


def _is_being_put() -> bool:
    return (
        db.session.scalar(
            select(ArchiveContent.digest)
            .where(ArchiveContent.storage_key == "", ArchiveContent.reserved_at >= clock.now() - GRACE)
            .limit(1)
        )
        is not None
    )


def _hold_others_back() -> None:
    """Nobody reserves a content until the commit. SQLite's writers wait for each other anyway."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE archive_content IN SHARE ROW EXCLUSIVE MODE"))


def _remove(digest: str) -> int:
    """Remove one orphan, row and content, when it still is one."""
    with transaction():
        _hold_others_back()
        row = db.session.scalars(
            select(ArchiveContent).where(
                ArchiveContent.digest == digest, _unreferenced(), ArchiveContent.reserved_at < clock.now() - GRACE
            )
        ).first()
        if row is None:
            return 0
        key = row.storage_key
        db.session.delete(row)
        record(
            SYSTEM,
            ArchiveAction.ORPHANS_REMOVED,
            object_type="archive_storage",
            object_id=None,
            old={"digest": digest, "size": row.size},
        )
        db.session.flush()
        if key:
            vault().delete(key)
    return 1


def _remove_unknown(key: str) -> int:
    with transaction():
        _hold_others_back()
        named = db.session.scalar(select(ArchiveContent.digest).where(ArchiveContent.storage_key == key))
        if named is not None or _is_being_put():
            return 0
        record(SYSTEM, ArchiveAction.ORPHANS_REMOVED, object_type="archive_storage", object_id=None, old={"key": key})
        vault().delete(key)
    return 1


def clear_left_documents(actor: Actor) -> int:
    """Documents of the archive whose content still lies with the core's files, because a crash came between making them
    and keeping them in the vault: the content is removed, the number stays."""
    from_archive = Document.kind.in_(("archive.card", "archive.assessment", "archive.statistics"))
    ids = list(
        db.session.scalars(
            select(Document.id).where(from_archive, Document.state == READY, Document.made_at < clock.now() - GRACE)
        )
    )
    for document_id in ids:
        with transaction():
            key = erase_content(
                db.session.get_one(Document, document_id), actor, _("Was not put into the archive; make it anew.")
            )
        storage().delete(key)
    return len(ids)
