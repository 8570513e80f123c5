"""Grants: whether they hold, taking a view or a copy, ending them.

Whether a grant holds is one SQL condition on the database's time. It stands in every statement that takes or shows
something, so that it is right whatever an object in memory, a page in a browser or a scheduler believes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import aliased

from plugins.archive.lookups.access import note_access
from plugins.archive.lookups.actions import LookupAction
from plugins.archive.lookups.models import (
    GIVEN_BACK,
    LEFT,
    LOOKED,
    REFUSED,
    REVOKED,
    VIEW,
    ArchiveGrant,
    ArchiveView,
)
from portal.approvals.dbtime import database_now, read_database_now
from portal.audit.services import record
from portal.core import clock, settings
from portal.core.database import rows_changed
from portal.core.errors import Conflict, Invalid, NotFound
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User

REASON_LENGTH = 500
_ACTIONS = {REVOKED: LookupAction.REVOKED, GIVEN_BACK: LookupAction.GIVEN_BACK, LEFT: LookupAction.LEFT}


class Ended(Conflict):
    """The grant does not hold any more; shown as a calm page."""


def holds() -> ColumnElement[bool]:
    """SQL: the grant has begun, is not over, was not ended, and its holder is still with us; on the database's time."""
    holder = aliased(User)  # so that a statement may name people for its own purposes
    present = select(holder.id).where(holder.id == ArchiveGrant.holder_id, holder.is_active).correlate(ArchiveGrant)
    return and_(
        ArchiveGrant.ended_at.is_(None),
        ArchiveGrant.begins_at <= database_now(),
        ArchiveGrant.ends_at > database_now(),
        present.exists(),
    )


def take_one(grant_id: int, mode: str) -> bool:
    """Take one view or copy: one conditional UPDATE that meets the grant's row or does not. Whether it did."""
    taken = db.session.execute(
        update(ArchiveGrant)
        .where(ArchiveGrant.id == grant_id, ArchiveGrant.mode == mode, ArchiveGrant.used < ArchiveGrant.quota, holds())
        .values(used=ArchiveGrant.used + 1)
        .execution_options(synchronize_session=False)
    )
    _forget(grant_id)
    return rows_changed(taken) == 1


def put_back(grant_id: int) -> None:
    """Give one copy back to the grant: an operator certified that no sheet of it exists."""
    db.session.execute(
        update(ArchiveGrant)
        .where(ArchiveGrant.id == grant_id, ArchiveGrant.used > 0)
        .values(used=ArchiveGrant.used - 1)
        .execution_options(synchronize_session=False)
    )
    _forget(grant_id)


def _forget(grant_id: int) -> None:
    grant = db.session.get(ArchiveGrant, grant_id)
    if grant is not None:
        db.session.expire(grant)


def own_grant(grant_id: int, actor: Actor) -> ArchiveGrant:
    """A grant of the actor's. :raises NotFound: otherwise; other people's grants are a secret."""
    grant = db.session.get(ArchiveGrant, grant_id)
    if grant is None or grant.holder_id != actor.user_id:
        raise NotFound()
    return grant


def state_of(grant: ArchiveGrant) -> str:
    """The state for pages (`vocabulary.GRANT_STATES`); deciding is the matter of `holds`."""
    if grant.ended_how:
        return grant.ended_how
    if grant.ends_at <= clock.now():
        return "over"
    return "used" if grant.used >= grant.quota else "open"


# ---- ending --------------------------------------------------------------------------------------------------------


def end_grant(grant: ArchiveGrant, how: str, why: str, actor: Actor) -> None:
    """End a grant before its time: revoked, given back, or because the holder left. Its copies: `copies.endings`.

    :raises Invalid: no reason for a revocation. :raises Conflict: it was ended already.
    """
    why = why.strip()
    if how == REVOKED and not why:
        raise Invalid([("reason", _("Give a reason."))])
    if len(why) > REASON_LENGTH:
        raise Invalid([("reason", _("At most %(n)s characters.", n=REASON_LENGTH))])
    changed = db.session.execute(
        update(ArchiveGrant)
        .where(ArchiveGrant.id == grant.id, ArchiveGrant.ended_at.is_(None))
        .values(ended_at=clock.now(), ended_by_id=actor.user_id, ended_how=how, ended_why=why)
        .execution_options(synchronize_session=False)
    )
    db.session.expire(grant)
    if rows_changed(changed) != 1:
        raise Conflict(_("This grant was ended already."))
    record(
        actor,
        _ACTIONS[how],
        object_type="archive_grant",
        object_id=grant.id,
        object_label=grant.lookup.number,
        customer_id=grant.customer_id,
        new={"holder": grant.holder_id, "used": grant.used, "quota": grant.quota},
        reason=why,
    )


