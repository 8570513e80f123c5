"""Forms of customers: shape and format; the services check the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, fields, replace
from datetime import date, timedelta
from typing import Any

from wtforms import (
    BooleanField,
    FieldList,
    FloatField,
    FormField,
    HiddenField,
)
from wtforms import Form as PlainForm
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Optional

from portal.core import clock
from portal.core.errors import Invalid
from portal.core.forms import (
    REQUIRED,
    BoxesField,
    ChoiceField,
    DayField,
    Form,
    LongText,
    MomentField,
    NumberField,
    OptionField,
    TextField,
    VersionedForm,
    YuanField,
    at_most,
    options,
)
from portal.customers import vocabulary as words
from portal.customers.fields import CustomerField, RegionField
from portal.customers.inputs import (
    AssignInput,
    ContactInput,
    CustomerInput,
    InteractionInput,
    NextStepInput,
    PersonInput,
    PhoneInput,
    QualificationInput,
)
from portal.customers.models import Contact, Customer
from portal.customers.phones import masked
from portal.customers.validation import TEXT_LIMIT
from portal.i18n import _, _l

#: Rows for phones on the contact form: those there are and some to fill in.
SPARE_PHONES = 2
MAX_PHONES = 8


def terms(enumeration: Any, blank: Any = None) -> list[SelectChoice]:
    """Choices out of a vocabulary."""
    return options(words.choices(enumeration, blank))


class DegreesField(FloatField):
    """Degrees with decimals; "not a number" and infinity are refused by the service's bounds."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            self.data = float(valuelist[0].strip())
        except ValueError as error:
            raise ValueError(_("Enter degrees such as 31.2304.")) from error


def _present(value: Any, field: Any) -> Any:
    """A field's value; one that was not sent is blank, as the input's default says."""
    if value is None and isinstance(field.default, str):
        return field.default
    return "" if value is None and field.default is MISSING else value


class CustomerForm(VersionedForm):
    """All fields of a customer; sections and the short form use parts of it."""

    party = OptionField(_l("Customer is"), choices=terms(words.Party), default="organisation")
    kind = ChoiceField(_l("Kind"), choices=terms(words.CustomerKind), default="end_user")
    name = TextField(_l("Name"), [REQUIRED, at_most(200)])
    short_name = TextField(_l("Short name"), [at_most(100)])
    aliases = LongText(_l("Other names"), [at_most(4200)], description=_l("Former or trade names, one a line."))
    credit_code = TextField(_l("Unified social credit code"), [at_most(40)])
    industry = TextField(_l("Industry"), [at_most(60)])
    size_class = ChoiceField(_l("Size class"), choices=terms(words.SizeClass, _l("Not known")))
    region_code = RegionField(_l("Region"))
    address = TextField(_l("Address"), [at_most(300)])
    latitude = DegreesField(_l("Latitude"), [Optional()])
    longitude = DegreesField(_l("Longitude"), [Optional()])
    phone = TextField(_l("Phone"), [at_most(60)])
    email = TextField(_l("E-mail"), [at_most(254)])
    website = TextField(_l("Website"), [at_most(200)])
    channel = ChoiceField(_l("Channel"), choices=terms(words.Channel, _l("Not known")))
    source = ChoiceField(_l("Source"), choices=terms(words.Source, _l("Not known")))
    source_note = TextField(_l("More about the source"), [at_most(200)])
    referrer_id = CustomerField(_l("Referred by"), description=_l("The customer who referred this one."))
    demand = LongText(_l("Characteristics of the demand"), [at_most(TEXT_LIMIT)])
    status = ChoiceField(
        _l("Record status"),
        choices=options(pair for pair in words.choices(words.Status) if pair[0] != words.Status.MERGED),
        default="active",
    )
    sex = ChoiceField(_l("Sex"), choices=terms(words.Sex, _l("Not told")))
    birth_year = NumberField(_l("Year of birth"), [Optional()])
    occupation = TextField(_l("Occupation"), [at_most(100)])
    education = TextField(_l("Education"), [at_most(50)])
    ethnicity = TextField(_l("Ethnicity"), [at_most(50)])
    employer = TextField(_l("Employer"), [at_most(200)])
    home_address = TextField(_l("Home address"), [at_most(300)])
    purpose = TextField(
        _l("Purpose"), [at_most(300)], description=_l("What these personal data are used for; needed with any of them.")
    )
    consent = TextField(
        _l("Consent"), [at_most(500)], description=_l("How the person agreed: on paper, by WeChat, spoken …")
    )
    consented_on = DayField(_l("Consent given on"), [Optional()])
    account_manager_id = ChoiceField(_l("Account manager"))
    department_id = ChoiceField(_l("Department"))

    def keep(self, names: Iterable[str]) -> None:
        """Leave out all fields but these (and the hidden ones)."""
        wanted = {*names, "csrf_token", "version"}
        for name in [name for name in self._fields if name not in wanted]:
            del self[name]

    def to_input(self, base: CustomerInput, customer: Customer | None = None) -> CustomerInput:
        """The service's input: `base` with the values of the fields that this form has."""
        values: dict[str, Any] = {}
        for field in fields(CustomerInput):
            if field.name in self and field.name not in {"aliases", "person", "phone"}:
                values[field.name] = _present(self[field.name].data, field)
        if "aliases" in self:
            lines = (self.aliases.data or "").split("\n")
            values["aliases"] = tuple(line.strip() for line in lines if line.strip())
        if "phone" in self:
            values["phone"] = self.unmasked_phone(customer)
        if "referrer_id" in self:
            values["referrer_id"] = self.referrer_id.data
        party = values.get("party", base.party)
        if party == words.Party.PERSON:
            values["person"] = self._person(base.person or PersonInput())
        else:
            values["person"] = None
        return replace(base, **values)

    def _person(self, base: PersonInput) -> PersonInput:
        values = {f.name: _present(self[f.name].data, f) for f in fields(PersonInput) if f.name in self}
        return replace(base, **values)

    def unmasked_phone(self, customer: Customer | None) -> str:
        """The typed phone; the mask that the form showed stands for the number that is there."""
        typed: str = self.phone.data or ""
        if customer is not None and customer.phone and typed == masked(customer.phone):
            return customer.phone
        return typed

    def fill(self, data: CustomerInput, version: int | None = None) -> None:
        """Show the present values (of a form that was not sent); phones are masked."""
        values = asdict(data) | asdict(data.person or PersonInput())
        for name, field in self._fields.items():
            if name in values and name not in {"aliases", "phone", "referrer_id"}:
                field.data = values[name]
        if "aliases" in self:
            self.aliases.data = "\n".join(data.aliases)
        if "phone" in self:
            self.phone.data = masked(data.phone) if data.phone else ""
        if "referrer_id" in self:
            self.referrer_id.show(data.referrer_id)
        if "region_code" in self:
            self.region_code.show(data.region_code or None)
        if version is not None and "version" in self:
            self.version.data = str(version)

    def show(self, error: Invalid) -> None:
        """Errors of fields that this form does not have say which field is meant."""
        pairs = []
        for name, message in error.errors:
            if name in self._fields or not name:
                pairs.append((name, message))
            else:
                declared = getattr(type(self), name, None)
                label = declared.args[0] if declared is not None else name
                pairs.append(("", f"{label}{_(': ')}{message}"))
        super().show(Invalid(pairs))


