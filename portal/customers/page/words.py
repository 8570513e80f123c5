"""How changes and interactions are said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.audit.field_names import FIELD_NAMES
from portal.audit.labels import AuditFinder, AuditTerm, value_words
from portal.core import regions
from portal.customers import queries
from portal.customers import vocabulary as words
from portal.customers.forms import ContactForm, CustomerForm, InteractionForm, QualificationForm, StepForm
from portal.i18n import _, current_language
from portal.org.audit_words import people

#: Words of the kinds that modules use; others are shown as they are.
KIND_LABELS: dict[str, Callable[[], str]] = {
    "interaction": lambda: _("Interactions"),
    "step": lambda: _("Next steps"),
    "purchase": lambda: _("Purchases"),
    "approval": lambda: _("Approvals"),
    "document": lambda: _("Documents"),
    "change": lambda: _("Changes"),
    "stage": lambda: _("Stages"),
}
INTERACTION_ICONS = {
    words.InteractionKind.VISIT: "briefcase",
    words.InteractionKind.PHONE: "telephone",
    words.InteractionKind.SMS: "chat-dots",
    words.InteractionKind.EMAIL: "envelope",
    words.InteractionKind.LETTER: "mailbox",
    words.InteractionKind.EVENT: "calendar-event",
    words.InteractionKind.ADVERTISEMENT: "megaphone",
    words.InteractionKind.WEB: "globe",
}


def interaction_title(row: Any) -> str:
    """ "Visit: Talk about the autumn order", "Visit (taken back)"."""
    kind = words.label(words.InteractionKind, row.kind)
    if row.is_cancelled:
        return _("%(kind)s (taken back)", kind=kind)
    people = _(", ").join(contact.name for contact in row.contacts)
    about = kind + _(": ") + row.subject if row.subject else kind
    return _("%(about)s – with %(people)s", about=about, people=people) if people else about


def interaction_body(row: Any) -> str:
    """The result, shortened."""
    text: str = row.result or row.opinions
    return text if len(text) <= 300 else f"{text[:299]}…"


def change_title(change: queries.ChangeRow) -> str:
    """What was done, in words."""
    titles: dict[str, Callable[[], str]] = {
        "customers:customer:create": lambda: _("Customer created"),
        "customers:customer:change": lambda: _("Record changed"),
        "customers:customer:assign": lambda: _("Assigned"),
        "customers:customer:hand_over": lambda: _("Handed over"),
        "customers:customer:qualify": lambda: _("Need, means and reputation assessed"),
        "customers:customer:merge": lambda: _("Merged with another record"),
        "customers:customer:unmerge": lambda: _("Merge undone"),
        "customers:phone:reveal": lambda: _("Phone number looked at"),
        "customers:step:plan": lambda: _("Next step planned"),
        "customers:step:cancel": lambda: _("Next step cancelled"),
        "customers:contact:add": lambda: _("Contact added"),
        "customers:contact:change": lambda: _("Contact changed"),
        "customers:contact:deactivate": lambda: _("Contact no longer there"),
        "customers:contact:reactivate": lambda: _("Contact there again"),
    }
    title = titles.get(change.action)
    return title() if title else change.action


#: Fields whose stored values are words of a vocabulary.
_VOCABULARIES: dict[str, Any] = {
    "kind": words.CustomerKind,
    "party": words.Party,
    "size_class": words.SizeClass,
    "channel": words.Channel,
    "source": words.Source,
    "status": words.Status,
    "need": words.Grade,
    "means": words.Grade,
    "reputation": words.Grade,
    "employer_kind": words.EmployerKind,
    "rank": words.Rank,
    "buying_role": words.BuyingRole,
}


def audit_words() -> list[AuditTerm]:
    """What the audit trail calls this module's fields and their values."""
    tables = [(field, words.LABELS[found]) for field, found in _VOCABULARIES.items()]
    tables += [("kind", words.LABELS[words.InteractionKind]), ("direction", words.LABELS[words.Direction])]
    tables += [("appointment", words.LABELS[words.Appointment])]
    tables += [("stage", words.LABELS[words.Stage]), ("sex", words.LABELS[words.Sex])]
    return [
        *value_words("customers", tables),
        *people("customers", "colleagues"),
        AuditFinder("fields", "customers", lambda name: None if name in FIELD_NAMES else field_labels().get(name)),
        AuditFinder("names", "customers:region_code", lambda code, _entry: region_name(str(code)) or None),
    ]


#: Actions whose fields say nothing that the title does not.
_WITHOUT_FIELDS = frozenset(
    {
        "customers:customer:create",
        "customers:customer:merge",
        "customers:customer:unmerge",
        "customers:contact:add",
        "customers:phone:reveal",
    }
)


def change_body(change: queries.ChangeRow, names: dict[str, dict[int, str]]) -> str:
    """Which fields and, where they are no personal data, their values before and after."""
    if change.action in _WITHOUT_FIELDS:
        return change.reason
    if change.action == "customers:step:plan":
        return str(change.new.get("task", ""))
    labels = field_labels()
    parts = []
    for field in change.fields:
        name = labels.get(field, field)
        if field not in change.new and field not in change.old:
            parts.append(name)
            continue
        old, new = (_value_text(field, values.get(field), names) for values in (change.old, change.new))
        parts.append(name + _(": ") + (f"{old or '—'} → {new or '—'}" if field in change.old else f"{new}"))
    if change.reason:
        parts.append(change.reason)
    return " · ".join(parts)


def _value_text(field: str, value: Any, names: dict[str, dict[int, str]]) -> str:
    if value is None or value == "":
        return ""
    if field in _VOCABULARIES:
        return words.label(_VOCABULARIES[field], str(value))
    if field in names:
        return names[field].get(value, str(value))
    if field == "region_code":
        return region_name(str(value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return _(", ").join(str(item) for item in value)
    text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def field_labels() -> dict[str, str]:
    """Names of fields in the reader's language."""
    found: dict[str, str] = {"person": _("Personal data"), "phones": _("Phones"), "referrer_id": _("Referred by")}
    found["colleagues"] = _("Colleagues who took part")
    for form in (ContactForm, CustomerForm, QualificationForm, StepForm, InteractionForm):
        for name in dir(form):
            field = getattr(form, name)
            if hasattr(field, "field_class") and field.args:
                found.setdefault(name, str(field.args[0]))
    return found


def region_name(code: str) -> str:
    """Full name of a region in the reader's language."""
    if not code:
        return ""
    locale = current_language()
    separator = " " if locale == "en" else ""
    return separator.join(regions.label(part.code, locale) for part in regions.ancestors(code))
