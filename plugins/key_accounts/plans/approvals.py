"""An account plan before the head of the owning department."""

from __future__ import annotations

import json
from collections.abc import Sequence

from plugins.key_accounts.plans import versions
from plugins.key_accounts.plans.models import AccountPlan, PlanVersion
from plugins.key_accounts.plans.vocabulary import MEASURES, SECTIONS, word
from portal.approvals.kinds import ApprovalKind, Description, Fact, OwningHead, StepSpec
from portal.approvals.models import ApprovalDecision, ApprovalRequest
from portal.core.coded import N_
from portal.core.paths import path_for
from portal.core.permissions import can
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor

STEP = N_("Approval by the department head")


def route(_request: ApprovalRequest) -> Sequence[StepSpec]:
    """The head of the owning department."""
    return [StepSpec("head", STEP, (OwningHead(),))]


def describe(request: ApprovalRequest) -> Description:
    """The plan as it was filed: from the kept version, so that what is decided is what was read."""
    version = db.session.get_one(PlanVersion, int(request.payload["version"]))
    customer = db.session.get_one(Customer, request.customer_id)
    content = json.loads(version.content)
    last = content["first_year"] + content["years"] - 1
    facts = [
        Fact(_("Customer"), customer.name, important=True, url=path_for("customers.show", customer_id=customer.id)),
        Fact(
            _("Plan"),
            content["title"],
            important=True,
            url=path_for("key_accounts.plan_version", version_id=version.id),
        ),
        Fact(_("Years"), f"{content['first_year']}–{last}" if content["years"] > 1 else str(content["first_year"])),
    ]
    for measure, by_year in content["targets"].items():
        text = _("; ").join(f"{year}" + _(": ") + str(value) for year, value in sorted(by_year.items()))
        facts.append(Fact(word(MEASURES, measure), text, important=True))
    for key in ("priorities", "direction", "value"):
        if content["sections"].get(key):
            facts.append(Fact(SECTIONS[key][0], content["sections"][key]))
    facts.extend(
        Fact(_("Plan action"), f"{row['task']} · {row['owner']} · {row['due_on']}") for row in content["actions"][:20]
    )
    return Description(title=request.title, facts=tuple(facts))


def may_view(request: ApprovalRequest, actor: Actor) -> bool:
    """Whoever may view the customer may read the plan."""
    return request.customer_id is not None and can(actor, "customers.view", request.customer_id)


def subject_url(request: ApprovalRequest) -> str | None:
    """The customer's plan."""
    plan = db.session.get(AccountPlan, int(request.payload["plan"]))
    return path_for("key_accounts.plan", customer_id=plan.customer_id) if plan else None


def on_approved(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """The plan is approved."""
    versions.settle(int(request.payload["plan"]), True, actor)


def on_ended(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """The plan is being written again."""
    versions.settle(int(request.payload["plan"]), False, actor)


KINDS = (
    ApprovalKind(
        key=versions.KIND,
        title=_l("Account plan"),
        icon="journal-check",
        route=route,
        describe=describe,
        may_view=may_view,
        url=subject_url,
        edit_url=subject_url,
        on_approved=on_approved,
        on_rejected=on_ended,
        on_returned=on_ended,
        on_withdrawn=on_ended,
        on_expired=on_ended,
        on_cancelled=on_ended,
    ),
)
