"""What a list consists of. Modules build these once; plugins extend them (hook register_listing_columns)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sqlalchemy import Select, SQLColumnExpression, func, select
from werkzeug.datastructures import MultiDict

from portal.core.numbers import id_from
from portal.core.permissions import Actor
from portal.extensions import db

if TYPE_CHECKING:
    from portal.core.listing.page import ListPage

#: The most rows that one bulk action takes.
BULK_LIMIT = 5000


@dataclass(frozen=True)
class CellContext:
    """What a cell may use besides its row: the actor and what `Listing.prepare` fetched for the whole page."""

    actor: Actor
    extras: Mapping[str, Any]


Cell = Callable[[Any, CellContext], Any]


@dataclass(frozen=True)
class Column:
    """A column of a list.

    :ivar fields: result name → SQL expression; the row has an attribute of each name.
    :ivar cell: what is shown: a string (will be escaped) or Markup; default: the only field's value.
    :ivar sort: NOT NULL expression to sort by, covered by an index (…, sort, id) where lists are long; None: not
        sortable.
    :ivar export: value for a spreadsheet; default: the only field's value.
    :ivar export_label: heading in a spreadsheet, where the label says too little without its list; default: the label.
    """

    key: str
    label: Any
    fields: Mapping[str, SQLColumnExpression[Any]]
    cell: Cell | None = None
    sort: SQLColumnExpression[Any] | None = None
    export: Cell | None = None
    export_label: Any = None
    default: bool = True
    align: str = "start"
    sticky: bool = False

    def value(self, row: Any, context: CellContext) -> Any:
        """The shown content of a cell."""
        if self.cell is not None:
            return self.cell(row, context)
        value = getattr(row, next(iter(self.fields)))
        return "" if value is None else value

    @property
    def heading(self) -> str:
        """The heading in a spreadsheet."""
        return str(self.label if self.export_label is None else self.export_label)

    def export_value(self, row: Any, context: CellContext) -> Any:
        """The exported content of a cell."""
        if self.export is not None:
            return self.export(row, context)
        return getattr(row, next(iter(self.fields))) if self.fields else ""


@dataclass(frozen=True)
class FilterValue:
    """What was chosen in a filter: values of a choice or text, or the two ends of a range."""

    values: tuple[str, ...] = ()
    low: date | Decimal | None = None
    high: date | Decimal | None = None


@dataclass(frozen=True)
class Filter:
    """A filter. Kinds: choice (several values: one of them), text, date_range, number_range, flag.

    :ivar where: builds the SQL condition.
    :ivar choices: for choice: (value, label) pairs for this actor; only these values are accepted.
    """

    key: str
    label: Any
    kind: str
    where: Callable[[FilterValue, Any], SQLColumnExpression[bool]]
    choices: Callable[[Any], Sequence[tuple[str, Any]]] | None = None


@dataclass(frozen=True)
class Scene:
    """A built-in selection such as "mine" or "to be contacted today". `applies`: who sees it."""

    key: str
    label: Any
    where: Callable[[Any], SQLColumnExpression[bool]]
    applies: Callable[[Any], bool] = lambda _actor: True


@dataclass(frozen=True)
class BulkAction:
    """An action on selected rows; `endpoint` gets a POST with `ids`, or with `all=1` and the list's `query`."""

    key: str
    label: Any
    endpoint: str
    tone: str = "secondary"
    applies: Callable[[Any], bool] = lambda _actor: True


@dataclass(frozen=True)
class EmptyText:
    """What an empty list says."""

    title: Any
    text: Any = ""
    action_label: Any = ""
    action_endpoint: str = ""


