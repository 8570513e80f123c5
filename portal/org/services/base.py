"""What the writes of this module share: who may, locking a row, what changed."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from portal.core.errors import ErrorList, NotFound
from portal.core.permissions import require
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.permissions import MANAGE


def check_text(errors: ErrorList, field: str, text: str, longest: int, *, required: bool = False) -> None:
    """Note what is wrong with a line of text: empty although it must not be, or longer than its column."""
    if required and not text:
        errors.add(field, _("This must be filled in."))
    if len(text) > longest:
        errors.add(field, _("At most %(count)s characters.", count=longest))


def require_manage(actor: Actor) -> None:
    """Administrators manage people and departments; the system may at the first start.

    :raises NotAllowed: for anybody else.
    """
    if not actor.is_system:
        require(actor, MANAGE)


def locked(model: type[Any], key: int) -> Any:
    """The row as it is now, locked until the commit. :raises NotFound: when there is none."""
    found = db.session.get(model, key, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound()
    return found


def as_dict(data: Any) -> dict[str, Any]:
    """The fields of an input as the audit trail keeps them."""
    values = {item.name: getattr(data, item.name) for item in fields(data)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def differences(before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of two inputs of one kind the fields that differ: old values, new values."""
    old, new = as_dict(before), as_dict(after)
    changed = [key for key in new if new[key] != old[key]]
    return {key: old[key] for key in changed}, {key: new[key] for key in changed}
