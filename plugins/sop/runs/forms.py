"""Forms of checklist runs: shape and format."""

from __future__ import annotations

from flask_wtf.file import FileField
from wtforms import HiddenField
from wtforms.validators import InputRequired, Optional

from plugins.sop.runs import models, vocabulary
from plugins.sop.runs.scheduling import ScheduleInput
from plugins.sop.runs.services import NOTE_LENGTH, StartInput
from portal.core.forms import (
    GIVEN,
    ChoiceField,
    DayField,
    Form,
    LongText,
    NumberField,
    at_most,
    between,
    new_token,
    options,
)
from portal.core.numbers import id_from
from portal.customers.fields import CustomerField
from portal.i18n import _l
from portal.org.fields import PersonField


class RunForm(Form):
    """A run for a customer, with dates, for somebody."""

    customer_id = CustomerField(_l("Customer"))
    starts_on = DayField(_l("First day"), validators=[Optional()])
    due_on = DayField(_l("Due on"), validators=[Optional()])
    owner_id = PersonField(_l("Responsible"))
    token = HiddenField()

    def to_input(self, procedure_id: int) -> StartInput:
        """The service's input."""
        return StartInput(
            procedure_id=procedure_id,
            token=self.token.data or new_token(),
            customer_id=self.customer_id.data,
            starts_on=self.starts_on.data,
            due_on=self.due_on.data,
            owner_id=self.owner_id.data,
        )


class StartForm(RunForm):
    """Start a run with one click: the procedure is named, what else is sent is welcome."""

    procedure_id = NumberField(validators=[InputRequired(_l("Choose a procedure."))])


class NoteForm(Form):
    """A note to a tick, or the reason why a step does not apply."""

    note = LongText(_l("Note"), validators=[at_most(NOTE_LENGTH)])


class CommentForm(Form):
    """A remark on the run."""

    text = LongText(_l("Comment"), validators=[InputRequired(_l("Write something.")), at_most(NOTE_LENGTH)])


class CancelForm(Form):
    """Why a run is called off."""

    reason = LongText(_l("Reason"), validators=[InputRequired(_l("Give a reason.")), at_most(NOTE_LENGTH)])


class StepForm(Form):
    """To whom a step is given and when it is due."""

    assignee_id = PersonField(_l("Give the step to"))
    due_on = DayField(_l("Due on"), validators=[Optional()])


class OwnerForm(Form):
    """Who is responsible from now on."""

    owner_id = PersonField(_l("Responsible"))


class UploadForm(Form):
    """A photo or file of a step."""

    file = FileField(_l("Photo or file"), validators=[InputRequired(_l("Choose a file."))])


class ScheduleForm(Form):
    """What starts runs by itself."""

    procedure_id = ChoiceField(
        _l("Procedure"), coerce=id_from, validators=[InputRequired(_l("Choose a procedure."))], validate_choice=True
    )
    frequency = ChoiceField(_l("When"), validators=[GIVEN])
    weekday = ChoiceField(_l("Weekday"), coerce=id_from, choices=options(vocabulary.WEEKDAYS))
    day = NumberField(_l("Day of the month"), validators=[Optional(), between(1, 31, _l("A day is 1 to 31."))])
    month = NumberField(_l("Month"), validators=[Optional(), between(1, 12, _l("A month is 1 to 12."))])
    department_id = ChoiceField(_l("Only for customers of"), coerce=id_from)
    customer_id = CustomerField(_l("For the customer"))
    responsible = ChoiceField(_l("Responsible is"), choices=options(vocabulary.RESPONSIBLE))
    owner_id = PersonField(_l("Person"))
    due_days = NumberField(
        _l("Due after"), validators=[Optional(), between(0, 250, _l("Enter between 0 and 250 working days."))]
    )
    starts_on = DayField(_l("From"), validators=[InputRequired(_l("Enter a day, such as 2026-03-05."))])
    ends_on = DayField(_l("Until"), validators=[Optional()])

    def to_input(self) -> ScheduleInput:
        """The service's input. A frequency named "on:…" is an occasion."""
        chosen = self.frequency.data or ""
        occasion = chosen.removeprefix("on:") if chosen.startswith("on:") else ""
        assert self.starts_on.data is not None
        return ScheduleInput(
            procedure_id=self.procedure_id.data or 0,
            frequency="" if occasion else chosen,
            occasion=occasion,
            weekday=self.weekday.data if chosen == models.WEEKLY else None,
            day=self.day.data,
            month=self.month.data,
            department_id=self.department_id.data,
            customer_id=self.customer_id.data,
            responsible=self.responsible.data,
            owner_id=self.owner_id.data,
            due_days=self.due_days.data,
            starts_on=self.starts_on.data,
            ends_on=self.ends_on.data,
        )
