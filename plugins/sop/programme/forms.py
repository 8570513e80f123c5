"""Forms of introduction programmes: shape and format."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from wtforms import HiddenField
from wtforms.validators import InputRequired, Optional

from plugins.sop.programme import budget, measures, vocabulary
from plugins.sop.programme.assessing import LARGEST, AnswerInput, AssessmentInput, ScoreInput
from plugins.sop.programme.plan import MOST_DAYS
from plugins.sop.programme.questionnaire import LEVELS, QUESTIONS
from plugins.sop.programme.services import ChoiceInput, ProgrammeInput, ProgressInput, StepInput
from portal.core.forms import (
    ChoiceField,
    DayField,
    Form,
    LongText,
    NumberField,
    OptionField,
    TextField,
    YuanField,
    at_most,
    between,
    new_token,
    options,
)
from portal.i18n import _, _l
from portal.org.fields import PersonField

WEEKS = [
    InputRequired(_l("Enter a whole number.")),
    between(1, 26, _l("A stage takes between 1 and 26 weeks.")),
]


class ProgrammeForm(Form):
    """A programme: title, first day, who leads it, weeks of the stages."""

    title = TextField(_l("Name"), validators=[InputRequired(_l("Enter a name.")), at_most(200)])
    goal = LongText(_l("What it is to achieve"), validators=[at_most(1000)])
    starts_on = DayField(_l("First day"), validators=[InputRequired(_l("Enter a day, such as 2026-03-05."))])
    owner_id = PersonField(_l("Leads it"))
    weeks_1 = NumberField(
        _l("Weeks for concept training"),
        validators=[
            InputRequired(_l("Enter a whole number.")),
            between(1, 26, _l("A stage takes between 1 and 26 weeks.")),
        ],
    )
    weeks_2 = NumberField(
        _l("Weeks for forming the manual"),
        validators=[
            InputRequired(_l("Enter a whole number.")),
            between(1, 26, _l("A stage takes between 1 and 26 weeks.")),
        ],
    )
    weeks_3 = NumberField(
        _l("Weeks for introducing it"),
        validators=[
            InputRequired(_l("Enter a whole number.")),
            between(1, 26, _l("A stage takes between 1 and 26 weeks.")),
        ],
    )

    def to_input(self) -> ProgrammeInput:
        """The service's input."""
        assert self.starts_on.data is not None
        return ProgrammeInput(
            title=self.title.data or "",
            starts_on=self.starts_on.data,
            goal=self.goal.data or "",
            owner_id=self.owner_id.data,
            weeks=(self.weeks_1.data, self.weeks_2.data, self.weeks_3.data),
        )


class StepForm(Form):
    """Dates, owner and words of a step."""

    begins_on = DayField(_l("First day"), validators=[InputRequired(_l("Enter a day, such as 2026-03-05."))])
    days = NumberField(
        _l("Working days"),
        validators=[
            InputRequired(_l("A step takes between 1 and 250 working days.")),
            between(1, MOST_DAYS, _l("A step takes between 1 and 250 working days.")),
        ],
    )
    owner_id = PersonField(_l("Responsible"))
    title = TextField(_l("Words of our own"), validators=[at_most(200)])

    def to_input(self) -> StepInput:
        """The service's input."""
        assert self.begins_on.data is not None
        return StepInput(self.begins_on.data, self.days.data, self.owner_id.data, self.title.data or "")


class ProgressForm(Form):
    """How far a step is."""

    progress = NumberField(
        _l("Progress"),
        validators=[
            InputRequired(_l("Enter a percentage between 0 and 100.")),
            between(0, 100, _l("Enter a percentage between 0 and 100.")),
        ],
    )
    note = LongText(_l("What was done, what is missing"), validators=[at_most(2000)])

    def to_input(self) -> ProgressInput:
        """The service's input."""
        return ProgressInput(self.progress.data, self.note.data or "")


class StateForm(Form):
    """A reason for another state."""

    reason = LongText(_l("Reason"), validators=[at_most(500)])


