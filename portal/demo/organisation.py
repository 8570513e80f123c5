"""Departments and people of the demo company."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.auth.services import give_password
from portal.core.text import sort_key
from portal.demo import words
from portal.extensions import db
from portal.org.models import Department, User, UserRole


@dataclass(frozen=True)
class Staff:
    """Ids by code and by login."""

    departments: dict[str, int]
    people: dict[str, int]
    managers: dict[str, list[int]]


def create(created_at: datetime) -> Staff:
    """Create departments, people, heads and log-ins (inside the caller's transaction)."""
    departments = _departments(created_at)
    people: dict[str, User] = {}
    for login, name, department, title, roles in words.PEOPLE:
        user = User(
            login=login,
            name=name,
            name_sort=sort_key(name)[:300],
            email=f"{login}@heshan.example",
            title=title,
            department_id=departments[department].id,
            person_key=f"demo-{login}",
            created_at=created_at,
        )
        user.roles = [UserRole(role=role) for role in roles]
        db.session.add(user)
        people[login] = user
    db.session.flush()
    for code, (head, deputy) in words.HEADS.items():
        departments[code].head_id = people[head].id if head else None
        departments[code].deputy_id = people[deputy].id if deputy else None
    for user in people.values():
        give_password(user.id, words.PASSWORD)
    db.session.flush()
    managers: dict[str, list[int]] = {}
    for login, _name, department, _title, roles in words.PEOPLE:
        if "account_manager" in roles:
            managers.setdefault(department, []).append(people[login].id)
    return Staff(
        {code: row.id for code, row in departments.items()},
        {login: user.id for login, user in people.items()},
        managers,
    )


def _departments(created_at: datetime) -> dict[str, Department]:
    found: dict[str, Department] = {}
    for code, name, parent in words.DEPARTMENTS:
        row = Department(code=code, name=name, created_at=created_at)
        row.parent_id = found[parent].id if parent else None
        db.session.add(row)
        db.session.flush()
        row.path = (found[parent].path if parent else "/") + f"{row.id}/"
        found[code] = row
    return found
