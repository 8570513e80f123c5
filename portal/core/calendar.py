"""Chinese calendar: birthdays in the solar and the lunar calendar, working days, festivals.

Sources: lunar_python for the lunar calendar (GB/T 33661-2017, 农历的编算和颁行), chinesecalendar for the days off
that the State Council (国务院办公厅) announces each autumn, 全国年节及纪念日放假办法 (revised 2024) for the statutory
holidays. Chinese words here are data. All dates are plain dates of the organisation's zone, from 1900 to 2100.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from lunar_python import Lunar, LunarYear

from portal.core.coded import N_, CodedError

FIRST_YEAR, LAST_YEAR = 1900, 2100

MESSAGES = {
    "calendar.calendar": N_("The calendar is either solar or lunar."),
    "calendar.month": N_("A month is between 1 and 12."),
    "calendar.day": N_("There is no such day in this month."),
    "calendar.leap": N_("There is no such leap month in this year."),
    "calendar.year": N_("Years are between 1900 and 2100."),
}


class CalendarError(CodedError):
    """A date that does not exist or is out of bounds; codes and sentences in `MESSAGES`."""

    messages = MESSAGES


# ---------------------------------------------------------------- lunar calendar
_JULIAN_OFFSET = 1721425  # Julian day of the noon of date.fromordinal(0)


@lru_cache(maxsize=256)
def _lunar_months(year: int) -> dict[tuple[int, bool], tuple[date, int]]:
    """(month, leap) of a lunar year → (solar date of its first day, number of days 29 or 30)."""
    found: dict[tuple[int, bool], tuple[date, int]] = {}
    for month in LunarYear.fromYear(year).getMonthsInYear():
        # The Julian day of noon of the first day.
        first = date.fromordinal(int(month.getFirstJulianDay()) - _JULIAN_OFFSET)
        found[abs(month.getMonth()), month.isLeap()] = (first, month.getDayCount())
    return found


@dataclass(frozen=True, slots=True)
class LunarDate:
    """A day of the lunar calendar."""

    year: int
    month: int
    day: int
    leap: bool = False


def to_lunar(day: date) -> LunarDate:
    """The lunar date of a solar date between 31 January 1900 and 2100-12-31; CalendarError "calendar.year" outside."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise CalendarError("calendar.year")
    for year in (day.year, day.year - 1):
        for (month, leap), (first, days) in _lunar_months(year).items():
            if first <= day < first + timedelta(days):
                return LunarDate(year, month, (day - first).days + 1, leap)
    raise CalendarError("calendar.year")