#: Parts of the record that are edited by themselves: key → (title, fields of both, of organisations, of persons).
SECTIONS: Mapping[str, tuple[Any, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "basics": (
        _l("Basic facts"),
        ("name", "short_name", "aliases", "kind", "status"),
        ("credit_code", "industry", "size_class"),
        (),
    ),
    "place": (_l("Place"), ("region_code", "address", "latitude", "longitude"), (), ()),
    "reach": (_l("Phone, e-mail, website"), ("phone", "email", "website"), (), ()),
    "origin": (_l("Channel and source"), ("channel", "source", "source_note", "referrer_id"), (), ()),
    "demand": (_l("Demand"), ("demand",), (), ()),
    "person": (
        _l("Personal data"),
        (),
        (),
        (
            "sex",
            "birth_year",
            "occupation",
            "education",
            "ethnicity",
            "employer",
            "home_address",
            "purpose",
            "consent",
            "consented_on",
        ),
    ),
}
SHORT_FIELDS = ("party", "kind", "name", "phone", "account_manager_id")


def section_fields(section: str, party: str) -> tuple[str, ...]:
    """Names of the fields of a section for an organisation or a person."""
    _title, common, organisation, person = SECTIONS[section]
    return common + (person if party == words.Party.PERSON else organisation)


def full_fields(party: str, create: bool) -> tuple[str, ...]:
    """Names of the fields of the full form."""
    names = tuple(name for section in SECTIONS for name in section_fields(section, party))
    if not create:
        return names
    return ("party", *(name for name in names if name != "status"), "account_manager_id", "department_id")


class StageForm(Form):
    """Another stage, with a reason where one is needed."""

    stage = OptionField(_l("New stage"), choices=terms(words.Stage))
    reason = TextField(
        _l("Reason"), [at_most(500)], description=_l("Needed for going back, for dormant and lost, and the way back.")
    )
    seen = HiddenField()


class QualificationForm(Form):
    """Need, means, reputation."""

    need = OptionField(_l("Need"), choices=terms(words.Grade), default="unknown")
    means = OptionField(_l("Means"), choices=terms(words.Grade), default="unknown")
    reputation = OptionField(_l("Reputation"), choices=terms(words.Grade), default="unknown")
    notes = LongText(_l("Notes"), [at_most(TEXT_LIMIT)])

    def to_input(self) -> QualificationInput:
        """The service's input."""
        return QualificationInput(self.need.data, self.means.data, self.reputation.data, self.notes.data or "")


class AssignForm(Form):
    """Who shall look after customers."""

    account_manager_id = ChoiceField(_l("New account manager"))
    department_id = ChoiceField(_l("Owning department"))
    reason = TextField(_l("Reason"), [at_most(500)])

    def to_input(self) -> AssignInput:
        """The service's input."""
        return AssignInput(
            int(self.account_manager_id.data) if self.account_manager_id.data else None,
            int(self.department_id.data) if self.department_id.data else None,
            self.reason.data or "",
        )


class BulkStageForm(Form):
    """A stage for many customers."""

    stage = OptionField(_l("New stage"), choices=terms(words.Stage))
    reason = TextField(_l("Reason"), [at_most(500)])


class PhoneForm(PlainForm):
    """One row of phones."""

    number = TextField(_l("Phone number"), [at_most(60)])
    label = ChoiceField(_l("What it is"), choices=terms(words.PhoneLabel), default="mobile")


class ContactForm(VersionedForm):
    """All fields of a contact."""

    name = TextField(_l("Full name"), [REQUIRED, at_most(100)])
    sex = ChoiceField(_l("Sex"), choices=terms(words.Sex, _l("Not told")))
    title = TextField(_l("Job title"), [at_most(100)])
    department = TextField(_l("Department"), [at_most(100)])
    employer_kind = ChoiceField(_l("Kind of employer"), choices=terms(words.EmployerKind, _l("Not known")))
    rank = ChoiceField(_l("Administrative rank"), choices=terms(words.Rank, _l("None")))
    phones = FieldList(FormField(PhoneForm), label=_l("Phones"), max_entries=MAX_PHONES)
    email = TextField(_l("E-mail"), [at_most(254)])
    wechat = TextField(_l("WeChat ID"), [at_most(40)])
    birthday_calendar = ChoiceField(
        _l("Birthday"),
        choices=options([("", _l("Not known")), ("solar", _l("Solar calendar")), ("lunar", _l("Lunar calendar"))]),
    )
    birthday_month = NumberField(_l("Birth month"), [Optional()])
    birthday_day = NumberField(_l("Birth day"), [Optional()])
    birthday_leap = BooleanField(_l("Leap month"))
    birthday_year = NumberField(_l("Birth year"), [Optional()])
    interests = TextField(_l("Interests"), [at_most(500)])
    buying_role = ChoiceField(_l("Role in buying"), choices=terms(words.BuyingRole, _l("Not known")))
    attitude = ChoiceField(
        _l("Attitude towards us"),
        choices=options([("", _l("Not known")), *((str(key), label) for key, label in words.ATTITUDE_LABELS.items())]),
    )
    notes = LongText(_l("Notes"), [at_most(TEXT_LIMIT)])
    is_primary = BooleanField(_l("Primary contact"))
    message_consent = BooleanField(_l("Agrees to receive messages"))
    message_consent_on = DayField(_l("Agreed on"), [Optional()])
    message_consent_source = TextField(
        _l("How it was given"), [at_most(200)], description=_l("On paper, by WeChat, on the phone …")
    )

    def to_input(self, contact: Contact | None = None) -> ContactInput:
        """The service's input; masks stand for the numbers that are there."""
        masks: dict[str, str] = {masked(p.number): p.number for p in contact.phones} if contact else {}
        values = {
            field.name: _present(self[field.name].data, field)
            for field in fields(ContactInput)
            if field.name not in {"phones", "attitude"}
        }
        values["attitude"] = int(self.attitude.data) if self.attitude.data else None
        values["phones"] = tuple(
            PhoneInput(masks.get(row.form.number.data or "", row.form.number.data or ""), row.form.label.data or "")
            for row in self.phones
        )
        return ContactInput(**values)

    def fill(self, data: ContactInput, version: int) -> None:
        """Show the present values; phones are masked."""
        for name, value in asdict(data).items():
            if name not in {"phones", "attitude"}:
                self[name].data = value
        self.attitude.data = "" if data.attitude is None else str(data.attitude)
        while len(self.phones):
            self.phones.pop_entry()
        for phone in data.phones:
            self.phones.append_entry({"number": masked(phone.number), "label": phone.label})
        self.version.data = str(version)

    def add_spare_phones(self) -> None:
        """Empty rows at the end, so that numbers can be added without script."""
        blank = sum(1 for row in self.phones if not row.form.number.data)
        for _spare in range(min(SPARE_PHONES - blank, MAX_PHONES - len(self.phones))):
            self.phones.append_entry()

    def show(self, error: Invalid) -> None:
        """Errors of phones go to their rows."""
        rest = []
        for name, message in error.errors:
            parts = name.split("-")
            if len(parts) == 3 and parts[0] == "phones" and int(parts[1]) < len(self.phones):
                field = self.phones[int(parts[1])][parts[2]]
                field.errors = [*field.errors, str(message)]
                self.phones.errors = [*self.phones.errors, str(message)]
            else:
                rest.append((name, message))
        super().show(Invalid(rest))


class StepFields(PlainForm):
    """Fields of a next step; all empty means none is planned."""

    kind = ChoiceField(_l("Way of contact"), choices=terms(words.InteractionKind), default="phone")
    task = TextField(_l("Next step"), [at_most(500)])
    due_on = DayField(_l("Until"), [Optional()])
    appointment = ChoiceField(_l("Appointment"), choices=terms(words.Appointment), default="none")

    def read(self, owner_id: int | None = None) -> NextStepInput | None:
        """The service's input; None when nothing is planned."""
        if not self.task.data and self.due_on.data is None:
            return None
        return NextStepInput(self.task.data or "", self.due_on.data, self.kind.data, self.appointment.data, owner_id)


class StepForm(VersionedForm):
    """A next step by itself."""

    kind = ChoiceField(_l("Way of contact"), choices=terms(words.InteractionKind), default="phone")
    task = TextField(_l("Next step"), [REQUIRED, at_most(500)])
    due_on = DayField(_l("Until"), [DataRequired(message=_l("Say until when."))])
    appointment = ChoiceField(_l("Appointment"), choices=terms(words.Appointment), default="none")
    owner_id = ChoiceField(_l("Who does it"))

    def to_input(self) -> NextStepInput:
        """The service's input."""
        owner = self.owner_id.data
        return NextStepInput(
            self.task.data, self.due_on.data, self.kind.data, self.appointment.data, int(owner) if owner else None
        )


class InteractionForm(VersionedForm):
    """An interaction with its next step."""

    kind = ChoiceField(_l("Kind"), choices=terms(words.InteractionKind), default="visit")
    direction = ChoiceField(_l("Direction"), choices=terms(words.Direction), default="outgoing")
    at = MomentField(_l("When"))
    minutes = NumberField(_l("Minutes"), [Optional()])
    appointment = ChoiceField(_l("Appointment"), choices=terms(words.Appointment), default="none")
    cost = YuanField(_l("Cost"), [Optional()])
    subject = TextField(_l("Subject"), [at_most(200)])
    result = LongText(_l("Result of the contact"), [at_most(TEXT_LIMIT)])
    opinions = LongText(_l("Opinions and suggestions"), [at_most(TEXT_LIMIT)])
    contact_ids = BoxesField(_l("With whom"), coerce=int, choices=[])
    colleague_ids = BoxesField(_l("Colleagues who took part"), coerce=int, choices=[])
    next_step = FormField(StepFields, label=_l("Next step"))

    def to_input(self) -> InteractionInput:
        """The service's input."""
        return InteractionInput(
            kind=self.kind.data,
            at=self.at.moment,
            direction=self.direction.data if "direction" in self else "outgoing",
            minutes=self.minutes.data,
            appointment=self.appointment.data,
            cost=self.cost.data if "cost" in self else None,
            subject=(self.subject.data or "") if "subject" in self else "",
            result=self.result.data or "",
            opinions=(self.opinions.data or "") if "opinions" in self else "",
            contact_ids=tuple(self.contact_ids.data or ()),
            colleague_ids=tuple(self.colleague_ids.data or ()) if "colleague_ids" in self else (),
            next_step=self.next_step.form.read() if "next_step" in self else None,
        )

    def fill(self, data: InteractionInput, version: int) -> None:
        """Show the present values."""
        for name in ("kind", "direction", "minutes", "appointment", "cost", "subject", "result", "opinions"):
            self[name].data = getattr(data, name)
        self.at.show(data.at)
        self.contact_ids.data, self.colleague_ids.data = list(data.contact_ids), list(data.colleague_ids)
        self.version.data = str(version)

    def show(self, error: Invalid) -> None:
        """Errors of the next step go to its fields."""
        rest = []
        for name, message in error.errors:
            if name.startswith("next_step-") and "next_step" in self:
                field = self.next_step.form[name.removeprefix("next_step-")]
                field.errors = [*field.errors, str(message)]
                self.form_errors.append(f"{field.label.text}{_(': ')}{message}")
            else:
                rest.append((name, message))
        super().show(Invalid(rest))


class ReasonForm(Form):
    """Why something is taken back."""

    reason = TextField(_l("Reason"), [REQUIRED, at_most(300)])


def today_plus(days: int) -> date:
    """A day ahead, for forms."""
    return clock.today() + timedelta(days=days)
