"""The list of one's own imports."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement

from portal.core import clock
from portal.core.components import tag
from portal.core.listing import Column, EmptyText, Listing, Scene
from portal.core.permissions import Actor
from portal.customers.importing.models import BatchState, ImportBatch
from portal.customers.importing.targets import import_targets
from portal.i18n import _l

IMPORTS = "imports"

STATES: dict[str, tuple[Any, str]] = {
    BatchState.DRAFT.value: (_l("Being prepared"), "neutral"),
    BatchState.CHECKING.value: (_l("Being checked"), "info"),
    BatchState.CHECKED.value: (_l("Checked"), "info"),
    BatchState.RUNNING.value: (_l("Being imported"), "info"),
    BatchState.DONE.value: (_l("Imported"), "success"),
    BatchState.UNDOING.value: (_l("Being taken back"), "warning"),
    BatchState.UNDONE.value: (_l("Taken back"), "neutral"),
}


def _target(row: Any, _context: Any) -> str:
    target = import_targets().get(row.target)
    return str(target.title) if target is not None else row.target


def imports_listing() -> Listing:
    """One's own imports, the newest first."""

    def where(actor: Actor) -> list[ColumnElement[bool]]:
        return [ImportBatch.owner_id == actor.user_id]

    return Listing(
        key=IMPORTS,
        title=_l("Imports"),
        endpoint="customers_import.index",
        identity=ImportBatch.id,
        source=lambda statement: statement,
        where=where,
        columns=[
            Column("file", _l("File"), {"file_name": ImportBatch.file_name}, sticky=True),
            Column("target", _l("What"), {"target": ImportBatch.target}, cell=_target),
            Column(
                "state",
                _l("State"),
                {"state": ImportBatch.state},
                cell=lambda row, _c: tag(STATES[row.state][0], STATES[row.state][1]),
            ),
            Column(
                "created",
                _l("Uploaded"),
                {"created_at": ImportBatch.created_at},
                cell=lambda row, _c: f"{clock.local(row.created_at):%Y-%m-%d %H:%M}",
                sort=ImportBatch.created_at,
            ),
        ],
        default_sort="-created",
        scenes=[Scene("done", _l("Imported"), lambda _actor: ImportBatch.state == BatchState.DONE.value)],
        row_url=lambda row: url_for("customers_import.show", batch_id=row.id),
        muted=lambda row: getattr(row, "state", "") == BatchState.UNDONE.value,
        empty=EmptyText(
            _l("Nothing was imported yet"),
            _l("Bring customers and purchases in from a spreadsheet. You see what will happen first."),
            _l("Import a file"),
            "customers_import.start",
        ),
    )
