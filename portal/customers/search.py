"""Finding customers by name, alias, short name, pinyin, initials, phone digits and credit code (R-CUS-5).

Everybody may learn that a customer exists and who looks after it, so names are searched among all. Phone digits and
credit codes are searched among the customers that the actor may view: otherwise a number could be guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    String,
    bindparam,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from portal.core.identifiers import phone_query_digits
from portal.core.permissions import visible
from portal.core.text import TERM_CHARACTERS, fold, is_latin, lookup_prefix, rank, slip_candidates
from portal.customers.models import Contact, ContactPhone, Customer
from portal.customers.search_index import (
    INITIALS_INSIDE,
    INITIALS_START,
    NAME_INSIDE,
    NAME_START,
    PINYIN_INSIDE,
    PINYIN_START,
    STARTS,
    CustomerTerm,
)
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import Department, User

#: Candidates taken from one range of the index.
PER_RANGE = 100
#: Terms of a range that are followed to their customers one by one.
CROWD = 1000
#: Instead of a customer's id: there are more than CROWD.
TOO_MANY = 0
#: Prefixes of a query with a slip that are looked up in one statement.
PER_STATEMENT = 12
#: Digits of a phone number that are searched at least.
LEAST_DIGITS = 4
LEAST_CODE = 6
#: Behind every term that begins with a prefix: the last code point.
LAST = "\U0010ffff"

#: Class of a hit by kind of term; a term equal to the whole query adds one half class.
SCORES = {
    NAME_START: 900,
    NAME_INSIDE: 800,
    PINYIN_START: 720,
    PINYIN_INSIDE: 700,
    INITIALS_START: 640,
    INITIALS_INSIDE: 600,
}


@dataclass(frozen=True)
class SearchHit:
    """A customer that was found.

    :ivar visible: whether the actor may open it; otherwise only this much is shown of it.
    """

    customer_id: int
    name: str
    department: str
    account_manager: str
    visible: bool
    score: int
    region_code: str = ""


def search(actor: Actor, query: str, limit: int = 20, only_visible: bool = False) -> list[SearchHit]:
    """The best hits for what was typed, best first.

    :param only_visible: leave out customers the actor may not view (pickers).
    """
    folded = fold(query)
    if not folded:
        return []
    scores = _by_terms(folded)
    if len(scores) >= PER_RANGE:
        # A crowded query: the actor's own customers must not be cut off by strangers'.
        scores = {**_by_terms(folded, actor), **scores}
    scores.update(dict.fromkeys(_by_numbers(actor, query), 1100))
    hits = _load(actor, scores, limit, only_visible)
    if len(hits) < 3:
        slips = {found: score for found, score in _by_slips(query).items() if found not in scores}
        hits += _load(actor, slips, limit - len(hits), only_visible)
    return hits


def matching_ids(query: str) -> Select[int]:
    """Ids of customers one of whose names, pinyins or initials contains the query; for the filter of a list."""
    name_prefix, pinyin_prefix = lookup_prefix(query)
    ranges = [_range((NAME_START, NAME_INSIDE), name_prefix)]
    if pinyin_prefix:
        ranges += [_range((PINYIN_START, PINYIN_INSIDE), pinyin_prefix)]
        ranges += [_range((INITIALS_START, INITIALS_INSIDE), name_prefix)]
    return select(CustomerTerm.customer_id).where(or_(*ranges))


def _range(kinds: Sequence[int], prefix: str) -> ColumnElement[bool]:
    kind = CustomerTerm.kind == kinds[0] if len(kinds) == 1 else CustomerTerm.kind.in_(kinds)
    return kind & (CustomerTerm.term >= prefix) & (CustomerTerm.term < prefix + LAST)


def _candidates(parts: Sequence[tuple[int, str]], actor: Actor | None = None) -> Sequence[Row[int, str, int]]:
    """(kind, term, customer id) of the terms of a kind that begin with a prefix, for several (kind, prefix) at once.

    :param actor: only of customers that he may view.
    """
    kinds = tuple(kind for kind, _prefix in parts)
    parameters: dict[str, str] = {}
    for number, (_kind, prefix) in enumerate(parts):
        parameters |= {f"from{number}": prefix, f"to{number}": prefix + LAST}
    if actor is None:
        return db.session.execute(_first_terms(kinds, None), parameters).all()
    sees = visible(actor, "customers.view")
    rows = db.session.execute(_terms_of_visible(kinds, sees), parameters).all()
    if any(row.customer_id == TOO_MANY for row in rows):
        return db.session.execute(_first_terms(kinds, sees), parameters).all()
    return rows


# Statements are built once for each combination of kinds and condition: building one costs more than asking it.


def _range_of(number: int, kind: int) -> Select[str, int]:
    return select(CustomerTerm.term, CustomerTerm.customer_id).where(
        CustomerTerm.kind == kind,
        CustomerTerm.term >= bindparam(f"from{number}", type_=String),
        CustomerTerm.term < bindparam(f"to{number}", type_=String),
    )


@lru_cache(maxsize=256)
def _first_terms(kinds: tuple[int, ...], only: ColumnElement[bool] | None) -> CompoundSelect[int, str, int]:
    """For each kind the first terms between its bounds `from0` and `to0`, `from1` …"""
    parts = []
    for number, kind in enumerate(kinds):
        statement = _range_of(number, kind)
        if only is not None:
            statement = statement.join(Customer, Customer.id == CustomerTerm.customer_id).where(only)
        inner = statement.order_by(CustomerTerm.term).limit(PER_RANGE).subquery()
        parts.append(select(literal(kind).label("kind"), inner.c.term, inner.c.customer_id))
    return union_all(*parts)


@lru_cache(maxsize=256)
def _terms_of_visible(kinds: tuple[int, ...], only: ColumnElement[bool]) -> CompoundSelect[int, str, int]:
    """The same of customers that the condition covers, when no range holds more than CROWD terms.

    From a few hundred terms to their customers is quick; left to itself, SQLite goes from all of a person's customers
    to their terms, twenty times as slow. For a range that holds more there is a row with the customer TOO_MANY.
    """
    parts = []
    for number, kind in enumerate(kinds):
        few = _range_of(number, kind).order_by(CustomerTerm.term).limit(CROWD).subquery()
        parts.append(
            select(literal(kind).label("kind"), few.c.term, few.c.customer_id)
            .join(Customer, Customer.id == few.c.customer_id)
            .where(only)
        )
        some = _range_of(number, kind).limit(CROWD + 1).subquery()
        how_many = select(func.count()).select_from(some).scalar_subquery()
        parts.append(select(literal(kind), literal(""), literal(TOO_MANY)).where(how_many > CROWD))
    return union_all(*parts)


def _by_terms(folded: str, actor: Actor | None = None) -> dict[int, int]:
    """Customer → score of its best term that begins with the query."""
    name_prefix, pinyin_prefix = lookup_prefix(folded)
    parts = [(NAME_START, name_prefix), (NAME_INSIDE, name_prefix)]
    if pinyin_prefix:
        parts += [(PINYIN_START, pinyin_prefix), (PINYIN_INSIDE, pinyin_prefix)]
        parts += [(INITIALS_START, name_prefix), (INITIALS_INSIDE, name_prefix)]
    scores: dict[int, int] = {}
    for kind, term, customer_id in _candidates(parts, actor):
        surplus = len(term) - len(folded)
        if surplus < 0 and len(term) < TERM_CHARACTERS:
            continue
        score = SCORES[kind] - min(max(surplus, 0), 40) + (50 if surplus == 0 else 0)
        if score > scores.get(customer_id, 0):
            scores[customer_id] = score
    return scores


def _by_slips(query: str) -> dict[int, int]:
    """Customers whose name, pinyin or initials answer the query with a slip."""
    prefixes = slip_candidates(query)
    latin = is_latin(fold(query))
    scores: dict[int, int] = {}
    for start in range(0, len(prefixes), PER_STATEMENT):
        parts: list[tuple[int, str]] = []
        for prefix in prefixes[start : start + PER_STATEMENT]:
            if is_latin(prefix):
                parts += [(PINYIN_START, prefix), (PINYIN_INSIDE, prefix)]
                if latin:
                    parts += [(NAME_START, prefix), (INITIALS_START, prefix)]
            else:
                parts += [(NAME_START, prefix), (NAME_INSIDE, prefix)]
        candidates = {row.customer_id for row in _candidates(parts)}
        scores.update(_ranked(query, candidates))
        if scores:
            break  # the first statement holds the likeliest readings
    return scores


def _ranked(query: str, candidates: set[int]) -> dict[int, int]:
    """Candidates that really answer the query, measured against their whole names, pinyins and initials."""
    if not candidates:
        return {}
    scores: dict[int, int] = {}
    rows = db.session.execute(
        select(CustomerTerm.customer_id, CustomerTerm.term).where(
            CustomerTerm.customer_id.in_(candidates), CustomerTerm.kind.in_(STARTS)
        )
    )
    for customer_id, term in rows:
        score = rank(query, term)
        if score is not None and score > scores.get(customer_id, 0):
            scores[customer_id] = score
    return scores


def _by_numbers(actor: Actor, query: str) -> list[int]:
    """Visible customers by phone digits (beginning or end) or credit code (beginning)."""
    digits = phone_query_digits(query)
    conditions = []
    if len(digits) >= LEAST_DIGITS:
        owner = aliased(Contact)
        contacts = select(owner.customer_id).join(ContactPhone, ContactPhone.contact_id == owner.id)
        conditions.append(Customer.phone_digits.startswith(digits, autoescape=True))
        conditions.append(Customer.phone_digits.endswith(digits, autoescape=True))
        conditions.append(Customer.id.in_(contacts.where(ContactPhone.digits.startswith(digits, autoescape=True))))
        conditions.append(Customer.id.in_(contacts.where(ContactPhone.digits.endswith(digits, autoescape=True))))
    code = query.strip().upper()
    if LEAST_CODE <= len(code) <= 18 and code.isascii() and code.isalnum() and any(c.isdigit() for c in code):
        conditions.append((Customer.credit_code >= code) & (Customer.credit_code < code + LAST))
    if not conditions:
        return []
    statement = select(Customer.id).where(
        visible(actor, "customers.view"), Customer.status != "merged", or_(*conditions)
    )
    return list(db.session.scalars(statement.limit(PER_RANGE)))


def _load(actor: Actor, scores: dict[int, int], limit: int, only_visible: bool) -> list[SearchHit]:
    """The best of the scored customers, with what everybody may know of them."""
    if not scores or limit <= 0:
        return []
    best = sorted(scores, key=lambda found: (-scores[found], found))[: PER_RANGE * 2]
    statement = _hits_statement(visible(actor, "customers.view"), only_visible)
    rows = db.session.execute(statement, {"best": best}).all()
    # Among equals, what the actor may open comes first.
    rows = sorted(rows, key=lambda row: (-scores[row[0]], not row[5], len(row[1]), row[0]))
    return [
        SearchHit(customer_id, name, department, manager, bool(sees), scores[customer_id], region)
        for customer_id, name, region, department, manager, sees in rows[:limit]
    ]


@lru_cache(maxsize=256)
def _hits_statement(sees: ColumnElement[bool], only_visible: bool) -> Select[int, str, str, str, str, bool]:
    """What everybody may know of the customers `best`, and whether the actor sees more; built once for a condition."""
    statement = (
        select(
            Customer.id,
            Customer.name,
            Customer.region_code,
            Department.name,
            func.coalesce(User.name, ""),
            sees,
        )
        .join(Department, Department.id == Customer.department_id)
        .outerjoin(User, User.id == Customer.account_manager_id)
        .where(Customer.id.in_(bindparam("best", expanding=True)), Customer.status != "merged")
    )
    return statement.where(sees) if only_visible else statement
