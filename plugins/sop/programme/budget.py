"""The cost of the introduction by mode (R-SOP-8), exact: days × rate in yuan, never a float."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from portal.core.coded import N_, CodedError

OWN, SHORT, DEEP, MANUAL, ASSISTED, TAILORED = "own", "short", "deep", "manual", "assisted", "tailored"

MESSAGES = {
    "budget.days": N_("This mode takes %(least)s to %(most)s days."),
    "budget.positive": N_("Enter at least one day."),
    "budget.many": N_("At most 366 days."),
    "budget.fee": N_("Enter the fee that was negotiated."),
}
MOST_DAYS = 366


class BudgetError(CodedError):
    """Days or a fee that do not fit the mode."""

    messages = MESSAGES


@dataclass(frozen=True)
class Mode:
    """A way of introducing the procedures.

    :ivar least, most: usual days of the adviser; None where there are none.
    :ivar adjustable: other days than the usual ones may be agreed.
    :ivar rate: key of the setting with the yuan for a day; "" where there is no rate.
    """

    key: str
    least: int | None = None
    most: int | None = None
    adjustable: bool = False
    rate: str = ""


MODES = (
    Mode(OWN),
    Mode(SHORT, 1, 2, rate="sop.rate_short"),
    Mode(DEEP, 3, 5, rate="sop.rate_deep"),
    Mode(MANUAL, 8, 10, adjustable=True, rate="sop.rate_manual"),
    Mode(ASSISTED, 20, 30, adjustable=True, rate="sop.rate_assisted"),
    Mode(TAILORED),
)
BY_KEY = {mode.key: mode for mode in MODES}


@dataclass(frozen=True)
class Offer:
    """A mode with its figures.

    :ivar days: of the adviser; None where the mode has none.
    :ivar amount: yuan; None while the fee is not negotiated.
    :ivar lowest, highest: yuan at the usual days, for orientation; None where there are none.
    """

    mode: Mode
    days: int | None
    rate: Decimal | None
    amount: Decimal | None
    lowest: Decimal | None
    highest: Decimal | None


def offer(mode: Mode, days: int | None, rate: Decimal | None, fee: Decimal | None = None) -> Offer:
    """Price one mode.

    :param days: None: the most that is usual. :param rate: yuan a day. :param fee: for the tailored mode, yuan.
    :raises BudgetError: "budget.days" outside the usual days of a mode whose days are not adjustable,
        "budget.positive", "budget.many", "budget.fee" for a negative fee.
    """
    if mode.key == OWN:
        return Offer(mode, None, None, Decimal("0.00"), Decimal("0.00"), Decimal("0.00"))
    if mode.least is None or mode.most is None or rate is None:
        if fee is not None and fee < 0:
            raise BudgetError("budget.fee")
        return Offer(mode, None, None, fee, None, None)
    number = mode.most if days is None else days
    if number < 1:
        raise BudgetError("budget.positive")
    if number > MOST_DAYS:
        raise BudgetError("budget.many")
    if not mode.adjustable and not mode.least <= number <= mode.most:
        raise BudgetError("budget.days", least=mode.least, most=mode.most)
    return Offer(mode, number, rate, rate * number, rate * mode.least, rate * mode.most)


def compare(days: Mapping[str, int | None], rates: Mapping[str, Decimal], fee: Decimal | None) -> list[Offer]:
    """All modes side by side, the cheapest kind first (the order of the rule)."""
    return [offer(mode, days.get(mode.key), rates.get(mode.key), fee) for mode in MODES]
