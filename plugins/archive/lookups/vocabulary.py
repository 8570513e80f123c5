"""What people call the stored words of look-ups."""

from __future__ import annotations

from typing import Any

from plugins.archive.dossiers.models import ASSESSMENT, CARD, CONTRACT, PARTS, STATISTICS
from plugins.archive.dossiers.vocabulary import contract_title
from plugins.archive.lookups import models
from portal.i18n import _, _l

MODES: dict[str, Any] = {models.VIEW: _l("On screen"), models.PAPER: _l("Paper copy")}
ENDINGS: dict[str, Any] = {
    models.REVOKED: _l("Grant revoked"),
    models.GIVEN_BACK: _l("Given back"),
    models.LEFT: _l("Holder left"),
}
#: State of a grant as pages show it → (word, tone)
GRANT_STATES: dict[str, tuple[Any, str]] = {
    "open": (_l("Grant in force"), "success"),
    "used": (_l("Used up"), "neutral"),
    "over": (_l("Grant over"), "neutral"),
    models.REVOKED: (_l("Grant revoked"), "danger"),
    models.GIVEN_BACK: (_l("Given back"), "neutral"),
    models.LEFT: (_l("Holder left"), "neutral"),
}
ACCESS: dict[str, Any] = {
    models.ASKED: _l("Asked for a look-up"),
    models.LOOKED: _l("Looked on screen"),
    models.REFUSED: _l("Look refused"),
    models.RESERVED: _l("Copy reserved"),
    models.PRINTED: _l("Copy printed"),
    models.HANDED_OVER: _l("Copy handed over"),
    models.REGISTER: _l("Register searched"),
    models.JOINED: _l("Dossiers joined by a merge"),
    models.PARTED: _l("Dossiers parted again"),
}
ACCESS_TONES = {
    models.REFUSED: "danger",
    **dict.fromkeys((models.PRINTED, models.HANDED_OVER, models.JOINED, models.PARTED), "warning"),
}


def part_name(part: str) -> str:
    """The name of a part of the dossier; the contracts' name is a setting."""
    if part == CONTRACT:
        return contract_title()
    names = {CARD: _("Basic information card"), ASSESSMENT: _("Assessment report"), STATISTICS: _("Statistics reports")}
    return names.get(part, part)


def part_names(parts: Any) -> str:
    """Several parts in one line, in the dossier's order."""
    chosen = set(parts)
    return _(", ").join(part_name(part) for part in PARTS if part in chosen)


def word(table: dict[str, Any], value: str) -> str:
    """The word for a stored value; the value itself when it is not known."""
    found = table.get(value, value)
    return str(found[0] if isinstance(found, tuple) else found)
