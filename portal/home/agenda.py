"""What "my day" shows: due and overdue duties from every module."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class AgendaItem:
    """One duty.

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
