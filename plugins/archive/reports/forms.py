"""What weekly reports and targets send: shape and format; the services check the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from plugins.archive.reports.services import LineInput
from portal.core.errors import ErrorList
from portal.core.money import MoneyError, parse_yuan
from portal.core.numbers import whole_from
from portal.core.text import clean_name
from portal.i18n import _


def lines_from(form: Mapping[str, str], line_ids: Iterable[int]) -> dict[int, LineInput]:
    """The lines of a report: fields "stock-7", "expected-7", "remarks-7" of line 7; "" means not known.

    :raises Invalid: what is no whole number, beside its field.
    """
    errors = ErrorList()
    found: dict[int, LineInput] = {}
    for number in line_ids:
        if f"stock-{number}" not in form:
            continue
        found[number] = LineInput(
            stock=_units(form, f"stock-{number}", errors),
            expected=_units(form, f"expected-{number}", errors),
            remarks=clean_name(form.get(f"remarks-{number}", "")),
        )
    errors.raise_if_any()
    return found


def _units(form: Mapping[str, str], name: str, errors: ErrorList) -> int | None:
    text = form.get(name, "").strip().replace(",", "")
    if not text:
        return None
    number = whole_from(text)
    if number is None or number < 0:
        errors.add(name, _("Enter a whole number from 0 on."))
        return None
    return number


def amount_from(text: str, errors: ErrorList, field: str) -> Decimal | None:
    """Yuan as typed; "" is None."""
    if not text.strip():
        return None
    try:
        return parse_yuan(text)
    except MoneyError:
        errors.add(field, _("Enter an amount in yuan, such as 1,234.50."))
        return None
