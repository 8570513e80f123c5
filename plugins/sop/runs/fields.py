"""Fields of this plugin's forms: people, customers, days and whole numbers with sentences of our own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from wtforms import DateField, Field, IntegerField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import TextInput

from portal.auth.current import current_actor
from portal.core.permissions import visible
from portal.core.text import clean_name
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.org.queries import find_user, names_of


def options(pairs: Iterable[tuple[Any, Any]]) -> list[SelectChoice]:
    """Choices of a field from (value, label) pairs."""
    return [SelectChoice(value=value, label=label) for value, label in pairs]


class IdField(Field, ABC):
    """An id chosen with the macro forms.picker: `<name>` the id, `<name>_text` what stands in the text field.

    Without script the text alone is sent, and `find` looks it up. Whether the id may be used the service checks.
    """

    widget = TextInput()
    data: int | None
    text: str = ""
    process_errors: list[Any]

    @abstractmethod
    def describe(self, value: int | None) -> str:
        """The text of an id; "" when there is none."""

    @abstractmethod
    def find(self, text: str) -> int | None:
        """The one id that a typed text means."""

    @abstractmethod
    def problem(self) -> str:
        """The sentence when nothing is meant by a text."""

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        """Read id and text; the text wins when both are there and differ."""
        super().process(formdata, *args, **kwargs)
        sent = formdata.get(f"{self.name}_text") if formdata else None
        if sent is None:
            self.text = self.describe(self.data)
            return
        self.text = clean_name(sent)[:200]
        if not self.text:
            self.data = None
        elif self.data is None or self.describe(self.data) != self.text:
            self.data = self.find(self.text)
            if self.data is None:
                self.process_errors = [*self.process_errors, self.problem()]

    def process_formdata(self, valuelist: list[Any]) -> None:
        """An id that a column can hold, else none."""
        text = valuelist[0].strip() if valuelist else ""
        self.data = int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None

    def _value(self) -> str:
        return "" if self.data is None else str(self.data)


class PersonField(IdField):
    """A member of staff."""

    def describe(self, value: int | None) -> str:
        """The name."""
        return "" if value is None else names_of([value]).get(value, "")

    def find(self, text: str) -> int | None:
        """By log-in name, or a name that only one has."""
        return find_user(text)

    def problem(self) -> str:
        """Nobody is meant."""
        return _("Nobody, or more than one, is called that. Choose from the list or type the log-in name.")


class CustomerField(IdField):
    """A customer that the actor may see."""

    def describe(self, value: int | None) -> str:
        """The name, of visible customers alone."""
        if value is None:
            return ""
        seen = visible(current_actor(), "customers.view")
        return db.session.scalar(select(Customer.name).where(Customer.id == value, seen)) or ""

    def find(self, text: str) -> int | None:
        """By the exact name, when only one visible customer has it."""
        seen = visible(current_actor(), "customers.view")
        found = db.session.scalars(select(Customer.id).where(Customer.name == text, seen).limit(2)).all()
        return found[0] if len(found) == 1 else None

    def problem(self) -> str:
        """None is meant."""
        return _("Nothing was found for this; choose one of the list.")


class DayField(DateField):
    """A day; what is none is refused with a sentence of ours."""

    data: Any  # date | None; from WTForms' untyped code only the None can be inferred

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Empty is None."""
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_("Enter a date such as 2026-03-05.")) from error


class NumberField(IntegerField):
    """A whole number; empty is None."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """At most nine digits: more fit no column."""
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            self.data = None
            return
        try:
            self.data = int(text) if len(text) < 10 else int("x")
        except ValueError as error:
            raise ValueError(_("Enter a whole number.")) from error
