"""Fills an empty, migrated database with the bench company: customers from real names, purchases from the CDNOW log."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from plugins.vip.models import VipMembership
from portal.approvals.services import file_request
from portal.core import clock
from portal.core.statistics import take_statistics
from portal.core.text import sort_key
from portal.core.transaction import transaction
from portal.customers import models
from portal.customers.search_index import CustomerTerm, terms_of
from portal.demo.customers import moment
from portal.extensions import db
from portal.org.actor import load_actor
from portal.org.models import ACCOUNT_MANAGER, EXECUTIVE, Department, User, UserRole
from portal.purchases.models import Product, Purchase, PurchaseLine

DEPARTMENTS = 10
MANAGERS_EACH = 10
INTERACTIONS_EACH = 4
CHUNK = 5000
SEED = 7


@dataclass(frozen=True)
class Company:
    """Ids of the people the benchmark logs in as."""

    manager: int
    head: int
    executive: int


def real_data() -> Path:
    """Folder with the real names and purchases."""
    folder = Path(os.environ.get("PORTAL_REALDATA", "../shared/data"))
    if not (folder / "company_short_names.txt").is_file():
        raise SystemExit(f"Real data is missing: {folder}. Name its folder in PORTAL_REALDATA.")
    return folder


def chunks(rows: Iterator[dict[str, Any]], size: int = CHUNK) -> Iterator[list[dict[str, Any]]]:
    """Rows in lists of a bounded length."""
    while part := list(islice(rows, size)):
        yield part


def company() -> Company:
    """The people of a database that was filled before."""
    found = dict(db.session.execute(select(User.login, User.id)).tuples().all())
    db.session.rollback()
    return Company(found["manager0_0"], found["head0"], found["executive"])


def fill(customers: int, lines: int) -> Company:
    """Build everything. :param customers: how many. :param lines: how many order lines at least."""
    rng = random.Random(SEED)
    with transaction() as session:
        staff, managers = _organisation()
        session.flush()
        _customers(session, customers, managers, rng)
        _products(session)
        _purchases(session, customers, lines, rng)
        _summaries(session)
        _contacts_and_interactions(session, customers, managers, rng)
        _members(session, rng)
        _sequences(session)
    _approvals(staff)
    analyse()
    return staff


def _organisation() -> tuple[Company, dict[int, list[int]]]:
    now = clock.now()

    def person(login: str, department: int, *roles: str) -> User:
        user = User(
            login=login, name=login, name_sort=login, department_id=department, person_key=login, created_at=now
        )
        user.roles = [UserRole(role=role) for role in roles]
        db.session.add(user)
        db.session.flush()
        return user

    root = Department(code="root", name="总部", created_at=now)
    db.session.add(root)
    db.session.flush()
    root.path = f"/{root.id}/"
    executive = person("executive", root.id, EXECUTIVE)
    managers: dict[int, list[int]] = {}
    first: tuple[int, int] | None = None
    for number in range(DEPARTMENTS):
        row = Department(code=f"d{number}", name=f"销售{number}部", parent_id=root.id, created_at=now)
        db.session.add(row)
        db.session.flush()
        row.path = f"{root.path}{row.id}/"
        head = person(f"head{number}", row.id)
        row.head_id = head.id
        managers[row.id] = [
            person(f"manager{number}_{index}", row.id, ACCOUNT_MANAGER).id for index in range(MANAGERS_EACH)
        ]
        first = first or (managers[row.id][0], head.id)
    db.session.flush()
    assert first is not None  # there is at least one department
    return Company(first[0], first[1], executive.id), managers


def _customers(session: Session, count: int, managers: dict[int, list[int]], rng: random.Random) -> None:
    names = (real_data() / "company_short_names.txt").read_text(encoding="utf-8").split("\n")
    names = [name.strip() for name in names if name.strip()][:count]
    today = clock.today()
    places = [(department, manager) for department, people in managers.items() for manager in people]
    stages = ("to_identify", "potential", "opportunity", "ordering", "user")
    regions = ("110000", "310000", "440300", "330100", "510100", "320500")

    def rows() -> Iterator[dict[str, Any]]:
        for number, name in enumerate(names, start=1):
            department, manager = rng.choice(places)
            created = moment(today - timedelta(days=rng.randint(1, 1500)), rng.randint(8, 17), rng.randint(0, 59))
            yield {
                "id": number,
                "party": "organisation",
                "kind": rng.choice(("end_user", "dealer", "retailer")),
                "name": name,
                "name_sort": sort_key(name)[:200],
                "region_code": rng.choice(regions),
                "industry": rng.choice(("食品", "软件服务", "电气设备", "医疗保健")),
                "account_manager_id": manager,
                "department_id": department,
                "stage": rng.choice(stages),
                "stage_changed_at": created,
                "status": "active",
                "created_at": created,
                "updated_at": created,
                "last_contact_at": moment(today - timedelta(days=rng.randint(1, 400)), 10)
                if rng.random() < 0.3
                else None,
                "next_contact_on": today + timedelta(days=rng.randint(-5, 30)) if rng.random() < 0.05 else None,
                "version": 1,
            }

    for part in chunks(rows()):
        session.execute(insert(models.Customer), part)

    def terms() -> Iterator[dict[str, Any]]:
        for number, name in enumerate(names, start=1):
            for kind, term in terms_of([name], False):
                yield {"kind": kind, "term": term, "customer_id": number}

    # In the order of the primary key: the index is written once, from left to right.
    everything = sorted(terms(), key=lambda row: (row["kind"], row["term"], row["customer_id"]))
    for part in chunks(iter(everything), 20_000):
        session.execute(insert(CustomerTerm), part)


def _products(session: Session) -> None:
    now = clock.now()
    session.execute(
        insert(Product),
        [
            {
                "id": number,
                "code": f"P{number:03d}",
                "name": f"商品{number}",
                "name_sort": f"shangpin{number:03d}",
                "category": f"类别{number % 5}",
                "grade": ("high", "middle", "ordinary")[number % 3],
                "unit": "件",
                "list_price": Decimal(number * 37 + 20),
                "unit_cost": Decimal(number * 20 + 10),
                "is_active": True,
                "created_at": now,
                "version": 1,
            }
            for number in range(1, 51)
        ],
    )


def _log() -> Iterator[tuple[int, date, int]]:
    """(customer of the log, day moved into the last eighteen months, units) of the CDNOW purchase log."""
    first = date(1997, 1, 1)
    begin = clock.today() - timedelta(days=546)
    for line in (real_data() / "cdnow" / "master.txt").read_text(encoding="ascii").splitlines():
        parts = line.split()
        if len(parts) >= 4 and parts[1].isdigit():
            day = date(int(parts[1][:4]), int(parts[1][4:6]), int(parts[1][6:8]))
            yield int(parts[0]), begin + (day - first), max(int(parts[2]), 1)


def _purchases(session: Session, customers: int, wanted: int, rng: random.Random) -> None:
    today = clock.today()

    def orders() -> Iterator[tuple[int, date, int]]:
        stride = max(customers // 23_570, 1)
        for customer, day, units in _log():
            yield (customer * stride) % customers + 1, min(day, today), units
        while True:
            yield rng.randint(1, customers), today - timedelta(days=rng.randint(0, 1200)), rng.randint(1, 8)

    made = 0
    heads: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for number, (customer, day, units) in enumerate(orders(), 1):
        total = cost = better = Decimal(0)
        for position in range(1, rng.choice((1, 2, 2, 3, 4)) + 1):
            product = rng.randint(1, 50)
            price, unit_cost = Decimal(product * 37 + 20), Decimal(product * 20 + 10)
            amount = price * units
            grade = ("high", "middle", "ordinary")[product % 3]
            lines.append(
                {
                    "purchase_id": number,
                    "position": position,
                    "product_id": product,
                    "quantity": units,
                    "unit_price": price,
                    "discount": Decimal(0),
                    "amount": amount,
                    "unit_cost": unit_cost,
                    "grade": grade,
                }
            )
            total, cost = total + amount, cost + unit_cost * units
            better += amount if grade != "ordinary" else 0
            made += 1
        heads.append(
            {
                "id": number,
                "customer_id": customer,
                "number": f"B{number:07d}",
                "purchased_on": day,
                "paid_on": day if number % 9 else None,
                "total": total,
                "cost": cost,
                "total_high_middle": better,
                "created_at": moment(day, 12),
                "version": 1,
            }
        )
        if len(heads) >= CHUNK or made >= wanted:
            session.execute(insert(Purchase), heads)
            session.execute(insert(PurchaseLine), lines)
            heads, lines = [], []
        if made >= wanted:
            return


def _summaries(session: Session) -> None:
    """The purchase summaries in one statement each, as the portal's own rebuild would leave them."""
    since = clock.today() - timedelta(days=365)
    session.execute(
        text(
            "UPDATE customer SET purchase_count = s.n, last_purchase_on = s.last, total_12m = s.recent FROM ("
            " SELECT customer_id, count(*) AS n, max(purchased_on) AS last,"
            " sum(CASE WHEN purchased_on > :since THEN total ELSE 0 END) AS recent"
            " FROM purchase GROUP BY customer_id) AS s WHERE s.customer_id = customer.id"
        ),
        {"since": since},
    )
    from portal.purchases import summaries

    rebuild = getattr(summaries, "rebuild_all", None)
    if rebuild is not None:
        rebuild()


