"""Forms of care: shape and format."""

from __future__ import annotations

from wtforms import BooleanField
from wtforms.validators import Optional

from plugins.key_accounts.care import vocabulary as words
from plugins.key_accounts.care.meetings import MeetingInput
from plugins.key_accounts.care.models import Meeting
from plugins.key_accounts.care.services import DoneInput, DutyInput, IncentiveInput
from plugins.key_accounts.care.visits import VisitInput
from portal.core.forms import (
    GIVEN,
    REQUIRED,
    ChoiceField,
    DayField,
    Form,
    LongText,
    MomentField,
    NumberField,
    TextField,
    VersionedForm,
    YuanField,
    at_most,
    options,
)
from portal.i18n import _l
from portal.org.fields import PersonField


class DutyForm(Form):
    """How a duty is kept."""

    owner_id = PersonField(_l("Owner"), [GIVEN])
    rhythm_months = NumberField(_l("Every … months"), [GIVEN])
    due_on = DayField(_l("Next due on"), [GIVEN])
    is_needed = BooleanField(_l("Counts for this customer"), default=True)
    note = TextField(_l("Remarks"), [at_most(300)], description=_l("Why it is put aside, if it is."))

    def to_input(self) -> DutyInput:
        """The service's input."""
        return DutyInput(
            self.owner_id.data,
            self.rhythm_months.data or 0,
            self.due_on.data,
            bool(self.is_needed.data),
            self.note.data or "",
        )


class DoneForm(Form):
    """A duty was done."""

    done_on = DayField(_l("Done on"), [GIVEN])
    note = LongText(_l("What was done, what came of it"), [at_most(1000)])
    interaction_id = ChoiceField(_l("Evidence: contact"))
    purchase_id = ChoiceField(_l("Evidence: purchase"))
    document_id = ChoiceField(_l("Evidence: document"))

    def to_input(self) -> DoneInput:
        """The service's input."""
        return DoneInput(
            self.done_on.data,
            self.note.data or "",
            self.interaction_id.number,
            self.document_id.number,
            self.purchase_id.number,
        )


class ForecastForm(Form):
    """What the customer says it will need in the next six months."""

    month_1 = YuanField("", [Optional()])
    month_2 = YuanField("", [Optional()])
    month_3 = YuanField("", [Optional()])
    month_4 = YuanField("", [Optional()])
    month_5 = YuanField("", [Optional()])
    month_6 = YuanField("", [Optional()])


class IncentiveForm(Form):
    """An incentive."""

    kind = ChoiceField(_l("Incentive"), choices=options(words.INCENTIVES))
    terms = LongText(_l("Terms"), [REQUIRED, at_most(500)])
    amount = YuanField(_l("Amount"), [Optional()])
    valid_from = DayField(_l("First day"), [GIVEN])
    valid_until = DayField(_l("Last day"), [GIVEN])
    result = LongText(_l("What it brought"), [at_most(500)])

    def to_input(self) -> IncentiveInput:
        """The service's input."""
        return IncentiveInput(
            self.kind.data,
            self.terms.data or "",
            self.valid_from.data,
            self.valid_until.data,
            self.amount.data,
            self.result.data or "",
        )


class VisitForm(VersionedForm):
    """A visit of an executive."""

    executive_id = PersonField(_l("Executive"), [GIVEN])
    starts_at = MomentField(_l("Begins"), [GIVEN])
    minutes = NumberField(_l("Minutes"), [GIVEN], default=90)
    purpose = TextField(_l("Purpose of the visit"), [REQUIRED, at_most(500)])
    place = TextField(_l("Meeting place"), [at_most(200)])
    talking_points = LongText(
        _l("Talking points"), [at_most(3000)], description=_l("One a line; they stand on the briefing sheet.")
    )

    def to_input(self) -> VisitInput:
        """The service's input."""
        return VisitInput(
            self.executive_id.data,
            self.starts_at.moment,
            self.minutes.data,
            self.purpose.data or "",
            self.place.data or "",
            self.talking_points.data or "",
        )


class VisitEndForm(Form):
    """What came of a visit."""

    state = ChoiceField(_l("State"), choices=options({key: words.VISIT_STATES[key] for key in ("held", "cancelled")}))
    result = LongText(_l("What came of it"), [REQUIRED, at_most(2000)])


class MeetingForm(VersionedForm):
    """A meeting with key accounts."""

    title = TextField(_l("Title"), [REQUIRED, at_most(200)])
    kind = ChoiceField(_l("Kind of meeting"), choices=options(words.MEETING_KINDS))
    starts_at = MomentField(_l("Begins"), [GIVEN])
    minutes = NumberField(_l("Minutes"), [GIVEN], default=240)
    place = TextField(_l("Meeting place"), [at_most(200)])
    organiser_id = PersonField(_l("Organiser"), [GIVEN])
    agenda = LongText(_l("Agenda"), [at_most(3000)], description=_l("One point a line."), render_kw={"rows": 8})
    state = ChoiceField(_l("State"), choices=options(words.VISIT_STATES), default="planned")
    record = LongText(_l("Minutes of the meeting"), [at_most(20000)], render_kw={"rows": 10})

    def fill(self, row: Meeting) -> None:
        """Show a meeting."""
        for name in ("title", "kind", "minutes", "place", "agenda", "state", "record"):
            self[name].data = getattr(row, name)
        self.starts_at.show(row.starts_at)
        self.organiser_id.show(row.organiser_id)
        self.version.data = str(row.version)

    def to_input(self) -> MeetingInput:
        """The service's input."""
        return MeetingInput(
            self.title.data or "",
            self.kind.data,
            self.starts_at.moment,
            self.minutes.data,
            self.organiser_id.data,
            self.place.data or "",
            self.agenda.data or "",
            self.record.data or "",
            self.state.data,
        )


class MeetingActionForm(Form):
    """Something agreed."""

    task = TextField(_l("What is to be done"), [REQUIRED, at_most(300)])
    owner_id = PersonField(_l("Owner"), [GIVEN])
    due_on = DayField(_l("Until"), [GIVEN])
