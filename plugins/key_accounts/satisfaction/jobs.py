"""Job of the health."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.satisfaction import health
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.transaction import transaction
from portal.i18n import _l


def refresh_healths(context: JobContext) -> dict[str, Any]:
    """Compute the health of key and important customers, in short transactions."""
    ids = health.accounts()
    for start in range(0, len(ids), health.CHUNK):
        context.check_cancelled()
        with transaction():
            health.refresh(ids[start : start + health.CHUNK])
        context.progress(min(start + health.CHUNK, len(ids)), len(ids))
    return {"customers": len(ids)}


JOBS = (
    Job(
        "key_accounts.health",
        _l("Compute the health of key accounts"),
        refresh_healths,
        schedule=Schedule(minute="15"),
        idempotent=True,
        quiet=True,
    ),
)
