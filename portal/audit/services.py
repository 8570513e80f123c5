"""Writing the audit trail.

`record` notes an entry; the chain is written at the end of the same transaction, just before the commit. So writers
hold the head of the chain for a moment only, a savepoint that is rolled back takes its entries along, and an entry that
cannot be written refuses the whole action.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import event, func, or_, select, update
from sqlalchemy.orm import Session, SessionTransaction

from portal.audit.actions import AuditAction
from portal.audit.chain import FIELDS, canonical, entry_hash, moment_text, private_digest
from portal.audit.models import AuditCheck, AuditEntry, AuditHead
from portal.audit.verify import Verdict
from portal.core import clock
from portal.core.database import rows_changed
from portal.core.permissions import Actor
from portal.extensions import db

_PENDING = "portal_audit_pending"
#: Number of PostgreSQL's advisory lock: "audit" as digits of the alphabet.
ADVISORY_LOCK = 1_21_4_9_20
LABEL_LENGTH = 300
_ERASE_CHUNK = 500
REASON_LENGTH = 1000


class AuditError(RuntimeError):
    """The audit trail cannot be written; the action is not done."""


def record(
    actor: Actor,
    action: str,
    *,
    object_type: str,
    object_id: int | None,
    object_label: str = "",
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    private: Mapping[str, Any] | None = None,
    customer_id: int | None = None,
    on_behalf_of_id: int | None = None,
    reason: str = "",
    result: str = "ok",
) -> AuditEntry:
    """Note that something was done, in the caller's transaction.

    :param action: "source:subject:verb", e.g. "customers:customer:create".
    :param old: the changed fields before, :param new: after; values JSON can express, dates and Decimals included.
    :param private: personal data (names of contacts, telephones, birthdays, addresses): kept beside the chain and
        erasable.
    :param on_behalf_of_id: whose delegate the actor was.
    :param result: "ok", "refused" or "failed".
    :returns: the entry; its `seq` and `hash` are there after the commit (or after `write_pending`).
    :raises TypeError, ValueError: for an action or values that cannot be kept.
    """
    if action.count(":") != 2:
        raise ValueError(f"action {action!r} is not of the form source:subject:verb")
    if result not in {"ok", "refused", "failed"}:
        raise ValueError(f"result {result!r} is not known")
    label = _clean(str(object_label))[:LABEL_LENGTH]
    hidden = canonical(private) if private else None
    salt = secrets.token_hex(16)
    entry = AuditEntry(
        at=clock.now(),
        actor_id=actor.user_id,
        actor_name=actor.name,
        on_behalf_of_id=on_behalf_of_id,
        action=str(action),
        object_type=object_type,
        object_id=object_id,
        object_label=label,
        customer_id=customer_id,
        old_values=canonical(old) if old is not None else None,
        new_values=canonical(new) if new is not None else None,
        private=hidden,
        private_salt=salt,
        private_hash=private_digest(salt, label, hidden),
        ip=getattr(actor, "ip", "")[:45],
        session_hint=getattr(actor, "session_key", "")[:8],
        result=result,
        reason=_clean(str(reason))[:REASON_LENGTH],
    )
    session = db.session()
    session.info.setdefault(_PENDING, []).append((entry, _enclosing(session)))
    return entry


def write_pending(session: Session | None = None) -> None:
    """Write the entries noted so far into the chain; the commit does it by itself.

    From here to the end of the transaction every other writer of the trail waits.
    :raises AuditError: when the head of the chain is not there.
    """
    session = session or db.session()
    pending = session.info.pop(_PENDING, None)
    if not pending:
        return
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    entries: list[AuditEntry] = [entry for entry, _transactions in pending]
    head = AuditHead.__table__
    present = session.execute(select(head.c.seq, head.c.hash).where(head.c.id == 1).with_for_update()).first()
    if present is None:
        raise AuditError("the audit trail has no head: nothing is done without a trail")
    seq, previous = present.seq, present.hash
    for entry in entries:
        seq += 1
        entry.seq, entry.previous_hash = seq, previous
        previous = entry.hash = entry_hash(
            [moment_text(entry.at) if name == "at" else getattr(entry, name) for name in FIELDS]
        )
    session.add_all(entries)
    session.flush()
    moved = session.execute(
        update(head)
        .where(head.c.id == 1, head.c.seq == present.seq, head.c.hash == present.hash)
        .values(seq=seq, hash=previous)
        .execution_options(synchronize_session=False)
    )
    if rows_changed(moved) != 1:
        raise AuditError("another process moved the head of the audit trail")


def erase_private(actor: Actor, *, customer_id: int, reason: str) -> int:
    """Erase the personal data that the trail keeps about a customer: labels and private parts. The chain stays whole,
    and the erasure is recorded with the numbers of the entries. Returns how many entries were cleared.

    :param reason: on what ground, one sentence; kept.
    """
    session = db.session()
    write_pending(session)
    table = AuditEntry.__table__
    has_some = or_(table.c.private.is_not(None), table.c.object_label != "")
    numbers = list(
        session.scalars(select(table.c.seq).where(table.c.customer_id == customer_id, has_some).order_by(table.c.seq))
    )
    for start in range(0, len(numbers), _ERASE_CHUNK):
        session.execute(
            update(table)
            .where(table.c.seq.in_(numbers[start : start + _ERASE_CHUNK]))
            .values(private=None, private_salt=None, object_label="")
        )
    for instance in session.identity_map.values():
        if isinstance(instance, AuditEntry):
            session.expire(instance)
    record(
        actor,
        AuditAction.PRIVATE_ERASED,
        object_type="customer",
        object_id=customer_id,
        customer_id=customer_id,
        new={"entries": _spans(numbers)},
        reason=reason,
    )
    return len(numbers)


def _spans(numbers: list[int]) -> list[list[int]]:
    """[1, 2, 3, 7] as [[1, 3], [7, 7]]."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return spans


