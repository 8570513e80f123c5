"""Lists of runs: one's own, and all of them for administrators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for

from portal.core import clock
from portal.core.components import DASH, tag
from portal.core.listing import CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import value_in
from portal.core.permissions import Actor, visible
from portal.core.registry import registry
from portal.i18n import _, _l
from portal.jobs.models import JobRun, JobState
from portal.jobs.permissions import ADMINISTER
from portal.jobs.queries import STATE_TONES, state_text, title_of
from portal.org.models import User

R = JobRun


def _moment(name: str) -> Any:
    def cell(row: Any, _context: CellContext) -> Any:
        value = getattr(row, name)
        return DASH if value is None else clock.local(value).strftime("%Y-%m-%d %H:%M:%S")

    return cell


def _progress(row: Any, _context: CellContext) -> Any:
    if not (row.progress_done or row.progress_total):
        return DASH
    return f"{row.progress_done:,}" if row.progress_total is None else f"{row.progress_done:,} / {row.progress_total:,}"


def _states(_actor: Actor) -> Sequence[tuple[str, Any]]:
    return [(state.value, state_text(state)) for state in JobState]


def _jobs(_actor: Actor) -> Sequence[tuple[str, Any]]:
    return [(job.key, job.title) for job in registry("jobs")]


COLUMNS = [
    Column("id", _l("No."), {"number": R.id}, sort=R.id, align="end"),
    Column(
        "title",
        _l("Job"),
        {"title": R.title, "job_key": R.job_key},
        cell=lambda row, _c: title_of(row.title, row.job_key),
    ),
    Column(
        "state",
        _l("State"),
        {"state": R.state},
        cell=lambda row, _c: tag(state_text(row.state), STATE_TONES[row.state]),
    ),
    Column(
        "progress",
        _l("Progress"),
        {"progress_done": R.progress_done, "progress_total": R.progress_total},
        cell=_progress,
        align="end",
    ),
    Column("created", _l("Ordered"), {"created_at": R.created_at}, cell=_moment("created_at")),
    Column("finished", _l("Ended"), {"finished_at": R.finished_at}, cell=_moment("finished_at")),
    Column("error", _l("Error"), {"error": R.error}),
]


FILTERS = [
    Filter("state", _l("State"), "choice", value_in(R.state), _states),
    Filter("job", _l("Job"), "choice", value_in(R.job_key), _jobs),
]


def _row_url(row: Any) -> str:
    return url_for("jobs.show", run_id=row.id)


MINE = Listing(
    key="jobs.mine",
    title=_l("My jobs"),
    endpoint="jobs.index",
    identity=R.id,
    source=lambda statement: statement,
    where=lambda actor: [R.owner_id == actor.user_id],
    columns=list(COLUMNS),
    default_sort="-id",
    filters=list(FILTERS),
    row_url=_row_url,
    empty=EmptyText(_l("No jobs yet"), _l("Imports, exports and other long work that you start is listed here.")),
)

ALL = Listing(
    key="jobs.all",
    title=_l("Runs"),
    endpoint="jobs.runs",
    identity=R.id,
    source=lambda statement: statement.outerjoin(User, User.id == R.owner_id),
    where=lambda actor: [visible(actor, ADMINISTER)],
    columns=[
        *COLUMNS[:3],
        Column(
            "owner", _l("Started by"), {"owner_name": User.name}, cell=lambda row, _c: row.owner_name or _("The portal")
        ),
        *COLUMNS[3:],
        Column("error_id", _l("Error number"), {"error_id": R.error_id}),
    ],
    default_sort="-id",
    filters=list(FILTERS),
    scenes=[
        Scene("failed", _l("Failed"), lambda _actor: R.state == JobState.FAILED),
        Scene("active", _l("Waiting and running"), lambda _actor: R.state.in_((JobState.QUEUED, JobState.RUNNING))),
    ],
    row_url=_row_url,
    empty=EmptyText(_l("No runs yet")),
)
