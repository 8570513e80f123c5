"""Tables of weekly sales statistics reports, targets and forecasts (R-ARC-2, R-ARC-3)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, Integer, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, Money, UTCDateTime
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User
from portal.purchases.models import Product

DRAFT, SUBMITTED, RETURNED, ACCEPTED = "draft", "submitted", "returned", "accepted"

MONTH, QUARTER, YEAR = "month", "quarter", "year"
PERIODS = (MONTH, QUARTER, YEAR)


class ArchiveReport(db.Model):
    """The sales statistics report (销售统计报表) of an account manager for one week, Monday to Sunday."""

    __tablename__ = "archive_report"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    #: its Monday
    week: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(10), default=DRAFT)
    remarks: Mapped[str] = mapped_column(String(2000), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: when it was accepted
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: the present round of the request
    request_id: Mapped[int | None] = mapped_column(ForeignKey("approval_request.id"), index=True)
    version: Mapped[int] = mapped_column(Integer, default=1)

    user: Mapped[User] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'submitted', 'returned', 'accepted')", name="state"),
        UniqueConstraint("user_id", "week"),
        Index("ix_archive_report_week_user_id", "week", "user_id"),
    )


class ArchiveReportLine(db.Model):
    """One product of one customer in a weekly report; quantities in units of sale."""

    __tablename__ = "archive_report_line"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("archive_report.id", ondelete="CASCADE"))
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"),
        info={"merge": "move", "unique_with": ("report_id", "product_id"), "label": _l("Lines of weekly reports")},
    )
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    #: bought in the week, from the purchases when the report was submitted
    bought: Mapped[int] = mapped_column(Integer, default=0)
    amount: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"))
    #: on hand at the customer's at the end of the week; None: not known
    stock: Mapped[int | None] = mapped_column(Integer)
    #: orders expected in the next four weeks; None: not known
    expected: Mapped[int | None] = mapped_column(Integer)
    remarks: Mapped[str] = mapped_column(String(300), default="")

    customer: Mapped[Customer] = relationship()
    product: Mapped[Product] = relationship()

    __table_args__ = (
        CheckConstraint("bought >= 0 AND (stock IS NULL OR stock >= 0)", name="not_negative"),
        CheckConstraint("expected IS NULL OR expected >= 0", name="expected_not_negative"),
        UniqueConstraint("report_id", "customer_id", "product_id"),
        Index("ix_archive_report_line_customer_id_product_id", "customer_id", "product_id", "report_id"),
    )


class ArchiveTarget(db.Model):
    """A sales target of an account manager or of a department for a month, a quarter or a year."""

    __tablename__ = "archive_target"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: exactly one of both
    user_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("org_department.id"), index=True)
    #: "user:12" or "department:3": unique keys count NULLs as different
    owner: Mapped[str] = mapped_column(String(30))
    #: month, quarter or year
    period: Mapped[str] = mapped_column(String(8))
    year: Mapped[int] = mapped_column(SmallInteger)
    #: month 1 … 12, quarter 1 … 4; 1 for a year
    number: Mapped[int] = mapped_column(SmallInteger)
    amount: Mapped[Decimal] = mapped_column(Money)
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("period IN ('month', 'quarter', 'year')", name="period"),
        CheckConstraint("(user_id IS NULL) <> (department_id IS NULL)", name="owner"),
        CheckConstraint("amount >= 0", name="not_negative"),
        CheckConstraint("number BETWEEN 1 AND 12", name="number"),
        UniqueConstraint("owner", "period", "year", "number"),
    )


class ArchiveForecast(db.Model):
    """A forecast of sales by month as a job computed it; the newest of an owner counts."""

    __tablename__ = "archive_forecast"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: "company", "department:3" or "user:12"
    owner: Mapped[str] = mapped_column(String(30))
    computed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: last month of the purchases it rests on, its first day
    last_month: Mapped[date] = mapped_column(Date)
    #: words of the model that was chosen
    method: Mapped[str] = mapped_column(String(60))
    #: mean absolute percentage error of the backtest; None: too few months
    error: Mapped[float | None]
    #: months, expected, low, high as written by `forecasting`
    result: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (Index("ix_archive_forecast_owner_id", "owner", "id"),)


class ArchiveOutlook(db.Model):
    """When a product runs out at a customer: a summary of purchases and stock reports, computed anew when one of them
    changes and every night (`stock.refresh`)."""

    __tablename__ = "archive_outlook"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info={"merge": "rebuild"})
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    #: units a day
    rate: Mapped[float]
    #: relative uncertainty of the rate
    error: Mapped[float]
    #: reports, purchases or product
    basis: Mapped[str] = mapped_column(String(10))
    #: estimated units left on `computed_on`
    stock: Mapped[float]
    #: the stock rests on a stock report
    is_counted: Mapped[bool]
    #: expected day on which nothing is left; 9999-12-31: beyond the horizon (lists sort by columns without NULL)
    runs_out: Mapped[date] = mapped_column(Date)
    earliest: Mapped[date | None] = mapped_column(Date)
    latest: Mapped[date | None] = mapped_column(Date)
    last_bought: Mapped[date | None] = mapped_column(Date)
    #: last stock report
    counted_on: Mapped[date | None] = mapped_column(Date)
    counted: Mapped[int | None] = mapped_column(Integer)
    computed_on: Mapped[date] = mapped_column(Date)

    __table_args__ = (
        UniqueConstraint("customer_id", "product_id"),
        Index("ix_archive_outlook_runs_out_id", "runs_out", "id"),
    )
