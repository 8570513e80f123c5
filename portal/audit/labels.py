"""Words for what the trail says: actions, kinds of object, fields, problems. Unknown ones are shown as they are."""

from __future__ import annotations

from typing import Any

from portal.i18n import _, _l

#: The middle part of an action, and kinds of object.
SUBJECTS: dict[str, Any] = {
    "access": _l("Access"),
    "account": _l("Account"),
    "address": _l("Address"),
    "alias": _l("Alias"),
    "application": _l("Application"),
    "audit_entry": _l("Audit entry"),
    "audit_log": _l("Audit trail"),
    "benefit": _l("Benefit"),
    "candidate": _l("Candidate"),
    "certificate": _l("Certificate"),
    "comment": _l("Comment"),
    "contact": _l("Contact"),
    "customer": _l("Customer"),
    "delegation": _l("Delegation"),
    "department": _l("Department"),
    "document": _l("Document"),
    "entry": _l("Audit entry"),
    "export": _l("Export"),
    "import": _l("Import"),
    "interaction": _l("Interaction"),
    "job": _l("Scheduled job"),
    "job_run": _l("Background job"),
    "level": _l("Level"),
    "log": _l("Audit trail"),
    "member": _l("Member"),
    "membership": _l("Membership"),
    "notice": _l("Notice"),
    "outbox": _l("Outgoing mail"),
    "outbox_message": _l("Outgoing mail"),
    "page": _l("Page"),
    "password": _l("Password"),
    "phone": _l("Phone number"),
    "points": _l("Points"),
    "preferences": _l("Settings"),
    "private": _l("Personal data"),
    "product": _l("Product"),
    "proposal": _l("Proposal"),
    "purchase": _l("Purchase"),
    "redemption": _l("Redemption"),
    "refusals": _l("Refusals"),
    "request": _l("Approval request"),
    "approval_request": _l("Approval request"),
    "role": _l("Role"),
    "run": _l("Background job"),
    "schedule": _l("Schedule"),
    "session": _l("Session"),
    "setting": _l("Setting"),
    "stage": _l("Lifecycle stage"),
    "step": _l("Approval step"),
    "template": _l("Template"),
    "user": _l("Person"),
    "view": _l("Saved view"),
}

#: The last part of an action.
VERBS: dict[str, Any] = {
    "accept": _l("accepted"),
    "activate": _l("activated"),
    "add": _l("added"),
    "adjust": _l("adjusted"),
    "approve": _l("approved"),
    "assign": _l("assigned"),
    "begin": _l("begun"),
    "cancel": _l("cancelled"),
    "change": _l("changed"),
    "check": _l("checked"),
    "close": _l("closed"),
    "comment": _l("commented"),
    "confirm": _l("confirmed"),
    "create": _l("created"),
    "deactivate": _l("deactivated"),
    "decide": _l("decided"),
    "delegate": _l("delegated"),
    "delete": _l("deleted"),
    "download": _l("downloaded"),
    "earn": _l("credited"),
    "end": _l("ended"),
    "erase": _l("erased"),
    "expire": _l("expired"),
    "export": _l("exported"),
    "fail": _l("failed"),
    "file": _l("filed"),
    "forward": _l("forwarded"),
    "grant": _l("granted"),
    "handover": _l("handed over"),
    "import": _l("imported"),
    "issue": _l("issued"),
    "lapse": _l("lapsed"),
    "limit": _l("too many, left out"),
    "login": _l("signed in"),
    "logout": _l("signed out"),
    "merge": _l("merged"),
    "move": _l("moved"),
    "open": _l("opened"),
    "print": _l("printed"),
    "produce": _l("produced"),
    "propose": _l("proposed"),
    "record": _l("recorded"),
    "redeem": _l("redeemed"),
    "refuse": _l("refused"),
    "reinstate": _l("reinstated"),
    "reject": _l("rejected"),
    "remove": _l("removed"),
    "renew": _l("renewed"),
    "reset": _l("reset"),
    "restore": _l("restored"),
    "resubmit": _l("submitted again"),
    "retry": _l("repeated"),
    "return": _l("returned"),
    "reveal": _l("shown in full"),
    "revoke": _l("revoked"),
    "send": _l("sent"),
    "start": _l("started"),
    "stop": _l("stopped"),
    "submit": _l("submitted"),
    "suspend": _l("suspended"),
    "undo": _l("undone"),
    "unmerge": _l("merge undone"),
    "update": _l("changed"),
    "view": _l("viewed"),
    "withdraw": _l("withdrawn"),
}

#: Names of fields in the comparison.
FIELD_NAMES: dict[str, Any] = {
    "account_manager_id": _l("Account manager"),
    "address": _l("Address"),
    "amount": _l("Amount"),
    "credit_code": _l("Credit code"),
    "department_id": _l("Department"),
    "email": _l("E-mail"),
    "entries": _l("Entries"),
    "filters": _l("Filters"),
    "format": _l("Format"),
    "is_active": _l("Active"),
    "is_enabled": _l("Switched on"),
    "kind": _l("Kind"),
    "language": _l("Language"),
    "level": _l("Level"),
    "login": _l("Log-in name"),
    "name": _l("Name"),
    "note": _l("Note"),
    "number": _l("Number"),
    "outcome": _l("Outcome"),
    "path": _l("Address of the page"),
    "permission": _l("Permission"),
    "phone": _l("Phone number"),
    "reason": _l("Reason"),
    "roles": _l("Roles"),
    "rows": _l("Rows"),
    "short_name": _l("Short name"),
    "stage": _l("Lifecycle stage"),
    "state": _l("State"),
    "status": _l("Status"),
    "supervisor_id": _l("Direct superior"),
    "title": _l("Title"),
    "valid_from": _l("Valid from"),
    "valid_until": _l("Valid until"),
    "version": _l("Version"),
}

RESULTS: dict[str, tuple[Any, str]] = {
    "ok": (_l("Done"), "success"),
    "refused": (_l("Refused"), "warning"),
    "failed": (_l("Failed"), "danger"),
}


def action_text(action: str) -> str:
    """An action in words, such as "Customer · created"."""
    _source, subject, verb = action.split(":", 2)
    return f"{SUBJECTS.get(subject, subject.replace('_', ' '))} · {VERBS.get(verb, verb.replace('_', ' '))}"


def object_text(object_type: str, object_id: int | None, label: str) -> str:
    """An object in words: kind and name, or kind and number."""
    kind = str(SUBJECTS.get(object_type, object_type.replace("_", " ")))
    if label:
        return f"{kind} {label}"
    return kind if object_id is None else f"{kind} #{object_id}"


def field_text(name: str) -> str:
    """A field's name for people."""
    return str(FIELD_NAMES.get(name, name.replace("_", " ")))


def problem_text(problem: str) -> str:
    """What is wrong with the chain, in the reader's language."""
    texts = {
        "missing": _("The entry is missing."),
        "content": _("The entry does not have the content it was written with."),
        "link": _("The entry does not follow the one before it."),
        "private": _("The personal data beside the entry is not what was written."),
        "erased": _("The personal data beside the entry was removed without a record of the erasure."),
        "tail": _("The trail was longer: an anchor outside the database names this entry, but it is gone."),
        "anchor": _("The entry differs from the anchor outside the database: the trail was written anew."),
        "expected": _("The entry differs from the hash that was given."),
        "head": _("The head of the trail does not match its last entry."),
        "anchor_file": _("The file of anchors was changed."),
    }
    return texts.get(problem, problem)
