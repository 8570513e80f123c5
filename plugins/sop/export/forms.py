"""The form of an export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice

from plugins.sop.export.services import DOCX, PDF, ExportInput
from portal.core.forms import Form
from portal.i18n import _l


class ExportForm(Form):
    """Which part, in which format, with what."""

    part = SelectField(_l("Part of the manual"))
    format = RadioField(
        _l("Format"),
        choices=[
            SelectChoice(PDF, _l("PDF, for printing and reading")),
            SelectChoice(DOCX, _l("Word (DOCX), for working on")),
        ],
        default=PDF,
    )
    checklists = BooleanField(_l("With a checklist to tick for every procedure"), default=True)
    indexes = BooleanField(_l("With RACI table, index of forms, glossary and procedures by department"), default=True)

    def __init__(self, *arguments: Any, parts: Sequence[tuple[str, str]], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.part.choices = [SelectChoice(value, label) for value, label in parts]

    def to_input(self) -> ExportInput:
        """The service's input."""
        return ExportInput(self.part.data, self.format.data, self.checklists.data, self.indexes.data)
