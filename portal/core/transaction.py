"""The one commit place. Views, commands and jobs open `transaction()`; services only flush."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy.orm import Session

from portal.core.database import WRITER
from portal.extensions import db

Value = TypeVar("Value")

_OPEN = "portal_transaction_open"
#: What was asked once for a page; a transaction makes it void.
_PAGE = "portal_page_memory"
_AFTER = "portal_after_commit"
#: In the page's memory: see `note_version`.
_VERSION = "portal_data_version"
_UNCHANGED = "portal_unchanged"
KEPT_SECONDS = 60
KEPT_ANSWERS = 2000


@contextmanager
def transaction() -> Iterator[Session]:
    """Open a writer's transaction, commit at the end, roll back on any error.

    What was read before is forgotten, so that checks inside see the present state and hold until the commit.
    Nested use is refused: a service that wants a transaction of its own is a mistake.

    :raises RuntimeError: when nested, or when something was changed outside.
    """
    session = db.session()
    if session.info.get(_OPEN):
        raise RuntimeError("transaction() is open already: services flush, they do not commit")
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("objects were changed before transaction() was opened")
    session.rollback()
    session.info.pop(_PAGE, None)
    session.info[_OPEN] = True
    session.info[_AFTER] = []
    try:
        session.connection(execution_options={WRITER: True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    else:
        callbacks: list[Callable[[], None]] = session.info[_AFTER]
    finally:
        session.info[_OPEN] = False
    for callback in callbacks:
        callback()


def in_transaction() -> bool:
    """Whether `transaction()` is open for the present session."""
    return bool(db.session().info.get(_OPEN))


def page_memory() -> dict[Hashable, Any]:
    """What this page has found out already; a dictionary that nobody keeps while a transaction is open.

    Within a page the database does not change under the reader, so one question is asked once. A transaction forgets
    everything, since what is decided in it must be true until the commit.
    """
    if in_transaction():
        return {}
    found: dict[Hashable, Any] = db.session().info.setdefault(_PAGE, {})
    return found


def once_a_page(key: Hashable, find: Callable[[], Value]) -> Value:
    """What `find` gives, found once for a page however often it is asked; inside a transaction each time."""
    memory = page_memory()
    if key not in memory:
        memory[key] = find()
    value: Value = memory[key]
    return value


def note_version(number: int) -> None:
    """Say as of which change the page reads: the number of the last audit entry, read before anything else."""
    page_memory()[_VERSION] = number


def known_version() -> int | None:
    """The number of the last audit entry as of which the page reads; None where nobody said it, as in a transaction."""
    found: int | None = page_memory().get(_VERSION)
    return found


def while_unchanged(key: Hashable, find: Callable[[], Value]) -> Value:
    """What `find` gives, kept from page to page in this process as long as nothing was written anywhere.

    Every change of data writes an audit entry in its own transaction: while the number of the last one stands, so does
    what was found. For small answers that many pages ask and that follow from audited rows alone, not from the day.
    After a minute they are found anew all the same, for whoever changes rows by hand.
    """
    version = known_version()
    if version is None:
        return once_a_page(key, find)
    kept: dict[Hashable, tuple[int, float, Any]] = current_app.extensions.setdefault(_UNCHANGED, {})
    entry = kept.get(key)
    now = time.monotonic()
    if entry is None or entry[0] != version or now - entry[1] > KEPT_SECONDS:
        if len(kept) >= KEPT_ANSWERS:
            kept.clear()
        entry = kept[key] = (version, now, find())
    value: Value = entry[2]
    return value


def forget_unchanged(key: Hashable) -> None:
    """Drop what this process keeps under a key: for whoever writes what it follows from."""
    current_app.extensions.get(_UNCHANGED, {}).pop(key, None)


def forget_page() -> None:
    """Drop what the page found out; called at the end of every request and job."""
    db.session().info.pop(_PAGE, None)


def after_commit(callback: Callable[[], None]) -> None:
    """Run a callback once the open transaction has committed; forgotten when it is rolled back.

    Only for hints (wake a worker): what must not be lost is a row written in the transaction.
    """
    if not in_transaction():
        raise RuntimeError("after_commit() needs an open transaction")
    db.session().info[_AFTER].append(callback)
