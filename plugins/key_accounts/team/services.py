"""Changes to teams and phases; what happens when somebody leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.team.checking import active_user, customer_for
from plugins.key_accounts.team.models import PHASES, STRENGTHEN, AccountTeam, Channel, TeamMember
from plugins.key_accounts.team.vocabulary import ROLES
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, NotFound
from portal.core.paths import path_for
from portal.core.permissions import can
from portal.customers.models import Customer
from portal.customers.permissions import VIEW
from portal.customers.services.common import label_of
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, User, UserRole

NOTICE = "key_accounts.team"
LONGEST = timedelta(days=3 * 366)


@dataclass(frozen=True)
class MemberInput:
    """Somebody's part in the team for a time; both days included."""

    user_id: int | None
    role: str
    valid_from: date | None
    valid_until: date | None
    task: str = ""


@dataclass(frozen=True)
class TeamInput:
    """Sponsor, and where the customer complains; when and how he was told."""

    sponsor_id: int | None = None
    complaint_id: int | None = None
    told_on: date | None = None
    told_how: str = ""


def add_member(customer_id: int, data: MemberInput, actor: Actor) -> TeamMember:
    """Take somebody into the team: from the first to the last day he sees the customer. He is told."""
    customer = customer_for(customer_id, actor)
    checker = Checker()
    values = _checked_member(data, checker)
    user = active_user(data.user_id, "user_id", checker)
    if user is not None and user.id == customer.account_manager_id:
        checker.add("user_id", _("The account manager belongs to the team anyway."))
    if user is not None and values.get("valid_until") and _overlaps(customer.id, user.id, values, 0):
        checker.add("user_id", _("This person belongs to the team during these days already."))
    checker.done()
    assert user is not None
    member = TeamMember(
        customer_id=customer.id, user_id=user.id, **values, created_at=clock.now(), created_by_id=actor.user_id
    )
    db.session.add(member)
    db.session.flush()
    _audit(member, KeyAccountAction.MEMBER_ADDED, customer, actor, new={**values, "user": user.name})
    notify(
        [user.id],
        NOTICE,
        title=message(
            "You belong to the team of %(customer)s until %(day)s", customer=customer.name, day=member.valid_until
        ),
        url=path_for("key_accounts.team", customer_id=customer.id),
        actor=actor,
        about=f"key_accounts_team:{customer.id}",
    )
    return member


def change_member(member_id: int, data: MemberInput, actor: Actor) -> TeamMember:
    """Change part, task or days; the person stays."""
    member, customer = _locked_member(member_id, actor)
    if member.ended_at is not None:
        raise Conflict(_("This membership was ended."))
    checker = Checker()
    values = _checked_member(data, checker)
    if values.get("valid_until") and _overlaps(customer.id, member.user_id, values, member.id):
        checker.add("valid_from", _("This person belongs to the team during these days already."))
    checker.done()
    before = {name: getattr(member, name) for name in values}
    for name, value in values.items():
        setattr(member, name, value)
    db.session.flush()
    _audit(member, KeyAccountAction.MEMBER_CHANGED, customer, actor, old=before, new=values)
    return member


def end_member(member_id: int, reason: str, actor: Actor) -> TeamMember:
    """End a membership now: from this moment the person sees the customer only if another rule lets him."""
    member, customer = _locked_member(member_id, actor)
    checker = Checker()
    reason = checker.line("reason", reason, 300, required=_("Give a reason."))
    checker.done()
    if member.ended_at is not None:
        return member
    _end(member, customer, reason, actor)
    return member


def _end(member: TeamMember, customer: Customer, reason: str, actor: Actor) -> None:
    member.ended_at, member.ended_by_id, member.end_reason = clock.now(), actor.user_id, reason
    db.session.flush()
    _audit(member, KeyAccountAction.MEMBER_ENDED, customer, actor, new={"ended": True}, reason=reason)


