"""Keeping the measures current: a few customers at once inside the change, all of them as a job."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, select, text, update

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.measures import sums
from plugins.key_accounts.measures.models import CustomerMeasure, MeasureState, PortfolioGroup
from plugins.key_accounts.measures.settings import hour_rate, thresholds
from plugins.key_accounts.tiers.models import CustomerTier
from portal.audit.services import record
from portal.core import clock
from portal.core.permissions import require
from portal.core.transaction import transaction
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.actor import Actor

#: Customers whose sums are made by one statement.
CHUNK = 500
#: Customers whose sums are made in one transaction of the full computation: writers wait no longer than that takes.
SPAN = 20_000
#: No transaction lasts longer than this between computing a sum and its commit.
SLOWEST_COMMIT = timedelta(minutes=5)


def one_of(ids: list[int]) -> Callable[[Any], ColumnElement[bool]]:
    """Condition: these customers."""
    return lambda column: column.in_(ids)


def span(first: int, last: int) -> Callable[[Any], ColumnElement[bool]]:
    """Condition: customers with ids from first to last."""
    return lambda column: and_(column >= first, column <= last)


def refresh(customer_ids: Iterable[int]) -> None:
    """Make the sums of these customers anew, inside the caller's transaction; ranks follow by the job."""
    ids = sorted(set(customer_ids))
    db.session.flush()
    today, rate = clock.today(), _rate_in_use()
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        # Two writers of one customer must not both compute from what the other has not committed yet.
        db.session.execute(
            select(Customer.id).where(Customer.id.in_(chunk)).order_by(Customer.id).with_for_update(key_share=True)
        ).all()
        db.session.execute(sums.write_sums(one_of(chunk), today, rate))
        merged = select(Customer.id).where(Customer.id.in_(chunk), Customer.status == "merged")
        db.session.execute(
            delete(CustomerMeasure)
            .where(CustomerMeasure.customer_id.in_(merged))
            .execution_options(synchronize_session=False)
        )
    _expire()


def _rate_in_use() -> Any:
    """The rate that all other sums hold, so that they can be added up; the set one before the first computation."""
    state = db.session.get(MeasureState, 1)
    return state.rate if state is not None else hour_rate()


def _expire() -> None:
    for instance in db.session.identity_map.values():
        if isinstance(instance, CustomerMeasure):
            db.session.expire(instance)


def recompute_all(progress: Callable[[int, int], None] = lambda _done, _all: None) -> dict[str, Any]:
    """Make all measures anew in short transactions of their own; safe to run twice and beside other writers."""
    begin = time.monotonic()
    today, rate = clock.today(), hour_rate()
    last = db.session.scalar(select(func.max(Customer.id))) or 0
    for first in range(1, last + 1, SPAN):
        with transaction():
            db.session.execute(sums.write_sums(span(first, min(first + SPAN - 1, last)), today, rate))
        progress(min(first + SPAN - 1, last), last)
    with transaction():
        merged = select(Customer.id).where(Customer.status == "merged")
        db.session.execute(
            delete(CustomerMeasure)
            .where(CustomerMeasure.customer_id.in_(merged))
            .execution_options(synchronize_session=False)
        )
        state = _state()
        state.as_of, state.rate, state.computed_at = today, rate, clock.now()
        _rank(state)
        state.took_ms = int((time.monotonic() - begin) * 1000)
        db.session.flush()
        # Without statistics of its own the embedded database sorts all customers for a page of fifty.
        db.session.execute(text("ANALYZE key_accounts_measure"))
        db.session.execute(text("ANALYZE key_accounts_tier"))
        return {"customers": _customers(), "buyers": state.buyers}


def rank_all() -> dict[str, Any]:
    """Make ranks, classes and proposals anew (inside the caller's transaction)."""
    state = _state()
    _rank(state)
    db.session.flush()
    return {"customers": _customers(), "buyers": state.buyers}


