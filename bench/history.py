"""What years of work leave behind, beside customers and purchases: decided requests, the audit trail, tiers, a manual.

Made once for a database that `bench.data` filled; a database that has it is left alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, text, update

from bench.data import SEED, Company, chunks
from bench.procedures import make_manual
from plugins.key_accounts.measures.services import recompute_all
from plugins.key_accounts.tiers.models import IMPORTANT, KEY, CustomerTier
from plugins.sop.manuals.models import Manual
from portal.approvals.models import ApprovalDecision, ApprovalRequest, ApprovalSeat, ApprovalStep
from portal.audit.models import AuditHead
from portal.audit.services import record
from portal.core import clock
from portal.core.transaction import transaction
from portal.customers.models import Customer
from portal.demo.customers import moment
from portal.extensions import db
from portal.org.actor import load_actor
from portal.org.models import AUDITOR, Department, User, UserRole

#: How many of each the full benchmark has; with fewer customers there are fewer in proportion.
APPROVALS, ENTRIES, DECIDED_TIERS = 20_000, 100_000, 3_000
FULL = 200_000
ENTRIES_AT_ONCE = 5_000


def fill(company: Company, customers: int) -> None:
    """Make what is missing. :param customers: how many the database has."""
    rng = random.Random(SEED)
    share = customers / FULL
    _approvals(max(int(APPROVALS * share), 20), rng)
    _trail(company, max(int(ENTRIES * share), 100))
    if not db.session.scalar(select(func.count()).select_from(CustomerTier)):
        db.session.remove()
        recompute_all()
        _tiers(max(int(DECIDED_TIERS * share), 20))
    db.session.rollback()
    if db.session.scalar(select(Manual.id).limit(1)) is None:
        db.session.rollback()
        make_manual(company.head)
    db.session.rollback()
    if db.session.scalar(select(User.id).where(User.login == AUDITOR)) is None:
        _auditor()
    db.session.remove()


def _auditor() -> None:
    with transaction() as session:
        root = session.scalars(select(Department).where(Department.parent_id.is_(None))).one()
        user = User(
            login=AUDITOR,
            name=AUDITOR,
            name_sort=AUDITOR,
            department_id=root.id,
            person_key=AUDITOR,
            created_at=clock.now(),
            roles=[UserRole(role=AUDITOR)],
        )
        session.add(user)


def _approvals(wanted: int, rng: random.Random) -> None:
    """VIP applications of the last two years that heads decided, beside those that wait."""
    made = db.session.scalar(select(func.count()).select_from(ApprovalRequest)) or 0
    heads = {row.id: row.head_id for row in db.session.execute(select(Department.id, Department.head_id))}
    first = db.session.scalar(select(func.max(ApprovalRequest.id))) or 0
    seat = max(
        db.session.scalar(select(func.max(model.id))) or 0 for model in (ApprovalSeat, ApprovalStep, ApprovalDecision)
    )
    customers = db.session.execute(
        select(Customer.id, Customer.name, Customer.department_id, Customer.account_manager_id)
        .where(Customer.account_manager_id.is_not(None))
        .order_by(Customer.id)
    ).all()
    db.session.rollback()
    today = clock.today()

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(1, wanted - made + 1):
            customer = rng.choice(customers)
            yield {
                "number": number,
                "customer": customer,
                "at": moment(today - timedelta(days=rng.randint(2, 700)), rng.randint(8, 17)),
                "approved": rng.random() < 0.8,
            }

    for part in chunks(rows()):
        with transaction() as session:
            session.execute(insert(ApprovalRequest), [_request(row, first) for row in part])
            session.execute(insert(ApprovalStep), [_step(row, first, seat) for row in part])
            session.execute(insert(ApprovalSeat), [_seat(row, first, seat, heads) for row in part])
            session.execute(insert(ApprovalDecision), [_decision(row, first, seat, heads) for row in part])
            # Closed as the engine closes them; the database refuses an end without its decision.
            for outcome in ("approved", "rejected"):
                ids = [first + row["number"] for row in part if row["approved"] == (outcome == "approved")]
                session.execute(
                    update(ApprovalRequest)
                    .where(ApprovalRequest.id.in_(ids))
                    .values(state=outcome, closed_at=ApprovalRequest.filed_at)
                )
            numbers = [seat + row["number"] for row in part]
            for model, state in ((ApprovalStep, "closed"), (ApprovalSeat, "closed")):
                session.execute(update(model).where(model.id.in_(numbers)).values(state=state))
    if made < wanted:
        _sequences(ApprovalRequest, ApprovalStep, ApprovalSeat, ApprovalDecision)


def _request(row: dict[str, Any], first: int) -> dict[str, Any]:
    customer = row["customer"]
    return {
        "id": first + row["number"],
        "kind": "vip.application",
        "policy_version": "1",
        "round": 1,
        "subject_type": "customer",
        "subject_id": customer.id,
        "scope": f"history:{row['number']}",
        "title": customer.name,
        "payload_json": "{}",
        "applicant_id": customer.account_manager_id,
        "department_id": customer.department_id,
        "applicant_department_id": customer.department_id,
        "customer_id": customer.id,
        "token": f"history-{row['number']}",
        "state": "pending",
        "version": 1,
        "step_position": 1,
        "created_at": row["at"],
        "filed_at": row["at"],
        "expires_at": row["at"] + timedelta(days=60),
    }


def _step(row: dict[str, Any], first: int, seat: int) -> dict[str, Any]:
    return {
        "id": seat + row["number"],
        "request_id": first + row["number"],
        "position": 1,
        "key": "head",
        "title": "部门主管",
        "mode": "any",
        "rules_json": "[]",
        "deadline_working_days": 3,
        "state": "open",
        "opened_at": row["at"],
    }


def _seat(row: dict[str, Any], first: int, seat: int, heads: dict[int, int]) -> dict[str, Any]:
    return {
        "id": seat + row["number"],
        "request_id": first + row["number"],
        "step_id": seat + row["number"],
        "slot": 0,
        "user_id": heads[row["customer"].department_id],
        "basis": "department_head",
        "state": "open",
        "opened_at": row["at"],
    }


def _decision(row: dict[str, Any], first: int, seat: int, heads: dict[int, int]) -> dict[str, Any]:
    return {
        "id": seat + row["number"],
        "request_id": first + row["number"],
        "step_id": seat + row["number"],
        "seat_id": seat + row["number"],
        "vote": "approve" if row["approved"] else "reject",
        "outcome": "approved" if row["approved"] else "rejected",
        "by_id": heads[row["customer"].department_id],
        "person": f"head{row['customer'].department_id}",
        "authority": "department head",
        "opinion": "同意。" if row["approved"] else "条件不足。",
        "policy_version": "1",
        "digest": "0" * 64,
        "decided_at": row["at"],
    }


def _trail(company: Company, wanted: int) -> None:
    """Entries about customers, chained by the trail's own writer."""
    made = db.session.scalar(select(AuditHead.seq).where(AuditHead.id == 1)) or 0
    actor = load_actor(company.manager)
    customers = db.session.execute(select(Customer.id, Customer.name).order_by(Customer.id).limit(5_000)).all()
    db.session.rollback()
    for begin in range(made, wanted, ENTRIES_AT_ONCE):
        with transaction():
            for number in range(begin, min(begin + ENTRIES_AT_ONCE, wanted)):
                customer = customers[number % len(customers)]
                record(
                    actor,
                    "customers:customer:change",
                    object_type="customer",
                    object_id=customer.id,
                    object_label=customer.name,
                    customer_id=customer.id,
                    old={"stage": "potential"},
                    new={"stage": "ordering"},
                )


def _tiers(wanted: int) -> None:
    """Tiers decided for the best customers: a tenth key customers, the rest important ones."""
    best = list(db.session.scalars(select(Customer.id).order_by(Customer.total_12m.desc(), Customer.id).limit(wanted)))
    db.session.rollback()
    now = clock.now()
    rows = [
        {
            "customer_id": customer,
            "tier": KEY if number < wanted // 10 else IMPORTANT,
            "since": clock.today() - timedelta(days=100),
            "role_customers": number % 2 == 0,
            "updated_at": now,
            "version": 1,
        }
        for number, customer in enumerate(best)
    ]
    with transaction() as session:
        session.execute(insert(CustomerTier), rows)


def _sequences(*models: Any) -> None:
    if db.engine.dialect.name != "postgresql":
        return
    with transaction() as session:
        for model in models:
            name = model.__tablename__
            session.execute(
                text("SELECT setval(pg_get_serial_sequence(:t, 'id'), (SELECT max(id) FROM " + name + "))"), {"t": name}
            )
