"""Who may decide: rules become people, and every decision is checked against the organisation as it is now.

Never the applicant, a beneficiary, the person who typed the request, a second account of theirs or somebody who stands
in for them just now. Administrators have no authority by their role. A missing approver is never an approval: the next
level up, then the configured fallback, then nobody, and the request is held.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.engine import Row

from portal.approvals import kinds
from portal.approvals.models import OPEN, ApprovalBeneficiary, ApprovalRequest, ApprovalSeat, ApprovalStep
from portal.core import settings
from portal.core.permissions import Actor
from portal.extensions import db
from portal.org.delegation import Grant
from portal.org.models import ADMINISTRATOR, Department, User, UserRole
from portal.org.queries import active_delegations

#: A seat that somebody was given in person: he cannot pass it on by a delegation, which would be a second level.
PERSONAL_BASES = ("transfer", "signer", "reassigned")
#: Settings.
FALLBACK_LOGINS = "approvals.fallback_logins"
FALLBACK_ROLE = "approvals.fallback_role"


class Candidate(NamedTuple):
    """A person for a seat and why he has it."""

    user_id: int
    basis: str


@dataclass(frozen=True)
class Authority:
    """Somebody's right to decide: his own seat, or that of the person he stands in for."""

    seat: ApprovalSeat
    for_id: int | None
    text: str


class Organisation:
    """Departments, people and delegations as they are in the present transaction; each read at most once."""

    def __init__(self) -> None:
        columns = (Department.id, Department.parent_id, Department.head_id, Department.deputy_id, Department.is_active)
        self.departments: dict[int, Any] = {row.id: row for row in db.session.execute(select(*columns))}
        self._users: dict[int, Any] = {}
        self._delegations: list[Grant] | None = None
        # Nearly every question is about a head or a deputy: all of them with one statement.
        self.load(i for row in self.departments.values() for i in (row.head_id, row.deputy_id) if i)

    def load(self, user_ids: Iterable[int]) -> None:
        """Read people with one statement."""
        missing = {i for i in user_ids if i is not None} - set(self._users)
        if not missing:
            return
        columns = (User.id, User.person_key, User.is_active, User.department_id, User.supervisor_id)
        rows = {row.id: row for row in db.session.execute(select(*columns).where(User.id.in_(sorted(missing))))}
        self._users.update({i: rows.get(i) for i in missing})

    def user(self, user_id: int | None) -> Row[Any] | None:
        """A person's row, or None."""
        if user_id is None:
            return None
        self.load([user_id])
        return self._users[user_id]

    def is_active(self, user_id: int | None) -> bool:
        """Whether the person is there and works here."""
        row = self.user(user_id)
        return row is not None and bool(row.is_active)

    def role_holders(self, role: str) -> list[int]:
        """Active people with a role."""
        statement = select(User.id).join(UserRole).where(UserRole.role == role, User.is_active).order_by(User.id)
        return list(db.session.scalars(statement))

    @property
    def delegations(self) -> list[Grant]:
        """The delegations in force now between people who work here; circles are left out."""
        if self._delegations is None:
            self._delegations = active_delegations()
        return self._delegations

    def covering(self, request: ApprovalRequest, delegate_id: int | None = None) -> list[Grant]:
        """Delegations in force that cover the request: its kind and its department."""
        return [
            grant
            for grant in self.delegations
            if (delegate_id is None or grant.delegate_id == delegate_id)
            and grant.scope.covers(request.kind, request.department_id)
        ]


def party_ids(request: ApprovalRequest) -> set[int]:
    """Applicant, typist and beneficiaries."""
    parties = set(
        db.session.scalars(select(ApprovalBeneficiary.user_id).where(ApprovalBeneficiary.request_id == request.id))
    )
    return parties | {i for i in (request.applicant_id, request.typed_by_id) if i is not None}


def excluded_ids(request: ApprovalRequest, organisation: Organisation) -> frozenset[int]:
    """Everybody who can never decide the request: parties, their delegates of the moment, their other accounts."""
    parties = party_ids(request)
    organisation.load(parties)
    keys = {row.person_key for i in parties if (row := organisation.user(i)) is not None and row.person_key}
    if keys:
        parties |= set(db.session.scalars(select(User.id).where(User.person_key.in_(sorted(keys)))))
    delegates = {
        grant.delegate_id
        for grant in organisation.delegations
        if grant.delegator_id in parties and (grant.scope.kinds is None or request.kind in grant.scope.kinds)
    }
    organisation.load(delegates)
    keys = {row.person_key for i in delegates if (row := organisation.user(i)) is not None and row.person_key}
    if keys:
        delegates |= set(db.session.scalars(select(User.id).where(User.person_key.in_(sorted(keys)))))
    return frozenset(parties | delegates)


