"""People: making and changing accounts, what people change about themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm.attributes import flag_modified

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid, NotAllowed
from portal.core.text import clean_name
from portal.extensions import db
from portal.i18n import LANGUAGE_CODES, _
from portal.org.actions import Action
from portal.org.actor import Actor
from portal.org.models import ADMINISTRATOR, ROLES, Department, User, UserRole
from portal.org.services.base import check_text, differences, locked, require_manage

THEMES = frozenset({"auto", "light", "dark"})
LOGIN = re.compile(r"^[a-z0-9][a-z0-9._-]{1,63}$")
# One @, something on both sides, a dot behind it. Whether it exists only a message shows.
EMAIL = re.compile(r"^[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+$")
PHONE = re.compile(r"^\+?[0-9][0-9 ()-]{2,30}$")


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


def create_person(data: PersonInput, actor: Actor) -> User:
    """Add a person. He cannot log in before a password was issued. :raises Invalid: for each broken rule."""
    require_manage(actor)
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
    require_manage(actor)
    user = locked(User, user_id)
    before = person_input(user)
    if user.version != version:
        raise Conflict(_("Somebody else changed this person meanwhile."), current=before, version=user.version)
    cleaned = _checked_person(data, user)
    old, new = differences(before, cleaned)
    if not new:
        return user
    if ADMINISTRATOR in before.roles and ADMINISTRATOR not in cleaned.roles and user.is_active:
        refuse_last_administrator(user)
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
    check_text(errors, "name", name, 100, required=True)
    title, person_key = clean_name(data.title), clean_name(data.person_key)
    check_text(errors, "title", title, 100)
    check_text(errors, "person_key", person_key, 64)
    email, phone = _check_contact(errors, data.email, data.phone)
    department = db.session.get(Department, data.department_id) if data.department_id else None
    if department is None:
        errors.add("department_id", _("Choose a department."))
    elif not department.is_active and (user is None or user.department_id != department.id):
        errors.add("department_id", _("This department is closed."))
    if unknown := set(data.roles) - set(ROLES):
        errors.add("roles", _("There is no role %(name)s.", name=_(", ").join(sorted(unknown))))
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


def refuse_last_administrator(user: User) -> None:
    """:raises Invalid: when nobody else could administer the portal."""
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
    user = locked(User, actor.user_id)
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
