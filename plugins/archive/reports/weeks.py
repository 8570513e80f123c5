"""Weeks of reports: Monday to Sunday. Pure, no database."""

from __future__ import annotations

from datetime import date, timedelta


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def last_day(week: date) -> date:
    """The Sunday of a week that begins on a Monday."""
    return week + timedelta(days=6)


def due_on(week: date, days_after: int) -> date:
    """The last day on which the report of a week is in time: so many days after its Sunday."""
    return last_day(week) + timedelta(days=days_after)


def recent_weeks(today: date, count: int) -> list[date]:
    """The Mondays of the present week and those before it, newest first."""
    first = monday_of(today)
    return [first - timedelta(weeks=number) for number in range(count)]


def is_reportable(week: date, today: date) -> bool:
    """Whether a report of this week can be begun: it has begun itself, and is not older than a year."""
    return week.weekday() == 0 and week <= today and week >= today - timedelta(days=371)


def week_text(week: date) -> str:
    """ "2026-W47" (ISO 8601)."""
    year, number, _day = week.isocalendar()
    return f"{year}-W{number:02d}"
