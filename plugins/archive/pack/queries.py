"""What belongs into an audit pack: entries of the trail about a customer, a request or a copy, each with its proof."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select

from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.lookups.models import ArchiveGrant, ArchiveLookup, ArchiveLookupCustomer
from portal.approvals.models import ApprovalRequest
from portal.audit.models import AuditEntry
from portal.audit.queries import proves_itself
from portal.core.errors import NotFound
from portal.customers.models import Customer
from portal.extensions import db

CUSTOMER, REQUEST, COPY = "customer", "request", "copy"
SUBJECTS = (CUSTOMER, REQUEST, COPY)
#: Entries of one pack; a customer with more has a pack of the newest.
MOST = 5000
_CHUNK = 400


@dataclass(frozen=True)
class Subject:
    """What a pack is about."""

    kind: str
    id: int
    label: str
    customer_id: int | None
    lookup_ids: tuple[int, ...]


def subject_of(kind: str, subject_id: int) -> Subject:
    """The subject of a pack by its kind and id. :raises NotFound: there is none."""
    if kind == CUSTOMER:
        customer = db.session.get(Customer, subject_id)
        if customer is None:
            raise NotFound()
        lookups = db.session.scalars(
            select(ArchiveLookupCustomer.lookup_id).where(ArchiveLookupCustomer.customer_id == subject_id)
        )
        return Subject(kind, subject_id, customer.name, subject_id, tuple(sorted(set(lookups))))
    if kind == REQUEST:
        lookup = db.session.get(ArchiveLookup, subject_id)
        if lookup is None:
            raise NotFound()
        only = lookup.customers[0].customer_id if len(lookup.customers) == 1 else None
        return Subject(kind, subject_id, lookup.number, only, (lookup.id,))
    copy = db.session.get(ArchiveCopy, subject_id) if kind == COPY else None
    if copy is None:
        raise NotFound()
    return Subject(kind, subject_id, copy.number, copy.customer_id, (copy.grant.lookup_id,))


def entries_of(subject: Subject) -> list[AuditEntry]:
    """The entries of a subject, oldest first, at most `MOST` of the newest."""
    conditions = _conditions(subject)
    rows = db.session.scalars(select(AuditEntry).where(or_(*conditions)).order_by(AuditEntry.seq.desc()).limit(MOST))
    return sorted(rows, key=lambda entry: entry.seq)


def _conditions(subject: Subject) -> list[ColumnElement[bool]]:
    lookups = list(subject.lookup_ids)
    requests = _rounds(db.session.scalars(select(ArchiveLookup.request_id).where(ArchiveLookup.id.in_(lookups))).all())
    grants = list(db.session.scalars(select(ArchiveGrant.id).where(ArchiveGrant.lookup_id.in_(lookups))))
    if subject.kind == COPY:
        copies = [subject.id]
        grants = list(db.session.scalars(select(ArchiveCopy.grant_id).where(ArchiveCopy.id == subject.id)))
    else:
        copies = list(db.session.scalars(select(ArchiveCopy.id).where(ArchiveCopy.grant_id.in_(grants))))
    found = [
        _objects("archive_lookup", lookups),
        _objects("approval_request", requests),
        _objects("archive_grant", grants),
        _objects("archive_copy", copies),
    ]
    if subject.kind == CUSTOMER:
        mine = AuditEntry.customer_id == subject.id
        found.append(and_(mine, AuditEntry.action.like("archive:%")))
        found.append(and_(mine, AuditEntry.action.like("documents:%")))
    return found


def _objects(object_type: str, ids: list[int]) -> ColumnElement[bool]:
    return and_(AuditEntry.object_type == object_type, AuditEntry.object_id.in_(ids))


def _rounds(request_ids: Iterable[int | None]) -> list[int]:
    """The requests with all their earlier rounds."""
    found = {i for i in request_ids if i is not None}
    waiting = list(found)
    while waiting:
        before = db.session.scalars(
            select(ApprovalRequest.previous_id).where(
                ApprovalRequest.id.in_(waiting), ApprovalRequest.previous_id.is_not(None)
            )
        ).all()
        waiting = [i for i in before if i is not None and i not in found]
        found |= set(waiting)
    return sorted(found)


@dataclass(frozen=True)
class Proof:
    """An entry's place in the chain: whether its content is as it was written, and whether both neighbours join."""

    whole: bool
    before: str
    after: str
    linked: bool


def proofs_of(entries: list[AuditEntry]) -> dict[int, Proof]:
    """Proof of each entry: its own hash computed anew, the hash of its neighbours and whether they join."""
    wanted = sorted({seq for entry in entries for seq in (entry.seq - 1, entry.seq + 1)})
    near: dict[int, tuple[str, str]] = {}
    for start in range(0, len(wanted), _CHUNK):
        rows = db.session.execute(
            select(AuditEntry.seq, AuditEntry.hash, AuditEntry.previous_hash).where(
                AuditEntry.seq.in_(wanted[start : start + _CHUNK])
            )
        )
        near.update({row.seq: (row.hash, row.previous_hash) for row in rows})
    found = {}
    for entry in entries:
        before, after = near.get(entry.seq - 1), near.get(entry.seq + 1)
        linked = (before is None or before[0] == entry.previous_hash) and (after is None or after[1] == entry.hash)
        if before is None and entry.seq > 1:
            linked = False
        found[entry.seq] = Proof(proves_itself(entry), before[0] if before else "", after[0] if after else "", linked)
    return found
