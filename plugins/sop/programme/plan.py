"""The plan of the introduction (R-SOP-7) as pure rules: three stages of three steps, dates in working days.

A step takes a number of working days; the next one begins on the working day after its end. A week of the plan is five
working days, so that holidays make a plan longer and never a step shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from portal.core.calendar import add_working_days, working_days_between
from portal.core.coded import N_, CodedError

DAYS_OF_WEEK = 5
MOST_DAYS = 250
#: How far a plan may reach from its first day, in years.
AddDays = Callable[[date, int], date]

MESSAGES = {
    "plan.days": N_("A step takes between 1 and 250 working days."),
    "plan.order": N_("A step cannot begin before the step before it has ended."),
    "plan.finished": N_("A finished step is not moved."),
}


class PlanError(CodedError):
    """A plan that cannot be."""

    messages = MESSAGES


@dataclass(frozen=True)
class StepTemplate:
    """A step as the rule names it.

    :ivar stage: 1 … 3.
    :ivar weight: its part of the stage's working days.
    """

    key: str
    stage: int
    weight: int


#: Research, drafting and adjusting share four weeks as 7 : 8 : 5 days; the other stages are divided evenly.
TEMPLATES = (
    StepTemplate("senior_training", 1, 1),
    StepTemplate("middle_training", 1, 2),
    StepTemplate("staff_training", 1, 2),
    StepTemplate("research", 2, 7),
    StepTemplate("drafting", 2, 8),
    StepTemplate("confirmation", 2, 5),
    StepTemplate("managers_accept", 3, 5),
    StepTemplate("staff_master", 3, 8),
    StepTemplate("company_fluent", 3, 7),
)
STAGES = (1, 2, 3)
DEFAULT_WEEKS = (1, 4, 4)


@dataclass(frozen=True)
class Span:
    """When a step is to be worked on.

    :ivar begins_on, ends_on: first and last working day.
    :ivar days: working days from the first to the last, both included.
    """

    begins_on: date
    ends_on: date
    days: int


def days_by_step(weeks: Sequence[int] = DEFAULT_WEEKS) -> list[int]:
    """Working days of the nine steps from the weeks of the three stages.

    Each stage's days are shared by weight, whole days, largest remainders first, at least one for each step; their sum
    is exactly weeks × 5 (three at least).
    """
    result: list[int] = []
    for stage, number in zip(STAGES, weeks, strict=True):
        weights = [template.weight for template in TEMPLATES if template.stage == stage]
        result.extend(_shared(max(number * DAYS_OF_WEEK, len(weights)), weights))
    return result


def _shared(total: int, weights: Sequence[int]) -> list[int]:
    left = total - len(weights)
    exact = [left * weight / sum(weights) for weight in weights]
    parts = [int(value) for value in exact]
    by_remainder = sorted(range(len(weights)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[: left - sum(parts)]:
        parts[index] += 1
    return [part + 1 for part in parts]


def schedule(starts_on: date, days: Sequence[int], add: AddDays = add_working_days) -> list[Span]:
    """The steps one after the other, from the first working day at or after `starts_on`.

    :raises PlanError: "plan.days".
    """
    spans: list[Span] = []
    begins_on = add(starts_on, 0)
    for number in days:
        _check_days(number)
        ends_on = add(begins_on, number - 1)
        spans.append(Span(begins_on, ends_on, number))
        begins_on = add(ends_on, 1)
    return spans


def moved(
    spans: Sequence[Span],
    index: int,
    begins_on: date,
    days: int,
    finished: Sequence[bool],
    add: AddDays = add_working_days,
) -> list[Span]:
    """The plan after step `index` got another begin or another length: later steps follow.

    Every later step that is not finished keeps its length and its distance in working days to the step before it.

    :param finished: per step, whether it is done: those stay where they are.
    :raises PlanError: "plan.days", "plan.order" (it would begin before the one before it ended), "plan.finished".
    """
    _check_days(days)
    if finished[index]:
        raise PlanError("plan.finished")
    begins_on = add(begins_on, 0)
    if index and begins_on <= spans[index - 1].ends_on:
        raise PlanError("plan.order")
    result = list(spans)
    result[index] = Span(begins_on, add(begins_on, days - 1), days)
    for number in range(index + 1, len(spans)):
        if finished[number]:
            continue
        gap = max(working_days_between(spans[number - 1].ends_on, spans[number].begins_on), 1)
        first = add(result[number - 1].ends_on, gap)
        result[number] = Span(first, add(first, spans[number].days - 1), spans[number].days)
    return result


def _check_days(days: int) -> None:
    if not 1 <= days <= MOST_DAYS:
        raise PlanError("plan.days")


def months_later(day: date, months: int) -> date:
    """The day so many months later; the month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


@dataclass(frozen=True)
class Slack:
    """Whether a plan ends within the time that experience gives it (default two to three months in all).

    :ivar earliest, latest: the end of that time, from the first day on.
    :ivar word: "tight" (before), "fits", "late" (after).
    """

    earliest: date
    latest: date
    word: str


def slack(starts_on: date, ends_on: date, fewest: int, most: int) -> Slack:
    """Compare the end of a plan with the months it should take in all. :param fewest, most: months."""
    earliest, latest = months_later(starts_on, fewest), months_later(starts_on, most)
    word = "late" if ends_on > latest else "fits" if ends_on >= earliest else "tight"
    return Slack(earliest, latest, word)


def expected_progress(begins_on: date, ends_on: date, today: date) -> int:
    """Percent of a step that should be done at the end of a day, by its working days."""
    if today < begins_on:
        return 0
    if today >= ends_on:
        return 100
    whole = working_days_between(begins_on, ends_on) + 1
    return min(100, (working_days_between(begins_on, today) + 1) * 100 // whole)
