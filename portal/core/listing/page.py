"""One page of a list, ready for the template: plain values, no queries left to make."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import current_app, url_for
from sqlalchemy import Integer, Select, bindparam, or_, select
from sqlalchemy.exc import OperationalError, StatementError

from portal.core.listing import keyset
from portal.core.listing.definition import CellContext, Filter, Listing
from portal.core.listing.models import SavedView
from portal.core.listing.query import PAGE_SIZES, Query
from portal.core.permissions import Actor, can, registry
from portal.core.web import declared_access
from portal.extensions import db
from portal.i18n import _

#: With more visible branches than this the plain condition is cheaper.
MOST_BRANCHES = 12


@dataclass(frozen=True)
class HeadCell:
    """A column's head."""

    key: str
    label: Any
    sort_url: str | None
    sorted: str | None
    align: str
    sticky: bool


@dataclass(frozen=True)
class PageRow:
    """A row: its cells are strings or Markup, parallel to the columns."""

    id: int
    url: str | None
    cells: list[Any]
    muted: bool = False


@dataclass(frozen=True)
class Chip:
    """An applied filter."""

    label: str
    remove_url: str


@dataclass(frozen=True)
class FilterBox:
    """A filter with what was chosen."""

    key: str
    label: Any
    kind: str
    choices: list[tuple[str, Any, bool]]
    value: str = ""
    value_to: str = ""


@dataclass(frozen=True)
class Link:
    """A scene or a saved view."""

    label: Any
    url: str
    active: bool
    count: int | None = None
    pinned: bool = False
    shared: bool = False
    id: int | None = None
    own: bool = False


@dataclass(frozen=True)
class BulkButton:
    """A bulk action of this page."""

    key: str
    label: Any
    url: str
    tone: str


@dataclass(frozen=True)
class EmptyNote:
    """Why the page is empty and what to do."""

    title: str
    text: str
    action_label: str = ""
    action_url: str | None = None


@dataclass(frozen=True)
class ListPage:
    """Everything that the template draws."""

    key: str
    title: Any
    path: str
    columns: list[HeadCell]
    rows: list[PageRow]
    prev_url: str | None
    next_url: str | None
    chips: list[Chip]
    filters: list[FilterBox]
    scenes: list[Link]
    views: list[Link]
    bulk_actions: list[BulkButton]
    choose_columns: list[tuple[str, Any, bool]]
    empty: EmptyNote
    form_fields: list[tuple[str, str]]
    query_string: str
    search_value: str = ""
    searchable: bool = False
    save_view_url: str | None = None
    export_url: str | None = None
    clear_url: str = ""
    size: int = 50
    sizes: tuple[int, ...] = PAGE_SIZES
    problems: list[str] = field(default_factory=list)
    #: whether "all results" can be chosen besides the rows of this page
    more_than_page: bool = False


def build_page(listing: Listing, actor: Actor, args: Any, route: dict[str, Any]) -> ListPage:
    """Fetch and lay out one page: one statement for the rows, one for saved views, those of `prepare`."""
    query = Query.read(listing, actor, args)
    path = url_for(listing.endpoint, **route)
    rows, has_before, has_after = _fetch(query, args)
    extras = listing.prepare(rows, actor) if listing.prepare and rows else {}
    context = CellContext(actor, extras)
    columns = query.columns
    page_rows = [
        PageRow(
            row.id,
            listing.row_url(row),
            [column.value(row, context) for column in columns],
            listing.muted(row) if listing.muted else False,
        )
        for row in rows
    ]
    prev_url = query.url(path, before=keyset.encode(rows[0].sort_value, rows[0].id)) if has_before and rows else None
    next_url = query.url(path, after=keyset.encode(rows[-1].sort_value, rows[-1].id)) if has_after and rows else None
    may_export = listing.export_permission is None or can(actor, listing.export_permission)
    return ListPage(
        key=listing.key,
        title=listing.title,
        path=path,
        columns=_heads(query, path),
        rows=page_rows,
        prev_url=prev_url,
        next_url=next_url,
        chips=_chips(query, path),
        filters=[_box(filter_, query, actor) for filter_ in listing.filters],
        scenes=_scenes(query, path),
        views=_views(query, path),
        bulk_actions=[
            BulkButton(action.key, action.label, url_for(action.endpoint), action.tone)
            for action in listing.bulk_actions
            if action.applies(actor)
        ],
        choose_columns=[(column.key, column.label, column in columns) for column in listing.columns],
        empty=_empty(query, path, actor),
        form_fields=[(name, value) for name, value in query.pairs if name in {"sort", "cols", "n", "scene"}],
        query_string=urlencode(query.pairs),
        search_value=query.text,
        searchable=listing.search is not None,
        save_view_url=url_for("home.save_view") if actor.user_id is not None else None,
        export_url=query.url(url_for(listing.export_endpoint), listing=listing.key)
        if listing.export_endpoint and may_export
        else None,
        clear_url=query.url(path, without=tuple({name for name, _v in query.pairs} - {"sort", "cols", "n"})),
        size=query.size,
        problems=query.problems,
        more_than_page=has_before or has_after,
    )


def _fetch(query: Query, args: Any) -> tuple[list[Any], bool, bool]:
    """Rows of the page, and whether there are rows before and behind it. No count over everything."""
    backwards = keyset.decode(args.get("before", "")) if args.get("before") else None
    forwards = keyset.decode(args.get("after", "")) if args.get("after") and backwards is None else None
    cursor = backwards or forwards
    rows = _behind(query, cursor, backwards is not None) if cursor is not None else []
    if not rows:
        rows = list(db.session.execute(_page_statement(query, None, False)))
        backwards = forwards = None
    more = len(rows) > query.size
    rows = rows[: query.size]
    if backwards is not None:
        rows.reverse()
        return rows, more, True
    return rows, forwards is not None, more


