"""Pages of the print station and of the register of copies."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from plugins.archive import limits
from plugins.archive.copies import documents, queries, services, states
from plugins.archive.copies import vocabulary as words
from plugins.archive.copies.actions import CopyAction
from plugins.archive.copies.forms import StepForm, fields_of
from plugins.archive.copies.listings import REGISTER_LIST, is_overdue
from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.copies.numbers import normal_number
from plugins.archive.lookups import vocabulary as lookup_words
from plugins.archive.lookups.grants import Ended, note_refusal
from plugins.archive.permissions import ASK, PACK, PRINT, REGISTER
from portal.audit.services import record
from portal.auth.current import current_actor
from portal.core import settings
from portal.core.errors import Conflict, Invalid, TooMany
from portal.core.forms import new_token
from portal.core.permissions import can
from portal.core.transaction import transaction
from portal.core.web import access, refuse_large_id
from portal.extensions import db
from portal.i18n import _
from portal.jobs.models import JobRun
from portal.org import queries as org

blueprint = Blueprint("archive_copies", __name__, url_prefix="/archive/copies", template_folder="../templates")

#: The reader of the browser writes styles into a PDF.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"
#: Copies that wait for their destruction, shown at the station; all of them stand in the register.
RETURNED_SHOWN = 20
#: The steps as they stand in an address.
_STEPS = "any(" + ",".join(states.BY_OPERATOR) + ")"


@blueprint.get("/")
@access(ASK)
def index() -> str:
    """The register of copies: all of them, or those of one's departments, or one's own."""
    actor = current_actor()
    return render_template(
        "archive/copies/index.html",
        page=REGISTER_LIST.page(actor, request.args),
        may_print=can(actor, REGISTER),
    )


@blueprint.post("/register")
@access(REGISTER)
def make_register() -> ResponseReturnValue:
    """The register on paper: a numbered PDF of the present list."""
    document = documents.make_register(current_actor(), request.form.get("query", "")[:4000])
    return redirect(url_for("documents.show", document_id=document.id))


@blueprint.get("/find")
@access(ASK)
def find() -> ResponseReturnValue:
    """Who had a copy: by the number on the paper."""
    actor = current_actor()
    text = request.args.get("number", "").strip()[:80]
    if not text:
        return render_template("archive/copies/find.html", text="", valid=True)
    with transaction():
        refusal = limits.search_refusal(actor)
    if refusal:
        return render_template("archive/copies/find.html", text=text, valid=True, refusal=refusal), 429
    copy = queries.by_number(text, actor)
    if copy is None:
        with transaction():
            record(
                actor,
                CopyAction.SEARCHED,
                object_type="archive_register",
                object_id=None,
                new={"found": False},
                result="refused",
            )
        valid = normal_number(text) is not None
        return render_template("archive/copies/find.html", text=text, valid=valid), 404
    _note_search(copy, CopyAction.SEARCHED)
    return redirect(url_for(".show", copy_id=copy.id))


@blueprint.get("/q/<token>")
@access(ASK)
def by_token(token: str) -> ResponseReturnValue:
    """Where the code on a sheet leads: the copy's entry in the register."""
    copy = queries.by_token(token[:64], current_actor())
    _note_search(copy, CopyAction.SCANNED)
    return redirect(url_for(".show", copy_id=copy.id))


def _note_search(copy: ArchiveCopy, action: CopyAction) -> None:
    actor = current_actor()
    copy_id, number, customer_id = copy.id, copy.number, copy.customer_id
    with transaction():
        record(
            actor,
            action,
            object_type="archive_copy",
            object_id=copy_id,
            object_label=number,
            customer_id=customer_id,
        )


# ---- the station ---------------------------------------------------------------------------------------------------


@blueprint.get("/station")
@access(PRINT)
def station() -> str:
    """The print station: what may be printed and what is under way, by collector."""
    returned = queries.returned(RETURNED_SHOWN + 1)
    return render_template(
        "archive/copies/station.html",
        people=queries.station(),
        returned=returned[:RETURNED_SHOWN],
        more_returned=len(returned) > RETURNED_SHOWN,
        words=words,
        token=new_token,
        has_address=bool(settings.option("BASE_URL")),
    )


