"""Health of accounts, 0 … 100, from parts that are stated, weighted and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ScalarSelect, and_, func, select
from sqlalchemy.dialects import postgresql, sqlite

from plugins.key_accounts.measures.models import CustomerMeasure, growth_of, round_half_up
from plugins.key_accounts.plans.queries import progress_of
from plugins.key_accounts.policies import queries as policies
from plugins.key_accounts.satisfaction.models import AccountHealth, SatisfactionGrade
from plugins.key_accounts.satisfaction.settings import PARTS, weights
from plugins.key_accounts.scorecards.models import RISK, Scorecard, Violation
from plugins.key_accounts.tiers.models import IMPORTANT, KEY, CustomerTier
from portal.core import clock, settings
from portal.customers.models import Customer
from portal.extensions import db

#: Tiers whose health is kept.
KEPT = (KEY, IMPORTANT)
CHUNK = 500


@dataclass(frozen=True)
class Health:
    """:ivar parts: part → 0 … 100, None where nothing is known. :ivar grade: lowest latest grade of the contacts."""

    parts: Mapping[str, int | None]
    score: int | None
    grade: int | None = None


def freshness_part(days: int | None, fresh: int) -> int | None:
    """100 while the last contact is fresh, then falling to 0 at three times as many days; never contacted: 0."""
    if days is None:
        return 0
    if days <= fresh:
        return 100
    return max(0, round_half_up(100 * (3 * fresh - days), 2 * fresh))


def satisfaction_part(grades: Sequence[int]) -> int | None:
    """Mean of the latest grades of the contacts; grade 1 is 0, grade 5 is 100."""
    return round_half_up(25 * (sum(grades) - len(grades)), len(grades)) if grades else None


def trend_part(growth: int | None) -> int | None:
    """60 for steady sales, two points for each per cent of growth."""
    return None if growth is None else max(0, min(100, 60 + 2 * growth))


def plan_part(done: int, total: int, overdue: int) -> int | None:
    """Per cent of the actions done, ten points less for each overdue one, and at least 50 while nothing is overdue."""
    if not total:
        return None
    share = round_half_up(100 * done, total)
    return max(50, share) if not overdue else max(0, share - 10 * overdue)


def risk_part(score: int | None, open_violations: int) -> int | None:
    """100 less the score of the risk card and 15 for each open breach of market order."""
    if score is None and not open_violations:
        return None
    return max(0, 100 - (score or 0) - 15 * open_violations)


def score_of(parts: Mapping[str, int | None], weight: Mapping[str, int]) -> int | None:
    """Weighted mean of the parts that are known; None when none is, or all weights are zero."""
    known = [(value, weight[name]) for name, value in parts.items() if value is not None and weight[name]]
    total = sum(w for _value, w in known)
    return round_half_up(Decimal(sum(value * w for value, w in known)), total) if total else None


def latest_grades(customer_ids: Iterable[int]) -> dict[int, list[int]]:
    """Customer → latest grade of each of his contacts; one statement."""
    row = SatisfactionGrade
    place = (
        func.row_number()
        .over(
            partition_by=(row.customer_id, func.coalesce(row.contact_id, 0)),
            order_by=(row.surveyed_on.desc(), row.id.desc()),
        )
        .label("place")
    )
    inner = (
        select(row.customer_id, row.grade, place)
        .where(row.customer_id.in_(list(customer_ids)), row.cancelled_at.is_(None))
        .subquery()
    )
    found: dict[int, list[int]] = {}
    for customer_id, grade in db.session.execute(select(inner.c.customer_id, inner.c.grade).where(inner.c.place == 1)):
        found.setdefault(customer_id, []).append(grade)
    return found


def healths(customer_ids: Sequence[int], today: date) -> dict[int, Health]:
    """Customer → health; five statements for any number."""
    ids = list(customer_ids)
    if not ids:
        return {}
    basics: Sequence[Any] = db.session.execute(
        select(
            Customer.id,
            Customer.kind,
            Customer.last_contact_at,
            func.coalesce(CustomerTier.tier, "").label("tier"),
            CustomerMeasure.sales,
            CustomerMeasure.sales_before,
            _risk().label("risk"),
            _violations().label("violations"),
        )
        .outerjoin(CustomerTier, CustomerTier.customer_id == Customer.id)
        .outerjoin(CustomerMeasure, CustomerMeasure.customer_id == Customer.id)
        .where(Customer.id.in_(ids))
    ).all()
    grades = latest_grades(ids)
    progress = progress_of(ids, today)
    rules = policies.in_force(today)
    fresh = settings.get("key_accounts.fresh_days")
    weight = weights()
    found = {}
    for row in basics:
        days = (today - clock.local(row.last_contact_at).date()).days if row.last_contact_at else None
        standard = policies.standard(policies.applying(rules, row.tier, row.kind), "contact_days")
        plan = progress.get(row.id)
        parts = {
            "freshness": freshness_part(days, standard or fresh),
            "satisfaction": satisfaction_part(grades.get(row.id, ())),
            "trend": trend_part(growth_of(row.sales, row.sales_before)) if row.sales is not None else None,
            "plan": plan_part(plan.done, plan.total, plan.overdue) if plan else None,
            "risk": risk_part(row.risk, row.violations),
        }
        found[row.id] = Health(parts, score_of(parts, weight), min(grades[row.id]) if row.id in grades else None)
    return found


def _risk() -> ScalarSelect[int | None]:
    """Score of a customer's newest risk card."""
    return (
        select(Scorecard.score)
        .where(Scorecard.customer_id == Customer.id, Scorecard.card == RISK)
        .order_by(Scorecard.id.desc())
        .limit(1)
        .correlate(Customer)
        .scalar_subquery()
    )