def _contacts_and_interactions(
    session: Session, customers: int, managers: dict[int, list[int]], rng: random.Random
) -> None:
    now = clock.now()
    people = [person for group in managers.values() for person in group]
    contacts = (
        {
            "id": number,
            "customer_id": number * 2,
            "name": f"联系人{number}",
            "name_sort": f"lianxiren{number:07d}",
            "is_primary": True,
            "is_active": True,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        for number in range(1, customers // 2 + 1)
    )
    for part in chunks(contacts):
        session.execute(insert(models.Contact), part)
    today = clock.today()
    interactions = (
        {
            "id": number,
            "customer_id": rng.randint(1, customers),
            "kind": rng.choice(("visit", "phone", "email")),
            "at": moment(today - timedelta(days=rng.randint(1, 500)), rng.randint(8, 17)),
            "minutes": rng.choice((10, 30, 60)),
            "subject": "例行沟通",
            "result": "按计划推进。",
            "author_id": rng.choice(people),
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        for number in range(1, customers // INTERACTIONS_EACH + 1)
    )
    for part in chunks(interactions):
        session.execute(insert(models.Interaction), part)


def _members(session: Session, rng: random.Random) -> None:
    today = clock.today()
    ids = session.execute(
        text("SELECT id FROM customer WHERE total_12m > 500000 ORDER BY total_12m DESC, id LIMIT 5000")
    ).scalars()
    rows = [
        {
            "id": number,
            "number": f"VIP-{today.year}-{number:06d}",
            "customer_id": customer,
            "level": rng.choice(("silver", "gold", "diamond")),
            "valid_from": today - timedelta(days=200),
            "valid_until": today + timedelta(days=rng.randint(1, 160)),
            "state": "active",
            "condition": "single",
            "points": rng.randint(0, 9000),
            "created_at": clock.now(),
            "version": 1,
        }
        for number, customer in enumerate(ids, start=1)
    ]
    if rows:
        session.execute(insert(VipMembership), rows)


def _approvals(company: Company) -> None:
    """Two hundred applications of the account manager wait for his head, filed through the engine itself."""
    from plugins.vip.models import VipApplication

    actor = load_actor(company.manager)
    ids = list(
        db.session.scalars(
            text("SELECT id FROM customer WHERE account_manager_id = :m ORDER BY id LIMIT 200").bindparams(
                m=company.manager
            )
        )
    )
    for start in range(0, len(ids), 50):
        with transaction():
            for customer_id in ids[start : start + 50]:
                customer = db.session.get(models.Customer, customer_id)
                assert customer is not None  # the id was read above
                application = VipApplication(
                    customer_id=customer_id,
                    route="customer",
                    condition="exception",
                    reason="基准测试",
                    level="silver",
                    created_at=clock.now(),
                    created_by_id=actor.user_id,
                )
                db.session.add(application)
                db.session.flush()
                file_request(
                    "vip.application",
                    actor,
                    subject_type="customer",
                    subject_id=customer_id,
                    title=customer.name,
                    payload={"application": application.id, "condition": "exception", "route": "customer"},
                    department_id=customer.department_id,
                    customer_id=customer_id,
                    token=f"bench-{customer_id}",
                    scope="member:0",
                )


def _sequences(session: Session) -> None:
    if db.engine.dialect.name != "postgresql":
        return
    for table in ("customer", "contact", "interaction", "product", "purchase", "vip_membership"):
        session.execute(
            text("SELECT setval(pg_get_serial_sequence(:t, 'id'), (SELECT max(id) FROM " + table + "))"), {"t": table}
        )


def analyse() -> None:
    """Statistics for the planner, as the portal's nightly job and PostgreSQL's autovacuum keep them."""
    take_statistics()
    db.session.remove()
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.commit()
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")
        else:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
