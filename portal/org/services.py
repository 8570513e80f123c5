"""People, departments, delegations, leaving: the rules and the writes. Called inside a transaction; only flushes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm.attributes import flag_modified

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid, NotAllowed, NotFound
from portal.core.permissions import require
from portal.core.registry import registry
from portal.core.text import clean_name
from portal.extensions import db
from portal.i18n import LANGUAGE_CODES, _
from portal.org import delegation as rules
from portal.org import queries
from portal.org.actions import Action
from portal.org.actor import Actor
from portal.org.models import ADMINISTRATOR, ROLES, Delegation, Department, User, UserRole
from portal.org.permissions import DELEGATE, MANAGE
from portal.pluginmanager import manager

THEMES = frozenset({"auto", "light", "dark"})
LOGIN = re.compile(r"^[a-z0-9][a-z0-9._-]{1,63}$")
CODE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$")
# One @, something on both sides, a dot behind it. Whether it exists only a message shows.
EMAIL = re.compile(r"^[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+$")
PHONE = re.compile(r"^\+?[0-9][0-9 ()-]{2,30}$")
#: The column `path` holds 200 characters: more levels than any organisation has.
LONGEST_PATH = 200


@dataclass(frozen=True)
class PersonInput:
    """A person as an administrator describes him.

    :ivar person_key: staff number; two accounts of one natural person carry the same.
    """

    login: str
    name: str
    department_id: int | None
    roles: tuple[str, ...] = ()
    title: str = ""
    email: str = ""
    phone: str = ""
    supervisor_id: int | None = None
    person_key: str = ""


@dataclass(frozen=True)
class ProfileInput:
    """What people change about themselves."""

    email: str = ""
    phone: str = ""
    language: str = ""
    theme: str = "auto"


@dataclass(frozen=True)
class DepartmentInput:
    """A department as an administrator describes it."""

    name: str
    code: str
    parent_id: int | None = None
    head_id: int | None = None
    deputy_id: int | None = None


@dataclass(frozen=True)
class LeavingInput:
    """Somebody leaves.

    :ivar departments_too: the successor also becomes head of the departments headed by the one who leaves; otherwise
        they have no head and the department above decides (R-ORG-3).
    """

    successor_id: int | None
    departments_too: bool = True
    reason: str = ""


@dataclass(frozen=True)
class DelegationInput:
    """A head's delegation. Empty `kinds` and `departments` mean all of his."""

    delegate_id: int | None
    begins_at: datetime | None
    ends_at: datetime | None
    kinds: tuple[str, ...] = ()
    departments: tuple[int, ...] = ()
    reason: str = ""


# ---- people --------------------------------------------------------------------------------------------------------


def create_person(data: PersonInput, actor: Actor) -> User:
    """Add a person. He cannot log in before a password was issued. :raises Invalid: for each broken rule."""
    _require_manage(actor)
    cleaned = _checked_person(data, None)
    user = User(created_at=clock.now())
    _apply_person(user, cleaned)
    db.session.add(user)
    db.session.flush()
    record(
        actor,
        Action.PERSON_CREATE,
        object_type="user",
        object_id=user.id,
        object_label=user.name,
        new={"login": user.login, "department_id": user.department_id, "roles": sorted(cleaned.roles)},
        private={"name": user.name, "email": user.email, "phone": user.phone},
    )
    return user


def edit_person(user_id: int, data: PersonInput, version: int, actor: Actor) -> User:
    """Change a person.

    :param version: the version the editor had before him.
    :raises Conflict: when somebody else changed the person meanwhile; details: `current` (PersonInput), `version`.
    """
    _require_manage(actor)
    user = _locked(User, user_id)
    before = person_input(user)
    if user.version != version:
        raise Conflict(_("Somebody else changed this person meanwhile."), current=before, version=user.version)
    cleaned = _checked_person(data, user)
    old, new = _differences(before, cleaned)
    if not new:
        return user
    if ADMINISTRATOR in before.roles and ADMINISTRATOR not in cleaned.roles and user.is_active:
        _refuse_last_administrator(user)
    _apply_person(user, cleaned)
    # Roles stand in another table; the person counts as changed all the same.
    flag_modified(user, "name")
    db.session.flush()
    hidden = {"email", "phone"}
    record(
        actor,
        Action.PERSON_EDIT,
        object_type="user",
        object_id=user.id,
        object_label=user.name,
        old={key: value for key, value in old.items() if key not in hidden},
        new={key: value for key, value in new.items() if key not in hidden},
        private={key: [old[key], new[key]] for key in hidden & new.keys()} or None,
    )
    return user


