"""Tables of reading: who must read a manual, who has."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db

#: Audiences of a reading rule.
ALL_STAFF, DEPARTMENT, ROLE = "all", "department", "role"


class ReadingRule(db.Model):
    """Who must read a manual: everybody, a department with all below it, or the holders of a role."""

    __tablename__ = "sop_reading_rule"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    manual_id: Mapped[int] = mapped_column(ForeignKey("sop_manual.id", ondelete="CASCADE"), index=True)
    #: "all", "department" or "role"
    audience: Mapped[str] = mapped_column(String(10))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("org_department.id"), index=True)
    #: a role of the portal, or "head"
    role: Mapped[str] = mapped_column(String(32), default="")
    #: days from the effective date
    due_days: Mapped[int] = mapped_column(SmallInteger, default=14)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    __table_args__ = (
        CheckConstraint("audience IN ('all', 'department', 'role')", name="audience"),
        CheckConstraint("(audience = 'department') = (department_id IS NOT NULL)", name="department"),
        CheckConstraint("(audience = 'role') = (role <> '')", name="role"),
        CheckConstraint("due_days BETWEEN 1 AND 365", name="due_days"),
    )


class Acknowledgement(db.Model):
    """A person has read and understood a version (阅读确认), append-only."""

    __tablename__ = "sop_acknowledgement"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("sop_manual_version.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    #: department at that moment, for figures per department
    department_id: Mapped[int | None] = mapped_column(ForeignKey("org_department.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: tries until all questions were answered rightly; 0: no questions
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)

    __table_args__ = (
        UniqueConstraint("version_id", "user_id"),
        Index("ix_sop_acknowledgement_user_id", "user_id", "version_id"),
    )


class ReadingTry(db.Model):
    """A try at the questions that was not right yet, append-only."""

    __tablename__ = "sop_reading_try"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("sop_manual_version.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: how many of the answers were right
    right: Mapped[int] = mapped_column(SmallInteger)

    __table_args__ = (Index("ix_sop_reading_try_version_id_user_id", "version_id", "user_id"),)


class ReadingReminder(db.Model):
    """The last reminder of a person to read a version, so that a job that runs twice reminds once."""

    __tablename__ = "sop_reading_reminder"

    version_id: Mapped[int] = mapped_column(ForeignKey("sop_manual_version.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), primary_key=True)
    #: published, soon or late: each once
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
