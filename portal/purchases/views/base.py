"""The blueprint and what its pages share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, g

from portal.auth.current import current_actor
from portal.core.errors import Conflict
from portal.core.permissions import can
from portal.customers import queries as customer_queries
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


def product_labels(values: Iterable[str | None]) -> dict[str, str]:
    """Texts of products by the values of their pickers; those that do not exist are left out."""
    ids = {int(value) for value in values if value and value.isdecimal() and len(value) < 18}
    return {str(key): label for key, label in queries.product_labels(sorted(ids)).items()} if ids else {}


def find_product(text: str) -> str | None:
    """Id of the product that a text names: its article number, its name, or both as the picker writes them."""
    code, _blank, rest = text.partition(" ")
    for wanted in (text, code if rest else ""):
        found = queries.product_named(wanted) if wanted else None
        if found is not None and (wanted == text or queries.product_label(found.code, found.name) == text):
            return str(found.id)
    return None


def describe_customer(value: str) -> str:
    """Name of a visible customer; "" for all others."""
    if not value.isdecimal() or len(value) > 17:
        return ""
    found = customer_queries.pick(current_actor(), [int(value)])
    return found[0][1] if found else ""


def find_customer(text: str) -> str | None:
    """Id of the visible customer that a text names, when it is only one."""
    from portal.customers.search import search

    hits = search(current_actor(), text, limit=5, only_visible=True)
    exact = [hit for hit in hits if hit.name == text]
    chosen = exact if len(exact) == 1 else hits if len(hits) == 1 else []
    return str(chosen[0].customer_id) if chosen else None


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
