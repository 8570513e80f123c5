"""Forms (表单) attached to procedures of a draft. Nothing here commits."""

from __future__ import annotations

from plugins.sop.actions import ManualAction
from plugins.sop.files import CheckedFile
from plugins.sop.manuals import revisions
from plugins.sop.manuals.base import audit_version, load_draft
from plugins.sop.manuals.editing import remember
from plugins.sop.manuals.models import Attachment, Procedure
from portal.core.errors import Invalid, NotFound
from portal.core.storage import storage
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

AREA = "sop_forms"
FORMS = 20


def attach_form(
    version_id: int, procedure_id: int, code: str, title: str, checked: CheckedFile, actor: Actor
) -> Attachment:
    """Attach a file to a procedure of a draft.

    :param checked: by `files.check_file`, before the transaction begins. :raises Invalid: a title too long, too many.
    """
    version = load_draft(version_id, actor)
    place = revisions.placed(version, procedure_id)
    label = title.strip() or checked.name.rpartition(".")[0]
    if len(label) > 200 or len(code.strip()) > 40:
        raise Invalid([("title", _("At most %(n)s characters.", n=200))])
    before = revisions.snapshot(place.revision_id)
    if len(before["forms"]) >= FORMS:
        raise Invalid([("file", _("A procedure has at most %(count)s forms.", count=FORMS))])
    remember(version, f"procedure:{procedure_id}", before, actor)
    kept = storage().put(AREA, checked.content)
    own = revisions.own_revision(version, procedure_id)
    form = Attachment(
        revision_id=own.id,
        position=len(before["forms"]) + 1,
        code=code.strip(),
        title=label,
        file_name=checked.name,
        media_type=checked.media_type,
        size=kept.size,
        storage_key=kept.key,
    )
    db.session.add(form)
    own.edit_version += 1
    db.session.flush()
    audit_version(actor, ManualAction.FORM_ATTACHED, version, new={"form": label, "file": checked.name})
    return form


def remove_form(version_id: int, procedure_id: int, attachment_id: int, actor: Actor) -> None:
    """Take a form off a procedure of a draft; undo brings it back. Versions before keep theirs."""
    version = load_draft(version_id, actor)
    place = revisions.placed(version, procedure_id)
    form = db.session.get(Attachment, attachment_id)
    if form is None or form.revision_id != place.revision_id:
        raise NotFound()
    before = revisions.snapshot(place.revision_id)
    remember(version, f"procedure:{procedure_id}", before, actor)
    own = revisions.own_revision(version, procedure_id)
    data = {**before, "forms": [row for row in before["forms"] if row["position"] != form.position]}
    revisions.write_text(own, data, actor)
    code = db.session.get_one(Procedure, procedure_id).code
    audit_version(actor, ManualAction.FORM_REMOVED, version, old={"form": form.title if form in db.session else code})
