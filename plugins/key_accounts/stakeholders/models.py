"""Tables of the stakeholder map (R-KA-10). The attitude itself is the contact's own field."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.customers.models import MOVE, Contact
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User


class Stakeholder(db.Model):
    """A contact's place in the map: influence on the decision and whom he reports to."""

    __tablename__ = "key_accounts_stakeholder"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={**MOVE, "label": _l("Stakeholders")}
    )
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), unique=True)
    #: 1 hardly any … 5 decides
    influence: Mapped[int] = mapped_column(SmallInteger)
    #: the superior, a contact of the same customer
    reports_to_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    #: what he cares about, how to win him
    note: Mapped[str] = mapped_column(String(500), default="")
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    contact: Mapped[Contact] = relationship(foreign_keys=[contact_id])

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("influence BETWEEN 1 AND 5", name="influence"),
        CheckConstraint("reports_to_id IS NULL OR reports_to_id <> contact_id", name="not_own_superior"),
    )


class StakeholderChange(db.Model):
    """How a contact was judged at a moment; append-only."""

    __tablename__ = "key_accounts_stakeholder_change"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    stakeholder_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_stakeholder.id"))
    influence: Mapped[int] = mapped_column(SmallInteger)
    #: −2 … +2; None: not known
    attitude: Mapped[int | None] = mapped_column(SmallInteger)
    reports_to_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    note: Mapped[str] = mapped_column(String(500), default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    by: Mapped[User | None] = relationship()

    __table_args__ = (Index("ix_key_accounts_stakeholder_change_of", "stakeholder_id", "at", "id"),)
