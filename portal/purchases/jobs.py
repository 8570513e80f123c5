"""Nightly work: twelve months pass even when nobody buys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from portal.core import clock
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.transaction import transaction
from portal.i18n import _l
from portal.purchases import summaries

#: Customers brought up to date in one transaction.
CHUNK = 500
#: Nights that may have been missed: purchases that left the twelve months within so many days are looked at.
MISSED_DAYS = 40


def age_sums(context: JobContext) -> dict[str, Any]:
    """Take purchases that grew older than twelve months out of the sums of their customers."""
    first = summaries.twelve_months_before(clock.today()) - timedelta(days=MISSED_DAYS)
    done = 0
    while True:
        context.check_cancelled()
        with transaction():
            ids = summaries.stale_customers(first, CHUNK)
            summaries.refresh(ids)
        done += len(ids)
        context.progress(done)
        if len(ids) < CHUNK:
            return {"customers": done}


def check_all(context: JobContext) -> dict[str, Any]:
    """Compute all summaries anew and correct those that are not true."""
    checked = corrected = 0
    for ids in list(summaries.customer_ranges(CHUNK)):
        context.check_cancelled()
        with transaction():
            corrected += summaries.refresh(ids)
        checked += len(ids)
        context.progress(checked)
    with transaction():
        summaries.rebuild_groups()
    return {"customers": checked, "corrected": corrected}


JOBS = (
    Job(
        "purchases.age_sums",
        _l("Bring the twelve-month sums of customers up to date"),
        age_sums,
        schedule=Schedule(minute="5", hour="0"),
        idempotent=True,
    ),
    Job(
        "purchases.check_all",
        _l("Check all sums of purchases"),
        check_all,
        schedule=Schedule(minute="30", hour="3", day_of_week="0"),
        idempotent=True,
    ),
)
