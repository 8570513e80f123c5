"""`portal jobs …`"""

from __future__ import annotations

import json
import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.core import clock
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.extensions import db
from portal.jobs import clockwork, queries, worker
from portal.jobs.models import JobRun, JobState
from portal.jobs.running import execute_run
from portal.org.actor import SYSTEM


@click.group("jobs")
def jobs() -> None:
    """Background jobs."""


@jobs.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def list_jobs(as_json: bool) -> None:
    """Every job: last run, next run, failures of the last week."""
    lines = queries.job_lines()
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "key": line.job.key,
                        "title": line.title,
                        "state": line.last_state,
                        "last": line.last_at.isoformat() if line.last_at else None,
                        "next": line.next_at.isoformat() if line.next_at else None,
                        "failures": line.failures,
                    }
                    for line in lines
                ],
                ensure_ascii=False,
            )
        )
        return
    for line in lines:
        last = clock.local(line.last_at).strftime("%Y-%m-%d %H:%M") if line.last_at else "-"
        following = clock.local(line.next_at).strftime("%Y-%m-%d %H:%M") if line.next_at else "-"
        click.echo(f"{line.job.key:32} {line.last_state or '-':10} {last:17} next {following:17} {line.title}")


@jobs.command("run")
@click.argument("key")
@click.option("--parameters", default="{}", help="JSON object.")
@with_appcontext
def run_job(key: str, parameters: str) -> None:
    """Run a job in this process, as the portal itself, and wait for its end (exit 1 when it fails)."""
    if key not in registry("jobs"):
        raise click.ClickException(f"There is no job {key!r}; see `portal jobs list`.")
    try:
        values = json.loads(parameters)
    except ValueError as error:
        raise click.BadParameter("a JSON object is wanted", param_hint="--parameters") from error
    if not isinstance(values, dict):
        raise click.BadParameter("a JSON object is wanted", param_hint="--parameters")
    now = clock.now()
    with transaction():
        row = JobRun(
            job_key=key,
            as_system=True,
            parameters=json.dumps(values),
            created_at=now,
            sent_at=now,
            owner_id=SYSTEM.user_id,
        )
        db.session.add(row)
        db.session.flush()
        run_id = row.id
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    state = execute_run(app, run_id)
    view = queries.view_of(db.session.get_one(JobRun, run_id), is_owner=True, may_fetch=True)
    click.echo(view.message or view.error or state)
    if state != JobState.DONE or view.has_failed_outcome:
        sys.exit(1)


@jobs.command("tick")
@with_appcontext
def tick() -> None:
    """One minute's work of the clock by hand: start what is due, find dead workers."""
    started = clockwork.tick(current_app._get_current_object())  # type: ignore[attr-defined]
    click.echo(f"{len(started)} announced")


@jobs.command("worker")
@click.option("--workers", default=worker.WORKERS, show_default=True, help="Jobs at the same time.")
@click.option("--type", "kind", type=click.Choice(["thread", "process"]), default="thread", show_default=True)
@with_appcontext
def run_worker(workers: int, kind: str) -> None:
    """Work through the queue until stopped; a first SIGTERM lets running jobs end."""
    worker.work(current_app._get_current_object(), workers, kind)  # type: ignore[attr-defined]
