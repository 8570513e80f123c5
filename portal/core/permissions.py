"""One question, two answers: "may this actor do this to this object" and "which rows may he", from one definition.

A `Permission` has a name and a sentence. `Rule`s allow or deny it; a deny wins over every allow. The rules of a
permission about objects carry the SQL condition of the rows they cover; the single check asks the database the very
same condition for the one row, so that a list and a page can never disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, and_, bindparam, false, literal, not_, or_, select, true

from portal.core.errors import NotAllowed, NotFound
from portal.core.transaction import once_a_page, page_memory
from portal.extensions import db


class Actor(Protocol):
    """Who acts, as far as rules need to know. `portal.org.actor.Actor` is the implementation."""

    @property
    def user_id(self) -> int | None: ...
    @property
    def name(self) -> str: ...
    @property
    def department_id(self) -> int | None: ...
    @property
    def roles(self) -> frozenset[str]: ...
    @property
    def headed(self) -> frozenset[int]: ...
    @property
    def oversees(self) -> frozenset[int]: ...
    @property
    def is_system(self) -> bool: ...
    def __hash__(self) -> int: ...


Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Permission:
    """Something that may be done.

    :ivar name: "module.verb", unique.
    :ivar title: a short phrase (translatable) for pages.
    :ivar entity: the model class the permission is about, or None when it is about no object.
    :ivar secret: a refusal answers 404 instead of 403, because the existence itself is a secret.
    :ivar step_up: pages that declare it also want a recently entered password (administration).
    """

    name: str
    title: Any
    entity: type[Any] | None = None
    secret: bool = False
    step_up: bool = False


@dataclass(frozen=True)
class Rule:
    """One reason to allow or to deny.

    :ivar permission: the permission's name.
    :ivar key: unique within the permission, for tests and the audit trail.
    :ivar reason: a translatable phrase shown to people ("is the account manager").
    :ivar applies: whether the rule can hold for this actor at all; kept cheap, no database.
    :ivar rows: SQL condition of the covered rows for this actor; None covers all rows.
    :ivar deny: True denies; a denial wins over every allowing rule.
    :ivar branches: the covered rows as several conditions that together are `rows`, each of which the database can walk
        in the order of an index (one department each); long sorted lists use them.
    :ivar lasting: `rows` and `branches` follow from the actor alone (and from `follows`), not from the day, the
        settings or what the database holds: the condition is kept from one page to the next, and statements that stand
        on it can be, too.
    :ivar follows: the permission on whose `visible` the rows of a lasting rule stand; "" for none.
    :ivar holders: ids of the people for whom the rule holds on one object, for "who can see this"; None when the
        rule names nobody in particular.
    """

    permission: str
    key: str
    reason: Any
    applies: Callable[[Actor], bool]
    rows: Callable[[Actor], Condition] | None = None
    deny: bool = False
    branches: Callable[[Any], Sequence[Condition]] | None = None
    holders: Callable[[Any], Collection[int]] | None = None
    lasting: bool = False
    follows: str = ""


@dataclass(frozen=True)
class Reason:
    """One rule that held when a question was answered."""

    key: str
    text: Any
    deny: bool


@dataclass(frozen=True)
class Decision:
    """The answer to one question, with every rule that held."""

    allowed: bool
    reasons: tuple[Reason, ...] = ()


@dataclass
class PermissionRegistry:
    """All permissions and rules of an application; filled at start, then only read."""

    permissions: dict[str, Permission] = field(default_factory=dict)
    rules: dict[str, list[Rule]] = field(default_factory=dict)

    def add_permissions(self, permissions: Iterable[Permission]) -> None:
        """Register permissions. :raises ValueError: when a name is taken."""
        for permission in permissions:
            if permission.name in self.permissions:
                raise ValueError(f"permission {permission.name!r} is registered twice")
            self.permissions[permission.name] = permission
            self.rules.setdefault(permission.name, [])

    def add_rules(self, rules: Iterable[Rule]) -> None:
        """Register rules. :raises ValueError: for an unknown permission or a key that is taken."""
        for rule in rules:
            if rule.permission not in self.permissions:
                raise ValueError(f"rule {rule.key!r} names the unknown permission {rule.permission!r}")
            if any(other.key == rule.key for other in self.rules[rule.permission]):
                raise ValueError(f"rule {rule.key!r} of {rule.permission!r} is registered twice")
            self.rules[rule.permission].append(rule)

    def rules_for(self, actor: Actor, permission: str) -> list[Rule]:
        """The rules that can hold for the actor. :raises KeyError: for an unknown permission."""
        return [rule for rule in self.rules[permission] if rule.applies(actor)]


def registry() -> PermissionRegistry:
    """The registry of the running application."""
    from flask import current_app

    return current_app.extensions["portal_permissions"]


def visible(actor: Actor, permission: str) -> Condition:
    """SQL condition of the rows on which the actor has the permission.

    Every list, search, count, picker, export and chart of protected rows goes through it.
    """
    return once_a_page((actor, permission, visible), lambda: _visible(actor, permission))


Statement = TypeVar("Statement")


def only_visible(statement: Statement, actor: Actor, permission: str) -> Statement:
    """The statement with `visible` as a further condition; the same object each time while both stay the same.

    For statements that are built once: their text, too, is then made once and not for every page.
    """
    return narrowed(statement, visible(actor, permission))


def narrowed(statement: Statement, condition: Condition) -> Statement:
    """The statement with a further condition that `visible` gave."""
    found: Statement = _narrowed(statement, condition)
    return found


@lru_cache(maxsize=2048)
def _narrowed(statement: Any, condition: Condition) -> Any:
    return statement.where(condition)


def _visible(actor: Actor, permission: str) -> Condition:
    found = registry()
    if found.permissions[permission].entity is None:
        return true() if can(actor, permission) else false()
    rules = found.rules_for(actor, permission)
    allows = tuple(_rows_of(rule, actor) for rule in rules if not rule.deny)
    denies = tuple(_rows_of(rule, actor) for rule in rules if rule.deny)
    unbounded = any(rule.rows is None for rule in rules if not rule.deny)
    return _combined((_EVERY_ROW,) if unbounded else allows, denies)


_EVERY_ROW: Condition = true()


def _rows_of(rule: Rule, actor: Actor) -> Condition:
    """The rule's condition for an actor: the same object from page to page where the rule lasts."""
    if rule.rows is None:
        return _EVERY_ROW
    if not rule.lasting:
        return rule.rows(actor)
    return _kept(rule.rows, actor, visible(actor, rule.follows) if rule.follows else None)


