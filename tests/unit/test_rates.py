"""How often somebody may do something in an hour, counted in memory."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.core import clock
from portal.core import rates as module
from portal.core.rates import Rates

NOON = datetime(2026, 3, 5, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def take(rates: Rates, limit: int, key: str = "anna", at: datetime = NOON) -> datetime | None:
    with clock.frozen(at):
        return rates.take(key, 0, lambda: limit)


def test_the_limit_is_reached_told_and_over_an_hour_after_the_first_use() -> None:
    rates = Rates()
    assert take(rates, 3) is None
    assert take(rates, 3, at=NOON + 10 * MINUTE) is None
    assert take(rates, 3, at=NOON + 20 * MINUTE) is None
    again = datetime(2026, 3, 5, 13, 0, tzinfo=UTC)
    # Whoever goes on trying does not push his turn away.
    assert [take(rates, 3, at=NOON + 30 * MINUTE) for _attempt in range(5)] == [again] * 5
    assert take(rates, 3, key="ben", at=NOON + 30 * MINUTE) is None
    assert take(rates, 3, at=again - timedelta(seconds=1)) == again
    assert take(rates, 3, at=again) is None
    assert take(rates, 3, at=again) == again + 10 * MINUTE


def test_below_the_least_limit_nobody_is_asked_for_it() -> None:
    rates = Rates()

    def unknown() -> int:
        raise AssertionError("the setting was read")

    assert [rates.take("anna", 5, unknown) for _use in range(5)] == [None] * 5
    assert rates.take("anna", 5, lambda: 5) is not None


def test_heavy_uses_count_for_what_they_weigh() -> None:
    rates = Rates()

    def send(weight: int) -> bool:
        with clock.frozen(NOON):
            return rates.take("anna", 0, lambda: 100, weight=weight) is None

    assert [send(weight) for weight in (60, 41, 40, 1)] == [True, False, True, False]
    # The first of an hour is never refused: nobody could wait for a time when it is let in.
    with clock.frozen(NOON):
        assert rates.take("ben", 0, lambda: 100, weight=101) is None


def test_a_clock_that_is_put_back_does_not_lock_anybody_out() -> None:
    rates = Rates()
    assert take(rates, 1, at=NOON + timedelta(days=1)) is None
    assert take(rates, 1, at=NOON) is None


def test_many_at_once_get_exactly_the_limit() -> None:
    rates, allowed = Rates(), []
    gate = threading.Barrier(8)

    def work() -> None:
        gate.wait(10)
        allowed.extend(rates.take("anna", 0, lambda: 100) is None for _use in range(50))

    threads = [threading.Thread(target=work) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sum(allowed) == 100
    assert len(allowed) == 400


def test_who_was_seen_longest_ago_is_forgotten_first() -> None:
    rates = Rates()
    for number in range(module.KEPT + 1):
        take(rates, 1, key=str(number))
    assert take(rates, 1, key="0") is None
    assert take(rates, 1, key=str(module.KEPT)) is not None


@given(st.lists(st.integers(0, 7200), min_size=1, max_size=60), st.integers(1, 8))
def test_no_hour_of_whole_minutes_holds_more_than_the_limit(seconds: list[int], limit: int) -> None:
    rates = Rates()
    taken = [at for at in sorted(seconds) if take(rates, limit, at=NOON + timedelta(seconds=at)) is None]
    minutes = [int((NOON + timedelta(seconds=at)).timestamp()) // 60 for at in taken]
    assert all(sum(first <= minute < first + 60 for minute in minutes) <= limit for first in minutes)
    # What was refused was refused because the hour before it was full.
    assert len(taken) >= min(limit, len(seconds))
