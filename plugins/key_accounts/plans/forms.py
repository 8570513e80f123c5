"""Forms of account plans: shape and format."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from wtforms import BooleanField, DecimalField
from wtforms.validators import Optional

from plugins.key_accounts.plans import vocabulary as words
from plugins.key_accounts.plans.emergencies import EmergencyInput
from plugins.key_accounts.plans.models import EmergencyPlan
from plugins.key_accounts.plans.services import SECTION_LENGTH
from portal.core.forms import (
    GIVEN,
    REQUIRED,
    ChoiceField,
    DayField,
    Form,
    LongText,
    NumberField,
    TextField,
    VersionedForm,
    YuanField,
    at_most,
    options,
)
from portal.i18n import _, _l
from portal.org.fields import PersonField

YEARS = {"1": _l("One year"), "2": _l("Two years"), "3": _l("Three years")}


class NewPlanForm(Form):
    """A plan that begins."""

    title = TextField(_l("Title of the plan"), [REQUIRED, at_most(200)])
    first_year = NumberField(_l("First year"), [GIVEN])
    years = ChoiceField(_l("Term of the plan"), choices=options(YEARS), default="1")


class PlanForm(VersionedForm):
    """Title, years, investment."""

    title = TextField(_l("Title of the plan"), [REQUIRED, at_most(200)])
    first_year = NumberField(_l("First year"), [GIVEN])
    years = ChoiceField(_l("Term of the plan"), choices=options(YEARS))
    invested = YuanField(
        _l("Invested in the account"), [Optional()], description=_l("Development cost, samples, training, travel.")
    )


class SectionForm(VersionedForm):
    """The text of one section."""

    body = LongText(_l("Text"), [at_most(SECTION_LENGTH)], render_kw={"rows": 14})


class _Figure(DecimalField):
    """A number with at most two decimals, thousands may be grouped."""

    data: Any  # None or a Decimal

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = valuelist[0].strip().replace(",", "") if valuelist else ""
        super().process_formdata([text] if text else [])
        if not text:
            self.data = None
        elif self.data is not None and (not self.data.is_finite() or self.data != round(self.data, 2)):
            self.data = None
            raise ValueError(_("Enter a number with at most two decimals."))


class TargetsForm(Form):
    """Targets of up to three years: sales, margin and two measures of one's own."""

    sales_1 = YuanField(_l("Sales amount"), [Optional()])
    sales_2 = YuanField(_l("Sales amount"), [Optional()])
    sales_3 = YuanField(_l("Sales amount"), [Optional()])
    margin_1 = YuanField(_l("Gross margin"), [Optional()])
    margin_2 = YuanField(_l("Gross margin"), [Optional()])
    margin_3 = YuanField(_l("Gross margin"), [Optional()])
    own_name = TextField(_l("Measure of one’s own"), [at_most(60)])
    own_1 = _Figure("", [Optional()])
    own_2 = _Figure("", [Optional()])
    own_3 = _Figure("", [Optional()])
    more_name = TextField(_l("Another measure"), [at_most(60)])
    more_1 = _Figure("", [Optional()])
    more_2 = _Figure("", [Optional()])
    more_3 = _Figure("", [Optional()])

    ROWS = ("sales", "margin", "own", "more")

    def keep_years(self, years: list[int]) -> None:
        """Only the plan's years have fields; each is called by its year."""
        for row in self.ROWS:
            for number in (1, 2, 3):
                name = f"{row}_{number}"
                if number > len(years):
                    del self[name]
                else:
                    self[name].label.text = str(years[number - 1])

    def fill(self, targets: dict[str, dict[int, Decimal]], years: list[int]) -> None:
        """Show the present targets."""
        own = [measure for measure in targets if measure not in words.MEASURES][:2]
        names = dict(zip(("own", "more"), own, strict=False))
        for row, measure in {"sales": "sales", "margin": "margin", **names}.items():
            if row in names:
                self[f"{row}_name"].data = measure
            for number, year in enumerate(years, start=1):
                self[f"{row}_{number}"].data = targets.get(measure, {}).get(year)

    def values(self, years: list[int]) -> dict[str, dict[int, Decimal | None]]:
        """Measure → year → value."""
        names = {"sales": "sales", "margin": "margin", "own": self.own_name.data, "more": self.more_name.data}
        return {
            name: {year: self[f"{row}_{number}"].data for number, year in enumerate(years, start=1)}
            for row, name in names.items()
            if name
        }

    def groups(self, years: list[int]) -> list[tuple[Any, list[str]]]:
        """Fieldsets."""
        numbers = range(1, len(years) + 1)
        return [
            (_("Sales amount"), [f"sales_{number}" for number in numbers]),
            (_("Gross margin"), [f"margin_{number}" for number in numbers]),
            (_("Measure of one’s own"), ["own_name", *(f"own_{number}" for number in numbers)]),
            (_("Another measure"), ["more_name", *(f"more_{number}" for number in numbers)]),
        ]


class ActionForm(Form):
    """An action of the plan."""

    task = TextField(_l("What is to be done"), [REQUIRED, at_most(300)])
    owner_id = PersonField(_l("Owner"), [GIVEN])
    due_on = DayField(_l("Until"), [GIVEN])


class FinishForm(Form):
    """State of an action."""

    state = ChoiceField(_l("State"), choices=options(words.ACTION_STATES))
    result = LongText(_l("What came of it"), [at_most(500)])


class ReviewForm(Form):
    """A review date."""

    due_on = DayField(_l("Planned for"), [GIVEN])
    held_on = DayField(_l("Held on"), [Optional()], description=_l("Leave empty as long as it lies ahead."))
    result = LongText(_l("What came of it"), [at_most(2000)])


class EmergencyForm(VersionedForm):
    """A kind of incident."""

    incident = TextField(_l("What may happen"), [REQUIRED, at_most(120)])
    user_id = PersonField(_l("Responsible with us"), [GIVEN])
    contact_id = ChoiceField(_l("Responsible with them"))
    answer_hours = NumberField(_l("The customer hears from us within (hours)"), [GIVEN], default=4)
    steps = LongText(_l("Steps"), [REQUIRED, at_most(3000)], description=_l("One step a line."), render_kw={"rows": 8})
    is_active = BooleanField(_l("In use"), default=True)

    def fill(self, row: EmergencyPlan) -> None:
        """Show a plan."""
        self.incident.data, self.steps.data, self.answer_hours.data = row.incident, row.steps, row.answer_hours
        self.user_id.show(row.user_id)
        self.contact_id.data, self.is_active.data = str(row.contact_id or ""), row.is_active
        self.version.data = str(row.version)

    def to_input(self) -> EmergencyInput:
        """The service's input."""
        return EmergencyInput(
            self.incident.data or "",
            self.user_id.data,
            self.contact_id.number,
            self.steps.data or "",
            self.answer_hours.data or 0,
            bool(self.is_active.data),
        )


class EntryForm(Form):
    """A line of the log."""

    kind = ChoiceField(_l("Kind of entry"), choices=options(words.ENTRIES))
    text = LongText(_l("Course of events"), [REQUIRED, at_most(1000)])
