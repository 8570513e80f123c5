"""Pages of look-ups, copies and packs: anna has a grant to view, an open view, a copy in her hands; a request waits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from plugins.archive.copies import states
from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.lookups import grants
from plugins.archive.lookups.models import PAPER, ArchiveGrant
from portal.core.transaction import transaction
from portal.extensions import db
from tests.access.letters import AUDITOR, STAFF
from tests.archive_world import add_file, granted, reserved, walk
from tests.world import World

#: The print operator alone.
OPERATOR = "l---------o"
#: Whoever keeps or checks the register, the heads of either side, the holder.
COPY = "l?o?o?oo?oo"
#: Heads, executives and auditors.
LOG = "l---oooo---"
OWN = "l?o????????"
#: Whoever uploaded the scan a moment ago, and no other maintainer.
UPLOADER = "l--------o-"

QUERY: dict[str, dict[str, str]] = {}
FORM: dict[str, dict[str, str]] = {"archive_lookups.revoke": {"reason": "x"}}
MATRIX = {
    "GET /archive/lookups/": STAFF,
    "GET /archive/lookups/customers": STAFF,
    "GET /archive/lookups/new": STAFF,
    "POST /archive/lookups/new": STAFF,
    "GET /archive/lookups/<int:lookup_id>": COPY,
    "GET /archive/lookups/grants": "l---ooo----",
    "POST /archive/lookups/grants/<int:grant_id>/revoke": "l---o?o----",
    "POST /archive/lookups/grants/<int:grant_id>/give-back": OWN,
    "POST /archive/lookups/grants/<int:grant_id>/open": OWN,
    "GET /archive/lookups/scans/<int:file_id>": UPLOADER,
    "GET /archive/lookups/scans/<int:file_id>/pages/<int:sheet>": UPLOADER,
    "GET /archive/lookups/views/<int:opening_id>": OWN,
    "GET /archive/lookups/views/<int:opening_id>/pages/<int:sheet>": OWN,
    "GET /archive/lookups/views/<int:opening_id>/state": OWN,
    "POST /archive/lookups/views/<int:opening_id>/close": OWN,
    "GET /archive/lookups/log": LOG,
    "GET /archive/copies/": STAFF,
    "POST /archive/copies/register": "l------o-oo",
    "GET /archive/copies/find": STAFF,
    "GET /archive/copies/q/<token>": COPY,
    "GET /archive/copies/station": OPERATOR,
    "POST /archive/copies/grants/<int:grant_id>/reserve": OPERATOR,
    "POST /archive/copies/<int:copy_id>/pages": OPERATOR,
    "POST /archive/copies/<int:copy_id>/make": OPERATOR,
    f"POST /archive/copies/<int:copy_id>/<any({','.join(states.BY_OPERATOR)}):copy_step>": OPERATOR,
    "POST /archive/copies/<int:copy_id>/again": OPERATOR,
    "GET /archive/copies/colleagues": OPERATOR,
    "POST /archive/copies/people/<int:user_id>/list": OPERATOR,
    "GET /archive/copies/<int:copy_id>": COPY,
    "POST /archive/copies/<int:copy_id>/accept": "l?o?-?--?--",
    "POST /archive/copies/<int:copy_id>/lost": "l?o?-?--?--",
    "GET /archive/pack/": AUDITOR,
    "POST /archive/pack/<any(customer,request,copy):subject>/<int:subject_id>": AUDITOR,
}


def build(stage: Any, world: World) -> None:
    """A file, a grant to view with an open view, a paper copy that anna has."""
    customer = stage.ids["customer_id"]
    add_file(customer)
    view_grant = granted(stage.app, world, "anna", "maotai", quantity=5)
    with transaction():
        stage.ids["opening_id"] = grants.open_view(view_grant, "stage", world.actor("anna")).id
    paper = granted(stage.app, world, "anna", "maotai", PAPER, 2)
    copy_id = reserved(world, paper)
    db.session.rollback()
    if db.session.get_one(ArchiveCopy, copy_id).state == states.RESERVED:
        walk(world, copy_id, states.MAKE)
    walk(world, copy_id, states.SEND, states.COUNT, states.SIGN)
    stage.ids |= {"grant_id": view_grant, "copy_id": copy_id, "sheet": 1, "copy_step": "return"}
    stage.ids["archive_copies.reserve:grant_id"] = paper
    stage.ids["lookup_id"] = db.session.scalars(
        select(ArchiveGrant.lookup_id).where(ArchiveGrant.id == view_grant)
    ).one()
    stage.ids["archive_copies.by_token:token"] = db.session.get_one(ArchiveCopy, copy_id).token
    stage.ids |= {"archive_pack.make:subject": "copy", "archive_pack.make:subject_id": copy_id}