# ---- rules become people -------------------------------------------------------------------------------------------


def head_of(department_id: int | None, organisation: Organisation, excluded: frozenset[int]) -> list[Candidate]:
    """The head of a department, or whoever comes next.

    Without an active head (R-ORG-3), or when the head may not decide because he applies himself, the department above
    decides: its head, or the deputy there, and so on upwards. The deputy of the department itself is the last resort,
    and only where the head is missing: nobody decides on what his own superior wants.
    """
    seen: list[int] = []
    while department_id is not None and department_id not in seen:
        row = organisation.departments.get(department_id)
        if row is None:
            break
        seen.append(department_id)
        if row.is_active:
            if row.head_id not in excluded and organisation.is_active(row.head_id):
                return [Candidate(row.head_id, f"head:{department_id}")]
            if len(seen) > 1 and row.deputy_id not in excluded and organisation.is_active(row.deputy_id):
                return [Candidate(row.deputy_id, f"deputy:{department_id}")]
        department_id = row.parent_id
    if not seen:
        return []
    own = organisation.departments[seen[0]]
    has_head = organisation.is_active(own.head_id)
    if own.is_active and not has_head and own.deputy_id not in excluded and organisation.is_active(own.deputy_id):
        return [Candidate(own.deputy_id, f"deputy:{seen[0]}")]
    return []


def resolve(
    rule: kinds.SeatRule, request: ApprovalRequest, organisation: Organisation, excluded: frozenset[int]
) -> list[Candidate]:
    """The people for one seat: by its rule, then the level above, then the fallback. Empty: the request is held."""

    def eligible(user_id: int | None) -> bool:
        return user_id not in excluded and organisation.is_active(user_id)

    found: list[Candidate] = []
    if isinstance(rule, kinds.OwningHead):
        found = head_of(request.department_id, organisation, excluded)
    elif isinstance(rule, kinds.ApplicantHead):
        found = head_of(request.applicant_department_id, organisation, excluded)
    elif isinstance(rule, kinds.HeadOf):
        found = head_of(rule.department_id, organisation, excluded)
    elif isinstance(rule, kinds.RoleHolder):
        found = [Candidate(i, f"role:{rule.role}") for i in organisation.role_holders(rule.role) if i not in excluded]
    elif isinstance(rule, kinds.SuperiorOf):
        person = organisation.user(rule.user_id)
        if person is not None:
            if eligible(person.supervisor_id):
                found = [Candidate(person.supervisor_id, f"superior:{rule.user_id}")]
            else:
                # Nobody is his own superior: a head without superior has the head above.
                found = head_of(person.department_id, organisation, excluded | {rule.user_id})
    elif isinstance(rule, kinds.Person):
        person = organisation.user(rule.user_id)
        if eligible(rule.user_id):
            found = [Candidate(rule.user_id, "person")]
        elif person is not None:
            found = head_of(person.department_id, organisation, excluded)
    return found or [Candidate(i, "fallback") for i in fallback_ids(organisation) if i not in excluded]


def fallback_ids(organisation: Organisation) -> list[int]:
    """Who decides when the organisation has nobody: the named people, else the holders of the configured role."""
    logins = str(settings.get(FALLBACK_LOGINS)).split()
    if logins:
        statement = select(User.id).where(User.login.in_(logins), User.is_active).order_by(User.id)
        named = list(db.session.scalars(statement))
        if named:
            return named
    role = settings.get(FALLBACK_ROLE)
    return organisation.role_holders(role) if role else []


def superiors_of(user_ids: Iterable[int], organisation: Organisation) -> set[int]:
    """The people above approvers who are late: superior, else the head above; nobody for the top."""
    found: set[int] = set()
    for user_id in user_ids:
        row = organisation.user(user_id)
        if row is None:
            continue
        if row.supervisor_id and organisation.is_active(row.supervisor_id):
            found.add(row.supervisor_id)
        else:
            found.update(c.user_id for c in head_of(row.department_id, organisation, frozenset({user_id})))
    return found


# ---- at the moment of the decision ---------------------------------------------------------------------------------