def person_input(user: User) -> PersonInput:
    """A person as the form shows him."""
    return PersonInput(
        login=user.login,
        name=user.name,
        department_id=user.department_id,
        roles=tuple(sorted(role.role for role in user.roles)),
        title=user.title,
        email=user.email,
        phone=user.phone,
        supervisor_id=user.supervisor_id,
        person_key=user.person_key,
    )


def _checked_person(data: PersonInput, user: User | None) -> PersonInput:
    """The input, cleaned. :raises Invalid: with every broken rule."""
    errors = ErrorList()
    login, name = clean_name(data.login).casefold(), clean_name(data.name)
    if not LOGIN.match(login):
        errors.add("login", _("Use 2 to 64 letters a-z, digits, dots, hyphens; begin with a letter or digit."))
    elif db.session.scalar(select(User.id).where(User.login == login, User.id != (user.id if user else 0))):
        errors.add("login", _("This log-in name is taken."))
    _check_text(errors, "name", name, 100, required=True)
    title, person_key = clean_name(data.title), clean_name(data.person_key)
    _check_text(errors, "title", title, 100)
    _check_text(errors, "person_key", person_key, 64)
    email, phone = _check_contact(errors, data.email, data.phone)
    department = db.session.get(Department, data.department_id) if data.department_id else None
    if department is None:
        errors.add("department_id", _("Choose a department."))
    elif not department.is_active and (user is None or user.department_id != department.id):
        errors.add("department_id", _("This department is closed."))
    if unknown := set(data.roles) - set(ROLES):
        errors.add("roles", _("There is no role %(name)s.", name=", ".join(sorted(unknown))))
    if data.supervisor_id is not None:
        _check_supervisor(errors, data.supervisor_id, user)
    errors.raise_if_any()
    return PersonInput(
        login=login,
        name=name,
        department_id=data.department_id,
        roles=tuple(sorted(set(data.roles))),
        title=title,
        email=email,
        phone=phone,
        supervisor_id=data.supervisor_id,
        person_key=person_key,
    )


def _check_text(errors: ErrorList, field: str, text: str, longest: int, *, required: bool = False) -> None:
    if required and not text:
        errors.add(field, _("This must be filled in."))
    if len(text) > longest:
        errors.add(field, _("At most %(count)s characters.", count=longest))


def _check_contact(errors: ErrorList, email: str, phone: str) -> tuple[str, str]:
    email, phone = clean_name(email), clean_name(phone)
    if email and (len(email) > 254 or not EMAIL.match(email)):
        errors.add("email", _("This is not an e-mail address."))
    if phone and not PHONE.match(phone):
        errors.add("phone", _("Use digits, blanks, hyphens and brackets only."))
    return email, phone


def _check_supervisor(errors: ErrorList, supervisor_id: int, user: User | None) -> None:
    supervisor = db.session.get(User, supervisor_id)
    if supervisor is None or (not supervisor.is_active and (user is None or user.supervisor_id != supervisor_id)):
        errors.add("supervisor_id", _("Choose somebody who works here."))
        return
    seen: set[int] = set()
    above: User | None = supervisor
    while above is not None and above.id not in seen:
        if user is not None and above.id == user.id:
            errors.add("supervisor_id", _("Nobody can be his own superior, not even through others."))
            return
        seen.add(above.id)
        above = db.session.get(User, above.supervisor_id) if above.supervisor_id else None


def _apply_person(user: User, data: PersonInput) -> None:
    user.login, user.name = data.login, data.name
    user.title, user.email, user.phone = data.title, data.email, data.phone
    user.department_id = data.department_id or 0
    user.supervisor_id, user.person_key = data.supervisor_id, data.person_key
    kept = [role for role in user.roles if role.role in data.roles]
    present = {role.role for role in kept}
    user.roles = kept + [UserRole(role=role) for role in data.roles if role not in present]


