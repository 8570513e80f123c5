"""What people call the states and steps of copies."""

from __future__ import annotations

from typing import Any

from plugins.archive.copies import models, states
from portal.i18n import _l

#: State → (word, tone)
STATES: dict[str, tuple[Any, str]] = {
    states.RESERVED: (_l("Pages being made"), "info"),
    states.READY: (_l("Ready to print"), "info"),
    states.SENT: (_l("Sent to the printer, to be counted"), "warning"),
    states.SUSPECT: (_l("Suspect: count the sheets"), "danger"),
    states.PRINTED: (_l("Printed, to be collected"), "accent"),
    states.OFFERED: (_l("Waiting for the collector's confirmation"), "accent"),
    states.ISSUED: (_l("With the holder"), "warning"),
    states.RETURNED: (_l("Back at the archive"), "success"),
    states.LOST: (_l("Copy lost"), "danger"),
    states.SPOILED: (_l("Spoiled, to be destroyed"), "warning"),
    states.VOID: (_l("Void, no sheet exists"), "neutral"),
    states.DESTROYED: (_l("Destroyed"), "neutral"),
    states.CANCELLED: (_l("Cancelled before printing"), "neutral"),
}
#: Step → (what the button says, what happens)
STEPS: dict[str, tuple[Any, Any]] = {
    states.COUNT: (_l("All sheets counted"), _l("The copy is complete and lies at the station.")),
    states.NOTHING: (
        _l("No sheet came out"),
        _l("You certify that no sheet exists. The copy is given back to the grant."),
    ),
    states.SPOIL: (_l("Sheets spoiled"), _l("Sheets came out that are no use. They wait for their destruction.")),
    states.BURN: (_l("Spoiled sheets destroyed"), _l("A witness saw it. The copy is given back to the grant.")),
    states.OFFER: (_l("Ask the collector to confirm"), _l("The collector confirms in the portal that he has it.")),
    states.TAKE_BACK: (_l("Not collected after all"), _l("The copy lies at the station again.")),
    states.SIGN: (_l("Handed over against signature"), _l("The collector signed the list on paper.")),
    states.RETURN: (_l("Returned to the station"), _l("Count the sheets that came back.")),
    states.DESTROY: (_l("Destroyed with a witness"), _l("All sheets were shredded; a witness saw it.")),
    states.LOSE: (_l("Copy is lost"), _l("An incident: the heads, the maintainers and the auditors are told.")),
    states.FIND: (_l("Found again"), _l("The copy is back at the station.")),
    states.CANCEL: (
        _l("Cancel, nothing was printed"),
        _l("The number stays in the register. The copy is given back to the grant."),
    ),
}
#: What a copy's history calls a step.
EVENTS: dict[str, Any] = {
    "reserve": _l("Number reserved"),
    "recall": _l("Called back"),
    states.MAKE: _l("Pages made"),
    states.SEND: _l("Sent to the printer"),
    states.DOUBT: _l("Outcome unknown"),
    states.COUNT: _l("Sheets counted"),
    states.NOTHING: _l("No sheet came out"),
    states.SPOIL: _l("Sheets spoiled"),
    states.BURN: _l("Spoiled sheets destroyed"),
    states.OFFER: _l("Offered to the collector"),
    states.TAKE_BACK: _l("Not collected after all"),
    states.ACCEPT: _l("Collector confirmed"),
    states.SIGN: _l("Handed over against signature"),
    states.RETURN: _l("Returned to the station"),
    states.DESTROY: _l("Destroyed with a witness"),
    states.LOSE: _l("Reported lost"),
    states.FIND: _l("Found again"),
    states.CANCEL: _l("Cancelled before printing"),
}
HANDOVERS: dict[str, Any] = {
    models.SIGNATURE: _l("against signature"),
    models.PORTAL: _l("confirmed in the portal"),
    "": "",
}


def state_word(state: str) -> str:
    """The word for a state."""
    return str(STATES[state][0]) if state in STATES else state


def state_tone(state: str) -> str:
    """The tone of a state."""
    return STATES[state][1] if state in STATES else "neutral"
