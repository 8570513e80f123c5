"""Shape of what approvers and applicants send."""

from __future__ import annotations

from wtforms import HiddenField, SelectField

from portal.approvals.services import NOTE_LENGTH, OPINION_LENGTH
from portal.core.forms import GIVEN, Form, LongText, at_most
from portal.core.numbers import id_from
from portal.i18n import _l
from portal.org.fields import PersonField


class DecisionForm(Form):
    """One vote. The digest is that of the facts on the page."""

    vote = HiddenField()
    digest = HiddenField()
    seat_of = HiddenField()
    opinion = LongText(_l("Opinion"), validators=[at_most(OPINION_LENGTH)])

    def on_behalf_of(self) -> int | None:
        """Whose seat is meant; None: one's own or the only one."""
        return id_from(self.seat_of.data or "")


class BatchForm(Form):
    """One opinion for several approvals."""

    opinion = LongText(_l("Opinion (optional)"), validators=[at_most(OPINION_LENGTH)])


class ColleagueForm(Form):
    """Hand on, add a signer, ask for an opinion, assign: whom and why."""

    user = PersonField(_l("Colleague"), validators=[GIVEN])
    reason = LongText(_l("Why"), validators=[GIVEN, at_most(NOTE_LENGTH)])
    seat_of = HiddenField()

    def on_behalf_of(self) -> int | None:
        """As in `DecisionForm`."""
        return id_from(self.seat_of.data or "")


class CopyForm(Form):
    """Whom to keep informed."""

    user = PersonField(_l("Colleague"), validators=[GIVEN])


class ReassignForm(Form):
    """Whose seat goes to whom, and why."""

    from_user = SelectField(_l("Seat of"), coerce=str)
    user = PersonField(_l("New approver"), validators=[GIVEN])
    reason = LongText(_l("Why"), validators=[GIVEN, at_most(NOTE_LENGTH)])


class AnswerForm(Form):
    """An opinion that was asked for."""

    answer = LongText(_l("Your opinion"), validators=[GIVEN, at_most(OPINION_LENGTH)])


class ReasonForm(Form):
    """Withdrawing: a reason is welcome."""

    reason = LongText(_l("Why (optional)"), validators=[at_most(NOTE_LENGTH)])


class ResubmitForm(Form):
    """Filing again; the token makes a double click file one."""

    token = HiddenField(validators=[GIVEN, at_most(64)])
