"""The blueprint and what its pages share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g

from portal.core.errors import Conflict
from portal.core.permissions import can
from portal.i18n import _
from portal.purchases import queries
from portal.purchases import vocabulary as words
from portal.purchases.listings import state_cell, state_tag
from portal.purchases.permissions import SEE_MARGIN, SEE_REPORTS

blueprint = Blueprint("purchases", __name__)


@blueprint.app_template_global("purchase_state")
def purchase_state(row: Any, overdue: int) -> Any:
    """The state of a purchase for a cell."""
    return state_cell(row, row.purchased_on, overdue)


@blueprint.context_processor
def template_words() -> dict[str, Any]:
    """What the templates of this module use."""
    # Pages that answer before the view (log in first) have no actor.
    actor = g.get("actor")
    return {
        "words": words,
        "state_tag": state_tag,
        "share": queries.share,
        "sees_margin": actor is not None and can(actor, SEE_MARGIN),
        "sees_reports": actor is not None and can(actor, SEE_REPORTS),
    }


#: What the compared fields are called.
def field_names() -> dict[str, str]:
    """Names of the fields in a comparison of two versions."""
    return {
        "number": _("Order number"),
        "purchased_on": _("Date"),
        "paid_on": _("Paid on"),
        "remarks": _("Remarks"),
        "lines": _("Lines"),
        "code": _("Article number"),
        "name": _("Name"),
        "category": _("Category"),
        "grade": _("Grade"),
        "unit": _("Unit"),
        "list_price": _("List price"),
        "unit_cost": _("Unit cost"),
        "days_per_unit": _("Days that one unit lasts"),
        "is_active": _("On sale"),
    }


def conflict_rows(conflict: Conflict) -> list[tuple[str, str, str]]:
    """(field, theirs, mine) of the fields that differ; lines one by one."""
    mine, theirs = conflict.details["mine"], conflict.details["theirs"]
    names = field_names()
    rows: list[tuple[str, str, str]] = []
    for key, value in mine.items():
        other = theirs.get(key)
        if key == "lines":
            longest = max(len(value), len(other or ()))
            for index in range(longest):
                left = other[index] if other and index < len(other) else ""
                right = value[index] if index < len(value) else ""
                if left != right:
                    rows.append((_("Line %(n)s", n=index + 1), left, right))
        elif _shown(key, value) != _shown(key, other):
            rows.append((names.get(key, key), _shown(key, other), _shown(key, value)))
    return rows


def _shown(key: str, value: Any) -> str:
    if key == "grade":
        return words.word(words.GRADES, str(value or ""))
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return "" if value is None else str(value)