def basis_holds(seat: ApprovalSeat, organisation: Organisation) -> bool:
    """Whether the person still is what he got the seat for."""
    if not organisation.is_active(seat.user_id):
        return False
    what, _colon, detail = seat.basis.partition(":")
    if what in ("head", "deputy"):
        department = organisation.departments.get(int(detail))
        if department is None or not department.is_active:
            return False
        return seat.user_id == (department.head_id if what == "head" else department.deputy_id)
    if what == "role":
        return seat.user_id in organisation.role_holders(detail)
    if what == "superior":
        person = organisation.user(int(detail))
        return person is not None and person.supervisor_id == seat.user_id
    if what == "fallback":
        return seat.user_id in fallback_ids(organisation)
    return what == "person" or what in PERSONAL_BASES


def is_drifted(request: ApprovalRequest, organisation: Organisation) -> tuple[int | None, int | None] | None:
    """The (department, applicant's department) to route by, when they are no longer those of the request."""
    department, applicants = request.department_id, request.applicant_department_id
    if request.follows_customer and request.customer_id is not None:
        department = customer_department(request.customer_id) or department
    applicant = organisation.user(request.applicant_id)
    if applicant is not None:
        applicants = applicant.department_id
    if (department, applicants) == (request.department_id, request.applicant_department_id):
        return None
    return department, applicants


def customer_department(customer_id: int) -> int | None:
    """The owning department of a customer. By table, not by model: the customers' module stands above this one."""
    table = db.metadata.tables["customer"]
    return db.session.scalar(select(table.c.department_id).where(table.c.id == customer_id))


def routes_by(rule: kinds.SeatRule, request: ApprovalRequest, moved: tuple[int | None, int | None]) -> bool:
    """Whether a seat's rule leads elsewhere after the departments changed."""
    if isinstance(rule, kinds.OwningHead):
        return moved[0] != request.department_id
    return isinstance(rule, kinds.ApplicantHead) and moved[1] != request.applicant_department_id


def authorities(
    request: ApprovalRequest, step: ApprovalStep, actor: Actor, organisation: Organisation
) -> list[Authority]:
    """All seats of the open step that the actor may decide now: his own first, then those he stands in for.

    The checks are those of the moment: the person, the seat's reason, the delegation.
    """
    if actor.user_id is None or not organisation.is_active(actor.user_id):
        return []
    excluded = excluded_ids(request, organisation)
    if actor.user_id in excluded:
        return []
    moved = is_drifted(request, organisation)
    rules = [kinds.rule_from_dict(rule) for rule in step.rules]

    def stands(seat: ApprovalSeat) -> bool:
        if moved is not None and not seat.is_added and routes_by(rules[seat.slot], request, moved):
            return False
        return seat.user_id not in excluded and basis_holds(seat, organisation)

    seats = [seat for seat in step.seats if seat.state == OPEN]
    found = [Authority(seat, None, seat.basis) for seat in seats if seat.user_id == actor.user_id and stands(seat)]
    delegations = {row.delegator_id: row.id for row in reversed(organisation.covering(request, actor.user_id))}
    for seat in seats:
        if seat.user_id in delegations and seat.basis not in PERSONAL_BASES and stands(seat):
            found.append(Authority(seat, seat.user_id, f"{seat.basis} delegation:{delegations[seat.user_id]}"))
    return found


def unfit_for_seat(
    request: ApprovalRequest, user_id: int, voted: Iterable[int], organisation: Organisation
) -> str | None:
    """Why somebody cannot be given a seat: "inactive", "party", "voted" or "administrator"; None when he can.

    :param voted: ids of those who voted in this round already.
    """
    if not organisation.is_active(user_id):
        return "inactive"
    if user_id in excluded_ids(request, organisation):
        return "party"
    if persons_of([user_id]) & persons_of(voted):
        return "voted"
    heads = any(user_id in (row.head_id, row.deputy_id) for row in organisation.departments.values())
    if user_id in organisation.role_holders(ADMINISTRATOR) and not heads:
        return "administrator"
    return None


def persons_of(user_ids: Iterable[int]) -> set[str]:
    """The natural persons behind accounts."""
    ids = sorted(set(user_ids))
    if not ids:
        return set()
    rows = db.session.execute(select(User.id, User.person_key).where(or_(User.id.in_(ids))))
    return {person_name(row.id, row.person_key) for row in rows}


def person_name(user_id: int, person_key: str) -> str:
    """What stands for the natural person in the column that keeps votes apart."""
    return person_key or f"user:{user_id}"
