"""Base of all forms: shape and format only; services check the rules."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from portal.core.errors import Conflict, Invalid
from portal.core.numbers import whole_from
from portal.i18n import _l


class _Filled(DataRequired):
    """What was typed and could not be read is filled in: why it could not be read was said already, and stays."""

    def __call__(self, form: Any, field: Any) -> None:
        if not field.process_errors:
            super().__call__(form, field)


#: For fields that must be filled in; the second one takes a zero.
REQUIRED = _Filled(message=_l("This must be filled in."))
GIVEN = InputRequired(message=_l("This must be filled in."))


def at_most(limit: int) -> Length:
    """Length check with our own message."""
    return Length(max=limit, message=_l("At most %(max)d characters."))


class _Between(NumberRange):
    """Nothing, or what was no number and said so already, is within every range."""

    def __call__(self, form: Any, field: Any) -> None:
        if field.data is not None:
            super().__call__(form, field)


def between(low: int, high: int, message: Any = None) -> NumberRange:
    """Range check with our own message; an empty field passes."""
    return _Between(low, high, message=message or _l("Enter a number from %(min)s to %(max)s."))


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

    def show_conflict(self, error: Conflict) -> None:
        """Say at the head of the form that somebody was faster; what was typed stays in it."""
        self.show(Invalid([("", error.message)]))


class VersionedForm(Form):
    """A form of a row that others may change meanwhile."""

    version = HiddenField()

    @property
    def seen_version(self) -> int | None:
        """The version the form was drawn with; None when it is missing or no number."""
        return whole_from(self.version.data or "")


def options(pairs: Iterable[tuple[Any, Any]] | Mapping[Any, Any], blank: Any = None) -> list[SelectChoice]:
    """Choices of a field out of (value, label) pairs or a table of words. :param blank: label of an empty first one."""
    rows = pairs.items() if isinstance(pairs, Mapping) else pairs
    first = [("", blank)] if blank is not None else []
    return [SelectChoice(value=value, label=label) for value, label in (*first, *rows)]


def new_token() -> str:
    """A token for a form: a double click acts once."""
    return secrets.token_urlsafe(24)
