"""Kinds of request for tests of the engine: the route is written in the payload, the effect is an audit entry."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask
from wtforms import IntegerField

from portal.approvals.kinds import ApprovalKind, Description, Fact, StepSpec, rule_from_dict
from portal.approvals.models import ApprovalDecision, ApprovalRequest
from portal.approvals.queries import digest_of
from portal.approvals.services import decide, file_request
from portal.audit.services import record
from portal.core.errors import Invalid
from portal.core.forms import Form
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import Department

HEAD = {"rule": "owning_head"}
APPLICANT_HEAD = {"rule": "applicant_head"}
EXECUTIVE = {"rule": "role", "role": "executive"}

_numbers = itertools.count(1)


def person(user_id: int) -> dict[str, Any]:
    """The rule of one named person."""
    return {"rule": "person", "user_id": user_id}


def step(*seats: dict[str, Any], mode: str = "single", key: str = "one") -> dict[str, Any]:
    """One step of a route as the payload has it."""
    return {"key": key, "mode": mode, "seats": list(seats)}


def _route(request: ApprovalRequest) -> Sequence[StepSpec]:
    return [
        StepSpec(
            item["key"], f"Step {item['key']}", tuple(rule_from_dict(rule) for rule in item["seats"]), item["mode"]
        )
        for item in request.payload["route"]
    ]


def _describe(request: ApprovalRequest) -> Description:
    department = db.session.get(Department, request.department_id)
    return Description(
        request.title,
        (
            Fact("Copies", str(request.payload.get("copies", 1)), important=True),
            Fact("Department", department.name if department else "", important=True),
        ),
    )


class CopiesForm(Form):
    """Fewer copies than asked."""

    copies = IntegerField("Copies granted")

    def to_conditions(self) -> dict[str, Any]:
        return {"copies": self.copies.data}


def _conditions_form(request: ApprovalRequest) -> CopiesForm:
    return CopiesForm(copies=request.payload.get("copies", 1))


def _check_conditions(request: ApprovalRequest, conditions: Mapping[str, Any]) -> None:
    if not 1 <= conditions["copies"] <= request.payload.get("copies", 1):
        raise Invalid([("copies", "not more than what was asked")])


def _effect(name: str) -> Any:
    def react(request: ApprovalRequest, decision: ApprovalDecision | None, actor: Actor) -> None:
        if request.payload.get("fails") == name:
            raise Invalid([("", "the grant cannot be made")])
        record(
            actor,
            f"test:grant:{name}",
            object_type="approval_request",
            object_id=request.id,
            new={"decision": decision.id if decision is not None else None, "conditions": request.conditions},
        )

    return react


def _kind(key: str, **more: Any) -> ApprovalKind:
    return ApprovalKind(
        key,
        f"Test kind {key}",
        _route,
        _describe,
        on_filed=_effect("filed"),
        on_approved=_effect("approved"),
        on_rejected=_effect("rejected"),
        on_returned=_effect("returned"),
        on_withdrawn=_effect("withdrawn"),
        on_expired=_effect("expired"),
        on_cancelled=_effect("cancelled"),
        **more,
    )


KINDS = (
    _kind("test.plain"),
    _kind("test.low", low_risk=True),
    _kind("test.copies", conditions_form=_conditions_form, check_conditions=_check_conditions),
)


def install(app: Flask) -> None:
    """Add the kinds to an application."""
    registry = app.extensions["portal_approval_kinds"]
    if "test.plain" not in registry:
        registry.add(KINDS)


def submit(actor: Actor, *route: dict[str, Any], kind: str = "test.plain", **more: Any) -> int:
    """File a request in a transaction of its own; returns its id."""
    number = next(_numbers)
    copies, fails = more.pop("copies", 1), more.pop("fails", "")
    values: dict[str, Any] = {
        "subject_type": "test",
        "subject_id": number,
        "title": f"Request {number}",
        "payload": {"route": list(route or [step(HEAD)]), "copies": copies, "fails": fails},
        "department_id": actor.department_id,
        "token": f"token-{number}",
        **more,
    }
    with transaction():
        return file_request(kind, actor, **values).id


def digest(request_id: int) -> str:
    """Digest of what an approver sees now."""
    found = db.session.get_one(ApprovalRequest, request_id, populate_existing=True)
    db.session.expire_all()
    return digest_of(found)


def vote(request_id: int, actor: Actor, choice: str = "approve", opinion: str = "", **more: Any) -> int:
    """Decide in a transaction of its own; returns the decision's id."""
    seen = more.pop("seen_digest", None) or digest(request_id)
    if choice != "approve" and not opinion:
        opinion = "because"
    with transaction():
        return decide(request_id, actor, vote=choice, seen_digest=seen, opinion=opinion, **more).id


def state(request_id: int) -> str:
    """The present state, read afresh."""
    db.session.rollback()
    return db.session.get_one(ApprovalRequest, request_id, populate_existing=True).state
