"""Fields with sentences of our own; what is refused stays in its field as it was typed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from wtforms import (
    DateField,
    DateTimeLocalField,
    DecimalField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core import clock
from portal.core.money import MoneyError, parse_yuan
from portal.core.numbers import id_from, whole_from
from portal.core.text import clean_name, clean_text
from portal.i18n import _

FIRST_YEAR = 1900
LAST_YEAR = 2100


def _typed(valuelist: list[Any]) -> str:
    return str(valuelist[0]).strip() if valuelist else ""


class TextField(StringField):
    """One line of text: cleaned of control, zero-width and bidirectional characters; empty stays ""."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = clean_name(valuelist[0]) if valuelist else ""


class LongText(TextAreaField):
    """Several lines, cleaned of control, zero-width and bidirectional characters; empty stays ""."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = clean_text(valuelist[0]) if valuelist else ""


class YuanField(DecimalField):
    """Yuan with at most two decimals; accepts 1,234.50, ￥1,234.5 and full-width digits."""

    data: Decimal | None

    def process_formdata(self, valuelist: list[Any]) -> None:
        text, self.data = _typed(valuelist), None
        if not text:
            return
        try:
            self.data = parse_yuan(text)
        except MoneyError as error:
            raise ValueError(_("Enter an amount in yuan, such as 1,234.50.")) from error

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{Decimal(self.data):.2f}"


class NumberField(IntegerField):
    """A whole number of at most nine digits, which every column of numbers holds; empty is None."""

    digits = 9

    data: Any  # int | None; from WTForms' untyped code only the None can be inferred

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = _typed(valuelist)
        self.data = whole_from(text, self.digits)
        if text and self.data is None:
            raise ValueError(_("Enter a whole number."))


def _within_reach(day: date) -> None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(_("The date must be between 1900 and 2100."))


class DayField(DateField):
    """A day between 1900 and 2100; empty is None."""

    data: Any  # date | None

    def process_formdata(self, valuelist: list[Any]) -> None:
        text, self.data = _typed(valuelist), None
        if not text:
            return
        try:
            day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
        except ValueError as error:
            raise ValueError(_("Enter a date such as 2026-03-05.")) from error
        _within_reach(day)
        self.data = day


class MomentField(DateTimeLocalField):
    """Date and time in the organisation's zone, between 1900 and 2100; `moment` is the aware value."""

    data: Any  # datetime | None

    def __init__(self, label: Any = None, validators: Any = None, **arguments: Any) -> None:
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
        super().__init__(label, validators, format=formats, **arguments)

    def process_formdata(self, valuelist: list[Any]) -> None:
        text, self.data = _typed(valuelist), None
        if not text:
            return
        try:
            super().process_formdata([text])
        except ValueError as error:
            raise ValueError(_("Enter date and time such as 2026-03-05 14:30.")) from error
        found, self.data = self.data, None
        if found is not None:
            _within_reach(found)
            self.data = found

    def show(self, moment: datetime | None) -> None:
        """Show a stored moment."""
        self.data = clock.local(moment).replace(tzinfo=None) if moment else None

    @property
    def moment(self) -> datetime | None:
        """The aware moment."""
        return self.data.replace(tzinfo=clock.zone()) if self.data is not None else None


class ChoiceField(SelectField):
    """One of several; a value that is not offered is refused.

    A field that was not sent at all counts as the blank choice, where there is one.
    """

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_("Choose one of the list.")) from error

    def pre_validate(self, form: Any) -> None:
        if not self.raw_data and any(value == "" for value, *_rest in self.iter_choices()):
            self.data = self.coerce("")
        try:
            super().pre_validate(form)
        except ValidationError as error:
            raise ValidationError(_("Choose one of the list.")) from error

    @property
    def number(self) -> int | None:
        """The chosen id; None for the blank choice."""
        return id_from(self.data or "")


class OptionField(ChoiceField, RadioField):
    """One of several, all in sight."""


class BoxesField(SelectMultipleField):
    """Any number of a few choices, as boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_("Choose one of the list.")) from error

    def pre_validate(self, form: Any) -> None:
        try:
            super().pre_validate(form)
        except ValueError as error:
            raise ValidationError(_("Choose one of the list.")) from error
