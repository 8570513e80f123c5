"""Forms of the print station: shape and format."""

from __future__ import annotations

from wtforms.validators import Optional

from plugins.archive.copies import states
from plugins.archive.copies.services import NOTE_LENGTH, StepInput
from portal.core.forms import Form, LongText, NumberField, at_most
from portal.i18n import _l
from portal.org.fields import PersonField


class StepForm(Form):
    """What a step of a copy needs; `fields_of` says which fields a step shows."""

    sheets = NumberField(_l("Sheets counted"), validators=[Optional()])
    witness = PersonField(_l("Witness"))
    note = LongText(_l("Course of events"), validators=[at_most(NOTE_LENGTH)])

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
