"""What the roles are called."""

from __future__ import annotations

from typing import Any

from portal.i18n import _l
from portal.org import models

#: (key, name, what the role is for), in the order of the forms.
ROLE_TEXTS: tuple[tuple[str, Any, Any], ...] = (
    (models.ACCOUNT_MANAGER, _l("Account manager"), _l("Looks after customers.")),
    (models.ARCHIVE_MAINTAINER, _l("Archive maintainer"), _l("Keeps the archive's files.")),
    (models.PRINT_OPERATOR, _l("Print operator"), _l("Works at the archive's print station.")),
    (models.SOP_EDITOR, _l("SOP editor"), _l("Writes procedures.")),
    (models.EXECUTIVE, _l("Executive"), _l("Sees all customers and reports.")),
    (models.AUDITOR, _l("Auditor"), _l("Reads the audit trail and the registers, no customer content.")),
    (models.ADMINISTRATOR, _l("Administrator"), _l("People and settings; sees no customers by virtue of the role.")),
)
ROLE_NAMES: dict[str, Any] = {key: name for key, name, _help in ROLE_TEXTS}


def role_name(role: str) -> str:
    """The name of a role in the reader's language; the key itself when it is not known any more."""
    return str(ROLE_NAMES.get(role, role))
