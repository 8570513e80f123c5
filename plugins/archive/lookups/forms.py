"""Forms of look-ups: shape and format."""

from __future__ import annotations

from typing import Any

from wtforms import HiddenField
from wtforms.validators import InputRequired

from plugins.archive.dossiers.models import PARTS
from plugins.archive.lookups import vocabulary as words
from plugins.archive.lookups.fields import AnyCustomerField
from plugins.archive.lookups.models import MODES, PAPER, VIEW
from plugins.archive.lookups.rules import Scope
from plugins.archive.lookups.services import PURPOSE_LENGTH, LookupInput, default_until, most_of
from portal.core import settings
from portal.core.forms import (
    BoxesField,
    DayField,
    Form,
    LongText,
    NumberField,
    OptionField,
    at_most,
    new_token,
    options,
)
from portal.core.numbers import id_from
from portal.i18n import _, _l


def ids_from(values: list[str]) -> tuple[int, ...]:
    """Numbers of rows out of what a form sent; anything else is dropped."""
    found = (id_from(value) for value in dict.fromkeys(values))
    return tuple(number for number in found if number is not None)


class LookupForm(Form):
    """A look-up request. Customers that were chosen stand beside the form as hidden fields of one name; `customer` is
    the picker that adds one."""

    customer = AnyCustomerField(_l("Find a customer"))
    parts = BoxesField(_l("Parts"), validators=[InputRequired(_l("Choose at least one part of the dossier."))])
    mode = OptionField(_l("Way of use"), validators=[InputRequired(_l("Choose one of the list."))])
    quantity = NumberField(
        _l("Views or copies for each customer"), default=1, validators=[InputRequired(_l("Enter a number."))]
    )
    until_on = DayField(_l("Usable until"), validators=[InputRequired(_l("Enter a date such as 2026-03-05."))])
    purpose = LongText(
        _l("Purpose"),
        validators=[
            InputRequired(_l("Say what it is needed for; the approvers decide by it.")),
            at_most(PURPOSE_LENGTH),
        ],
    )
    token = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts.choices = options((part, words.part_name(part)) for part in PARTS)
        modes = (PAPER,) if settings.get("archive.paper_only") else MODES
        self.mode.choices = options((mode, words.MODES[mode]) for mode in modes)
        if not self.is_submitted():
            self.token.data = new_token()
            self.until_on.data = self.until_on.data or default_until()
            if not self.mode.data or self.mode.data not in modes:
                self.mode.data = modes[0]
            self.quantity.description = _(
                "Views: at most %(views)s. Copies: at most %(copies)s.", views=most_of(VIEW), copies=most_of(PAPER)
            )

    def to_input(self, customer_ids: tuple[int, ...], again: int | None) -> LookupInput:
        """The service's input."""
        return LookupInput(
            customer_ids=customer_ids,
            parts=tuple(self.parts.data or ()),
            mode=self.mode.data or "",
            quantity=self.quantity.data or 0,
            until_on=self.until_on.data,
            purpose=self.purpose.data or "",
            token=self.token.data or new_token(),
            again=again,
        )


class ConditionsForm(Form):
    """What an approver grants: as much as was asked, or less."""

    parts = BoxesField(_l("Parts"), validators=[InputRequired(_l("Choose at least one part of the dossier."))])
    quantity = NumberField(_l("Views or copies for each customer"), validators=[InputRequired(_l("Enter a number."))])
    until_on = DayField(_l("Usable until"), validators=[InputRequired(_l("Enter a date such as 2026-03-05."))])

    @classmethod
    def about(cls, scope: Scope, mode: str) -> ConditionsForm:
        """The form for what may be granted at most."""
        form = cls()
        form.parts.choices = options((part, words.part_name(part)) for part in PARTS if part in scope.parts)
        form.quantity.label.text = _("Copies for each customer") if mode == PAPER else _("Views for each customer")
        if not form.is_submitted():
            form.parts.data = [part for part in PARTS if part in scope.parts]
            form.quantity.data, form.until_on.data = scope.quantity, scope.until_on
        return form

    def to_conditions(self) -> dict[str, Any]:
        """JSON that the approval keeps."""
        assert self.until_on.data is not None
        return {
            "parts": [part for part in PARTS if part in (self.parts.data or ())],
            "quantity": self.quantity.data,
            "until_on": self.until_on.data.isoformat(),
        }


class RevokeForm(Form):
    """Why a grant is taken back."""

    reason = LongText(_l("Reason"), validators=[InputRequired(_l("Give a reason.")), at_most(500)])
