"""Settings that administrators change in the portal; kept in the database, typed, with a default."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import ForeignKey, Select, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock
from portal.core.database import UTCDateTime
from portal.core.transaction import forget_unchanged, while_unchanged
from portal.extensions import db

_CACHE = "portal_settings"


class SettingValue(db.Model):
    """A setting that differs from its default."""

    __tablename__ = "setting"

    #: "module.name"
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    #: JSON
    value: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))


@dataclass(frozen=True)
class Setting:
    """Definition of a setting.

    :ivar kind: bool, int, money, text, choice, choices, json.
    :ivar choices: (value, label) pairs for choice and choices.
    :ivar unit: shown behind the field (days, yuan …).
    """

    key: str
    kind: str
    default: Any
    label: Any
    help: Any = ""
    minimum: int | Decimal | None = None
    maximum: int | Decimal | None = None
    choices: tuple[tuple[str, Any], ...] = ()
    unit: Any = ""


class SettingRegistry:
    """All setting definitions of an application."""

    def __init__(self) -> None:
        self.definitions: dict[str, Setting] = {}

    def add(self, settings: Iterable[Setting]) -> None:
        """Register definitions. :raises ValueError: when a key is taken."""
        for setting in settings:
            if setting.key in self.definitions:
                raise ValueError(f"setting {setting.key!r} is registered twice")
            self.definitions[setting.key] = setting


def registry() -> SettingRegistry:
    """The registry of the running application."""
    from flask import current_app

    return current_app.extensions["portal_settings"]


def option(name: str) -> Any:
    """A setting of the environment (`portal.config.OPTIONS`), for services, which know no flask."""
    from flask import current_app

    return current_app.config[name]


def get(key: str) -> Any:
    """The present value of a setting; all of them are read with one statement per request or job.

    :raises KeyError: for an unknown key.
    """
    definition = registry().definitions[key]
    session = db.session()
    values: dict[str, str] | None = session.info.get(_CACHE)
    if values is None:
        values = while_unchanged(_CACHE, lambda: {row.key: row.value for row in session.execute(_all_statement())})
        session.info[_CACHE] = values
    return _decode(definition, values[key]) if key in values else definition.default


@cache
def _all_statement() -> Select[str, str]:
    return select(SettingValue.key, SettingValue.value)


def put(key: str, value: Any, user_id: int | None) -> tuple[Any, Any]:
    """Store a value (flushes only). Returns (old, new). Rules of shape are the form's; the audit is the caller's."""
    definition = registry().definitions[key]
    old = get(key)
    row = db.session.get(SettingValue, key)
    encoded = json.dumps(str(value) if isinstance(value, Decimal) else value, ensure_ascii=False)
    if row is None:
        row = SettingValue(key=key, value=encoded, updated_at=clock.now(), updated_by=user_id)
        db.session.add(row)
    else:
        row.value, row.updated_at, row.updated_by = encoded, clock.now(), user_id
    db.session.flush()
    forget_cache()
    forget_unchanged(_CACHE)
    return old, _decode(definition, encoded)


def forget_cache() -> None:
    """Drop what `get` remembers; called at the end of every request and job."""
    db.session().info.pop(_CACHE, None)


def _decode(definition: Setting, encoded: str) -> Any:
    value = json.loads(encoded)
    return Decimal(value) if definition.kind == "money" else value
