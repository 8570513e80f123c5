"""The rules of delegation (R-ORG-2, approvals 14) as pure functions: no database, no clock.

A delegation has a window [begins, ends) and a scope: kinds of approval and departments, each a set or "all". It is one
level deep: who decides for A is A's own delegate, never the delegate's delegate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

#: A delegation covers a leave, not a career.
LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Scope:
    """What is delegated. None means all kinds, or all departments of the delegator."""

    kinds: frozenset[str] | None = None
    departments: frozenset[int] | None = None

    def covers(self, kind: str, department_id: int | None) -> bool:
        """Whether a request of this kind in this department is covered."""
        kind_fits = self.kinds is None or kind in self.kinds
        return kind_fits and (self.departments is None or department_id in self.departments)

    def overlaps(self, other: Scope) -> bool:
        """Whether some request is covered by both."""
        return self.shares_kind(other) and _meet(self.departments, other.departments)

    def shares_kind(self, other: Scope) -> bool:
        """Whether some kind is covered by both, whatever the department."""
        return _meet(self.kinds, other.kinds)


def _meet(first: Collection[object] | None, second: Collection[object] | None) -> bool:
    return first is None or second is None or bool(set(first) & set(second))


@dataclass(frozen=True)
class Grant:
    """One delegation that was not revoked."""

    id: int
    delegator_id: int
    delegate_id: int
    begins_at: datetime
    ends_at: datetime
    scope: Scope

    def active(self, at: datetime) -> bool:
        """Whether the window holds the moment."""
        return self.begins_at <= at < self.ends_at

    def meets(self, other: Grant) -> bool:
        """Whether the windows have a moment in common."""
        return self.begins_at < other.ends_at and other.begins_at < self.ends_at


def scope_from_text(kinds: str, departments: str) -> Scope:
    """The scope as the table keeps it: words separated by blanks, "" for all."""
    return Scope(
        frozenset(kinds.split()) or None,
        frozenset(int(number) for number in departments.split()) or None,
    )


def scope_to_text(scope: Scope) -> tuple[str, str]:
    """The two columns of the table."""
    kinds = " ".join(sorted(scope.kinds or ()))
    return kinds, " ".join(str(number) for number in sorted(scope.departments or ()))


def within_authority(scope: Scope, kinds: Collection[str], departments: Collection[int]) -> bool:
    """Whether nothing is given away that the delegator does not have."""
    kinds_fit = scope.kinds is None or scope.kinds <= set(kinds)
    return kinds_fit and (scope.departments is None or scope.departments <= set(departments))


def first_overlap(new: Grant, existing: Iterable[Grant]) -> Grant | None:
    """Another delegation by the same person that covers some of the same requests at some of the same time."""
    for grant in existing:
        if (
            grant.id != new.id
            and grant.delegator_id == new.delegator_id
            and grant.meets(new)
            and grant.scope.overlaps(new.scope)
        ):
            return grant
    return None


def closes_circle(new: Grant, existing: Iterable[Grant]) -> bool:
    """Whether the new delegation leads back to its delegator: A → B while B → … → A.

    Each step must share a kind with the new one and have a moment in common with it and with the steps before.
    """
    grants = [grant for grant in existing if grant.id != new.id]

    def leads_back(person: int, begins: datetime, ends: datetime, kinds: Scope, seen: frozenset[int]) -> bool:
        for grant in grants:
            if grant.delegator_id != person or not grant.scope.shares_kind(kinds):
                continue
            start, end = max(begins, grant.begins_at), min(ends, grant.ends_at)
            if start >= end:
                continue
            if grant.delegate_id == new.delegator_id:
                return True
            if grant.delegate_id in seen:
                continue
            shared = Scope(_common(kinds.kinds, grant.scope.kinds))
            if leads_back(grant.delegate_id, start, end, shared, seen | {grant.delegate_id}):
                return True
        return False

    return leads_back(new.delegate_id, new.begins_at, new.ends_at, new.scope, frozenset({new.delegate_id}))


def _common(first: frozenset[str] | None, second: frozenset[str] | None) -> frozenset[str] | None:
    if first is None:
        return second
    return first if second is None else first & second


def usable(grants: Iterable[Grant], at: datetime) -> list[Grant]:
    """The delegations that count at a moment: in their window and not part of a circle, however they came there."""
    present = [grant for grant in grants if grant.active(at)]
    return [grant for grant in present if not closes_circle(grant, present)]
