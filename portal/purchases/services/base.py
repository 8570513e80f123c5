"""What products and purchases share: loading, amounts, refusing what is stale."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from portal.audit.queries import history_of
from portal.core.errors import Conflict, NotFound
from portal.core.money import FEN
from portal.extensions import db
from portal.i18n import _

#: The largest price, discount, total and cost: thousands of such sums can be added up in 64 bits of fen.
MAX_AMOUNT = Decimal("9999999999.99")


def locked(model: type[Any], key: int) -> Any:
    """A row with its lock, read afresh. :raises NotFound: no such row."""
    row = db.session.get(model, key, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound()
    return row


def is_amount(amount: Decimal | None) -> bool:
    """Whether it is an amount that can be kept: not negative, not too large, exact to the fen."""
    return amount is not None and amount.is_finite() and 0 <= amount <= MAX_AMOUNT and amount == amount.quantize(FEN)


def refuse_stale(row: Any, kind: str, version: int | None, mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    """:raises Conflict: somebody else changed the row since the version that was seen."""
    if version is None or row.version == version:
        return
    last = history_of(kind, row.id, limit=1)
    raise Conflict(
        _("Somebody else changed this in the meantime."),
        mine=mine,
        theirs=theirs,
        version=row.version,
        changed_by=last[0].actor_name if last else "",
        changed_at=last[0].at if last else row.created_at,
    )


def text_of(value: Any) -> str | None:
    """A value as people read it in a comparison."""
    return None if value is None else str(value)
