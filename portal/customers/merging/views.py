"""Pages of the merge: choose both, compare, preview, confirm; trace and undo."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.auth.current import current_actor
from portal.core.errors import Conflict, Invalid
from portal.core.numbers import id_from
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.core.web import access, refuse_large_id
from portal.customers import queries
from portal.customers.merging import services
from portal.customers.merging.fields import FIELD_KEYS, choices_of, table_label
from portal.customers.merging.forms import StartForm
from portal.customers.merging.listing import MERGES
from portal.customers.merging.models import CustomerMerge, CustomerMergeRow
from portal.customers.merging.permissions import MERGE
from portal.customers.merging.services import MERGED, MergeInput
from portal.customers.permissions import EDIT
from portal.customers.services.held import held_fields
from portal.extensions import db
from portal.i18n import _
from portal.pluginmanager import manager

blueprint = Blueprint("customers_merge", __name__, url_prefix="/customers/merge")


@blueprint.get("/")
@access(MERGE)
def start() -> Response | str:
    """Choose two customers; with both chosen, compare them field by field."""
    actor = current_actor()
    form = StartForm(request.args)
    if form.validate() and form.a.data and form.b.data:
        a, b = (queries.open_customer(chosen, actor, EDIT) for chosen in (form.a.data, form.b.data))
        try:
            services.require_merge(actor, a, b)
        except Invalid as error:
            form.show(error)
        else:
            choices = choices_of(a, b, held_fields((a.id, b.id), actor))
            reasons = [choice.held for choice in choices if choice.held and choice.differs]
            return render_template(
                "customers_merge/compare.html", kept=a, merged=b, choices=choices, held=reasons[0] if reasons else ""
            )
    return render_template("customers_merge/start.html", form=form)


def _input() -> MergeInput:
    def number(name: str) -> int:
        return id_from(request.form.get(name, "")) or 0

    choices = {key: request.form.get(f"field_{key}", "kept") for key in FIELD_KEYS}
    return MergeInput(number("kept"), number("merged"), choices, number("kept_version"), number("merged_version"))


@blueprint.post("/preview")
@access(MERGE)
def preview() -> Response | str:
    """What the merge will do: the values of the one record, and how many rows move."""
    actor = current_actor()
    data = _input()
    kept = queries.open_customer(data.kept_id, actor, EDIT)
    merged = queries.open_customer(data.merged_id, actor, EDIT)
    services.require_merge(actor, kept, merged)
    lines = [
        (choice, choice.merged if data.choices.get(choice.key) == MERGED else choice.kept)
        for choice in choices_of(kept, merged)
    ]
    services.refuse_against_held(kept, merged, data.choices, held_fields((kept.id, merged.id), actor))
    moves = services.movings(kept.id, merged.id)
    return render_template(
        "customers_merge/preview.html",
        kept=kept,
        merged=merged,
        data=data,
        lines=lines,
        moves=[(table_label(move.name), move) for move in moves],
        total=sum(move.rows - move.stays for move in moves),
        notes=manager().collect("customer_merge_notes", kept_id=kept.id, merged_id=merged.id, actor=actor),
    )


@blueprint.post("/")
@access(MERGE)
def merge() -> Response:
    """Do it."""
    data = _input()
    try:
        with transaction():
            merge_id = services.merge_customers(data, current_actor()).id
    except Conflict as error:
        flash(str(error.message), "warning")
        return redirect(url_for("customers_merge.start", a=data.kept_id, b=data.merged_id))
    flash(_("The customers were merged."), "success")
    return redirect(url_for("customers_merge.show", merge_id=merge_id))


@blueprint.get("/list")
@access(MERGE)
def index() -> str:
    """Merges of customers one may edit."""
    return render_template(
        "customers_merge/index.html", page=registry("listings")[MERGES].page(current_actor(), request.args)
    )


@blueprint.get("/<int:merge_id>")
@access(MERGE)
def show(merge_id: int) -> str:
    """What a merge did, and whether it can be undone."""
    found = services.get_merge(refuse_large_id(merge_id), current_actor())
    return _show(found)


def _show(found: CustomerMerge, reasons: list[str] | None = None) -> str:
    obstacles = services.obstacles(found) if found.undone_at is None else []
    return render_template("customers_merge/show.html", merge=found, obstacles=reasons or obstacles, **_trace(found))


def _trace(found: CustomerMerge) -> dict[str, Any]:
    import json

    from sqlalchemy import func, select

    counted = db.session.execute(
        select(CustomerMergeRow.table_name, CustomerMergeRow.column_name, func.count())
        .where(CustomerMergeRow.merge_id == found.id)
        .group_by(CustomerMergeRow.table_name, CustomerMergeRow.column_name)
        .order_by(CustomerMergeRow.table_name)
    )
    moved = [(table_label(table), column, count) for table, column, count in counted]
    stayed = [(table_label(name), len(ids)) for name, ids in json.loads(found.stayed_json).items()]
    return {"moved": moved, "stayed": stayed, "fields": services.shown_changes(found)}


@blueprint.post("/<int:merge_id>/undo")
@access(MERGE)
def undo(merge_id: int) -> Response | tuple[str, int]:
    """Take a merge back."""
    try:
        with transaction():
            kept_id = services.undo_merge(refuse_large_id(merge_id), current_actor()).kept_id
    except Conflict as error:
        found = services.get_merge(merge_id, current_actor())
        return _show(found, list(error.details.get("reasons", [str(error.message)]))), 409
    flash(_("The merge was undone."), "success")
    return redirect(url_for("customers.show", customer_id=kept_id))