def _customers() -> int:
    return int(db.session.scalar(select(func.count()).select_from(CustomerMeasure)) or 0)


def _state() -> MeasureState:
    state = db.session.get(MeasureState, 1)
    if state is None:
        now = clock.now()
        state = MeasureState(
            id=1,
            as_of=clock.today(),
            computed_at=now,
            ranked_at=now,
            rate=hour_rate(),
            thresholds="",
            buyers=0,
            sales=0,
        )
        db.session.add(state)
        db.session.flush()
    return state


def _rank(state: MeasureState) -> None:
    limits = thresholds()
    # Taken before reading: what is changed meanwhile is ranked next time.
    state.ranked_at, state.thresholds = clock.now(), limits.as_json()
    db.session.execute(sums.write_ranks(limits))
    row = db.session.execute(
        select(func.count(), func.coalesce(func.sum(CustomerMeasure.sales), 0)).where(CustomerMeasure.sales > 0)
    ).one()
    state.buyers, state.sales = int(row[0]), row[1]
    _expire()


def work_to_do() -> str:
    """What the summaries need: "all" (never computed, another day or rate), "ranks" or ""."""
    state = db.session.get(MeasureState, 1)
    if state is None or state.as_of != clock.today() or state.rate != hour_rate():
        return "all"
    if state.thresholds != thresholds().as_json():
        return "ranks"
    # A change bears the time at which it was computed and may have been committed later than a ranking after it.
    changed = latest_change()
    return "ranks" if changed is not None and changed > state.ranked_at - SLOWEST_COMMIT else ""


def latest_change() -> datetime | None:
    """When a sum was changed last."""
    return db.session.scalar(select(func.max(CustomerMeasure.changed_at)))


def touch(customer_ids: Iterable[int]) -> None:
    """Copy the decided tiers to the measures (inside the caller's transaction) and have the customers ranked again."""
    ids = sorted(set(customer_ids))
    now = clock.now()
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        tier = (
            select(CustomerTier.tier)
            .where(CustomerTier.customer_id == CustomerMeasure.customer_id)
            .correlate(CustomerMeasure)
            .scalar_subquery()
        )
        db.session.execute(
            update(CustomerMeasure)
            .where(CustomerMeasure.customer_id.in_(chunk))
            .values(tier=func.coalesce(tier, ""), changed_at=now)
            .execution_options(synchronize_session=False)
        )
    _expire()


def record_recomputation(actor: Actor) -> None:
    """Note in the audit trail that somebody had everything computed anew."""
    require(actor, "key_accounts.lead")
    record(actor, KeyAccountAction.RECOMPUTED, object_type="key_accounts_measures", object_id=1, object_label="")


def rebuild_groups() -> None:
    """Write the sums by department, account manager and tier anew out of the measures, inside the caller's transaction.

    Only needed when something went around the triggers; the nightly computation checks nothing by it.
    """
    group = PortfolioGroup
    if db.engine.dialect.name == "postgresql":
        # Writers wait: what they add afterwards comes on top of what is written here.
        db.session.execute(text("LOCK TABLE key_accounts_portfolio_group IN EXCLUSIVE MODE"))
    db.session.execute(delete(group))
    measure = CustomerMeasure
    key = (Customer.department_id, Customer.account_manager_id, Customer.status, measure.tier, measure.proposal)
    columns = (measure.sales, measure.goods_cost, measure.contact_cost, measure.profit, measure.minutes)
    rows = (
        select(
            key[0],
            key[1],
            func.coalesce(Customer.account_manager_id, 0),
            *key[2:],
            func.count(),
            *(func.sum(column) for column in columns),
        )
        .join(measure, measure.customer_id == Customer.id)
        .group_by(*key)
    )
    names = ["department_id", "account_manager_id", "manager_key", "status", "tier", "proposal", "customers"]
    names += [column.key for column in columns]
    db.session.execute(group.__table__.insert().from_select(names, rows, include_defaults=False))
