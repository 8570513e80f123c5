"""Forms of tiers: shape and format."""

from __future__ import annotations

from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from plugins.key_accounts.tiers import vocabulary as words
from plugins.key_accounts.tiers.services import NOTE_LENGTH, REASON_LENGTH, RolesInput, TierInput
from portal.core.forms import Form
from portal.i18n import _l


class TierForm(Form):
    """A decision on one or more customers."""

    tier = RadioField(
        _l("Decision"),
        choices=[
            ("proposed", _l("As proposed")),
            ("present", _l("Decline the proposal, the tier stays")),
            *words.TIERS.items(),
        ],
        validators=[InputRequired(_l("Choose a tier."))],
    )
    reason = TextAreaField(_l("Reason"), validators=[Length(max=REASON_LENGTH)])

    def to_input(self, ids: list[int], seen: dict[int, str]) -> TierInput:
        """The service's input."""
        return TierInput(ids, self.tier.data, (self.reason.data or "").strip(), seen)


class RolesForm(Form):
    """Strategic roles and ease of development."""

    roles = SelectMultipleField(
        _l("Strategic roles"),
        choices=list(words.ROLES.items()),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validators=[Optional()],
    )
    ease = SelectField(
        _l("Ease of development"),
        coerce=lambda value: int(value) if value and value != "None" else None,
        choices=[("", _l("not judged")), *((str(key), text) for key, text in words.EASE.items())],
        validators=[Optional()],
    )
    note = StringField(_l("Why judged so"), validators=[Length(max=NOTE_LENGTH)])

    def to_input(self) -> RolesInput:
        """The service's input."""
        return RolesInput(frozenset(self.roles.data or ()), self.ease.data, self.note.data or "")
