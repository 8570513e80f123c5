"""Settings of this plugin."""

from __future__ import annotations

from portal.core.settings import Setting
from portal.i18n import _l

SETTINGS = (
    Setting(
        "archive.contract_title",
        "text",
        "供货合同",
        _l("Name of the contracts in part 3"),
        _l("Shown with the mark “copy”, for instance 招待用酒供货合同."),
    ),
    Setting(
        "archive.protect_basic",
        "bool",
        True,
        _l("Basic information of customers with a dossier changes by request only"),
        _l("Off: account managers may also edit it directly; the card is then listed as out of date."),
    ),
    Setting(
        "archive.fresh_months",
        "int",
        12,
        _l("A card, an assessment or a statistics report is out of date after"),
        minimum=1,
        maximum=60,
        unit=_l("months"),
    ),
    Setting(
        "archive.contract_warning_days",
        "int",
        60,
        _l("Contracts are listed before they expire"),
        minimum=1,
        maximum=365,
        unit=_l("days"),
    ),
    Setting("archive.file_mib", "int", 15, _l("Largest file that is accepted"), minimum=1, maximum=200, unit=_l("MiB")),
    Setting(
        "archive.quota_gib",
        "int",
        50,
        _l("Room for all contents of the archive"),
        minimum=1,
        maximum=100000,
        unit=_l("GiB"),
    ),
    Setting(
        "archive.clamd",
        "text",
        "",
        _l("Virus scanner (clamd)"),
        _l("Path of its socket, or host:port; empty means no scan. When it does not answer, files wait in quarantine."),
    ),
    Setting(
        "archive.report_weekday",
        "choice",
        "1",
        _l("Weekly reports are due by the end of"),
        choices=(("0", _l("Sunday of the week itself")), ("1", _l("the Monday after")), ("2", _l("the Tuesday after"))),
    ),
)
