"""Pages of documents: list, one document, download, the tab of a customer."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, render_template, request, send_file, url_for

from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.permissions import can, require
from portal.core.permissions import registry as permissions
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.core.web import refuse_large_id, signed_in
from portal.documents import queries, services
from portal.documents.listings import STATE_LABELS
from portal.documents.models import READY
from portal.documents.render import CannotRender
from portal.extensions import db

blueprint = Blueprint("documents", __name__, url_prefix="/documents")

#: A PDF opened in the browser gets an origin of its own and no rights at all.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'"
_UNSAFE_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069]+')


@blueprint.get("/")
@signed_in
def index() -> str:
    """The documents one may read."""
    page = registry("listings")["documents"].page(current_actor(), request.args)
    return render_template("documents/index.html", page=page)


@blueprint.get("/<int:document_id>")
@signed_in
def show(document_id: int) -> str:
    """What is known of a document, and the link to its file."""
    document = services.require_readable(current_actor(), refuse_large_id(document_id))
    label, tone = STATE_LABELS[document.state]
    return render_template(
        "documents/show.html",
        document=document,
        kind=queries.kinds()[document.kind],
        made_at=clock.local(document.made_at).strftime("%Y-%m-%d %H:%M"),
        maker=document.made_by.name if document.made_by else "",
        state_label=label,
        state_tone=tone,
        customer=_customer(document.customer_id),
    )


@blueprint.get("/<int:document_id>/download")
@signed_in
def download(document_id: int) -> Response | tuple[str, int]:
    """The PDF itself; every download is in the audit trail."""
    actor = current_actor()
    refuse_large_id(document_id)
    try:
        with transaction():
            document = services.require_readable(actor, document_id)
            content = services.download(document, actor)
            name = file_name(document.number, document.title)
    except services.ContentLost as error:
        with transaction():
            document = services.require_readable(actor, document_id)
            services.note_damage(document, actor, str(error.details.get("cause", "")))
        return render_template("documents/failed.html", message=error.message, document_id=document_id), 500
    response = send_file(
        BytesIO(content),
        mimetype="application/pdf",
        as_attachment=True,
        download_name=name,
        conditional=False,
        etag=False,
    )
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/customer/<int:customer_id>")
@signed_in
def of_customer(customer_id: int) -> str:
    """The documents about a customer, for whoever may see the customer."""
    actor = current_actor()
    # Who may not see the customer is refused; a customer that is not there is not found.
    entity = permissions().permissions["customers.view"].entity
    customer = db.session.get(entity, refuse_large_id(customer_id)) if entity is not None else None
    if customer is None:
        raise NotFound()
    require(actor, "customers.view", customer_id)
    before = request.args.get("before", type=int)
    rows, following = queries.for_customer(actor, customer_id, before if before and 0 < before < 2**62 else None)
    titles = {kind.key: kind.title for kind in queries.kinds()}
    return render_template(
        "documents/customer.html",
        customer=customer,
        rows=[
            {
                "row": row,
                "kind": titles.get(row.kind, row.kind),
                "state": STATE_LABELS[row.state],
                "made_at": clock.local(row.made_at).strftime("%Y-%m-%d %H:%M"),
                "ready": row.state == READY,
            }
            for row in rows
        ],
        next_url=url_for("documents.of_customer", customer_id=customer_id, before=following) if following else None,
        first_url=url_for("documents.of_customer", customer_id=customer_id) if before else None,
    )


@blueprint.app_errorhandler(CannotRender)
def cannot_render(error: CannotRender) -> tuple[str, int]:
    """A document could not be made, wherever it was asked for."""
    db.session.rollback()
    return (
        render_template("documents/failed.html", message=error.message, document_id=error.details.get("document_id")),
        error.status,
    )


def file_name(number: str, title: str) -> str:
    """Name for the saved file: number and title, without what file systems or readers could misunderstand."""
    words = _UNSAFE_IN_NAMES.sub(" ", title)
    return f"{number} {' '.join(words.split())[:80]}".strip() + ".pdf"


def _customer(customer_id: int | None) -> Any:
    """The customer, for name and link when the actor may see him; None otherwise."""
    if customer_id is None:
        return None
    permission = permissions().permissions.get("customers.view")
    if permission is None or permission.entity is None:
        return None
    return (
        db.session.get(permission.entity, customer_id) if can(current_actor(), "customers.view", customer_id) else None
    )
