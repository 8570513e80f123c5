"""Lines of GET /healthz that this module knows: worker and storage."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from flask import current_app

from portal.core import clock
from portal.core.panels import HealthCheck
from portal.extensions import db
from portal.jobs.clockwork import WORKER_FRESH
from portal.jobs.queries import freshest_beat


def worker_beats() -> str:
    """ "" when a worker gave a sign of life within the last minute."""
    try:
        seen = freshest_beat()
    except Exception as error:
        db.session.rollback()
        return f"not known ({type(error).__name__})"
    if seen is None:
        return "no worker has been seen"
    silent = clock.now() - seen
    return "" if silent <= WORKER_FRESH else f"no worker since {int(silent.total_seconds())} s"


def storage_writable() -> str:
    """ "" when a file can be written into DATA_DIR."""
    probe = Path(current_app.config["DATA_DIR"]) / f".health-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"0" * 4096)
    except OSError as error:
        return f"not writable ({error.strerror})"
    finally:
        probe.unlink(missing_ok=True)
    return ""


CHECKS = [
    HealthCheck("storage", storage_writable),
    HealthCheck("worker", worker_beats),
]
