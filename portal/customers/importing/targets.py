"""What can be imported: the fields of a target, and what it does with staged records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from portal.core.registry import Registry, registry
from portal.core.spreadsheets import Cell
from portal.customers.importing.models import RowAction
from portal.org.actor import Actor

#: Duplicate policies.
SKIP, UPDATE, CREATE_ANYWAY = "skip", "update", "create"
POLICIES = (UPDATE, SKIP, CREATE_ANYWAY)


class CellError(ValueError):
    """A cell that cannot mean what its column says; the message is for the user."""


Reader = Callable[[Cell], Any]


@dataclass(frozen=True)
class ImportField:
    """A field that a column can be mapped to.

    :ivar key: name of the value; errors of services name it too.
    :ivar read: cell → value that JSON can carry after `portal.customers.plain_json`; raises `CellError`.
    :ivar group: heading under which the field stands in the choice.
    :ivar synonyms: headings by which the column is guessed, besides the label.
    """

    key: str
    label: Any
    read: Reader
    required: bool = False
    group: Any = ""
    help: Any = ""
    synonyms: tuple[str, ...] = ()


@dataclass
class Row:
    """One row that was read: its number in the file, the values of its mapped cells, and what is wrong with it."""

    number: int
    values: dict[str, Any]
    errors: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Record:
    """The rows of one record with the verdict of the dry run.

    :ivar payload: what `apply` needs, as JSON.
    :ivar wrong: row number → what is wrong with that row alone.
    """

    rows: list[Row]
    action: RowAction = RowAction.REFUSED
    target_id: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    digest: str = ""

    def refuse(self, field_key: str, message: object) -> None:
        """Note what is wrong with the record as a whole."""
        self.action = RowAction.REFUSED
        self.errors.append((field_key, str(message)))


@dataclass(frozen=True)
class Rules:
    """What the user chose for the whole file.

    :ivar defaults: values for fields whose cell is empty or that have no column.
    """

    policy: str = UPDATE
    defaults: Mapping[str, Any] = field(default_factory=dict)
    manager_id: int | None = None
    department_id: int | None = None


@dataclass
class Work:
    """One staged record on its way into the database, or out of it."""

    number: int
    action: str
    payload: dict[str, Any]
    target_id: int | None = None
    effect: dict[str, Any] = field(default_factory=dict)
    reasons: list[tuple[str, str]] = field(default_factory=list)


class ImportTarget(Protocol):
    """Something that can be imported.

    :ivar key: unique, e.g. "customers".
    :ivar permission: a permission without entity.
    :ivar assigns: whether account manager and department can be chosen for new records.
    """

    key: str
    title: Any
    help: Any
    icon: str
    permission: str
    assigns: bool

    def fields(self) -> Sequence[ImportField]:
        """All fields, in the order in which they are offered."""

    def defaults(self) -> Sequence[tuple[str, Any, Sequence[tuple[str, Any]]]]:
        """Fields for which the user may choose a value for all rows: (key, label, choices)."""

    def group(self, rows: Sequence[Row]) -> list[Record]:
        """Put the rows of a file together to records; notes what contradicts inside the file."""

    def check(self, records: Sequence[Record], rules: Rules, actor: Actor) -> None:
        """Decide what is to be done with each record (a chunk of them); writes nothing."""

    def apply(self, works: Sequence[Work], rules: Rules, actor: Actor, batch_id: int) -> None:
        """Write records, in the caller's transaction: sets `target_id` and `effect`, or `reasons` when refused now."""

    def undo(self, works: Sequence[Work], actor: Actor, batch_id: int) -> None:
        """Take records back, in the caller's transaction: sets `reasons` where one was changed since."""

    def url(self, target_id: int) -> str:
        """Address of a record."""


def import_targets() -> Registry[ImportTarget]:
    """All targets of the running application."""
    return registry("import_targets")
