"""Nightly work: the search for candidates, renewals, lapses, points."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from plugins.vip import ledger, queries, services
from plugins.vip.conditions import RANK, Policy, met_by_purchases, months_before
from plugins.vip.models import ACTIVE, CANDIDATE_OPEN, VipCandidate, VipMembership
from plugins.vip.settings import policy
from portal.approvals.models import RETURNED
from portal.core import clock, settings
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _l
from portal.org.actor import SYSTEM

CHUNK = 200


def search_candidates(context: JobContext) -> dict[str, Any]:
    """Find customers and people who meet the conditions and are no members; forget those who no longer do."""
    rules = policy()
    today = clock.today()
    ids = list(db.session.scalars(queries.without_membership(queries.qualifying_customers(rules, today))))
    found = 0
    for start in range(0, len(ids), CHUNK):
        context.check_cancelled()
        with transaction():
            found += sum(_note_customer(customer_id, rules) for customer_id in ids[start : start + CHUNK])
        context.progress(min(start + CHUNK, len(ids)), len(ids))
    with transaction():
        people = queries.contacts_with_rank(rules)
        for contact_id, customer_id, _rank in people:
            note_candidate(customer_id, contact_id, RANK, 0)
        db.session.execute(
            delete(VipCandidate).where(VipCandidate.state == CANDIDATE_OPEN, VipCandidate.seen_on < today)
        )
    return {"customers": found, "people": len(people)}


def _note_customer(customer_id: int, rules: Policy) -> bool:
    today = clock.today()
    bought = queries.purchases_of(customer_id, months_before(today, rules.lookback_months))
    met = met_by_purchases(rules, bought, today)
    if not met:
        return False
    best = max(met, key=lambda item: item.amount or 0)
    note_candidate(customer_id, None, best.condition, best.amount or 0)
    return True


def note_candidate(customer_id: int, contact_id: int | None, condition: str, amount: Any) -> None:
    """Put a customer, or one of its people, on the list of candidates (inside the caller's transaction)."""
    member = VipCandidate.contact_id.is_(None) if contact_id is None else VipCandidate.contact_id == contact_id
    candidate = db.session.scalars(select(VipCandidate).where(VipCandidate.customer_id == customer_id, member)).first()
    today = clock.today()
    if candidate is None:
        candidate = VipCandidate(customer_id=customer_id, contact_id=contact_id, found_on=today, state=CANDIDATE_OPEN)
        db.session.add(candidate)
    candidate.condition, candidate.amount, candidate.seen_on = condition, amount, today
    db.session.flush()


def review_memberships(context: JobContext) -> dict[str, Any]:
    """Propose renewals before expiry, lapse what is over, settle points."""
    today = clock.today()
    rules = policy()
    due = [membership.id for membership in queries.expiring(today + timedelta(days=settings.get("vip.renewal_days")))]
    proposed = lapsed = 0
    for number, membership_id in enumerate(due, start=1):
        context.check_cancelled()
        with transaction():
            membership = db.session.get(VipMembership, membership_id)
            if membership is None or membership.state not in queries.LIVE:
                continue
            earlier = queries.renewal_of_term(membership.id)
            if membership.state == ACTIVE and (earlier is None or earlier.state == RETURNED):
                services.propose_renewal(membership, queries.term_assessment(membership, rules), earlier)
                proposed += 1
            if membership.valid_until < today:
                services.lapse(membership)
                lapsed += 1
        context.progress(number, len(due))
    settled = _settle_all(context)
    return {"proposed": proposed, "lapsed": lapsed, "points": settled}


def _settle_all(context: JobContext) -> int:
    ids = list(db.session.scalars(select(VipMembership.customer_id).where(VipMembership.state == ACTIVE).distinct()))
    settled = 0
    for start in range(0, len(ids), CHUNK):
        context.check_cancelled()
        with transaction():
            settled += ledger.settle_purchases(ids[start : start + CHUNK], SYSTEM)
    return settled


JOBS = (
    Job(
        "vip.search_candidates",
        _l("Find customers who meet the VIP conditions"),
        search_candidates,
        schedule=Schedule(minute="20", hour="1"),
        idempotent=True,
    ),
    Job(
        "vip.review_memberships",
        _l("Propose VIP renewals, end expired memberships, settle points"),
        review_memberships,
        schedule=Schedule(minute="40", hour="1"),
        idempotent=True,
    ),
)
