"""Reads of dossiers. Facts about files (title, number, dates) are for whoever may see that the dossier exists;
contents come from the vault alone, and only to those who were granted them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from plugins.archive.dossiers.models import CURRENT, PARTS, ArchiveFile, Dossier
from portal.core.errors import NotFound
from portal.extensions import db


def dossier_of(customer_id: int) -> Dossier | None:
    """The dossier of a customer, when one was opened."""
    return db.session.scalars(select(Dossier).where(Dossier.customer_id == customer_id)).first()


def files_of(
    customer_id: int, parts: Iterable[str] = PARTS, states: Sequence[str] = (CURRENT,)
) -> Sequence[ArchiveFile]:
    """Files of some parts of a customer's dossier, in the order of the parts, newest first within each.

    :param parts: of `PARTS`. :param states: of `FILE_STATES`; default those in force.
    """
    wanted = tuple(parts)
    found = db.session.scalars(
        select(ArchiveFile)
        .where(ArchiveFile.customer_id == customer_id, ArchiveFile.part.in_(wanted), ArchiveFile.state.in_(states))
        .order_by(ArchiveFile.dated_on.desc(), ArchiveFile.id.desc())
    )
    return sorted(found, key=lambda file: PARTS.index(file.part))


def load_file(file_id: int) -> ArchiveFile:
    """A file's row. Who may open its content is the caller's question. :raises NotFound: when there is none."""
    file = db.session.get(ArchiveFile, file_id)
    if file is None:
        raise NotFound()
    return file
