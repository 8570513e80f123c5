"""Who may look after accounts and settings."""

from __future__ import annotations

from portal.core.permissions import Permission, Rule, has_role
from portal.i18n import _l
from portal.org.models import ADMINISTRATOR

#: Reset passwords, end sessions.
MANAGE = "auth.manage"
#: Change the portal's settings.
SETTINGS = "settings.manage"
#: Switch plugins on and off.
PLUGINS = "plugins.manage"

PERMISSIONS = (
    Permission(MANAGE, _l("Reset passwords and end sessions"), step_up=True),
    Permission(SETTINGS, _l("Change the portal's settings"), step_up=True),
    Permission(PLUGINS, _l("Switch plugins on and off"), step_up=True),
)

RULES = tuple(
    Rule(permission.name, "administrator", _l("is an administrator"), has_role(ADMINISTRATOR))
    for permission in PERMISSIONS
)
