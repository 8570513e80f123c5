"""R-VIP-1 as pure rules."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.vip.conditions import (
    ALL_GRADES,
    PERIOD,
    SINGLE,
    THIRTY_DAYS,
    Bought,
    Policy,
    accumulated,
    met_by_purchases,
    months_before,
    rank_suffices,
    single_purchase,
)
from plugins.vip.points import level_for, points_for

TODAY = date(2026, 11, 21)
ORDER = {"section": 4, "deputy_division": 5, "division": 6}


def bought(number: int, day: date, amount: str, total: str | None = None) -> Bought:
    return Bought(number, f"N{number}", day, Decimal(total or amount), Decimal(amount))


def test_at_least_includes_the_figure() -> None:
    policy = Policy()
    assert single_purchase(policy, [bought(1, TODAY, "10000.00")]) is not None
    assert single_purchase(policy, [bought(1, TODAY, "9999.99")]) is None
    half = [bought(1, date(2026, 11, 1), "10000.00"), bought(2, date(2026, 11, 20), "10000.00")]
    assert accumulated(policy, half) is not None
    assert accumulated(policy, [half[0], bought(2, date(2026, 11, 20), "9999.99")]) is None


def test_a_calendar_month_is_not_thirty_days() -> None:
    across = [bought(1, date(2026, 10, 31), "12000"), bought(2, date(2026, 11, 1), "12000")]
    assert accumulated(Policy(), across) is None
    met = accumulated(Policy(period=THIRTY_DAYS), across)
    assert met is not None
    assert met.amount == Decimal("24000")
    assert [item.purchase_id for item in met.purchases] == [1, 2]


def test_thirty_days_are_counted_with_both_ends() -> None:
    policy = Policy(period=THIRTY_DAYS)
    last = date(2026, 11, 20)
    assert accumulated(policy, [bought(1, last - timedelta(days=29), "10000"), bought(2, last, "10000")]) is not None
    assert accumulated(policy, [bought(1, last - timedelta(days=30), "10000"), bought(2, last, "10000")]) is None


def test_ordinary_products_count_only_when_all_grades_do() -> None:
    row = bought(1, TODAY, "4000", total="50000")
    assert single_purchase(Policy(), [row]) is None
    assert single_purchase(Policy(grades=ALL_GRADES), [row]) is not None


def test_old_purchases_and_those_of_tomorrow_do_not_count() -> None:
    rows = [bought(1, date(2025, 11, 21), "90000"), bought(2, TODAY + timedelta(days=1), "90000")]
    assert met_by_purchases(Policy(), rows, TODAY) == []
    assert [met.condition for met in met_by_purchases(Policy(), [bought(1, date(2025, 11, 22), "90000")], TODAY)] == [
        SINGLE,
        PERIOD,
    ]


def test_conditions_can_be_switched_off() -> None:
    rows = [bought(1, TODAY, "90000")]
    assert met_by_purchases(Policy(single_enabled=False, period_enabled=False), rows, TODAY) == []
    assert not rank_suffices(Policy(rank_enabled=False), "administrative", "division", ORDER)


@pytest.mark.parametrize(
    ("employer", "rank", "suffices"),
    [
        ("administrative", "deputy_division", True),
        ("administrative", "division", True),
        ("administrative", "section", False),
        ("state_enterprise", "division", False),
        ("administrative", "", False),
    ],
)
def test_rank_counts_in_administrative_units_only(employer: str, rank: str, suffices: bool) -> None:
    assert rank_suffices(Policy(), employer, rank, ORDER) is suffices


PURCHASES = st.lists(
    st.tuples(st.integers(0, 500), st.decimals(Decimal("0"), Decimal("30000"), places=2, allow_nan=False)),
    max_size=25,
).map(lambda rows: [bought(i, TODAY - timedelta(days=days), str(amount)) for i, (days, amount) in enumerate(rows)])


@given(PURCHASES)
def test_evidence_always_proves_its_condition(rows: list[Bought]) -> None:
    """Whatever was bought: the evidence alone meets the condition again, and lies within the period that counts."""
    policy = Policy()
    for met in met_by_purchases(policy, rows, TODAY):
        assert met.amount == sum((item.counted(policy) for item in met.purchases), Decimal(0))
        assert all(months_before(TODAY, 12) < item.day <= TODAY for item in met.purchases)
        again = met_by_purchases(policy, list(met.purchases), TODAY)
        assert met.condition in {item.condition for item in again}
        if met.condition == PERIOD:
            assert len({(item.day.year, item.day.month) for item in met.purchases}) == 1
            assert met.amount >= policy.period_minimum


@given(PURCHASES, st.sampled_from([THIRTY_DAYS, "calendar_month"]))
def test_a_period_is_found_exactly_when_brute_force_finds_one(rows: list[Bought], period: str) -> None:
    policy = Policy(period=period)
    recent = [row for row in rows if months_before(TODAY, 12) < row.day <= TODAY]

    def total(first: date, last: date) -> Decimal:
        return sum((row.counted(policy) for row in recent if first <= row.day <= last), Decimal(0))

    if period == THIRTY_DAYS:
        best = max((total(row.day - timedelta(days=29), row.day) for row in recent), default=Decimal(0))
    else:
        months = {(row.day.year, row.day.month) for row in recent}
        best = max(
            (sum((r.counted(policy) for r in recent if (r.day.year, r.day.month) == m), Decimal(0)) for m in months),
            default=Decimal(0),
        )
    met = accumulated(policy, recent)
    assert (met is not None) == (best >= policy.period_minimum)
    if met is not None:
        assert met.amount == best


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 60))
def test_months_before_never_leaves_its_month(day: date, months: int) -> None:
    found = months_before(day, months)
    assert (day.year * 12 + day.month) - (found.year * 12 + found.month) == months
    assert found.day <= day.day


def test_points_are_whole_and_rounded_down() -> None:
    rates = {"high": 200, "middle": 100, "ordinary": 50}
    assert points_for([("high", Decimal("100.00")), ("ordinary", Decimal("1.99"))], rates) == 200
    assert points_for([("middle", Decimal("99.99"))], rates) == 99
    assert points_for([("unknown", Decimal("1000"))], rates) == 0


def test_levels_begin_at_their_figure() -> None:
    gold, diamond = Decimal("100000"), Decimal("500000")
    assert level_for(Decimal("99999.99"), gold, diamond) == "silver"
    assert level_for(gold, gold, diamond) == "gold"
    assert level_for(diamond, gold, diamond) == "diamond"
