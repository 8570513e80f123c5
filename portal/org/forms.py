"""Shape of the forms about people, departments and delegations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget, TextInput

from portal.core import clock
from portal.core.forms import Form, TextField, options
from portal.core.registry import registry
from portal.core.text import clean_name
from portal.i18n import LANGUAGES, _, _l
from portal.org import queries
from portal.org.actor import Actor
from portal.org.roles import ROLE_TEXTS
from portal.org.services import DelegationInput, DepartmentInput, LeavingInput, PersonInput, ProfileInput

#: Years that a date of a form may have.
YEARS = range(2000, 2101)
LARGEST_ID = 2**62


class PersonField(Field):
    """A person, chosen with the macro forms.picker: `<name>` the id, `<name>_text` what stands in the text field.

    Without script the text alone is sent: a log-in name, or a name that only one person has.
    """

    widget = TextInput()
    text: str = ""
    data: int | None
    process_errors: list[Any]

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        super().process(formdata, *args, **kwargs)
        sent = formdata.get(f"{self.name}_text") if formdata else None
        if sent is None:
            self.text = self._name_of(self.data)
            return
        self.text = clean_name(sent)[:200]
        if not self.text:
            self.data = None
        elif self.data is None or self._name_of(self.data) != self.text:
            self.data = queries.find_user(self.text)
            if self.data is None:
                message = _("Nobody, or more than one, is called that. Choose from the list or type the log-in name.")
                self.process_errors = [*self.process_errors, message]

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = valuelist[0].strip() if valuelist else ""
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
        self.data = number if 0 < number < LARGEST_ID else None

    @staticmethod
    def _name_of(user_id: int | None) -> str:
        return queries.names_of([user_id]).get(user_id, "") if user_id is not None else ""

    def _value(self) -> str:
        return "" if self.data is None else str(self.data)


class DepartmentField(SelectField):
    """An open department, indented as in the tree."""

    data: int | None

    def __init__(self, label: Any = None, *, empty: Any = None, **options: Any) -> None:
        super().__init__(label, coerce=self._number, validate_choice=False, **options)
        self.empty = empty

    @staticmethod
    def _number(value: Any) -> int | None:
        text = str(value)
        return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 19 else None

    def offer(self, departments: list[tuple[int, str]]) -> None:
        """Set the choices; a department that is closed or moved away meanwhile stays choosable when it is the value."""
        rows: list[tuple[Any, Any]] = [("", self.empty)] if self.empty is not None else []
        rows += departments
        if self.data and self.data not in {number for number, _name in departments}:
            name = queries.department_names([self.data]).get(self.data)
            if name:
                rows.append((self.data, name))
        self.choices = options(rows)


class BoxesField(SelectMultipleField):
    """Several of a few choices, as boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: Any) -> None:
        try:
            super().pre_validate(form)
        except ValueError as error:
            raise ValidationError(_("Choose one of the list.")) from error


class MomentField(DateTimeLocalField):
    """A moment in the organisation's zone."""

    data: datetime | None

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        super().__init__(label, validators, format=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"], **options)

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_("Enter date and time such as 2026-03-05 14:30.")) from error
        if self.data is not None and self.data.year not in YEARS:
            self.data = None
            raise ValueError(_("This year is far away."))

    @property
    def moment(self) -> datetime | None:
        """The aware moment."""
        return self.data.replace(tzinfo=clock.zone()) if self.data is not None else None


NEEDED = _l("This is needed.")


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


