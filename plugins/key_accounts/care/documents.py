"""Briefing sheet of a visit, and the yearly record of care, as numbered PDFs."""

from __future__ import annotations

from datetime import date
from typing import Any

from plugins.key_accounts.care import queries
from plugins.key_accounts.care import vocabulary as words
from plugins.key_accounts.care.models import DUTIES, ExecutiveVisit
from plugins.key_accounts.care.rules import light
from plugins.key_accounts.opportunities import queries as opportunities
from plugins.key_accounts.opportunities import vocabulary as opportunity_words
from plugins.key_accounts.opportunities.models import OPEN_STAGES
from plugins.key_accounts.plans import queries as plans
from plugins.key_accounts.stakeholders import queries as stakeholders
from plugins.key_accounts.stakeholders import vocabulary as stakeholder_words
from portal.core import clock
from portal.core.money import format_yuan
from portal.core.permissions import can
from portal.customers.models import Customer
from portal.customers.queries import interactions_of
from portal.customers.vocabulary import InteractionKind, label
from portal.documents.kinds import DocumentKind, of_visible_customers
from portal.documents.models import Document
from portal.documents.services import produce
from portal.i18n import _, _l
from portal.org.actor import Actor


def _may_read(actor: Any, document: Document) -> bool:
    return document.customer_id is not None and can(actor, "customers.view", document.customer_id)


BRIEFING = DocumentKind(
    key="key_accounts.briefing",
    title=_l("Briefing sheet"),
    number_prefix="KAB",
    template="key_accounts/care/briefing_pdf.html",
    may_read=_may_read,
    rows=of_visible_customers("customers.view"),
    classification=_l("Internal"),
)
RECORD = DocumentKind(
    key="key_accounts.care_record",
    title=_l("Yearly record of care"),
    number_prefix="KAC",
    template="key_accounts/care/record_pdf.html",
    may_read=_may_read,
    rows=of_visible_customers("customers.view"),
    classification=_l("Internal"),
)
KINDS = (BRIEFING, RECORD)


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def print_briefing(visit: ExecutiveVisit, customer: Customer, actor: Actor) -> Document:
    """What the executive reads before he goes. Call outside a transaction."""
    recent, _more = interactions_of(customer.id, None, 6)
    by_year = plans.reached(customer.id)
    plan = plans.live_plan(customer.id)
    sections = plans.sections_of(plan.id) if plan else {}
    context = {
        "customer": customer.name,
        "when": clock.local(visit.starts_at).strftime("%Y-%m-%d %H:%M"),
        "minutes": str(visit.minutes),
        "place": visit.place,
        "executive": visit.executive.name,
        "manager": customer.account_manager.name if customer.account_manager else "",
        "purpose": visit.purpose,
        "points": _lines(visit.talking_points),
        "people": [
            {
                "name": person.name,
                "title": person.title,
                "influence": stakeholder_words.influence(person.influence),
                "attitude": stakeholder_words.attitude(person.attitude),
                "note": person.note,
            }
            for person in stakeholders.people_of(customer.id)
            if person.is_active
        ][:12],
        "years": [
            {
                "year": str(year),
                "sales": format_yuan(by_year[year].sales),
                "margin": format_yuan(by_year[year].margin),
                "orders": str(by_year[year].orders),
            }
            for year in sorted(by_year, reverse=True)[:3]
        ],
        "worries": _lines(sections["worries"].body) if "worries" in sections else [],
        "priorities": _lines(sections["priorities"].body) if "priorities" in sections else [],
        "opportunities": [
            {
                "title": row.title,
                "stage": opportunity_words.word(opportunity_words.STAGES, row.stage),
                "amount": format_yuan(row.amount),
                "close_on": row.close_on.isoformat(),
            }
            for row in opportunities.of_customer(customer.id)
            if row.stage in OPEN_STAGES
        ][:8],
        "recent": [
            {
                "day": clock.local(row.at).strftime("%Y-%m-%d"),
                "kind": label(InteractionKind, row.kind),
                "text": (row.subject or row.result)[:160],
            }
            for row in recent
            if not row.is_cancelled
        ],
    }
    return produce(
        BRIEFING.key,
        actor,
        title=_("Briefing: %(customer)s", customer=customer.name),
        context=context,
        customer_id=customer.id,
        subject=f"key_accounts_visit:{visit.id}",
        reuse=True,
    )


def print_record(customer: Customer, year: int, actor: Actor) -> Document:
    """What was done for a customer in a year. Call outside a transaction."""
    today = clock.today()
    duties = {row.duty: row for row in queries.duties_of(customer.id)}
    done = queries.records_of(customer.id, date(year, 1, 1), date(year, 12, 31))
    days = queries.soon_days()
    rows = []
    for key in DUTIES:
        duty = duties.get(key)
        records = [row for row in done if duty is not None and row.duty_id == duty.id]
        state = light(duty.is_needed, duty.due_on, today, days) if duty else "grey"
        rows.append(
            {
                "title": str(words.DUTIES[key][0]),
                "owner": duty.owner.name if duty and duty.owner else "",
                "state": words.word(words.LIGHTS, state),
                "due_on": duty.due_on.isoformat() if duty and duty.is_needed else "",
                "note": duty.note if duty else "",
                "records": [
                    {
                        "day": row.done_on.isoformat(),
                        "note": row.note,
                        "evidence": " · ".join(
                            part
                            for part in (
                                row.interaction.subject if row.interaction else "",
                                row.purchase.number if row.purchase else "",
                                row.document.number if row.document else "",
                            )
                            if part
                        ),
                        "by": row.by.name if row.by else "",
                    }
                    for row in records
                ],
            }
        )
    return produce(
        RECORD.key,
        actor,
        title=_("Care %(year)s: %(customer)s", year=year, customer=customer.name),
        context={"customer": customer.name, "year": str(year), "duties": rows, "count": len(done)},
        customer_id=customer.id,
        subject=f"key_accounts_care:{year}",
        reuse=True,
    )
