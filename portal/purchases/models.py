"""Tables of products and purchases (R-CUS-4)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, Money, UTCDateTime
from portal.core.text import fold, pinyin_full, pinyin_initials
from portal.customers.models import Customer, SortKey
from portal.extensions import db
from portal.org.models import User
from portal.purchases import ddl

#: Numbers of orders: compared by code point on both databases, so that those that begin alike lie together.
NumberKey = String(60).with_variant(String(60, collation="C"), "postgresql")
#: Grades of products (高档, 中档, 普通).
HIGH, MIDDLE, ORDINARY = "high", "middle", "ordinary"
GRADES = (HIGH, MIDDLE, ORDINARY)


def search_text_of(code: str, name: str) -> str:
    """What a product is found by: article number, name, full pinyin and initials, folded, parted by line ends."""
    return "\n".join((fold(code), fold(name), pinyin_full(name), pinyin_initials(name)))[:1000]


def _search_text_default(context: Any) -> str:
    values = context.get_current_parameters()
    return search_text_of(values["code"], values["name"])


class Product(db.Model):
    """Something we sell."""

    __tablename__ = "product"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: article number, unique
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    #: pinyin, for sorting and finding
    name_sort: Mapped[str] = mapped_column(SortKey, default="")
    #: see `search_text_of`
    search_text: Mapped[str] = mapped_column(String(1000), default=_search_text_default)
    category: Mapped[str] = mapped_column(String(100), default="", index=True)
    grade: Mapped[str] = mapped_column(String(10))
    #: unit of sale, such as a bottle or a box
    unit: Mapped[str] = mapped_column(String(20), default="")
    list_price: Mapped[Decimal] = mapped_column(Money)
    unit_cost: Mapped[Decimal] = mapped_column(Money)
    #: days that one unit lasts a typical customer; None: not consumed steadily
    days_per_unit: Mapped[int | None] = mapped_column(Integer)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("grade IN ('high', 'middle', 'ordinary')", name="grade"),
        CheckConstraint("list_price >= 0 AND unit_cost >= 0", name="not_negative"),
        Index("ix_product_name_sort_id", "name_sort", "id"),
    )


class Purchase(db.Model):
    """An order of a customer, with lines. Totals are kept with it: lists and sums never read the lines."""

    __tablename__ = "purchase"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info={"merge": "move"})
    #: number of the order, unique within the organisation
    number: Mapped[str] = mapped_column(NumberKey, unique=True)
    #: day of the purchase, in the organisation's zone
    purchased_on: Mapped[date] = mapped_column(Date)
    #: day of full payment; None: open
    paid_on: Mapped[date | None] = mapped_column(Date)
    #: sum of the lines after discount
    total: Mapped[Decimal] = mapped_column(Money)
    #: cost of goods: sum of quantity × unit cost at the time of purchase
    cost: Mapped[Decimal] = mapped_column(Money)
    #: part of the total in products of middle or high grade (R-VIP-1)
    total_high_middle: Mapped[Decimal] = mapped_column(Money)
    remarks: Mapped[str] = mapped_column(String(1000), default="")
    #: who entered it; None: import by the system
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: cancelled purchases stay, and count nowhere
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancelled_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    cancel_reason: Mapped[str] = mapped_column(String(500), default="", server_default="")
    import_batch_id: Mapped[int | None] = mapped_column(Integer, index=True)
    version: Mapped[int] = mapped_column(default=1)

    customer: Mapped[Customer] = relationship()
    created_by: Mapped[User | None] = relationship(foreign_keys=[created_by_id])
    cancelled_by: Mapped[User | None] = relationship(foreign_keys=[cancelled_by_id])
    lines: Mapped[list[PurchaseLine]] = relationship(
        cascade="all, delete-orphan", back_populates="purchase", order_by="PurchaseLine.position"
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("total >= 0 AND cost >= 0", name="not_negative"),
        CheckConstraint("paid_on IS NULL OR paid_on >= purchased_on", name="paid_after_purchase"),
        Index("ix_purchase_customer_id_purchased_on_id", "customer_id", "purchased_on", "id"),
        Index("ix_purchase_purchased_on_id", "purchased_on", "id"),
        Index("ix_purchase_total_id", "total", "id"),
        # Few purchases are open: lists of what is unpaid read these alone.
        Index(
            "ix_purchase_open",
            "purchased_on",
            "id",
            postgresql_where=text("paid_on IS NULL AND cancelled_at IS NULL"),
            sqlite_where=text("paid_on IS NULL AND cancelled_at IS NULL"),
        ),
    )

    @property
    def is_cancelled(self) -> bool:
        """Whether it counts nowhere."""
        return self.cancelled_at is not None

    @property
    def is_open(self) -> bool:
        """Whether it counts and is not paid yet."""
        return self.paid_on is None and self.cancelled_at is None

    @property
    def margin(self) -> Decimal:
        """Gross margin in yuan: total less cost of goods."""
        return self.total - self.cost


class PurchaseLine(db.Model):
    """A line of a purchase."""

    __tablename__ = "purchase_line"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchase.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price: Mapped[Decimal] = mapped_column(Money)
    #: taken off the line's amount
    discount: Mapped[Decimal] = mapped_column(Money)
    #: quantity × unit price − discount
    amount: Mapped[Decimal] = mapped_column(Money)
    #: the product's unit cost on that day
    unit_cost: Mapped[Decimal] = mapped_column(Money)
    #: the product's grade on that day
    grade: Mapped[str] = mapped_column(String(10))

    purchase: Mapped[Purchase] = relationship(back_populates="lines")
    product: Mapped[Product] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("discount >= 0 AND amount >= 0", name="not_negative"),
        UniqueConstraint("purchase_id", "position"),
    )


class PurchaseMonth(db.Model):
    """What a customer bought in a calendar month: sums over purchases that are not cancelled.

    A summary, maintained by `summaries.refresh` in the transaction that changes purchases; sums over many customers
    read it instead of the purchases. Months without purchases have no row.
    """

    __tablename__ = "purchase_month"

    # After a merge the rows of both customers are computed anew (hook customers_merged).
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), primary_key=True, autoincrement=False, info={"merge": "rebuild"}
    )
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    #: 1 … 12
    month: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    total: Mapped[Decimal] = mapped_column(Money)
    cost: Mapped[Decimal] = mapped_column(Money)
    total_high_middle: Mapped[Decimal] = mapped_column(Money)
    #: number of purchases
    count: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        CheckConstraint("month BETWEEN 1 AND 12", name="month"),
        # The rows of a customer lie together, in the primary key itself.
        {"sqlite_with_rowid": False},
    )


class PurchaseGroupMonth(db.Model):
    """The same sums for all customers of a department and an account manager together; triggers (`ddl.py`) keep it.

    Whoever sees customers by department or account manager (nearly everybody) gets his sums from these few rows.
    """

    __tablename__ = "purchase_group_month"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("org_department.id"))
    #: None: customers that nobody looks after
    account_manager_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: account_manager_id, 0 for None: unique keys count NULLs as different
    manager_key: Mapped[int] = mapped_column(BigInteger)
    #: status of the customers
    status: Mapped[str] = mapped_column(String(12))
    year: Mapped[int] = mapped_column(SmallInteger)
    month: Mapped[int] = mapped_column(SmallInteger)
    total: Mapped[Decimal] = mapped_column(Money)
    cost: Mapped[Decimal] = mapped_column(Money)
    total_high_middle: Mapped[Decimal] = mapped_column(Money)
    count: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        UniqueConstraint(
            "department_id", "manager_key", "status", "year", "month", name="uq_purchase_group_month_group"
        ),
    )


# The triggers name both tables and the customers'.
PurchaseGroupMonth.__table__.add_is_dependent_on(PurchaseMonth.__table__)
event.listen(PurchaseGroupMonth.__table__, "after_create", ddl.create_triggers)
