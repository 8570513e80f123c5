"""Reading a list's query from the URL and turning it into SQL. Whatever the URL holds, the answer is never an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Select, SQLColumnExpression, select, union_all

from portal.core.listing import keyset
from portal.core.listing.definition import Column, Filter, FilterValue, Listing, Scene
from portal.core.numbers import whole_from
from portal.core.permissions import Actor
from portal.core.text import clean_name
from portal.i18n import _

PAGE_SIZES = (20, 50, 100, 200)
MAX_VALUES = 200
MAX_TEXT = 100
#: Dates outside are typing errors (0203 for 2023).
FIRST_YEAR, LAST_YEAR = 1900, 2100


@dataclass
class Query:
    """A list's query: what is chosen, in the form of the URL and of SQL."""

    listing: Listing
    actor: Actor
    columns: list[Column]
    sort: Column
    descending: bool
    size: int
    chosen: dict[str, FilterValue] = field(default_factory=dict)
    scene: Scene | None = None
    text: str = ""
    problems: list[str] = field(default_factory=list)
    #: (name, value) pairs that reproduce the query, without cursor
    pairs: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def bare(cls, listing: Listing, actor: Actor) -> Query:
        """The list without any choice."""
        sort, descending = _sort(listing, listing.default_sort)
        columns = [column for column in listing.columns if column.default]
        return cls(listing, actor, columns, sort, descending, listing.page_size)

    @classmethod
    def read(cls, listing: Listing, actor: Actor, args: Any) -> Query:
        """Read a URL's query; unknown parameters are ignored, bad values are noted in `problems`."""
        query = cls.bare(listing, actor)
        query._read_columns(args)
        query._read_sort(args)
        query._read_size(args)
        query._read_scene(args)
        query._read_text(args)
        for filter_ in listing.filters:
            query._read_filter(filter_, args)
        return query

    def _read_columns(self, args: Any) -> None:
        # The column chooser sends one `cols` per column; links carry them joined by dots.
        wanted = [key for value in args.getlist("cols")[:50] for key in value.split(".") if key][:50]
        by_key = {column.key: column for column in self.listing.columns}
        chosen = [by_key[key] for key in dict.fromkeys(wanted) if key in by_key]
        if chosen:
            sticky = [column for column in self.listing.columns if column.sticky and column not in chosen]
            self.columns = [*sticky, *chosen]
            self.pairs.append(("cols", ".".join(column.key for column in self.columns)))

    def _read_sort(self, args: Any) -> None:
        raw = args.get("sort", "")
        if raw and any(c.key == raw.removeprefix("-") and c.sort is not None for c in self.listing.columns):
            self.sort, self.descending = _sort(self.listing, raw)
            self.pairs.append(("sort", raw))

    def _read_size(self, args: Any) -> None:
        raw = args.get("n", "")
        size = whole_from(raw, 4)
        if size in PAGE_SIZES:
            self.size = size
            self.pairs.append(("n", raw))

    def _read_scene(self, args: Any) -> None:
        key = args.get("scene", "")
        for scene in self.listing.scenes:
            if scene.key == key and scene.applies(self.actor):
                self.scene = scene
                self.pairs.append(("scene", key))

    def _read_text(self, args: Any) -> None:
        text = clean_name(args.get("q", ""))[:MAX_TEXT]
        if text and self.listing.search is not None:
            self.text = text
            self.pairs.append(("q", text))

    def _read_filter(self, filter_: Filter, args: Any) -> None:
        if filter_.kind == "choice":
            self._read_choice(filter_, args)
        elif filter_.kind in {"text", "flag"}:
            text = clean_name(args.get(filter_.key, ""))[:MAX_TEXT]
            if text:
                self._choose(filter_.key, FilterValue((text,)), [(filter_.key, text)])
        else:
            self._read_range(filter_, args)

    def _read_choice(self, filter_: Filter, args: Any) -> None:
        values = args.getlist(filter_.key)[:MAX_VALUES]
        if not values:
            return
        accepted = {value for value, _label in (filter_.choices(self.actor) if filter_.choices else ())}
        known = tuple(dict.fromkeys(value for value in values if value in accepted))
        if len(known) < len([value for value in values if value]):
            self.problems.append(
                _("A value of the filter “%(name)s” is not known and was left out.", name=filter_.label)
            )
        if known:
            self._choose(filter_.key, FilterValue(known), [(filter_.key, value) for value in known])

    def _read_range(self, filter_: Filter, args: Any) -> None:
        reader = _read_date if filter_.kind == "date_range" else _read_number
        ends: dict[str, Any] = {}
        pairs = []
        for end in ("from", "to"):
            raw = args.get(f"{filter_.key}_{end}", "").strip()
            if not raw:
                continue
            value = reader(raw)
            if value is None:
                self.problems.append(
                    _("“%(value)s” in the filter “%(name)s” was not understood.", value=raw[:40], name=filter_.label)
                )
            else:
                ends[end] = value
                pairs.append((f"{filter_.key}_{end}", raw))
        if ends:
            self._choose(filter_.key, FilterValue(low=ends.get("from"), high=ends.get("to")), pairs)

    def _choose(self, key: str, value: FilterValue, pairs: list[tuple[str, str]]) -> None:
        self.chosen[key] = value
        self.pairs.extend(pairs)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was chosen that can hide rows."""
        return bool(self.chosen or self.scene or self.text)

    def conditions(self) -> list[SQLColumnExpression[bool]]:
        """All conditions: the list's own (visibility) and the chosen ones. Groups are joined by AND."""
        found = list(self.listing.where(self.actor))
        if self.scene is not None:
            found.append(self.scene.where(self.actor))
        if self.text and self.listing.search is not None:
            found.append(self.listing.search(self.text, self.actor))
        by_key = {filter_.key: filter_ for filter_ in self.listing.filters}
        found.extend(by_key[key].where(value, self.actor) for key, value in self.chosen.items())
        return found

    def select(self, columns: Sequence[Column]) -> Select[Any]:
        """The statement with the fields of the columns; the row's identity is `id`, its sort value `sort_value`."""
        return _selected(_Same(self.listing), tuple(column.key for column in columns), self.sort.key).where(
            *self.conditions()
        )

    def ordered(self, statement: Select[Any], reverse: bool = False) -> Select[Any]:
        """Order by the chosen column, then by identity."""
        return statement.order_by(*_order(_Same(self.listing), self.sort.key, self.descending != reverse))

    def rows(
        self,
        size: int,
        branches: Sequence[SQLColumnExpression[bool]] = (),
        *,
        behind: bool = False,
        reverse: bool = False,
    ) -> Select[Any]:
        """So many rows of the present columns; the same object while the conditions are the same ones.

        :param branches: conditions of which each row meets one; each is asked for its own first rows.
        :param behind: from a cursor on, given as `keyset.parameters`. :param reverse: from the end.
        """
        columns = tuple(column.key for column in self.columns)
        order = (self.sort.key, self.descending != reverse)
        conditions = tuple(self.conditions())
        return _rows(_Same(self.listing), columns, order, size, conditions, tuple(branches), behind)

    def url(self, path: str, without: tuple[str, ...] = (), **changes: str) -> str:
        """Address of this query with some parameters left out and others added."""
        pairs = [(name, value) for name, value in self.pairs if name not in without and name not in changes]
        pairs.extend((name, value) for name, value in changes.items() if value != "")
        return f"{path}?{urlencode(pairs)}" if pairs else path


