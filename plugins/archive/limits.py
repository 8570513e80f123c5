"""How often somebody may search the register of copies and have copies printed in an hour (security statement 66).

Counted from the trail, where each search and each reserved number stands anyway; so no counter can be lost or reset.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from plugins.archive.copies.actions import CopyAction
from plugins.archive.lookups.access import INCIDENT
from portal.audit.queries import count_lately
from portal.audit.services import record
from portal.core import clock, settings
from portal.core.errors import TooMany
from portal.core.paths import path_for
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import Actor, users_with_role
from portal.org.models import AUDITOR, User

HOUR = timedelta(hours=1)


def search_refusal(actor: Actor) -> str:
    """Why the actor cannot search just now, or "". The auditors are told once an hour. Inside a transaction."""
    if _used(actor, (CopyAction.SEARCHED,)) < settings.get("archive.searches_hour"):
        return ""
    _tell_once(actor, CopyAction.SEARCH_LIMIT)
    return _("You have searched very often. Please go on in an hour; the auditors have been told.")


def require_print(actor: Actor) -> None:
    """:raises TooMany: the operator has reserved as many copies as he may in an hour. Inside the transaction."""
    # The person's row is the lock: parallel clicks are counted one after the other.
    db.session.execute(select(User.id).where(User.id == actor.user_id).with_for_update())
    if _used(actor, (CopyAction.RESERVED,)) < settings.get("archive.prints_hour"):
        return
    raise TooMany(_("More copies than usual were printed in the last hour. Please go on later."))


def note_print_limit(actor: Actor) -> None:
    """Write the refusal into the trail and tell the auditors; once an hour."""
    _tell_once(actor, CopyAction.PRINT_LIMIT)


def _used(actor: Actor, actions: tuple[CopyAction, ...]) -> int:
    return count_lately(actor.user_id, actions, clock.now() - HOUR) if actor.user_id is not None else 0


def _tell_once(actor: Actor, action: CopyAction) -> None:
    if actor.user_id is None or _used(actor, (action,)):
        return
    record(actor, action, object_type="archive_register", object_id=None, result="refused")
    searched = action is CopyAction.SEARCH_LIMIT
    notify(
        [one for one in users_with_role(AUDITOR) if one != actor.user_id],
        INCIDENT,
        title=message("%(name)s searched the register of copies unusually often", name=actor.name)
        if searched
        else message("%(name)s printed unusually many copies", name=actor.name),
        url=path_for("archive_copies.index"),
        about=f"{action}:{actor.user_id}:{clock.now():%Y%m%d%H}",
    )
