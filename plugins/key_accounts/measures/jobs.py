"""Jobs of the measures."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.measures import services
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.transaction import transaction
from portal.i18n import _l


def recompute(context: JobContext) -> dict[str, Any]:
    """Compute all measures anew."""

    def progress(done: int, total: int) -> None:
        context.check_cancelled()
        context.progress(done, total)

    return services.recompute_all(progress)


def keep_current(context: JobContext) -> dict[str, Any]:
    """Do what the summaries need: everything after midnight or a new rate, ranks after changes, mostly nothing."""
    work = services.work_to_do()
    if work == "all":
        return recompute(context)
    if work == "ranks":
        with transaction():
            return services.rank_all()
    return {}


RECOMPUTE = "key_accounts.recompute"

JOBS = (
    Job(
        RECOMPUTE,
        _l("Compute the measures and tier proposals of all customers anew"),
        recompute,
        idempotent=True,
        permission="key_accounts.lead",
    ),
    Job(
        "key_accounts.keep_current",
        _l("Keep measures, ranks and tier proposals current"),
        keep_current,
        schedule=Schedule(minute="*/10"),
        idempotent=True,
        quiet=True,
    ),
)
