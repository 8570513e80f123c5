"""Pages of exports: what of a version, in which format; one procedure at once."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.sop.blueprint import blueprint
from plugins.sop.export import services
from plugins.sop.export.forms import ExportForm
from plugins.sop.export.jobs import EXPORT
from plugins.sop.export.services import DOCX, ExportInput
from plugins.sop.export.words import chapter_count, role_words
from plugins.sop.manuals import queries
from plugins.sop.manuals.models import ManualVersion
from plugins.sop.manuals.sight import load_seen
from plugins.sop.permissions import USE
from portal.auth.current import current_actor
from portal.core.errors import Invalid
from portal.core.transaction import transaction
from portal.core.web import access, refuse_large_id
from portal.i18n import _
from portal.jobs.services import enqueue


@blueprint.route("/versions/<int:version_id>/export", methods=["GET", "POST"])
@access(USE)
def export(version_id: int) -> str | Response | tuple[str, int]:
    """A version on paper: choose and start."""
    actor = current_actor()
    version = load_seen(refuse_large_id(version_id), actor)
    form = ExportForm(request.form if request.method == "POST" else request.args or None, parts=_parts(version))
    if request.method == "GET" and not request.args:
        form.process(parts=None)
    if request.method == "POST" and form.validate():
        wanted = form.to_input()
        try:
            return _start(version, wanted)
        except Invalid as error:
            form.show(error)
    status = 400 if request.method == "POST" else 200
    return render_template("sop/export/form.html", version=version, manual=version.manual, form=form), status


@blueprint.post("/versions/<int:version_id>/procedures/<int:procedure_id>/pdf")
@access(USE)
def export_procedure(version_id: int, procedure_id: int) -> Response:
    """One procedure as a PDF, at once."""
    version = load_seen(refuse_large_id(version_id), current_actor())
    queries.procedure_content(version.id, refuse_large_id(procedure_id))
    return _start(version, ExportInput(f"procedure:{procedure_id}"))


def _start(version: ManualVersion, wanted: ExportInput) -> Response:
    """Give what is there already, make what is small, and have the rest made in the background."""
    actor = current_actor()
    context = services.paper_for(version, wanted)
    version_id = version.id
    label = f"{version.manual.title} {version.number}"
    with transaction():
        services.note_export(queries.load_version(version_id), wanted, actor)
    if wanted.format != DOCX:
        if wanted.choice.scope.procedure_id is not None:
            document = services.export_procedure(queries.load_version(version_id), context, actor)
            return redirect(url_for("documents.download", document_id=document.id))
        earlier = services.earlier_export(queries.load_version(version_id), context)
        if earlier is not None:
            return redirect(url_for("documents.show", document_id=earlier.id))
    with transaction():
        run = enqueue(
            EXPORT,
            actor,
            title=_("Export: %(title)s", title=label),
            parameters={"version_id": version_id, **wanted.parameters()},
        )
        run_id = run.id
    return redirect(url_for("jobs.show", run_id=run_id))


def _parts(version: ManualVersion) -> list[tuple[str, str]]:
    """Choices of the form, in four statements."""
    parts = [("all", _("The whole manual"))]
    for number, chapter in enumerate(queries.chapters_of(version.id), start=1):
        parts.append((f"chapter:{chapter.key}", f"{chapter_count(number)} {chapter.title}"))
    for department in queries.departments_of(version.id):
        parts.append((f"department:{department.id}", _("Department: %(name)s", name=department.name)))
    for role in services.roles_of(version.id):
        parts.append((f"role:{role}", _("For: %(role)s", role=role_words(role))))
    for row in queries.procedures_of(version.id):
        parts.append((f"procedure:{row.procedure_id}", f"{row.code} {row.title}"))
    return parts
