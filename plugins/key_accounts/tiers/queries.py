"""Reads of tiers. These two are asked by other areas for rows they may show already; nothing is filtered here."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select

from plugins.key_accounts.tiers.models import KEY, CustomerTier
from portal.extensions import db


@cache
def _tiers_statement() -> Select[Any]:
    ids = bindparam("ids", expanding=True)
    return select(CustomerTier.customer_id, CustomerTier.tier).where(CustomerTier.customer_id.in_(ids))


def tier_of(customer_ids: Iterable[int]) -> dict[int, str]:
    """Customer → decided tier, in one statement; customers nobody decided on are missing."""
    ids = list(customer_ids)
    if not ids:
        return {}
    return {row.customer_id: row.tier for row in db.session.execute(_tiers_statement(), {"ids": ids})}


def is_key(customer_id: int) -> bool:
    """Whether a customer is a key account (关键客户) by decision."""
    return tier_of([customer_id]).get(customer_id) == KEY


def tier_row(customer_id: int) -> CustomerTier | None:
    """The tier of a customer with his strategic roles; None when nobody decided yet."""
    return db.session.scalars(select(CustomerTier).where(CustomerTier.customer_id == customer_id)).first()
