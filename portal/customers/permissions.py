"""Who may see and do what with customers (R-CUS-7). Contacts, interactions and next steps follow their customer."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from portal.core.permissions import Actor, Condition, Permission, Rule, anyone, has_role
from portal.customers.models import Customer
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.i18n import _l
from portal.org.actor import users_with_role
from portal.org.models import ACCOUNT_MANAGER, EXECUTIVE, Department, User

VIEW = "customers.view"
EDIT = "customers.edit"
REVEAL = "customers.reveal"
ASSIGN = "customers.assign"
CREATE = "customers.create"
EXPORT = "customers.export"

PERMISSIONS = (
    # Everybody else sees that the customer exists: name, department, account manager.
    Permission(VIEW, _l("See a customer's record, contacts and interactions"), entity=Customer),
    Permission(EDIT, _l("Change a customer, its contacts and interactions"), entity=Customer),
    Permission(REVEAL, _l("See phone numbers in full (each look is recorded)"), entity=Customer),
    Permission(ASSIGN, _l("Change the account manager and the owning department"), entity=Customer),
    Permission(CREATE, _l("Create customers")),
    Permission(EXPORT, _l("Export customers one may see")),
)


def _is_person(actor: Actor) -> bool:
    return actor.user_id is not None


def _is_head(actor: Actor) -> bool:
    return bool(actor.oversees)


def _is_system(actor: Actor) -> bool:
    return actor.is_system


def _own(actor: Actor) -> Condition:
    return Customer.account_manager_id == actor.user_id


def _in_overseen_department(actor: Actor) -> Condition:
    return Customer.department_id.in_(sorted(actor.oversees))


def _each_department(actor: Actor) -> list[Condition]:
    return [Customer.department_id == department for department in sorted(actor.oversees)]


def _is_merged(_actor: Actor) -> Condition:
    return Customer.status == Status.MERGED.value


def _load(obj: Customer | int) -> Customer | None:
    return db.session.get(Customer, obj) if isinstance(obj, int) else obj


def manager_of(obj: Customer | int) -> Collection[int]:
    """The active account manager of a customer."""
    customer = _load(obj)
    if customer is None or customer.account_manager_id is None:
        return ()
    return set(db.session.scalars(select(User.id).where(User.id == customer.account_manager_id, User.is_active)))


def heads_over(obj: Customer | int) -> Collection[int]:
    """Heads and deputies of the owning department and of all departments above it."""
    customer = _load(obj)
    if customer is None:
        return ()
    path = db.session.scalar(select(Department.path).where(Department.id == customer.department_id)) or ""
    above = [int(part) for part in path.split("/") if part]
    rows = db.session.execute(
        select(Department.head_id, Department.deputy_id).where(Department.id.in_(above), Department.is_active)
    )
    people = {person for row in rows for person in row if person is not None}
    return set(db.session.scalars(select(User.id).where(User.id.in_(people), User.is_active)))


def executives(_obj: Customer | int) -> Collection[int]:
    """Everybody with the role of an executive."""
    return users_with_role(EXECUTIVE)


def _everybody_when_merged(obj: Customer | int) -> Collection[int]:
    customer = _load(obj)
    if customer is None or customer.status != Status.MERGED:
        return ()
    return set(db.session.scalars(select(User.id)))


def _rules_of(permission: str, with_manager: bool) -> list[Rule]:
    rules = [
        Rule(
            permission,
            "department_head",
            _l("heads the owning department or one above it"),
            _is_head,
            _in_overseen_department,
            branches=_each_department,
            holders=heads_over,
            lasting=True,
        ),
        Rule(permission, "executive", _l("is an executive"), has_role(EXECUTIVE), None, holders=executives),
        Rule(permission, "system", _l("is the portal itself"), _is_system, None),
        Rule(
            permission,
            "merged",
            _l("the record was merged into another one"),
            anyone,
            _is_merged,
            deny=True,
            holders=_everybody_when_merged,
            lasting=True,
        ),
    ]
    if with_manager:
        rules.insert(
            0,
            Rule(
                permission,
                "account_manager",
                _l("is the account manager"),
                _is_person,
                _own,
                holders=manager_of,
                lasting=True,
            ),
        )
    return rules


RULES = (
    *_rules_of(VIEW, with_manager=True),
    *_rules_of(EDIT, with_manager=True),
    *_rules_of(REVEAL, with_manager=True),
    *_rules_of(ASSIGN, with_manager=False),
    Rule(CREATE, "account_manager", _l("has the role of an account manager"), has_role(ACCOUNT_MANAGER)),
    Rule(CREATE, "department_head", _l("heads a department"), _is_head),
    Rule(CREATE, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(CREATE, "system", _l("is the portal itself"), _is_system),
    Rule(EXPORT, "account_manager", _l("has the role of an account manager"), has_role(ACCOUNT_MANAGER)),
    Rule(EXPORT, "department_head", _l("heads a department"), _is_head),
    Rule(EXPORT, "executive", _l("is an executive"), has_role(EXECUTIVE)),
)


def manages_customers(actor: Actor) -> bool:
    """Whether somebody is to have customers of his own: for panels, decides nothing."""
    return ACCOUNT_MANAGER in actor.roles


def works_with_customers(actor: Actor) -> bool:
    """Whether somebody has customers to look at by role: for menu entries and panels, decides nothing."""
    return _is_head(actor) or bool({ACCOUNT_MANAGER, EXECUTIVE} & actor.roles)
