"""Who looks after jobs."""

from __future__ import annotations

import json

from portal.core.jobs import Job
from portal.core.permissions import Actor, Permission, Rule, can, has_role
from portal.i18n import _l
from portal.jobs.models import JobRun
from portal.org.models import ADMINISTRATOR

ADMINISTER = "jobs.administer"

PERMISSIONS = [Permission(ADMINISTER, _l("See, start and repeat background jobs"))]
RULES = [Rule(ADMINISTER, "administrator", _l("is an administrator"), has_role(ADMINISTRATOR))]


def may_see_run(actor: Actor, run: JobRun) -> bool:
    """The owner and administrators see a run's page."""
    return owns_run(actor, run) or can(actor, ADMINISTER)


def owns_run(actor: Actor, run: JobRun) -> bool:
    """Files of a run are its owner's alone: an administrator sees no customer data by virtue of the role."""
    return run.owner_id is not None and run.owner_id == actor.user_id


def may_fetch(actor: Actor, run: JobRun, job: Job | None) -> bool:
    """Whether the actor may have the file that a run made: its owner, while he may do and see what it is about."""
    if job is None or not owns_run(actor, run):
        return False
    if job.permission and not can(actor, job.permission):
        return False
    return job.may_fetch is None or job.may_fetch(actor, json.loads(run.parameters))


def may_start(actor: Actor, job: Job) -> bool:
    """Whether the actor may start a job from a page."""
    return can(actor, ADMINISTER) or bool(job.permission and can(actor, job.permission))
