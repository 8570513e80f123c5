"""Pages of the jobs: progress of one run, one's own runs, the administrator's page."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, send_from_directory, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal.auth.current import current_actor
from portal.core.errors import NotAllowed, NotFound
from portal.core.permissions import can
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.core.web import access, next_url, refuse_large_id, safe_next, signed_in
from portal.i18n import _
from portal.jobs import queries, services
from portal.jobs.listing import ALL, MINE
from portal.jobs.models import JobRun, JobState
from portal.jobs.permissions import ADMINISTER, may_fetch, may_start, owns_run
from portal.jobs.running import run_folder
from portal.org.actor import Actor

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")


@blueprint.get("/")
@signed_in
def index() -> str:
    """What one has started."""
    return render_template("jobs/index.html", page=MINE.page(current_actor(), request.args))


@blueprint.get("/<int:run_id>")
@signed_in
def show(run_id: int) -> str:
    """How far a run is. The page brings itself up to date, with script or without."""
    actor = current_actor()
    run = queries.run_for(actor, refuse_large_id(run_id))
    view = _view_of(run, actor)
    may_retry = can(actor, ADMINISTER) and run.state in {JobState.FAILED, JobState.CANCELLED}
    return render_template(
        "jobs/show.html",
        run=view,
        result_url=safe_next(view.url, ""),
        state=queries.state_text(view.state),
        tone=queries.STATE_TONES[JobState(view.state)],
        may_administer=can(actor, ADMINISTER),
        may_retry=may_retry,
    )


def _view_of(run: JobRun, actor: Actor) -> queries.RunView:
    job = registry("jobs").get(run.job_key)
    return queries.view_of(run, is_owner=owns_run(actor, run), may_fetch=may_fetch(actor, run, job))


@blueprint.post("/<int:run_id>/cancel")
@signed_in
def cancel(run_id: int) -> BaseResponse:
    """Ask a run to stop."""
    actor = current_actor()
    with transaction():
        services.cancel_run(queries.run_for(actor, refuse_large_id(run_id)), actor)
    flash(_("The job was asked to stop."), "info")
    return redirect(url_for("jobs.show", run_id=run_id))


@blueprint.get("/<int:run_id>/file")
@signed_in
def file(run_id: int) -> Response:
    """The file that a run made; its owner's alone, while he may do and see what it is about."""
    actor = current_actor()
    run = queries.run_for(actor, refuse_large_id(run_id))
    view = _view_of(run, actor)
    if not view.file or run.state != JobState.DONE:
        raise NotFound()
    return send_from_directory(run_folder(run_id).resolve(), view.file, as_attachment=True)


@blueprint.post("/start/<job_key>")
@signed_in
def start(job_key: str) -> BaseResponse:
    """Run a job now. Administrators start any, others those that name a permission they have."""
    actor = current_actor()
    job = registry("jobs").get(job_key)
    if job is None:
        raise NotFound()
    if not may_start(actor, job):
        raise NotAllowed(_("You may not start this job."), permission=job.permission or ADMINISTER)
    with transaction():
        run_id = services.start_by_hand(job_key, actor).id
    return redirect(url_for("jobs.show", run_id=run_id))


@blueprint.get("/all")
@access(ADMINISTER)
def administration() -> str:
    """Every job: last run, next run, failures."""
    return render_template(
        "jobs/administration.html",
        lines=queries.job_lines(),
        workers=queries.workers(),
        state_text=queries.state_text,
        tones=queries.STATE_TONES,
    )


@blueprint.get("/runs")
@access(ADMINISTER)
def runs() -> str:
    """Every run."""
    return render_template("jobs/runs.html", page=ALL.page(current_actor(), request.args))


@blueprint.post("/<int:run_id>/retry")
@access(ADMINISTER)
def retry(run_id: int) -> BaseResponse:
    """Repeat a failed run."""
    actor = current_actor()
    with transaction():
        again = services.retry_run(queries.run_for(actor, refuse_large_id(run_id)), actor).id
    flash(_("The job will run again."), "success")
    return redirect(url_for("jobs.show", run_id=again))


@blueprint.post("/schedule/<job_key>")
@access(ADMINISTER)
def schedule(job_key: str) -> BaseResponse:
    """Let the clock start a job, or not."""
    enabled = request.form.get("enabled") == "1"
    with transaction():
        services.set_schedule(job_key, enabled, current_actor())
    flash(_("The schedule is on.") if enabled else _("The schedule is off."), "success")
    return redirect(next_url(url_for("jobs.administration")))
