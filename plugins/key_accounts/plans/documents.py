"""The account plan as a numbered PDF."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.plans import queries, versions
from plugins.key_accounts.plans import vocabulary as words
from plugins.key_accounts.plans.models import AccountPlan
from plugins.key_accounts.team import queries as team
from plugins.key_accounts.team import vocabulary as team_words
from portal.core import clock
from portal.core.money import format_yuan
from portal.core.permissions import can
from portal.customers.models import Customer
from portal.documents.kinds import DocumentKind, of_visible_customers
from portal.documents.models import Document
from portal.documents.services import produce
from portal.i18n import _, _l
from portal.org.actor import Actor

KIND = "key_accounts.plan"


def _may_read(actor: Any, document: Document) -> bool:
    return document.customer_id is not None and can(actor, "customers.view", document.customer_id)


PLAN = DocumentKind(
    key=KIND,
    title=_l("Account plan"),
    number_prefix="KAP",
    template="key_accounts/plans/plan_pdf.html",
    may_read=_may_read,
    rows=of_visible_customers("customers.view"),
    classification=_l("Internal"),
)


def print_plan(plan: AccountPlan, customer: Customer, actor: Actor) -> Document:
    """Make the PDF, or return the one that was made with the same content. Call outside a transaction."""
    content = versions.snapshot(plan)
    office = team.team_of(customer.id)
    by_year = queries.reached(customer.id)
    years = list(range(plan.first_year, plan.first_year + plan.years))
    money = queries.investment(plan, by_year)
    members = team.in_force(team.members_of(customer.id), clock.today())
    context = {
        "customer": customer.name,
        "plan_title": plan.title,
        "state": words.word(words.STATES, plan.state),
        "phase": words.word(words.PHASES, plan.phase),
        "years": [str(year) for year in years],
        "manager": customer.account_manager.name if customer.account_manager else "",
        "sponsor": office.sponsor.name if office and office.sponsor else "",
        "complaint": office.complaint.name if office and office.complaint else "",
        "relationship": team_words.word(team_words.PHASES, office.phase) if office and office.phase_since else "",
        "sections": [
            {"title": str(title), "lines": [line for line in content["sections"][key].splitlines() if line.strip()]}
            for key, (title, _help, _phase) in words.SECTIONS.items()
            if content["sections"].get(key)
        ],
        "targets": [
            {
                "measure": words.word(words.MEASURES, measure),
                "values": [format_yuan(values[year]) if year in values else "" for year in years],
            }
            for measure, values in queries.targets_of(plan.id).items()
        ],
        "reached": [
            {"year": str(year), "sales": format_yuan(by_year[year].sales), "margin": format_yuan(by_year[year].margin)}
            for year in sorted(by_year)[-3:]
        ],
        "invested": format_yuan(money.invested, symbol=True) if money.invested else "",
        "per_order": format_yuan(money.per_order, symbol=True)
        if money.invested and money.per_order is not None
        else "",
        "times": str(money.times) if money.times is not None else "",
        "actions": [{**row, "state": words.word(words.ACTION_STATES, row["state"])} for row in content["actions"]],
        "reviews": content["reviews"],
        "members": [
            {
                "name": row.name,
                "part": team_words.word(team_words.ROLES, row.role),
                "task": row.task,
                "until": row.valid_until.isoformat(),
            }
            for row in members
        ],
    }
    return produce(
        KIND,
        actor,
        title=_("%(plan)s: %(customer)s", plan=plan.title, customer=customer.name),
        context=context,
        customer_id=customer.id,
        subject=f"key_accounts_plan:{plan.id}",
        reuse=True,
    )
