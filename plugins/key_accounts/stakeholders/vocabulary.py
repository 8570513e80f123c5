"""Words of the stakeholder map."""

from __future__ import annotations

from typing import Any

from portal.i18n import _l

INFLUENCES: dict[int, Any] = {
    5: _l("Decides alone"),
    4: _l("Great influence"),
    3: _l("Some influence"),
    2: _l("Little influence"),
    1: _l("Hardly any influence"),
}
ATTITUDES: dict[int, Any] = {
    2: _l("Stands up for us"),
    1: _l("In favour"),
    0: _l("Neutral towards us"),
    -1: _l("Doubtful"),
    -2: _l("Against us"),
}
TONES = {2: "success", 1: "info", 0: "neutral", -1: "warning", -2: "danger"}
UNKNOWN = _l("Attitude not known")


def attitude(value: int | None) -> str:
    """The word for an attitude."""
    return str(UNKNOWN if value is None else ATTITUDES.get(value, value))


def influence(value: int | None) -> str:
    """The word for an influence."""
    return "" if value is None else str(INFLUENCES.get(value, value))
