"""Jobs of the audit trail: anchors, and the nightly proof."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from flask import current_app

from portal.audit.anchors import FILE_NAME, AnchorError, write_anchor
from portal.audit.labels import problem_text
from portal.audit.permissions import READ
from portal.audit.services import note_check
from portal.audit.verify import verify_chain
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.transaction import transaction
from portal.i18n import _, _l

logger = logging.getLogger(__name__)


def _path() -> Path:
    return Path(current_app.config["DATA_DIR"]) / FILE_NAME


def anchor_trail(_context: JobContext) -> dict[str, Any]:
    """Write the head of the chain down outside the database."""
    anchor = write_anchor(_path())
    return {} if anchor is None else {"seq": anchor.seq, "hash": anchor.hash}


def verify_trail(context: JobContext) -> dict[str, Any]:
    """Prove the whole chain; keep the verdict; anchor it when it is whole."""
    verdict = verify_chain(_path(), progress=lambda done, total: context.progress(done, total, _("Entries read")))
    with transaction():
        note_check(verdict)
    if not verdict.is_whole:
        logger.critical("audit trail broken at entry %s: %s", verdict.broken_seq, verdict.sentence)
        return {
            "message": _("The trail is broken at entry %(seq)s.", seq=verdict.broken_seq)
            + " "
            + problem_text(verdict.problem),
            "failed": True,
        }
    try:
        write_anchor(_path())
    except AnchorError as error:
        logger.critical("audit trail: %s", error)
    return {"message": _("The trail is whole: %(count)s entries.", count=f"{verdict.entries:,}")}


JOBS = [
    Job(
        "audit.anchor",
        _l("Anchor the audit trail"),
        anchor_trail,
        Schedule(minute="7"),
        idempotent=True,
        quiet=True,
        help=_l("Writes the last hash into a file outside the database, every hour."),
    ),
    Job(
        "audit.verify",
        _l("Prove the audit trail"),
        verify_trail,
        Schedule(minute="30", hour="1"),
        idempotent=True,
        permission=READ,
        help=_l("Reads every entry and compares hashes and anchors, every night."),
    ),
]
