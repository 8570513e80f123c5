"""Pages of look-ups: asking, one's own grants, viewing, the heads' lists."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from plugins.archive.copies import endings
from plugins.archive.copies import vocabulary as copy_words
from plugins.archive.copies.queries import copies_of_grants, held_by
from plugins.archive.dossiers.models import PARTS
from plugins.archive.lookups import grants, preview, queries, services, viewing
from plugins.archive.lookups import vocabulary as words
from plugins.archive.lookups.actions import LookupAction
from plugins.archive.lookups.forms import LookupForm, RevokeForm, ids_from
from plugins.archive.lookups.grants import Ended, OpenView
from plugins.archive.lookups.listings import ACCESS_LIST, GRANTS_LIST, last_day
from plugins.archive.lookups.models import GIVEN_BACK, PAPER, REVOKED, VIEW, ArchiveGrant, ArchiveLookup
from plugins.archive.lookups.raster import CannotShow
from plugins.archive.permissions import ACCESS_LOG, ASK, GRANTS, MAINTAIN, REVOKE
from plugins.archive.vault import VaultTrouble
from portal.approvals.models import ApprovalRequest
from portal.approvals.presenting import STATES
from portal.audit.chain import canonical
from portal.audit.queries import viewed_lately
from portal.audit.services import record
from portal.auth.current import current_actor
from portal.core import clock, settings
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.forms import new_token
from portal.core.permissions import can, require
from portal.core.transaction import transaction
from portal.core.web import access, int_argument, refuse_large_id
from portal.customers.limits import count_search
from portal.customers.queries import pick
from portal.customers.search import search
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import Department

blueprint = Blueprint("archive_lookups", __name__, url_prefix="/archive/lookups", template_folder="../templates")

#: A look at the same page is written down once in so many minutes.
LOOK_AGAIN_MINUTES = 5
ZOOMS = (100, 150, 200)


@blueprint.app_template_filter("moment")
def _moment(value: Any) -> str:
    """A moment as these pages show it."""
    return clock.local(value).strftime("%Y-%m-%d %H:%M") if value is not None else "—"


@blueprint.app_template_filter("last_day")
def _last_day(value: Any) -> str:
    """The last day of a grant or of a copy's term."""
    return last_day(value) or "—"


# ---- asking --------------------------------------------------------------------------------------------------------


@blueprint.get("/")
@access(ASK)
def index() -> str:
    """My look-ups: what I may use now, my requests, the copies I have."""
    actor = current_actor()
    assert actor.user_id is not None
    found = queries.my_grants(actor.user_id)
    return render_template(
        "archive/lookups/index.html",
        grants=found,
        states={grant.id: grants.state_of(grant) for grant in found},
        requests=queries.my_requests(actor.user_id),
        copies=held_by(actor.user_id),
        overdue={copy.id for copy in queries.overdue_copies(actor.user_id)},
        words=words,
        copy_words=copy_words,
        approval_words=STATES,
        token=new_token(),
        paper_only=settings.get("archive.paper_only"),
    )


@blueprint.get("/customers")
@access(ASK)
def customers() -> Response:
    """Customers for the picker: that they exist, their department and account manager, nothing else."""
    text = request.args.get("q", "")[:100]
    if text:
        count_search(current_actor())
    hits = search(current_actor(), text, limit=12)
    return jsonify(
        [
            {
                "value": str(hit.customer_id),
                "label": hit.name,
                "hint": " · ".join(filter(None, (hit.department, hit.account_manager))),
            }
            for hit in hits
        ]
    )


