"""Forms of dossiers: shape and format; the services check the rules."""

from __future__ import annotations

from datetime import date

from flask_wtf.file import FileField
from wtforms import HiddenField
from wtforms.validators import InputRequired, Optional

from plugins.archive.dossiers import changes, services
from plugins.archive.dossiers.changes import ChangeInput, SupplementInput
from plugins.archive.dossiers.fields import FIELDS
from plugins.archive.dossiers.services import ContractInput
from plugins.archive.dossiers.vocabulary import PHASES
from portal.core import regions
from portal.core.forms import ChoiceField, DayField, Form, LongText, OptionField, TextField, at_most, new_token, options
from portal.customers import vocabulary as words
from portal.customers.phones import masked
from portal.i18n import _l


class ContractForm(Form):
    """A scanned contract and what is written on it."""

    file = FileField(_l("File"), description=_l("PDF, JPEG or PNG."))
    title = TextField(_l("Title"), validators=[at_most(services.TITLE_LENGTH)])
    number = TextField(_l("Contract number"), validators=[at_most(services.NUMBER_LENGTH)])
    parties = TextField(_l("Parties"), validators=[at_most(services.PARTIES_LENGTH)])
    dated_on = DayField(_l("Signed on"), validators=[Optional()])
    valid_from = DayField(_l("Valid from"), validators=[Optional()])
    valid_until = DayField(_l("Valid until"), validators=[Optional()], description=_l("Empty: without an end."))
    remarks = LongText(_l("Remarks"), validators=[at_most(services.REMARKS_LENGTH)])
    token = HiddenField()

    def to_input(self, customer_id: int, replaces_id: int | None) -> ContractInput:
        """The service's input."""
        return ContractInput(
            customer_id=customer_id,
            title=self.title.data or "",
            number=self.number.data or "",
            parties=self.parties.data or "",
            dated_on=self.dated_on.data,
            valid_from=self.valid_from.data,
            valid_until=self.valid_until.data,
            remarks=self.remarks.data or "",
            token=(self.token.data or new_token())[:64],
            replaces_id=replaces_id,
        )


class ReasonForm(Form):
    """A reason for a step that needs one."""

    reason = LongText(_l("Reason"), validators=[InputRequired(_l("Give a reason.")), at_most(services.REASON_LENGTH)])


class ChangeForm(Form):
    """The basic information wanted. The region is typed by name or code."""

    party = OptionField(_l("Customer is"), choices=options(words.choices(words.Party)), default="organisation")
    name = TextField(_l("Name"), validators=[at_most(200)])
    short_name = TextField(_l("Short name"), validators=[at_most(100)])
    kind = ChoiceField(_l("Kind"), choices=options(words.choices(words.CustomerKind)), default="end_user")
    credit_code = TextField(_l("Unified social credit code"), validators=[at_most(40)])
    industry = TextField(_l("Industry"), validators=[at_most(60)])
    size_class = ChoiceField(_l("Size class"), choices=options(words.choices(words.SizeClass, _l("Not known"))))
    region_code = TextField(_l("Region"), description=_l("Full name or six-digit code."), validators=[at_most(100)])
    address = TextField(_l("Address"), validators=[at_most(300)])
    phone = TextField(_l("Phone"), validators=[at_most(60)])
    email = TextField(_l("E-mail"), validators=[at_most(254)])
    website = TextField(_l("Website"), validators=[at_most(200)])
    channel = ChoiceField(_l("Channel"), choices=options(words.choices(words.Channel, _l("Not known"))))
    source = ChoiceField(_l("Source"), choices=options(words.choices(words.Source, _l("Not known"))))
    sex = ChoiceField(_l("Sex"), choices=options(words.choices(words.Sex, _l("Not known"))))
    birth_year = TextField(_l("Year of birth"), validators=[at_most(4)])
    occupation = TextField(_l("Occupation"), validators=[at_most(100)])
    education = TextField(_l("Education"), validators=[at_most(50)])
    ethnicity = TextField(_l("Ethnicity"), validators=[at_most(50)])
    employer = TextField(_l("Employer"), validators=[at_most(200)])
    home_address = TextField(_l("Home address"), validators=[at_most(300)])
    purpose = TextField(_l("Purpose"), validators=[at_most(300)])
    consent = TextField(_l("Consent"), validators=[at_most(500)])
    consented_on = DayField(_l("Consent given on"), validators=[Optional()])
    demand = LongText(_l("Characteristics of the demand"), validators=[at_most(4000)])
    reason = LongText(_l("Reason and where it is known from"), validators=[at_most(changes.REASON_LENGTH)])
    token = HiddenField()

    def fill(self, values: dict[str, str]) -> None:
        """Show present values; the phone number masked."""
        for field, value in values.items():
            if field == "region_code" and value:
                self[field].data = regions.full_name(value)
            elif field == "consented_on":
                self[field].data = date.fromisoformat(value) if value else None
            else:
                self[field].data = masked(value) if field == "phone" else value

    def to_input(self, customer_id: int | None, phone: str = "") -> ChangeInput:
        """The service's input. :param phone: the present number; its mask stands for it."""
        values = {field: str(self[field].data or "") for field in FIELDS if field in self}
        if phone and values["phone"].strip() == masked(phone):
            values["phone"] = phone
        typed = values["region_code"].strip()
        if typed:
            found = regions.region(typed) if typed.isdecimal() else regions.find(typed)
            values["region_code"] = found.code if found else typed
        return ChangeInput(
            values=values,
            token=(self.token.data or new_token())[:64],
            customer_id=customer_id,
            party=self.party.data or "organisation",
            reason=self.reason.data or "",
        )


class SupplementForm(Form):
    """Dynamic information in the supervisor's words."""

    phase = ChoiceField(_l("Phase"), choices=options(PHASES))
    dated_on = DayField(_l("Date"), validators=[Optional()])
    body = LongText(_l("What is to be added"), validators=[at_most(changes.BODY_LENGTH)])
    token = HiddenField()

    def to_input(self, customer_id: int) -> SupplementInput:
        """The service's input."""
        day: date | None = self.dated_on.data
        return SupplementInput(
            customer_id, self.phase.data or "", day, self.body.data or "", (self.token.data or new_token())[:64]
        )
