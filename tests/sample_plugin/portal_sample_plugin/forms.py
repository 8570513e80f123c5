"""Forms of this plugin."""

from __future__ import annotations

from wtforms import HiddenField
from wtforms.validators import InputRequired, Length

from portal.core.forms import Form, TextField
from portal.i18n import _l
from portal_sample_plugin.services import SampleInput


class SampleForm(Form):
    """Ask for a sample."""

    product = TextField(_l("What is to be sent"), validators=[InputRequired(), Length(max=100)])
    token = HiddenField()

    def to_input(self, customer_id: int) -> SampleInput:
        """The service's input."""
        return SampleInput(customer_id, self.product.data, self.token.data or "")
