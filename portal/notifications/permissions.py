"""Who looks after outgoing mail."""

from __future__ import annotations

from portal.core.permissions import Permission, Rule, has_role
from portal.i18n import _l
from portal.org.models import ADMINISTRATOR

ADMINISTER = "notifications.administer"

PERMISSIONS = [Permission(ADMINISTER, _l("See outgoing mail and send it again"))]
RULES = [Rule(ADMINISTER, "administrator", _l("is an administrator"), has_role(ADMINISTRATOR))]
