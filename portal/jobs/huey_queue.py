"""The queue itself, made of huey; opened through `portal.jobs.queue`.

A room of its own because huey loads the clients of Redis and PostgreSQL, whichever is used: only a process that sends a
word, or works, has to wait for them, not every start.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from flask import Flask
from huey import Huey, RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import SqliteStorage

from portal.core.database import sqlite_module

_sqlite = sqlite_module()

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


def enqueue(huey: Huey, run_id: int) -> None:
    """Put the number of a run into the queue."""
    path = next(name for name in huey._registry._registry if name.endswith(f".{TASK_NAME}"))
    huey.enqueue(huey._registry.string_to_task(path)(args=(run_id,)))
