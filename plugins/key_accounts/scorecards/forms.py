"""Forms of scorecards and violations: shape and format."""

from __future__ import annotations

from typing import Any

from wtforms.validators import InputRequired, Optional

from plugins.key_accounts.scorecards import criteria
from plugins.key_accounts.scorecards.models import DIVERSION, PRICE_CUT, PRICE_RAISE
from plugins.key_accounts.scorecards.services import NOTE_LENGTH, TEXT_LENGTH, Answer, ScorecardInput, ViolationInput
from portal.core.forms import ChoiceField, DayField, Form, LongText, TextField, at_most, options
from portal.i18n import _l

VIOLATION_WORDS: dict[str, Any] = {
    DIVERSION: _l("Goods diverted into another region"),
    PRICE_RAISE: _l("Prices raised on one's own"),
    PRICE_CUT: _l("Prices cut on one's own"),
}
_STEPS = [(str(n), str(n)) for n in range(criteria.HIGHEST, -1, -1)]
_GRADES = options(_STEPS, "—")
#: A criterion the portal has figures for can be left to them.
_GRADES_OR_DATA = options(_STEPS, _l("as the figures say"))


def scorecard_form(card: str, figures: dict[str, criteria.Found], **arguments: Any) -> Form:
    """The form of a scorecard: a grade and a note for each criterion."""
    fields: dict[str, Any] = {"remarks": LongText(_l("Remarks"), validators=[at_most(1000)])}
    for item in criteria.CRITERIA[card]:
        fields[f"grade_{item.key}"] = ChoiceField(
            item.label, choices=_GRADES_OR_DATA if item.key in figures else _GRADES, validators=[Optional()]
        )
        fields[f"note_{item.key}"] = TextField(_l("Note"), validators=[at_most(NOTE_LENGTH)])
    return type("ScorecardForm", (Form,), fields)(**arguments)


def to_input(card: str, form: Form) -> ScorecardInput:
    """The service's input."""
    judgements = {
        item.key: Answer(int(form[f"grade_{item.key}"].data), form[f"note_{item.key}"].data or "")
        for item in criteria.CRITERIA[card]
        if form[f"grade_{item.key}"].data
    }
    return ScorecardInput(card, judgements, form["remarks"].data or "")


class ViolationForm(Form):
    """A breach of market order."""

    kind = ChoiceField(_l("Kind of breach"), choices=options(VIOLATION_WORDS))
    happened_on = DayField(_l("Day"), validators=[InputRequired(_l("Enter a date."))])
    description = LongText(
        _l("Course of events"), validators=[InputRequired(_l("Say what happened.")), at_most(TEXT_LENGTH)]
    )

    def to_input(self) -> ViolationInput:
        """The service's input."""
        return ViolationInput(self.kind.data, self.happened_on.data, self.description.data or "")


class MeasureForm(Form):
    """What was done about a breach."""

    measure = TextField(_l("Measure taken"), validators=[InputRequired(_l("Say what was done.")), at_most(NOTE_LENGTH)])
