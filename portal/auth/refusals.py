"""Refused access goes into the audit trail."""

from __future__ import annotations

from flask import current_app, g, request

from portal.audit.actions import AuditAction
from portal.audit.refusals import refusal_bound
from portal.audit.services import record
from portal.auth.actions import Action
from portal.core.errors import NotAllowed, TooMany
from portal.core.transaction import in_transaction, transaction
from portal.org.actor import Actor


def record_refusal(error: NotAllowed | TooMany) -> None:
    """Write down who was refused what. A refusal that cannot be written is logged; the refusal itself stands."""
    actor = g.get("actor")
    if not isinstance(actor, Actor) or in_transaction():
        return
    admitted = refusal_bound().admit(str(actor.user_id))
    if admitted == "skip":
        return
    try:
        with transaction():
            record(
                actor,
                Action.ACCESS_REFUSED if admitted == "write" else AuditAction.REFUSALS_LEFT_OUT,
                object_type="page",
                object_id=None,
                object_label=(request.endpoint or request.path)[:200],
                new={
                    "method": request.method,
                    "path": request.path[:300],
                    "permission": str(error.details.get("permission", "")),
                },
                reason=str(error.message)[:300],
                result="refused",
            )
    except Exception:
        current_app.logger.exception("a refusal could not be written to the audit trail")
