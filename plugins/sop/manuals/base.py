"""What the services of manuals share: loading for a change, history, audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from plugins.sop import permissions
from plugins.sop.manuals.models import DRAFT, IN_REVIEW, PUBLISHED, Manual, ManualVersion, VersionEvent
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, NotFound
from portal.core.permissions import require
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor


def load_for_edit(manual_id: int, actor: Actor) -> Manual:
    """A manual the actor may write. :raises NotFound: otherwise."""
    manual = db.session.get(Manual, manual_id)
    if manual is None:
        raise NotFound()
    require(actor, permissions.EDIT, manual)
    return manual


def load_draft(version_id: int, actor: Actor) -> ManualVersion:
    """A draft the actor may write. :raises NotFound: not his to write. :raises Conflict: it is no draft any more."""
    version = db.session.get(ManualVersion, version_id)
    if version is None:
        raise NotFound()
    require(actor, permissions.EDIT, version.manual_id)
    if version.state == IN_REVIEW:
        raise Conflict(_("Version %(number)s is being reviewed: withdraw it to go on writing.", number=version.number))
    if version.state != DRAFT:
        raise Conflict(
            _("Version %(number)s is published and stays as it is: begin a revision instead.", number=version.number)
        )
    return version


def open_version(manual_id: int) -> ManualVersion | None:
    """The version that is being written or reviewed; at most one."""
    return db.session.scalars(
        select(ManualVersion).where(ManualVersion.manual_id == manual_id, ManualVersion.state.in_((DRAFT, IN_REVIEW)))
    ).one_or_none()


def last_published(manual_id: int) -> ManualVersion | None:
    """The newest published version, effective already or not."""
    return db.session.scalars(
        select(ManualVersion)
        .where(ManualVersion.manual_id == manual_id, ManualVersion.state == PUBLISHED)
        .order_by(ManualVersion.major.desc(), ManualVersion.minor.desc())
        .limit(1)
    ).one_or_none()


def note_event(version: ManualVersion, kind: str, actor: Actor, note: str = "", once: str | None = None) -> None:
    """Add a line to a version's history."""
    db.session.add(
        VersionEvent(version_id=version.id, kind=kind, note=note, at=clock.now(), by_id=actor.user_id, once=once)
    )
    db.session.flush()


def audit_manual(
    actor: Actor,
    action: str,
    manual: Manual,
    *,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Record what happened to a manual."""
    record(
        actor,
        action,
        object_type="sop_manual",
        object_id=manual.id,
        object_label=f"{manual.code} {manual.title}",
        old=old,
        new=new,
        reason=reason,
    )


def audit_version(
    actor: Actor,
    action: str,
    version: ManualVersion,
    *,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Record what happened to a version or to something in it."""
    record(
        actor,
        action,
        object_type="sop_manual_version",
        object_id=version.id,
        object_label=f"{version.manual.code} {version.number}",
        old=old,
        new=new,
        reason=reason,
    )