@blueprint.route("/new", methods=["GET", "POST"])
@access(ASK)
def new() -> ResponseReturnValue:
    """Ask for a look-up. Adding and removing customers draws the form again; nothing is filed by that."""
    actor = current_actor()
    again = int_argument("again", 0, 1, 2**62) or None
    before = _own_lookup(again) if again is not None else None
    form = LookupForm(data=_earlier(before))
    chosen = ids_from(request.form.getlist("customers"))
    if request.method == "GET":
        chosen = ids_from(request.args.getlist("customer"))
        if before is not None:
            chosen = tuple(row.customer_id for row in before.customers)
    status = 200
    asked = request.form.get("do", "")
    if request.method == "POST" and asked == "add":
        chosen = _added(form, chosen)
    elif request.method == "POST" and asked.startswith("remove-"):
        chosen = tuple(i for i in chosen if f"remove-{i}" != asked)
    elif request.method == "POST":
        chosen = _added(form, chosen)
        if form.validate():
            try:
                with transaction():
                    filed = services.file_lookup(form.to_input(chosen, again), actor).id
            except Invalid as error:
                form.show(error)
            except Conflict as error:
                return _conflict(error)
            else:
                flash(_("The request was filed; the heads have been told."), "success")
                return redirect(url_for("approvals.show", request_id=filed))
        status = 400
    found = queries.existing(chosen)
    page = render_template(
        "archive/lookups/new.html",
        form=form,
        customers=found,
        deciders=queries.deciders(actor, found) if found else None,
        parts=PARTS,
        words=words,
        again=again,
        overdue=queries.overdue_copies(actor.user_id or 0),
        paper_only=settings.get("archive.paper_only"),
    )
    return page, status


def _own_lookup(lookup_id: int) -> ArchiveLookup:
    before = db.session.get(ArchiveLookup, lookup_id)
    if before is None or before.applicant_id != current_actor().user_id:
        raise NotFound()
    return before


def _earlier(before: ArchiveLookup | None) -> dict[str, Any]:
    if before is None:
        mode = request.args.get("mode", "")
        return {"mode": mode if mode in (VIEW, PAPER) else VIEW, "parts": list(PARTS), "quantity": 1}
    until = before.until_on if before.until_on >= clock.today() else services.default_until()
    return {
        "mode": before.mode,
        "parts": list(before.part_list),
        "quantity": before.quantity,
        "until_on": until,
        "purpose": before.purpose,
    }


def _added(form: LookupForm, chosen: tuple[int, ...]) -> tuple[int, ...]:
    """The chosen customers with the one in the picker, which is empty again then."""
    picker = form.customer
    picker.errors = list(picker.process_errors)
    if picker.data is None:
        return chosen
    found = tuple(dict.fromkeys((*chosen, picker.data)))
    picker.show(None)
    return found


def _conflict(error: Conflict) -> ResponseReturnValue:
    pending = error.details.get("request_id")
    if pending:
        flash(str(error.message), "warning")
        return redirect(url_for("approvals.show", request_id=pending))
    return render_template("archive/lookups/ended.html", message=str(error.message), title=_("Not possible now")), 409


@blueprint.get("/<int:lookup_id>")
@access(ASK)
def show(lookup_id: int) -> str:
    """A look-up: what was asked, how it stands, the grants and their copies."""
    return _show(queries.load_lookup(refuse_large_id(lookup_id), current_actor()))


def _show(lookup: ArchiveLookup, revoke: RevokeForm | None = None, revoke_id: int | None = None) -> str:
    actor = current_actor()
    found = queries.grants_of(lookup.id)
    filed = db.session.get(ApprovalRequest, lookup.request_id) if lookup.request_id else None
    forms = {}
    for grant in found:
        form = revoke if revoke is not None and revoke_id == grant.id else RevokeForm(formdata=None)
        form.reason.id = form.reason.label.field_id = f"reason-{grant.id}"
        forms[grant.id] = form
    return render_template(
        "archive/lookups/show.html",
        lookup=lookup,
        customers=queries.existing(row.customer_id for row in lookup.customers),
        openable={key for key, _name in pick(actor, [row.customer_id for row in lookup.customers])},
        filed=filed,
        approval_words=STATES,
        grants=found,
        states={grant.id: grants.state_of(grant) for grant in found},
        copies=copies_of_grants([grant.id for grant in found]),
        may_revoke={grant.id: can(actor, REVOKE, grant) for grant in found},
        is_mine=lookup.applicant_id == actor.user_id,
        forms_of=forms,
        revoke_id=revoke_id,
        words=words,
        copy_words=copy_words,
        token=new_token(),
    )


# ---- grants --------------------------------------------------------------------------------------------------------


@blueprint.get("/grants")
@access(GRANTS)
def grants_list() -> str:
    """Grants on the customers and of the people one answers for."""
    return render_template("archive/lookups/grants.html", page=GRANTS_LIST.page(current_actor(), request.args))


