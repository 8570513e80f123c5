"""Fields that the forms of this plugin share: dates, moments, people, long texts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from wtforms import DateField, DateTimeLocalField, Field, HiddenField, IntegerField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError
from wtforms.widgets import TextInput

from portal.auth.current import current_actor
from portal.core import clock
from portal.core.forms import Form
from portal.core.text import clean_name
from portal.customers import queries as customers
from portal.customers.search import search
from portal.customers.validation import clean_text
from portal.i18n import _, _l
from portal.org.queries import find_user, names_of
from portal.purchases import queries as products

LARGEST_ID = 2**62
#: For fields that must be filled in; the second one takes a zero.
REQUIRED = DataRequired(message=_l("This must be filled in."))
GIVEN = InputRequired(message=_l("This must be filled in."))


def at_most(limit: int) -> Length:
    """Length check with our own message."""
    return Length(max=limit, message=_l("At most %(max)d characters."))


def pairs(table: Mapping[str, Any], blank: Any = None) -> list[SelectChoice]:
    """Choices of a select out of a table of words."""
    rows: list[tuple[Any, Any]] = [*([("", blank)] if blank is not None else []), *table.items()]
    return [SelectChoice(value=value, label=label) for value, label in rows]


def people(rows: Iterable[tuple[int, str]], blank: Any = None) -> list[SelectChoice]:
    """Choices of a select out of (id, name)."""
    return pairs({str(key): name for key, name in rows}, blank)


class LongText(TextAreaField):
    """Several lines, cleaned of control and bidirectional characters."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = clean_text(valuelist[0]) if valuelist else ""


class DayField(DateField):
    """A day; what is none is refused with our own message and kept as it was typed."""

    data: date | None

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

    data: datetime | None

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
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


class PickedField(Field, ABC):
    """A choice among very many, by the macro forms.picker; without script the text alone is looked up."""

    widget = TextInput()
    #: endpoint that answers the picker
    picks: str = ""
    text: str = ""
    data: int | None
    process_errors: list[Any]

    @abstractmethod
    def name_of(self, key: int) -> str:
        """Text of a stored id; "" when there is none the reader may choose."""

    @abstractmethod
    def find(self, text: str) -> int | None:
        """The one id that a text means."""

    def refusal(self) -> str:
        """What is said when a text means nothing, or more than one."""
        return _("Nothing, or more than one, is called that. Choose from the list.")

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        super().process(formdata, *args, **kwargs)
        sent = formdata.get(f"{self.name}_text") if formdata else None
        if sent is None:
            self.show(self.data)
            return
        self.text = clean_name(sent)[:200]
        if not self.text:
            self.data = None
        elif self.data is None or self.name_of(self.data) != self.text:
            self.data = self.find(self.text)
            if self.data is None:
                self.process_errors = [*self.process_errors, self.refusal()]

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = valuelist[0].strip() if valuelist else ""
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
        self.data = number if 0 < number < LARGEST_ID else None

    def show(self, key: int | None) -> None:
        """Show a stored id."""
        self.data = key
        self.text = self.name_of(key) if key is not None else ""

    def _value(self) -> str:
        return "" if self.data is None else str(self.data)


class PersonField(PickedField):
    """Somebody who works here."""

    picks = "org.pick_user"

    def name_of(self, key: int) -> str:
        return names_of([key]).get(key, "")

    def find(self, text: str) -> int | None:
        return find_user(text)

    def refusal(self) -> str:
        return _("Nobody, or more than one, is called that. Choose from the list or type the log-in name.")


class CustomerField(PickedField):
    """A customer that the reader may see."""

    picks = "customers.pick"

    def name_of(self, key: int) -> str:
        found = customers.pick(current_actor(), [key])
        return found[0][1] if found else ""

    def find(self, text: str) -> int | None:
        hits = search(current_actor(), text, limit=5, only_visible=True)
        exact = [hit for hit in hits if hit.name == text]
        chosen = exact if len(exact) == 1 else hits if len(hits) == 1 else []
        return chosen[0].customer_id if chosen else None


class ProductField(PickedField):
    """A product."""

    picks = "purchases.pick_product"

    def name_of(self, key: int) -> str:
        return products.product_labels([key]).get(key, "")

    def find(self, text: str) -> int | None:
        code, _blank, rest = text.partition(" ")
        for wanted in (text, code if rest else ""):
            found = products.product_named(wanted) if wanted else None
            if found is not None and (wanted == text or products.product_label(found.code, found.name) == text):
                return found.id
        return None


class VersionedForm(Form):
    """A form of a row that others may change meanwhile."""

    version = HiddenField()

    @property
    def seen_version(self) -> int | None:
        """The version the form was drawn with; None when it is missing or no number."""
        raw = self.version.data or ""
        return int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 12 else None


class ReasonForm(Form):
    """A reason for a step that needs one."""

    reason = LongText(_l("Reason"), [REQUIRED, at_most(300)])