def _refuse_last_administrator(user: User) -> None:
    others = db.session.scalar(
        select(func.count())
        .select_from(User)
        .join(UserRole)
        .where(UserRole.role == ADMINISTRATOR, User.is_active, User.id != user.id)
    )
    if not others:
        raise Invalid([("roles", _("This is the last administrator. Give the role to somebody else first."))])


def set_profile(data: ProfileInput, actor: Actor) -> User:
    """A person changes his own contact data, language and appearance."""
    if actor.user_id is None:
        raise NotAllowed()
    errors = ErrorList()
    email, phone = _check_contact(errors, data.email, data.phone)
    if data.language and data.language not in LANGUAGE_CODES:
        errors.add("language", _("Choose one of the languages."))
    if data.theme not in THEMES:
        errors.add("theme", _("Choose one of the appearances."))
    errors.raise_if_any()
    user = _locked(User, actor.user_id)
    old = {"email": user.email, "phone": user.phone}
    user.email, user.phone, user.language, user.theme = email, phone, data.language, data.theme
    db.session.flush()
    changed = {key: value for key, value in {"email": email, "phone": phone}.items() if old[key] != value}
    if changed:
        record(
            actor,
            Action.PROFILE_EDIT,
            object_type="user",
            object_id=user.id,
            object_label=user.name,
            new={"fields": sorted(changed)},
            private={key: [old[key], value] for key, value in changed.items()},
        )
    return user


def set_preferences(actor: Actor, *, language: str | None = None, theme: str | None = None) -> None:
    """A person chooses language or appearance; what is not given stays. Not audited: it concerns nobody else."""
    if actor.user_id is None:
        raise NotAllowed()
    values: dict[str, Any] = {}
    if language is not None and language in LANGUAGE_CODES:
        values["language"] = language
    if theme is not None and theme in THEMES:
        values["theme"] = theme
    if values:
        # Beside the version: an administrator who edits the person meanwhile changes other fields.
        db.session.execute(
            update(User).where(User.id == actor.user_id).values(values).execution_options(synchronize_session=False)
        )


# ---- leaving -------------------------------------------------------------------------------------------------------


def deactivate_person(user_id: int, data: LeavingInput, actor: Actor) -> User:
    """Somebody leaves (R-ORG-4): the account closes at once, work goes to the successor, nothing is deleted.

    Modules hand over what is theirs (customers, tasks, sessions) in the hook `user_deactivated`, in this transaction.

    :raises Invalid: without a successor where one is needed, or with an unfit one.
    """
    _require_manage(actor)
    user = _locked(User, user_id)
    if not user.is_active:
        raise Conflict(_("%(name)s has left already.", name=user.name))
    if user.id == actor.user_id:
        raise Invalid([("", _("Nobody closes his own account."))])
    headed = queries.headed_departments(user.id)
    successor = db.session.get(User, data.successor_id) if data.successor_id else None
    if data.successor_id and (successor is None or not successor.is_active or successor.id == user.id):
        raise Invalid([("successor_id", _("Choose somebody else who works here."))])
    if successor is None and (headed or any(role.role != ADMINISTRATOR for role in user.roles)):
        raise Invalid([("successor_id", _("Name who takes over the customers and the open work."))])
    if any(role.role == ADMINISTRATOR for role in user.roles):
        _refuse_last_administrator(user)
    now = clock.now()
    user.is_active, user.deactivated_at, user.successor_id = False, now, successor.id if successor else None
    db.session.flush()
    if successor is not None and data.departments_too:
        _hand_over_departments(user, successor)
    _revoke_delegations_of(user, actor, now)
    db.session.execute(
        update(User)
        .where(User.supervisor_id == user.id)
        .values(supervisor_id=successor.id if successor else None, version=User.version + 1)
        .execution_options(synchronize_session=False)
    )
    if successor is not None and successor.supervisor_id == successor.id:
        successor.supervisor_id = None
    db.session.flush()
    db.session.expire_all()
    manager().hook.user_deactivated(user=user, successor=successor, actor=actor)
    db.session.flush()
    record(
        actor,
        Action.PERSON_DEACTIVATE,
        object_type="user",
        object_id=user.id,
        object_label=user.name,
        new={
            "successor_id": successor.id if successor else None,
            "departments": [number for number, _name in headed],
            "departments_too": data.departments_too,
        },
        reason=clean_name(data.reason)[:500],
    )
    return user