def from_lunar(year: int, month: int, day: int, leap: bool = False) -> date:
    """The solar date of a lunar date. CalendarError: "calendar.year", ".month", ".leap" (no such leap month),
    ".day"."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CalendarError("calendar.year")
    if not 1 <= month <= 12:
        raise CalendarError("calendar.month")
    found = _lunar_months(year).get((month, leap))
    if found is None:
        raise CalendarError("calendar.leap")
    first, days = found
    if not 1 <= day <= days:
        raise CalendarError("calendar.day")
    return first + timedelta(day - 1)


_MONTHS = ("正月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "冬月", "腊月")
_NUMBERS = "一二三四五六七八九十"


def lunar_label(month: int, day: int, leap: bool = False) -> str:
    """ "农历闰四月初八" for (4, 8, True)."""
    if day <= 10:
        word = "初" + _NUMBERS[day - 1]
    elif day < 20:
        word = "十" + _NUMBERS[day - 11]
    elif day == 20:
        word = "二十"
    else:
        word = "三十" if day == 30 else "廿" + _NUMBERS[day - 21]
    return f"农历{'闰' if leap else ''}{_MONTHS[month - 1]}{word}"


# ---------------------------------------------------------------- birthdays
_SOLAR_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Birthday:
    """A birthday: `calendar` "solar" or "lunar", month, day, `leap` for a lunar leap month, `year` where known (of
    that calendar).

    Checked when made: CalendarError "calendar.calendar", ".month", ".day", ".leap", ".year".
    """

    calendar: str
    month: int
    day: int
    leap: bool = False
    year: int | None = None

    def __post_init__(self) -> None:
        if self.calendar not in ("solar", "lunar"):
            raise CalendarError("calendar.calendar")
        if not 1 <= self.month <= 12:
            raise CalendarError("calendar.month")
        if self.year is not None and not FIRST_YEAR <= self.year <= LAST_YEAR:
            raise CalendarError("calendar.year")
        if self.calendar == "solar":
            if self.leap:
                raise CalendarError("calendar.leap")
            if not 1 <= self.day <= _SOLAR_DAYS[self.month - 1]:
                raise CalendarError("calendar.day")
            if self.year is not None and self.day > _days_in_month(self.year, self.month):
                raise CalendarError("calendar.day")
        elif self.year is not None:
            from_lunar(self.year, self.month, self.day, self.leap)
        elif not 1 <= self.day <= 30:
            raise CalendarError("calendar.day")

    def in_year(self, year: int) -> date:
        """The solar date on which it is kept in a year of its own calendar.

        29 February is kept on 28 February in common years (a greeting a day early is better than one too late). A
        birthday in a leap month is kept in the leap month where the year has it, else in the ordinary month of that
        number; day 30 on the last day of a month with 29.
        """
        if self.calendar == "solar":
            return date(year, self.month, min(self.day, _days_in_month(year, self.month)))
        months = _lunar_months(year)
        first, days = months.get((self.month, self.leap)) or months[self.month, False]
        return first + timedelta(min(self.day, days) - 1)

    def next_on_or_after(self, day: date) -> date:
        """The next time it is kept, today included. CalendarError "calendar.year" for days outside 1900 … 2100."""
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise CalendarError("calendar.year")
        # A lunar year begins in January or February: in January it is still the year before.
        years = range(day.year - 1 if self.calendar == "lunar" else day.year, day.year + 2)
        return min(found for found in map(self.in_year, years) if found >= day)

    def between(self, first: date, last: date) -> list[date]:
        """All days from `first` to `last`, both included, on which it is kept."""
        found: list[date] = []
        while first <= last and (day := self.next_on_or_after(first)) <= last:
            found.append(day)
            first = day + timedelta(1)
        return found

    def birth_date(self) -> date | None:
        """The solar date of birth when the year is known."""
        return None if self.year is None else self.in_year(self.year)

    def age_on(self, day: date) -> int | None:
        """Full years (周岁, by the solar date of birth: 民法典 article 1259) on a day; None when the year is unknown
        or later."""
        born = self.birth_date()
        if born is None or day < born:
            return None
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))

    def label(self) -> str:
        """ "4月8日", "1990年4月8日", "农历闰四月初八", "1990年农历五月初五": for Chinese pages."""
        year = f"{self.year}年" if self.year else ""
        if self.calendar == "solar":
            return f"{year}{self.month}月{self.day}日"
        return year + lunar_label(self.month, self.day, self.leap)


def _days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28
    return _SOLAR_DAYS[month - 1]


# ---------------------------------------------------------------- working days
@lru_cache(maxsize=1)
def _announced() -> tuple[frozenset[int], frozenset[date], frozenset[date]]:
    """From chinesecalendar: years it knows, days off (weekends included where announced), working weekends."""
    from chinese_calendar import constants

    holidays, working = frozenset(constants.holidays), frozenset(constants.workdays)
    return frozenset(day.year for day in holidays), holidays, working


def statutory_holidays(year: int) -> frozenset[date]:
    """The 13 statutory holidays of a year (全国年节及纪念日放假办法, in force since 2025): New Year, New Year's Eve
    to the third day of the Spring Festival, Qingming, 1–2 May, Dragon Boat, Mid-Autumn, 1–3 October."""
    spring = from_lunar(year, 1, 1)
    days = [date(year, 1, 1), date(year, 5, 1), date(year, 5, 2), *(date(year, 10, d) for d in (1, 2, 3))]
    days += [spring + timedelta(d) for d in (-1, 0, 1, 2)]
    days += [qingming(year), from_lunar(year, 5, 5), from_lunar(year, 8, 15)]
    return frozenset(days)


_statutory = lru_cache(maxsize=64)(statutory_holidays)


class WorkCalendar:
    """Which days are worked. `off` and `working` are additions by the organisation (or of a year that the package
    does not know yet); they win over everything else. `covered` are years for which these additions are complete."""

    def __init__(self, off: Iterable[date] = (), working: Iterable[date] = (), covered: Iterable[int] = ()) -> None:
        self._off, self._working, self._covered = frozenset(off), frozenset(working), frozenset(covered)

    def knows_year(self, year: int) -> bool:
        """Whether the announced holidays and working weekends of this year are known. In other years Monday to Friday
        are worked, but for the statutory holidays (from 2025 on): weekends shifted by the State Council are
        missing."""
        return year in self._covered or year in _announced()[0]

    def is_working_day(self, day: date) -> bool:
        """Whether this day is worked."""
        if day in self._off:
            return False
        if day in self._working:
            return True
        years, holidays, working = _announced()
        if day in holidays:
            return False
        if day in working:
            return True
        if day.weekday() >= 5:
            return False
        return day.year in years or not 2025 <= day.year <= LAST_YEAR or day not in _statutory(day.year)

    def add_working_days(self, start: date, days: int) -> date:
        """The day `days` working days after `start` (before it for a negative number); `start` itself does not count.
        0: `start` when it is worked, else the next working day. CalendarError "calendar.year" beyond 1900 … 2100."""
        step = timedelta(-1 if days < 0 else 1)
        day, left = start, abs(days)
        if not left:
            while not self.is_working_day(day):
                day = _stepped(day, step)
            return day
        while left:
            day = _stepped(day, step)
            left -= self.is_working_day(day)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """How many working days lie after `start` up to and including `end`; negative when `end` is before `start`.
        So that `working_days_between(d, add_working_days(d, n)) == n`."""
        if end < start:
            # The days from `end` up to the one before `start`: the same days that add_working_days counts backwards.
            return -sum(self.is_working_day(end + timedelta(n)) for n in range((start - end).days))
        return sum(self.is_working_day(start + timedelta(n + 1)) for n in range((end - start).days))


def _stepped(day: date, step: timedelta) -> date:
    day += step
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise CalendarError("calendar.year")
    return day


_default = WorkCalendar()
knows_year = _default.knows_year
is_working_day = _default.is_working_day
add_working_days = _default.add_working_days
working_days_between = _default.working_days_between


# ---------------------------------------------------------------- festivals
@lru_cache(maxsize=256)
def qingming(year: int) -> date:
    """The day of 清明 (solar term, sun at 15°), 4 to 6 April."""
    term = Lunar.fromYmd(year, 3, 1).getJieQiTable()["清明"]
    return date(term.getYear(), term.getMonth(), term.getDay())


@dataclass(frozen=True, slots=True)
class Festival:
    """A festival: stable `key`, Chinese `name`, English `title` (for the catalogue); `kind` solar, lunar or term;
    month and day."""

    key: str
    name: str
    title: str
    kind: str
    month: int = 0
    day: int = 0

    def in_year(self, year: int) -> date:
        """Its date in a year of its calendar; 除夕 is the last day of that lunar year (so in January or February after
        it)."""
        if self.kind == "solar":
            return date(year, self.month, self.day)
        if self.kind == "term":
            return qingming(year)
        if self.kind == "eve":
            return from_lunar(year + 1, 1, 1) - timedelta(1) if year < LAST_YEAR else _last_day_of(year)
        return from_lunar(year, self.month, self.day)

    def next_on_or_after(self, day: date) -> date:
        """The next time it is kept, today included."""
        if not FIRST_YEAR < day.year < LAST_YEAR:
            raise CalendarError("calendar.year")
        return min(found for year in (day.year - 1, day.year, day.year + 1) if (found := self.in_year(year)) >= day)


def _last_day_of(year: int) -> date:
    return max(first + timedelta(days - 1) for first, days in _lunar_months(year).values())


#: The festivals for which greetings are customary in business, in the order of the year.
FESTIVALS = (
    Festival("new_year", "元旦", N_("New Year"), "solar", 1, 1),
    Festival("laba", "腊八节", N_("Laba Festival"), "lunar", 12, 8),
    Festival("eve", "除夕", N_("Chinese New Year's Eve"), "eve"),
    Festival("spring", "春节", N_("Spring Festival"), "lunar", 1, 1),
    Festival("lantern", "元宵节", N_("Lantern Festival"), "lunar", 1, 15),
    Festival("women", "妇女节", N_("Women's Day"), "solar", 3, 8),
    Festival("qingming", "清明节", N_("Qingming Festival"), "term"),
    Festival("labour", "劳动节", N_("Labour Day"), "solar", 5, 1),
    Festival("nurses", "护士节", N_("Nurses' Day"), "solar", 5, 12),
    Festival("dragon_boat", "端午节", N_("Dragon Boat Festival"), "lunar", 5, 5),
    Festival("children", "儿童节", N_("Children's Day"), "solar", 6, 1),
    Festival("qixi", "七夕节", N_("Qixi Festival"), "lunar", 7, 7),
    Festival("doctors", "医师节", N_("Doctors' Day"), "solar", 8, 19),
    Festival("teachers", "教师节", N_("Teachers' Day"), "solar", 9, 10),
    Festival("mid_autumn", "中秋节", N_("Mid-Autumn Festival"), "lunar", 8, 15),
    Festival("national", "国庆节", N_("National Day"), "solar", 10, 1),
    Festival("double_ninth", "重阳节", N_("Double Ninth Festival"), "lunar", 9, 9),
)
_BY_KEY = {festival.key: festival for festival in FESTIVALS}


def festival(key: str) -> Festival:
    """The festival with this key; KeyError when there is none."""
    return _BY_KEY[key]