def _violations() -> ScalarSelect[int]:
    """How many breaches of market order of a customer are open."""
    return (
        select(func.count())
        .select_from(Violation)
        .where(Violation.customer_id == Customer.id, Violation.settled_on.is_(None))
        .correlate(Customer)
        .scalar_subquery()
    )


def refresh(customer_ids: Iterable[int]) -> None:
    """Write the health of these customers down (inside the caller's transaction); who is neither key nor important has
    none."""
    ids = sorted(set(customer_ids))
    db.session.flush()
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        wanted = list(
            db.session.scalars(
                select(CustomerTier.customer_id)
                .join(Customer, Customer.id == CustomerTier.customer_id)
                .where(
                    and_(
                        CustomerTier.customer_id.in_(chunk),
                        CustomerTier.tier.in_(KEPT),
                        Customer.status != "merged",
                    )
                )
            )
        )
        gone = set(chunk) - set(wanted)
        table = AccountHealth.__table__
        if gone:
            db.session.execute(table.delete().where(table.c.customer_id.in_(gone)))
        now = clock.now()
        rows = [
            {"customer_id": key, "score": item.score, **item.parts, "grade": item.grade, "computed_at": now}
            for key, item in healths(wanted, clock.today()).items()
        ]
        if rows:
            insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
            statement: Any = insert(table).values(rows)
            db.session.execute(
                statement.on_conflict_do_update(
                    index_elements=[table.c.customer_id],
                    set_={name: statement.excluded[name] for name in ("score", *PARTS, "grade", "computed_at")},
                )
            )


def accounts() -> list[int]:
    """Customers whose health is kept: key and important ones, and those that were."""
    now = select(CustomerTier.customer_id).where(CustomerTier.tier.in_(KEPT))
    return sorted({*db.session.scalars(now), *db.session.scalars(select(AccountHealth.customer_id))})


def kept(customer_id: int) -> Health | None:
    """The health as it was computed last; None for customers who are neither key nor important."""
    row = db.session.get(AccountHealth, customer_id)
    return None if row is None else shown(row)


def shown(row: AccountHealth) -> Health:
    """A kept row as it is shown."""
    return Health({name: getattr(row, name) for name in PARTS}, row.score, row.grade)


def present(customer_id: int, tier: str, today: date) -> Health:
    """As it was computed last; for customers whose health is not kept (by their tier) as it is now."""
    found = kept(customer_id) if tier in KEPT else None
    return found or healths([customer_id], today)[customer_id]
