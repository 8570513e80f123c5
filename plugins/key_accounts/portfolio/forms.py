"""Forms of the portfolio: shape and format."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField
from wtforms.validators import InputRequired

from plugins.key_accounts.portfolio.queries import DECIDED, PROPOSED
from plugins.key_accounts.portfolio.services import NAME_LENGTH, ScenarioInput
from plugins.key_accounts.portfolio.whatif import MOST_POINTS, Assumption
from plugins.key_accounts.tiers.models import IMPORTANT, KEY, ORDINARY, TIERS
from portal.core.forms import Form, LongText, NumberField, TextField, at_most, between
from portal.i18n import _l

_BOUNDS = [InputRequired(_l("Enter a whole number.")), between(0, MOST_POINTS)]


class WhatIfForm(Form):
    """Hours and response of each tier; read from the address, nothing is changed."""

    class Meta(Form.Meta):
        csrf = False

    points_key = NumberField(_l("Key customers"), validators=_BOUNDS)
    points_important = NumberField(_l("Important customers"), validators=_BOUNDS)
    points_ordinary = NumberField(_l("Ordinary customers"), validators=_BOUNDS)
    response_key = NumberField(_l("Key customers"), validators=_BOUNDS)
    response_important = NumberField(_l("Important customers"), validators=_BOUNDS)
    response_ordinary = NumberField(_l("Ordinary customers"), validators=_BOUNDS)

    def to_assumption(self) -> Assumption:
        """What is moved and expected."""
        return Assumption(
            {tier: self[f"points_{tier}"].data for tier in TIERS},
            {tier: self[f"response_{tier}"].data for tier in TIERS},
        )


class ScenarioForm(Form):
    """A what-if under a name; the numbers come along hidden."""

    name = TextField(_l("Name"), validators=[InputRequired(_l("Enter a name.")), at_most(NAME_LENGTH)])
    remarks = LongText(_l("Remarks"), validators=[at_most(500)])
    is_shared = BooleanField(_l("Others may open it"))
    by = HiddenField()
    points_key = NumberField(validators=_BOUNDS)
    points_important = NumberField(validators=_BOUNDS)
    points_ordinary = NumberField(validators=_BOUNDS)
    response_key = NumberField(validators=_BOUNDS)
    response_important = NumberField(validators=_BOUNDS)
    response_ordinary = NumberField(validators=_BOUNDS)

    def to_input(self) -> ScenarioInput:
        """The service's input."""
        return ScenarioInput(
            name=self.name.data,
            by=self.by.data if self.by.data == PROPOSED else DECIDED,
            assumption=Assumption(
                {KEY: self.points_key.data, IMPORTANT: self.points_important.data, ORDINARY: self.points_ordinary.data},
                {
                    KEY: self.response_key.data,
                    IMPORTANT: self.response_important.data,
                    ORDINARY: self.response_ordinary.data,
                },
            ),
            is_shared=bool(self.is_shared.data),
            remarks=self.remarks.data or "",
        )
