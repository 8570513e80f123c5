"""Tables of account teams, experts and channels (R-KA-5), and what is kept of an account as such (R-KA-12)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.customers.models import MOVE, Contact, Customer
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User

TECHNICAL, MANAGEMENT = "technical", "management"
LEVELS = (TECHNICAL, MANAGEMENT)
#: Phases of a relationship (R-KA-12).
BUILD, STABLE, STRENGTHEN = "build", "stable", "strengthen"
PHASES = (BUILD, STABLE, STRENGTHEN)


class AccountTeam(db.Model):
    """What holds for a customer's team as a whole: sponsor, complaint contact, phase. One row a customer."""

    __tablename__ = "key_accounts_team"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), unique=True, info={**MOVE, "unique_with": (), "label": _l("Account teams")}
    )
    #: the executive sponsor (高层负责人)
    sponsor_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: where the customer complains; never the account manager
    complaint_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: when and how the customer was told where to complain
    told_on: Mapped[date | None] = mapped_column(Date)
    told_how: Mapped[str] = mapped_column(String(200), default="")
    #: "build", "stable" or "strengthen"
    phase: Mapped[str] = mapped_column(String(12), default=BUILD)
    phase_since: Mapped[date | None] = mapped_column(Date)
    #: what the phase asks for with this customer
    focus: Mapped[str] = mapped_column(String(1000), default="")
    #: what we buy from them and how the give and take balances (phase "strengthen")
    balance: Mapped[str] = mapped_column(String(1000), default="")
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    customer: Mapped[Customer] = relationship()
    sponsor: Mapped[User | None] = relationship(foreign_keys=[sponsor_id])
    complaint: Mapped[User | None] = relationship(foreign_keys=[complaint_id])

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (CheckConstraint("phase IN ('build', 'stable', 'strengthen')", name="phase"),)


class TeamMember(db.Model):
    """Somebody's part in a customer's team for a time; while it lasts he sees the customer."""

    __tablename__ = "key_accounts_team_member"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={**MOVE, "label": _l("Members of account teams")}
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    #: vocabulary.ROLES
    role: Mapped[str] = mapped_column(String(16))
    task: Mapped[str] = mapped_column(String(300), default="")
    valid_from: Mapped[date] = mapped_column(Date)
    #: last day; ending early moves it
    valid_until: Mapped[date] = mapped_column(Date)
    #: set when the membership was ended before its day; it counts no more from that moment
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    end_reason: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    customer: Mapped[Customer] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])

    __table_args__ = (
        CheckConstraint("valid_from <= valid_until", name="term"),
        # "Whose team am I in today": the visibility rule of every list asks it.
        Index("ix_key_accounts_team_member_user", "user_id", "valid_until", "customer_id"),
    )


class ExpertSkill(db.Model):
    """What somebody can be asked for (专家库)."""

    __tablename__ = "key_accounts_expert_skill"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    skill: Mapped[str] = mapped_column(String(60))
    #: 1 knows it, 2 does it, 3 teaches it
    grade: Mapped[int] = mapped_column(SmallInteger, default=2)
    note: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    user: Mapped[User] = relationship()

    __table_args__ = (
        UniqueConstraint("user_id", "skill"),
        CheckConstraint("grade BETWEEN 1 AND 3", name="grade"),
        Index("ix_key_accounts_expert_skill_skill", "skill", "id"),
    )


class Channel(db.Model):
    """A lasting line between one of ours and one of theirs, on the technical or the management level."""

    __tablename__ = "key_accounts_channel"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={**MOVE, "label": _l("Channels for complaints")}
    )
    #: "technical" or "management"
    level: Mapped[str] = mapped_column(String(12))
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    topic: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    user: Mapped[User] = relationship()
    contact: Mapped[Contact] = relationship()

    __table_args__ = (CheckConstraint("level IN ('technical', 'management')", name="level"),)
