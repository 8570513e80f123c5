"""The list of documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from sqlalchemy import func, or_
from sqlalchemy.orm import aliased

from portal.core import clock
from portal.core.components import tag
from portal.core.listing import CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import moment_within, value_in
from portal.core.permissions import Actor
from portal.documents import queries
from portal.documents.models import ERASED, FAILED, READY, RESERVED, Document
from portal.i18n import _l
from portal.org.models import User

Maker = aliased(User)

STATE_LABELS: dict[str, tuple[Any, str]] = {
    RESERVED: (_l("Being made"), "info"),
    READY: (_l("Ready"), "success"),
    FAILED: (_l("Making failed"), "danger"),
    ERASED: (_l("Content erased"), "neutral"),
}


def _kind_choices(_actor: Actor) -> Sequence[tuple[str, Any]]:
    return [(kind.key, kind.title) for kind in queries.kinds()]


def _state_choices(_actor: Actor) -> Sequence[tuple[str, Any]]:
    return [(state, label) for state, (label, _tone) in STATE_LABELS.items()]


def _kind_cell(row: Any, _context: CellContext) -> Any:
    kind = queries.kinds().get(row.kind)
    return kind.title if kind else row.kind


def _state_cell(row: Any, _context: CellContext) -> Any:
    label, tone = STATE_LABELS[row.state]
    return tag(label, tone)


def _search(text: str, _actor: Actor) -> Any:
    return or_(
        Document.number.icontains(text, autoescape=True),
        Document.title.icontains(text, autoescape=True),
        Document.subject.icontains(text, autoescape=True),
    )


def documents_listing() -> Listing:
    """The list at /documents; columns of other modules may be added to it."""
    return Listing(
        key="documents",
        title=_l("Documents"),
        endpoint="documents.index",
        identity=Document.id,
        source=lambda statement: statement.select_from(Document).outerjoin(Maker, Maker.id == Document.made_by_id),
        where=lambda actor: [queries.readable(actor)],
        columns=[
            Column("number", _l("Document number"), {"number": Document.number}, sort=Document.number, sticky=True),
            Column("title", _l("Document title"), {"title": Document.title}),
            Column("kind", _l("Kind of document"), {"kind": Document.kind}, cell=_kind_cell, export=_kind_cell),
            Column("version", _l("Version"), {"version": Document.version}, align="end", default=False),
            Column("pages", _l("Pages"), {"pages": Document.pages}, align="end"),
            Column(
                "state",
                _l("State"),
                {"state": Document.state},
                cell=_state_cell,
                export=lambda row, _context: str(STATE_LABELS[row.state][0]),
            ),
            Column("made_by", _l("Made by"), {"made_by": func.coalesce(Maker.name, "")}),
            Column(
                "made_at",
                _l("Made at"),
                {"made_at": Document.made_at},
                cell=lambda row, _context: clock.local(row.made_at).strftime("%Y-%m-%d %H:%M"),
                sort=Document.id,
            ),
        ],
        filters=[
            Filter(
                "kind",
                _l("Kind of document"),
                "choice",
                value_in(Document.kind),
                _kind_choices,
            ),
            Filter("state", _l("State"), "choice", value_in(Document.state), _state_choices),
            Filter("made", _l("Made at"), "date_range", moment_within(Document.made_at)),
        ],
        scenes=[
            Scene("mine", _l("Made by me"), lambda actor: Document.made_by_id == actor.user_id),
        ],
        default_sort="-made_at",
        search=_search,
        row_url=lambda row: url_for("documents.show", document_id=row.id),
        muted=lambda row: getattr(row, "state", READY) == ERASED,
        empty=EmptyText(
            _l("No documents yet"),
            _l("Cards, reports and certificates that you make or may read appear here, each with its own number."),
        ),
    )