def team_row(customer_id: int) -> AccountTeam:
    """The row of a customer's team; a new one when there is none (inside a transaction)."""
    row = db.session.scalars(
        select(AccountTeam).where(AccountTeam.customer_id == customer_id).with_for_update()
    ).first()
    if row is None:
        row = AccountTeam(customer_id=customer_id, updated_at=clock.now())
        db.session.add(row)
        db.session.flush()
    return row


def set_team(customer_id: int, data: TeamInput, actor: Actor, version: int | None = None) -> AccountTeam:
    """Name the sponsor and the complaint contact, and note that the customer was told."""
    customer = customer_for(customer_id, actor)
    row = team_row(customer.id)
    _refuse_stale(row, version)
    checker = Checker()
    sponsor = active_user(data.sponsor_id, "sponsor_id", checker, required=False)
    complaint = active_user(data.complaint_id, "complaint_id", checker, required=False)
    if sponsor is not None and not _leads(sponsor):
        checker.add("sponsor_id", _("The sponsor is an executive or heads a department."))
    if complaint is not None and complaint.id == customer.account_manager_id:
        checker.add("complaint_id", _("Choose somebody else than the account manager."))
    told_how = checker.line("told_how", data.told_how, 200)
    told_on = checker.day("told_on", data.told_on, not_after_today=True)
    if told_on is not None and complaint is None:
        checker.add("complaint_id", _("Say whom the customer was told."))
    checker.done()
    before = {"sponsor_id": row.sponsor_id, "complaint_id": row.complaint_id, "told_on": row.told_on}
    if row.complaint_id != data.complaint_id and told_on == row.told_on:
        told_on = None  # he was told about somebody else
    row.sponsor_id, row.complaint_id, row.told_on, row.told_how = data.sponsor_id, data.complaint_id, told_on, told_how
    row.updated_at = clock.now()
    db.session.flush()
    after = {"sponsor_id": row.sponsor_id, "complaint_id": row.complaint_id, "told_on": row.told_on}
    _audit_team(row, KeyAccountAction.TEAM_CHANGED, customer, actor, before, after)
    return row


def set_phase(customer_id: int, phase: str, focus: str, balance: str, actor: Actor) -> AccountTeam:
    """Note the phase of the relationship and what it asks for."""
    customer = customer_for(customer_id, actor)
    row = team_row(customer.id)
    checker = Checker()
    if phase not in PHASES:
        checker.add("phase", _("Choose one of the list."))
    focus = checker.text("focus", focus, 1000)
    balance = checker.text("balance", balance, 1000)
    if phase == STRENGTHEN and not balance:
        checker.add("balance", _("Say what we buy from them, or why nothing: this phase lives from mutual benefit."))
    checker.done()
    before = {"phase": row.phase}
    if row.phase != phase or row.phase_since is None:
        row.phase_since = clock.today()
    row.phase, row.focus, row.balance, row.updated_at = phase, focus, balance, clock.now()
    db.session.flush()
    _audit_team(row, KeyAccountAction.PHASE_CHANGED, customer, actor, before, {"phase": phase})
    return row


