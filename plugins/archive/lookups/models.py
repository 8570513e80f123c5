"""Tables of look-up requests (查阅申请), the grants they lead to, views, and the list of who looked."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import Department, User

VIEW, PAPER = "view", "paper"
MODES = (VIEW, PAPER)

#: How a grant ended before its time.
REVOKED, GIVEN_BACK, LEFT = "revoked", "given_back", "left"

#: Kinds of entries in the list of who looked.
ASKED, LOOKED, REFUSED = "asked", "looked", "refused"
RESERVED, PRINTED, HANDED_OVER, REGISTER = "reserved", "printed", "handed_over", "register"
JOINED, PARTED = "joined", "parted"
ACCESS_KINDS = (ASKED, LOOKED, REFUSED, RESERVED, PRINTED, HANDED_OVER, REGISTER, JOINED, PARTED)


class ArchiveLookup(db.Model):
    """A look-up request as it was asked. Never changed: filed again after a return, it is a new row."""

    __tablename__ = "archive_lookup"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: "CY-2026-000001", printed on every page
    number: Mapped[str] = mapped_column(String(30), unique=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    #: the applicant's department when he asked
    department_id: Mapped[int] = mapped_column(ForeignKey("org_department.id"))
    #: view or paper
    mode: Mapped[str] = mapped_column(String(8))
    #: parts of the dossier, space-separated
    parts: Mapped[str] = mapped_column(String(60))
    purpose: Mapped[str] = mapped_column(String(500))
    #: views or copies for each customer
    quantity: Mapped[int] = mapped_column(Integer)
    #: last day on which it may be used
    until_on: Mapped[date] = mapped_column(Date)
    #: the present round of the request
    request_id: Mapped[int | None] = mapped_column(ForeignKey("approval_request.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    applicant: Mapped[User] = relationship()
    department: Mapped[Department] = relationship()
    customers: Mapped[list[ArchiveLookupCustomer]] = relationship(order_by="ArchiveLookupCustomer.id")

    __table_args__ = (
        CheckConstraint("mode IN ('view', 'paper')", name="mode"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_archive_lookup_applicant_id", "applicant_id", "created_at", "id"),
    )

    @property
    def part_list(self) -> tuple[str, ...]:
        """The parts asked for."""
        return tuple(self.parts.split())


class ArchiveLookupCustomer(db.Model):
    """A customer of a look-up request and the department that owned him when it was asked."""

    __tablename__ = "archive_lookup_customer"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lookup_id: Mapped[int] = mapped_column(ForeignKey("archive_lookup.id"), index=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={"merge": "move", "label": _l("Look-up requests")}
    )
    department_id: Mapped[int] = mapped_column(ForeignKey("org_department.id"))

    customer: Mapped[Customer] = relationship()


class ArchiveGrant(db.Model):
    """What an approved request allows for one customer: parts, views or copies, a period (R-ARC-5).

    Whether it holds is asked of the database with the database's time (`lookups.grants.holds`), never of this object.
    """

    __tablename__ = "archive_grant"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lookup_id: Mapped[int] = mapped_column(ForeignKey("archive_lookup.id"), index=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info={"merge": "move", "label": _l("Grants")})
    holder_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    #: view or paper
    mode: Mapped[str] = mapped_column(String(8))
    #: parts granted, space-separated
    parts: Mapped[str] = mapped_column(String(60))
    #: views or copies granted
    quota: Mapped[int] = mapped_column(Integer)
    used: Mapped[int] = mapped_column(Integer, default=0)
    begins_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: when it was ended before its time
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: revoked, given_back or left; "" while nobody ended it
    ended_how: Mapped[str] = mapped_column(String(10), default="")
    ended_why: Mapped[str] = mapped_column(String(500), default="")
    #: whether its copies were cancelled and called back after it ended (a job looks after it)
    is_settled: Mapped[bool] = mapped_column(Boolean, default=False)

    lookup: Mapped[ArchiveLookup] = relationship()
    customer: Mapped[Customer] = relationship()
    holder: Mapped[User] = relationship(foreign_keys=[holder_id])
    ended_by: Mapped[User | None] = relationship(foreign_keys=[ended_by_id])

    __table_args__ = (
        CheckConstraint("mode IN ('view', 'paper')", name="mode"),
        CheckConstraint("used >= 0 AND used <= quota", name="used"),
        CheckConstraint("begins_at < ends_at", name="period"),
        CheckConstraint("ended_how IN ('', 'revoked', 'given_back', 'left')", name="ended_how"),
        CheckConstraint("(ended_at IS NULL) = (ended_how = '')", name="ended"),
        Index("ix_archive_grant_holder_id", "holder_id", "ends_at", "id"),
        Index("ix_archive_grant_customer_id", "customer_id", "ends_at", "id"),
        Index("ix_archive_grant_ends_at", "ends_at", "id"),
        Index("ix_archive_grant_is_settled", "is_settled", "ends_at"),
    )

    @property
    def part_list(self) -> tuple[str, ...]:
        """The parts granted."""
        return tuple(self.parts.split())


class ArchiveView(db.Model):
    """One opening of the granted parts on screen; it closes by itself after some minutes."""

    __tablename__ = "archive_view"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("archive_grant.id"), index=True)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closes_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: from the form: a double click takes one view
    token: Mapped[str] = mapped_column(String(64), unique=True)

    grant: Mapped[ArchiveGrant] = relationship()


class ArchiveAccess(db.Model):
    """Who looked at, asked for, printed or was refused what (the list behind the heads' page; the proof is the audit
    trail)."""

    __tablename__ = "archive_access"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), info={"merge": "move", "label": _l("Who looked")}
    )
    #: the department that owned the customer then
    department_id: Mapped[int] = mapped_column(ForeignKey("org_department.id"))
    #: one of ACCESS_KINDS
    kind: Mapped[str] = mapped_column(String(12))
    #: number of the request or of the copy, for the reader
    reference: Mapped[str] = mapped_column(String(40), default="")
    detail: Mapped[str] = mapped_column(String(300), default="")
    #: outside working hours (settings)
    is_quiet: Mapped[bool] = mapped_column(Boolean, default=False)
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("archive_grant.id"), index=True)

    __table_args__ = (
        Index("ix_archive_access_at", "at", "id"),
        Index("ix_archive_access_department_id", "department_id", "at", "id"),
        Index("ix_archive_access_customer_id", "customer_id", "at", "id"),
        Index("ix_archive_access_user_id", "user_id", "at"),
    )


class ArchiveAlarm(db.Model):
    """Somebody looked up more customers in a day than usual; told once a day."""

    __tablename__ = "archive_alarm"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    #: day of the organisation
    day: Mapped[date] = mapped_column(Date)
    #: customers when the alarm was raised
    customers: Mapped[int] = mapped_column(Integer)
    raised_at: Mapped[datetime] = mapped_column(UTCDateTime)

    user: Mapped[User] = relationship()

    __table_args__ = (UniqueConstraint("user_id", "day"),)
