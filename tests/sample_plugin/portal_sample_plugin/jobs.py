"""The nightly count."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from portal.core.jobs import Job, JobContext, Schedule
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _l
from portal_sample_plugin import services
from portal_sample_plugin.models import SENT, SampleDelivery


def count(context: JobContext) -> dict[str, Any]:
    """Count the samples that were sent and write it into the diary."""
    with transaction():
        sent = int(db.session.scalar(select(func.count()).where(SampleDelivery.state == SENT)) or 0)
        services.note("job", sent)
    context.progress(1, 1)
    return {"sent": sent}


COUNT = Job(
    "sample.count", _l("Count the samples sent"), count, schedule=Schedule(minute="15", hour="2"), idempotent=True
)