# Remembered by identity: conditions are equal only to themselves, and hold what they are remembered by.


@lru_cache(maxsize=4096)
def _kept(rows: Callable[[Actor], Condition], actor: Actor, _followed: Condition | None) -> Condition:
    return rows(actor)


@lru_cache(maxsize=1024)
def _combined(allows: tuple[Condition, ...], denies: tuple[Condition, ...]) -> Condition:
    if not allows:
        return false()
    allowed = or_(*allows) if len(allows) > 1 else allows[0]
    return and_(allowed, not_(or_(*denies))) if denies else allowed


def visible_branches(actor: Actor, permission: str) -> list[Condition]:
    """The same rows as `visible`, as several conditions: each begins with something an index is sorted by.

    "My own or those of three departments" in one condition makes the database read all of them before it sorts; asked
    one by one, each gives its first rows at once.
    """
    found = registry()
    rules = found.rules_for(actor, permission)
    allows = [rule for rule in rules if not rule.deny]
    denies = tuple(_rows_of(rule, actor) for rule in rules if rule.deny)
    if any(rule.rows is None for rule in allows):
        return [visible(actor, permission)]
    return [_combined((part,), denies) for rule in allows for part in _branches_of(rule, actor)]


def _branches_of(rule: Rule, actor: Actor) -> Sequence[Condition]:
    if rule.branches is None:
        return (_rows_of(rule, actor),)
    if not rule.lasting:
        return rule.branches(actor)
    return _kept_branches(rule.branches, actor, visible(actor, rule.follows) if rule.follows else None)


@lru_cache(maxsize=4096)
def _kept_branches(
    branches: Callable[[Actor], Sequence[Condition]], actor: Actor, _followed: Condition | None
) -> Sequence[Condition]:
    return tuple(branches(actor))


def decide(actor: Actor, permission: str, obj: Any = None) -> Decision:
    """Answer for one object (or for none) with all the reasons; at most one SQL statement.

    :param obj: an instance of the permission's entity, or its primary key; None for a permission without entity.
    """
    key = (actor, permission, obj if obj is None or isinstance(obj, int) else obj.id)
    memory = page_memory()
    if key not in memory:
        memory[key] = _decide(actor, (permission,), obj)[permission]
    decision: Decision = memory[key]
    return decision


