"""Words for what the trail says: actions, kinds of object, fields, problems. Unknown ones are shown as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.audit.field_names import FIELD_NAMES
from portal.core.registry import registry
from portal.i18n import _, _l


@dataclass(frozen=True)
class AuditWord:
    """A word that a module offers for a code of its own in the trail (hook register_audit_words).

    :ivar kind: "object", "subject" (the middle part of an action; objects serve too), "verb" (its last part), "field"
        or "value": a word kept in a field, with the code "module:field=word" ("vip:level=gold"); "told": an action that
        the module's own entries (which the label names) tell in the time line of a customer.
    """

    kind: str
    code: str
    label: Any

    @property
    def key(self) -> str:
        """Unique among all words."""
        return f"{self.kind}:{self.code}"


@dataclass(frozen=True)
class AuditFinder:
    """Finds words that are not known at the start: of people, settings, jobs (hook register_audit_words).

    :ivar kind: "names" for the values of a field, with the code "module:field" ("*" for each module, or each field);
        "fields" for the names of fields, with the module as code; "label" for what an object is called, with the kind
        of object as code.
    :ivar find: gives the words, or None, for a value and the entry in which it stands ("names"), or for a text alone.
    :ivar known: of a "label", all texts that it has words for: by those words the list of entries is searched, too.
    """

    kind: str
    code: str
    find: Callable[..., Any]
    known: Callable[[], Iterable[str]] | None = None

    @property
    def key(self) -> str:
        """Unique among all words."""
        return f"{self.kind}:{self.code}"


#: What the hook gives.
AuditTerm = AuditWord | AuditFinder

#: Kinds of object.
OBJECTS: dict[str, Any] = {
    "approval_request": _l("Approval request"),
    "audit_entry": _l("Audit entry"),
    "audit_log": _l("Audit trail"),
    "company": _l("Company"),
    "contact": _l("Contact"),
    "customer": _l("Customer"),
    "delegation": _l("Delegation"),
    "department": _l("Department"),
    "document": _l("Document"),
    "export": _l("Export"),
    "import": _l("Import"),
    "interaction": _l("Interaction"),
    "job": _l("Scheduled job"),
    "job_run": _l("Background job"),
    "next_step": _l("Next step"),
    "outbox_message": _l("Outgoing mail"),
    "page": _l("Page"),
    "phone": _l("Phone number"),
    "plugin": _l("Plugin"),
    "product": _l("Product"),
    "purchase": _l("Purchase"),
    "setting": _l("Setting"),
    "user": _l("Person"),
}

#: The middle part of an action.
SUBJECTS: dict[str, Any] = {
    **OBJECTS,
    "access": _l("Access to a page"),
    "entry": _l("Audit entry"),
    "log": _l("Audit trail"),
    "outbox": _l("Outgoing mail"),
    "password": _l("Password"),
    "person": _l("Person"),
    "preferences": _l("Notice settings"),
    "private": _l("Personal data"),
    "refusals": _l("Refusals"),
    "request": _l("Approval request"),
    "run": _l("Background job"),
    "schedule": _l("Schedule"),
    "session": _l("Session"),
    "step": _l("Next step"),
}

#: The last part of an action.
VERBS: dict[str, Any] = {
    "acknowledge": _l("confirmed as read"),
    "activate": _l("activated"),
    "add": _l("added"),
    "add_signer": _l("signer added"),
    "approve": _l("approved"),
    "arrange": _l("put in order"),
    "ask_opinion": _l("opinion asked"),
    "assign": _l("assigned"),
    "attach": _l("attached"),
    "attempt": _l("attempted"),
    "cancel": _l("cancelled"),
    "catch_up": _l("made up for"),
    "change": _l("updated"),
    "check": _l("checked"),
    "choose": _l("chosen"),
    "close": _l("closed"),
    "comment": _l("commented on"),
    "complete": _l("completed"),
    "confirm": _l("confirmed"),
    "confirm_failed": _l("confirmation failed"),
    "copy": _l("copied to others"),
    "correct": _l("corrected"),
    "create": _l("created"),
    "damaged": _l("found damaged"),
    "deactivate": _l("deactivated"),
    "discard": _l("discarded"),
    "dismiss": _l("dismissed"),
    "download": _l("downloaded"),
    "draft": _l("drafted"),
    "due": _l("due day changed"),
    "edit": _l("updated"),
    "edit_profile": _l("profile updated"),
    "end": _l("ended"),
    "erase": _l("erased"),
    "escalate": _l("escalated"),
    "expire": _l("expired"),
    "export": _l("exported"),
    "fail": _l("failed"),
    "file": _l("filed"),
    "finish": _l("finished"),
    "give_opinion": _l("opinion given"),
    "grant": _l("granted"),
    "hand_over": _l("handed over"),
    "hold": _l("put on hold"),
    "import": _l("imported"),
    "lapse": _l("lapsed"),
    "level": _l("level changed"),
    "limit": _l("too many, left out"),
    "load": _l("loaded"),
    "log_in": _l("signed in"),
    "log_in_failed": _l("sign-in failed"),
    "log_out": _l("signed out"),
    "lookup": _l("looked up"),
    "make": _l("produced"),
    "merge": _l("merged"),
    "miss": _l("missed"),
    "open": _l("opened"),
    "pay": _l("paid"),
    "plan": _l("planned"),
    "qualify": _l("qualified"),
    "reactivate": _l("reactivated"),
    "reassign": _l("reassigned"),
    "record": _l("recorded"),
    "redeem": _l("redeemed"),
    "refuse": _l("refused"),
    "reinstate": _l("reinstated"),
    "reject": _l("rejected"),
    "remind": _l("reminded"),
    "remove": _l("removed"),
    "renew": _l("renewed"),
    "reopen": _l("reopened"),
    "reroute": _l("rerouted"),
    "reset": _l("reset"),
    "resolve": _l("settled"),
    "restore": _l("restored"),
    "retire": _l("taken out of use"),
    "retry": _l("repeated"),
    "return": _l("returned"),
    "reveal": _l("shown in full"),
    "revoke": _l("revoked"),
    "rotate": _l("replaced by a new one"),
    "skip": _l("marked as not applicable"),
    "stage": _l("stage changed"),
    "start": _l("started"),
    "state": _l("state changed"),
    "submit": _l("submitted"),
    "suspend": _l("suspended"),
    "switch": _l("switched"),
    "tick": _l("ticked"),
    "transfer": _l("transferred"),
    "try": _l("answered"),
    "undo": _l("undone"),
    "unmerge": _l("merge undone"),
    "urge": _l("urged"),
    "verify": _l("verified"),
    "view": _l("viewed"),
    "vote": _l("voted"),
    "who_can_see": _l("viewers looked up"),
    "withdraw": _l("withdrawn"),
    "write": _l("written"),
}

RESULTS: dict[str, tuple[Any, str]] = {
    "ok": (_l("Done"), "success"),
    "refused": (_l("Refused"), "warning"),
    "failed": (_l("Failed"), "danger"),
}


def action_text(action: str) -> str:
    """An action in words, such as "Customer · created"."""
    _source, subject, verb = action.split(":", 2)
    return f"{_word('subject', SUBJECTS, subject)} · {_word('verb', VERBS, verb)}"


def codes_of(kind: str, own: Mapping[str, Any], text: str) -> list[str]:
    """Codes of a kind ("subject", "verb") whose word in the reader's language holds a text."""
    words = {code: str(label) for code, label in own.items()}
    words |= {word.code: str(word.label) for word in registry("audit_words") if word.kind == kind}
    return sorted(code for code, word in words.items() if text.lower() in word.lower())


