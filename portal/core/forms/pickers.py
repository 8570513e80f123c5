"""Choices among very many, searched by the server while somebody types (macro forms.picker)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from wtforms import Field
from wtforms.widgets import TextInput

from portal.core.numbers import id_from
from portal.core.text import clean_name
from portal.i18n import _

TEXT_LENGTH = 200


class PickedField(Field, ABC):
    """`<name>` is the value, `<name>_text` what stands in the text field; None is nothing chosen.

    Without script the text alone is sent, or an old value beside it: the text counts then, and `find` looks it up.
    Whether the value may be used, the service checks.
    """

    widget = TextInput()
    #: Endpoint that answers the picker.
    picks: str = ""
    #: Page on which what is not there yet can be created; None where that is nobody's wish, or not allowed.
    create_url: str | None = None
    text: str = ""
    data: Any
    process_errors: list[Any]

    @abstractmethod
    def read(self, text: str) -> Any:
        """The value that was sent; None when it is none."""

    @abstractmethod
    def name_of(self, value: Any) -> str:
        """Text of a value; "" when there is none that the reader may choose."""

    @abstractmethod
    def find(self, text: str) -> Any:
        """The one value that a text means; None when there is none or more than one."""

    def refusal(self) -> str:
        """What is said when a text means nothing, or more than one."""
        return _("Nothing, or more than one, is called that. Choose from the list.")

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        """Read value and text; the text wins when they differ."""
        super().process(formdata, *args, **kwargs)
        sent = formdata.get(f"{self.name}_text") if formdata else None
        if sent is None:
            self.show(self.data)
            return
        self.text = clean_name(sent)[:TEXT_LENGTH]
        if not self.text:
            self.data = None
        elif self.data is None or self.name_of(self.data) != self.text:
            self.data = self.find(self.text)
            if self.data is None:
                self.process_errors = [*self.process_errors, self.refusal()]
        # What "must be filled in" looks at: a name that was typed without script fills the field too.
        self.raw_data = [self._value() or self.text]

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = self.read(valuelist[0].strip()) if valuelist else None

    def show(self, value: Any) -> None:
        """Show a stored value."""
        self.data = value
        self.text = self.name_of(value) if value is not None else ""

    def _value(self) -> str:
        return "" if self.data is None else str(self.data)


class IdField(PickedField):
    """A choice among the rows of a table."""

    data: int | None

    def read(self, text: str) -> int | None:
        """An id that a column can hold."""
        return id_from(text)
