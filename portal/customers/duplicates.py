"""The collision check (查重): likely duplicates of a customer that is about to be created (R-CUS-6).

Whoever may not see a duplicate learns its name, department and account manager, nothing else. A phone number is only
compared when a complete, valid one was typed, with whole numbers, so that none can be guessed digit by digit; numbers
tried by one person are counted, kept and limited by the hour.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, delete, func, or_, select, union_all
from sqlalchemy.orm import Mapped, mapped_column

from portal.audit.services import record
from portal.core import clock
from portal.core.database import BigId, UTCDateTime
from portal.core.identifiers import IdentifierError, normalise_credit_code, normalise_phone
from portal.core.permissions import visible
from portal.core.text import clean_name, fold, latin_form, lookup_prefix, seen_form, similarity
from portal.core.text.similarity import NameParts
from portal.core.transaction import in_transaction, transaction
from portal.customers.actions import CustomerAction
from portal.customers.models import Contact, ContactPhone, Customer, CustomerAlias
from portal.customers.permissions import VIEW
from portal.customers.search import LAST
from portal.customers.search_index import NAME_INSIDE, NAME_START, CustomerTerm
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import Department, User

#: From this similarity on a name is worth a look (portal.core.text.similarity).
NEAR = 0.6
#: Between a name that is near and one that is the same.
LOOKS_THE_SAME = 0.995
LIMIT = 8
#: Candidates taken from one range of the search index.
PER_RANGE = 200
#: Different phone numbers that one person may try in an hour.
NUMBERS_PER_HOUR = 30
HOUR = timedelta(hours=1)
#: Tried numbers are forgotten after this time.
KEEP_LOOKUPS = timedelta(days=30)


class PhoneLookup(db.Model):
    """A phone number that somebody tried in the collision check."""

    __tablename__ = "customer_phone_lookup"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    #: SHA-256 of user and number: tells a repetition from another number
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (Index("ix_customer_phone_lookup_user_at", "user_id", "at"),)


@dataclass(frozen=True)
class DuplicateHint:
    """A customer that may be the one that is about to be created.

    :ivar customer_id: None when the actor may not open it.
    :ivar reasons: why, in words ("same phone number").
    :ivar certain: the same code, phone or name; otherwise only a similar name.
    """

    customer_id: int | None
    name: str
    department: str
    account_manager: str
    reasons: tuple[str, ...]
    score: float
    certain: bool

    @property
    def visible(self) -> bool:
        """Whether the actor may open it."""
        return self.customer_id is not None

    @property
    def reason(self) -> str:
        """All reasons in one line."""
        return " · ".join(self.reasons)


def find_duplicates(
    actor: Actor,
    *,
    name: str = "",
    credit_code: str = "",
    phone: str = "",
    phones: Sequence[str] = (),
    exclude_id: int | None = None,
) -> list[DuplicateHint]:
    """Customers with the same code, the same phone or a near name, the likeliest first; at most `LIMIT`.

    :param phone, phones: as typed; incomplete or impossible numbers are passed over.
    :param exclude_id: the record itself, when it exists already.

    A complete number is counted against the actor's limit; that opens a short transaction of its own when none is
    open. Beyond the limit phones are compared with the actor's own customers only.
    """
    scores: dict[int, float] = {}
    same: dict[int, list[str]] = {}
    code = _code(credit_code)
    if code:
        for found in db.session.scalars(
            select(Customer.id).where(Customer.credit_code == code, Customer.status != Status.MERGED.value)
        ):
            same.setdefault(found, []).append(_("same code"))
    numbers = {digits for digits in map(_digits, (phone, *phones)) if digits}
    if numbers:
        for found in _with_phone(actor, numbers):
            same.setdefault(found, []).append(_("same phone number"))
    cleaned = clean_name(name)[:200]
    if len(fold(cleaned)) >= 2:
        for found, score in near_names(cleaned).items():
            scores[found] = score
            if score == 1.0:
                same.setdefault(found, []).append(_("same name"))
            elif score == LOOKS_THE_SAME:
                same.setdefault(found, []).append(_("a name that looks the same, in letters of another alphabet"))
    ids = sorted({*same, *scores} - {exclude_id}, key=lambda found: (-len(same.get(found, ())), -scores.get(found, 0)))
    return _hints(actor, ids[:LIMIT], same, scores)


def near_names(name: str) -> dict[int, float]:
    """Customer → how alike its name (or another of its names) is; only from `NEAR` on.

    `LOOKS_THE_SAME` for a name that differs in nothing a reader can see.
    """
    seen = latin_form(name)
    candidates = _candidates(name) | (_candidates(seen) if seen != name else set())
    if not candidates:
        return {}
    rows = db.session.execute(
        union_all(
            select(Customer.id, Customer.name).where(Customer.id.in_(candidates)),
            select(CustomerAlias.customer_id, CustomerAlias.alias).where(CustomerAlias.customer_id.in_(candidates)),
        )
    )
    scores: dict[int, float] = {}
    for found, other in rows:
        score = similarity(name, other)
        if score < 1.0 and seen_form(seen) == seen_form(other):
            score = LOOKS_THE_SAME
        if score >= NEAR and score > scores.get(found, 0):
            scores[found] = score
    return scores


def _candidates(name: str) -> set[int]:
    """Customers that share the trade name, its beginning or the beginning of the whole name."""
    parts = NameParts(name)
    pieces = {parts.whole, parts.core, parts.brand, parts.brand[:4], parts.brand[:2], parts.core[:3]}
    prefixes = {lookup_prefix(piece)[0] for piece in pieces if len(piece) >= 2}
    selects = []
    for prefix in sorted(prefixes):
        for kind in (NAME_START, NAME_INSIDE):
            inner = (
                select(CustomerTerm.customer_id)
                .where(CustomerTerm.kind == kind, CustomerTerm.term >= prefix, CustomerTerm.term < prefix + LAST)
                .order_by(CustomerTerm.term)
                .limit(PER_RANGE)
                .subquery()
            )
            selects.append(select(inner.c.customer_id))
    return set(db.session.scalars(union_all(*selects))) if selects else set()


def _code(text: str) -> str:
    try:
        return normalise_credit_code(text) if text.strip() else ""
    except IdentifierError:
        return ""


def _digits(text: str) -> str:
    """National digits of a complete, valid number; "" for everything else."""
    if len(re.sub(r"\D", "", text)) < 7:
        return ""
    try:
        return normalise_phone(text).digits
    except IdentifierError:
        return ""


def _with_phone(actor: Actor, numbers: set[str]) -> list[int]:
    """Customers with one of these whole numbers: all, or those the actor may see when he tried too many."""
    within_limit = actor.is_system or _note_lookups(actor, numbers)
    holders = select(Contact.customer_id).join(ContactPhone, ContactPhone.contact_id == Contact.id)
    statement = (
        select(Customer.id)
        .where(
            or_(
                Customer.phone_digits.in_(numbers),
                Customer.id.in_(holders.where(ContactPhone.digits.in_(numbers), Contact.is_active)),
            ),
            Customer.status != Status.MERGED.value,
        )
        .limit(LIMIT)
    )
    if not within_limit:
        statement = statement.where(visible(actor, VIEW))
    return list(db.session.scalars(statement))


def _note_lookups(actor: Actor, numbers: set[str]) -> bool:
    """Keep what was tried; False when the actor has used up the numbers of the hour."""
    if actor.user_id is None:
        return False
    if in_transaction():
        return _counted(actor, actor.user_id, numbers)
    with transaction():
        return _counted(actor, actor.user_id, numbers)


def _counted(actor: Actor, user_id: int, numbers: set[str]) -> bool:
    now = clock.now()
    # The row of the person is the lock: parallel attempts are counted one after the other.
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update())
    digests = {hashlib.sha256(f"{user_id}:{number}".encode()).hexdigest(): number for number in numbers}
    recent = (PhoneLookup.user_id == user_id, PhoneLookup.at > now - HOUR)
    known = set(db.session.scalars(select(PhoneLookup.digest).where(*recent, PhoneLookup.digest.in_(digests))))
    fresh = [digest for digest in digests if digest not in known]
    if not fresh:
        return True
    used = int(db.session.scalar(select(func.count(PhoneLookup.digest.distinct())).where(*recent)) or 0)
    if used + len(fresh) > NUMBERS_PER_HOUR:
        _record_limit(actor, user_id, now)
        return False
    db.session.execute(delete(PhoneLookup).where(PhoneLookup.at < now - KEEP_LOOKUPS))
    db.session.add_all(PhoneLookup(user_id=user_id, digest=digest, at=now) for digest in fresh)
    record(
        actor,
        CustomerAction.PHONE_LOOKUP,
        object_type="phone",
        object_id=None,
        private={"phones": sorted(digests[digest] for digest in fresh)},
    )
    db.session.flush()
    return True


def _record_limit(actor: Actor, user_id: int, now: datetime) -> None:
    """Tell the trail once an hour that somebody tries too many numbers."""
    marker = hashlib.sha256(f"limit:{user_id}:{now:%Y%m%d%H}".encode()).hexdigest()
    if db.session.scalar(select(PhoneLookup.id).where(PhoneLookup.digest == marker).limit(1)) is not None:
        return
    # An hour back, so that the marker itself is not counted.
    db.session.add(PhoneLookup(user_id=user_id, digest=marker, at=now - HOUR))
    record(actor, CustomerAction.PHONE_LOOKUP, object_type="phone", object_id=None, result="refused")
    db.session.flush()


def _hints(actor: Actor, ids: list[int], same: dict[int, list[str]], scores: dict[int, float]) -> list[DuplicateHint]:
    if not ids:
        return []
    rows = {
        row.id: row
        for row in db.session.execute(
            select(
                Customer.id,
                Customer.name,
                Department.name.label("department"),
                func.coalesce(User.name, "").label("manager"),
                visible(actor, VIEW).label("visible"),
            )
            .join(Department, Department.id == Customer.department_id)
            .outerjoin(User, User.id == Customer.account_manager_id)
            .where(Customer.id.in_(ids), Customer.status != Status.MERGED.value)
        )
    }
    return [
        DuplicateHint(
            customer_id=row.id if row.visible else None,
            name=row.name,
            department=row.department,
            account_manager=row.manager,
            reasons=tuple(same.get(found, ())) or (_("similar name"),),
            score=scores.get(found, 1.0),
            certain=found in same,
        )
        for found in ids
        if (row := rows.get(found)) is not None
    ]
