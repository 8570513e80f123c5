"""The tree of departments."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import func, select, update

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid
from portal.core.text import clean_name
from portal.extensions import db
from portal.i18n import _
from portal.org import queries
from portal.org.actions import Action
from portal.org.actor import Actor
from portal.org.models import Department, User
from portal.org.services.base import as_dict, check_text, differences, locked, require_manage

CODE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$")

#: The column `path` holds 200 characters: more levels than any organisation has.
LONGEST_PATH = 200


@dataclass(frozen=True)
class DepartmentInput:
    """A department as an administrator describes it."""

    name: str
    code: str
    parent_id: int | None = None
    head_id: int | None = None
    deputy_id: int | None = None


def create_department(data: DepartmentInput, actor: Actor) -> Department:
    """Add a department. :raises Invalid: for each broken rule."""
    require_manage(actor)
    _lock_tree()
    cleaned = _checked_department(data, None)
    department = Department(
        name=cleaned.name,
        code=cleaned.code,
        parent_id=cleaned.parent_id,
        head_id=cleaned.head_id,
        deputy_id=cleaned.deputy_id,
        created_at=clock.now(),
        path="",
    )
    db.session.add(department)
    db.session.flush()
    department.path = _path_below(cleaned.parent_id) + f"{department.id}/"
    db.session.flush()
    record(
        actor,
        Action.DEPARTMENT_CREATE,
        object_type="department",
        object_id=department.id,
        object_label=department.name,
        new=as_dict(cleaned),
    )
    return department


def edit_department(department_id: int, data: DepartmentInput, version: int, actor: Actor) -> Department:
    """Change or move a department; moving takes everything below along.

    :raises Conflict: as for `edit_person`.
    """
    require_manage(actor)
    _lock_tree()
    department = locked(Department, department_id)
    before = department_input(department)
    if department.version != version:
        raise Conflict(
            _("Somebody else changed this department meanwhile."), current=before, version=department.version
        )
    cleaned = _checked_department(data, department)
    old, new = differences(before, cleaned)
    if not new:
        return department
    department.name, department.code = cleaned.name, cleaned.code
    department.head_id, department.deputy_id = cleaned.head_id, cleaned.deputy_id
    if cleaned.parent_id != before.parent_id:
        _move(department, cleaned.parent_id)
    db.session.flush()
    record(
        actor,
        Action.DEPARTMENT_EDIT,
        object_type="department",
        object_id=department.id,
        object_label=department.name,
        old=old,
        new=new,
    )
    return department


def department_input(department: Department) -> DepartmentInput:
    """A department as the form shows it."""
    return DepartmentInput(
        name=department.name,
        code=department.code,
        parent_id=department.parent_id,
        head_id=department.head_id,
        deputy_id=department.deputy_id,
    )


def _checked_department(data: DepartmentInput, department: Department | None) -> DepartmentInput:
    errors = ErrorList()
    name, code = clean_name(data.name), clean_name(data.code)
    own_id = department.id if department else 0
    check_text(errors, "name", name, 100, required=True)
    if not CODE.match(code):
        errors.add("code", _("Use 1 to 20 letters A-Z, digits, hyphens; begin with a letter or digit."))
    elif db.session.scalar(
        select(Department.id).where(func.lower(Department.code) == code.lower(), Department.id != own_id)
    ):
        errors.add("code", _("This code is taken."))
    if data.parent_id is not None:
        _check_parent(errors, data.parent_id, department)
    for field, person_id, before in (
        ("head_id", data.head_id, department.head_id if department else None),
        ("deputy_id", data.deputy_id, department.deputy_id if department else None),
    ):
        if person_id is None or person_id == before:
            continue
        found = db.session.get(User, person_id)
        if found is None or not found.is_active:
            errors.add(field, _("Choose somebody who works here."))
    if data.head_id is not None and data.head_id == data.deputy_id:
        errors.add("deputy_id", _("Head and deputy are two people."))
    errors.raise_if_any()
    return DepartmentInput(name, code, data.parent_id, data.head_id, data.deputy_id)


def _check_parent(errors: ErrorList, parent_id: int, department: Department | None) -> None:
    parent = db.session.get(Department, parent_id, populate_existing=True)
    if parent is None:
        errors.add("parent_id", _("Choose a department."))
    elif department is not None and parent.path.startswith(department.path):
        errors.add("parent_id", _("A department cannot stand below itself."))
    elif not parent.is_active and (department is None or department.parent_id != parent_id):
        errors.add("parent_id", _("This department is closed."))
    elif len(parent.path) + _height(department) + 20 > LONGEST_PATH:
        errors.add("parent_id", _("There are too many levels."))


def _height(department: Department | None) -> int:
    """Length of the longest path below a department, counted from its own."""
    if department is None:
        return 0
    longest = db.session.scalar(
        select(func.max(func.length(Department.path))).where(
            Department.path.startswith(department.path, autoescape=True)
        )
    )
    return int(longest or 0) - len(department.path)


def _path_below(parent_id: int | None) -> str:
    return queries.department(parent_id).path if parent_id is not None else "/"


def _move(department: Department, parent_id: int | None) -> None:
    """Hang a department below another one; the paths of everything below follow."""
    old_path = department.path
    new_path = _path_below(parent_id) + f"{department.id}/"
    department.parent_id = parent_id
    db.session.flush()
    db.session.execute(
        update(Department)
        .where(Department.path.startswith(old_path, autoescape=True))
        .values(path=new_path + func.substr(Department.path, len(old_path) + 1))
        .execution_options(synchronize_session=False)
    )
    db.session.expire_all()


def _lock_tree() -> None:
    """One change of the tree at a time: two moves at once could make a circle (SQLite has one writer anyway)."""
    db.session.execute(select(Department.id).order_by(Department.id).with_for_update())


def close_department(department_id: int, actor: Actor) -> Department:
    """Close a department without people and open departments below. :raises Invalid: when there are any."""
    require_manage(actor)
    _lock_tree()
    department = locked(Department, department_id)
    if not department.is_active:
        return department
    people = db.session.scalar(
        select(func.count()).select_from(User).where(User.department_id == department.id, User.is_active)
    )
    below = db.session.scalar(
        select(func.count()).select_from(Department).where(Department.parent_id == department.id, Department.is_active)
    )
    errors = ErrorList()
    if people:
        errors.add("", _("%(count)s people still work here. Move them first.", count=people))
    if below:
        errors.add("", _("%(count)s departments below are still open. Move or close them first.", count=below))
    errors.raise_if_any()
    department.is_active = False
    db.session.flush()
    record(
        actor,
        Action.DEPARTMENT_CLOSE,
        object_type="department",
        object_id=department.id,
        object_label=department.name,
    )
    return department


def reopen_department(department_id: int, actor: Actor) -> Department:
    """Open a closed department again. :raises Invalid: when the one above is closed."""
    require_manage(actor)
    _lock_tree()
    department = locked(Department, department_id)
    if department.is_active:
        return department
    if department.parent_id is not None and not queries.department(department.parent_id).is_active:
        raise Invalid([("", _("The department above is closed."))])
    department.is_active = True
    db.session.flush()
    record(
        actor,
        Action.DEPARTMENT_REOPEN,
        object_type="department",
        object_id=department.id,
        object_label=department.name,
    )
    return department