# ---- views ---------------------------------------------------------------------------------------------------------


def open_view(grant_id: int, token: str, actor: Actor) -> ArchiveView:
    """Open the granted parts on screen; takes one view. The same form again gives the same view.

    :raises Ended: nothing is left to take, or the grant does not hold.
    """
    grant = own_grant(grant_id, actor)
    before = db.session.scalars(select(ArchiveView).where(ArchiveView.token == token)).first()
    if before is not None:
        if before.grant_id != grant.id:
            raise Conflict(_("This form was used already."))
        return before
    if settings.get("archive.paper_only") or not take_one(grant.id, VIEW):
        raise Ended(why_not(grant), grant_id=grant.id)
    now = read_database_now()  # the minutes of a view are compared with the database's time
    view = ArchiveView(
        grant_id=grant.id,
        opened_at=now,
        closes_at=min(grant.ends_at, now + timedelta(minutes=settings.get("archive.view_minutes"))),
        token=token,
    )
    db.session.add(view)
    db.session.flush()
    access = note_access(LOOKED, grant.customer_id, grant.holder_id, reference=grant.lookup.number, grant_id=grant.id)
    record(
        actor,
        LookupAction.OPENED,
        object_type="archive_grant",
        object_id=grant.id,
        object_label=grant.lookup.number,
        customer_id=grant.customer_id,
        new={"view": view.id, "used": grant.used, "quota": grant.quota, "parts": grant.parts, "quiet": access.is_quiet},
    )
    return view


def note_refusal(grant_id: int, actor: Actor, why: str) -> None:
    """Write down that somebody wanted to look and was refused."""
    grant = db.session.get(ArchiveGrant, grant_id)
    if grant is None or actor.user_id is None:
        return
    note_access(REFUSED, grant.customer_id, actor.user_id, reference=grant.lookup.number, detail=why, grant_id=grant.id)
    record(
        actor,
        LookupAction.REFUSED,
        object_type="archive_grant",
        object_id=grant.id,
        object_label=grant.lookup.number,
        customer_id=grant.customer_id,
        result="refused",
        reason=why,
    )


def why_not(grant: ArchiveGrant) -> str:
    """Why a grant gives nothing more, for the calm page."""
    if settings.get("archive.paper_only") and grant.mode == VIEW:
        return _("Viewing on screen is switched off; only paper copies are given out.")
    return {
        "used": _("What was granted is used up."),
        "over": _("The grant is over."),
        REVOKED: _("The grant was revoked."),
        GIVEN_BACK: _("The grant was given back."),
        LEFT: _("The grant ended."),
        "open": _("The grant does not hold at present."),
    }[state_of(grant)]


@dataclass(frozen=True)
class OpenView:
    """A view and whether it may be looked at just now."""

    view: ArchiveView
    grant: ArchiveGrant
    is_open: bool


def view_for(view_id: int, actor: Actor) -> OpenView:
    """One's own view and whether it holds just now: grant, minutes and settings, on the database's time, one statement.

    :raises NotFound: no such view, or somebody else's.
    """
    alive = and_(holds(), ArchiveView.closes_at > database_now())
    row = db.session.execute(
        select(ArchiveView, ArchiveGrant, alive.label("alive"))
        .join(ArchiveGrant, ArchiveGrant.id == ArchiveView.grant_id)
        .where(ArchiveView.id == view_id, ArchiveGrant.holder_id == actor.user_id)
    ).first()
    if row is None:
        raise NotFound()
    return OpenView(row[0], row[1], bool(row.alive) and not settings.get("archive.paper_only"))


def close_view(found: OpenView, actor: Actor) -> None:
    """Close a view before its minutes are over; what it took stays taken."""
    now = clock.now()
    if found.view.closes_at > now:
        found.view.closes_at = max(now, found.view.opened_at)
        db.session.flush()
        record(
            actor,
            LookupAction.CLOSED,
            object_type="archive_grant",
            object_id=found.grant.id,
            object_label=found.grant.lookup.number,
            customer_id=found.grant.customer_id,
            new={"view": found.view.id},
        )
