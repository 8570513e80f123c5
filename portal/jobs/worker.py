"""The worker process: `portal jobs worker`, and one of the two children of `portal run`.

Each process that works has one pulse.
"""

from __future__ import annotations

import logging
import os
import threading

from flask import Flask

from portal.extensions import db
from portal.jobs.clockwork import Pulse, sign_off
from portal.jobs.queue import huey_of

#: Jobs that run at the same time.
WORKERS = 2
#: Seconds that running jobs have to end after the first signal.
PATIENCE_SECONDS = 20

logger = logging.getLogger(__name__)


def work(app: Flask, workers: int = WORKERS, kind: str = "thread") -> None:
    """Work through the queue of an application until a signal arrives; the first one lets running jobs end.

    :param workers: jobs at the same time. :param kind: "thread" or "process".
    """
    huey = huey_of(app)
    # huey prints its own lines; the portal's log need not repeat them.
    log = logging.getLogger("huey")
    log.propagate = False
    log.setLevel(logging.WARNING)
    log.addHandler(logging.StreamHandler())
    pulses = Pulses(app)
    huey.on_startup()(pulses.start)
    huey.on_shutdown()(pulses.stop)
    consumer = huey.create_consumer(
        workers=workers,
        worker_type=kind,
        # Asks often; the schedule is the portal's own (see clockwork.py).
        max_delay=1,
        periodic=False,
        graceful_signal="TERM",
        shutdown_timeout=PATIENCE_SECONDS,
    )
    consumer.run()


class Pulses:
    """Starts the pulse of a process with its first worker, and ends it with the last."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._main = os.getpid()
        self._lock = threading.Lock()
        self._pulses: dict[int, Pulse] = {}
        #: process → worker threads at work in it
        self._workers: dict[int, int] = {}

    def start(self) -> None:
        """Called in each worker thread or process; the first of a process starts its pulse."""
        process = os.getpid()
        with self._lock:
            self._workers[process] = self._workers.get(process, 0) + 1
            if process in self._pulses:
                return
            if process != self._main:
                # A forked child must not share connections with its parent.
                with self._app.app_context():
                    db.engine.dispose(close=False)
            self._pulses[process] = Pulse(self._app)
            self._pulses[process].start()

    def stop(self) -> None:
        """Called as each worker ends; the last one of a process stops the pulse and signs the process off."""
        process = os.getpid()
        with self._lock:
            self._workers[process] -= 1
            pulse = None if self._workers[process] else self._pulses.pop(process, None)
        if pulse is None:
            return
        pulse.stop()
        pulse.join(timeout=5)
        try:
            sign_off(self._app)
        except Exception:
            logger.warning("the worker could not be signed off", exc_info=True)
