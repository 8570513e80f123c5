"""What look-ups and copies add to the pages of the portal: menu, kinds of notice, words of the trail, the customer's
page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plugins.archive.lookups import queries
from plugins.archive.lookups import vocabulary as words
from plugins.archive.lookups.access import INCIDENT
from plugins.archive.lookups.services import NOTICE, STATION
from plugins.archive.permissions import ACCESS_LOG, ASK, GRANTS, PACK, PRINT
from portal.audit.labels import AuditWord
from portal.core.navigation import NavArea, NavItem
from portal.core.panels import Action, Panel
from portal.core.paths import path_for
from portal.core.permissions import can
from portal.core.together import Question
from portal.i18n import _, _l
from portal.notifications.kinds import NoticeKind
from portal.org.actor import Actor
from portal.pluginmanager import customer_figure

NAVIGATION: tuple[NavArea | NavItem, ...] = (
    NavItem("archive", "archive_lookups", _l("My look-ups"), "archive_lookups.index", "folder2-open", 50, ASK),
    NavItem("archive", "archive_station", _l("Print station"), "archive_copies.station", "printer", 60, PRINT),
    NavItem("archive", "archive_copies", _l("Register of copies"), "archive_copies.index", "journal-text", 62, ASK),
    NavItem("archive", "archive_grants", _l("Grants"), "archive_lookups.grants_list", "shield-check", 64, GRANTS),
    NavItem("archive", "archive_log", _l("Who looked"), "archive_lookups.log", "eye", 66, ACCESS_LOG),
    NavItem("archive", "archive_pack", _l("Audit packs"), "archive_pack.index", "file-earmark-zip", 68, PACK),
)

NOTICES = (
    NoticeKind(
        NOTICE,
        _l("Look-ups and paper copies"),
        _l("When a copy of mine can be collected, is due or called back, or a grant of mine ends."),
        default_mail=True,
    ),
    NoticeKind(STATION, _l("Print station"), _l("When copies can be printed.")),
    NoticeKind(
        INCIDENT,
        _l("Incidents of the archive"),
        _l("When a copy is lost, or somebody looks up unusually many customers."),
        default_mail=True,
        mandatory=True,
    ),
)

AUDIT_WORDS = (
    AuditWord("object", "archive_lookup", _l("Look-up")),
    AuditWord("object", "archive_grant", _l("Grant")),
    AuditWord("object", "archive_copy", _l("Paper copy")),
    AuditWord("object", "archive_register", _l("Register of copies")),
    AuditWord("subject", "lookup", _l("Look-up")),
    AuditWord("subject", "grant", _l("Grant")),
    AuditWord("subject", "view", _l("View")),
    AuditWord("subject", "copy", _l("Paper copy")),
    AuditWord("subject", "register", _l("Register of copies")),
    AuditWord("subject", "pack", _l("Audit pack")),
    AuditWord("verb", "give", _l("granted")),
    AuditWord("verb", "give_back", _l("given back")),
    AuditWord("verb", "leave", _l("ended, the holder left")),
    AuditWord("verb", "look", _l("looked at a page")),
    AuditWord("verb", "alarm", _l("alarm raised")),
    AuditWord("verb", "reserve", _l("number reserved")),
    AuditWord("verb", "recall", _l("called back")),
    AuditWord("verb", "send", _l("sent to the printer")),
    AuditWord("verb", "doubt", _l("outcome unknown")),
    AuditWord("verb", "count", _l("sheets counted")),
    AuditWord("verb", "nothing", _l("no sheet came out")),
    AuditWord("verb", "spoil", _l("sheets spoiled")),
    AuditWord("verb", "burn", _l("spoiled sheets destroyed")),
    AuditWord("verb", "offer", _l("offered to the collector")),
    AuditWord("verb", "take_back", _l("not collected after all")),
    AuditWord("verb", "accept", _l("confirmed by the collector")),
    AuditWord("verb", "sign", _l("handed over against signature")),
    AuditWord("verb", "destroy", _l("destroyed with a witness")),
    AuditWord("verb", "lose", _l("reported lost")),
    AuditWord("verb", "find", _l("found again")),
    AuditWord("verb", "search", _l("searched")),
    AuditWord("verb", "scan", _l("code scanned")),
    AuditWord("verb", "limit_search", _l("searched too often")),
    AuditWord("verb", "limit", _l("printed too often")),
    AuditWord("verb", "preview", _l("looked over after the upload")),
    AuditWord("field", "holder", _l("Holder")),
    AuditWord("field", "quota", _l("Granted number")),
    AuditWord("field", "used", _l("Used")),
    AuditWord("field", "parts", _l("Parts")),
    AuditWord("field", "sheets", _l("Sheets counted")),
    AuditWord("field", "witness", _l("Witness")),
    AuditWord("field", "view", _l("View")),
    AuditWord("field", "page", _l("Page")),
    AuditWord("field", "quiet", _l("Quiet hours")),
)


def hidden_actions(customer_id: int, actor: Actor) -> Sequence[Action]:
    """Whoever may not see a customer's record may ask to look it up in the archive; no statement."""
    if not can(actor, ASK):
        return []
    url = path_for("archive_lookups.new", customer=customer_id)
    return [Action("archive_lookup", _("Ask for a look-up"), url, "folder2-open", kind="primary", order=50)]


#: Figure of a customer: whether anybody's grant on the dossier holds now.
GRANTS_HOLD = "archive.grants"


def figures(customer_id: int) -> dict[str, Question]:
    """For the customer's page."""
    return {GRANTS_HOLD: queries.any_question(customer_id)}


def customer_panels(customer: Any, actor: Actor) -> Sequence[Panel]:
    """Grants on the customer's dossier: one's own, and for heads those of others; one statement at most."""
    if not can(actor, ASK):
        return []
    some = customer_figure(GRANTS_HOLD, customer.id, actor)
    found = queries.of_customer(customer.id, actor) if some else queries.CustomerLookups([], [])
    context = {"found": found, "words": words, "customer_id": customer.id}
    title = _("Look-ups of the dossier")
    return [Panel("archive_lookups", title, "archive/lookups/panel.html", context, order=55, icon="folder2-open")]
