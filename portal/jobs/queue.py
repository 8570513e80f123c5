"""Word to the worker, through huey: on a file in DATA_DIR, or on Redis when REDIS_URL is set.

A message carries nothing but the number of a run. It may get lost or come twice: the row decides.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from typing import Any

from flask import Flask, current_app
from huey import Huey, RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import SqliteStorage

from portal.core.database import sqlite_module

logger = logging.getLogger(__name__)
_sqlite = sqlite_module()

EXTENSION = "portal_huey"
TASK_NAME = "run"
QUEUE_FILE = "jobs.sqlite3"


class BundledSqliteStorage(SqliteStorage):
    """The queue's file on the bundled SQLite library: the system's older one may lose data in WAL mode."""

    integrity_error = _sqlite.IntegrityError
    operational_error = _sqlite.OperationalError

    def _create_connection(self) -> Any:
        connection = _sqlite.connect(self.filename, timeout=self._timeout, check_same_thread=False, **self._conn_kwargs)
        connection.isolation_level = None
        self._set_journal_mode(connection)
        return connection


class SignedJson(Serializer):
    """Messages as JSON under a signature: whoever can write to the queue still cannot make the worker run code."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._key = hashlib.sha256(b"portal.jobs" + secret.encode()).digest()

    def _sign(self, data: bytes) -> bytes:
        return hmac.new(self._key, data, hashlib.sha256).hexdigest().encode()

    def _serialize(self, data: Message) -> bytes:
        body = json.dumps(data._asdict(), default=list).encode()
        return self._sign(body) + b":" + body

    def _deserialize(self, data: bytes) -> Message:
        signature, _separator, body = bytes(data).partition(b":")
        if not hmac.compare_digest(signature, self._sign(body)):
            raise ValueError("a message of the queue is not signed by this portal")
        return Message(**json.loads(body))


def make_huey(app: Flask) -> Huey:
    """The queue of an application, with the one task it knows."""
    options: dict[str, Any] = {"results": False, "serializer": SignedJson(app.config["SECRET_KEY"])}
    if app.config["REDIS_URL"]:
        huey: Huey = RedisHuey("portal", url=app.config["REDIS_URL"], **options)
    else:
        app.config["DATA_DIR"].mkdir(parents=True, exist_ok=True)
        huey = SqliteHuey(
            "portal",
            storage_class=BundledSqliteStorage,
            filename=str(app.config["DATA_DIR"] / QUEUE_FILE),
            timeout=5,
            **options,
        )
    from portal.jobs.running import execute_run

    @huey.task(name=TASK_NAME)
    def run(run_id: int) -> None:
        execute_run(app, int(run_id))

    return huey


def huey_of(app: Flask) -> Huey:
    """The application's queue, opened when first needed."""
    if EXTENSION not in app.extensions:
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
        huey = huey_of(app)
        huey.enqueue(huey._registry.string_to_task(_task_path(huey))(args=(run_id,)))
    except Exception:
        logger.warning("the queue of jobs cannot be reached; run %s will be sent again", run_id, exc_info=True)
        return False
    return True


def _task_path(huey: Huey) -> str:
    return next(name for name in huey._registry._registry if name.endswith(f".{TASK_NAME}"))
