"""Scorecards with their versions, and the register of market-order violations."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User

QUALIFICATION, SELECTION, RISK = "qualification", "selection", "risk"
CARDS = (QUALIFICATION, SELECTION, RISK)

#: Diverting goods into another's region (窜货), raising or cutting prices on one's own (私自提价、私自降价).
DIVERSION, PRICE_RAISE, PRICE_CUT = "diversion", "price_raise", "price_cut"
VIOLATIONS = (DIVERSION, PRICE_RAISE, PRICE_CUT)


class Scorecard(db.Model):
    """One version of a scorecard of a customer; the latest counts, earlier ones stay as they were."""

    __tablename__ = "key_accounts_scorecard"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), info={"merge": "move", "label": _l("Scorecards")}
    )
    #: CARDS
    card: Mapped[str] = mapped_column(String(16))
    #: weighted mean of the answered criteria, 0 … 100; None when nothing was answered
    score: Mapped[int | None] = mapped_column(Integer)
    #: "qualified", "not_qualified", "open" or "" (risk)
    verdict: Mapped[str] = mapped_column(String(16), default="")
    remarks: Mapped[str] = mapped_column(String(1000), default="")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    customer: Mapped[Customer] = relationship()
    made_by: Mapped[User | None] = relationship()
    answers: Mapped[list[ScorecardAnswer]] = relationship(
        cascade="all, delete-orphan", order_by="ScorecardAnswer.id", lazy="selectin"
    )

    __table_args__ = (
        CheckConstraint("card IN ('qualification', 'selection', 'risk')", name="card"),
        CheckConstraint("score IS NULL OR score BETWEEN 0 AND 100", name="score"),
        Index("ix_key_accounts_scorecard_customer", "customer_id", "card", "id"),
    )


class ScorecardAnswer(db.Model):
    """The answer to one criterion: a grade from the portal's figures or by judgement with a note."""

    __tablename__ = "key_accounts_scorecard_answer"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scorecard_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_scorecard.id", ondelete="CASCADE"), index=True)
    #: key of the criterion (scorecards.criteria)
    criterion: Mapped[str] = mapped_column(String(40))
    #: 0 … 5; None: not answered
    grade: Mapped[int | None] = mapped_column(Integer)
    #: "data" or "judgement"
    source: Mapped[str] = mapped_column(String(10))
    #: the figure behind a grade from data, as shown
    figure: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(String(500), default="")

    __table_args__ = (
        CheckConstraint("grade IS NULL OR grade BETWEEN 0 AND 5", name="grade"),
        CheckConstraint("source <> 'judgement' OR grade IS NULL OR note <> ''", name="judgement_has_note"),
        UniqueConstraint("scorecard_id", "criterion"),
    )


class Violation(db.Model):
    """A breach of market order by a dealer: what, when, what came of it."""

    __tablename__ = "key_accounts_violation"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={"merge": "move", "label": _l("Breaches of market order")}
    )
    #: VIOLATIONS
    kind: Mapped[str] = mapped_column(String(16))
    happened_on: Mapped[date] = mapped_column(Date)
    description: Mapped[str] = mapped_column(Text)
    #: what was done about it; "" while open
    measure: Mapped[str] = mapped_column(String(500), default="")
    settled_on: Mapped[date | None] = mapped_column(Date)
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)

    customer: Mapped[Customer] = relationship()
    recorded_by: Mapped[User | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("kind IN ('diversion', 'price_raise', 'price_cut')", name="kind"),
        CheckConstraint("(settled_on IS NULL) = (measure = '')", name="settled_with_measure"),
        CheckConstraint("settled_on IS NULL OR settled_on >= happened_on", name="settled_after"),
        Index("ix_key_accounts_violation_happened_on_id", "happened_on", "id"),
    )
