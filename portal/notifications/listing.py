"""The administrator's list of outgoing mail. The text of a message is its reader's alone: only its subject is shown."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, and_, or_

from portal.core import clock
from portal.core.components import DASH, tag
from portal.core.listing import CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import value_in
from portal.core.permissions import visible
from portal.core.registry import registry
from portal.core.text import mask_email
from portal.i18n import _, _l
from portal.notifications.kinds import render
from portal.notifications.models import OutboxMessage, OutboxState
from portal.notifications.permissions import ADMINISTER

M = OutboxMessage

STATES = {
    OutboxState.QUEUED: (_l("Waiting"), "neutral"),
    OutboxState.SENDING: (_l("Being sent"), "info"),
    OutboxState.SENT: (_l("Sent"), "success"),
    OutboxState.SPOOLED: (_l("In the spool folder"), "success"),
    OutboxState.FAILED: (_l("Failed"), "danger"),
}


def _kind(row: Any, _context: CellContext) -> Any:
    if row.kind == "digest":
        return _("Daily digest")
    known = registry("notice_kinds").get(row.kind)
    return known.title if known else row.kind or DASH


def shown_address(address: str, user_id: int | None) -> str:
    """Whom a message goes to: colleagues by their address; contacts of customers are no administrator's matter."""
    return address if user_id is not None else mask_email(address)


def shown_error(error: str, address: str, user_id: int | None) -> str:
    """What went wrong; mail servers repeat the address."""
    return error.replace(address, shown_address(address, user_id)) if address else error


def _sent_to(text: str) -> ColumnElement[bool]:
    """Part of a colleague's address, or a whole address: none can be guessed letter by letter."""
    return or_(and_(M.user_id.is_not(None), M.to_address.contains(text, autoescape=True)), M.to_address == text)


def _moment(name: str) -> Any:
    def cell(row: Any, _context: CellContext) -> Any:
        value = getattr(row, name)
        return DASH if value is None else clock.local(value).strftime("%Y-%m-%d %H:%M:%S")

    return cell


def _next(row: Any, context: CellContext) -> Any:
    return _moment("next_at")(row, context) if row.is_open == OutboxState.QUEUED else DASH


LISTING = Listing(
    key="outbox",
    title=_l("Outgoing mail"),
    endpoint="notifications.outbox",
    identity=M.id,
    source=lambda statement: statement,
    where=lambda actor: [visible(actor, ADMINISTER)],
    columns=[
        Column("id", _l("No."), {"number": M.id}, sort=M.id, align="end"),
        Column("subject", _l("Subject"), {"subject": M.subject}, cell=lambda row, _c: render(row.subject)),
        Column(
            "to",
            _l("To"),
            {"to_address": M.to_address, "to_user": M.user_id},
            cell=lambda row, _c: shown_address(row.to_address, row.to_user),
        ),
        Column("kind", _l("Kind"), {"kind": M.kind}, cell=_kind),
        Column("state", _l("State"), {"state": M.state}, cell=lambda row, _c: tag(*STATES[row.state])),
        Column("attempts", _l("Tries"), {"attempts": M.attempts}, align="end"),
        Column("created", _l("Written"), {"created_at": M.created_at}, cell=_moment("created_at")),
        Column("next", _l("Next try"), {"next_at": M.next_at, "is_open": M.state}, cell=_next),
        Column("sent", _l("Sent"), {"sent_at": M.sent_at}, cell=_moment("sent_at")),
        Column(
            "error",
            _l("Error"),
            {"error": M.error, "error_address": M.to_address, "error_user": M.user_id},
            cell=lambda row, _c: shown_error(row.error, row.error_address, row.error_user),
        ),
    ],
    default_sort="-id",
    filters=[
        Filter(
            "state",
            _l("State"),
            "choice",
            value_in(M.state),
            lambda _actor: [(state.value, label) for state, (label, _tone) in STATES.items()],
        ),
        Filter(
            "to",
            _l("To"),
            "text",
            lambda value, _actor: _sent_to(value.values[0]),
        ),
    ],
    scenes=[
        Scene("failed", _l("Failed"), lambda _actor: M.state == OutboxState.FAILED),
        Scene("waiting", _l("Waiting"), lambda _actor: M.state.in_((OutboxState.QUEUED, OutboxState.SENDING))),
    ],
    row_url=lambda row: url_for("notifications.message", message_id=row.id),
    empty=EmptyText(_l("No mail yet")),
)
