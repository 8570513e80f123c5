"""Words for what jobs count: the usual names of the numbers in a job's result, as its page shows them."""

from __future__ import annotations

from portal.i18n import _l

RESULTS = {
    "announced": _l("Announced"),
    "corrected": _l("Corrected sums"),
    "customers": _l("Customers"),
    "deleted": _l("Deleted"),
    "digest": _l("Mark of the file"),
    "due": _l("Due at"),
    "files": _l("Files"),
    "forecasts": _l("Forecasts"),
    "grants": _l("Ended grants"),
    "lapsed": _l("Came to its end"),
    "later": _l("To be tried again"),
    "mails": _l("Mails"),
    "outlooks": _l("Outlooks"),
    "people": _l("People"),
    "plan_steps": _l("Steps of plans"),
    "points": _l("Entries of points"),
    "proposed": _l("Proposed"),
    "refused": _l("Refused"),
    "released": _l("Released"),
    "reminded": _l("Reminded"),
    "removed": _l("Removed"),
    "reports": _l("Reports"),
    "seq": _l("Number of the entry"),
    "sent": _l("Sent"),
    "spooled": _l("Kept as files"),
    "started": _l("Started ones"),
    "supervisors": _l("Supervisors told"),
    "suspect": _l("Copies not counted"),
    "told": _l("Notified"),
    "waiting": _l("Waiting files"),
}


def result_word(name: str) -> str:
    """The word of a number in a result; names that are not known are shown as they are."""
    return str(RESULTS.get(name) or name.replace("_", " "))