def hand_over(user: User, successor: User | None, actor: Actor) -> None:
    """Somebody left: memberships end at once, his offices go to the successor or stay empty, the account managers of
    the customers concerned are told."""
    now, today = clock.now(), clock.today()
    concerned: set[int] = set()
    members = db.session.scalars(
        select(TeamMember).where(
            TeamMember.user_id == user.id, TeamMember.ended_at.is_(None), TeamMember.valid_until >= today
        )
    ).all()
    for member in members:
        concerned.add(member.customer_id)
        _end(member, db.session.get_one(Customer, member.customer_id), _("%(name)s left.", name=user.name), actor)
    new_id = successor.id if successor else None
    for row in db.session.scalars(
        select(AccountTeam).where((AccountTeam.sponsor_id == user.id) | (AccountTeam.complaint_id == user.id))
    ):
        customer = db.session.get_one(Customer, row.customer_id)
        before = {"sponsor_id": row.sponsor_id, "complaint_id": row.complaint_id}
        if row.sponsor_id == user.id:
            row.sponsor_id = new_id if successor is not None and _leads(successor) else None
        if row.complaint_id == user.id:
            # The customer was told a name that no longer answers; the account manager never is the complaint contact.
            row.complaint_id = new_id if new_id != customer.account_manager_id else None
            row.told_on, row.told_how = None, ""
        row.updated_at = now
        concerned.add(row.customer_id)
        after = {"sponsor_id": row.sponsor_id, "complaint_id": row.complaint_id}
        _audit_team(row, KeyAccountAction.TEAM_CHANGED, customer, actor, before, after)
    channels = update(Channel).where(Channel.user_id == user.id, Channel.ended_at.is_(None))
    concerned.update(
        db.session.scalars(select(Channel.customer_id).where(Channel.user_id == user.id, Channel.ended_at.is_(None)))
    )
    db.session.execute(channels.values(user_id=new_id) if successor else channels.values(ended_at=now))
    db.session.flush()
    for customer in db.session.scalars(
        select(Customer).where(Customer.id.in_(sorted(concerned))).order_by(Customer.id)
    ):
        if customer.account_manager_id is None:
            continue
        notify(
            [customer.account_manager_id],
            NOTICE,
            title=message("%(name)s left the team of %(customer)s", name=user.name, customer=customer.name),
            url=path_for("key_accounts.team", customer_id=customer.id),
            actor=actor,
            about=f"key_accounts_left:{customer.id}:{user.id}",
        )


# ---- inside --------------------------------------------------------------------------------------------------------


def _leads(user: User) -> bool:
    from portal.org.queries import headed_departments

    is_executive = db.session.get(UserRole, (user.id, EXECUTIVE)) is not None
    return is_executive or bool(headed_departments(user.id))


def _checked_member(data: MemberInput, checker: Checker) -> dict[str, Any]:
    if data.role not in ROLES:
        checker.add("role", _("Choose one of the list."))
    first = checker.day("valid_from", data.valid_from)
    last = checker.day("valid_until", data.valid_until)
    if first is None and data.valid_from is None:
        checker.add("valid_from", _("Say from when."))
    if last is None and data.valid_until is None:
        checker.add("valid_until", _("Say until when: nobody belongs to a team for ever."))
    if first and last and last < first:
        checker.add("valid_until", _("The last day is before the first one."))
    elif first and last and last - first > LONGEST:
        checker.add("valid_until", _("At most three years; prolong it then."))
    return {
        "role": data.role,
        "task": checker.line("task", data.task, 300),
        "valid_from": first,
        "valid_until": last,
    }


def _overlaps(customer_id: int, user_id: int, values: dict[str, Any], without: int) -> bool:
    statement = select(TeamMember.id).where(
        TeamMember.customer_id == customer_id,
        TeamMember.user_id == user_id,
        TeamMember.id != without,
        TeamMember.ended_at.is_(None),
        TeamMember.valid_from <= values["valid_until"],
        TeamMember.valid_until >= values["valid_from"],
    )
    return values["valid_from"] is not None and db.session.scalar(statement.limit(1)) is not None


def _locked_member(member_id: int, actor: Actor) -> tuple[TeamMember, Customer]:
    member = db.session.get(TeamMember, member_id, with_for_update=True, populate_existing=True)
    if member is None or not can(actor, VIEW, member.customer_id):
        raise NotFound()
    return member, customer_for(member.customer_id, actor)


def _refuse_stale(row: Any, version: int | None) -> None:
    if version is not None and row.version != version:
        raise Conflict(_("Somebody else changed this in the meantime."))


def _audit(member: TeamMember, action: KeyAccountAction, customer: Customer, actor: Actor, **details: Any) -> None:
    record(
        actor,
        action,
        object_type="key_accounts_member",
        object_id=member.id,
        object_label=label_of(customer),
        customer_id=customer.id,
        **details,
    )


def _audit_team(
    row: AccountTeam,
    action: KeyAccountAction,
    customer: Customer,
    actor: Actor,
    old: dict[str, Any],
    new: dict[str, Any],
) -> None:
    record(
        actor,
        action,
        object_type="key_accounts_team",
        object_id=row.id,
        object_label=label_of(customer),
        customer_id=customer.id,
        old=old,
        new=new,
    )
