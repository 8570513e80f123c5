"""Shape of what approvers and applicants send."""

from __future__ import annotations

from typing import Any

from wtforms import Field, HiddenField, SelectField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length
from wtforms.widgets import TextInput

from portal.approvals.services import NOTE_LENGTH, OPINION_LENGTH
from portal.core.forms import Form
from portal.core.text import clean_name
from portal.i18n import _, _l
from portal.org import queries as org

LARGEST_ID = 2**62


class ColleagueField(Field):
    """A colleague, chosen with the macro forms.picker; without script the typed name or log-in name is looked up."""

    widget = TextInput()
    text = ""
    data: int | None
    process_errors: list[Any]

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        super().process(formdata, *args, **kwargs)
        sent = formdata.get(f"{self.name}_text") if formdata else None
        if sent is None:
            return
        self.text = clean_name(sent)[:200]
        if not self.text:
            self.data = None
        elif self.data is None or org.names_of([self.data]).get(self.data) != self.text:
            self.data = org.find_user(self.text)
            if self.data is None:
                message = _("Nobody, or more than one, is called that. Choose from the list or type the log-in name.")
                self.process_errors = [*self.process_errors, message]

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = valuelist[0].strip() if valuelist else ""
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
        self.data = number if 0 < number < LARGEST_ID else None

    def _value(self) -> str:
        return "" if self.data is None else str(self.data)


class DecisionForm(Form):
    """One vote. The digest is that of the facts on the page."""

    vote = HiddenField()
    digest = HiddenField()
    seat_of = HiddenField()
    opinion = TextAreaField(_l("Opinion"), validators=[Length(max=OPINION_LENGTH)])

    def on_behalf_of(self) -> int | None:
        """Whose seat is meant; None: one's own or the only one."""
        text = (self.seat_of.data or "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


class BatchForm(Form):
    """One opinion for several approvals."""

    opinion = TextAreaField(_l("Opinion (optional)"), validators=[Length(max=OPINION_LENGTH)])


class ColleagueForm(Form):
    """Hand on, add a signer, ask for an opinion, assign: whom and why."""

    user = ColleagueField(_l("Colleague"), validators=[DataRequired()])
    reason = TextAreaField(_l("Why"), validators=[InputRequired(), Length(max=NOTE_LENGTH)])
    seat_of = HiddenField()

    def on_behalf_of(self) -> int | None:
        """As in `DecisionForm`."""
        text = (self.seat_of.data or "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


class CopyForm(Form):
    """Whom to keep informed."""

    user = ColleagueField(_l("Colleague"), validators=[DataRequired()])


class ReassignForm(Form):
    """Whose seat goes to whom, and why."""

    from_user = SelectField(_l("Seat of"), coerce=str)
    user = ColleagueField(_l("New approver"), validators=[DataRequired()])
    reason = TextAreaField(_l("Why"), validators=[InputRequired(), Length(max=NOTE_LENGTH)])


class AnswerForm(Form):
    """An opinion that was asked for."""

    answer = TextAreaField(_l("Your opinion"), validators=[InputRequired(), Length(max=OPINION_LENGTH)])


class ReasonForm(Form):
    """Withdrawing: a reason is welcome."""

    reason = TextAreaField(_l("Why (optional)"), validators=[Length(max=NOTE_LENGTH)])


class ResubmitForm(Form):
    """Filing again; the token makes a double click file one."""

    token = HiddenField(validators=[InputRequired(), Length(max=64)])
