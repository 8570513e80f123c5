"""Pages of audit packs."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from plugins.archive.copies.queries import by_number
from plugins.archive.lookups.models import ArchiveLookup
from plugins.archive.pack import queries
from plugins.archive.pack.jobs import JOB
from plugins.archive.permissions import PACK
from portal.auth.current import current_actor
from portal.core.transaction import transaction
from portal.core.web import access, refuse_large_id
from portal.customers.search import search
from portal.extensions import db
from portal.i18n import _
from portal.jobs.services import enqueue

blueprint = Blueprint("archive_pack", __name__, url_prefix="/archive/pack", template_folder="../templates")


@blueprint.get("/")
@access(PACK)
def index() -> str:
    """Find what a pack is to be about: a customer, a request, a copy."""
    text = request.args.get("q", "").strip()[:100]
    actor = current_actor()
    copy = by_number(text, actor) if text else None
    lookup = (
        db.session.scalars(select(ArchiveLookup).where(ArchiveLookup.number == text.upper())).one_or_none()
        if text
        else None
    )
    hits = search(actor, text, limit=10) if text and copy is None and lookup is None else []
    return render_template("archive/pack/index.html", text=text, copy=copy, lookup=lookup, hits=hits)


@blueprint.post("/<any(customer,request,copy):subject>/<int:subject_id>")
@access(PACK)
def make(subject: str, subject_id: int) -> ResponseReturnValue:
    """Make a pack in the background; its page has the progress and then the file."""
    actor = current_actor()
    found = queries.subject_of(subject, refuse_large_id(subject_id))
    with transaction():
        run = enqueue(
            JOB,
            actor,
            title=_("Audit pack: %(what)s", what=found.label),
            parameters={"kind": subject, "subject_id": subject_id},
            unique_key=f"archive_pack:{actor.user_id}:{subject}:{subject_id}",
        )
        run_id = run.id
    flash(_("The pack is being made; its page shows when it is ready."), "success")
    return redirect(url_for("jobs.show", run_id=run_id))
