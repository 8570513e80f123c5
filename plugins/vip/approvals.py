"""The three kinds of request: application, proposal of the company, renewal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plugins.vip import queries, services
from plugins.vip.conditions import EXCEPTION
from plugins.vip.models import VipApplication
from plugins.vip.vocabulary import CONDITIONS, LEVELS, ROUTES, word
from portal.approvals.kinds import ApprovalKind, Description, Fact, OwningHead, RoleHolder, StepSpec
from portal.approvals.models import (
    DRAFT,
    EXPIRED,
    REJECTED,
    RETURNED,
    WITHDRAWN,
    ApprovalDecision,
    ApprovalRequest,
)
from portal.core import settings
from portal.core.coded import N_
from portal.core.money import format_yuan
from portal.core.paths import path_for
from portal.core.permissions import can
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE

#: Marks strings for the catalogue; they are translated where they are shown.
HEAD_STEP = N_("Approval by the department head")
EXECUTIVE_STEP = N_("Approval of the exception by an executive")
LEADER_STEP = N_("Approval by the leader in charge")


def _application(request: ApprovalRequest) -> VipApplication:
    return queries.load_application(int(request.payload["application"]))


def application_route(request: ApprovalRequest) -> Sequence[StepSpec]:
    """R-VIP-3: the head of the owning department; an executive after him for exceptions."""
    steps = [StepSpec("head", HEAD_STEP, (OwningHead(),))]
    if request.payload["condition"] == EXCEPTION and settings.get("vip.exception_executive"):
        steps.append(StepSpec("executive", EXECUTIVE_STEP, (RoleHolder(EXECUTIVE),)))
    return steps


def proposal_route(request: ApprovalRequest) -> Sequence[StepSpec]:
    """R-VIP-1: the leader in charge."""
    if settings.get("vip.leader") == "executive":
        return [StepSpec("leader", LEADER_STEP, (RoleHolder(EXECUTIVE),))]
    return application_route(request)


def renewal_route(_request: ApprovalRequest) -> Sequence[StepSpec]:
    """R-VIP-4: the head decides on renewal or lapse."""
    return [StepSpec("head", HEAD_STEP, (OwningHead(),))]


def describe(request: ApprovalRequest) -> Description:
    """What the approver sees: customer, member, condition with its evidence, level, reason."""
    application = _application(request)
    customer = application.customer
    facts = [
        Fact(_("Customer"), customer.name, important=True, url=path_for("customers.show", customer_id=customer.id)),
        Fact(_("Account manager"), customer.account_manager.name if customer.account_manager else "—"),
        Fact(_("Way"), word(ROUTES, application.route)),
    ]
    if application.contact is not None:
        facts.append(Fact(_("Member"), application.contact.name, important=True))
    exception = application.condition == EXCEPTION
    facts.append(
        Fact(
            _("Condition"),
            word(CONDITIONS, application.condition),
            important=True,
            tone="warning" if exception else "success",
        )
    )
    if application.amount is not None:
        facts.append(Fact(_("Amount that counts"), format_yuan(application.amount, symbol=True), important=True))
    # Once it is decided, the page shows what was decided on.
    changed = {} if request.is_final else queries.changed_evidence(application)
    for item in application.evidence:
        now = changed.get(item.purchase_id)
        shown = f"{item.number} · {item.purchased_on} · {format_yuan(item.amount, symbol=True)}"
        if now is not None:
            since = _("cancelled since") if now == "cancelled" else _("changed since")
            shown = f"{shown} · {since}"
        facts.append(
            Fact(
                _("Evidence"),
                shown,
                important=now is not None,
                tone="neutral" if now is None else "danger",
                url=path_for("purchases.show", purchase_id=item.purchase_id),
            )
        )
    facts.append(Fact(_("Purchases of twelve months"), format_yuan(customer.total_12m, symbol=True)))
    facts.append(Fact(_("Level"), word(LEVELS, application.level), important=True))
    if application.reason:
        facts.append(Fact(_("Reason"), application.reason, important=exception))
    return Description(title=request.title, facts=tuple(facts), warning=_warning(application, bool(changed)))


def _warning(application: VipApplication, evidence_changed: bool) -> str:
    if evidence_changed:
        return _(
            "A purchase that the application rests on was cancelled or changed since. Check whether it still holds."
        )
    if application.membership_id is not None:
        if application.condition == EXCEPTION:
            return _("The portal recommends to let the membership lapse: the conditions were not met again.")
        return _("The portal recommends to renew. Rejecting lets the membership lapse at the end of its term.")
    if application.condition == EXCEPTION:
        return _("None of the conditions is met. This is an exception.")
    return ""


def may_view(request: ApprovalRequest, actor: Actor) -> bool:
    """Whoever may view the customer may read the application."""
    return request.customer_id is not None and can(actor, "customers.view", request.customer_id)


def on_filed(request: ApprovalRequest, _decision: ApprovalDecision | None, _actor: Actor) -> None:
    """Each round of the request is noted with the application."""
    _application(request).request_id = request.id


def on_approved(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """Make or renew the membership."""
    application = _application(request)
    if application.membership_id is None:
        services.grant(application, request, actor)
    else:
        services.renew(application, request, actor)


def on_refused(request: ApprovalRequest, _decision: ApprovalDecision | None, _actor: Actor) -> None:
    """The candidate is open again."""
    services.reopen_candidate(_application(request))


def subject_url(request: ApprovalRequest) -> str | None:
    """The customer's page."""
    customer = db.session.get(Customer, request.customer_id) if request.customer_id else None
    return path_for("customers.show", customer_id=customer.id) if customer else None


def edit_url(request: ApprovalRequest) -> str | None:
    """The form, on which the portal looks for the evidence anew; filed from there it is the next round."""
    if request.state not in (DRAFT, RETURNED, REJECTED, WITHDRAWN, EXPIRED) or request.customer_id is None:
        return None
    return path_for("vip.apply", customer_id=request.customer_id)


def _kind(
    key: str,
    title: object,
    route: object,
    icon: str,
    low_risk: bool = False,
    edit: Callable[[ApprovalRequest], str | None] | None = None,
) -> ApprovalKind:
    return ApprovalKind(
        key=key,
        title=title,
        icon=icon,
        route=route,  # type: ignore[arg-type]
        describe=describe,
        low_risk=low_risk,
        may_view=may_view,
        url=subject_url,
        edit_url=edit,
        on_filed=on_filed,
        on_approved=on_approved,
        on_rejected=on_refused,
        on_returned=on_refused,
        on_withdrawn=on_refused,
        on_expired=on_refused,
        on_cancelled=on_refused,
    )


KINDS = (
    _kind(services.APPLICATION, _l("VIP application"), application_route, "gem", edit=edit_url),
    _kind(services.PROPOSAL, _l("VIP proposal of the company"), proposal_route, "stars"),
    _kind(services.RENEWAL, _l("VIP renewal"), renewal_route, "arrow-repeat", low_risk=True),
)
