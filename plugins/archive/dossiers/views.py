"""Pages of dossiers."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from plugins.archive.blueprint import blueprint
from plugins.archive.dossiers import producing, queries, receiving, services
from plugins.archive.dossiers import vocabulary as words
from plugins.archive.dossiers.forms import ContractForm, ReasonForm
from plugins.archive.dossiers.listings import DOSSIERS
from plugins.archive.dossiers.models import (
    ASSESSMENT,
    CARD,
    CONTRACT,
    FILE_STATES,
    OPEN,
    PARTS,
    STATISTICS,
    ArchiveChange,
    ArchiveFile,
)
from plugins.archive.dossiers.statistics import Quarter, quarter_of
from plugins.archive.lookups.preview import may_preview
from plugins.archive.permissions import EXISTS, FILE_CHANGE, MAINTAIN
from plugins.archive.permissions import SUPPLEMENT as MAY_SUPPLEMENT
from plugins.archive.vault import VaultTrouble
from portal.auth.current import current_actor
from portal.core import clock, settings
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.forms import new_token
from portal.core.permissions import can
from portal.core.transaction import transaction
from portal.core.web import access
from portal.customers.models import Customer
from portal.documents.render import CannotRender
from portal.extensions import db
from portal.i18n import _

#: Parts that the portal makes.
MADE = (CARD, ASSESSMENT, STATISTICS)


@blueprint.get("/dossiers/")
@access(EXISTS)
def dossiers() -> str:
    """The list of dossiers."""
    actor = current_actor()
    return render_template(
        "archive/dossiers/index.html",
        page=DOSSIERS.page(actor, request.args),
        may_maintain=can(actor, MAINTAIN),
    )


@blueprint.get("/dossiers/<int:customer_id>")
@access(EXISTS)
def dossier(customer_id: int) -> str:
    """One dossier: its parts, what is missing, its course."""
    return _dossier_page(queries.customer_for(customer_id))


def _dossier_page(customer: Customer, **more: Any) -> str:
    actor = current_actor()
    files = queries.files_of(customer.id, states=FILE_STATES)
    standing = queries.part_states(files, customer)
    sees_record = can(actor, "customers.view", customer)
    supplements = queries.supplements_of(customer.id) if sees_record or can(actor, MAINTAIN) else []
    live = [file for file in files if file.state in ("current", "quarantined")]
    found = queries.dossier_of(customer.id)
    return render_template(
        "archive/dossiers/show.html",
        customer=customer,
        dossier=found,
        changed_on=clock.local(found.changed_at).date() if found else None,
        standing=standing,
        complete=sum(1 for state in standing if state.is_fine),
        live={part: [file for file in live if file.part == part] for part in PARTS},
        earlier=[file for file in files if file not in live],
        course=queries.course_of(customer, live, supplements),
        words=words,
        made=MADE,
        today=clock.today(),
        quarters=_quarters(),
        sees_record=sees_record,
        may_maintain=can(actor, MAINTAIN),
        previews=lambda file: may_preview(file, actor),
        may_change=can(actor, FILE_CHANGE, customer),
        may_supplement=can(actor, MAY_SUPPLEMENT, customer),
        open_changes=_open_changes(customer.id) if sees_record or can(actor, MAINTAIN) else [],
        lookup_url=_lookup_url(customer.id),
        **more,
    )


def _open_changes(customer_id: int) -> list[ArchiveChange]:
    statement = select(ArchiveChange).where(ArchiveChange.customer_id == customer_id, ArchiveChange.state == OPEN)
    return list(db.session.scalars(statement.order_by(ArchiveChange.id)))


def _lookup_url(customer_id: int) -> str | None:
    """The page on which one asks to look this dossier up."""
    endpoint = "archive_lookups.new"
    if endpoint not in current_app.view_functions:
        return None
    return url_for(endpoint, customer=customer_id)


def _quarters() -> list[Quarter]:
    """The present quarter and the five before, for statistics."""
    found = [quarter_of(clock.today())]
    while len(found) < 6:
        last = found[-1]
        found.append(Quarter(last.year, last.number - 1) if last.number > 1 else Quarter(last.year - 1, 4))
    return found


@blueprint.post("/dossiers/<int:customer_id>/produce/<any(card, assessment, statistics):part>")
@access(MAINTAIN)
def produce_part(customer_id: int, part: str) -> Response:
    """Make a part anew as a numbered PDF and put it into the dossier."""
    customer = queries.customer_for(customer_id)
    quarter = next((one for one in _quarters() if one.text == request.form.get("quarter")), None)
    try:
        producing.produce_part(customer.id, part, current_actor(), quarter)
    except (CannotRender, VaultTrouble) as error:
        flash(str(error.message), "danger")
    else:
        flash(_("“%(part)s” was made and put into the dossier.", part=words.part_title(part)), "success")
    return redirect(url_for("archive.dossier", customer_id=customer_id))


@blueprint.route("/dossiers/<int:customer_id>/contracts/new", methods=["GET", "POST"])
@access(MAINTAIN)
def add_contract(customer_id: int) -> str | Response | tuple[str, int]:
    """Upload a scanned contract."""
    return _contract_page(queries.customer_for(customer_id), None)


@blueprint.route("/files/<int:file_id>/replace", methods=["GET", "POST"])
@access(MAINTAIN)
def replace_file(file_id: int) -> str | Response | tuple[str, int]:
    """Upload a contract that replaces another one."""
    file = queries.load_file(file_id)
    if file.part != CONTRACT or file.state != "current":
        raise NotFound()
    return _contract_page(queries.customer_for(file.customer_id), file)


def _contract_page(customer: Customer, replaced: ArchiveFile | None) -> str | Response | tuple[str, int]:
    form = ContractForm()
    customer_id, replaces_id = customer.id, replaced.id if replaced else None
    if request.method == "GET":
        form.token.data = new_token()
        form.title.data = replaced.title if replaced else words.contract_title()
        form.parties.data = replaced.parties if replaced else settings.option("ORGANISATION") + _(", ") + customer.name
    status = 200
    if form.validate_on_submit():
        upload = request.files.get("file")
        try:
            if upload is None or not upload.filename:
                raise Invalid([("file", _("Choose a file."))])
            limit = settings.get("archive.file_mib") * 2**20
            file_id = receiving.receive_contract(
                form.to_input(customer_id, replaces_id), upload.filename, upload.stream.read(limit + 1), current_actor()
            )
        except Invalid as error:
            form.show(error)
        except (Conflict, VaultTrouble) as error:
            form.form_errors.append(str(error.message))
        else:
            flash(_("The contract was put into the dossier."), "success")
            if may_preview(queries.load_file(file_id), current_actor()):
                return redirect(url_for("archive_lookups.preview_scan", file_id=file_id))
            return redirect(url_for("archive.dossier", customer_id=customer_id))
    if request.method == "POST":
        status = 400
    page = render_template(
        "archive/dossiers/contract.html",
        form=form,
        customer=queries.customer_for(customer_id),
        replaced=queries.load_file(replaces_id) if replaces_id else None,
        limit=settings.get("archive.file_mib"),
    )
    return page, status


@blueprint.route("/files/<int:file_id>/take-out", methods=["GET", "POST"])
@access(MAINTAIN)
def withdraw_file(file_id: int) -> str | Response | tuple[str, int]:
    """Take a file out of the dossier, with a reason."""
    file = queries.load_file(file_id)
    form = ReasonForm()
    status = 200
    if form.validate_on_submit():
        try:
            with transaction():
                customer_id = services.withdraw_file(file_id, form.reason.data, current_actor()).customer_id
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The file was taken out of the dossier. Open grants for it end."), "success")
            return redirect(url_for("archive.dossier", customer_id=customer_id))
    if request.method == "POST":
        status = 400
    file = queries.load_file(file_id)
    page = render_template("archive/dossiers/take_out.html", form=form, file=file, customer=file.customer, words=words)
    return page, status
