"""Shape of the forms about people, departments and delegations."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, RadioField, SelectField
from wtforms.validators import InputRequired

from portal.core.forms import GIVEN, REQUIRED, BoxesField, Form, MomentField, TextField, VersionedForm, at_most, options
from portal.core.registry import registry
from portal.i18n import LANGUAGES, _, _l
from portal.org import queries
from portal.org.actor import Actor
from portal.org.fields import DepartmentField, PersonField
from portal.org.roles import ROLE_TEXTS
from portal.org.services import DelegationInput, DepartmentInput, LeavingInput, PersonInput, ProfileInput


class PersonForm(VersionedForm):
    """A person, for administrators."""

    name = TextField(_l("Full name"), [REQUIRED, at_most(100)])
    login = TextField(
        _l("Log-in name"),
        [REQUIRED, at_most(64)],
        description=_l("Letters a-z, digits, dots and hyphens."),
        render_kw={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"},
    )
    department_id = DepartmentField(_l("Department"), empty=_l("Choose …"))
    title = TextField(_l("Job title"), [at_most(100)])
    email = TextField(_l("E-mail"), [at_most(254)])
    phone = TextField(_l("Telephone"), [at_most(32)])
    supervisor_id = PersonField(_l("Direct superior"), description=_l("Empty: the head of the department."))
    person_key = TextField(
        _l("Staff number"),
        [at_most(64)],
        description=_l("Two accounts of one person carry the same number, so that nobody approves his own request."),
    )
    roles = BoxesField(_l("Roles"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.department_id.offer(queries.departments_indented())
        self.roles.choices = options((key, name) for key, name, _help in ROLE_TEXTS)

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


class DepartmentForm(VersionedForm):
    """A department."""

    name = TextField(_l("Name"), [REQUIRED, at_most(100)])
    code = TextField(
        _l("Code"),
        [REQUIRED, at_most(20)],
        description=_l("Short and unique, for numbers and imports."),
    )
    parent_id = DepartmentField(_l("Belongs to"), empty=_l("Nothing: at the top"))
    head_id = PersonField(_l("Head"), description=_l("Without a head the department above decides."))
    deputy_id = PersonField(_l("Deputy"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parent_id.offer(queries.departments_indented())

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
    reason = TextField(_l("Note"), [at_most(500)])
    sure = BooleanField(_l("Close the account now; all sessions end at once"), [InputRequired(_l("Please confirm."))])

    def to_input(self) -> LeavingInput:
        """What the service takes."""
        return LeavingInput(self.successor_id.data, bool(self.departments_too.data), self.reason.data or "")


class DelegationForm(Form):
    """A head's delegation."""

    delegate_id = PersonField(_l("Delegate"), [])
    begins_at = MomentField(_l("Begins"), [GIVEN])
    ends_at = MomentField(_l("Ends"), [GIVEN])
    kinds = BoxesField(_l("Kinds of approval"), description=_l("None ticked: all kinds."))
    departments = BoxesField(_l("Departments"), coerce=int, description=_l("None ticked: all of mine."))
    reason = TextField(_l("Reason"), [REQUIRED, at_most(500)])

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

    email = TextField(_l("E-mail"), [at_most(254)], render_kw={"autocomplete": "email"})
    phone = TextField(_l("Telephone"), [at_most(32)], render_kw={"autocomplete": "tel"})
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
