"""Who looks after backups."""

from __future__ import annotations

from portal.core.permissions import Permission, Rule, has_role
from portal.i18n import _l
from portal.org.models import ADMINISTRATOR

ADMINISTER = "backups.administer"

PERMISSIONS = [Permission(ADMINISTER, _l("See and start backups and trial restores"))]
RULES = [Rule(ADMINISTER, "administrator", _l("is an administrator"), has_role(ADMINISTRATOR))]
