"""Forms of this plugin: shape and format."""

from __future__ import annotations

import secrets

from wtforms import BooleanField, HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from plugins.vip import models
from plugins.vip.services import REASON_LENGTH, ApplicationInput
from plugins.vip.vocabulary import LEVELS
from portal.core.forms import Form, TextField, options
from portal.i18n import _l


def new_token() -> str:
    """A token for a form: a double click files once."""
    return secrets.token_urlsafe(24)


class ApplicationForm(Form):
    """Which of the conditions the application rests on; the figures are the portal's."""

    condition = RadioField(_l("Condition"), validators=[InputRequired(_l("Choose a condition."))])
    contact_id = SelectField(_l("Member"), coerce=lambda value: int(value) if value else None, validators=[Optional()])
    reason = TextAreaField(_l("Reason or remarks"), validators=[Length(max=REASON_LENGTH)])
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

    reason = TextAreaField(_l("Reason"), validators=[InputRequired(_l("Give a reason.")), Length(max=REASON_LENGTH)])


class RedeemForm(Form):
    """A benefit in exchange for points."""

    benefit_id = SelectField(_l("Benefit"), coerce=int, validators=[InputRequired(_l("Choose a benefit."))])
    token = HiddenField()


class CorrectionForm(Form):
    """Points added or taken by hand."""

    points = IntegerField(_l("Points"), validators=[InputRequired(_l("Enter a number of points other than zero."))])
    reason = StringField(_l("Reason"), validators=[InputRequired(_l("Give a reason.")), Length(max=500)])
    token = HiddenField()


class BenefitForm(Form):
    """A benefit of membership."""

    name = TextField(_l("Name"), validators=[InputRequired(_l("Enter a name.")), Length(max=100)])
    description = TextAreaField(_l("Description"), validators=[Length(max=500)])
    level = SelectField(_l("From level"), choices=options((level, LEVELS[level]) for level in models.LEVELS))
    cost = IntegerField(
        _l("Points for one"), default=0, validators=[InputRequired(_l("Enter zero or a number of points."))]
    )
    is_active = BooleanField(_l("Offered"), default=True)
