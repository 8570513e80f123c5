"""Tables of tiers: the present one of each customer and every decision about it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, Money, UTCDateTime
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User

#: Tiers from the top down (关键、重要、一般).
KEY, IMPORTANT, ORDINARY = "key", "important", "ordinary"
TIERS = (KEY, IMPORTANT, ORDINARY)

#: Strategic roles of a customer (R-KA-1): columns of `CustomerTier`.
ROLES = ("role_customers", "role_reputation", "role_direction", "role_region")

#: How a decision came about: the proposal was accepted, declined, another tier was chosen, or without a proposal.
ACCEPTED, DECLINED, OTHER, BY_HAND = "accepted", "declined", "other", "by_hand"
ANSWERS = (ACCEPTED, DECLINED, OTHER, BY_HAND)


def one_of(column: str, values: tuple[str, ...]) -> str:
    """SQL of a check that a column has one of some words."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class CustomerTier(db.Model):
    """The present tier of a customer and his strategic roles; a customer nobody said anything about has no row."""

    __tablename__ = "key_accounts_tier"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: after a merge the kept customer keeps his own row (see `tiers.services.follow_merge`)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), unique=True, info={"merge": "move", "unique_with": (), "label": _l("Tiers")}
    )
    #: TIERS; "" when only roles were noted and nobody decided on the tier
    tier: Mapped[str] = mapped_column(String(10))
    #: first day of the present tier
    since: Mapped[date | None] = mapped_column(Date)
    #: None: decided by the portal itself (demo)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: opens customers for us (客户优势建立者)
    role_customers: Mapped[bool] = mapped_column(Boolean, default=False)
    #: builds the product's reputation (产品信誉建立者)
    role_reputation: Mapped[bool] = mapped_column(Boolean, default=False)
    #: sets the product's direction (产品战略重点确立者)
    role_direction: Mapped[bool] = mapped_column(Boolean, default=False)
    #: opens a region (地域优势建立者)
    role_region: Mapped[bool] = mapped_column(Boolean, default=False)
    #: judgement how easily the customer can be developed, 1 (hard) … 5 (easy); None: not judged
    ease: Mapped[int | None] = mapped_column(Integer)
    #: why he is judged so
    ease_note: Mapped[str] = mapped_column(String(300), default="")
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1)

    customer: Mapped[Customer] = relationship()
    decided_by: Mapped[User | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint(one_of("tier", ("", *TIERS)), name="tier"),
        CheckConstraint("ease IS NULL OR ease BETWEEN 1 AND 5", name="ease"),
        Index("ix_key_accounts_tier_tier_customer", "tier", "customer_id"),
    )

    @property
    def roles(self) -> tuple[str, ...]:
        """The strategic roles that are flagged."""
        return tuple(name for name in ROLES if getattr(self, name))


class TierDecision(db.Model):
    """A decision about the tier of a customer, append-only: who, when, why, and the figures as they were."""

    __tablename__ = "key_accounts_tier_decision"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info={"merge": "keep"})
    #: "" when there was none
    from_tier: Mapped[str] = mapped_column(String(10), default="")
    to_tier: Mapped[str] = mapped_column(String(10))
    #: what the portal proposed; "" when nothing
    proposed: Mapped[str] = mapped_column(String(10), default="")
    #: ANSWERS
    answer: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(500), default="")
    #: sales of twelve months, yuan, on that day
    sales: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"))
    #: profit contribution of twelve months, yuan, on that day
    profit: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    by: Mapped[User | None] = relationship()

    __table_args__: Any = (
        CheckConstraint(one_of("to_tier", TIERS), name="to_tier"),
        CheckConstraint(one_of("answer", ANSWERS), name="answer"),
        CheckConstraint("answer NOT IN ('declined', 'other') OR reason <> ''", name="refusal_has_reason"),
        Index("ix_key_accounts_tier_decision_customer", "customer_id", "at", "id"),
        Index("ix_key_accounts_tier_decision_at", "at", "id"),
    )
