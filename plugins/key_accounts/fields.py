"""Forms that several areas of this plugin share."""

from __future__ import annotations

from portal.core.forms import REQUIRED, Form, LongText, at_most
from portal.i18n import _l


class ReasonForm(Form):
    """A reason for a step that needs one."""

    reason = LongText(_l("Reason"), [REQUIRED, at_most(300)])
