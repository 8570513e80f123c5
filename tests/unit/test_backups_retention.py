"""Which backups are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.backups.retention import RECENT, Kept, to_remove
from portal.core import clock

#: Sunday, 02:00 in Shanghai
NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


def weekly(count: int) -> list[Kept]:
    """A backup each Sunday, the newest first."""
    return [Kept(f"w{number:03d}", NOW - timedelta(weeks=number), True) for number in range(count)]


def test_eight_weeks_and_twelve_months_of_two_years() -> None:
    sets = weekly(104)
    removed = set(to_remove(sets, NOW, 8, 12))
    kept = [item for item in sets if item.name not in removed]
    assert [item.name for item in kept[:8]] == [f"w{number:03d}" for number in range(8)]
    months = {(clock.local(item.made_at).year, clock.local(item.made_at).month) for item in kept}
    assert len(months) == 12
    assert len(kept) == 18  # eight weeks lie in the two newest months, ten older months have one each


def test_all_of_the_last_days_are_kept() -> None:
    nightly = [Kept(f"n{number:03d}", NOW - timedelta(days=number), True) for number in range(60)]
    removed = set(to_remove(nightly, NOW, 2, 0))
    kept = [item.name for item in nightly if item.name not in removed]
    assert kept[:7] == [f"n{number:03d}" for number in range(7)]
    assert len(kept) <= 8


def test_a_broken_one_does_not_push_out_a_good_one() -> None:
    good = Kept("good", NOW - timedelta(days=30), True)
    broken = Kept("broken", NOW - timedelta(days=29), False)  # same week
    newest = Kept("newest", NOW, True)
    assert to_remove([good, broken, newest], NOW, 8, 0) == ["broken"]


def test_the_newest_proven_one_stays_however_old() -> None:
    proven = Kept("proven", NOW - timedelta(days=700), True)
    later = [Kept(f"later{number}", NOW - timedelta(weeks=number), None) for number in range(30)]
    assert "proven" not in to_remove([proven, *later], NOW, 1, 0)


@given(
    ages=st.lists(st.integers(0, 800), min_size=1, max_size=60, unique=True),
    weeks=st.integers(1, 12),
    months=st.integers(0, 14),
    states=st.lists(st.sampled_from([True, False, None]), min_size=60, max_size=60),
)
def test_laws_of_retention(ages: list[int], weeks: int, months: int, states: list[bool | None]) -> None:
    sets = [Kept(str(age), NOW - timedelta(days=age), states[index]) for index, age in enumerate(ages)]
    removed = to_remove(sets, NOW, weeks, months)
    kept = [item for item in sets if item.name not in removed]
    assert max(sets, key=lambda item: item.made_at) in kept
    assert all(item.made_at <= NOW - RECENT for item in sets if item.name in removed)
    proven = [item for item in sets if item.is_whole]
    assert not proven or max(proven, key=lambda item: item.made_at) in kept
    # Once more removes nothing: the rule does not eat its way down.
    assert to_remove(kept, NOW, weeks, months) == []
    # More generous rules keep no less.
    assert set(to_remove(sets, NOW, weeks + 1, months + 1)) <= set(removed)
