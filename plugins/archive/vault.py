"""The archive's own storage (独立的空间, R-ARC-9): content by digest, apart from the database and the web root.

Order of writing. First the content's row (`ArchiveContent`, with the moment), then the content, last whatever refers to
it. So there is never a file without a row; and a row that refers to missing content cannot come about, because the
reference is written only after the storage said that the content is safe. A crash in between leaves a row that nothing
refers to: an orphan, which `plugins.archive.checking` removes after a time of grace. The moment on the row protects a
content that is being put once more from being removed as an orphan at the same time.
"""

from __future__ import annotations

import hashlib

from flask import current_app
from sqlalchemy import select

from plugins.archive.dossiers.models import ArchiveContent
from portal.core import clock
from portal.core.errors import PortalError
from portal.core.storage import DamagedContent, FolderStorage, MissingContent, Storage
from portal.core.transaction import in_transaction, transaction
from portal.extensions import db
from portal.i18n import _

AREA = "archive"


class VaultTrouble(PortalError):
    """The archive's storage does not answer, is full, or holds something else than what was put there."""

    status = 503


def vault() -> Storage:
    """The archive's storage of the running application."""
    found: Storage | None = current_app.extensions.get("portal_archive_storage")
    if found is None:
        found = current_app.extensions["portal_archive_storage"] = FolderStorage(
            current_app.config["DATA_DIR"] / "archive"
        )
    return found


def key_of(digest: str) -> str:
    """The storage key of a digest."""
    return f"{AREA}/{digest[:2]}/{digest}"


def put(content: bytes) -> str:
    """Keep a content and give its SHA-256 digest (hexadecimal). The caller then writes a row that refers to it.

    Outside `transaction()` the content's row is committed first; inside (demo data) all is one transaction, and a
    content that is left over when it is rolled back has no row: the integrity scan finds it too.

    :raises VaultTrouble: the storage is full or does not answer; nothing refers to the content then.
    """
    digest = hashlib.sha256(content).hexdigest()
    if in_transaction():
        _reserve(digest, len(content))
    else:
        with transaction():
            _reserve(digest, len(content))
    try:
        vault().put(AREA, content)
    except OSError as error:
        raise VaultTrouble(_("The file cannot be kept: the archive's storage is full or does not answer.")) from error
    return digest


def _reserve(digest: str, size: int) -> None:
    # With the lock, so that the removal of orphans waits, or has removed it and we insert it anew.
    row = db.session.scalars(
        select(ArchiveContent).where(ArchiveContent.digest == digest).with_for_update()
    ).one_or_none()
    if row is None:
        db.session.add(ArchiveContent(digest=digest, size=size, reserved_at=clock.now()))
    else:
        row.reserved_at = clock.now()
    db.session.flush()


def read(digest: str) -> bytes:
    """The content of a digest, checked. :raises VaultTrouble: missing, damaged, or the storage does not answer."""
    try:
        return vault().get(key_of(digest))
    except MissingContent as error:
        raise VaultTrouble(_("This file is missing in the archive. Please tell the administrator.")) from error
    except DamagedContent as error:
        raise VaultTrouble(_("This file is damaged in the archive. Please tell the administrator.")) from error
    except OSError as error:
        raise VaultTrouble(_("The archive's storage does not answer. Please try again later.")) from error