def _behind(query: Query, cursor: keyset.Cursor, reverse: bool) -> list[Any]:
    """The rows behind a cursor; none when they are gone meanwhile or the cursor is of another column's type: the first
    page is shown then."""
    try:
        return list(db.session.execute(_page_statement(query, cursor, reverse), keyset.parameters(cursor)))
    except (TypeError, ValueError, ArithmeticError, StatementError) as error:
        if isinstance(error, OperationalError):
            raise
        db.session.rollback()  # PostgreSQL answers nothing more before it
        return []


def _page_statement(query: Query, cursor: keyset.Cursor | None, reverse: bool) -> Select[Any]:
    """The rows of a page and one more, to know whether there is a next page."""
    branches = query.listing.branches(query.actor) if query.listing.branches else []
    if not 1 < len(branches) <= MOST_BRANCHES:
        branches = []
    return query.rows(query.size + 1, branches, behind=cursor is not None, reverse=reverse)


def _heads(query: Query, path: str) -> list[HeadCell]:
    heads = []
    for column in query.columns:
        state = url = None
        if column.sort is not None:
            if column is query.sort:
                state = "desc" if query.descending else "asc"
            reverse = column is query.sort and not query.descending
            url = query.url(path, sort=f"-{column.key}" if reverse else column.key)
        heads.append(HeadCell(column.key, column.label, url, state, column.align, column.sticky))
    return heads


def _chips(query: Query, path: str) -> list[Chip]:
    chips = []
    if query.text:
        chips.append(Chip(_("Search: %(text)s", text=query.text), query.url(path, without=("q",))))
    for filter_ in query.listing.filters:
        value = query.chosen.get(filter_.key)
        if value is None:
            continue
        names = (filter_.key, f"{filter_.key}_from", f"{filter_.key}_to")
        chips.append(
            Chip(f"{filter_.label}{_(': ')}{_words(filter_, value, query.actor)}", query.url(path, without=names))
        )
    return chips


def _words(filter_: Filter, value: Any, actor: Actor) -> str:
    if filter_.kind == "choice" and filter_.choices:
        labels = {key: str(label) for key, label in filter_.choices(actor)}
        return _(" or ").join(labels[key] for key in value.values)
    if filter_.kind == "flag":
        return _("yes")
    if filter_.kind == "text":
        return str(value.values[0])
    low = "" if value.low is None else str(value.low)
    high = "" if value.high is None else str(value.high)
    return f"{low} – {high}"


def _box(filter_: Filter, query: Query, actor: Actor) -> FilterBox:
    value = query.chosen.get(filter_.key)
    chosen = set(value.values) if value else set()
    choices = [(key, label, key in chosen) for key, label in (filter_.choices(actor) if filter_.choices else ())]
    if filter_.kind in {"text", "flag"}:
        return FilterBox(filter_.key, filter_.label, filter_.kind, choices, value.values[0] if value else "")
    low = "" if value is None or value.low is None else str(value.low)
    high = "" if value is None or value.high is None else str(value.high)
    return FilterBox(filter_.key, filter_.label, filter_.kind, choices, low, high)


def _scenes(query: Query, path: str) -> list[Link]:
    scenes = [scene for scene in query.listing.scenes if scene.applies(query.actor)]
    if not scenes:
        return []
    everything = Link(_("All"), query.url(path, without=("scene",)), query.scene is None)
    return [
        everything,
        *(Link(scene.label, query.url(path, scene=scene.key), scene is query.scene) for scene in scenes),
    ]


def _views(query: Query, path: str) -> list[Link]:
    if query.actor.user_id is None:
        return []
    rows = db.session.execute(_views_statement(), {"listing": query.listing.key, "person": query.actor.user_id})
    present = sorted(query.pairs)
    return [
        Link(
            row.name,
            f"{path}?{row.query}",
            sorted(parse_qsl(row.query)) == present,
            pinned=row.is_pinned,
            shared=row.is_shared,
            id=row.id,
            own=row.owner_id == query.actor.user_id,
        )
        for row in rows
    ]


@cache
def _views_statement() -> Select[*tuple[Any, ...]]:
    """Built once: every list asks it."""
    return (
        select(
            SavedView.id, SavedView.name, SavedView.query, SavedView.is_pinned, SavedView.is_shared, SavedView.owner_id
        )
        .where(
            SavedView.listing == bindparam("listing"),
            or_(SavedView.owner_id == bindparam("person", type_=Integer), SavedView.is_shared),
        )
        .order_by(SavedView.is_pinned.desc(), SavedView.name)
        .limit(50)
    )


def _empty(query: Query, path: str, actor: Actor) -> EmptyNote:
    if query.is_narrowed:
        clear = tuple({name for name, _value in query.pairs} - {"sort", "cols", "n"})
        return EmptyNote(
            _("Nothing matches these filters"),
            _("Take a filter away or search for something else."),
            _("Clear all filters"),
            query.url(path, without=clear),
        )
    text = query.listing.empty
    offered = bool(text.action_endpoint) and _may_open(text.action_endpoint, actor)
    url = url_for(text.action_endpoint) if offered else None
    return EmptyNote(str(text.title) or _("Nothing here yet"), str(text.text), str(text.action_label), url)


def _may_open(endpoint: str, actor: Actor) -> bool:
    """Whether a page without an object opens for the actor, as its view declares."""
    permission = registry().permissions.get(declared_access(current_app, endpoint) or "")
    return permission is None or can(actor, permission.name)
