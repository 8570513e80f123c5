"""The archive's own storage (独立的空间, R-ARC-9): content by digest, sealed, apart from the database and the web root.

Order of writing. First the content's row (`ArchiveContent`, with the moment), then the content, last whatever refers to
it. So a row that refers to missing content cannot come about: the reference is written only after the storage said that
the content is safe. A crash in between leaves content that nothing refers to: an orphan, which
`plugins.archive.checking` removes after a time of grace. The row that came first protects a content that is being put
from being taken for an orphan, also when the same content was there before.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Select, select

from plugins.archive.dossiers.models import ArchiveContent
from portal.core import clock
from portal.core.errors import PortalError
from portal.core.storage import (
    DamagedContent,
    FileStore,
    MissingContent,
    Storage,
    StorageError,
    archive_storage,
)
from portal.core.transaction import in_transaction, transaction
from portal.extensions import db
from portal.i18n import _, _l

AREA = "archive"


def _named() -> Select[str]:
    return select(ArchiveContent.storage_key)


#: What backups take along: every content that has a row.
STORE = FileStore(key="archive.files", title=_l("Customer archive"), references=_named, area=AREA, storage="archive")


class VaultTrouble(PortalError):
    """The archive's storage does not answer, is full, or holds something else than what was put there."""

    status = 503


def vault() -> Storage:
    """The archive's storage of the running application."""
    return archive_storage()


def put(content: bytes) -> str:
    """Keep a content and give its SHA-256 digest (hexadecimal). The caller then writes a row that refers to it by a
    foreign key to `archive_content.digest`.

    Call it outside `transaction()`: it has two short ones of its own. Inside one (demo data) it uses that.

    :raises VaultTrouble: the storage is full or does not answer; nothing refers to the content then.
    """
    digest = hashlib.sha256(content).hexdigest()
    if in_transaction():
        _reserve(digest, len(content))
        _note_key(digest, _keep(content))
        return digest
    with transaction():
        known = _reserve(digest, len(content))
    key = _keep(content)
    if key != known:
        with transaction():
            _note_key(digest, key)
    return digest


def _reserve(digest: str, size: int) -> str:
    """Write or refresh the content's row; the storage key it had."""
    # With the lock, so that the removal of orphans waits, or has removed it and we insert it anew.
    row = db.session.scalars(
        select(ArchiveContent).where(ArchiveContent.digest == digest).with_for_update()
    ).one_or_none()
    if row is None:
        row = ArchiveContent(digest=digest, size=size, storage_key="", reserved_at=clock.now())
        db.session.add(row)
    else:
        row.reserved_at = clock.now()
    db.session.flush()
    return row.storage_key


def _keep(content: bytes) -> str:
    try:
        return vault().put(AREA, content).key
    except (StorageError, OSError) as error:
        raise VaultTrouble(_("The file cannot be kept: the archive's storage is full or does not answer.")) from error


def _note_key(digest: str, key: str) -> None:
    row = db.session.get_one(ArchiveContent, digest)
    row.storage_key, row.trouble = key, ""
    db.session.flush()


def key_of(digest: str) -> str:
    """The storage key of a content; "" when there is none."""
    return db.session.scalar(select(ArchiveContent.storage_key).where(ArchiveContent.digest == digest)) or ""


def read(digest: str) -> bytes:
    """The content of a digest, checked. :raises VaultTrouble: missing, damaged, or the storage does not answer."""
    try:
        content = vault().get(key_of(digest))
    except MissingContent as error:
        raise VaultTrouble(_("This file is missing in the archive. Please tell the administrator.")) from error
    except DamagedContent as error:
        raise VaultTrouble(_("This file is damaged in the archive. Please tell the administrator.")) from error
    except (StorageError, OSError) as error:
        raise VaultTrouble(_("The archive's storage does not answer. Please try again later.")) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise VaultTrouble(_("This file is damaged in the archive. Please tell the administrator."))
    return content
