"""The worker process: `huey_consumer portal.jobs.worker.huey`, or `portal jobs worker` with fitting options.

Like wsgi.py an entry point: it builds the application once. Each worker process has one pulse.
"""

from __future__ import annotations

import logging
import os
import threading

from portal.app import create_app
from portal.extensions import db
from portal.jobs.clockwork import Pulse, sign_off
from portal.jobs.queue import huey_of

app = create_app()
huey = huey_of(app)

_pulses: dict[int, Pulse] = {}
_lock = threading.Lock()
_main = os.getpid()


@huey.on_startup()
def start_pulse() -> None:
    """Called in each worker thread or process; the first of a process starts its pulse."""
    with _lock:
        if os.getpid() in _pulses:
            return
        if os.getpid() != _main:
            # A forked child must not share connections with its parent.
            with app.app_context():
                db.engine.dispose(close=False)
        pulse = Pulse(app)
        _pulses[os.getpid()] = pulse
        pulse.start()


@huey.on_shutdown()
def stop_pulse() -> None:
    """Called as each worker ends; the first to end signs the process off."""
    with _lock:
        pulse = _pulses.get(os.getpid())
        if pulse is None or pulse.stopping.is_set():
            return
        pulse.stop()
    try:
        sign_off(app)
    except Exception:
        logging.getLogger(__name__).warning("the worker could not be signed off", exc_info=True)
