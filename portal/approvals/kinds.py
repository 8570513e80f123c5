"""What a module says of its kind of request: who decides, what the approver sees, what happens afterwards.

A kind is registered through the hook ``register_approval_kinds``. Its route names seats by rules ("head of the owning
department", "an executive"), never by people: the rules are kept with the request when it is filed, and resolved to
people when their step opens. So a changed route does not touch requests under way, while a change of department does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from portal.core.registry import Registry, registry

if TYPE_CHECKING:
    from portal.approvals.models import ApprovalDecision, ApprovalRequest
    from portal.org.actor import Actor

# ---- who sits where ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OwningHead:
    """Head of the request's department (`department_id`); follows the customer into another department."""

    rule = "owning_head"


@dataclass(frozen=True)
class ApplicantHead:
    """Head of the applicant's department; follows the applicant into another department."""

    rule = "applicant_head"


@dataclass(frozen=True)
class HeadOf:
    """Head of one named department, whatever happens to applicant and customer."""

    department_id: int
    rule = "head_of"


@dataclass(frozen=True)
class SuperiorOf:
    """The direct superior of a person; without one, the head of his department."""

    user_id: int
    rule = "superior_of"


@dataclass(frozen=True)
class RoleHolder:
    """Any one of the people with a role (`portal.org.models`): the first of them decides for all."""

    role: str
    rule = "role"


@dataclass(frozen=True)
class Person:
    """One named person."""

    user_id: int
    rule = "person"


SeatRule = OwningHead | ApplicantHead | HeadOf | SuperiorOf | RoleHolder | Person
_RULES: dict[str, type[Any]] = {
    cls.rule: cls for cls in (OwningHead, ApplicantHead, HeadOf, SuperiorOf, RoleHolder, Person)
}


def rule_to_dict(rule: SeatRule) -> dict[str, Any]:
    """A rule as JSON keeps it."""
    return {"rule": rule.rule, **asdict(rule)}


def rule_from_dict(data: Mapping[str, Any]) -> SeatRule:
    """The rule that `rule_to_dict` wrote. :raises KeyError: for an unknown rule."""
    values = dict(data)
    return _RULES[values.pop("rule")](**values)


# ---- steps ---------------------------------------------------------------------------------------------------------

SINGLE, ALL, ANY, SEQUENCE = "single", "all", "any", "sequence"
MODES = (SINGLE, ALL, ANY, SEQUENCE)


@dataclass(frozen=True)
class StepSpec:
    """One step of a route. Steps follow one another; each needs its own votes.

    :ivar key: unique within the route, kept with every decision.
    :ivar title: shown in the progress; an untranslated English string that the module marked for translation.
    :ivar seats: rules; each rule is one seat, filled by whoever the rule names.
    :ivar mode: "single" (one seat), "all" (会签: every seat signs, the first rejection rejects), "any" (或签: the
        first decision closes the step), "sequence" (依次: the next seat opens after the one before).
    :ivar deadline_working_days: overrides the kind's deadline for this step.
    """

    key: str
    title: str
    seats: tuple[SeatRule, ...]
    mode: str = SINGLE
    deadline_working_days: int | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"step {self.key!r}: unknown mode {self.mode!r}")
        if not self.seats or (self.mode == SINGLE and len(self.seats) != 1):
            raise ValueError(f"step {self.key!r}: {len(self.seats)} seats do not fit mode {self.mode!r}")


# ---- what the approver sees ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fact:
    """One line of what an approver is shown; part of the digest that his decision carries.

    :ivar value: text; money and dates already written out.
    :ivar important: repeated on the confirmation page (what, whom, how much, until when).
    :ivar tone: neutral, info, success, warning, danger.
    :ivar url: a page with more; not part of the digest.
    """

    label: Any
    value: Any
    important: bool = False
    tone: str = "neutral"
    url: str | None = None


@dataclass(frozen=True)
class Description:
    """What is asked. `warning` is a sentence shown above the facts (an exception, a conflict of interest)."""

    title: Any
    facts: tuple[Fact, ...] = ()
    warning: Any = ""


# ---- the kind ------------------------------------------------------------------------------------------------------

#: (request, the final decision or None, who acts). Runs inside the transaction; raising undoes everything.
Reaction = Callable[["ApprovalRequest", "ApprovalDecision | None", "Actor"], None]


@dataclass(frozen=True)
class ApprovalKind:
    """One kind of request.

    :ivar key: "module.thing", unique; also what delegations name.
    :ivar title: translatable name ("VIP application").
    :ivar route: the steps of a request; asked once, when it is filed. What it returns is kept with the request.
    :ivar describe: what approvers (and everybody who may view the request) are shown.
    :ivar policy_version: names the present rules of the route, kept with request and decisions.
    :ivar deadline_working_days: days for each step, or a function that reads a setting.
    :ivar low_risk: may be approved together with others in one go.
    :ivar may_view: further people who may read the content, besides applicant, approvers and who was asked.
    :ivar conditions_form: builds a form (in a request) with which the approver grants less than asked; it must have
        `to_conditions() -> dict` of JSON values. None: all or nothing.
    :ivar check_conditions: raises `Invalid` for conditions wider than what was asked; runs with the decision.
    :ivar describe_conditions: the conditions as facts, for pages; none when they leave what was asked.
    :ivar url: the page of the subject, or None.
    :ivar edit_url: the page on which the applicant edits a draft and files it (again); None: it is filed again as is.
    :ivar on_filed, on_approved, on_rejected, on_returned, on_withdrawn, on_expired, on_cancelled: reactions inside the
        deciding transaction. `decision` is None where nobody voted (filed, withdrawn, expired, cancelled).
    """

    key: str
    title: Any
    route: Callable[[ApprovalRequest], Sequence[StepSpec]]
    describe: Callable[[ApprovalRequest], Description]
    icon: str = "check2-square"
    policy_version: str = "1"
    deadline_working_days: int | Callable[[], int] = 3
    low_risk: bool = False
    may_view: Callable[[ApprovalRequest, Actor], bool] | None = None
    conditions_form: Callable[[ApprovalRequest], Any] | None = None
    check_conditions: Callable[[ApprovalRequest, Mapping[str, Any]], None] | None = None
    describe_conditions: Callable[[ApprovalRequest, Mapping[str, Any]], Sequence[Fact]] | None = None
    url: Callable[[ApprovalRequest], str | None] | None = None
    edit_url: Callable[[ApprovalRequest], str | None] | None = None
    on_filed: Reaction | None = None
    on_approved: Reaction | None = None
    on_rejected: Reaction | None = None
    on_returned: Reaction | None = None
    on_withdrawn: Reaction | None = None
    on_expired: Reaction | None = None
    on_cancelled: Reaction | None = None

    def working_days(self) -> int:
        """The deadline of a step in working days."""
        days = self.deadline_working_days
        return days() if callable(days) else days


def kinds() -> Registry[ApprovalKind]:
    """All kinds of the running application. A kind whose plugin is switched off is absent: `.get(key)` is None."""
    return registry("approval_kinds")