@blueprint.post("/grants/<int:grant_id>/revoke")
@access(GRANTS)
def revoke(grant_id: int) -> ResponseReturnValue:
    """Revoke a grant, with a reason; open pages close and copies are called back."""
    actor = current_actor()
    grant = _grant(grant_id)
    try:
        require(actor, REVOKE, grant)
    except NotAllowed:
        raise NotFound() from None  # whose grant it is, and that there is one, is a secret
    lookup_id = grant.lookup_id
    form = RevokeForm()
    if form.validate_on_submit():
        try:
            with transaction():
                endings.end_grant(_grant(grant_id), REVOKED, form.reason.data or "", actor)
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The grant was revoked; what is open closes, and copies are called back."), "success")
            return redirect(url_for(".show", lookup_id=lookup_id))
    return _show(db.session.get_one(ArchiveLookup, lookup_id), form, grant_id), 400


@blueprint.post("/grants/<int:grant_id>/give-back")
@access(ASK)
def give_back(grant_id: int) -> ResponseReturnValue:
    """The holder does not need it any more."""
    actor = current_actor()
    grants.own_grant(refuse_large_id(grant_id), actor)
    with transaction():
        endings.end_grant(grants.own_grant(grant_id, actor), GIVEN_BACK, "", actor)
    flash(_("The grant was given back."), "success")
    return redirect(url_for(".index"))


def _grant(grant_id: int) -> ArchiveGrant:
    grant = db.session.get(ArchiveGrant, refuse_large_id(grant_id))
    if grant is None:
        raise NotFound()
    return grant


# ---- viewing -------------------------------------------------------------------------------------------------------


@blueprint.post("/grants/<int:grant_id>/open")
@access(ASK)
def open_view(grant_id: int) -> ResponseReturnValue:
    """Open the granted parts on screen; takes one view."""
    actor = current_actor()
    grants.own_grant(refuse_large_id(grant_id), actor)
    try:
        with transaction():
            opened = grants.open_view(grant_id, request.form.get("token", "")[:64] or new_token(), actor).id
    except Ended as error:
        with transaction():
            grants.note_refusal(grant_id, actor, str(error.message))
        return _over(str(error.message))
    return redirect(url_for(".look", opening_id=opened))


@blueprint.get("/views/<int:opening_id>")
@access(ASK)
def look(opening_id: int) -> ResponseReturnValue:
    """One page of what was granted, with the ways to the others."""
    actor = current_actor()
    found = grants.view_for(refuse_large_id(opening_id), actor)
    if not found.is_open:
        return _over(_closed_words(found))
    sheets = viewing.sheets_of(found.grant)
    wanted = int_argument("page", 1, 1, max(len(sheets), 1))
    zoom = int_argument("zoom", 100, 100, 200)
    sheet = sheets[wanted - 1] if sheets else None
    firsts = [item for item in sheets if item.page == 1]
    page = render_template(
        "archive/lookups/look.html",
        found=found,
        sheet=sheet,
        firsts=firsts,
        total=len(sheets),
        zoom=zoom if zoom in ZOOMS else 100,
        zooms=ZOOMS,
        customer=found.grant.customer,
        words=words,
        left=found.grant.quota - found.grant.used,
    )
    seconds = max(1, int((found.view.closes_at - clock.now()).total_seconds()) + 1)
    # Without script, too, the page goes when the view closes.
    return page, 200, {"Refresh": str(seconds)}


@blueprint.get("/views/<int:opening_id>/pages/<int:sheet>")
@access(ASK)
def picture(opening_id: int, sheet: int) -> ResponseReturnValue:
    """One page as a picture with the reader's watermark. Asked anew each time; never kept by the browser."""
    actor = current_actor()
    found = grants.view_for(refuse_large_id(opening_id), actor)
    if not found.is_open or request.headers.get("Sec-Fetch-Dest", "image") != "image":
        raise NotFound()
    wanted = viewing.sheet_of(found.grant, sheet)
    _note_look(found, wanted)
    # After the transaction of the look everything is read anew: the grant may have ended meanwhile.
    found = grants.view_for(opening_id, actor)
    if not found.is_open:
        raise NotFound()
    return _as_picture(viewing.page_picture(wanted, found.grant, actor, _department_of(actor)))


