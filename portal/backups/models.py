"""What is known about backups and about the health of the storages. The backups themselves lie in BACKUP_URL."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db


class BackupState(StrEnum):
    """running → complete → removed; failed is an end."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    REMOVED = "removed"


class BackupKind(StrEnum):
    """Why a backup was made."""

    SCHEDULE = "schedule"
    HAND = "hand"
    COMMAND = "command"


class Backup(db.Model):
    """One backup, or the attempt at one."""

    __tablename__ = "backup"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: name of the set: UTC time and four letters
    name: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: None: the clock or the command line
    started_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    milliseconds: Mapped[int] = mapped_column(BigInteger, default=0)
    #: of the database and all files, as they lie in the place
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    #: of which this backup added
    new_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    files: Mapped[int] = mapped_column(Integer, default=0)
    new_files: Mapped[int] = mapped_column(Integer, default=0)
    #: files that rows name but the storage could not give
    missing_files: Mapped[int] = mapped_column(Integer, default=0)
    #: head of the audit trail in it
    audit_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    #: why it failed, one sentence
    problem: Mapped[str] = mapped_column(String(500), default="")
    #: last trial restore, and what came of it
    verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    is_whole: Mapped[bool | None] = mapped_column()
    verify_milliseconds: Mapped[int] = mapped_column(BigInteger, default=0)
    verify_problem: Mapped[str] = mapped_column(String(500), default="")

    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state.value) for state in BackupState)})", name="state"),
        CheckConstraint(f"kind IN ({', '.join(repr(kind.value) for kind in BackupKind)})", name="kind"),
        Index("ix_backup_state_started_at", "state", "started_at"),
    )


class StorageScan(db.Model):
    """What came of reading every file of the storages and comparing them with the rows."""

    __tablename__ = "storage_scan"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    milliseconds: Mapped[int] = mapped_column(BigInteger, default=0)
    files: Mapped[int] = mapped_column(Integer, default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    #: named by rows, not there
    missing: Mapped[int] = mapped_column(Integer, default=0)
    #: there, but not what was put there
    damaged: Mapped[int] = mapped_column(Integer, default=0)
    #: there, but no row names them
    orphans: Mapped[int] = mapped_column(Integer, default=0)
    #: sealed with an older key
    old_keys: Mapped[int] = mapped_column(Integer, default=0)
    #: JSON: problem → the first names
    details: Mapped[str] = mapped_column(Text, default="{}")

    __table_args__ = (Index("ix_storage_scan_at", "at"),)