class _Same:
    """A listing as a key: the very same one."""

    __slots__ = ("listing",)

    def __init__(self, listing: Listing) -> None:
        self.listing = listing

    def __hash__(self) -> int:
        return id(self.listing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.listing is self.listing


# The parts of a statement that do not depend on who asks are built once.


@lru_cache(maxsize=512)
def _selected(same: _Same, columns: tuple[str, ...], sort_key: str) -> Select[Any]:
    listing = same.listing
    fields: dict[str, SQLColumnExpression[Any]] = {}
    for column in listing.columns:
        if column.key in columns:
            fields.update(column.fields)
    sort = _sort_of(listing, sort_key)
    statement: Any = select(
        listing.identity.label("id"),
        sort.label("sort_value"),
        *(expression.label(name) for name, expression in fields.items() if name != "id"),
    )
    return listing.source(statement)


@lru_cache(maxsize=512)
def _order(same: _Same, sort_key: str, descending: bool) -> tuple[Any, ...]:
    identity = same.listing.identity
    sort = _sort_of(same.listing, sort_key)
    parts = (identity,) if sort is identity else (sort, identity)
    return tuple(part.desc() if descending else part.asc() for part in parts)


@lru_cache(maxsize=512)
def _rows(
    same: _Same,
    columns: tuple[str, ...],
    order: tuple[str, bool],
    size: int,
    conditions: tuple[Any, ...],
    branches: tuple[Any, ...],
    behind: bool,
) -> Select[Any]:
    sort_key, descending = order
    if behind:
        start = keyset.beyond_cursor(_sort_of(same.listing, sort_key), same.listing.identity, descending)
        conditions = (*conditions, start)
    statement = _selected(same, columns, sort_key).where(*conditions)
    if branches:
        bare = _selected(same, (), sort_key).where(*conditions)
        firsts = [bare.where(branch).order_by(*_order(same, *order)).limit(size) for branch in branches]
        statement = statement.where(_among(same.listing, firsts))
    return statement.order_by(*_order(same, *order)).limit(size)


def _among(listing: Listing, firsts: Sequence[Select[Any]]) -> SQLColumnExpression[bool]:
    """The rows that one of some statements (`Query.select`) gives."""
    ids = union_all(*(select(first.subquery().c.id) for first in firsts))
    return listing.identity.in_(ids)


def _sort_of(listing: Listing, key: str) -> SQLColumnExpression[Any]:
    column = next(column for column in listing.columns if column.key == key)
    return column.sort if column.sort is not None else listing.identity


def _sort(listing: Listing, key: str) -> tuple[Column, bool]:
    wanted = key.removeprefix("-")
    column = next(column for column in listing.columns if column.key == wanted)
    return column, key.startswith("-")


def _read_date(raw: str) -> date | None:
    try:
        value = date.fromisoformat(raw)
    except ValueError:
        return None
    return value if FIRST_YEAR <= value.year <= LAST_YEAR else None


def _read_number(raw: str) -> Decimal | None:
    try:
        value = Decimal(raw.replace(",", ""))
    except (InvalidOperation, ValueError):
        return None
    return value if value.is_finite() and abs(value) < 10**15 else None
