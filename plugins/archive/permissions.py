"""Who may do what with the archive. Nobody's rank opens a dossier's content; that takes a grant (R-ARC-4, R-ARC-5)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.lookups.models import ArchiveGrant
from portal.core.permissions import Actor, Condition, Permission, Rule, has_role, visible
from portal.customers.models import Customer
from portal.i18n import _l
from portal.org.models import (
    ACCOUNT_MANAGER,
    ADMINISTRATOR,
    ARCHIVE_MAINTAINER,
    AUDITOR,
    EXECUTIVE,
    PRINT_OPERATOR,
    User,
)

#: That a dossier exists, its parts, numbers and dates: whoever may see that a customer exists.
EXISTS = "archive.exists"
MAINTAIN = "archive.maintain"
FILE_CHANGE = "archive.file_change"
FILE_NEW = "archive.file_new"
SUPPLEMENT = "archive.supplement"
REPORT = "archive.report"
CHECK_REPORTS = "archive.check_reports"
FIGURES = "archive.figures"
SET_TARGETS = "archive.set_targets"
SCAN = "archive.scan"
#: Look-ups, copies, the register and its proof.
ASK = "archive.ask"
REVOKE = "archive.revoke"
GRANTS = "archive.grants"
PRINT = "archive.print"
REGISTER = "archive.register"
COPIES = "archive.copies"
ACCESS_LOG = "archive.access_log"
PACK = "archive.pack"

CUSTOMER_EDIT = "customers.edit"

PERMISSIONS = (
    Permission(EXISTS, _l("See that a dossier exists, its parts, their numbers and dates")),
    Permission(MAINTAIN, _l("Keep the dossiers: upload, produce and withdraw files, post changes")),
    Permission(FILE_CHANGE, _l("Ask for a change of a dossier"), entity=Customer),
    Permission(FILE_NEW, _l("Ask for a new customer to be entered")),
    Permission(SUPPLEMENT, _l("Condense dynamic information into supplements of a dossier"), entity=Customer),
    Permission(REPORT, _l("Submit the weekly sales statistics report")),
    Permission(CHECK_REPORTS, _l("See who submitted weekly reports and who is overdue")),
    Permission(FIGURES, _l("See stock, attainment and forecasts of the customers one may see")),
    Permission(SET_TARGETS, _l("Set sales targets")),
    Permission(ASK, _l("Ask for a look-up in the archive and use what was granted")),
    Permission(REVOKE, _l("Revoke a grant"), entity=ArchiveGrant),
    Permission(GRANTS, _l("See the grants one may revoke")),
    Permission(PRINT, _l("Work at the print station: make, count and hand over paper copies")),
    Permission(REGISTER, _l("See the whole register of copies")),
    Permission(COPIES, _l("Find out who had a copy, in one's own departments"), entity=ArchiveCopy, secret=True),
    Permission(ACCESS_LOG, _l("See who looked at the dossiers of one's departments")),
    Permission(PACK, _l("Make audit packs")),
    Permission(SCAN, _l("See and start the integrity scan of the archive's storage")),
)


def _is_person(actor: Actor) -> bool:
    return actor.user_id is not None


def _is_head(actor: Actor) -> bool:
    return bool(actor.headed)


def _editable(actor: Actor) -> Condition:
    return visible(actor, CUSTOMER_EDIT)


def _of_overseen(actor: Actor, customer_id: Any, holder_id: Any) -> Condition:
    departments = sorted(actor.oversees)
    return or_(
        customer_id.in_(select(Customer.id).where(Customer.department_id.in_(departments))),
        holder_id.in_(select(User.id).where(User.department_id.in_(departments))),
    )


def _overseen_grants(actor: Actor) -> Condition:
    return _of_overseen(actor, ArchiveGrant.customer_id, ArchiveGrant.holder_id)


def _overseen_copies(actor: Actor) -> Condition:
    return _of_overseen(actor, ArchiveCopy.customer_id, ArchiveCopy.holder_id)


def _own_copies(actor: Actor) -> Condition:
    return ArchiveCopy.holder_id == actor.user_id


RULES = (
    Rule(EXISTS, "everybody", _l("is a member of staff"), _is_person),
    Rule(MAINTAIN, "archive_maintainer", _l("is an archive maintainer"), has_role(ARCHIVE_MAINTAINER)),
    Rule(
        FILE_CHANGE,
        "works_with",
        _l("works with the customer"),
        _is_person,
        _editable,
        lasting=True,
        follows="customers.edit",
    ),
    Rule(FILE_NEW, "account_manager", _l("is an account manager"), has_role(ACCOUNT_MANAGER)),
    Rule(FILE_NEW, "department_head", _l("heads a department"), _is_head),
    Rule(
        SUPPLEMENT,
        "department_head",
        _l("heads the owning department or one above it"),
        _is_head,
        _editable,
        lasting=True,
        follows="customers.edit",
    ),
    Rule(REPORT, "account_manager", _l("is an account manager"), has_role(ACCOUNT_MANAGER)),
    Rule(CHECK_REPORTS, "department_head", _l("heads a department"), _is_head),
    Rule(CHECK_REPORTS, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(FIGURES, "account_manager", _l("is an account manager"), has_role(ACCOUNT_MANAGER)),
    Rule(FIGURES, "department_head", _l("heads a department"), _is_head),
    Rule(FIGURES, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(SET_TARGETS, "department_head", _l("heads a department"), _is_head),
    Rule(SET_TARGETS, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(ASK, "everybody", _l("is a member of staff"), _is_person),
    Rule(REVOKE, "department_head", _l("heads the owning or the holder's department"), _is_head, _overseen_grants),
    Rule(REVOKE, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(GRANTS, "department_head", _l("heads a department"), _is_head),
    Rule(GRANTS, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(PRINT, "print_operator", _l("is a print operator"), has_role(PRINT_OPERATOR)),
    Rule(REGISTER, "auditor", _l("is an auditor"), has_role(AUDITOR)),
    Rule(REGISTER, "archive_maintainer", _l("is an archive maintainer"), has_role(ARCHIVE_MAINTAINER)),
    Rule(REGISTER, "print_operator", _l("is a print operator"), has_role(PRINT_OPERATOR)),
    Rule(COPIES, "holder", _l("has or had the copy"), _is_person, _own_copies),
    Rule(COPIES, "department_head", _l("heads the owning or the holder's department"), _is_head, _overseen_copies),
    Rule(
        COPIES,
        "register",
        _l("keeps or checks the register"),
        has_role(AUDITOR, ARCHIVE_MAINTAINER, PRINT_OPERATOR, EXECUTIVE),
    ),
    Rule(ACCESS_LOG, "department_head", _l("heads a department"), _is_head),
    Rule(ACCESS_LOG, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(ACCESS_LOG, "auditor", _l("is an auditor"), has_role(AUDITOR)),
    Rule(PACK, "auditor", _l("is an auditor"), has_role(AUDITOR)),
    Rule(SCAN, "administrator", _l("is an administrator"), has_role(ADMINISTRATOR)),
)
