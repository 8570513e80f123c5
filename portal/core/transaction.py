"""The one commit place. Views, commands and jobs open `transaction()`; services only flush."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from portal.core.database import WRITER
from portal.extensions import db

Value = TypeVar("Value")

_OPEN = "portal_transaction_open"
#: What was asked once for a page; a transaction makes it void.
_PAGE = "portal_page_memory"
_AFTER = "portal_after_commit"


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