def _department_of(actor: Actor) -> str:
    return db.session.scalar(select(Department.name).where(Department.id == actor.department_id)) or ""


def _as_picture(content: bytes) -> Response:
    response = Response(content, mimetype="image/jpeg")
    response.headers["Content-Disposition"] = "attachment"
    response.headers["Cache-Control"] = "no-store"
    return response


def _note_look(found: OpenView, sheet: viewing.Sheet) -> None:
    actor = current_actor()
    new = {"view": found.view.id, "file": sheet.file.id, "page": sheet.page}
    since = clock.now() - timedelta(minutes=LOOK_AGAIN_MINUTES)
    if viewed_lately(actor.user_id or 0, LookupAction.LOOKED, canonical(new), since):
        return
    number, grant_id, customer_id = found.grant.lookup.number, found.grant.id, found.grant.customer_id
    with transaction():
        record(
            actor,
            LookupAction.LOOKED,
            object_type="archive_grant",
            object_id=grant_id,
            object_label=number,
            customer_id=customer_id,
            new=new,
        )


@blueprint.get("/views/<int:opening_id>/state")
@access(ASK)
def view_state(opening_id: int) -> Response:
    """Whether a view is still open; the script of an open page asks and takes the page away when it is not."""
    found = grants.view_for(refuse_large_id(opening_id), current_actor())
    seconds = int((found.view.closes_at - clock.now()).total_seconds()) if found.is_open else 0
    return jsonify(open=found.is_open, seconds=max(0, seconds), message="" if found.is_open else _closed_words(found))


@blueprint.post("/views/<int:opening_id>/close")
@access(ASK)
def close(opening_id: int) -> ResponseReturnValue:
    """Close a view early."""
    actor = current_actor()
    with transaction():
        grants.close_view(grants.view_for(refuse_large_id(opening_id), actor), actor)
    return redirect(url_for(".index"))


def _closed_words(found: OpenView) -> str:
    state = grants.state_of(found.grant)
    if state in ("open", "used") and not settings.get("archive.paper_only"):
        return _("The view closed after its minutes.")
    return grants.why_not(found.grant)


def _over(message: str) -> tuple[str, int]:
    return render_template("archive/lookups/ended.html", message=message, title=_("Nothing to see here any more")), 410


@blueprint.errorhandler(CannotShow)
@blueprint.errorhandler(VaultTrouble)
def cannot_show(error: CannotShow | VaultTrouble) -> tuple[str, int]:
    """A page could not be read or drawn."""
    db.session.rollback()
    return render_template("archive/lookups/ended.html", message=str(error.message), title=_("Not shown")), 503


# ---- after an upload -----------------------------------------------------------------------------------------------


@blueprint.get("/scans/<int:file_id>")
@access(MAINTAIN)
def preview_scan(file_id: int) -> ResponseReturnValue:
    """A scan page by page, for whoever uploaded it a moment ago."""
    file = preview.load(refuse_large_id(file_id), current_actor())
    page = int_argument("page", 1, 1, file.pages)
    return render_template("archive/lookups/preview.html", file=file, page=page, until=preview.until(file))


@blueprint.get("/scans/<int:file_id>/pages/<int:sheet>")
@access(MAINTAIN)
def preview_page(file_id: int, sheet: int) -> ResponseReturnValue:
    """One page of it as a picture with the reader's watermark."""
    actor = current_actor()
    file = preview.load(refuse_large_id(file_id), actor)
    if not 1 <= sheet <= file.pages or request.headers.get("Sec-Fetch-Dest", "image") != "image":
        raise NotFound()
    preview.note(file, sheet, actor)
    file = preview.load(file_id, actor)
    return _as_picture(viewing.marked_page(file, sheet, actor, _department_of(actor), file.number))


# ---- who looked ----------------------------------------------------------------------------------------------------


@blueprint.get("/log")
@access(ACCESS_LOG)
def log() -> str:
    """Who looked at, asked for or was refused what."""
    return render_template("archive/lookups/log.html", page=ACCESS_LIST.page(current_actor(), request.args))
