"""Base of all forms: shape and format only; services check the rules."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from flask_wtf import FlaskForm
from wtforms import DecimalField, Field, StringField
from wtforms.fields.choices import SelectChoice

from portal.core.errors import Invalid
from portal.core.text import clean_name
from portal.i18n import _


class Form(FlaskForm):
    """Form with the CSRF token. Subclasses offer `to_input()` returning the service's frozen dataclass."""

    def show(self, error: Invalid) -> None:
        """Put a service's errors beside their fields; what belongs to no field goes to the head of the form."""
        for name, message in error.errors:
            field = self._fields.get(name)
            if field is None:
                self.form_errors.append(str(message))
            else:
                field.errors = [*field.errors, str(message)]


class TextField(StringField):
    """One line of text: cleaned of control, zero-width and bidirectional characters; empty stays ""."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = clean_name(valuelist[0]) if valuelist else ""


class YuanField(DecimalField):
    """Yuan with at most two decimals; accepts 1,234.50, ￥1,234.5 and full-width digits."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        from portal.core.money import MoneyError, parse_yuan

        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            self.data = parse_yuan(valuelist[0])
        except MoneyError as error:
            self.data = None
            raise ValueError(_("Enter an amount in yuan, such as 1,234.50.")) from error

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{Decimal(self.data):.2f}"


def field_errors(field: Field) -> list[str]:
    """All messages of a field, as strings."""
    return [str(error) for error in field.errors]


def options(pairs: Iterable[tuple[Any, Any]]) -> list[SelectChoice]:
    """(value, label) pairs as choices of a field."""
    return [SelectChoice(value=value, label=label) for value, label in pairs]
