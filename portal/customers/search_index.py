"""The search index of customers: every position of a name, of its pinyin and of its initials is the start of a term.

"贵州茅台" is stored as 贵州茅台, 州茅台, 茅台, 台; guizhoumaotai, zhoumaotai, maotai, tai; gzmt, zmt, mt, t. A query
of any length is then one range of an ordered index, two characters included, and the same on SQLite and on PostgreSQL
(docs/adr/0006-search.md has the comparison with FTS5 and GIN).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import ForeignKey, Index, SmallInteger, String, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.text import latin_form, suffix_terms
from portal.customers.models import Customer, CustomerAlias
from portal.extensions import db

#: Kinds of term. The start of a name has a kind of its own, so that names beginning with the query come first.
NAME_START, NAME_INSIDE = 1, 2
PINYIN_START, PINYIN_INSIDE = 3, 4
INITIALS_START, INITIALS_INSIDE = 5, 6
STARTS = (NAME_START, PINYIN_START, INITIALS_START)

#: Terms are compared by code point on both databases.
TermText = String(48).with_variant(String(48, collation="C"), "postgresql")

#: Customers indexed per statement by `rebuild_all`.
CHUNK = 500


class CustomerTerm(db.Model):
    """One term of one customer. The table is its own ordered index (WITHOUT ROWID on SQLite)."""

    __tablename__ = "customer_term"

    kind: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    term: Mapped[str] = mapped_column(TermText, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True, info={"merge": "rebuild"}
    )

    __table_args__ = (Index("ix_customer_term_customer_id", "customer_id"), {"sqlite_with_rowid": False})


def terms_of(names: Iterable[str], person: bool) -> Iterator[tuple[int, str]]:
    """All (kind, term) pairs of a customer's names, without repetitions. A name in letters that look like Latin ones is
    found by these, too."""
    seen: dict[tuple[int, str], None] = {}
    written = list(names)
    for name in dict.fromkeys([*written, *map(latin_form, written)]):
        terms = suffix_terms(name, person=person)
        groups = (
            (terms.name, NAME_START, NAME_INSIDE),
            (terms.pinyin, PINYIN_START, PINYIN_INSIDE),
            (terms.initials, INITIALS_START, INITIALS_INSIDE),
        )
        for group, start, inside in groups:
            for position, term in enumerate(group):
                seen[(inside if position else start, term)] = None
    return iter(seen)


def index_customers(customer_ids: Sequence[int]) -> None:
    """Write the terms of these customers anew (flushes only). Merged customers lose theirs to the one that was kept."""
    if not customer_ids:
        return
    db.session.execute(delete(CustomerTerm).where(CustomerTerm.customer_id.in_(customer_ids)))
    rows = db.session.execute(
        select(Customer.id, Customer.name, Customer.short_name, Customer.party).where(
            Customer.id.in_(customer_ids), Customer.status != "merged"
        )
    ).all()
    extra: dict[int, list[str]] = {}
    for owner, alias in db.session.execute(
        select(CustomerAlias.customer_id, CustomerAlias.alias).where(CustomerAlias.customer_id.in_(customer_ids))
    ):
        extra.setdefault(owner, []).append(alias)
    values = [
        {"kind": kind, "term": term, "customer_id": row.id}
        for row in rows
        for kind, term in terms_of(
            [row.name, *([row.short_name] if row.short_name else []), *extra.get(row.id, [])],
            row.party == "person",
        )
    ]
    if values:
        db.session.execute(insert(CustomerTerm), values)


def rebuild_all() -> int:
    """Index every customer anew, in chunks (inside the caller's transaction). Returns how many."""
    ids = list(db.session.scalars(select(Customer.id).order_by(Customer.id)))
    for start in range(0, len(ids), CHUNK):
        index_customers(ids[start : start + CHUNK])
    return len(ids)
