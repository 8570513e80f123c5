"""The life of a paper copy as a pure table: which step leads from which state to which. No database, no language.

A step that is not in the table is refused, whoever asks. What the words mean:

* reserved: the row and the number exist, nothing was made; ready: its pages wait, sealed, for the operator;
* sent: the pages went to the printer, what came out is not known yet; suspect: nobody can say; an operator counts;
* printed: all sheets were counted and lie at the station; offered: the collector was asked to confirm in the portal;
* issued: the collector has it; returned: it is back; lost: an incident;
* spoiled: sheets came out that are no copy and wait for their destruction;
* final: void (no sheet exists), destroyed, cancelled (nothing was ever printed).
"""

from __future__ import annotations

RESERVED, READY, SENT, SUSPECT = "reserved", "ready", "sent", "suspect"
PRINTED, OFFERED, ISSUED, RETURNED, LOST = "printed", "offered", "issued", "returned", "lost"
SPOILED, VOID, DESTROYED, CANCELLED = "spoiled", "void", "destroyed", "cancelled"
STATES = (
    RESERVED,
    READY,
    SENT,
    SUSPECT,
    PRINTED,
    OFFERED,
    ISSUED,
    RETURNED,
    LOST,
    SPOILED,
    VOID,
    DESTROYED,
    CANCELLED,
)
FINAL = (VOID, DESTROYED, CANCELLED)
#: Nothing was printed yet: the end of the grant cancels these.
UNPRINTED = (RESERVED, READY)
#: The end of the grant calls these back.
RECALLABLE = (SENT, SUSPECT, PRINTED, OFFERED, ISSUED)

MAKE, SEND, DOUBT, COUNT, NOTHING, SPOIL, BURN = "make", "send", "doubt", "count", "nothing", "spoil", "burn"
OFFER, TAKE_BACK, ACCEPT, SIGN = "offer", "take_back", "accept", "sign"
RETURN, DESTROY, LOSE, FIND, CANCEL = "return", "destroy", "lose", "find", "cancel"

#: step → {state before: state after}
TRANSITIONS: dict[str, dict[str, str]] = {
    MAKE: {RESERVED: READY},
    SEND: {READY: SENT},
    DOUBT: {SENT: SUSPECT},
    COUNT: {SENT: PRINTED, SUSPECT: PRINTED},
    NOTHING: {SENT: VOID, SUSPECT: VOID},
    SPOIL: {SENT: SPOILED, SUSPECT: SPOILED, PRINTED: SPOILED},
    BURN: {SPOILED: VOID},
    OFFER: {PRINTED: OFFERED},
    TAKE_BACK: {OFFERED: PRINTED},
    ACCEPT: {OFFERED: ISSUED},
    SIGN: {PRINTED: ISSUED, OFFERED: ISSUED},
    RETURN: {ISSUED: RETURNED},
    DESTROY: {PRINTED: DESTROYED, RETURNED: DESTROYED},
    LOSE: {
        SUSPECT: LOST,
        PRINTED: LOST,
        OFFERED: LOST,
        ISSUED: LOST,
        RETURNED: LOST,
        SPOILED: LOST,
    },
    FIND: {LOST: RETURNED},
    CANCEL: {RESERVED: CANCELLED, READY: CANCELLED},
}
STEPS = tuple(TRANSITIONS)
#: Steps after which a copy that was taken from the grant may be printed again under a new number: the operator
#: certified that no sheet came out, or that the spoiled ones are destroyed.
GIVES_QUOTA_BACK = (NOTHING, BURN, CANCEL)
#: Steps that a second person must have seen.
WITNESSED = (BURN, DESTROY)
#: Steps that say how many sheets there are.
COUNTED = (COUNT, RETURN)
#: Steps that want words.
WITH_NOTE = (NOTHING, SPOIL, LOSE, FIND)
#: Steps that forms ask an operator for; the others happen by themselves or by the collector.
BY_OPERATOR = (COUNT, NOTHING, SPOIL, BURN, OFFER, TAKE_BACK, SIGN, RETURN, DESTROY, LOSE, FIND, CANCEL)


def after(state: str, step: str) -> str | None:
    """The state after a step, or None when the step is not allowed from there."""
    return TRANSITIONS[step].get(state)


def steps_from(state: str) -> tuple[str, ...]:
    """The steps that are allowed in a state, in the order of the table."""
    return tuple(step for step in STEPS if state in TRANSITIONS[step])
