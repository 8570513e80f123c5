"""Shape of the log-in and password forms."""

from __future__ import annotations

from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portal.auth.passwords import MAXIMUM_LENGTH, MINIMUM_LENGTH
from portal.auth.services import ChangePasswordInput
from portal.core.forms import Form
from portal.i18n import _l


class LogInForm(Form):
    """Name and password. Passwords are taken as they are typed: nothing is trimmed."""

    login = StringField(
        _l("Log-in name"),
        [InputRequired(_l("Enter your log-in name.")), Length(max=200)],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "maxlength": 200},
    )
    password = PasswordField(
        _l("Password"),
        [InputRequired(_l("Enter your password."))],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()
    kept = HiddenField()


class ConfirmForm(Form):
    """The password again."""

    answer = PasswordField(
        _l("Password"),
        [InputRequired(_l("Enter your password."))],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()
    kept = HiddenField()


class ChangePasswordForm(Form):
    """The present password and the new one twice."""

    present = PasswordField(
        _l("Present password"),
        [InputRequired(_l("Enter your present password."))],
        render_kw={"autocomplete": "current-password"},
    )
    password = PasswordField(
        _l("New password"),
        [InputRequired(_l("Enter a new password."))],
        render_kw={"autocomplete": "new-password", "minlength": MINIMUM_LENGTH, "maxlength": MAXIMUM_LENGTH},
    )
    repeated = PasswordField(
        _l("New password again"),
        [InputRequired(_l("Enter the new password again."))],
        render_kw={"autocomplete": "new-password", "maxlength": MAXIMUM_LENGTH},
    )

    def to_input(self) -> ChangePasswordInput:
        """What the service takes."""
        return ChangePasswordInput(self.password.data or "", self.repeated.data or "")
