"""Summaries: the measures of each customer, and their sums by department, account manager and tier."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import BigId, Money, UTCDateTime
from portal.extensions import db

#: Classes by cumulated share of sales; "" for customers without sales.
A, B, C = "A", "B", "C"


class CustomerMeasure(db.Model):
    """What a customer brings and takes, over the last twelve months unless said otherwise.

    Sums follow every change of purchases and interactions in its own transaction; rank, class and proposal concern all
    customers together and are brought up to date by the job `key_accounts.rank` (see `measures.services`).
    """

    __tablename__ = "key_accounts_measure"

    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        info={"merge": "rebuild"},
    )
    #: purchases of the last twelve months, yuan
    sales: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"))
    #: cost of these goods, yuan
    goods_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"))
    #: number of these purchases
    orders: Mapped[int] = mapped_column(Integer, default=0)
    #: purchases of the twelve months before, yuan
    sales_before: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"))
    #: interactions that count
    contacts: Mapped[int] = mapped_column(Integer, default=0)
    #: minutes of our people: duration × (author and colleagues)
    minutes: Mapped[int] = mapped_column(BigInteger, default=0)
    #: expenses of the interactions, yuan
    expenses: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"))
    #: minutes × rate / 60 + expenses, yuan
    contact_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"))
    #: profit contribution: sales − goods_cost − contact_cost, yuan
    profit: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"))
    #: calendar years with purchases among this year and the four before
    repeat_years: Mapped[int] = mapped_column(Integer, default=0)
    first_purchase_on: Mapped[date | None] = mapped_column(Date)
    last_purchase_on: Mapped[date | None] = mapped_column(Date)
    #: purchases of the last 24 months that are paid, and the days that this took altogether
    paid_orders: Mapped[int] = mapped_column(Integer, default=0)
    paid_days: Mapped[int] = mapped_column(BigInteger, default=0)
    #: purchases that are not paid yet, yuan
    open_amount: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"))
    #: 1 for the largest sales; equal sales share a rank; None without sales
    rank: Mapped[int | None] = mapped_column(Integer)
    #: share of all sales up to and with this customer, in hundredths of a per cent; None without sales
    cumulated: Mapped[int | None] = mapped_column(Integer)
    #: A, B, C; "" without sales
    abc: Mapped[str] = mapped_column(String(1), default="")
    #: decided tier, copied from `CustomerTier`; "" when nobody decided
    tier: Mapped[str] = mapped_column(String(10), default="")
    #: tier that the portal proposes
    proposal: Mapped[str] = mapped_column(String(10), default="ordinary")
    #: sums changed at
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        CheckConstraint("tier IN ('', 'key', 'important', 'ordinary')", name="tier"),
        CheckConstraint("proposal IN ('key', 'important', 'ordinary')", name="proposal"),
        CheckConstraint("abc IN ('', 'A', 'B', 'C')", name="abc"),
        Index("ix_key_accounts_measure_sales_customer", "sales", "customer_id"),
        Index("ix_key_accounts_measure_profit_customer", "profit", "customer_id"),
        Index("ix_key_accounts_measure_tier_sales", "tier", "sales", "customer_id"),
        Index("ix_key_accounts_measure_proposal_sales", "proposal", "sales", "customer_id"),
        Index("ix_key_accounts_measure_changed_at", "changed_at"),
        {"sqlite_with_rowid": False},
    )

    @property
    def growth(self) -> int | None:
        """Growth of sales against the twelve months before in per cent, rounded half up; None without sales before."""
        return growth_of(self.sales, self.sales_before)

    @property
    def payment_days(self) -> int | None:
        """Days from purchase to payment, mean of the paid purchases of 24 months; None when none was paid."""
        return round_half_up(self.paid_days, self.paid_orders) if self.paid_orders else None

    @property
    def hours(self) -> Decimal:
        """Hours of our people, one decimal."""
        return hours_of(self.minutes)

    @property
    def margin(self) -> int | None:
        """Gross margin in per cent of sales; None without sales."""
        return percent(self.sales - self.goods_cost, self.sales) if self.sales else None


def round_half_up(part: int | Decimal, whole: int | Decimal) -> int:
    """part / whole as a whole number, half away from zero."""
    return int((Decimal(part) / Decimal(whole)).to_integral_value(rounding="ROUND_HALF_UP"))


def percent(part: int | Decimal, whole: int | Decimal) -> int:
    """part in per cent of whole, a whole number, half away from zero."""
    return round_half_up(Decimal(part) * 100, whole)


def share_of(part: int | Decimal, whole: int | Decimal) -> Decimal:
    """part in per cent of whole with one decimal, half away from zero: few key accounts are less than one per cent."""
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.1"), rounding="ROUND_HALF_UP")


def growth_of(sales: Decimal, before: Decimal) -> int | None:
    """Growth in per cent; None without sales before."""
    return percent(sales - before, before) if before else None


def hours_of(minutes: int) -> Decimal:
    """Minutes as hours with one decimal."""
    return (Decimal(minutes) / 60).quantize(Decimal("0.1"), rounding="ROUND_HALF_UP")


class PortfolioGroup(db.Model):
    """Sums of the measures by department, account manager, status, tier and proposal; triggers (`ddl.py`) keep it.

    Whoever sees customers by department or account manager gets his portfolio from these few rows.
    """

    __tablename__ = "key_accounts_portfolio_group"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("org_department.id"))
    #: None: customers that nobody looks after
    account_manager_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: account_manager_id, 0 for None: unique keys count NULLs as different
    manager_key: Mapped[int] = mapped_column(BigInteger)
    #: status of the customers
    status: Mapped[str] = mapped_column(String(12))
    tier: Mapped[str] = mapped_column(String(10))
    proposal: Mapped[str] = mapped_column(String(10))
    customers: Mapped[int] = mapped_column(BigInteger)
    sales: Mapped[Decimal] = mapped_column(Money)
    goods_cost: Mapped[Decimal] = mapped_column(Money)
    contact_cost: Mapped[Decimal] = mapped_column(Money)
    profit: Mapped[Decimal] = mapped_column(Money)
    minutes: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        UniqueConstraint(
            "department_id",
            "manager_key",
            "status",
            "tier",
            "proposal",
            name="uq_key_accounts_portfolio_group_key",
        ),
    )


class MeasureState(db.Model):
    """As of when the summaries are, and with which settings they were computed; one row."""

    __tablename__ = "key_accounts_measure_state"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    #: day whose twelve months the sums cover
    as_of: Mapped[date] = mapped_column(Date)
    #: all sums were made anew at
    computed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: ranks, classes and proposals were made at
    ranked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: cost of an hour of contact that the sums hold, yuan
    rate: Mapped[Decimal] = mapped_column(Money)
    #: thresholds the proposals were made with, as JSON
    thresholds: Mapped[str] = mapped_column(String(500))
    #: customers with sales, and the sales of all of them, yuan
    buyers: Mapped[int] = mapped_column(Integer)
    sales: Mapped[Decimal] = mapped_column(Money)
    #: seconds that the last full computation took, in thousandths
    took_ms: Mapped[int] = mapped_column(Integer, default=0)
