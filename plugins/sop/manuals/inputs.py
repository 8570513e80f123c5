"""What the editor's forms hand to the services."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ChapterInput:
    """A chapter as it was typed. `seen`: the save that the editor had before his eyes."""

    title: str
    body: str
    seen: int
    autosaved: bool = False


@dataclass(frozen=True)
class StepInput:
    """A step as it was typed. `key`: "" for a new one."""

    key: str = ""
    who: str = ""
    what: str = ""
    record: str = ""
    limit_amount: int | None = None
    limit_unit: str = ""
    limit_text: str = ""
    standard: str = ""
    is_check: bool = True
    is_stop: bool = False

    @classmethod
    def of(cls, step: Any) -> StepInput:
        """What would have to be typed for a step as it is kept, to change a part of it."""
        return cls(
            step.key,
            step.who,
            step.what,
            step.record,
            step.limit_amount,
            step.limit_unit,
            step.limit_text,
            step.standard,
            step.is_check,
            step.is_stop,
        )


@dataclass(frozen=True)
class ProcedureInput:
    """A procedure as it was typed.

    :ivar seen: mark of the text that the editor had before his eyes (`editing.mark_of`).
    :ivar departments: (department, letters of RACI).
    :ivar related: (procedure, "after" or "see").
    """

    title: str
    seen: str
    code: str = ""
    trigger: str = ""
    purpose: str = ""
    records: str = ""
    measures: str = ""
    departments: tuple[tuple[int, str], ...] = ()
    roles: tuple[str, ...] = ()
    related: tuple[tuple[int, str], ...] = ()
    steps: tuple[StepInput, ...] = field(default_factory=tuple)
    autosaved: bool = False
