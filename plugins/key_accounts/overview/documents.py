"""The review pack (QBR) of a key account as a numbered document."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.opportunities import vocabulary as opportunity_words
from plugins.key_accounts.overview.queries import open_opportunities
from plugins.key_accounts.plans import queries as plans
from plugins.key_accounts.plans import vocabulary as plan_words
from plugins.key_accounts.satisfaction import health
from plugins.key_accounts.satisfaction import queries as satisfaction
from plugins.key_accounts.satisfaction import vocabulary as health_words
from plugins.key_accounts.satisfaction.settings import weights
from plugins.key_accounts.tiers import queries as tiers
from plugins.key_accounts.tiers import vocabulary as tier_words
from portal.core import clock
from portal.core.money import format_yuan
from portal.core.permissions import can
from portal.customers.models import Customer
from portal.documents.kinds import DocumentKind, of_visible_customers
from portal.documents.models import Document
from portal.documents.services import produce
from portal.i18n import _, _l
from portal.org.actor import Actor


def _may_read(actor: Any, document: Document) -> bool:
    return document.customer_id is not None and can(actor, "customers.view", document.customer_id)


REVIEW = DocumentKind(
    key="key_accounts.review",
    title=_l("Review pack of a key account"),
    number_prefix="KAR",
    template="key_accounts/overview/review_pdf.html",
    may_read=_may_read,
    rows=of_visible_customers("customers.view"),
    classification=_l("Internal"),
)


def make_review(customer: Customer, actor: Actor) -> Document:
    """Figures, plan, actions, opportunities, satisfaction, next year. Call outside a transaction."""
    today = clock.today()
    measure = tiers.measure_of(customer.id)
    state = health.healths([customer.id], today)[customer.id]
    plan = plans.live_plan(customer.id)
    reached = plans.reached(customer.id)
    targets = plans.targets_of(plan.id) if plan else {}
    sections = plans.sections_of(plan.id) if plan else {}
    weight = weights()
    return produce(
        REVIEW,
        actor,
        title=_("Review of %(customer)s on %(day)s", customer=customer.name, day=today),
        customer_id=customer.id,
        subject=f"key_accounts_review:{customer.id}",
        reuse=True,
        context={
            "customer": customer.name,
            "manager": customer.account_manager.name if customer.account_manager else "",
            "tier": tier_words.tier_word(tiers.tier_of([customer.id]).get(customer.id, "")),
            "figures": _figures(measure),
            "years": [
                [str(year), str(item.orders), format_yuan(item.sales), format_yuan(item.margin)]
                for year, item in sorted(reached.items(), reverse=True)[:5]
            ],
            "health": str(state.score) if state.score is not None else "",
            "parts": [
                [str(label), "" if state.parts[key] is None else str(state.parts[key]), str(weight[key])]
                for key, label in health_words.PARTS.items()
            ],
            "plan": plan.title if plan else "",
            "actions": [
                [row.task, row.owner.name if row.owner else "", row.due_on.isoformat(), _action_state(row), row.result]
                for row in (plans.actions_of(plan.id) if plan else [])
            ],
            "targets": [
                [_target_word(name), str(year), format_yuan(value)]
                for name, years in targets.items()
                for year, value in sorted(years.items())
                if year > today.year - 1
            ],
            "grades": [
                [
                    row.surveyed_on.isoformat(),
                    row.contact.name if row.contact else _("the customer as a whole"),
                    str(health_words.GRADES[row.grade]),
                    row.remark,
                ]
                for row in [row for row in satisfaction.grades_of(customer.id) if row.cancelled_at is None][:10]
            ],
            "ahead": [
                {"title": str(plan_words.SECTIONS[key][0]), "lines": _lines(sections[key].body)}
                for key in ("priorities", "direction")
                if key in sections and sections[key].body
            ],
            "opportunities": [
                [
                    row.title,
                    opportunity_words.word(opportunity_words.STAGES, row.stage),
                    format_yuan(row.amount),
                    f"{row.probability}%",
                ]
                for row in open_opportunities(customer.id)
            ],
        },
    )


def _figures(measure: Any) -> list[list[str]]:
    if measure is None:
        return []
    growth = measure.growth
    return [
        [_("Sales of twelve months"), format_yuan(measure.sales)],
        [_("Growth of sales"), f"{growth:+,d}%" if growth is not None else ""],
        [_("Cost of goods"), format_yuan(measure.goods_cost)],
        [_("Cost of contacts"), format_yuan(measure.contact_cost)],
        [_("Profit contribution"), format_yuan(measure.profit)],
        [_("Contact hours"), str(measure.hours)],
        [_("ABC class"), measure.abc],
        [_("Days until payment"), "" if measure.payment_days is None else str(measure.payment_days)],
    ]


def _lines(body: str) -> list[str]:
    return [line for line in body.splitlines() if line.strip()]


def _action_state(row: Any) -> str:
    return str(plan_words.ACTION_STATES.get(row.state, row.state))


def _target_word(name: str) -> str:
    return str(plan_words.MEASURES.get(name, name))