def object_text(object_type: str, object_id: int | None, label: str) -> str:
    """An object in words: kind and name, or kind and number."""
    kind = _word("object", OBJECTS, object_type)
    label = label_text(object_type, label)
    if label:
        return f"{kind} {label}"
    return kind if object_id is None else f"{kind} #{object_id}"


def label_text(object_type: str, label: str) -> str:
    """The label of an object for people: keys of settings, jobs and pages by their titles."""
    said = _said(f"label:{object_type}", label) if label else None
    return label if said is None else said


def labels_saying(text: str) -> list[str]:
    """Labels of objects as they are kept whose words hold a text."""
    finders = [word for word in registry("audit_words") if word.kind == "label" and word.known is not None]
    kept = {label: str(finder.find(label) or "") for finder in finders for label in finder.known()}
    return sorted(label for label, said in kept.items() if text.lower() in said.lower())


def field_text(name: str, source: str = "") -> str:
    """A field's name for people; what the module `source` itself calls it comes first."""
    return _said(f"fields:{source}", name) or _word("field", FIELD_NAMES, name)


def value_text(source: str, field: str, value: Any, entry: Any = None) -> str | None:
    """A kept value for people; None for what is no word of the module `source` (the first part of an action).

    :param entry: what the value stands in.
    """
    registered = registry("audit_words").get(f"value:{source}:{field}={value}")
    if registered is not None:
        return str(registered.label)
    codes = [f"{source}:{field}"]
    if not isinstance(value, dict):
        codes += [f"*:{field}", f"{source}:*"]
    for code in codes:
        said = _said(f"names:{code}", value, entry)
        if said is not None:
            return said
    return None


def _said(key: str, *arguments: Any) -> str | None:
    """What a registered function says; None where there is none or it knows nothing."""
    registered = registry("audit_words").get(key)
    said = registered.find(*arguments) if registered is not None else None
    return None if said is None else str(said)


def value_words(source: str, tables: Iterable[tuple[str, Mapping[Any, Any]]]) -> list[AuditWord]:
    """Words for the values of a module's fields, from (field, value → label); the first label of a value counts."""
    words: dict[str, AuditWord] = {}
    for field, labels in tables:
        for value, label in labels.items():
            words.setdefault(f"{field}={value}", AuditWord("value", f"{source}:{field}={value}", label))
    return list(words.values())


def told_words(label: Any, *actions: str) -> list[AuditWord]:
    """Actions that the entries of a module, called so, tell in the time line of a customer: not told twice."""
    return [AuditWord("told", str(action), label) for action in actions]


def object_choices() -> list[tuple[str, str]]:
    """Kinds of object for a filter: code and words, sorted by the words."""
    words = {code: str(label) for code, label in OBJECTS.items()}
    words |= {word.code: str(word.label) for word in registry("audit_words") if word.kind == "object"}
    return sorted(words.items(), key=lambda pair: pair[1])


def _word(kind: str, own: Mapping[str, Any], code: str) -> str:
    """The word for a code: the core's, else a module's own, else the code itself, readable."""
    if code in own:
        return str(own[code])
    registered = registry("audit_words").get(f"{kind}:{code}")
    if registered is None and kind == "subject":
        registered = registry("audit_words").get(f"object:{code}")
    return str(registered.label) if registered is not None else code.replace("_", " ")


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
