"""Forms of opportunities: shape and format."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from wtforms.validators import Optional

from plugins.key_accounts.opportunities import vocabulary as words
from plugins.key_accounts.opportunities.inputs import OpportunityInput
from plugins.key_accounts.opportunities.models import OPEN_STAGES, SOURCES, WON, Opportunity
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
    between,
    options,
)
from portal.customers.inputs import NextStepInput
from portal.customers.vocabulary import InteractionKind, choices
from portal.i18n import _l
from portal.org.fields import PersonField
from portal.purchases.fields import ProductField

FIELDS = ("title", "source", "amount", "probability", "close_on", "unit", "category", "competitors", "notes")
SLOTS = ("product_1", "product_2", "product_3")


class OpportunityForm(VersionedForm):
    """An opportunity; the next step only when it is new."""

    title = TextField(_l("Sales opportunity"), [REQUIRED, at_most(200)])
    source = ChoiceField(_l("Source"), choices=options(words.SOURCES))
    stage = ChoiceField(_l("Stage"), choices=options({stage: words.STAGES[stage] for stage in OPEN_STAGES}))
    amount = YuanField(_l("Amount"), [GIVEN])
    probability = NumberField(
        _l("Probability, per cent"), [Optional(), between(0, 100, _l("Enter per cent from 0 to 100."))]
    )
    close_on = DayField(_l("Expected close"), [GIVEN])
    owner_id = PersonField(_l("Owner"))
    unit = TextField(_l("Unit of the customer"), [at_most(120)])
    category = TextField(_l("Category of products"), [at_most(100)])
    product_1 = ProductField(_l("Product"))
    product_2 = ProductField(_l("Second product"))
    product_3 = ProductField(_l("Third product"))
    competitors = LongText(_l("Competitors"), [at_most(500)], description=_l("One a line."), render_kw={"rows": 3})
    notes = LongText(_l("Notes"), [at_most(5000)])
    step_task = TextField(_l("Next step"), [REQUIRED, at_most(500)])
    step_due = DayField(_l("Until"), [GIVEN])
    step_kind = ChoiceField(_l("Way of contact"), choices=options(dict(choices(InteractionKind))), default="phone")

    GROUPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (
            _l("What and how much"),
            ("title", "source", "amount", "probability", "close_on", "stage", "owner_id", "unit"),
        ),
        (_l("Next step"), ("step_task", "step_due", "step_kind")),
        (_l("Products and competitors"), ("product_1", "product_2", "product_3", "category", "competitors", "notes")),
    )

    def fill(self, row: Opportunity) -> None:
        """Show an opportunity."""
        for name in FIELDS:
            self[name].data = getattr(row, name)
        self.owner_id.show(row.owner_id)
        for slot, item in zip(SLOTS, row.products, strict=False):
            self[slot].show(item.product_id)
        self.version.data = str(row.version)

    def without_step(self) -> OpportunityForm:
        """For changing: stage and next step have pages of their own."""
        del self.stage, self.step_task, self.step_due, self.step_kind
        return self

    def to_input(self, customer_id: int, kept: tuple[int, ...] = ()) -> OpportunityInput:
        """The service's input. :param kept: products beyond those the form shows."""
        step = None
        if "step_task" in self:
            step = NextStepInput(self.step_task.data or "", self.step_due.data, self.step_kind.data)
        chosen = tuple(self[slot].data for slot in SLOTS if self[slot].data)
        return OpportunityInput(
            customer_id=customer_id,
            title=self.title.data or "",
            source=self.source.data,
            amount=self.amount.data or Decimal("0"),
            probability=self.probability.data,
            stage=self.stage.data if "stage" in self else OPEN_STAGES[0],
            close_on=self.close_on.data,
            owner_id=self.owner_id.data,
            product_ids=tuple(dict.fromkeys((*chosen, *kept))),
            unit=self.unit.data or "",
            category=self.category.data or "",
            competitors=self.competitors.data or "",
            notes=self.notes.data or "",
            next_step=step,
        )


class CloseForm(VersionedForm):
    """Why it was won or lost."""

    reason = ChoiceField(_l("Reason"))
    note = LongText(_l("What we learn from it"), [at_most(500)])

    def offer(self, outcome: str) -> CloseForm:
        """The reasons of an outcome."""
        self.reason.choices = options(
            words.WIN_REASONS if outcome == WON else words.LOSS_REASONS, _l("Choose a reason")
        )
        return self


class StepForm(Form):
    """What comes next."""

    task = TextField(_l("Next step"), [REQUIRED, at_most(500)])
    due_on = DayField(_l("Until"), [GIVEN])
    kind = ChoiceField(_l("Way of contact"), choices=options(dict(choices(InteractionKind))), default="phone")

    def to_input(self) -> NextStepInput:
        """The service's input."""
        return NextStepInput(self.task.data or "", self.due_on.data, self.kind.data)


class TargetForm(Form):
    """Targets of a person and a year."""

    user_id = ChoiceField(_l("Person"))
    year = ChoiceField(_l("Year"), coerce=int)
    total = YuanField(_l("Sales of the year"), [Optional()])
    more_use = YuanField(words.SOURCES["more_use"], [Optional()])
    cross_selling = YuanField(words.SOURCES["cross_selling"], [Optional()])
    price_mix = YuanField(words.SOURCES["price_mix"], [Optional()])
    drop_unprofitable = YuanField(words.SOURCES["drop_unprofitable"], [Optional()])
    core_industry = YuanField(words.SOURCES["core_industry"], [Optional()])
    unrelated_industry = YuanField(words.SOURCES["unrelated_industry"], [Optional()])

    GROUPS = (
        (_l("Whose target"), ("user_id", "year", "total")),
        (_l("What opportunities are to bring, by source"), SOURCES),
    )

    def amounts(self) -> dict[str, object]:
        """Source → yuan or None."""
        return {"": self.total.data, **{source: self[source].data for source in SOURCES}}