def note_check(verdict: Verdict) -> AuditCheck:
    """Keep what came of a verification, for the page and the health of the portal."""
    row = AuditCheck(
        at=clock.now(),
        is_whole=verdict.is_whole,
        entries=verdict.entries,
        broken_seq=verdict.broken_seq,
        problem=verdict.problem,
        anchor_seq=verdict.last_anchor.seq if verdict.last_anchor else 0,
        milliseconds=int(verdict.seconds * 1000),
    )
    db.session.add(row)
    db.session.flush()
    return row


def pending(session: Session | None = None) -> list[AuditEntry]:
    """Entries noted in the open transaction that are not in the chain yet."""
    return [entry for entry, _transactions in (session or db.session()).info.get(_PENDING, ())]


def _enclosing(session: Session) -> tuple[SessionTransaction, ...]:
    """The savepoints around the present place, innermost first."""
    found = []
    transaction = session.get_nested_transaction()
    while transaction is not None and transaction.nested:
        found.append(transaction)
        transaction = transaction.parent
    return tuple(found)


def _clean(text: str) -> str:
    """One line without control characters (log lines and exports stay one line)."""
    return "".join(character if character.isprintable() or character == " " else " " for character in text).strip()


@event.listens_for(Session, "before_commit")
def _write_before_commit(session: Session) -> None:
    # Releasing a savepoint is a "commit" too; the chain is written with the outermost one only.
    if session.info.get(_PENDING) and not session.in_nested_transaction():
        write_pending(session)


@event.listens_for(Session, "after_soft_rollback")
def _forget_rolled_back(session: Session, previous: SessionTransaction) -> None:
    noted = session.info.get(_PENDING)
    if not noted:
        return
    if previous.nested:
        session.info[_PENDING] = [pair for pair in noted if previous not in pair[1]]
    else:
        session.info.pop(_PENDING, None)
