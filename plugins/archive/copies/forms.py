"""Forms of the print station: shape and format."""

from __future__ import annotations

from typing import Any

from wtforms import Field, IntegerField, TextAreaField
from wtforms.validators import Length, Optional
from wtforms.widgets import TextInput

from plugins.archive.copies import states
from plugins.archive.copies.services import NOTE_LENGTH, StepInput
from portal.core.forms import Form
from portal.core.text import clean_name
from portal.i18n import _, _l
from portal.org import queries as org

LARGEST_ID = 2**62


class WitnessField(Field):
    """A colleague (macro forms.picker); without script the typed name or log-in name is looked up."""

    widget = TextInput()
    text = ""
    data: int | None
    process_errors: list[Any]

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        super().process(formdata, *args, **kwargs)
        sent = formdata.get(f"{self.name}_text") if formdata else None
        if sent is None:
            return
        self.text = clean_name(sent)[:200]
        if not self.text:
            self.data = None
        elif self.data is None or org.names_of([self.data]).get(self.data) != self.text:
            self.data = org.find_user(self.text)
            if self.data is None:
                message = _("Nobody, or more than one, is called that. Choose from the list or type the log-in name.")
                self.process_errors = [*self.process_errors, message]

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = valuelist[0].strip() if valuelist else ""
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
        self.data = number if 0 < number < LARGEST_ID else None

    def _value(self) -> str:
        return "" if self.data is None else str(self.data)


class StepForm(Form):
    """What a step of a copy needs; `fields_of` says which fields a step shows."""

    sheets = IntegerField(_l("Sheets counted"), validators=[Optional()])
    witness = WitnessField(_l("Witness"))
    note = TextAreaField(_l("What happened"), validators=[Length(max=NOTE_LENGTH)])

    def to_input(self) -> StepInput:
        """The service's input."""
        return StepInput(self.sheets.data, self.witness.data, (self.note.data or "").strip())


def fields_of(step: str) -> list[str]:
    """Names of the fields that a step shows."""
    found = []
    if step in states.COUNTED:
        found.append("sheets")
    if step in states.WITNESSED:
        found.append("witness")
    if step in states.WITH_NOTE or step == states.RETURN:
        found.append("note")
    return found
