"""Tables of people and departments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db
from portal.org.names import name_sort_of

#: Roles of R-ORG-1. "Department head" is not a role but the department's field `head_id`.
ACCOUNT_MANAGER = "account_manager"
ARCHIVE_MAINTAINER = "archive_maintainer"
PRINT_OPERATOR = "print_operator"
SOP_EDITOR = "sop_editor"
EXECUTIVE = "executive"
AUDITOR = "auditor"
ADMINISTRATOR = "administrator"
ROLES = (ACCOUNT_MANAGER, ARCHIVE_MAINTAINER, PRINT_OPERATOR, SOP_EDITOR, EXECUTIVE, AUDITOR, ADMINISTRATOR)


class Department(db.Model):
    """A department (部门); departments form a tree."""

    __tablename__ = "org_department"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    #: short code for numbers and imports, unique
    code: Mapped[str] = mapped_column(String(20), unique=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("org_department.id"), index=True)
    #: "/1/4/" — ids from the root to this one, so that a subtree is a prefix
    path: Mapped[str] = mapped_column(String(200), default="", index=True)
    head_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id", use_alter=True), index=True)
    deputy_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id", use_alter=True), index=True)
    #: closed departments keep their history and take no new people
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    parent: Mapped[Department | None] = relationship(remote_side=[id], foreign_keys=[parent_id])
    head: Mapped[User | None] = relationship(foreign_keys=[head_id], post_update=True)
    deputy: Mapped[User | None] = relationship(foreign_keys=[deputy_id], post_update=True)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (CheckConstraint("head_id IS NULL OR head_id <> deputy_id", name="head_is_not_deputy"),)


class User(db.Model):
    """A member of staff. Never deleted; those who left are inactive."""

    __tablename__ = "org_user"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: log-in name, lower case, unique
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    #: pinyin, for sorting and finding
    name_sort: Mapped[str] = mapped_column(String(300), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(32), default="")
    title: Mapped[str] = mapped_column(String(100), default="")
    department_id: Mapped[int] = mapped_column(ForeignKey("org_department.id"), index=True)
    #: direct superior (上级主管); None: the department's head
    supervisor_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    deactivated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: who took over when this person left
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: the natural person behind several accounts, so that a second account is nobody else
    person_key: Mapped[str] = mapped_column(String(64), default="", index=True)
    language: Mapped[str] = mapped_column(String(16), default="")
    theme: Mapped[str] = mapped_column(String(8), default="auto")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    department: Mapped[Department] = relationship(foreign_keys=[department_id])
    supervisor: Mapped[User | None] = relationship(remote_side=[id], foreign_keys=[supervisor_id])
    roles: Mapped[list[UserRole]] = relationship(cascade="all, delete-orphan", back_populates="user", lazy="selectin")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (Index("ix_org_user_name_sort_id", "name_sort", "id"),)


class UserRole(db.Model):
    """A role that a person holds."""

    __tablename__ = "org_user_role"

    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(32), primary_key=True)

    user: Mapped[User] = relationship(back_populates="roles")


class Delegation(db.Model):
    """A head's delegation (委托) of approvals to somebody else for a period [begins_at, ends_at)."""

    __tablename__ = "org_delegation"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    delegator_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), index=True)
    delegate_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), index=True)
    begins_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: space-separated keys of approval kinds; "" means all kinds
    kinds: Mapped[str] = mapped_column(Text, default="")
    #: space-separated department ids; "" means all departments of the delegator
    departments: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(String(500), default="")
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))

    delegator: Mapped[User] = relationship(foreign_keys=[delegator_id])
    delegate: Mapped[User] = relationship(foreign_keys=[delegate_id])

    __table_args__ = (
        CheckConstraint("delegator_id <> delegate_id", name="not_to_oneself"),
        CheckConstraint("begins_at < ends_at", name="window"),
        UniqueConstraint("delegator_id", "delegate_id", "begins_at", "kinds"),
    )


@event.listens_for(User, "before_insert")
@event.listens_for(User, "before_update")
def _keep_name_sort(_mapper: Any, _connection: Any, user: User) -> None:
    """The column follows the name, whoever writes the row."""
    user.name_sort = name_sort_of(user.name)
