"""Words of dossiers for pages and documents."""

from __future__ import annotations

from typing import Any

from plugins.archive.dossiers import models
from portal.core import settings
from portal.customers.vocabulary import Stage
from portal.i18n import _, _l

PARTS: dict[str, Any] = {
    models.CARD: _l("Customer basic information card"),
    models.ASSESSMENT: _l("Consumption assessment report"),
    models.CONTRACT: _l("Supply contracts (copies)"),
    models.STATISTICS: _l("Sales statistics reports"),
}
#: For narrow places.
SHORT_PARTS: dict[str, Any] = {
    models.CARD: _l("Card"),
    models.ASSESSMENT: _l("Assessment"),
    models.CONTRACT: _l("Contract"),
    models.STATISTICS: _l("Statistics"),
}
PART_ICONS = {
    models.CARD: "person-vcard",
    models.ASSESSMENT: "graph-up",
    models.CONTRACT: "file-earmark-text",
    models.STATISTICS: "table",
}

STATES: dict[str, Any] = {
    models.CURRENT: _l("In force"),
    models.SUPERSEDED: _l("Replaced"),
    models.WITHDRAWN: _l("Taken out"),
    models.QUARANTINED: _l("In quarantine"),
}
STATE_TONES = {
    models.CURRENT: "success",
    models.SUPERSEDED: "neutral",
    models.WITHDRAWN: "danger",
    models.QUARANTINED: "warning",
}

#: What can be said of a part as a whole.
COMPLETE, MISSING, OLD, EXPIRING, EXPIRED, NOT_DUE = "complete", "missing", "old", "expiring", "expired", "not_due"
STANDINGS: dict[str, Any] = {
    COMPLETE: _l("In order"),
    MISSING: _l("Missing"),
    OLD: _l("Out of date"),
    EXPIRING: _l("Expires soon"),
    EXPIRED: _l("Expired"),
    NOT_DUE: _l("Not yet due"),
}
STANDING_TONES = {
    COMPLETE: "success",
    MISSING: "danger",
    OLD: "warning",
    EXPIRING: "warning",
    EXPIRED: "danger",
    NOT_DUE: "neutral",
}

PROSPECT, FIRST_CONTACT, CONTRACT_PHASE, DAILY_CARE = "prospect", "first_contact", "contract", "daily_care"
#: Phases of the course by which a dossier can be read (R-ARC-1).
PHASES: dict[str, Any] = {
    PROSPECT: _l("Analysis as a prospect"),
    FIRST_CONTACT: _l("First contact"),
    CONTRACT_PHASE: _l("Contract phase"),
    DAILY_CARE: _l("Daily care"),
}
#: Stage of the customer → phase of its dossier.
PHASE_OF_STAGE = {
    Stage.TO_IDENTIFY.value: PROSPECT,
    Stage.POTENTIAL.value: PROSPECT,
    Stage.OPPORTUNITY.value: FIRST_CONTACT,
    Stage.ORDERING.value: CONTRACT_PHASE,
    Stage.USER.value: DAILY_CARE,
    Stage.DORMANT.value: DAILY_CARE,
    Stage.LOST.value: DAILY_CARE,
}

CHANGE_KINDS: dict[str, Any] = {
    models.NEW_CUSTOMER: _l("New customer"),
    models.CHANGE: _l("Change of basic information"),
    models.SUPPLEMENT: _l("Supplement"),
}
CHANGE_STATES: dict[str, Any] = {
    models.OPEN: _l("Under way"),
    models.POSTED: _l("Posted"),
    models.REFUSED: _l("Not accepted"),
    models.TAKEN_BACK: _l("Withdrawn"),
}
CHANGE_TONES = {models.OPEN: "info", models.POSTED: "success", models.REFUSED: "danger", models.TAKEN_BACK: "neutral"}


def word(words: dict[str, Any], key: str) -> str:
    """A label in the reader's language; an unknown key stands for itself."""
    return str(words.get(key, key))


def contract_title() -> str:
    """What contracts are called here: the setting, or "supply contract" in the reader's language."""
    return str(settings.get("archive.contract_title")) or _("Supply contract")


def label_of(state: Any) -> str:
    """A part in a narrow place, with its standing where something has to be done: never told by colour alone."""
    part = word(SHORT_PARTS, state.part)
    return part if state.is_fine else _("%(part)s: %(standing)s", part=part, standing=word(STANDINGS, state.standing))


def part_title(part: str) -> str:
    """Title of a part; that of the contracts is a setting and carries the mark "copy"."""
    if part == models.CONTRACT:
        return _("%(title)s (copies)", title=contract_title())
    return word(PARTS, part)