@blueprint.post("/grants/<int:grant_id>/reserve")
@access(PRINT)
def reserve(grant_id: int) -> ResponseReturnValue:
    """Reserve a number for a copy; its pages are then made."""
    actor = current_actor()
    try:
        with transaction():
            copy = services.reserve(refuse_large_id(grant_id), request.form.get("token", "")[:64] or new_token(), actor)
            copy_id, number = copy.id, copy.number
    except Ended as error:
        with transaction():
            note_refusal(grant_id, actor, str(error.message))
        flash(str(error.message), "warning")
        return redirect(url_for(".station"))
    except TooMany as error:
        return _too_many(error)
    except Invalid as error:
        flash(str(error), "warning")
        return redirect(url_for(".station"))
    flash(_("Copy %(number)s is registered; its pages are being made.", number=number), "success")
    return redirect(url_for(".show", copy_id=copy_id))


def _too_many(error: TooMany) -> ResponseReturnValue:
    """The operator reached his limit of an hour: what was begun is taken back, the auditors are told."""
    with transaction():
        limits.note_print_limit(current_actor())
    flash(str(error.message), "warning")
    return redirect(url_for(".station"))


@blueprint.post("/<int:copy_id>/pages")
@access(PRINT)
def pages(copy_id: int) -> ResponseReturnValue:
    """The pages for the printer: once, and to a print operator alone."""
    actor = current_actor()
    try:
        with transaction():
            copy = queries.station_copy(refuse_large_id(copy_id))
            number = copy.number
            content = services.send_pages(copy, actor)
    except (Conflict, Invalid) as error:
        flash(str(error.message), "warning")
        return redirect(url_for(".show", copy_id=copy_id))
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{number}.pdf"'
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/<int:copy_id>/make")
@access(PRINT)
def make(copy_id: int) -> ResponseReturnValue:
    """Make the pages again after a failure."""
    with transaction():
        services.make_pages(queries.station_copy(refuse_large_id(copy_id)), current_actor())
    return redirect(url_for(".show", copy_id=copy_id))


@blueprint.post(f"/<int:copy_id>/<{_STEPS}:copy_step>")
@access(PRINT)
def step(copy_id: int, copy_step: str) -> ResponseReturnValue:
    """A step in the life of a copy that an operator takes."""
    actor = current_actor()
    form = StepForm()
    copy = queries.station_copy(refuse_large_id(copy_id))
    if form.validate():
        try:
            with transaction():
                services.take_step(queries.station_copy(copy_id), copy_step, form.to_input(), actor)
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            flash(str(error.message), "warning")
            return redirect(url_for(".show", copy_id=copy_id))
        else:
            flash(f"{words.EVENTS[copy_step]}: {copy_number(copy_id)}", "success")
            return redirect(url_for(".show", copy_id=copy_id))
    return _show(copy if copy in db.session else queries.station_copy(copy_id), copy_step, form), 400


def copy_number(copy_id: int) -> str:
    """The number of a copy, for messages."""
    return queries.station_copy(copy_id).number


@blueprint.post("/<int:copy_id>/again")
@access(PRINT)
def again(copy_id: int) -> ResponseReturnValue:
    """Print a void copy anew, under a new number."""
    actor = current_actor()
    try:
        with transaction():
            made = services.print_again(
                queries.station_copy(refuse_large_id(copy_id)), request.form.get("token", "")[:64] or new_token(), actor
            )
            made_id, number = made.id, made.number
    except (Conflict, Invalid) as error:
        flash(str(error.message), "warning")
        return redirect(url_for(".show", copy_id=copy_id))
    except TooMany as error:
        return _too_many(error)
    flash(_("Copy %(number)s is registered; its pages are being made.", number=number), "success")
    return redirect(url_for(".show", copy_id=made_id))


