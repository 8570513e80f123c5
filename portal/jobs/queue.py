"""Word to the worker, through huey: on a file in DATA_DIR, or on Redis when REDIS_URL is set.

A message carries nothing but the number of a run. It may get lost or come twice: the row decides.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Flask, current_app

if TYPE_CHECKING:
    from huey import Huey

logger = logging.getLogger(__name__)

EXTENSION = "portal_huey"


def huey_of(app: Flask) -> Huey:
    """The application's queue, opened when first needed."""
    if EXTENSION not in app.extensions:
        from portal.jobs.huey_queue import make_huey

        app.extensions[EXTENSION] = make_huey(app)
    return app.extensions[EXTENSION]


def wake(run_id: int) -> None:
    """Tell the worker of a run. Never fails: when the queue is away, the tick sends the word again.

    With JOBS_IMMEDIATE (tests, `portal demo`) the run is done here and now.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if app.config.get("JOBS_IMMEDIATE"):
        from portal.jobs.running import execute_run

        execute_run(app, run_id)
        return
    send(app, run_id)


def send(app: Flask, run_id: int) -> bool:
    """Put the word into the queue; False when the queue cannot be reached."""
    try:
        from portal.jobs.huey_queue import enqueue

        enqueue(huey_of(app), run_id)
    except Exception:
        logger.warning("the queue of jobs cannot be reached; run %s will be sent again", run_id, exc_info=True)
        return False
    return True
