"""What modules and plugins add to the pages of others: frozen data, never HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class Panel:
    """A box on a page: the page includes `template` with `context`.

    :ivar width: "half" or "full".
    """

    key: str
    title: Any
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    order: int = 50
    width: str = "half"
    icon: str = ""


@dataclass(frozen=True)
class Tab:
    """A tab of a record page. `count` is shown beside the label when it is not None."""

    key: str
    label: Any
    url: str
    count: int | None = None
    order: int = 50


@dataclass(frozen=True)
class Action:
    """A button of a record page; method "post" is sent as a form with the CSRF token."""

    key: str
    label: Any
    url: str
    icon: str = ""
    method: str = "get"
    kind: str = "secondary"
    order: int = 50


@dataclass(frozen=True)
class HeldFields:
    """Fields of a record that change another way than by its form (see hook `customer_held_fields`).

    :ivar fields: names of the fields. :ivar reason: why, and what to do instead. :ivar url: where to do it, or "".
    """

    fields: frozenset[str]
    reason: Any
    url: str = ""


@dataclass(frozen=True)
class Badge:
    """A small mark beside a name. Tones: neutral, info, success, warning, danger, accent."""

    label: Any
    tone: str = "neutral"
    icon: str = ""
    url: str | None = None


@dataclass(frozen=True)
class TimelineEntry:
    """One event of a time line. `kind` groups the filter (interaction, purchase, approval, document, change …)."""

    when: datetime
    kind: str
    icon: str
    title: Any
    body: Any = ""
    actor: str = ""
    url: str | None = None
    tone: str = "neutral"


@dataclass(frozen=True)
class AgendaItem:
    """One duty of "my day".

    :ivar due: the day it is due; items before today are overdue.
    :ivar kind: short word for the kind of duty ("next step", "birthday" …), translatable.
    :ivar about: whom or what it concerns, already text.
    """

    due: date
    kind: Any
    title: Any
    url: str
    icon: str = ""
    about: str = ""


@dataclass(frozen=True)
class PaletteItem:
    """One hit of the command palette and of the search page; `group` is the heading under which it is shown."""

    label: str
    url: str
    group: Any
    hint: str = ""
    icon: str = ""


@dataclass(frozen=True)
class HealthCheck:
    """One line of /healthz. `run` returns "" when well, else what is wrong (no secrets)."""

    name: str
    run: Any