class BudgetForm(Form):
    """Days of each mode, the fee of the tailored one, the choice and its reason."""

    days_short = NumberField(_l("Days needed"), validators=[Optional()])
    days_deep = NumberField(_l("Days needed"), validators=[Optional()])
    days_manual = NumberField(_l("Days needed"), validators=[Optional()])
    days_assisted = NumberField(_l("Days needed"), validators=[Optional()])
    fee = YuanField(_l("Negotiated fee"), validators=[Optional()])
    mode = OptionField(
        _l("Mode"),
        choices=options(vocabulary.MODES.items()),
        validators=[InputRequired(_l("Choose a mode."))],
    )
    reason = LongText(_l("Reason"), validators=[InputRequired(_l("Give a reason.")), at_most(1000)])
    token = HiddenField()

    @property
    def days(self) -> dict[str, int | None]:
        """Mode → days that were entered."""
        return {mode.key: self[f"days_{mode.key}"].data for mode in budget.MODES if f"days_{mode.key}" in self._fields}

    def to_input(self) -> ChoiceInput:
        """The service's input."""
        return ChoiceInput(
            mode=self.mode.data,
            reason=self.reason.data or "",
            token=self.token.data or new_token(),
            days=self.days,
            fee=self.fee.data,
        )


class AssessmentForm(Form):
    """Head of the questionnaire; the answers are read from fields named own-…, industry-…, problem-…."""

    moment = ChoiceField(_l("When"), choices=options(vocabulary.MOMENTS.items()), validators=[InputRequired()])
    assessed_on = DayField(_l("Day"), validators=[InputRequired(_l("Enter a day, such as 2026-03-05."))])
    participants = TextField(_l("Who took part"), validators=[at_most(500)])
    summary = LongText(_l("Summary"), validators=[at_most(2000)])

    def to_input(self, sent: Any) -> AssessmentInput:
        """The service's input. :param sent: the form's raw fields."""
        assert self.assessed_on.data is not None
        return AssessmentInput(
            moment=self.moment.data,
            assessed_on=self.assessed_on.data,
            participants=self.participants.data or "",
            summary=self.summary.data or "",
            answers=read_answers(sent),
        )


def read_answers(sent: Any) -> dict[str, AnswerInput]:
    """Question → levels and problem as they were sent; what is no level counts as not answered."""
    return {
        question.key: AnswerInput(
            _level(sent.get(f"own-{question.key}", "")),
            _level(sent.get(f"industry-{question.key}", "")),
            sent.get(f"problem-{question.key}", "").strip(),
        )
        for question in QUESTIONS
    }


def _level(text: str) -> int | None:
    return int(text) if text in {str(level) for level in LEVELS} else None


class ScoreForm(Form):
    """Side and period of a scorecard; the values are read from fields named as the measures."""

    side = ChoiceField(_l("Side"), choices=options(vocabulary.SIDES.items()))
    first = DayField(_l("Period from"), validators=[InputRequired(_l("Enter a day, such as 2026-03-05."))])
    last = DayField(_l("Period to"), validators=[InputRequired(_l("Enter a day, such as 2026-03-05."))])
    source = TextField(_l("Where the values come from"), validators=[at_most(300)])

    def to_input(self, sent: Any) -> tuple[ScoreInput, list[tuple[str, str]]]:
        """The service's input, and (measure, sentence) for values that are no numbers."""
        assert self.first.data is not None
        assert self.last.data is not None
        values, wrong = read_values(sent)
        return ScoreInput(self.side.data, self.first.data, self.last.data, values, self.source.data or ""), wrong


def read_values(sent: Any) -> tuple[dict[str, Decimal | None], list[tuple[str, str]]]:
    """Measure → value (None: left empty), and what could not be read."""
    values: dict[str, Decimal | None] = {}
    wrong: list[tuple[str, str]] = []
    for measure in measures.MEASURES:
        text = sent.get(measure.key, "").replace(",", "").replace("，", "").strip()[:30]
        if not text:
            values[measure.key] = None
            continue
        try:
            number = Decimal(text)
            if not number.is_finite() or abs(int(number.as_tuple().exponent)) > 20 or abs(number) > LARGEST:
                raise InvalidOperation
            values[measure.key] = number.quantize(measures.CENT)
        except InvalidOperation:
            wrong.append((measure.key, _("%(measure)s: enter a number.", measure=measure.title)))
    return values, wrong
