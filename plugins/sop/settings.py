"""Settings of this plugin; each area keeps its own, this module gathers them."""

from __future__ import annotations

from portal.core.settings import Setting
from portal.i18n import _l

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "sop.clamd",
        "text",
        "",
        _l("Virus scanner (clamd)"),
        _l("Path of its socket, or host:port; empty means no scan. When it does not answer, no file is taken."),
    ),
    Setting(
        "sop.review_days",
        "int",
        5,
        _l("Time for signing a version"),
        _l("Working days that each head has."),
        minimum=1,
        maximum=60,
        unit=_l("working days"),
    ),
    Setting(
        "sop.executive_release",
        "bool",
        False,
        _l("An executive releases a version after all heads have signed"),
    ),
    Setting(
        "sop.review_reminder_days",
        "int",
        30,
        _l("Remind of a version's next look-through"),
        minimum=1,
        maximum=180,
        unit=_l("days before"),
    ),
    Setting(
        "sop.reading_reminder_days",
        "int",
        3,
        _l("Remind of what is still to be read"),
        minimum=1,
        maximum=30,
        unit=_l("days before"),
    ),
)