@blueprint.get("/colleagues")
@access(PRINT)
def colleagues() -> Response:
    """Colleagues for the field of the witness."""
    found = org.user_choices(request.args.get("q", "")[:100], exclude=[current_actor().user_id or 0])
    return jsonify([{"value": str(one.value), "label": one.label, "hint": one.hint} for one in found])


@blueprint.post("/people/<int:user_id>/list")
@access(PRINT)
def handover_list(user_id: int) -> ResponseReturnValue:
    """The list that a collector signs: a numbered PDF of his copies at the station."""
    document = documents.make_handover(refuse_large_id(user_id), current_actor())
    if document is None:
        flash(_("Nothing lies at the station for this person."), "warning")
        return redirect(url_for(".station"))
    return redirect(url_for("documents.show", document_id=document.id))


# ---- one copy ------------------------------------------------------------------------------------------------------


@blueprint.get("/<int:copy_id>")
@access(ASK)
def show(copy_id: int) -> str:
    """A copy: what it is, where it is, its whole history, and what can be done."""
    return _show(queries.load_copy(refuse_large_id(copy_id), current_actor()))


def _show(copy: ArchiveCopy, active: str = "", form: StepForm | None = None) -> str:
    actor = current_actor()
    at_station = can(actor, PRINT)
    open_steps = [s for s in states.steps_from(copy.state) if s in states.BY_OPERATOR] if at_station else []
    if copy.recalled_at is not None:
        open_steps = [s for s in open_steps if s not in (states.OFFER, states.SIGN)]
    forms: dict[str, Any] = {}
    for name in open_steps:
        one = form if form is not None and name == active else StepForm(formdata=None)
        if form is None and "sheets" in fields_of(name):
            one.sheets.data = None
        for item in one:
            item.id = item.label.field_id = f"{name}-{item.name}"
        forms[name] = one
    run = db.session.get(JobRun, copy.run_id) if copy.run_id and copy.state == states.RESERVED else None
    return render_template(
        "archive/copies/show.html",
        copy=copy,
        events=queries.events_of(copy.id),
        following=queries.replaced_by(copy.id),
        steps=open_steps,
        forms_for=forms,
        fields_of=fields_of,
        active=active,
        words=words,
        lookup_words=lookup_words,
        states=states,
        overdue=is_overdue(copy.state, copy.due_at),
        at_station=at_station,
        is_mine=copy.holder_id == actor.user_id,
        may_pack=can(actor, PACK),
        run=run,
        token=new_token(),
        lost_form=form if active == "lost" else None,
    )


@blueprint.post("/<int:copy_id>/accept")
@access(ASK)
def accept(copy_id: int) -> ResponseReturnValue:
    """The collector confirms that he has the copy."""
    actor = current_actor()
    queries.load_copy(refuse_large_id(copy_id), actor)
    try:
        with transaction():
            services.accept(queries.load_copy(copy_id, actor), actor)
    except Conflict as error:
        flash(str(error.message), "warning")
    else:
        flash(_("Thank you. The register says that you have this copy."), "success")
    return redirect(url_for(".show", copy_id=copy_id))


@blueprint.post("/<int:copy_id>/lost")
@access(ASK)
def lost(copy_id: int) -> ResponseReturnValue:
    """The holder reports that he lost the copy."""
    actor = current_actor()
    queries.load_copy(refuse_large_id(copy_id), actor)
    form = StepForm()
    try:
        with transaction():
            services.report_lost(queries.load_copy(copy_id, actor), form.note.data or "", actor)
    except Invalid as error:
        form.show(error)
        for item in form:
            item.id = item.label.field_id = f"lost-{item.name}"
        return _show(queries.load_copy(copy_id, actor), "lost", form), 400
    except Conflict as error:
        flash(str(error.message), "warning")
    else:
        flash(_("The loss is registered; the heads and the archive have been told."), "success")
    return redirect(url_for(".show", copy_id=copy_id))
