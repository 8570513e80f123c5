"""Forms of this plugin: shape and format."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField
from wtforms.validators import InputRequired, Optional

from plugins.vip import models
from plugins.vip.services import REASON_LENGTH, ApplicationInput
from plugins.vip.vocabulary import LEVELS
from portal.core.forms import (
    ChoiceField,
    Form,
    LongText,
    NumberField,
    OptionField,
    TextField,
    at_most,
    new_token,
    options,
)
from portal.core.numbers import id_from
from portal.i18n import _l


class ApplicationForm(Form):
    """Which of the conditions the application rests on; the figures are the portal's."""

    condition = OptionField(_l("Condition"), validators=[InputRequired(_l("Choose a condition."))])
    contact_id = ChoiceField(_l("Member"), coerce=id_from, validators=[Optional()])
    reason = LongText(_l("Reason or remarks"), validators=[at_most(REASON_LENGTH)])
    token = HiddenField()

    def to_input(self, customer_id: int) -> ApplicationInput:
        """The service's input."""
        return ApplicationInput(
            customer_id=customer_id,
            condition=self.condition.data,
            token=self.token.data or new_token(),
            contact_id=self.contact_id.data,
            reason=(self.reason.data or "").strip(),
        )


class ReasonForm(Form):
    """A reason for a step that needs one."""

    reason = LongText(_l("Reason"), validators=[InputRequired(_l("Give a reason.")), at_most(REASON_LENGTH)])


class RedeemForm(Form):
    """A benefit in exchange for points."""

    benefit_id = ChoiceField(_l("Benefit"), coerce=int, validators=[InputRequired(_l("Choose a benefit."))])
    token = HiddenField()


class CorrectionForm(Form):
    """Points added or taken by hand."""

    points = NumberField(_l("Points"), validators=[InputRequired(_l("Enter a number of points other than zero."))])
    reason = TextField(_l("Reason"), validators=[InputRequired(_l("Give a reason.")), at_most(500)])
    token = HiddenField()


class BenefitForm(Form):
    """A benefit of membership."""

    name = TextField(_l("Name"), validators=[InputRequired(_l("Enter a name.")), at_most(100)])
    description = LongText(_l("Description"), validators=[at_most(500)])
    level = ChoiceField(_l("From level"), choices=options((level, LEVELS[level]) for level in models.LEVELS))
    cost = NumberField(
        _l("Points for one"), default=0, validators=[InputRequired(_l("Enter zero or a number of points."))]
    )
    is_active = BooleanField(_l("Offered"), default=True)
