"""One rule: what a list shows is what single checks allow, and "who can see this" names the same people.

Random organisations: trees of departments with heads and deputies anywhere, people with any roles, active or not,
customers with any account manager or none.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from werkzeug.datastructures import MultiDict

from portal.core.permissions import can, decide, holders, visible
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.customers.models import Contact, Customer
from portal.customers.page import visible_names
from portal.extensions import db
from portal.org import models as org
from portal.org.actor import load_actor

NOW = datetime(2026, 1, 5, tzinfo=UTC)
ABOUT_CUSTOMERS = ("customers.view", "customers.edit", "customers.reveal", "customers.assign")
ROLES = (org.ACCOUNT_MANAGER, org.EXECUTIVE, org.AUDITOR, org.ADMINISTRATOR, org.ARCHIVE_MAINTAINER)


@st.composite
def organisations(draw: st.DrawFn) -> dict[str, list[tuple[int, ...]]]:
    """Numbers that stand for rows: parents, heads, people, customers."""
    departments = draw(st.integers(1, 5))
    people = draw(st.integers(1, 6))
    customers = draw(st.integers(1, 6))
    number = st.integers(-1, people - 1)
    return {
        # parent (−1: none), head, deputy, active
        "departments": [
            (draw(st.integers(-1, index - 1)) if index else -1, draw(number), draw(number), draw(st.integers(0, 4)))
            for index in range(departments)
        ],
        # department, active, roles as bits
        "people": [
            (draw(st.integers(0, departments - 1)), draw(st.integers(0, 5)), draw(st.integers(0, 2 ** len(ROLES) - 1)))
            for _person in range(people)
        ],
        # account manager, department, status: 0 merged into the first, 1 inactive, else active
        "customers": [
            (draw(number), draw(st.integers(0, departments - 1)), draw(st.integers(0, 4)))
            for _customer in range(customers)
        ],
    }


def build(plan: dict[str, list[tuple[int, ...]]]) -> tuple[list[int], list[int]]:
    """Write the rows; ids of people and customers. Everything that was there keeps its place, nothing is shared."""
    with transaction() as session:
        departments: list[org.Department] = []
        for index, (parent, _head, _deputy, active) in enumerate(plan["departments"]):
            above = departments[parent] if parent >= 0 else None
            row = org.Department(
                code=f"p{index}", name=f"部门{index}", created_at=NOW, is_active=active != 0,
                parent_id=above.id if above else None,
            )  # fmt: skip
            session.add(row)
            session.flush()
            row.path = (above.path if above else "/") + f"{row.id}/"
            departments.append(row)
        people: list[org.User] = []
        for index, (department, active, roles) in enumerate(plan["people"]):
            user = org.User(
                login=f"p{index}", name=f"人{index}", department_id=departments[department].id, created_at=NOW,
                is_active=active != 0, person_key=f"property-{index}",
            )  # fmt: skip
            user.roles = [org.UserRole(role=role) for bit, role in enumerate(ROLES) if roles >> bit & 1]
            session.add(user)
            people.append(user)
        session.flush()
        for row, (_parent, head, deputy, _active) in zip(departments, plan["departments"], strict=True):
            row.head_id = people[head].id if head >= 0 else None
            row.deputy_id = people[deputy].id if deputy >= 0 and deputy != head else None
        customers: list[Customer] = []
        for index, (keeper, department, status) in enumerate(plan["customers"]):
            merged = status == 0 and index > 0
            customer = Customer(
                kind="dealer", name=f"随机客户{index}", name_sort=f"{index}", department_id=departments[department].id,
                account_manager_id=people[keeper].id if keeper >= 0 else None, stage_changed_at=NOW, created_at=NOW,
                updated_at=NOW, status="merged" if merged else "inactive" if status == 1 else "active",
                merged_into_id=customers[0].id if merged else None,
            )  # fmt: skip
            session.add(customer)
            session.flush()
            session.add(Contact(customer_id=customer.id, name="某人", name_sort="", created_at=NOW, updated_at=NOW))
            customers.append(customer)
        return [user.id for user in people], [customer.id for customer in customers]


def tear_down(people: list[int], customers: list[int]) -> None:
    with transaction() as session:
        session.query(Contact).filter(Contact.customer_id.in_(customers)).delete(synchronize_session=False)
        session.query(Customer).filter(Customer.id.in_(customers)).update(
            {"merged_into_id": None, "status": "active"}, synchronize_session=False
        )
        session.query(Customer).filter(Customer.id.in_(customers)).delete(synchronize_session=False)
        _forget_sums(people)
        departments = session.query(org.Department).filter(org.Department.code.like("p%"))
        departments.update({"head_id": None, "deputy_id": None}, synchronize_session=False)
        session.query(org.UserRole).filter(org.UserRole.user_id.in_(people)).delete(synchronize_session=False)
        session.query(org.User).filter(org.User.id.in_(people)).delete(synchronize_session=False)
        departments.update({"parent_id": None}, synchronize_session=False)
        departments.delete(synchronize_session=False)
    db.session.expunge_all()


def _forget_sums(people: list[int]) -> None:
    """Plugins keep sums by person and department; they stay behind as rows of zeros."""
    departments = select(org.Department.id).where(org.Department.code.like("p%"))
    for table in db.metadata.sorted_tables:
        if not table.name.startswith(("org_", "customer", "contact", "audit_")):
            for column in table.columns:
                for key in column.foreign_keys:
                    if key.column.table.name == "org_user":
                        db.session.execute(delete(table).where(column.in_(people)))
                    elif key.column.table.name == "org_department":
                        db.session.execute(delete(table).where(column.in_(departments)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=organisations())
def test_lists_single_checks_and_holders_agree(app: Flask, plan: dict[str, list[tuple[int, ...]]]) -> None:
    people, customers = build(plan)
    try:
        agree(people, customers)
    finally:
        db.session.rollback()
        tear_down(people, customers)


def agree(people: list[int], customers: list[int]) -> None:
    active = [user_id for user_id in people if db.session.get_one(org.User, user_id).is_active]
    actors = {user_id: load_actor(user_id) for user_id in active}
    every = list(db.session.scalars(select(Customer.id)))
    for permission in ABOUT_CUSTOMERS:
        allowed: dict[int, set[int]] = {}
        for user_id, actor in actors.items():
            rows = set(db.session.scalars(select(Customer.id).where(visible(actor, permission))))
            single = {customer_id for customer_id in every if can(actor, permission, customer_id)}
            assert rows == single, permission
            for customer_id in rows:
                allowed.setdefault(customer_id, set()).add(user_id)
        for customer_id in customers:
            found = holders(permission, customer_id)
            assert set(found) & set(people) == allowed.get(customer_id, set()), permission
            for user_id in set(found) & set(active):
                decision = decide(actors[user_id], permission, customer_id)
                assert {reason.key for reason in found[user_id]} == {reason.key for reason in decision.reasons}
    for actor in actors.values():
        rows = set(db.session.scalars(select(Customer.id).where(visible(actor, "customers.view"))))
        listing = registry("listings")["customers"]
        listed = {row.id for row in db.session.execute(listing.statement(actor, MultiDict()))}
        assert listed == rows
        assert listing.count_up_to(actor, MultiDict()) == len(rows)
        assert set(listing.selected_ids(actor, MultiDict([("ids", str(number)) for number in every]))) == rows
        contacts = registry("listings")["contacts"]
        owners = set(
            db.session.scalars(
                select(Contact.customer_id).where(
                    Contact.id.in_([row.id for row in db.session.execute(contacts.statement(actor, MultiDict()))])
                )
            )
        )
        assert owners <= rows
        assert owners & set(customers) == rows & set(customers)
        assert {key for key, _name, _keeper in visible_names(actor, "", limit=100)} <= rows
