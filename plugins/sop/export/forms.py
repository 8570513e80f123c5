"""The form of an export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField

from plugins.sop.export.services import DOCX, PDF, ExportInput
from portal.core.forms import ChoiceField, Form, OptionField, options
from portal.i18n import _l


class ExportForm(Form):
    """Which part, in which format, with what."""

    part = ChoiceField(_l("Part of the manual"))
    format = OptionField(
        _l("Format"),
        choices=options({PDF: _l("PDF, for printing and reading"), DOCX: _l("Word (DOCX), for working on")}),
        default=PDF,
    )
    checklists = BooleanField(_l("With a checklist to tick for every procedure"), default=True)
    indexes = BooleanField(_l("With RACI table, index of forms, glossary and procedures by department"), default=True)

    def __init__(self, *arguments: Any, parts: Sequence[tuple[str, str]], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.part.choices = options(parts)

    def to_input(self) -> ExportInput:
        """The service's input."""
        return ExportInput(self.part.data, self.format.data, self.checklists.data, self.indexes.data)
