"""Measures agree to the fen with plain Python over the raw purchases, ranks and proposals with the rules in words."""

from __future__ import annotations

import csv
import os
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from plugins.key_accounts.measures import rules
from plugins.key_accounts.measures import services as measures
from plugins.key_accounts.measures.models import CustomerMeasure
from plugins.key_accounts.measures.settings import Thresholds
from portal.core import clock
from portal.core.transaction import transaction
from portal.customers.models import Customer
from portal.extensions import db
from portal.purchases.models import Purchase
from portal.purchases.summaries import twelve_months_before
from tests.world import World

pytestmark = pytest.mark.db

#: customer, days ago, fen, cost in fen, cancelled, days until payment
Raw = tuple[int, int, int, int, bool, int | None]
ORDERS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.integers(0, 1900),
        st.sampled_from([0, 1, 99, 10_000, 123_456, 9_999_999_99]),
        st.integers(0, 200_000),
        st.booleans(),
        st.one_of(st.none(), st.integers(0, 90)),
    ),
    max_size=25,
)


def _write(orders: list[Raw], ids: list[int]) -> None:
    now, today = clock.now(), clock.today()
    rows = []
    for number, (customer, age, total, cost, cancelled, paid) in enumerate(orders):
        day = today - timedelta(days=age)
        rows.append(
            {
                "customer_id": ids[customer],
                "number": f"Z-{number}",
                "purchased_on": day,
                "paid_on": None if paid is None else day + timedelta(days=paid),
                "total": Decimal(total).scaleb(-2),
                "cost": Decimal(cost).scaleb(-2),
                "total_high_middle": Decimal(0),
                "created_at": now,
                "cancelled_at": now if cancelled else None,
                "version": 1,
            }
        )
    with transaction():
        db.session.execute(delete(Purchase))
        if rows:
            db.session.execute(insert(Purchase), rows)


def _check(orders: list[Raw], ids: list[int]) -> None:
    """The independent calculation."""
    today = clock.today()
    since = twelve_months_before(today)
    earlier = twelve_months_before(since)
    sums: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    years: dict[int, set[int]] = defaultdict(set)
    for customer, age, total, cost, cancelled, paid in orders:
        if cancelled:
            continue
        day: date = today - timedelta(days=age)
        found = sums[ids[customer]]
        if day > since:
            found["sales"] += total
            found["cost"] += cost
            found["orders"] += 1
        elif day > earlier:
            found["before"] += total
        if day > earlier and paid is not None:
            found["paid"] += 1
            found["days"] += paid
        if paid is None:
            found["open"] += total
        if day.year > today.year - 5:
            years[ids[customer]].add(day.year)
    limits = Thresholds()
    buyers = sum(1 for key in ids if sums[key]["sales"] > 0)
    total = sum(sums[key]["sales"] for key in ids)
    rows = {row.customer_id: row for row in db.session.scalars(select(CustomerMeasure))}
    for key in ids:
        row, found = rows[key], sums[key]
        fen = (row.sales * 100, row.goods_cost * 100, row.sales_before * 100, row.open_amount * 100)
        assert fen == (found["sales"], found["cost"], found["before"], found["open"])
        assert row.profit * 100 == found["sales"] - found["cost"]
        assert (row.orders, row.paid_orders, row.paid_days) == (found["orders"], found["paid"], found["days"])
        assert row.repeat_years == len(years[key])
        larger = [sums[other]["sales"] for other in ids if sums[other]["sales"] > found["sales"]]
        rank = len(larger) + 1 if found["sales"] else None
        assert row.rank == rank
        wanted = rules.propose(row.sales, row.profit, rank, row.repeat_years, False, buyers, limits)
        assert row.proposal == wanted.tier
        abc = rules.abc_of(Decimal(sum(larger)), Decimal(total), limits) if found["sales"] else ""
        assert row.abc == abc


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(ORDERS)
def test_measures_are_what_plain_python_makes_of_the_purchases(app: Flask, world: World, orders: list[Raw]) -> None:
    ids = sorted(db.session.scalars(select(Customer.id)))
    _write(orders, ids)
    measures.recompute_all()
    _check(orders, ids)


def _log() -> Path:
    return Path(os.environ.get("PORTAL_REALDATA", "../shared/data")) / "cdnow"


@pytest.mark.skipif(not _log().is_dir(), reason="the real purchases are not here")
def test_measures_of_real_purchases_agree_to_the_fen(app: Flask, world: World) -> None:
    """A slice of a real purchase log, moved so that its last day is today."""
    lines = _read_log()
    assert len(lines) > 100
    last = max(day for _who, day, _fen in lines)
    # Those who bought most often, one for each customer of the small organisation.
    people = [who for who, _count in Counter(who for who, _day, _fen in lines).most_common(6)]
    ids = sorted(db.session.scalars(select(Customer.id)))[: len(people)]
    orders: list[Raw] = [
        (people.index(who), (last - day).days, fen, fen // 2, False, None) for who, day, fen in lines if who in people
    ]
    every = sorted(db.session.scalars(select(Customer.id)))
    _write(orders, ids + [key for key in every if key not in ids])
    measures.recompute_all()
    _check(orders, every)


def _read_log() -> list[tuple[str, date, int]]:
    """(customer, day, fen) of the first lines of the log, whose lines are "customer date quantity amount"."""
    found: list[tuple[str, date, int]] = []
    for path in sorted(_log().iterdir()):
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            for cells in csv.reader(file, delimiter=" ", skipinitialspace=True):
                row = [cell for cell in cells if cell]
                if len(row) >= 4 and row[-3].isdigit() and len(row[-3]) == 8:
                    text = row[-3]
                    day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
                    found.append((row[0], day, int(Decimal(row[-1]) * 100)))
                if len(found) >= 20000:
                    return found
        if found:
            return found
    return found
