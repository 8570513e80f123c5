"""Pages of the plugin sop and what it puts on the stage: a manual of anna's department with an effective version, the
draft of the next one with a remark, and a procedure with a form."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from plugins.sop.manuals import commenting, drafting
from plugins.sop.manuals.models import Attachment
from plugins.sop.reading import services as reading
from plugins.sop.reading.models import ALL_STAFF
from portal.core.transaction import transaction
from portal.extensions import db
from tests.access.letters import STAFF
from tests.sop_story import add_step, effective_manual
from tests.world import World

#: the head of the manual's department, the head above, and the SOP editor
EDIT = "l???o?o????o"
#: SOP editors alone
WRITE = "l----------o"
#: heads, executives, auditors
OVERSEE = "l---oooo---o"
#: heads of the department may change it; others who may look are told that there is nothing to change
READERS = "l---o?o?---o"

QUERY: dict[str, dict[str, str]] = {}
FORM: dict[str, dict[str, str]] = {
    "sop.arrange": {"do": "chapter_up:procedures"},
    "sop.remark": {"text": "请补充时限"},
}
MATRIX: dict[str, str] = {
    "GET /sop/": STAFF,
    "GET /sop/manuals": STAFF,
    "GET /sop/manuals/new": WRITE,
    "POST /sop/manuals/new": WRITE,
    "GET /sop/manuals/<int:manual_id>": STAFF,
    "GET /sop/manuals/<int:manual_id>/settings": EDIT,
    "POST /sop/manuals/<int:manual_id>/settings": EDIT,
    "POST /sop/manuals/<int:manual_id>/revise": EDIT,
    "GET /sop/manuals/<int:manual_id>/retire": EDIT,
    "POST /sop/manuals/<int:manual_id>/retire": EDIT,
    "GET /sop/manuals/<int:manual_id>/read": STAFF,
    "GET /sop/manuals/<int:manual_id>/readers": OVERSEE,
    "POST /sop/manuals/<int:manual_id>/readers": READERS,
    "POST /sop/versions/<int:version_id>/look-through": EDIT,
    "GET /sop/versions/<int:version_id>/changes": STAFF,
    "POST /sop/versions/<int:version_id>/remarks": EDIT,
    "POST /sop/remarks/<int:comment_id>/settle": EDIT,
    "GET /sop/versions/<int:version_id>/acknowledge": STAFF,
    "POST /sop/versions/<int:version_id>/acknowledge": STAFF,
    "GET /sop/versions/<int:version_id>/export": STAFF,
    "POST /sop/versions/<int:version_id>/export": STAFF,
    "POST /sop/versions/<int:version_id>/procedures/<int:procedure_id>/pdf": STAFF,
    "GET /sop/procedures/<int:procedure_id>": STAFF,
    "GET /sop/forms/<int:attachment_id>": STAFF,
    "GET /sop/reading": STAFF,
    "POST /sop/reading-rules/<int:rule_id>/remove": EDIT,
    "GET /sop/drafts/<int:draft_id>": EDIT,
    "POST /sop/drafts/<int:draft_id>/arrange": EDIT,
    "GET /sop/drafts/<int:draft_id>/chapters/<string:key>": EDIT,
    "POST /sop/drafts/<int:draft_id>/chapters/<string:key>": EDIT,
    "POST /sop/drafts/<int:draft_id>/preview": EDIT,
    "GET /sop/drafts/<int:draft_id>/procedures/new": EDIT,
    "POST /sop/drafts/<int:draft_id>/procedures/new": EDIT,
    "GET /sop/drafts/<int:draft_id>/procedures/<int:procedure_id>": EDIT,
    "POST /sop/drafts/<int:draft_id>/procedures/<int:procedure_id>": EDIT,
    "POST /sop/drafts/<int:draft_id>/procedures/<int:procedure_id>/forms": EDIT,
    "GET /sop/drafts/<int:draft_id>/starters": EDIT,
    "POST /sop/drafts/<int:draft_id>/starters": EDIT,
    "GET /sop/drafts/<int:draft_id>/submit": EDIT,
    "POST /sop/drafts/<int:draft_id>/submit": EDIT,
    "GET /sop/drafts/<int:draft_id>/questions": EDIT,
    "POST /sop/drafts/<int:draft_id>/questions": EDIT,
    "GET /sop/drafts/<int:draft_id>/discard": EDIT,
    "POST /sop/drafts/<int:draft_id>/discard": EDIT,
}


def build(stage: Any, world: World) -> None:
    """One object of every kind of the plugin."""
    edda = world.actor("edda")
    with stage.app.test_request_context():
        made = effective_manual(world, department="one", with_form=True)
    with transaction():
        rule = reading.add_rule(made.manual_id, reading.RuleInput(ALL_STAFF, 14), edda)
        stage.ids["rule_id"] = rule.id
        draft = drafting.start_draft(made.manual_id, edda)
        stage.ids["draft_id"] = draft.id
        add_step(draft.id, made.procedure_id, "再次核对", edda)
        stage.ids["comment_id"] = commenting.write_comment(draft.id, commenting.Place(), "请补充", edda).id
    stage.ids["manual_id"] = made.manual_id
    stage.ids["version_id"] = made.version_id
    stage.ids["procedure_id"] = made.procedure_id
    stage.ids["sop.remark:version_id"] = stage.ids["draft_id"]
    stage.ids["sop.chapter:key"] = "procedures"
    stage.ids["attachment_id"] = db.session.scalars(select(Attachment.id).order_by(Attachment.id)).first()
