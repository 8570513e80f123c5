"""Tables of imports: the batch, its staged rows, remembered columns, keys of other systems."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db
from portal.org.models import User


class BatchState(StrEnum):
    """How far an import is."""

    #: the file is here; sheet, columns and rules are being chosen
    DRAFT = "draft"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    DONE = "done"
    #: a large import that was cancelled or broke is being taken back, or the user undoes it
    UNDOING = "undoing"
    UNDONE = "undone"


BUSY_STATES = (BatchState.CHECKING, BatchState.RUNNING, BatchState.UNDOING)


class RowAction(StrEnum):
    """What the dry run decided about a row."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    SKIP = "skip"
    REFUSED = "refused"
    #: belongs to the record of an earlier row (a further contact, a further line)
    PART = "part"


class RowState(StrEnum):
    """What became of a row."""

    STAGED = "staged"
    APPLIED = "applied"
    UNDONE = "undone"
    #: the undo left it alone because it was changed since
    KEPT = "kept"


class ImportBatch(db.Model):
    """One import of one file."""

    __tablename__ = "import_batch"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: key of the `ImportTarget`
    target: Mapped[str] = mapped_column(String(40))
    owner_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    state: Mapped[str] = mapped_column(String(12), default=BatchState.DRAFT.value)
    #: as the user called it, cleaned
    file_name: Mapped[str] = mapped_column(String(200))
    #: where the content is (portal.core.storage); "" after it was deleted
    storage_key: Mapped[str] = mapped_column(String(120))
    #: SHA-256 of the content
    digest: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Integer)
    #: xlsx, xls, csv
    kind: Mapped[str] = mapped_column(String(8), default="")
    #: "" until chosen; the first visible sheet then
    sheet: Mapped[str] = mapped_column(String(200), default="")
    encoding: Mapped[str] = mapped_column(String(20), default="")
    delimiter: Mapped[str] = mapped_column(String(4), default="")
    #: JSON list of headings
    headers_json: Mapped[str] = mapped_column("headers", Text, default="[]")
    #: JSON: number of the column → key of the field
    mapping_json: Mapped[str] = mapped_column("mapping", Text, default="{}")
    #: JSON: policy, defaults, account manager, department
    options_json: Mapped[str] = mapped_column("options", Text, default="{}")
    #: JSON: action → number of records, and what the import and its undo did
    counts_json: Mapped[str] = mapped_column("counts", Text, default="{}")
    #: the job at work on it, or the last one
    run_id: Mapped[int | None] = mapped_column(BigId)
    #: one sentence when the last step failed
    problem: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1)

    owner: Mapped[User] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state.value) for state in BatchState)})", name="state"),
        Index("ix_import_batch_owner", "owner_id", "id"),
        Index("ix_import_batch_created_at", "created_at"),
    )

    @property
    def headers(self) -> list[str]:
        """Headings of the sheet."""
        return list(json.loads(self.headers_json))

    @property
    def mapping(self) -> dict[int, str]:
        """Number of the column (from 0) → key of the field."""
        return {int(column): field for column, field in json.loads(self.mapping_json).items()}

    @property
    def options(self) -> dict[str, Any]:
        """Rules and defaults."""
        return dict(json.loads(self.options_json))

    @property
    def counts(self) -> dict[str, int]:
        """Numbers for the pages."""
        return dict(json.loads(self.counts_json))


class ImportRow(db.Model):
    """One row of the file, staged, and what became of it."""

    __tablename__ = "import_row"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"))
    #: number of the row in the file, as the spreadsheet program shows it
    number: Mapped[int] = mapped_column(Integer)
    #: number of the first row of the record that this row belongs to
    head: Mapped[int] = mapped_column(Integer)
    #: JSON list: the cells as they were, for the sheet of refused rows; "" once they were deleted
    cells_json: Mapped[str] = mapped_column("cells", Text, default="[]")
    #: SHA-256 of the record's values: tells whether the same was imported before
    digest: Mapped[str] = mapped_column(String(64), default="")
    action: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12), default=RowState.STAGED.value)
    #: JSON: what is to be written (first row of a record)
    values_json: Mapped[str] = mapped_column("values", Text, default="{}")
    #: JSON list of [field, message]: why it was refused; or why the undo left it alone
    reasons_json: Mapped[str] = mapped_column("reasons", Text, default="[]")
    #: the record that was made or changed
    target_id: Mapped[int | None] = mapped_column(BigId)
    #: JSON: what was there before and what the import wrote, as the target needs it for the undo
    effect_json: Mapped[str] = mapped_column("effect", Text, default="{}")

    __table_args__ = (
        CheckConstraint(f"action IN ({', '.join(repr(action.value) for action in RowAction)})", name="action"),
        CheckConstraint(f"state IN ({', '.join(repr(state.value) for state in RowState)})", name="state"),
        UniqueConstraint("batch_id", "number"),
        Index("ix_import_row_work", "batch_id", "state", "action", "number"),
        Index(
            "ix_import_row_digest",
            "digest",
            postgresql_where=text("state = 'applied' AND digest <> ''"),
            sqlite_where=text("state = 'applied' AND digest <> ''"),
        ),
    )

    @property
    def cells(self) -> list[str]:
        """The cells as they were."""
        return list(json.loads(self.cells_json or "[]"))

    @property
    def values(self) -> dict[str, Any]:
        """What is to be written."""
        return dict(json.loads(self.values_json))

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """(field, message) pairs."""
        return [(field, message) for field, message in json.loads(self.reasons_json)]

    @property
    def effect(self) -> dict[str, Any]:
        """What the import did with the record."""
        return dict(json.loads(self.effect_json))


class ImportColumn(db.Model):
    """A column that a person has mapped before: the remembered template."""

    __tablename__ = "import_column"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    target: Mapped[str] = mapped_column(String(40))
    #: the heading, folded
    heading: Mapped[str] = mapped_column(String(200))
    #: key of the field; "" means that the column is left out
    field: Mapped[str] = mapped_column(String(40))

    __table_args__ = (UniqueConstraint("user_id", "target", "heading"),)


class ImportKey(db.Model):
    """The key of a record in another system, as imports gave it: the surest way to know it again."""

    __tablename__ = "import_key"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: key of the `ImportTarget`
    target: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(100))
    record_id: Mapped[int] = mapped_column(BigId)

    __table_args__ = (UniqueConstraint("target", "key"), Index("ix_import_key_record", "target", "record_id"))
