"""Reads for the pages on which manuals are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from plugins.sop.manuals.models import (
    DRAFT,
    IN_REVIEW,
    PUBLISHED,
    Manual,
    ManualVersion,
    VersionEvent,
    VersionProcedure,
)
from plugins.sop.permissions import EDIT, READ
from portal.core import clock
from portal.core.permissions import visible
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import Department, User


def kept_manuals(actor: Actor) -> Sequence[Any]:
    """Manuals with their effective version and the one being worked on; one statement.

    Of manuals that are only read, drafts stay out of sight.
    """
    effective, work = aliased(ManualVersion), aliased(ManualVersion)
    today = clock.today()
    holds = and_(
        effective.manual_id == Manual.id,
        effective.state == PUBLISHED,
        effective.effective_from <= today,
        or_(effective.effective_until.is_(None), effective.effective_until > today),
    )
    may_edit = Manual.id.in_(select(Manual.id).where(visible(actor, EDIT)))
    count = (
        select(func.count())
        .select_from(VersionProcedure)
        .where(VersionProcedure.version_id == func.coalesce(work.id, effective.id))
        .scalar_subquery()
    )
    statement = (
        select(
            Manual.id,
            Manual.code,
            func.coalesce(effective.title, work.title, Manual.title).label("title"),
            Manual.classification,
            Manual.retired_on,
            Department.name.label("department"),
            effective.major,
            effective.minor,
            effective.effective_from,
            effective.review_due,
            work.id.label("work_id"),
            work.state.label("work_state"),
            work.major.label("work_major"),
            work.minor.label("work_minor"),
            may_edit.label("may_edit"),
            count.label("procedures"),
        )
        .join(Department, Department.id == Manual.department_id)
        .outerjoin(effective, holds)
        .outerjoin(work, and_(work.manual_id == Manual.id, work.state.in_((DRAFT, IN_REVIEW)), may_edit))
        .where(or_(may_edit, and_(visible(actor, READ), effective.id.is_not(None))))
        .order_by(Manual.retired_on.is_not(None), Manual.code)
        .limit(300)
    )
    return db.session.execute(statement).all()


def versions_of(manual_id: int, drafts: bool) -> list[ManualVersion]:
    """Versions of a manual, newest first. :param drafts: with those that are not published."""
    statement = select(ManualVersion).where(ManualVersion.manual_id == manual_id)
    if not drafts:
        statement = statement.where(ManualVersion.state == PUBLISHED)
    order = (ManualVersion.major.desc(), ManualVersion.minor.desc())
    return list(db.session.scalars(statement.order_by(*order).limit(200)))


def events_of(manual_id: int) -> Sequence[Any]:
    """What happened to the versions of a manual, newest first."""
    return db.session.execute(
        select(
            VersionEvent.kind,
            VersionEvent.note,
            VersionEvent.at,
            User.name,
            ManualVersion.major,
            ManualVersion.minor,
        )
        .join(ManualVersion, ManualVersion.id == VersionEvent.version_id)
        .outerjoin(User, User.id == VersionEvent.by_id)
        .where(ManualVersion.manual_id == manual_id)
        .order_by(VersionEvent.id.desc())
        .limit(60)
    ).all()
