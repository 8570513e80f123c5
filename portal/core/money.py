"""Money: exact yuan as Decimal in Python, fen as integers in the database. Never a float.

Chinese numerals in this module are data (正确填写票据和结算凭证的基本规定, 中国人民银行, annex 1 of 支付结算办法).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from portal.core.coded import N_, CodedError

#: The largest amount that is accepted, in yuan, of either sign.
LIMIT = Decimal("9999999999999.99")
FEN = Decimal("0.01")

MESSAGES = {
    "money.empty": N_("Enter an amount."),
    "money.format": N_("This is not an amount. Write it like 1,234.50."),
    "money.precision": N_("An amount has at most two decimals."),
    "money.range": N_("The amount is too large."),
    "money.allocation": N_("The discount cannot be spread over these lines."),
}


class MoneyError(CodedError):
    """An amount that cannot be accepted; codes and sentences in `MESSAGES`."""

    messages = MESSAGES


_AMOUNT = re.compile(
    r"(?P<open>\()?(?P<sign>[-+]?)(?:[¥$]|CNY|RMB|人民币)?(?P<sign2>[-+]?)"
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?P<unit>万亿|亿|万|千|百)?元?整?(?:CNY|RMB)?(?P<close>\))?\Z",
    re.IGNORECASE | re.ASCII,
)
_UNITS = {"百": 100, "千": 1000, "万": 10**4, "亿": 10**8, "万亿": 10**12}
_MINUS = str.maketrans({"−": "-", "–": "-", "—": "-", "﹣": "-", "，": ",", "。": ".", "￥": "¥"})


def _checked(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise MoneyError("money.format")
    if abs(amount) > LIMIT:
        raise MoneyError("money.range")
    exact = amount.quantize(FEN)
    if exact != amount:
        raise MoneyError("money.precision")
    # No negative zero: it would print as "-0.00".
    return exact if exact else Decimal("0.00")


def parse_yuan(text: str) -> Decimal:
    """An amount as people write it → Decimal yuan with two decimals.

    Accepted: 1234, 1,234.50, ¥1,234.5, １２３４, 3.5万, 1.2亿元, -5, (1,234.00) for a negative amount, 人民币 and RMB
    in front. MoneyError: "money.empty", "money.format" (wrong grouping too), "money.precision" (more than two
    decimals), "money.range".
    """
    text = unicodedata.normalize("NFKC", text.translate(_MINUS)).translate(_MINUS).strip()
    if not text:
        raise MoneyError("money.empty")
    if len(text) > 60:
        raise MoneyError("money.format")
    match = _AMOUNT.match(re.sub(r"(?<=\D)\s+|\s+(?=\D)", "", text))
    if not match or bool(match["open"]) != bool(match["close"]) or (match["sign"] and match["sign2"]):
        raise MoneyError("money.format")
    amount = Decimal(match["number"].replace(",", "")) * _UNITS.get(match["unit"] or "", 1)
    signs = match["sign"] + match["sign2"]
    if match["open"] and signs:
        raise MoneyError("money.format")
    return _checked(-amount if match["open"] or signs == "-" else amount)


def to_fen(amount: Decimal) -> int:
    """Decimal yuan → fen. MoneyError when there is less than a fen in it or it is beyond the limit: nothing is rounded
    here."""
    return int(_checked(amount) * 100)


def from_fen(fen: int) -> Decimal:
    """Fen → Decimal yuan with two decimals."""
    return Decimal(fen).scaleb(-2)


def round_yuan(amount: Decimal) -> Decimal:
    """Round to the fen, half away from zero (四舍五入), for results of a multiplication with a rate."""
    return amount.quantize(FEN, rounding=ROUND_HALF_UP)


def format_yuan(amount: Decimal, *, unit: str = "", symbol: bool = False) -> str:
    """ "1,234,567.00"; with unit "万" or "亿" the amount in that unit, rounded to two decimals, trailing zeros
    dropped: "123.46万".

    `symbol` puts ¥ in front (after the minus sign).
    """
    if unit:
        scaled = round_yuan(amount / _UNITS[unit])
        digits = f"{abs(scaled):,.2f}".rstrip("0").rstrip(".") + unit
        negative = scaled < 0
    else:
        rounded = round_yuan(amount)
        digits = f"{abs(rounded):,.2f}"
        negative = rounded < 0
    return ("-" if negative else "") + ("¥" if symbol else "") + digits


def allocate(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Spread an amount over lines in proportion to their weights (usually the amounts of the lines), exact to the fen.

    Largest remainder (Hamilton's method): each line gets its share rounded down, the fen left over go to the largest
    remainders, the earlier line first. The parts sum to `total`; when `total` is not more than the sum of the
    weights, no part is more than its weight (in whole fen). All weights 0: only a total of 0 can be spread.
    MoneyError "money.allocation" for negative weights or nothing to spread over.
    """
    fen = to_fen(abs(total))
    sign = -1 if total < 0 else 1
    # Weights as integers: exact for any number of decimals.
    scale = max((-int(w.as_tuple().exponent) for w in weights if w.is_finite()), default=0)
    if any(not w.is_finite() or w < 0 for w in weights):
        raise MoneyError("money.allocation")
    parts = [int(w.scaleb(max(scale, 0))) for w in weights]
    whole = sum(parts)
    if whole == 0:
        if fen:
            raise MoneyError("money.allocation")
        return [Decimal("0.00") for _weight in weights]
    shares = [divmod(fen * part, whole) for part in parts]
    left = fen - sum(share for share, _remainder in shares)
    order = sorted(range(len(shares)), key=lambda index: -shares[index][1])
    extra = set(order[:left])
    return [from_fen(sign * (share + (index in extra))) for index, (share, _remainder) in enumerate(shares)]
