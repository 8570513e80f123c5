"""Forms of tiers: shape and format."""

from __future__ import annotations

from wtforms import HiddenField
from wtforms.validators import InputRequired, Optional

from plugins.key_accounts.tiers import vocabulary as words
from plugins.key_accounts.tiers.services import NOTE_LENGTH, REASON_LENGTH, RolesInput, TierInput
from portal.core.forms import BoxesField, ChoiceField, Form, LongText, OptionField, TextField, at_most, options
from portal.core.numbers import id_from
from portal.i18n import _l


class TierForm(Form):
    """A decision on one or more customers."""

    tier = OptionField(
        _l("Decision"),
        choices=options(
            {"proposed": _l("As proposed"), "present": _l("Decline the proposal, the tier stays")} | words.TIERS
        ),
        validators=[InputRequired(_l("Choose a tier."))],
    )
    reason = LongText(_l("Reason"), validators=[at_most(REASON_LENGTH)])

    def to_input(self, ids: list[int], seen: dict[int, str]) -> TierInput:
        """The service's input."""
        return TierInput(ids, self.tier.data, (self.reason.data or "").strip(), seen)


class AskForm(Form):
    """A wish for another tier, for the head to decide."""

    tier = OptionField(
        _l("Tier asked for"), choices=options(words.TIERS), validators=[InputRequired(_l("Choose a tier."))]
    )
    reason = LongText(_l("Reason"), validators=[InputRequired(_l("Give a reason.")), at_most(REASON_LENGTH)])
    token = HiddenField()


class RolesForm(Form):
    """Strategic roles and ease of development."""

    roles = BoxesField(_l("Strategic roles"), choices=options(words.ROLES), validators=[Optional()])
    ease = ChoiceField(
        _l("Ease of development"),
        coerce=id_from,
        choices=options(words.EASE, _l("not judged")),
        validators=[Optional()],
    )
    note = TextField(_l("Why judged so"), validators=[at_most(NOTE_LENGTH)])

    def to_input(self) -> RolesInput:
        """The service's input."""
        return RolesInput(frozenset(self.roles.data or ()), self.ease.data, self.note.data or "")
