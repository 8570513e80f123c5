"""Forms of merging: shape and format."""

from __future__ import annotations

from portal.core.forms import Form
from portal.customers.fields import CustomerField
from portal.customers.permissions import EDIT
from portal.i18n import _, _l


class EditableField(CustomerField):
    """A customer that the reader may edit."""

    permission = EDIT

    def refusal(self) -> str:
        """None is meant, or more than one."""
        return _("“%(text)s” fits no customer or more than one. Write the whole name.", text=self.text)


class StartForm(Form):
    """Which two; read from the address, nothing is changed."""

    class Meta(Form.Meta):
        csrf = False

    a = EditableField(_l("The record that is kept"))
    b = EditableField(_l("The record that is merged into it"))
