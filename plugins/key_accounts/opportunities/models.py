"""Tables of opportunities and sales targets (R-KA-7)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, Money, UTCDateTime
from portal.customers.models import MOVE, Customer, NextStep
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User
from portal.purchases.models import Product

#: Stages in their order; the last two are final.
IDENTIFIED, QUALIFIED, PROPOSAL, NEGOTIATION, WON, LOST = (
    "identified",
    "qualified",
    "proposal",
    "negotiation",
    "won",
    "lost",
)
OPEN_STAGES = (IDENTIFIED, QUALIFIED, PROPOSAL, NEGOTIATION)
STAGES = (*OPEN_STAGES, WON, LOST)

#: Sources: four with existing customers, two with new ones.
MORE_USE, CROSS_SELLING, PRICE_MIX, DROP = "more_use", "cross_selling", "price_mix", "drop_unprofitable"
CORE_INDUSTRY, UNRELATED = "core_industry", "unrelated_industry"
EXISTING_SOURCES = (MORE_USE, CROSS_SELLING, PRICE_MIX, DROP)
NEW_SOURCES = (CORE_INDUSTRY, UNRELATED)
SOURCES = (*EXISTING_SOURCES, *NEW_SOURCES)

#: What a row of the history tells.
CREATED, MOVED, CHANGED, CLOSED, REOPENED = "created", "moved", "changed", "closed", "reopened"


def _in(column: str, values: tuple[str, ...], blank: bool = False) -> str:
    words = ", ".join(f"'{value}'" for value in ((*values, "") if blank else values))
    return f"{column} IN ({words})"


class Opportunity(db.Model):
    """An opportunity (商机): what a customer may buy, how much, how likely, until when."""

    __tablename__ = "key_accounts_opportunity"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info={**MOVE, "label": _l("Opportunities")})
    title: Mapped[str] = mapped_column(String(200))
    #: one of SOURCES
    source: Mapped[str] = mapped_column(String(20))
    #: expected sales of the first year, or the profit gained where unprofitable business is dropped; yuan
    amount: Mapped[Decimal] = mapped_column(Money)
    #: per cent
    probability: Mapped[int] = mapped_column(SmallInteger)
    stage: Mapped[str] = mapped_column(String(16), default=IDENTIFIED)
    stage_since: Mapped[datetime] = mapped_column(UTCDateTime)
    #: expected day of the close; the real one after it
    close_on: Mapped[date] = mapped_column(Date)
    #: whose opportunity it is; None: its owner left, nobody took over
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: the customer's next step that serves it
    next_step_id: Mapped[int | None] = mapped_column(ForeignKey("next_step.id"), index=True)
    #: the customer's unit (factory, branch, department) that would buy
    unit: Mapped[str] = mapped_column(String(120), default="")
    #: category of products, where no single product is meant
    category: Mapped[str] = mapped_column(String(100), default="")
    #: who else wants the business, one a line
    competitors: Mapped[str] = mapped_column(String(500), default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    #: why it was won or lost (vocabulary.WIN_REASONS, LOSS_REASONS); "" while open
    close_reason: Mapped[str] = mapped_column(String(20), default="")
    close_note: Mapped[str] = mapped_column(String(500), default="")
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    customer: Mapped[Customer] = relationship()
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])
    next_step: Mapped[NextStep | None] = relationship()
    products: Mapped[list[OpportunityProduct]] = relationship(
        cascade="all, delete-orphan", order_by="OpportunityProduct.id"
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint(_in("stage", STAGES), name="stage"),
        CheckConstraint(_in("source", SOURCES), name="source"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("probability BETWEEN 0 AND 100", name="probability"),
        CheckConstraint("(stage IN ('won', 'lost')) = (closed_at IS NOT NULL)", name="closed"),
        CheckConstraint("(stage IN ('won', 'lost')) = (close_reason <> '')", name="reason"),
        Index("ix_key_accounts_opportunity_customer", "customer_id", "close_on", "id"),
        Index("ix_key_accounts_opportunity_stage_close", "stage", "close_on", "id"),
        Index("ix_key_accounts_opportunity_stage_amount", "stage", "amount", "id"),
        Index("ix_key_accounts_opportunity_close", "close_on", "id"),
        Index(
            "ix_key_accounts_opportunity_owner_open",
            "owner_id",
            "close_on",
            "id",
            postgresql_where=text("closed_at IS NULL"),
            sqlite_where=text("closed_at IS NULL"),
        ),
    )

    @property
    def is_open(self) -> bool:
        """Whether it is neither won nor lost."""
        return self.closed_at is None

    @property
    def weighted(self) -> Decimal:
        """Amount × probability, to the fen, halves up."""
        return (self.amount * self.probability / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


class OpportunityProduct(db.Model):
    """A product that an opportunity is about."""

    __tablename__ = "key_accounts_opportunity_product"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    opportunity_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_opportunity.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)

    product: Mapped[Product] = relationship()

    __table_args__ = (UniqueConstraint("opportunity_id", "product_id"),)


class OpportunityEvent(db.Model):
    """One step in the life of an opportunity; append-only."""

    __tablename__ = "key_accounts_opportunity_event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    opportunity_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_opportunity.id"))
    #: "created", "moved", "changed", "closed", "reopened"
    kind: Mapped[str] = mapped_column(String(10))
    from_stage: Mapped[str] = mapped_column(String(16), default="")
    to_stage: Mapped[str] = mapped_column(String(16))
    #: as they were afterwards
    amount: Mapped[Decimal] = mapped_column(Money)
    probability: Mapped[int] = mapped_column(SmallInteger)
    close_on: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(String(20), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    by: Mapped[User | None] = relationship()

    __table_args__ = (Index("ix_key_accounts_opportunity_event_of", "opportunity_id", "at", "id"),)


class SalesTarget(db.Model):
    """What a person is to sell in a year: in all (source "") and what he is to find by source."""

    __tablename__ = "key_accounts_sales_target"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), index=True)
    year: Mapped[int] = mapped_column(SmallInteger)
    #: one of SOURCES, "" for the whole year's sales
    source: Mapped[str] = mapped_column(String(20), default="")
    amount: Mapped[Decimal] = mapped_column(Money)
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("user_id", "year", "source"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint(_in("source", SOURCES, blank=True), name="source"),
    )
