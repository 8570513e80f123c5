"""Photos and files of steps: adding, showing, taking away."""

from __future__ import annotations

from flask import Response as FlaskResponse
from flask import flash, redirect, url_for
from werkzeug.http import dump_options_header
from werkzeug.wrappers import Response

from plugins.sop.blueprint import blueprint
from plugins.sop.permissions import USE
from plugins.sop.runs import filing, queries
from plugins.sop.runs.files import LARGEST_FILE, check_file
from plugins.sop.runs.forms import UploadForm
from plugins.sop.runs.permissions import RUN_WORK
from portal.auth.current import current_actor
from portal.core.errors import Conflict, Invalid
from portal.core.permissions import require
from portal.core.storage import storage
from portal.core.transaction import transaction
from portal.core.web import access
from portal.i18n import _


@blueprint.post("/runs/steps/<int:run_step_id>/files")
@access(USE)
def add_run_file(run_step_id: int) -> Response:
    """Keep a photo or file with a step."""
    actor = current_actor()
    run_id = queries.run_of_step(run_step_id)
    require(actor, RUN_WORK, run_id)
    form = UploadForm()
    if form.validate():
        sent = form.file.data
        content = sent.stream.read(LARGEST_FILE + 1)
        try:
            checked = check_file(sent.filename or "", content)
            with transaction():
                filing.add_file(run_step_id, checked, actor)
        except (Invalid, Conflict) as error:
            flash(str(error), "warning")
        else:
            flash(_("The file was kept."), "success")
    else:
        flash(_("Choose a file."), "warning")
    return redirect(url_for("sop.run", run_id=run_id))


@blueprint.get("/runs/files/<int:run_file_id>")
@access(USE)
def run_file(run_file_id: int) -> FlaskResponse:
    """A photo is shown, every other file is downloaded."""
    found = queries.load_file(run_file_id, current_actor())
    answer = FlaskResponse(storage().get(found.storage_key), mimetype=found.media_type)
    place = "inline" if found.is_picture else "attachment"
    ascii_name = found.file_name.encode("ascii", "replace").decode().replace("?", "_")
    header = dump_options_header(place, {"filename": ascii_name, "filename*": found.file_name})
    answer.headers["Content-Disposition"] = header
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.post("/runs/files/<int:run_file_id>/remove")
@access(USE)
def remove_run_file(run_file_id: int) -> Response:
    """Take a file away."""
    actor = current_actor()
    found = queries.load_file(run_file_id, actor)
    require(actor, RUN_WORK, found.run_id)
    try:
        with transaction():
            filing.remove_file(run_file_id, actor)
    except Conflict as error:
        flash(str(error), "warning")
    else:
        flash(_("The file was taken away."), "success")
    return redirect(url_for("sop.run", run_id=found.run_id))
