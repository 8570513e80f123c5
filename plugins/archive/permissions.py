"""Who may do what with the archive. Nobody's rank opens a dossier's content; that takes a grant (R-ARC-4, R-ARC-5)."""

from __future__ import annotations

from portal.core.permissions import Actor, Condition, Permission, Rule, has_role, visible
from portal.customers.models import Customer
from portal.i18n import _l
from portal.org.models import ACCOUNT_MANAGER, ADMINISTRATOR, ARCHIVE_MAINTAINER, EXECUTIVE

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
    Permission(SCAN, _l("See and start the integrity scan of the archive's storage")),
)


def _is_person(actor: Actor) -> bool:
    return actor.user_id is not None


def _is_head(actor: Actor) -> bool:
    return bool(actor.headed)


def _editable(actor: Actor) -> Condition:
    return visible(actor, "customers.edit")


RULES = (
    Rule(EXISTS, "everybody", _l("is a member of staff"), _is_person),
    Rule(MAINTAIN, "archive_maintainer", _l("is an archive maintainer"), has_role(ARCHIVE_MAINTAINER)),
    Rule(FILE_CHANGE, "works_with", _l("works with the customer"), _is_person, _editable),
    Rule(FILE_NEW, "account_manager", _l("is an account manager"), has_role(ACCOUNT_MANAGER)),
    Rule(FILE_NEW, "department_head", _l("heads a department"), _is_head),
    Rule(SUPPLEMENT, "department_head", _l("heads the owning department or one above it"), _is_head, _editable),
    Rule(REPORT, "account_manager", _l("is an account manager"), has_role(ACCOUNT_MANAGER)),
    Rule(CHECK_REPORTS, "department_head", _l("heads a department"), _is_head),
    Rule(CHECK_REPORTS, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(FIGURES, "account_manager", _l("is an account manager"), has_role(ACCOUNT_MANAGER)),
    Rule(FIGURES, "department_head", _l("heads a department"), _is_head),
    Rule(FIGURES, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(SET_TARGETS, "department_head", _l("heads a department"), _is_head),
    Rule(SET_TARGETS, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(SCAN, "administrator", _l("is an administrator"), has_role(ADMINISTRATOR)),
)
