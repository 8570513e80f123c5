"""Filing look-up requests and giving what was approved. Nothing here commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from plugins.archive.dossiers.models import PARTS
from plugins.archive.lookups import queries
from plugins.archive.lookups.access import note_access
from plugins.archive.lookups.actions import LookupAction
from plugins.archive.lookups.models import (
    ASKED,
    MODES,
    PAPER,
    VIEW,
    ArchiveGrant,
    ArchiveLookup,
    ArchiveLookupCustomer,
)
from plugins.archive.lookups.rules import Scope, wider_than
from portal.approvals.models import ApprovalRequest
from portal.approvals.services import file_request, resubmit
from portal.audit.services import record
from portal.core import clock, settings
from portal.core.calendar import add_working_days
from portal.core.errors import Conflict, ErrorList, Invalid, NotFound
from portal.core.paths import path_for
from portal.documents.services import take_number
from portal.extensions import db
from portal.i18n import _, _n
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import Actor, users_with_role
from portal.org.models import PRINT_OPERATOR

KIND = "archive.lookup"
NOTICE, STATION = "archive.lookup", "archive.station"
PREFIX = "CY"
PURPOSE_LENGTH = 500


@dataclass(frozen=True)
class LookupInput:
    """A request as it was filled in. `again`: the look-up that is filed once more after a return or refusal."""

    customer_ids: tuple[int, ...]
    parts: tuple[str, ...]
    mode: str
    quantity: int
    until_on: date
    purpose: str
    token: str
    again: int | None = None


def default_until(today: date | None = None) -> date:
    """The last day of a grant when nobody says otherwise: so many working days from today."""
    return add_working_days(today or clock.today(), settings.get("archive.grant_days"))


def latest_until() -> date:
    """The latest day that may be asked for."""
    return add_working_days(clock.today(), settings.get("archive.grant_days_most"))


def most_of(mode: str) -> int:
    """The most views or copies that may be asked for."""
    return int(settings.get("archive.copies_most" if mode == PAPER else "archive.views_most"))


def file_lookup(data: LookupInput, actor: Actor) -> ApprovalRequest:
    """File a look-up request; the heads concerned decide.

    :raises Invalid: what is asked for is not possible. :raises Conflict: overdue copies, or one like it is pending.
    """
    if actor.user_id is None or actor.department_id is None:
        raise NotFound()
    repeated = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.token == data.token[:64])).first()
    if repeated is not None and repeated.state != "draft":
        return repeated
    require_no_overdue(actor.user_id)
    customers = _check(data)
    before = _earlier(data.again, actor) if data.again is not None else None
    now = clock.now()
    lookup = ArchiveLookup(
        number=take_number(PREFIX, clock.local(now).year),
        applicant_id=actor.user_id,
        department_id=actor.department_id,
        mode=data.mode,
        parts=" ".join(part for part in PARTS if part in data.parts),
        purpose=data.purpose.strip(),
        quantity=data.quantity,
        until_on=data.until_on,
        created_at=now,
        customers=[ArchiveLookupCustomer(customer_id=c.customer_id, department_id=c.department_id) for c in customers],
    )
    db.session.add(lookup)
    db.session.flush()
    title = _("Look-up %(number)s: %(customers)s", number=lookup.number, customers=_names(customers))
    payload = {"lookup": lookup.id, "mode": lookup.mode}
    owners = {customer.department_id for customer in customers}
    department_id = customers[0].department_id if len(owners) == 1 else actor.department_id
    if before is not None and before.request_id is not None:
        request = resubmit(
            before.request_id, actor, token=data.token, title=title, payload=payload, department_id=department_id
        )
    else:
        request = file_request(
            KIND,
            actor,
            subject_type="archive_lookup",
            subject_id=customers[0].customer_id,
            title=title,
            payload=payload,
            department_id=department_id,
            customer_id=customers[0].customer_id if len(customers) == 1 else None,
            token=data.token,
            scope=f"{lookup.mode}:{lookup.parts}:" + ",".join(str(c.customer_id) for c in customers)[:120],
        )
    for customer in customers:
        note_access(ASKED, customer.customer_id, actor.user_id, reference=lookup.number, detail=lookup.purpose)
        record(
            actor,
            LookupAction.FILED,
            object_type="archive_lookup",
            object_id=lookup.id,
            object_label=lookup.number,
            customer_id=customer.customer_id,
            new={
                "mode": lookup.mode,
                "parts": lookup.parts,
                "quantity": lookup.quantity,
                "until": lookup.until_on,
                "request": request.id,
            },
            reason=lookup.purpose,
        )
    return request


def _names(customers: list[queries.Existing]) -> str:
    first = _(", ").join(customer.name for customer in customers[:2])
    more = len(customers) - 2
    return first if more <= 0 else first + " " + _n("and %(num)s more", "and %(num)s more", more)


def _earlier(lookup_id: int, actor: Actor) -> ArchiveLookup:
    before = db.session.get(ArchiveLookup, lookup_id)
    if before is None or before.applicant_id != actor.user_id:
        raise NotFound()
    return before


def require_no_overdue(user_id: int) -> None:
    """:raises Conflict: the person has copies that should be back."""
    overdue = queries.overdue_copies(user_id)
    if overdue:
        numbers = _(", ").join(copy.number for copy in overdue[:3])
        raise Conflict(
            _(
                "Overdue copies must come back to the archive before anything new is asked for: %(numbers)s",
                numbers=numbers,
            )
        )


def _check(data: LookupInput) -> list[queries.Existing]:
    errors = ErrorList()
    most = settings.get("archive.lookup_customers")
    customers = queries.existing(data.customer_ids)
    if not customers:
        errors.add("customers", _("Choose at least one customer."))
    elif len(customers) > most:
        errors.add("customers", _("At most %(n)s customers in one request.", n=most))
    if not data.parts or not set(data.parts) <= set(PARTS):
        errors.add("parts", _("Choose at least one part of the dossier."))
    if data.mode not in MODES:
        errors.add("mode", _("Choose one of the list."))
    elif data.mode == VIEW and settings.get("archive.paper_only"):
        errors.add("mode", _("Viewing on screen is switched off; only paper copies are given out."))
    if not 1 <= data.quantity <= most_of(data.mode):
        errors.add("quantity", _("Between 1 and %(n)s.", n=most_of(data.mode)))
    if not clock.today() <= data.until_on <= latest_until():
        errors.add("until_on", _("Between today and %(day)s.", day=latest_until()))
    purpose = data.purpose.strip()
    if len(purpose) < 4:
        errors.add("purpose", _("Say what it is needed for; the approvers decide by it."))
    elif len(purpose) > PURPOSE_LENGTH:
        errors.add("purpose", _("At most %(n)s characters.", n=PURPOSE_LENGTH))
    errors.raise_if_any()
    return customers


# ---- what follows a decision ---------------------------------------------------------------------------------------


def give(lookup: ArchiveLookup, scope: Scope, request: ApprovalRequest, actor: Actor) -> list[ArchiveGrant]:
    """Make the grants of an approved request, one for each customer.

    :raises Conflict: the last day has passed meanwhile.
    """
    now = clock.now()
    ends_at = clock.day_bounds(scope.until_on)[1]
    if ends_at <= now:
        raise Conflict(
            _("The last day asked for has passed. Return the request, so that another day can be asked for.")
        )
    made = []
    for row in lookup.customers:
        grant = ArchiveGrant(
            lookup_id=lookup.id,
            request_id=request.id,
            customer_id=row.customer_id,
            holder_id=lookup.applicant_id,
            mode=lookup.mode,
            parts=" ".join(part for part in PARTS if part in scope.parts),
            quota=scope.quantity,
            begins_at=now,
            ends_at=ends_at,
        )
        db.session.add(grant)
        db.session.flush()
        made.append(grant)
        record(
            actor,
            LookupAction.GRANTED,
            object_type="archive_grant",
            object_id=grant.id,
            object_label=lookup.number,
            customer_id=grant.customer_id,
            new={
                "holder": grant.holder_id,
                "mode": grant.mode,
                "parts": grant.parts,
                "quota": grant.quota,
                "ends": grant.ends_at,
                "request": request.id,
            },
        )
    if lookup.mode == PAPER:
        notify(
            users_with_role(PRINT_OPERATOR),
            STATION,
            title=message(
                "Copies for %(name)s can be printed: %(number)s", name=lookup.applicant.name, number=lookup.number
            ),
            url=path_for("archive_copies.station"),
            actor=actor,
            about=f"archive_lookup:{lookup.id}",
        )
    return made


def scope_of(lookup: ArchiveLookup) -> Scope:
    """What a request asks for."""
    return Scope(frozenset(lookup.part_list), lookup.quantity, lookup.until_on)


def load(request: ApprovalRequest) -> ArchiveLookup:
    """The look-up of a request. :raises NotFound: there is none."""
    lookup = db.session.get(ArchiveLookup, int(request.payload["lookup"]))
    if lookup is None:
        raise NotFound()
    return lookup


def check_less(request: ApprovalRequest, wanted: Scope) -> None:
    """:raises Invalid: an approver would grant more than was asked, or than the approver before him left."""
    limit = scope_of(load(request))
    before = request.conditions
    if before is not None:
        limit = scope_from(before)
    words = {
        "parts": _("Choose at least one of the parts asked for."),
        "quantity": _("Between 1 and %(n)s.", n=limit.quantity),
        "until_on": _("Not later than %(day)s.", day=limit.until_on),
    }
    beyond = wider_than(wanted, limit)
    pairs = [(name, words[name]) for name in beyond]
    if wanted.until_on < clock.today():
        pairs.append(("until_on", _("This day has passed.")))
    if pairs:
        raise Invalid(pairs)


def scope_from(conditions: dict[str, object]) -> Scope:
    """A scope from the JSON that an approval keeps."""
    parts, quantity, until = conditions["parts"], conditions["quantity"], conditions["until_on"]
    assert isinstance(parts, list)
    assert isinstance(quantity, int)
    return Scope(frozenset(str(part) for part in parts), quantity, date.fromisoformat(str(until)))
