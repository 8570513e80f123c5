"""The lists of this module: people for administrators, the staff directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select, select, true

from portal.core import components
from portal.core.listing import CellContext, Column, EmptyText, Filter, FilterValue, Listing, Scene
from portal.core.numbers import id_from
from portal.core.permissions import Actor
from portal.i18n import _, _l
from portal.org import queries
from portal.org.models import Department, User, UserRole
from portal.org.roles import ROLE_TEXTS, role_name


def _with_department(statement: Select[Any]) -> Select[Any]:
    return statement.join(Department, Department.id == User.department_id)


def _department_choices(_actor: Actor) -> list[tuple[str, str]]:
    return [(str(number), name) for number, name in queries.departments_indented()]


def _in_departments(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    """The departments chosen and everything below them."""
    chosen = [number for text in value.values if (number := id_from(text)) is not None]
    top = select(Department.path).where(Department.id.in_(chosen)).subquery()
    below = select(Department.id).join(top, Department.path.like(top.c.path + "%"))
    return User.department_id.in_(below)


def _with_roles(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    return User.id.in_(select(UserRole.user_id).where(UserRole.role.in_(value.values)))


def _search(text: str, _actor: Actor) -> ColumnElement[bool]:
    return queries.name_matches(text)


def _roles_of_page(rows: Sequence[Any], _actor: Actor) -> Mapping[str, Any]:
    return {"roles": queries.roles_of([row.id for row in rows])}


def _role_cell(row: Any, context: CellContext) -> Any:
    roles = context.extras.get("roles", {}).get(row.id, [])
    return components.tags((role_name(role) for role in roles), "info") if roles else components.DASH


def _role_export(row: Any, context: CellContext) -> str:
    return _(", ").join(role_name(role) for role in context.extras.get("roles", {}).get(row.id, []))


def _state_cell(row: Any, _context: CellContext) -> Any:
    return components.tag(_("Active"), "success") if row.is_active else components.tag(_("Left"), "neutral")


def _mail_cell(row: Any, _context: CellContext) -> Any:
    return components.link(row.email, f"mailto:{row.email}") if row.email else components.DASH


def _phone_cell(row: Any, _context: CellContext) -> Any:
    number = "".join(character for character in row.phone if character.isdigit() or character == "+")
    return components.link(row.phone, f"tel:{number}") if row.phone else components.DASH


DEPARTMENT_FILTER = Filter("department", _l("Department"), "choice", _in_departments, _department_choices)
ROLE_FILTER = Filter(
    "role", _l("Role"), "choice", _with_roles, lambda _actor: [(key, name) for key, name, _help in ROLE_TEXTS]
)

NAME = Column("name", _l("Full name"), {"name": User.name}, sort=User.name_sort, sticky=True)
LOGIN = Column("login", _l("Log-in name"), {"login": User.login}, sort=User.login)
DEPARTMENT = Column("department", _l("Department"), {"department": Department.name})
TITLE = Column("title", _l("Job title"), {"title": User.title})
EMAIL = Column("email", _l("E-mail"), {"email": User.email}, cell=_mail_cell)
PHONE = Column("phone", _l("Telephone"), {"phone": User.phone}, cell=_phone_cell)

PEOPLE = Listing(
    key="people",
    title=_l("People"),
    endpoint="org.people",
    identity=User.id,
    source=_with_department,
    where=lambda _actor: [true()],
    columns=[
        NAME,
        LOGIN,
        DEPARTMENT,
        TITLE,
        Column("roles", _l("Roles"), {}, cell=_role_cell, export=_role_export),
        EMAIL,
        PHONE,
        Column(
            "state",
            _l("State"),
            {"is_active": User.is_active},
            cell=_state_cell,
            export=lambda row, _context: _("Active") if row.is_active else _("Left"),
        ),
    ],
    default_sort="name",
    filters=[DEPARTMENT_FILTER, ROLE_FILTER],
    scenes=[
        Scene("active", _l("Active"), lambda _actor: User.is_active),
        Scene("left", _l("Left"), lambda _actor: ~User.is_active),
    ],
    row_url=lambda row: url_for("org.person", user_id=row.id),
    search=_search,
    prepare=_roles_of_page,
    empty=EmptyText(_l("Nobody here"), _l("No person fits."), _l("Add a person"), "org.create_person"),
    muted=lambda row: not getattr(row, "is_active", True),
)

DIRECTORY = Listing(
    key="directory",
    title=_l("Staff directory"),
    endpoint="org.directory",
    identity=User.id,
    source=_with_department,
    where=lambda _actor: [User.is_active],
    columns=[NAME, DEPARTMENT, TITLE, PHONE, EMAIL],
    default_sort="name",
    filters=[DEPARTMENT_FILTER],
    row_url=lambda row: url_for("org.colleague", user_id=row.id),
    search=_search,
    empty=EmptyText(_l("Nobody found"), _l("Search by name, pinyin, initials or telephone number.")),
)