def _hand_over_departments(user: User, successor: User) -> None:
    """The successor heads what the other one headed; a deputy who becomes head is deputy no more."""
    for department in db.session.scalars(
        select(Department).where(or_(Department.head_id == user.id, Department.deputy_id == user.id))
    ):
        if department.head_id == user.id:
            department.head_id = successor.id
            if department.deputy_id == successor.id:
                department.deputy_id = None
        elif department.head_id != successor.id:
            department.deputy_id = successor.id
        else:
            department.deputy_id = None
    db.session.flush()


def _revoke_delegations_of(user: User, actor: Actor, now: datetime) -> None:
    db.session.execute(
        update(Delegation)
        .where(
            or_(Delegation.delegator_id == user.id, Delegation.delegate_id == user.id),
            Delegation.revoked_at.is_(None),
            Delegation.ends_at > now,
        )
        .values(revoked_at=now, revoked_by_id=actor.user_id)
        .execution_options(synchronize_session=False)
    )


def reactivate_person(user_id: int, actor: Actor) -> User:
    """Somebody comes back. What was handed over stays with the successor; a new password has to be issued.

    :raises Invalid: when the department was closed meanwhile.
    """
    _require_manage(actor)
    user = _locked(User, user_id)
    if user.is_active:
        return user
    if not queries.department(user.department_id).is_active:
        raise Invalid([("", _("The department was closed meanwhile; move the person to another one first."))])
    user.is_active, user.deactivated_at, user.successor_id = True, None, None
    db.session.flush()
    record(actor, Action.PERSON_REACTIVATE, object_type="user", object_id=user.id, object_label=user.name)
    return user


# ---- departments ---------------------------------------------------------------------------------------------------


def create_department(data: DepartmentInput, actor: Actor) -> Department:
    """Add a department. :raises Invalid: for each broken rule."""
    _require_manage(actor)
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
        new=_as_dict(cleaned),
    )
    return department


def edit_department(department_id: int, data: DepartmentInput, version: int, actor: Actor) -> Department:
    """Change or move a department; moving takes everything below along.

    :raises Conflict: as for `edit_person`.
    """
    _require_manage(actor)
    _lock_tree()
    department = _locked(Department, department_id)
    before = department_input(department)
    if department.version != version:
        raise Conflict(
            _("Somebody else changed this department meanwhile."), current=before, version=department.version
        )
    cleaned = _checked_department(data, department)
    old, new = _differences(before, cleaned)
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
    _check_text(errors, "name", name, 100, required=True)
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
    _require_manage(actor)
    _lock_tree()
    department = _locked(Department, department_id)
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
    _require_manage(actor)
    _lock_tree()
    department = _locked(Department, department_id)
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


# ---- delegations ---------------------------------------------------------------------------------------------------


