"""When backups are made and how long they are kept."""

from __future__ import annotations

from datetime import datetime

from portal.core import settings
from portal.core.jobs import Schedule
from portal.core.settings import Setting
from portal.i18n import _l

DAYS = (
    ("0", _l("Sunday")),
    ("1", _l("Monday")),
    ("2", _l("Tuesday")),
    ("3", _l("Wednesday")),
    ("4", _l("Thursday")),
    ("5", _l("Friday")),
    ("6", _l("Saturday")),
    ("*", _l("every day")),
)

SETTINGS = (
    Setting(
        "backups.enabled",
        "bool",
        True,
        _l("Make backups by themselves"),
        help=_l("Switched off only when another programme makes them; the home page of administrators warns then."),
    ),
    Setting("backups.day", "choice", "0", _l("Day of the backup"), choices=DAYS),
    Setting("backups.hour", "int", 2, _l("Hour of the backup"), minimum=0, maximum=23, unit=_l("o'clock")),
    Setting(
        "backups.verify",
        "bool",
        True,
        _l("Prove each backup by a trial restore"),
        help=_l("Directly afterwards, into a scratch database that is thrown away."),
    ),
    Setting(
        "backups.keep_weekly",
        "int",
        8,
        _l("Weekly backups that are kept"),
        help=_l("The newest of each week; all of the last seven days are kept as well."),
        minimum=1,
        maximum=520,
    ),
    Setting(
        "backups.keep_monthly",
        "int",
        12,
        _l("Monthly backups that are kept"),
        help=_l("The newest of each month."),
        minimum=0,
        maximum=240,
    ),
)


def schedule() -> Schedule:
    """When backups are due, in the organisation's zone."""
    return Schedule(minute="0", hour=str(settings.get("backups.hour")), day_of_week=str(settings.get("backups.day")))


def last_due(moment: datetime) -> datetime | None:
    """When the last backup was due."""
    return schedule().latest(moment)
