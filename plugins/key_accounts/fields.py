"""Fields that the forms of this plugin share: dates, moments, people, long texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from wtforms import DateField, DateTimeLocalField, Field, HiddenField, IntegerField, SelectField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError
from wtforms.widgets import TextInput

from portal.core import clock
from portal.core.forms import Form
from portal.core.text import clean_name
from portal.customers.validation import clean_text
from portal.i18n import _, _l
from portal.org.queries import find_user, names_of

LARGEST_ID = 2**62
#: For fields that must be filled in; the second one takes a zero.
REQUIRED = DataRequired(message=_l("This must be filled in."))
GIVEN = InputRequired(message=_l("This must be filled in."))


def at_most(limit: int) -> Length:
    """Length check with our own message."""
    return Length(max=limit, message=_l("At most %(max)d characters."))


def pairs(table: Mapping[str, Any], blank: Any = None) -> list[tuple[str, Any]]:
    """Choices of a select out of a table of words."""
    return [*([("", blank)] if blank is not None else []), *table.items()]


def people(rows: Iterable[tuple[int, str]], blank: Any = None) -> list[tuple[str, Any]]:
    """Choices of a select out of (id, name)."""
    return [*([("", blank)] if blank is not None else []), *((str(key), name) for key, name in rows)]


class LongText(TextAreaField):
    """Several lines, cleaned of control and bidirectional characters."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = clean_text(valuelist[0]) if valuelist else ""


class DayField(DateField):
    """A day; what is none is refused with our own message and kept as it was typed."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_("Enter a date such as 2026-03-05.")) from error
        if self.data is not None and not 1900 <= self.data.year <= 2100:
            self.data = None
            raise ValueError(_("The date must be between 1900 and 2100."))


class MomentField(DateTimeLocalField):
    """A moment, typed in the organisation's zone."""

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        super().__init__(label, validators, format=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], **options)

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_("Enter a date and a time.")) from error
        if self.data is not None and not 1900 <= self.data.year <= 2100:
            self.data = None
            raise ValueError(_("The date must be between 1900 and 2100."))

    def show(self, moment: datetime | None) -> None:
        """Show a stored moment."""
        self.data = clock.local(moment).replace(tzinfo=None) if moment else None

    @property
    def moment(self) -> datetime | None:
        """The aware moment."""
        return self.data.replace(tzinfo=clock.zone()) if self.data is not None else None


class NumberField(IntegerField):
    """A whole number of at most nine digits."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            self.data = None
            return
        if len(text) > 9 or not text.lstrip("-").isdecimal():
            self.data = None
            raise ValueError(_("Enter a whole number."))
        self.data = int(text)


class ChoiceField(SelectField):
    """A choice; a value that is not offered is refused with our own message. "" where there is a blank choice."""

    def pre_validate(self, form: Any) -> None:
        if not self.raw_data and any(value == "" for value, *_rest in self.iter_choices()):
            self.data = ""
        try:
            super().pre_validate(form)
        except ValidationError as error:
            raise ValidationError(_("Choose one of the list.")) from error

    @property
    def number(self) -> int | None:
        """The chosen id; None for the blank choice."""
        text = str(self.data or "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


class PersonField(Field):
    """A person, chosen with the macro forms.picker; without script the text alone is looked up."""

    widget = TextInput()
    is_person = True
    text: str = ""
    data: int | None
    process_errors: list[Any]

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        super().process(formdata, *args, **kwargs)
        sent = formdata.get(f"{self.name}_text") if formdata else None
        if sent is None:
            self.show(self.data)
            return
        self.text = clean_name(sent)[:200]
        if not self.text:
            self.data = None
        elif self.data is None or names_of([self.data]).get(self.data) != self.text:
            self.data = find_user(self.text)
            if self.data is None:
                message = _("Nobody, or more than one, is called that. Choose from the list or type the log-in name.")
                self.process_errors = [*self.process_errors, message]

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = valuelist[0].strip() if valuelist else ""
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
        self.data = number if 0 < number < LARGEST_ID else None

    def show(self, user_id: int | None) -> None:
        """Show a stored person."""
        self.data = user_id
        self.text = names_of([user_id]).get(user_id, "") if user_id is not None else ""

    def _value(self) -> str:
        return "" if self.data is None else str(self.data)


class VersionedForm(Form):
    """A form of a row that others may change meanwhile."""

    version = HiddenField()

    @property
    def seen_version(self) -> int | None:
        """The version the form was drawn with; None when it is missing or no number."""
        raw = self.version.data or ""
        return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 12 else None


class ReasonForm(Form):
    """A reason for a step that needs one."""

    reason = LongText(_l("Reason"), [REQUIRED, at_most(300)])
