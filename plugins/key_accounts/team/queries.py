"""Reads of teams, channels and experts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from plugins.key_accounts.team.models import AccountTeam, Channel, ExpertSkill, TeamMember
from plugins.key_accounts.tiers.models import KEY, CustomerTier
from portal.core.errors import NotFound
from portal.core.permissions import can
from portal.core.text import clean_name
from portal.customers.models import (
    Contact,
    Customer,
    Interaction,
    interaction_colleague,
    interaction_contact,
)
from portal.customers.permissions import VIEW
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import Department, User


def team_of(customer_id: int) -> AccountTeam | None:
    """What holds for the team as a whole; None when nobody entered anything."""
    statement = (
        select(AccountTeam)
        .where(AccountTeam.customer_id == customer_id)
        .options(
            joinedload(AccountTeam.sponsor).lazyload(User.roles),
            joinedload(AccountTeam.complaint).lazyload(User.roles),
        )
    )
    return db.session.scalars(statement).first()


def members_of(customer_id: int) -> list[Any]:
    """All memberships with name, title and department, the latest first."""
    statement = (
        select(
            TeamMember.id,
            TeamMember.user_id,
            TeamMember.role,
            TeamMember.task,
            TeamMember.valid_from,
            TeamMember.valid_until,
            TeamMember.ended_at,
            TeamMember.end_reason,
            User.name,
            User.title,
            User.phone,
            User.is_active,
            Department.name.label("department"),
        )
        .join(User, User.id == TeamMember.user_id)
        .join(Department, Department.id == User.department_id)
        .where(TeamMember.customer_id == customer_id)
        .order_by(TeamMember.valid_until.desc(), TeamMember.id.desc())
        .limit(200)
    )
    return list(db.session.execute(statement))


def in_force(rows: list[Any], today: date) -> list[Any]:
    """Those of `members_of` who belong to the team on a day."""
    return [row for row in rows if row.ended_at is None and row.valid_from <= today <= row.valid_until]


def member_for(member_id: int, actor: Actor) -> TeamMember:
    """A membership of a visible customer. :raises NotFound: for all others."""
    member = db.session.get(TeamMember, member_id)
    if member is None or not can(actor, VIEW, member.customer_id):
        raise NotFound()
    return member


@dataclass(frozen=True)
class ChannelLine:
    """A channel with its last contact."""

    id: int
    level: str
    ours: str
    theirs: str
    their_title: str
    topic: str
    last_at: datetime | None


def channels_of(customer_id: int) -> list[ChannelLine]:
    """Open channels, each with the last interaction of the two; one statement."""
    ours = or_(
        Interaction.author_id == Channel.user_id,
        select(interaction_colleague.c.user_id)
        .where(
            interaction_colleague.c.interaction_id == Interaction.id,
            interaction_colleague.c.user_id == Channel.user_id,
        )
        .exists(),
    )
    last = (
        select(func.max(Interaction.at))
        .join(interaction_contact, interaction_contact.c.interaction_id == Interaction.id)
        .where(
            interaction_contact.c.contact_id == Channel.contact_id,
            Interaction.customer_id == customer_id,
            Interaction.cancelled_at.is_(None),
            ours,
        )
        .correlate(Channel)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            Channel.id,
            Channel.level,
            User.name.label("ours"),
            Contact.name.label("theirs"),
            Contact.title,
            Channel.topic,
            last.label("last_at"),
        )
        .join(User, User.id == Channel.user_id)
        .join(Contact, Contact.id == Channel.contact_id)
        .where(Channel.customer_id == customer_id, Channel.ended_at.is_(None))
        .order_by(Channel.level.desc(), Channel.id)
    )
    return [ChannelLine(row.id, row.level, row.ours, row.theirs, row.title, row.topic, row.last_at) for row in rows]


@dataclass(frozen=True)
class Portfolio:
    """How many key and other customers an account manager looks after."""

    key: int
    others: int

    @property
    def is_mixed(self) -> bool:
        """Whether he holds key and small customers together."""
        return self.key > 0 and self.others > 0


def portfolio_of(manager_id: int | None) -> Portfolio:
    """Counts of an account manager's customers by tier; one statement."""
    if manager_id is None:
        return Portfolio(0, 0)
    is_key = func.coalesce(CustomerTier.tier == KEY, False)
    rows = db.session.execute(
        select(is_key, func.count())
        .select_from(Customer)
        .outerjoin(CustomerTier, CustomerTier.customer_id == Customer.id)
        .where(Customer.account_manager_id == manager_id, Customer.status == Status.ACTIVE.value)
        .group_by(is_key)
    )
    counts = {bool(row[0]): int(row[1]) for row in rows}
    return Portfolio(counts.get(True, 0), counts.get(False, 0))


