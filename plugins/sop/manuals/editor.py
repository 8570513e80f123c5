"""What all pages of the editor share: the draft, and what a script is told when it could not save."""

from __future__ import annotations

from flask import jsonify
from werkzeug.wrappers import Response

from plugins.sop.manuals.base import load_draft
from plugins.sop.manuals.models import ManualVersion
from portal.auth.current import current_actor
from portal.core.errors import Conflict
from portal.core.forms import Form


def draft_of(draft_id: int) -> ManualVersion:
    """The draft for who writes it now. :raises NotFound: not his to write. :raises Conflict: no draft any more."""
    return load_draft(draft_id, current_actor())


def not_saved(form: Form | None, problem: Conflict | None, errors: list[str] | None = None) -> tuple[Response, int]:
    """What a script is told when it could not save."""
    if problem is not None:
        return jsonify(problem=str(problem.message), by=problem.details.get("by", "")), 409
    found = errors or [str(message) for field in form or () for message in field.errors]
    return jsonify(problem=" ".join(found)), 400
