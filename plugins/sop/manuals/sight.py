"""Which versions a person may look at: published ones of manuals he may read; drafts if he writes or reviews them."""

from __future__ import annotations

from plugins.sop import permissions
from plugins.sop.manuals.models import PUBLISHED, ManualVersion
from portal.approvals.models import ApprovalRequest
from portal.approvals.queries import may_view
from portal.core.errors import NotFound
from portal.core.permissions import can
from portal.extensions import db
from portal.org.actor import Actor


def may_see(version: ManualVersion, actor: Actor) -> bool:
    """Whether the actor may look at this version."""
    permission = permissions.READ if version.state == PUBLISHED else permissions.EDIT
    return can(actor, permission, version.manual_id) or reviews(version, actor)


def reviews(version: ManualVersion, actor: Actor) -> bool:
    """Whether the actor has a part in the review of this version."""
    if version.request_id is None:
        return False
    request = db.session.get(ApprovalRequest, version.request_id)
    return request is not None and may_view(request, actor)


def may_comment(version: ManualVersion, actor: Actor) -> bool:
    """Whether the actor may write remarks: those who write or review a version that is not published yet."""
    return version.state != PUBLISHED and (can(actor, permissions.EDIT, version.manual_id) or reviews(version, actor))


def load_seen(version_id: int, actor: Actor) -> ManualVersion:
    """A version the actor may look at. :raises NotFound: otherwise."""
    version = db.session.get(ManualVersion, version_id)
    if version is None or not may_see(version, actor):
        raise NotFound()
    return version
