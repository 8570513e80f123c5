"""The database's present moment: what a deadline is compared with, whatever the clocks of the web servers say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from portal.core import clock
from portal.core.database import UTCDateTime
from portal.extensions import db


class _DatabaseNow(FunctionElement[Any]):
    type = UTCDateTime()
    inherit_cache = True
    name = "portal_now"


@compiles(_DatabaseNow, "sqlite")
def _sqlite(_element: Any, _compiler: Any, **_options: Any) -> str:
    # Same form as SQLAlchemy stores moments in, so that text compares like time.
    return "strftime('%Y-%m-%d %H:%M:%f', 'now')"


@compiles(_DatabaseNow, "postgresql")
def _postgresql(_element: Any, _compiler: Any, **_options: Any) -> str:
    # Not now(): that is the beginning of the transaction, which may have waited for a lock since.
    return "clock_timestamp()"


def database_now() -> ColumnElement[Any]:
    """SQL for the present moment. With the clock stopped (tests, the demo company's past) it is that moment."""
    return literal(clock.now(), UTCDateTime()) if clock.is_frozen() else _DatabaseNow()


def read_database_now() -> datetime:
    """The database's present moment, for a deadline that is written now."""
    found: datetime = db.session.execute(select(database_now())).scalar_one()
    return found
