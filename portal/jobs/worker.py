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
from portal.startup import settle, without_collector

with without_collector():
    app = create_app()
settle()
huey = huey_of(app)

#: huey prints its own lines; the portal's log need not repeat them.
logging.getLogger("huey").propagate = False

_pulses: dict[int, Pulse] = {}
#: process → worker threads at work in it
_workers: dict[int, int] = {}
_lock = threading.Lock()
_main = os.getpid()


@huey.on_startup()
def start_pulse() -> None:
    """Called in each worker thread or process; the first of a process starts its pulse."""
    process = os.getpid()
    with _lock:
        _workers[process] = _workers.get(process, 0) + 1
        if process in _pulses:
            return
        if process != _main:
            # A forked child must not share connections with its parent.
            with app.app_context():
                db.engine.dispose(close=False)
        _pulses[process] = Pulse(app)
        _pulses[process].start()


@huey.on_shutdown()
def stop_pulse() -> None:
    """Called as each worker ends; the last one of a process stops the pulse and signs the process off."""
    process = os.getpid()
    with _lock:
        _workers[process] -= 1
        pulse = None if _workers[process] else _pulses.pop(process, None)
    if pulse is None:
        return
    pulse.stop()
    pulse.join(timeout=5)
    try:
        sign_off(app)
    except Exception:
        logging.getLogger(__name__).warning("the worker could not be signed off", exc_info=True)