def decide_together(actor: Actor, permissions: Sequence[str], obj: Any) -> dict[str, Decision]:
    """Answers of several permissions about the same object, with at most one SQL statement.

    A page asks for what it will need; outside a transaction `decide`, `can` and `require` then ask nothing more.

    :raises ValueError: when the permissions are about different entities.
    """
    decisions = _decide(actor, permissions, obj)
    key = obj if obj is None or isinstance(obj, int) else obj.id
    page_memory().update({(actor, name, key): decision for name, decision in decisions.items()})
    return decisions


def decide_all(actor: Actor, obj: Any) -> dict[str, Decision]:
    """The same for every permission about what the object is, of whatever module: for a page that shows it."""
    entity = type(obj)
    names = [name for name, permission in registry().permissions.items() if permission.entity is entity]
    return decide_together(actor, names, obj)


def _decide(actor: Actor, permissions: Sequence[str], obj: Any) -> dict[str, Decision]:
    found = registry()
    entity: Any = found.permissions[permissions[0]].entity
    if any(found.permissions[name].entity is not entity for name in permissions):
        raise ValueError("permissions about different things cannot be asked together")
    asked = {name: found.rules_for(actor, name) for name in permissions}
    columns: list[ColumnElement[bool]] = []
    first_column: dict[str, int] = {}
    for name, rules in asked.items():
        if entity is None or not rules or all(rule.rows is None for rule in rules):
            continue
        if obj is None:
            raise ValueError(f"{name} needs an object")
        first_column[name] = 1 + len(columns)
        columns += [_rows_of(rule, actor) for rule in rules]
    row = None
    if columns and entity is not None:
        key = obj if isinstance(obj, int) else obj.id
        row = db.session.execute(_check_statement(entity, tuple(columns)), {"checked": key}).first()
    decisions = {}
    for name, rules in asked.items():
        start = first_column.get(name)
        if start is None:
            decisions[name] = _decision(rules)
        else:
            decisions[name] = _decision(
                [rule for index, rule in enumerate(rules) if row is not None and row[start + index]]
            )
    return decisions


@lru_cache(maxsize=1024)
def _check_statement(entity: Any, columns: tuple[Condition, ...]) -> Any:
    """Whether the row `checked` meets each condition; the first column only says that the row exists."""
    labelled = [column.label(f"r{index}") for index, column in enumerate(columns)]
    return select(literal(1), *labelled).select_from(entity).where(entity.id == bindparam("checked"))


def _decision(held: Sequence[Rule]) -> Decision:
    reasons = tuple(Reason(rule.key, rule.reason, rule.deny) for rule in held)
    allowed = any(not reason.deny for reason in reasons) and not any(reason.deny for reason in reasons)
    return Decision(allowed, reasons)


def can(actor: Actor, permission: str, obj: Any = None) -> bool:
    """Whether the actor has the permission (on the object)."""
    return decide(actor, permission, obj).allowed


def require(actor: Actor, permission: str, obj: Any = None) -> Decision:
    """Like `decide`, but a refusal is raised.

    :raises NotFound: when the permission is secret. :raises NotAllowed: otherwise.
    """
    decision = decide(actor, permission, obj)
    if decision.allowed:
        return decision
    found = registry().permissions[permission]
    if found.secret:
        raise NotFound()
    raise NotAllowed(permission=found.name, reasons=decision.reasons)


def holders(permission: str, obj: Any) -> dict[int, list[Reason]]:
    """Who can do this to the object, and why: user id → reasons. People who are denied are left out."""
    allowed: dict[int, list[Reason]] = {}
    denied: set[int] = set()
    for rule in registry().rules[permission]:
        if rule.holders is None:
            continue
        people = rule.holders(obj)
        if rule.deny:
            denied.update(people)
            continue
        for person in people:
            allowed.setdefault(person, []).append(Reason(rule.key, rule.reason, False))
    return {person: reasons for person, reasons in allowed.items() if person not in denied}


def has_role(*names: str) -> Callable[[Actor], bool]:
    """For `Rule.applies`: the actor has one of the roles."""
    wanted = frozenset(names)
    return lambda actor: bool(wanted & actor.roles)


def anyone(_actor: Actor) -> bool:
    """For `Rule.applies`: everybody who is signed in, and the system itself."""
    return True
