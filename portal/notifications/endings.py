"""Who hears that a background job ended."""

from __future__ import annotations

import json
from typing import Any

from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import users_with_role
from portal.org.models import ADMINISTRATOR, AUDITOR

JOB_ENDED = "jobs.ended"
JOB_ALARM = "jobs.alarm"
#: The job whose bad news concerns auditors too.
AUDIT_VERIFY = "audit.verify"


def tell_of_end(run: Any, job: Any) -> None:
    """Tell the person who started the job, and those in charge when one of the portal's own jobs went wrong.

    :param run: the run as it was written; :param job: its definition.
    """
    result = json.loads(run.result) if run.result else {}
    wrong = run.state == "failed" or bool(result.get("failed"))
    if run.owner_id is not None and run.state != "cancelled" and (wrong or job.tell_owner):
        name = run.title or str(job.title)
        title = message("Failed: %(name)s", name=name) if wrong else message("Done: %(name)s", name=name)
        body = run.error or str(result.get("message", ""))
        notify([run.owner_id], JOB_ENDED, title=title, body=body, url=f"/jobs/{run.id}", about=f"job:{run.id}")
    if wrong and (run.owner_id is None or run.as_system):
        people = set(users_with_role(ADMINISTRATOR))
        if run.job_key == AUDIT_VERIFY:
            people |= set(users_with_role(AUDITOR))
        people.discard(run.owner_id or 0)
        title = message("Scheduled job failed: %(name)s", name=str(job.title))
        body = run.error or str(result.get("message", ""))
        notify(people, JOB_ALARM, title=title, body=body, url=f"/jobs/{run.id}", about=f"job:{run.job_key}")
