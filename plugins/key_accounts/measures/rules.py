"""The rules of tiers and classes for one customer, in plain Python: reasons on pages, and the proof of the SQL."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from plugins.key_accounts.measures.settings import Thresholds
from plugins.key_accounts.tiers.models import IMPORTANT, KEY, ORDINARY

#: Why a tier is proposed, in the order in which the rules are applied.
TOP, NEXT, REST, NO_SALES, TOO_SMALL, LOSS, NOT_REPEATED, ROLE = (
    "top",
    "next",
    "rest",
    "no_sales",
    "too_small",
    "loss",
    "not_repeated",
    "role",
)


@dataclass(frozen=True)
class Proposal:
    """A proposed tier and the rules that led to it."""

    tier: str
    reasons: tuple[str, ...]


def propose(
    sales: Decimal,
    profit: Decimal,
    rank: int | None,
    repeat_years: int,
    has_role: bool,
    buyers: int,
    limits: Thresholds,
) -> Proposal:
    """The tier that the portal proposes for a customer.

    :param rank: 1 for the largest sales, equal sales share a rank; None without sales. :param buyers: customers with
        sales.
    """
    reasons: list[str] = []
    if not sales or rank is None:
        tier = ORDINARY
        reasons.append(NO_SALES)
    elif rank <= limits.key_limit(buyers) and sales >= limits.key_minimum:
        tier = KEY
        reasons.append(TOP)
    elif rank <= limits.important_limit(buyers):
        tier = IMPORTANT
        reasons.append(NEXT)
        if rank <= limits.key_limit(buyers):
            reasons.append(TOO_SMALL)
    else:
        tier = ORDINARY
        reasons.append(REST)
    if tier != ORDINARY and profit < 0 and limits.loss_lowers:
        tier = IMPORTANT if tier == KEY else ORDINARY
        reasons.append(LOSS)
    if tier == KEY and repeat_years < limits.key_years:
        tier = IMPORTANT
        reasons.append(NOT_REPEATED)
    if tier == ORDINARY and has_role and limits.role_lifts:
        tier = IMPORTANT
        reasons.append(ROLE)
    return Proposal(tier, tuple(reasons))


def abc_of(before: Decimal, total: Decimal, limits: Thresholds) -> str:
    """The class of a customer with sales. :param before: sales of all larger customers; equal ones count together, so
    that the customer who crosses a limit still belongs to the better class."""
    if before * 100 < total * limits.abc_a:
        return "A"
    return "B" if before * 100 < total * limits.abc_b else "C"