def experts(text: str, after: tuple[str, int] | None, limit: int = 60) -> list[Any]:
    """Active people with skills, by name; `text` is part of a skill or a name."""
    statement = (
        select(User.id, User.name, User.name_sort, User.title, User.phone, Department.name.label("department"))
        .join(Department, Department.id == User.department_id)
        .where(User.is_active, select(ExpertSkill.id).where(ExpertSkill.user_id == User.id).exists())
        .order_by(User.name_sort, User.id)
        .limit(limit)
    )
    wanted = clean_name(text)[:60]
    if wanted:
        skill = select(ExpertSkill.id).where(
            ExpertSkill.user_id == User.id, ExpertSkill.skill.icontains(wanted, autoescape=True)
        )
        statement = statement.where(or_(skill.exists(), User.name.contains(wanted, autoescape=True)))
    if after is not None:
        statement = statement.where(
            or_(User.name_sort > after[0], and_(User.name_sort == after[0], User.id > after[1]))
        )
    return list(db.session.execute(statement))


def skills_of(user_ids: list[int]) -> dict[int, list[ExpertSkill]]:
    """Person → skills, the strongest first; one statement."""
    found: dict[int, list[ExpertSkill]] = {}
    if not user_ids:
        return found
    statement = (
        select(ExpertSkill)
        .where(ExpertSkill.user_id.in_(user_ids))
        .order_by(ExpertSkill.grade.desc(), ExpertSkill.skill)
    )
    for skill in db.session.scalars(statement):
        found.setdefault(skill.user_id, []).append(skill)
    return found


def loads_of(user_ids: list[int], today: date) -> dict[int, int]:
    """Person → number of teams he belongs to today; one statement."""
    if not user_ids:
        return {}
    member = aliased(TeamMember)
    rows = db.session.execute(
        select(member.user_id, func.count())
        .where(
            member.user_id.in_(user_ids),
            member.valid_from <= today,
            member.valid_until >= today,
            member.ended_at.is_(None),
        )
        .group_by(member.user_id)
    )
    return {row[0]: int(row[1]) for row in rows}


def contact_choices(customer_id: int) -> list[tuple[int, str]]:
    """Active contacts of a customer for a select: name and title."""
    rows = db.session.execute(
        select(Contact.id, Contact.name, Contact.title)
        .where(Contact.customer_id == customer_id, Contact.is_active)
        .order_by(Contact.is_primary.desc(), Contact.name_sort, Contact.id)
    )
    return [(row.id, f"{row.name} · {row.title}" if row.title else row.name) for row in rows]


def my_teams(user_id: int, today: date) -> list[Any]:
    """Customers in whose team a person is today."""
    statement = (
        select(Customer.id, Customer.name, TeamMember.role, TeamMember.task, TeamMember.valid_until)
        .join(TeamMember, TeamMember.customer_id == Customer.id)
        .where(
            TeamMember.user_id == user_id,
            TeamMember.ended_at.is_(None),
            TeamMember.valid_from <= today,
            TeamMember.valid_until >= today,
        )
        .order_by(TeamMember.valid_until, Customer.id)
        .limit(100)
    )
    return list(db.session.execute(statement))
