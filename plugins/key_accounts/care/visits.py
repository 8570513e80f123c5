"""Changes to executive visits and calendar addresses."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.care.models import CANCELLED, HELD, PLANNED, CalendarFeed, ExecutiveVisit
from plugins.key_accounts.team.checking import active_user, customer_for
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, NotAllowed, NotFound
from portal.core.paths import path_for
from portal.core.permissions import can
from portal.customers.models import Customer
from portal.customers.permissions import EDIT, VIEW
from portal.customers.services.common import label_of
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import Actor, actor_from_user, load_actor
from portal.org.models import User

NOTICE = "key_accounts.visit"
#: Bytes of randomness in a calendar address (256 bit).
TOKEN_BYTES = 32


@dataclass(frozen=True)
class VisitInput:
    """A planned visit of an executive."""

    executive_id: int | None
    starts_at: datetime | None
    minutes: int | None
    purpose: str
    place: str = ""
    talking_points: str = ""


def save_visit(
    customer_id: int, visit_id: int | None, data: VisitInput, actor: Actor, version: int | None = None
) -> ExecutiveVisit:
    """Plan a visit, or change a planned one; the executive is told. He must see the customer."""
    customer = customer_for(customer_id, actor)
    row = _visit(visit_id, customer, version) if visit_id is not None else None
    checker = Checker()
    executive = active_user(data.executive_id, "executive_id", checker)
    if executive is not None and not can(actor_from_user(executive), VIEW, customer.id):
        checker.add(
            "executive_id",
            _("%(name)s does not see this customer. Take the person into the account team first.", name=executive.name),
        )
    if data.starts_at is None:
        checker.add("starts_at", _("Enter a date and a time."))
    elif data.starts_at < clock.now() and (row is None or row.starts_at != data.starts_at):
        checker.add("starts_at", _("A visit is planned for a time ahead."))
    if data.minutes is None or not 15 <= data.minutes <= 1440:
        checker.add("minutes", _("Between 15 minutes and a day."))
    purpose = checker.line("purpose", data.purpose, 500, required=_("Say what the visit is for."))
    place = checker.line("place", data.place, 200)
    points = checker.text("talking_points", data.talking_points, 3000)
    checker.done()
    assert executive is not None
    assert data.starts_at is not None
    assert data.minutes is not None
    is_new = row is None
    if row is None:
        row = ExecutiveVisit(
            customer_id=customer.id, state=PLANNED, created_at=clock.now(), created_by_id=actor.user_id
        )
        db.session.add(row)
    row.executive_id, row.starts_at, row.minutes = executive.id, data.starts_at, data.minutes
    row.purpose, row.place, row.talking_points = purpose, place, points
    db.session.flush()
    action = KeyAccountAction.VISIT_PLANNED if is_new else KeyAccountAction.VISIT_CHANGED
    _record(row, customer, action, actor, {"executive": executive.name, "starts_at": data.starts_at})
    if executive.id != actor.user_id:
        notify(
            [executive.id],
            NOTICE,
            title=message(
                "Visit to %(customer)s on %(day)s",
                customer=customer.name,
                day=clock.local(row.starts_at).strftime("%Y-%m-%d %H:%M"),
            ),
            url=path_for("key_accounts.visit", visit_id=row.id),
            actor=actor,
            about=f"key_accounts_visit:{row.id}",
        )
    return row


def end_visit(visit_id: int, state: str, result: str, actor: Actor) -> ExecutiveVisit:
    """A visit took place, or was called off: by the executive or by who may change the customer."""
    row = db.session.get(ExecutiveVisit, visit_id, with_for_update=True, populate_existing=True)
    if row is None or not can(actor, VIEW, row.customer_id):
        raise NotFound()
    if row.executive_id != actor.user_id and not can(actor, EDIT, row.customer_id):
        raise NotAllowed(_("The result is noted by the executive or by the account manager."))
    checker = Checker()
    if state not in (HELD, CANCELLED):
        checker.add("state", _("Choose one of the list."))
    if state == HELD and row.starts_at > clock.now():
        checker.add("state", _("The visit lies ahead."))
    result = checker.text("result", result, 2000, required=_("Say what came of it, or why it was called off."))
    checker.done()
    if row.state != PLANNED:
        raise Conflict(_("The result was noted already."))
    row.state, row.result = state, result
    db.session.flush()
    _record(row, db.session.get_one(Customer, row.customer_id), KeyAccountAction.VISIT_ENDED, actor, {"state": state})
    return row


# ---- calendar addresses --------------------------------------------------------------------------------------------


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8")).hexdigest()


def open_feed(actor: Actor) -> str:
    """Make a new private address and revoke the ones before; returns the token, which is shown this once."""
    _revoke_all(actor.user_id)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    feed = CalendarFeed(user_id=actor.user_id, token_digest=digest_of(token), created_at=clock.now())
    db.session.add(feed)
    db.session.flush()
    _record_feed(feed.id, KeyAccountAction.FEED_CREATED, actor)
    return token


def revoke_feed(actor: Actor) -> None:
    """The private address answers no more."""
    if _revoke_all(actor.user_id):
        _record_feed(actor.user_id, KeyAccountAction.FEED_REVOKED, actor)


def _revoke_all(user_id: int | None) -> int:
    live = select(CalendarFeed.id).where(CalendarFeed.user_id == user_id, CalendarFeed.revoked_at.is_(None))
    ids = list(db.session.scalars(live))
    if ids:
        db.session.execute(
            update(CalendarFeed)
            .where(CalendarFeed.id.in_(ids))
            .values(revoked_at=clock.now())
            .execution_options(synchronize_session="fetch")
        )
    return len(ids)


def reader_of(token: str) -> Actor:
    """Whose calendar a token opens; the very same answer for a wrong, a revoked and a former colleague's token.

    The token is found by its digest, so the time of the look-up tells nothing about the token itself; the last
    comparison takes the same time whatever is found.

    :raises NotFound: it opens none.
    """
    digest = digest_of(token)
    feed = db.session.scalars(select(CalendarFeed).where(CalendarFeed.token_digest == digest)).first()
    kept = feed.token_digest if feed is not None and feed.revoked_at is None else "0" * 64
    if not hmac.compare_digest(kept, digest) or feed is None:
        raise NotFound()
    return load_actor(feed.user_id)


def hand_over(user: User, successor: User | None, actor: Actor) -> None:
    """Somebody left: planned visits of an executive go to the successor; without one they are called off, and who
    planned them is told. His calendar address closes."""
    for row in list(
        db.session.scalars(
            select(ExecutiveVisit).where(ExecutiveVisit.executive_id == user.id, ExecutiveVisit.state == PLANNED)
        )
    ):
        customer = db.session.get_one(Customer, row.customer_id)
        if successor is not None and can(actor_from_user(successor), VIEW, customer.id):
            row.executive_id = successor.id
            told: list[int] = [successor.id]
        else:
            row.state, row.result = CANCELLED, _("%(name)s left.", name=user.name)
            told = [key for key in (customer.account_manager_id,) if key is not None]
        db.session.flush()
        _record(
            row, customer, KeyAccountAction.VISIT_CHANGED, actor, {"executive": row.executive_id, "state": row.state}
        )
        notify(
            told,
            NOTICE,
            title=message("%(name)s left: the visit to %(customer)s", name=user.name, customer=customer.name),
            url=path_for("key_accounts.visit", visit_id=row.id),
            actor=actor,
            about=f"key_accounts_visit:{row.id}",
        )
    _revoke_all(user.id)


# ---- inside --------------------------------------------------------------------------------------------------------


def _visit(visit_id: int, customer: Customer, version: int | None) -> ExecutiveVisit:
    row = db.session.get(ExecutiveVisit, visit_id, with_for_update=True, populate_existing=True)
    if row is None or row.customer_id != customer.id:
        raise NotFound()
    if row.state != PLANNED:
        raise Conflict(_("The result was noted already."))
    if version is not None and row.version != version:
        raise Conflict(_("Somebody else changed this in the meantime."), version=row.version)
    return row


def _record(
    row: ExecutiveVisit, customer: Customer, action: KeyAccountAction, actor: Actor, new: dict[str, Any]
) -> None:
    record(
        actor,
        action,
        object_type="key_accounts_visit",
        object_id=row.id,
        object_label=label_of(customer),
        customer_id=customer.id,
        new=new,
    )


def _record_feed(object_id: int | None, action: KeyAccountAction, actor: Actor) -> None:
    record(actor, action, object_type="key_accounts_feed", object_id=object_id, object_label=actor.name)
