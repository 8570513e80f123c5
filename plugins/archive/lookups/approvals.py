"""The kind of request for look-ups: who decides, what the approver sees, granting less than what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugins.archive.lookups import queries, services
from plugins.archive.lookups import vocabulary as words
from plugins.archive.lookups.forms import ConditionsForm
from plugins.archive.lookups.models import PAPER
from portal.approvals.kinds import (
    ALL,
    SINGLE,
    ApplicantHead,
    ApprovalKind,
    Description,
    Fact,
    HeadOf,
    OwningHead,
    SeatRule,
    StepSpec,
)
from portal.approvals.models import ApprovalDecision, ApprovalRequest
from portal.approvals.presenting import STATES
from portal.core import clock
from portal.core.coded import N_
from portal.core.paths import path_for
from portal.i18n import _, _l
from portal.org.actor import Actor

NEED_STEP = N_("Confirmation of the need by the applicant's head")
RELEASE_STEP = N_("Release by the head of the owning department")


def route(request: ApprovalRequest) -> Sequence[StepSpec]:
    """The applicant's head confirms the need, then the head of each owning department releases (setting: he alone)."""
    customers = queries.existing(row.customer_id for row in services.load(request).customers)
    owners = list(dict.fromkeys(customer.department_id for customer in customers))
    steps = []
    if queries.needs_confirmation(request.applicant_department_id, owners):
        steps.append(StepSpec("need", NEED_STEP, (ApplicantHead(),)))
    seats: tuple[SeatRule, ...] = tuple(HeadOf(owner) for owner in owners)
    if len(owners) == 1:
        seats = (OwningHead(),)  # follows the customer into another department
    steps.append(StepSpec("release", RELEASE_STEP, seats, SINGLE if len(seats) == 1 else ALL))
    return steps


def describe(request: ApprovalRequest) -> Description:
    """Applicant, purpose, customers, parts, how many and until when; his other requests and overdue copies."""
    lookup = services.load(request)
    facts = [
        Fact(_("Applicant"), f"{lookup.applicant.name} · {lookup.department.name}", important=True),
        Fact(_("Purpose"), lookup.purpose, important=True),
    ]
    for customer in queries.existing(row.customer_id for row in lookup.customers):
        manager = customer.manager or _("nobody at present")
        # No link: several may read the request who must not open the customers.
        facts.append(Fact(_("Customer"), f"{customer.name} · {customer.department} · {manager}", important=True))
    paper = lookup.mode == PAPER
    facts += [
        Fact(_("Parts"), words.part_names(lookup.part_list), important=True),
        Fact(
            _("Way of use"), words.word(words.MODES, lookup.mode), important=True, tone="warning" if paper else "info"
        ),
        Fact(_("Copies for each customer") if paper else _("Views for each customer"), lookup.quantity, important=True),
        Fact(_("Usable until"), lookup.until_on.isoformat(), important=True),
        Fact(_("Number"), lookup.number, url=path_for("archive_lookups.show", lookup_id=lookup.id)),
    ]
    facts += _about_applicant(lookup.applicant_id, lookup.id)
    return Description(request.title, tuple(facts), _warning(lookup.applicant_id))


def _about_applicant(user_id: int, lookup_id: int) -> list[Fact]:
    known = queries.record_of(user_id, lookup_id)
    facts = [
        Fact(
            _("Requests of ninety days"),
            _("%(count)s, %(approved)s of them approved", count=known.requests, approved=known.approved),
        )
    ]
    for number, at, purpose, state in known.latest:
        when = clock.local(at).strftime("%Y-%m-%d")
        facts.append(Fact(_("Earlier request"), f"{when} · {number} · {purpose} · {STATES[state][0]}"))
    overdue = _(", ").join(known.overdue) or _("none")
    facts.append(Fact(_("Overdue copies"), overdue, tone="danger" if known.overdue else "neutral"))
    return facts


def _warning(user_id: int) -> str:
    overdue = queries.overdue_copies(user_id)
    return _("The applicant has copies that should be back already.") if overdue else ""


def conditions_form(request: ApprovalRequest) -> ConditionsForm:
    """What is granted: prefilled with what was asked, or with what the approver before left."""
    lookup = services.load(request)
    scope = services.scope_of(lookup) if request.conditions is None else services.scope_from(request.conditions)
    return ConditionsForm.about(scope, lookup.mode)


def check_conditions(request: ApprovalRequest, conditions: Mapping[str, Any]) -> None:
    """:raises Invalid: more than was asked, or than was left."""
    services.check_less(request, services.scope_from(dict(conditions)))


def describe_conditions(request: ApprovalRequest, conditions: Mapping[str, Any]) -> Sequence[Fact]:
    """What was granted, as facts; none when it is all that was asked."""
    scope = services.scope_from(dict(conditions))
    if scope == services.scope_of(services.load(request)):
        return ()
    return (
        Fact(_("Parts"), words.part_names(scope.parts), important=True),
        Fact(_("Views or copies for each customer"), scope.quantity, important=True),
        Fact(_("Usable until"), scope.until_on.isoformat(), important=True),
    )


def may_view(request: ApprovalRequest, actor: Actor) -> bool:
    """Whoever may see the look-up may read the request."""
    return queries.may_see(services.load(request), actor)


def on_filed(request: ApprovalRequest, _decision: ApprovalDecision | None, _actor: Actor) -> None:
    """Each round is noted with its look-up; overdue copies block further rounds too."""
    lookup = services.load(request)
    services.require_no_overdue(lookup.applicant_id)
    lookup.request_id = request.id


def on_approved(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """Give what was granted."""
    lookup = services.load(request)
    scope = services.scope_of(lookup) if request.conditions is None else services.scope_from(request.conditions)
    services.give(lookup, scope, request, actor)


def subject_url(request: ApprovalRequest) -> str:
    """The page of the look-up."""
    return path_for("archive_lookups.show", lookup_id=int(request.payload["lookup"]))


def edit_url(request: ApprovalRequest) -> str:
    """The form, filled with what was asked before."""
    return path_for("archive_lookups.new", again=int(request.payload["lookup"]))


KINDS = (
    ApprovalKind(
        key=services.KIND,
        title=_l("Look-up in the archive"),
        icon="folder2-open",
        route=route,
        describe=describe,
        may_view=may_view,
        conditions_form=conditions_form,
        check_conditions=check_conditions,
        describe_conditions=describe_conditions,
        url=subject_url,
        edit_url=edit_url,
        on_filed=on_filed,
        on_approved=on_approved,
    ),
)