def create_delegation(data: DelegationInput, actor: Actor) -> Delegation:
    """A head names a delegate (R-ORG-2). :raises Invalid: for each broken rule of `portal.org.delegation`."""
    require(actor, DELEGATE)
    if actor.user_id is None:
        raise NotAllowed()
    delegator = _locked(User, actor.user_id)
    errors = ErrorList()
    now = clock.now()
    delegate = db.session.get(User, data.delegate_id) if data.delegate_id else None
    if delegate is None or not delegate.is_active:
        errors.add("delegate_id", _("Choose somebody who works here."))
    elif delegate.id == delegator.id or (delegator.person_key and delegator.person_key == delegate.person_key):
        errors.add("delegate_id", _("Nobody can be his own delegate."))
    if data.begins_at is None:
        errors.add("begins_at", _("Say when it begins."))
    if data.ends_at is None:
        errors.add("ends_at", _("Say when it ends."))
    if data.begins_at is not None and data.ends_at is not None:
        if data.ends_at <= data.begins_at:
            errors.add("ends_at", _("The end is before the beginning."))
        elif data.ends_at <= now:
            errors.add("ends_at", _("This is in the past."))
        elif data.ends_at - data.begins_at > rules.LONGEST:
            errors.add("ends_at", _("A delegation lasts at most a year."))
    if not clean_name(data.reason):
        errors.add("reason", _("Say why."))
    elif len(clean_name(data.reason)) > 500:
        errors.add("reason", _("At most %(count)s characters.", count=500))
    scope = rules.Scope(frozenset(data.kinds) or None, frozenset(data.departments) or None)
    known_kinds = {kind.key for kind in registry("approval_kinds")}
    if scope.kinds is not None and not scope.kinds <= known_kinds:
        errors.add("kinds", _("Choose among the kinds of approval."))
    if not rules.within_authority(scope, known_kinds | (scope.kinds or frozenset()), actor.oversees):
        errors.add("departments", _("You can only delegate for departments that you head."))
    errors.raise_if_any()
    if delegate is None or data.begins_at is None or data.ends_at is None:  # for the type checker: refused above
        raise Invalid([("", "")])
    new = rules.Grant(0, delegator.id, delegate.id, max(data.begins_at, now), data.ends_at, scope)
    _check_grant(new)
    kinds, departments = rules.scope_to_text(scope)
    delegation = Delegation(
        delegator_id=delegator.id,
        delegate_id=delegate.id,
        begins_at=new.begins_at,
        ends_at=new.ends_at,
        kinds=kinds,
        departments=departments,
        reason=clean_name(data.reason),
        created_at=now,
        created_by_id=delegator.id,
    )
    db.session.add(delegation)
    db.session.flush()
    record(
        actor,
        Action.DELEGATION_CREATE,
        object_type="delegation",
        object_id=delegation.id,
        object_label=delegate.name,
        new={
            "delegate_id": delegate.id,
            "begins_at": new.begins_at,
            "ends_at": new.ends_at,
            "kinds": kinds,
            "departments": departments,
        },
        reason=delegation.reason,
    )
    return delegation


def _check_grant(new: rules.Grant) -> None:
    """No second delegate for one scope, no circle. Delegations are serialised: two at once could make a circle."""
    db.session.execute(
        select(Delegation.id)
        .where(Delegation.revoked_at.is_(None), Delegation.ends_at > new.begins_at)
        .order_by(Delegation.id)
        .with_for_update()
    )
    existing = queries.grants(Delegation.ends_at > new.begins_at, Delegation.begins_at < new.ends_at)
    other = rules.first_overlap(new, existing)
    if other is not None:
        name = queries.names_of([other.delegate_id]).get(other.delegate_id, "")
        raise Invalid(
            [
                (
                    "begins_at",
                    _(
                        "From %(begins)s to %(ends)s %(name)s is your delegate for some of this already.",
                        begins=f"{clock.local(other.begins_at):%Y-%m-%d %H:%M}",
                        ends=f"{clock.local(other.ends_at):%Y-%m-%d %H:%M}",
                        name=name,
                    ),
                )
            ]
        )
    if rules.closes_circle(new, existing):
        raise Invalid(
            [("delegate_id", _("This person has delegated to you in the same period, directly or through others."))]
        )


def revoke_delegation(delegation_id: int, actor: Actor) -> Delegation:
    """End a delegation at once. The delegator may, the delegate may give it back, administrators may.

    :raises NotFound: for everybody else's eyes it does not exist.
    """
    delegation = _locked(Delegation, delegation_id)
    if actor.user_id not in {delegation.delegator_id, delegation.delegate_id}:
        if ADMINISTRATOR not in actor.roles:
            raise NotFound()
        require(actor, MANAGE)
    if delegation.revoked_at is None:
        delegation.revoked_at, delegation.revoked_by_id = clock.now(), actor.user_id
        db.session.flush()
        record(
            actor,
            Action.DELEGATION_REVOKE,
            object_type="delegation",
            object_id=delegation.id,
            object_label=delegation.delegate.name,
        )
    return delegation


# ---- small helpers -------------------------------------------------------------------------------------------------


def _require_manage(actor: Actor) -> None:
    if not actor.is_system:
        require(actor, MANAGE)


def _locked(model: type[Any], key: int) -> Any:
    found = db.session.get(model, key, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound()
    return found


def _as_dict(data: Any) -> dict[str, Any]:
    plain: Callable[[Any], Any] = lambda value: list(value) if isinstance(value, tuple) else value  # noqa: E731
    return {item.name: plain(getattr(data, item.name)) for item in fields(data)}


def _differences(before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    old, new = _as_dict(before), _as_dict(after)
    changed = [key for key in new if new[key] != old[key]]
    return {key: old[key] for key in changed}, {key: new[key] for key in changed}