@dataclass
class Listing:
    """A list.

    :ivar key: unique, e.g. "customers".
    :ivar identity: the primary key column; the row's `id`.
    :ivar source: adds joins to the statement.
    :ivar where: conditions that always hold for this actor: the visibility rule goes here.
    :ivar branches: the visible rows as several conditions (`visible_branches`), for lists that are long and sorted.
    :ivar row_url: address of a row, from the row.
    :ivar default_sort: column key, with "-" in front for descending.
    :ivar search: condition for the text in the list's own search field.
    :ivar prepare: fetches what cells need for the whole page at once (badges, names): rows, actor → mapping.
    """

    key: str
    title: Any
    endpoint: str
    identity: SQLColumnExpression[int]
    source: Callable[[Select[Any]], Select[Any]]
    where: Callable[[Any], Sequence[SQLColumnExpression[bool]]]
    columns: list[Column]
    default_sort: str
    filters: list[Filter] = field(default_factory=list)
    scenes: list[Scene] = field(default_factory=list)
    bulk_actions: list[BulkAction] = field(default_factory=list)
    row_url: Callable[[Any], str | None] = lambda _row: None
    search: Callable[[str, Any], SQLColumnExpression[bool]] | None = None
    prepare: Callable[[Sequence[Any], Any], Mapping[str, Any]] | None = None
    empty: EmptyText = field(default_factory=lambda: EmptyText(""))
    export_endpoint: str | None = None
    export_permission: str | None = None
    branches: Callable[[Any], Sequence[SQLColumnExpression[bool]]] | None = None
    muted: Callable[[Any], bool] | None = None
    page_size: int = 50

    def extend(self, additions: Iterable[Column | Filter | Scene | BulkAction]) -> None:
        """Add what other modules offer. :raises ValueError: when a key is taken."""
        for addition in additions:
            target: Any
            if isinstance(addition, Column):
                target = self.columns
            elif isinstance(addition, Filter):
                target = self.filters
            elif isinstance(addition, Scene):
                target = self.scenes
            else:
                target = self.bulk_actions
            if any(other.key == addition.key for other in target):
                raise ValueError(f"list {self.key!r} has {addition.key!r} twice")
            target.append(addition)

    def page(self, actor: Actor, args: Any, **route: Any) -> ListPage:
        """Draw one page. `args` is the query (a MultiDict); `route` are the endpoint's path parameters."""
        from portal.core.listing.page import build_page

        return build_page(self, actor, args, route)

    def statement(self, actor: Actor, args: Any, columns: Sequence[Column] = ()) -> Select[Any]:
        """All rows of the query in `args`, in its order, without paging."""
        from portal.core.listing.query import Query

        query = Query.read(self, actor, args)
        return query.ordered(query.select(columns))

    def count_up_to(self, actor: Actor, args: Any, limit: int = BULK_LIMIT) -> int:
        """How many rows the query has, counted no further than `limit` + 1."""
        from portal.core.listing.query import Query

        inner = Query.read(self, actor, args).select(()).limit(limit + 1).subquery()
        return int(db.session.scalar(select(func.count()).select_from(inner)) or 0)

    def selected_ids(self, actor: Actor, form: Any) -> list[int]:
        """Ids that a bulk action was asked for: the ticked `ids`, or with `all` every row of the posted `query`.

        Only rows that the list shows to this actor are returned, at most `BULK_LIMIT`.
        """
        from portal.core.listing.query import Query

        if form.get("all"):
            args = MultiDict(parse_qsl(form.get("query", "")[:4000]))
            statement = self.statement(actor, args).limit(BULK_LIMIT)
        else:
            sent = (id_from(value) for value in form.getlist("ids")[:BULK_LIMIT])
            wanted = {number for number in sent if number is not None}
            if not wanted:
                return []
            query = Query.bare(self, actor)
            statement = query.select(()).where(self.identity.in_(wanted))
        return [row.id for row in db.session.execute(statement)]

    def shows_all(self, actor: Actor, ids: Sequence[int]) -> bool:
        """Whether the list, without any choice, shows the actor each of these rows now; a statement per 5000."""
        from portal.core.listing.query import Query

        bare = Query.bare(self, actor).select(())
        for start in range(0, len(ids), BULK_LIMIT):
            part = ids[start : start + BULK_LIMIT]
            shown = bare.where(self.identity.in_(part)).subquery()
            if db.session.scalar(select(func.count(shown.c.id.distinct()))) != len(set(part)):
                return False
        return True

    def export_rows(
        self, actor: Actor, args: Any, taken: Callable[[int], None] = lambda _id: None
    ) -> tuple[list[str], Iterator[list[Any]]]:
        """Headers and rows of exactly the chosen columns and filters, streamed.

        :param taken: told the id of each row that goes out.
        """
        from portal.core.listing.query import Query

        query = Query.read(self, actor, args)
        columns = query.columns
        headers = [column.heading for column in columns]

        def rows() -> Iterator[list[Any]]:
            statement = query.ordered(query.select(columns)).execution_options(yield_per=500)
            for part in db.session.execute(statement).partitions():
                extras = self.prepare(part, actor) if self.prepare else {}
                context = CellContext(actor, extras)
                for row in part:
                    taken(row.id)
                    yield [column.export_value(row, context) for column in columns]

        return headers, rows()
