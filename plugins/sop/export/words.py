"""Words of manuals on paper, in the language that is being spoken."""

from __future__ import annotations

from plugins.sop.manuals.models import CONFIDENTIAL, EVERYBODY, HEADS
from portal.i18n import _
from portal.org.roles import role_name


def role_words(role: str) -> str:
    """Whom a procedure is for."""
    if role == EVERYBODY:
        return _("Everybody")
    if role == HEADS:
        return _("Department heads")
    return role_name(role)


def classification_words(classification: str) -> str:
    """Words on the cover and in the foot."""
    return _("Confidential") if classification == CONFIDENTIAL else _("Internal")


def state_warning(state: str) -> str:
    """What the cover must say of a version that does not hold today; "" for the effective one."""
    return {
        "draft": _("Draft: not in force"),
        "in_review": _("In review: not in force"),
        "approved": _("Approved, not yet in force"),
        "superseded": _("Superseded: no longer in force"),
        "retired": _("Retired: no longer in force"),
    }.get(state, "")


def chapter_count(number: int) -> str:
    """ "Chapter 3"."""
    return _("Chapter %(number)s", number=number)
