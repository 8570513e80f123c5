"""A customer's units, what each buys by category, and the figures of his driver tree."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, Money, UTCDateTime
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _l

OURS, RIVAL, NONE = "ours", "rival", "none"
STATES = (OURS, RIVAL, NONE)


class CustomerUnit(db.Model):
    """A plant, subsidiary or department of a customer that buys for itself."""

    __tablename__ = "key_accounts_unit"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), info={"merge": "move", "label": _l("Units of customers")}
    )
    name: Mapped[str] = mapped_column(String(100))
    #: the unit is a customer of its own with us: his purchases fill the row
    linked_id: Mapped[int | None] = mapped_column(
        ForeignKey("customer.id"), index=True, info={"merge": "move", "label": _l("Units of customers")}
    )
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)

    linked: Mapped[Customer | None] = relationship(foreign_keys=[linked_id])

    __table_args__ = (
        CheckConstraint("linked_id IS NULL OR linked_id <> customer_id", name="not_itself"),
        Index("ix_key_accounts_unit_customer", "customer_id", "id"),
    )


class Whitespace(db.Model):
    """What is known of one category at one unit beyond the purchases."""

    __tablename__ = "key_accounts_whitespace"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"),
        info={"merge": "move", "unique_with": ("unit_key", "category"), "label": _l("Cells of the whitespace")},
    )
    #: None: the customer as a whole
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("key_accounts_unit.id"), index=True)
    #: unit_id, 0 for None: unique keys count NULLs as different
    unit_key: Mapped[int] = mapped_column(Integer, default=0)
    category: Mapped[str] = mapped_column(String(100))
    #: STATES, by judgement; what was bought of us is known from the purchases
    state: Mapped[str] = mapped_column(String(8))
    rival: Mapped[str] = mapped_column(String(100), default="")
    #: what the unit could buy in a year, yuan; None: not known
    potential: Mapped[Decimal | None] = mapped_column(Money)
    note: Mapped[str] = mapped_column(String(300), default="")
    #: the opportunity made of it
    opportunity_id: Mapped[int | None] = mapped_column(Integer)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    __table_args__ = (
        CheckConstraint("state IN ('ours', 'rival', 'none')", name="state"),
        UniqueConstraint("customer_id", "unit_key", "category"),
    )


class DriverFigure(db.Model):
    """A figure of the driver tree that purchases do not know, per customer and node."""

    __tablename__ = "key_accounts_driver"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"),
        info={"merge": "move", "unique_with": ("node",), "label": _l("Figures of the driver tree")},
    )
    #: key of the node (whitespace.tree)
    node: Mapped[str] = mapped_column(String(30))
    #: yuan a year: what the node takes from or adds to the profit contribution
    amount: Mapped[Decimal | None] = mapped_column(Money)
    note: Mapped[str] = mapped_column(String(300), default="")
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    __table_args__ = (UniqueConstraint("customer_id", "node"),)
