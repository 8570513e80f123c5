"""Rules of plans, budgets, assessments, dates of checklists and recurring days. No database."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.sop.programme import budget, plan, questionnaire
from plugins.sop.programme.measures import BY_KEY, Totals, change
from plugins.sop.runs import rules
from plugins.sop.runs.rules import Recurrence
from portal.core.calendar import is_working_day, working_days_between

DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
WEEKS = st.tuples(*(st.integers(1, 12),) * 3)


# ---- plan ----------------------------------------------------------------------------------------------------------


def test_nine_weeks_of_nine_steps_by_default() -> None:
    days = plan.days_by_step()
    assert len(days) == 9
    assert [sum(days[:3]), sum(days[3:6]), sum(days[6:])] == [5, 20, 20]


@given(WEEKS)
def test_steps_share_exactly_the_days_of_their_stage(weeks: tuple[int, int, int]) -> None:
    days = plan.days_by_step(weeks)
    assert [sum(days[i : i + 3]) for i in (0, 3, 6)] == [number * 5 for number in weeks]
    assert min(days) >= 1


@given(DAYS, WEEKS)
def test_steps_follow_each_other_on_working_days(starts_on: date, weeks: tuple[int, int, int]) -> None:
    days = plan.days_by_step(weeks)
    spans = plan.schedule(starts_on, days)
    for span, number in zip(spans, days, strict=True):
        assert is_working_day(span.begins_on)
        assert working_days_between(span.begins_on, span.ends_on) + 1 == number
    for before, after in itertools.pairwise(spans):
        assert working_days_between(before.ends_on, after.begins_on) == 1


@given(DAYS, st.integers(0, 8), st.integers(0, 30), st.integers(1, 40))
def test_later_steps_keep_their_length_and_distance(starts_on: date, index: int, later: int, days: int) -> None:
    spans = plan.schedule(starts_on, plan.days_by_step())
    begins_on = spans[index].begins_on + timedelta(days=later)
    moved = plan.moved(spans, index, begins_on, days, [False] * 9)
    assert moved[:index] == spans[:index]
    assert moved[index].days == days
    for old, new in zip(spans[index + 1 :], moved[index + 1 :], strict=True):
        assert new.days == old.days
    for before, after in zip(moved[index:], moved[index + 1 :], strict=False):
        assert working_days_between(before.ends_on, after.begins_on) == 1


def test_a_step_is_not_moved_before_the_one_before_it_nor_after_its_end() -> None:
    spans = plan.schedule(date(2026, 3, 2), plan.days_by_step())
    with pytest.raises(plan.PlanError, match="step before it has ended"):
        plan.moved(spans, 3, spans[2].ends_on, 5, [False] * 9)
    with pytest.raises(plan.PlanError, match="finished step"):
        plan.moved(spans, 0, spans[0].begins_on, 9, [True] + [False] * 8)
    with pytest.raises(plan.PlanError, match="between 1 and 250"):
        plan.moved(spans, 0, spans[0].begins_on, 0, [False] * 9)


def test_slack_is_two_to_three_months_in_all() -> None:
    begins = date(2026, 1, 31)
    assert plan.slack(begins, date(2026, 3, 30), 2, 3).word == "tight"
    assert plan.slack(begins, date(2026, 3, 31), 2, 3).word == "fits"
    assert plan.slack(begins, date(2026, 4, 30), 2, 3).word == "fits"
    assert plan.slack(begins, date(2026, 5, 1), 2, 3).word == "late"


# ---- budget --------------------------------------------------------------------------------------------------------

RATES = {"short": Decimal(8000), "deep": Decimal(10000), "manual": Decimal(10000), "assisted": Decimal(10000)}


def test_the_modes_cost_what_the_rule_says() -> None:
    offers = {item.mode.key: item for item in budget.compare({}, RATES, None)}
    assert offers["own"].amount == 0
    assert (offers["short"].lowest, offers["short"].highest) == (8000, 16000)
    assert (offers["deep"].lowest, offers["deep"].highest) == (30000, 50000)
    assert (offers["manual"].lowest, offers["manual"].highest) == (80000, 100000)
    assert (offers["assisted"].lowest, offers["assisted"].highest) == (200000, 300000)
    assert offers["tailored"].amount is None


def test_days_are_adjustable_only_where_the_rule_says_so() -> None:
    with pytest.raises(budget.BudgetError, match="takes 1 to 2 days"):
        budget.offer(budget.BY_KEY["short"], 3, RATES["short"])
    assert budget.offer(budget.BY_KEY["assisted"], 45, RATES["assisted"]).amount == 450000
    with pytest.raises(budget.BudgetError, match="at least one day"):
        budget.offer(budget.BY_KEY["assisted"], 0, RATES["assisted"])


@given(st.integers(1, 366), st.decimals(0, 99999, places=2))
def test_money_is_exact(days: int, rate: Decimal) -> None:
    offer = budget.offer(budget.BY_KEY["assisted"], days, rate)
    assert offer.amount is not None
    assert offer.amount * 100 == int(rate * 100) * days


# ---- assessment and scorecard --------------------------------------------------------------------------------------


def test_areas_are_means_of_what_was_answered() -> None:
    own = {"customers.1": 2, "customers.2": 3, "purpose.1": 4, "purpose.2": None}
    areas = {item.area: item for item in questionnaire.by_area(own, {"customers.1": 4})}
    assert areas["customers"].own == Decimal("2.5")
    assert areas["customers"].gap == Decimal("-1.5")
    assert areas["purpose"].own == Decimal("4.0")
    assert areas["use"].own is None
    assert questionnaire.overall(own) == Decimal("3.0")


def test_less_can_be_better() -> None:
    reaction, sales = BY_KEY["reaction"], BY_KEY["sales"]
    assert change(reaction, Decimal(48), Decimal(24)).tone == "success"  # type: ignore[union-attr]
    assert change(sales, Decimal(48), Decimal(24)).tone == "danger"  # type: ignore[union-attr]
    assert change(sales, Decimal(0), Decimal(24)).percent is None  # type: ignore[union-attr]
    assert change(sales, None, Decimal(24)) is None


def test_nobody_bought_means_not_known_and_not_zero() -> None:
    nothing = Totals(Decimal(0), Decimal(0), 0, 0, 0)
    assert BY_KEY["frequency"].compute(nothing) is None  # type: ignore[misc]
    assert BY_KEY["margin"].compute(nothing) is None  # type: ignore[misc]
    some = Totals(Decimal("300.00"), Decimal("200.00"), 4, 3, 1)
    assert BY_KEY["frequency"].compute(some) == Decimal("1.33")  # type: ignore[misc]
    assert BY_KEY["margin"].compute(some) == Decimal("33.33")  # type: ignore[misc]


# ---- dates of checklists -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Limit:
    limit_amount: int | None
    limit_unit: str = ""


def test_limits_run_one_after_the_other_in_working_days() -> None:
    friday = date(2026, 3, 6)
    steps = [Limit(2, "hours"), Limit(None), Limit(1, "working_days"), Limit(1, "weeks")]
    assert rules.due_days(friday, steps) == [friday, None, date(2026, 3, 9), date(2026, 3, 16)]


@given(DAYS, st.integers(1, 60), st.sampled_from(("minutes", "hours", "working_days", "days", "weeks", "months")))
def test_a_limit_ends_on_a_working_day_not_before_its_begin(begins_on: date, amount: int, unit: str) -> None:
    end = rules.limit_ends(begins_on, amount, unit)
    assert end >= begins_on
    assert is_working_day(end)
    assert end <= rules.limit_ends(begins_on, amount + 1, unit)


# ---- recurring days ------------------------------------------------------------------------------------------------

RECURRENCES = st.one_of(
    st.builds(Recurrence, st.just("daily")),
    st.builds(Recurrence, st.just("weekly"), weekday=st.integers(1, 7)),
    st.builds(Recurrence, st.just("monthly"), day=st.integers(1, 31)),
    st.builds(Recurrence, st.just("quarterly"), day=st.integers(1, 31), month=st.integers(1, 3)),
    st.builds(Recurrence, st.just("yearly"), day=st.integers(1, 31), month=st.integers(1, 12)),
)


@given(RECURRENCES, DAYS)
def test_the_next_day_is_the_first_that_fits(pattern: Recurrence, day: date) -> None:
    found = pattern.on_or_after(day)
    assert found >= day
    assert pattern.on_or_after(found) == found
    if found > day:
        assert pattern.on_or_after(day + timedelta(days=1)) == found


def test_months_without_that_day_use_their_last_one() -> None:
    pattern = Recurrence("monthly", day=31)
    assert pattern.on_or_after(date(2026, 2, 1)) == date(2026, 2, 28)
    assert pattern.on_or_after(date(2026, 4, 30)) == date(2026, 4, 30)
    assert Recurrence("quarterly", day=31, month=2).on_or_after(date(2026, 3, 1)) == date(2026, 5, 31)


def test_missed_days_make_one_run() -> None:
    monday = Recurrence("weekly", weekday=1)
    assert monday.latest_due(date(2026, 3, 2), date(2026, 3, 31)) == date(2026, 3, 30)
    assert monday.latest_due(date(2026, 3, 30), date(2026, 4, 3)) is None
    # 6 April 2026 is a day off (Qingming): the run begins on the next working day.
    assert monday.latest_due(date(2026, 3, 30), date(2026, 4, 6)) is None
    assert monday.latest_due(date(2026, 3, 30), date(2026, 4, 7)) == date(2026, 4, 6)