class PersonForm(Form):
    """A person, for administrators."""

    name = TextField(_l("Full name"), [InputRequired(NEEDED), Length(max=100)])
    login = TextField(
        _l("Log-in name"),
        [InputRequired(NEEDED), Length(max=64)],
        description=_l("Letters a-z, digits, dots and hyphens."),
        render_kw={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"},
    )
    department_id = DepartmentField(_l("Department"), empty=_l("Choose …"))
    title = TextField(_l("Job title"), [Length(max=100)])
    email = TextField(_l("E-mail"), [Length(max=254)])
    phone = TextField(_l("Telephone"), [Length(max=32)])
    supervisor_id = PersonField(_l("Direct superior"), description=_l("Empty: the head of the department."))
    person_key = TextField(
        _l("Staff number"),
        [Length(max=64)],
        description=_l("Two accounts of one person carry the same number, so that nobody approves his own request."),
    )
    roles = BoxesField(_l("Roles"))
    version = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.department_id.offer(queries.departments_indented())
        self.roles.choices = options((key, name) for key, name, _help in ROLE_TEXTS)

    @property
    def expected_version(self) -> int:
        """The version the editor had before him."""
        return _number(self.version.data)

    def to_input(self) -> PersonInput:
        """What the service takes."""
        return PersonInput(
            login=self.login.data or "",
            name=self.name.data or "",
            department_id=self.department_id.data,
            roles=tuple(self.roles.data or ()),
            title=self.title.data or "",
            email=self.email.data or "",
            phone=self.phone.data or "",
            supervisor_id=self.supervisor_id.data,
            person_key=self.person_key.data or "",
        )


class DepartmentForm(Form):
    """A department."""

    name = TextField(_l("Name"), [InputRequired(NEEDED), Length(max=100)])
    code = TextField(
        _l("Code"),
        [InputRequired(NEEDED), Length(max=20)],
        description=_l("Short and unique, for numbers and imports."),
    )
    parent_id = DepartmentField(_l("Belongs to"), empty=_l("Nothing: at the top"))
    head_id = PersonField(_l("Head"), description=_l("Without a head the department above decides."))
    deputy_id = PersonField(_l("Deputy"))
    version = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parent_id.offer(queries.departments_indented())

    @property
    def expected_version(self) -> int:
        """The version the editor had before him."""
        return _number(self.version.data)

    def to_input(self) -> DepartmentInput:
        """What the service takes."""
        return DepartmentInput(
            name=self.name.data or "",
            code=self.code.data or "",
            parent_id=self.parent_id.data,
            head_id=self.head_id.data,
            deputy_id=self.deputy_id.data,
        )


class LeavingForm(Form):
    """Somebody leaves."""

    successor_id = PersonField(
        _l("Successor"), description=_l("Takes over customers, open tasks and people supervised.")
    )
    departments_too = BooleanField(_l("The successor also heads these departments"), default=True)
    reason = TextField(_l("Note"), [Length(max=500)])
    sure = BooleanField(_l("Close the account now; all sessions end at once"), [InputRequired(_l("Please confirm."))])

    def to_input(self) -> LeavingInput:
        """What the service takes."""
        return LeavingInput(self.successor_id.data, bool(self.departments_too.data), self.reason.data or "")


class DelegationForm(Form):
    """A head's delegation."""

    delegate_id = PersonField(_l("Delegate"), [])
    begins_at = MomentField(_l("Begins"), [InputRequired(NEEDED)])
    ends_at = MomentField(_l("Ends"), [InputRequired(NEEDED)])
    kinds = BoxesField(_l("Kinds of approval"), description=_l("None ticked: all kinds."))
    departments = BoxesField(_l("Departments"), coerce=int, description=_l("None ticked: all of mine."))
    reason = TextField(_l("Reason"), [InputRequired(NEEDED), Length(max=500)])

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds.choices = options((kind.key, kind.title) for kind in registry("approval_kinds"))
        self.departments.choices = options(
            (number, name.strip()) for number, name in queries.departments_indented() if number in actor.oversees
        )

    def to_input(self) -> DelegationInput:
        """What the service takes."""
        return DelegationInput(
            delegate_id=self.delegate_id.data,
            begins_at=self.begins_at.moment,
            ends_at=self.ends_at.moment,
            kinds=tuple(self.kinds.data or ()),
            departments=tuple(self.departments.data or ()),
            reason=self.reason.data or "",
        )


class ProfileForm(Form):
    """What people change about themselves."""

    email = TextField(_l("E-mail"), [Length(max=254)], render_kw={"autocomplete": "email"})
    phone = TextField(_l("Telephone"), [Length(max=32)], render_kw={"autocomplete": "tel"})
    language = SelectField(_l("Language"), validate_choice=False)
    theme = RadioField(
        _l("Appearance"),
        choices=options([("auto", _l("As the system")), ("light", _l("Light")), ("dark", _l("Dark"))]),
        validate_choice=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.language.choices = options([("", _("As the portal")), *LANGUAGES])

    def to_input(self) -> ProfileInput:
        """What the service takes."""
        return ProfileInput(
            email=self.email.data or "",
            phone=self.phone.data or "",
            language=self.language.data or "",
            theme=self.theme.data or "auto",
        )
