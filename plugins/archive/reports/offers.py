"""What dossiers and reports add to the pages of the portal: menu, kinds of notice, words of the trail, boxes, tabs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for

from plugins.archive.dossiers import queries as dossiers
from plugins.archive.dossiers import vocabulary as dossier_words
from plugins.archive.dossiers.services import DOSSIER_NOTICE
from plugins.archive.permissions import CHECK_REPORTS, EXISTS, FIGURES, FILE_CHANGE, MAINTAIN, REPORT, SCAN
from plugins.archive.reports import queries, vocabulary
from plugins.archive.reports.weeks import week_text
from portal.audit.labels import AuditWord
from portal.core import clock
from portal.core.navigation import NavItem
from portal.core.panels import Action, AgendaItem, Panel, Tab
from portal.core.permissions import can
from portal.core.together import Question
from portal.i18n import _, _l
from portal.notifications.kinds import NoticeKind
from portal.org.actor import Actor
from portal.pluginmanager import customer_figure

NAVIGATION = (
    NavItem("archive", "archive_dossiers", _l("Customer dossiers"), "archive.dossiers", "folder2", 10, EXISTS),
    NavItem("archive", "archive_queue", _l("Change requests"), "archive.change_queue", "pencil-square", 20, MAINTAIN),
    NavItem("archive", "archive_reports", _l("My weekly reports"), "archive.my_reports", "calendar-week", 30, REPORT),
    NavItem("archive", "archive_team", _l("Reports of the team"), "archive.team_reports", "people", 32, CHECK_REPORTS),
    NavItem(
        "reports", "archive_stock", _l("Stock and consumption"), "archive.stock_list", "hourglass-split", 60, FIGURES
    ),
    NavItem("reports", "archive_targets", _l("Sales targets"), "archive.targets", "bullseye", 62, FIGURES),
    NavItem("reports", "archive_forecast", _l("Sales forecast"), "archive.forecast", "graph-up-arrow", 64, FIGURES),
    NavItem("reports", "archive_assessment", _l("Account managers"), "archive.assessment", "person-check", 66, FIGURES),
    NavItem("reports", "archive_planning", _l("Planning overview"), "archive.planning", "compass", 68, FIGURES),
    NavItem("administration", "archive_storage", _l("Storage of the archive"), "archive.storage", "safe", 80, SCAN),
)

NOTICES = (
    NoticeKind(DOSSIER_NOTICE, _l("Dossiers"), _l("When dossiers were joined because their customers were merged.")),
    NoticeKind(
        "archive.report",
        _l("Weekly sales reports"),
        _l("When my weekly report is ready to be completed, due or overdue, and when reports of my team are overdue."),
    ),
    NoticeKind(
        "archive.storage",
        _l("Storage of the archive"),
        _l("When a content of the archive is missing or damaged."),
        default_mail=True,
    ),
)

AUDIT_WORDS = (
    AuditWord("object", "archive_dossier", _l("Dossier")),
    AuditWord("object", "archive_file", _l("File of a dossier")),
    AuditWord("object", "archive_change", _l("Change of a dossier")),
    AuditWord("object", "archive_report", _l("Weekly sales report")),
    AuditWord("object", "archive_target", _l("Sales target")),
    AuditWord("object", "archive_storage", _l("Storage of the archive")),
    AuditWord("subject", "dossier", _l("Dossier")),
    AuditWord("subject", "file", _l("File of a dossier")),
    AuditWord("subject", "upload", _l("Upload")),
    AuditWord("subject", "change", _l("Change of a dossier")),
    AuditWord("subject", "report", _l("Weekly sales report")),
    AuditWord("subject", "target", _l("Sales target")),
    AuditWord("subject", "storage", _l("Storage of the archive")),
    AuditWord("verb", "join", _l("joined")),
    AuditWord("verb", "part", _l("parted again")),
    AuditWord("field", "joined", _l("Joined dossier")),
    AuditWord("field", "other", _l("The other dossier")),
    AuditWord("field", "files", _l("Files in force")),
    AuditWord("verb", "replace", _l("replaced")),
    AuditWord("verb", "quarantine", _l("put into quarantine")),
    AuditWord("verb", "release", _l("released from quarantine")),
    AuditWord("verb", "post", _l("posted")),
    AuditWord("verb", "remove_orphans", _l("removed what nobody refers to")),
)


def customer_tabs(customer: Any, actor: Actor) -> Sequence[Tab]:
    """The dossier."""
    if not can(actor, EXISTS):
        return []
    return [Tab("archive", _l("Dossier"), url_for("archive.dossier", customer_id=customer.id), order=45)]


#: Figure of a customer: whether there was ever a file in the dossier.
FILES = "archive.files"


def figures(customer_id: int) -> dict[str, Question]:
    """For the customer's page."""
    return {FILES: dossiers.any_question(customer_id)}


def customer_panels(customer: Any, actor: Actor) -> Sequence[Panel]:
    """How the dossier stands; one statement at most."""
    if not can(actor, EXISTS):
        return []
    files = dossiers.files_of(customer.id) if customer_figure(FILES, customer.id, actor) else ()
    context = {
        "standing": dossiers.part_states(files, customer),
        "words": dossier_words,
        "customer": customer,
    }
    return [Panel("archive", _("Customer dossier"), "archive/dossiers/_panel.html", context, order=54, icon="folder2")]


def customer_actions(customer: Any, actor: Actor) -> Sequence[Action]:
    """Ask for a change of the basic information."""
    if not can(actor, FILE_CHANGE, customer):
        return []
    url = url_for("archive.ask_change", customer_id=customer.id)
    return [Action("archive_change", _("Ask for a change"), url, "pencil-square", order=70)]


def home_panels(actor: Actor) -> Sequence[Panel]:
    """Weekly reports that wait: one's own, and how many of the team's are overdue; at most three statements."""
    weeks: list[Any] = []
    overdue = 0
    if can(actor, REPORT) and actor.user_id is not None:
        weeks = [week for week in queries.weeks_of(actor.user_id, queries.CHASED_WEEKS) if week.is_open]
    if can(actor, CHECK_REPORTS):
        overdue = sum(row.overdue for row in queries.team(actor, queries.CHASED_WEEKS))
    if not weeks and not overdue:
        return []
    context = {
        "weeks": weeks,
        "team_overdue": overdue,
        "words": vocabulary,
        "week_text": week_text,
        "today": clock.today(),
    }
    title = _("Weekly sales reports")
    return [Panel("archive_reports", title, "archive/reports/_home.html", context, order=65, icon="calendar-week")]


def agenda_items(actor: Actor, until: Any) -> Sequence[AgendaItem]:
    """One's own reports that are due by a day; one statement."""
    if not can(actor, REPORT) or actor.user_id is None:
        return []
    return [
        AgendaItem(
            due=week.due,
            kind=_("Weekly sales report"),
            title=_("Weekly sales report %(week)s", week=week_text(week.week)),
            url=url_for("archive.report", report_id=week.report_id)
            if week.report_id
            else url_for("archive.my_reports"),
            icon="calendar-week",
        )
        for week in queries.weeks_of(actor.user_id, queries.CHASED_WEEKS)
        if week.is_open and week.due <= until
    ]
