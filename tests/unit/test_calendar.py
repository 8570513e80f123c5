"""Lunar dates, birthdays, working days, festivals. Known dates are from the tables of the Hong Kong Observatory and
the State Council."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core import calendar as cal
from portal.core.calendar import Birthday, CalendarError, WorkCalendar

days = st.dates(date(1901, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("lunar", "solar"),
    [
        ((2024, 1, 1, False), date(2024, 2, 10)),
        ((2025, 1, 1, False), date(2025, 1, 29)),
        ((2026, 1, 1, False), date(2026, 2, 17)),
        ((2027, 1, 1, False), date(2027, 2, 6)),
        ((2025, 6, 1, True), date(2025, 7, 25)),
        ((2025, 8, 15, False), date(2025, 10, 6)),
        ((2033, 11, 1, True), date(2033, 12, 22)),
        ((1900, 1, 1, False), date(1900, 1, 31)),
        ((2100, 1, 1, False), date(2100, 2, 9)),
        ((2020, 4, 8, True), date(2020, 5, 30)),
    ],
)
def test_known_dates(lunar: tuple[int, int, int, bool], solar: date) -> None:
    assert cal.from_lunar(*lunar) == solar
    found = cal.to_lunar(solar)
    assert (found.year, found.month, found.day, found.leap) == lunar


@given(days)
def test_lunar_round_trip(day: date) -> None:
    lunar = cal.to_lunar(day)
    assert cal.from_lunar(lunar.year, lunar.month, lunar.day, lunar.leap) == day


def test_every_lunar_month_follows_the_one_before() -> None:
    for year in range(1900, 2101):
        months = sorted(cal._lunar_months(year).values())
        assert len(months) in (12, 13)
        assert all(first + timedelta(length) == after for (first, length), (after, _n) in itertools.pairwise(months))
        assert months[-1][0] + timedelta(months[-1][1]) == cal._lunar_months(year + 1)[1, False][0]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("moon", 1, 1), "calendar.calendar"),
        (("solar", 13, 1), "calendar.month"),
        (("solar", 2, 30), "calendar.day"),
        (("solar", 2, 29, False, 2023), "calendar.day"),
        (("solar", 2, 1, True), "calendar.leap"),
        (("lunar", 1, 31), "calendar.day"),
        (("lunar", 4, 8, True, 2021), "calendar.leap"),
        (("lunar", 1, 1, False, 1899), "calendar.year"),
    ],
)
def test_impossible_birthdays(arguments: tuple, code: str) -> None:
    with pytest.raises(CalendarError) as caught:
        Birthday(*arguments)
    assert caught.value.code == code


def test_next_birthday() -> None:
    assert Birthday("solar", 2, 29).next_on_or_after(date(2025, 1, 1)) == date(2025, 2, 28)
    assert Birthday("solar", 2, 29).next_on_or_after(date(2028, 1, 1)) == date(2028, 2, 29)
    leap = Birthday("lunar", 6, 1, True)
    assert leap.next_on_or_after(date(2025, 1, 1)) == date(2025, 7, 25), "the leap month where there is one"
    assert leap.next_on_or_after(date(2026, 1, 1)) == date(2026, 7, 14), "else the ordinary month"
    # The twelfth month of 2025 has 29 days: the eve of the Spring Festival is its last day.
    assert Birthday("lunar", 12, 30).next_on_or_after(date(2026, 1, 1)) == date(2026, 2, 16)
    assert Birthday("solar", 11, 21).next_on_or_after(date(2026, 11, 21)) == date(2026, 11, 21)


birthdays = st.one_of(
    st.builds(Birthday, st.just("solar"), st.integers(1, 12), st.integers(1, 28)),
    st.builds(Birthday, st.just("lunar"), st.integers(1, 12), st.integers(1, 30), st.booleans()),
)


@given(birthdays, days)
@settings(max_examples=200)
def test_next_birthday_properties(birthday: Birthday, day: date) -> None:
    found = birthday.next_on_or_after(day)
    assert timedelta(0) <= found - day <= timedelta(400)
    if birthday.calendar == "lunar":
        lunar = cal.to_lunar(found)
        assert (lunar.month == birthday.month and lunar.day == birthday.day) or (birthday.day == 30 and lunar.day == 29)
    assert birthday.next_on_or_after(found) == found
    assert found in birthday.between(day, found)


def test_labels_and_age() -> None:
    assert Birthday("lunar", 4, 8, True).label() == "农历闰四月初八"
    assert Birthday("lunar", 12, 30).label() == "农历腊月三十"
    assert [cal.lunar_label(1, d)[4:] for d in (10, 11, 20, 21, 29)] == ["初十", "十一", "二十", "廿一", "廿九"]
    assert Birthday("solar", 4, 8, year=1990).label() == "1990年4月8日"
    born = Birthday("solar", 4, 8, year=1990)
    assert (born.age_on(date(2026, 4, 7)), born.age_on(date(2026, 4, 8)), born.age_on(date(1980, 1, 1))) == (
        35,
        36,
        None,
    )
    assert Birthday("solar", 4, 8).age_on(date(2026, 1, 1)) is None


def test_working_days_as_announced() -> None:
    assert cal.knows_year(2026)
    assert not cal.is_working_day(date(2026, 10, 1))
    assert cal.is_working_day(date(2026, 10, 10)), "a Saturday worked in exchange"
    assert not cal.is_working_day(date(2025, 10, 6))
    assert cal.add_working_days(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert cal.working_days_between(date(2026, 9, 30), date(2026, 10, 10)) == 3


def test_years_without_announcement() -> None:
    assert not cal.knows_year(2060)
    assert cal.is_working_day(date(2060, 3, 1))
    assert not cal.is_working_day(date(2060, 3, 6))
    assert not cal.is_working_day(cal.from_lunar(2060, 1, 1)), "statutory holidays are known by law"
    assert cal.is_working_day(date(1990, 10, 1)), "before the tables: Monday to Friday"
    own = WorkCalendar(off=[date(2060, 3, 1)], working=[date(2060, 3, 6)], covered=[2060])
    assert own.knows_year(2060)
    assert not own.is_working_day(date(2060, 3, 1))
    assert own.is_working_day(date(2060, 3, 6))


@pytest.mark.parametrize("year", [2025, 2026])
def test_statutory_holidays_agree_with_the_announcement(year: int) -> None:
    holidays = cal.statutory_holidays(year)
    assert len(holidays) in (12, 13)  # Mid-Autumn and National Day can meet
    assert not any(cal.is_working_day(day) for day in holidays)


@given(st.dates(date(2005, 1, 1), date(2090, 1, 1)), st.integers(-60, 60))
@settings(max_examples=200)
def test_adding_and_counting_agree(start: date, count: int) -> None:
    end = cal.add_working_days(start, count)
    assert cal.is_working_day(end)
    if count:
        assert cal.working_days_between(start, end) == count
    else:
        assert end >= start


def test_working_days_stop_at_the_bounds() -> None:
    with pytest.raises(CalendarError):
        cal.add_working_days(date(2100, 12, 30), 10)


def test_festivals() -> None:
    found = {f.key: f.next_on_or_after(date(2026, 1, 1)) for f in cal.FESTIVALS}
    assert found["eve"] == date(2026, 2, 16)
    assert found["spring"] == date(2026, 2, 17)
    assert found["lantern"] == date(2026, 3, 3)
    assert found["qingming"] == date(2026, 4, 5)
    assert found["dragon_boat"] == date(2026, 6, 19)
    assert found["qixi"] == date(2026, 8, 19)
    assert found["mid_autumn"] == date(2026, 9, 25)
    assert found["double_ninth"] == date(2026, 10, 18)
    assert found["national"] == date(2026, 10, 1)
    assert cal.festival("qixi").name == "七夕节"
