"""What checklist runs and introduction programmes offer to the pages of others, and how they answer events."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import url_for
from sqlalchemy import Select, select

from plugins.sop import library
from plugins.sop.manuals import vocabulary as manual_words
from plugins.sop.manuals.models import Chapter, Procedure
from plugins.sop.permissions import USE
from plugins.sop.programme import measures
from plugins.sop.programme import queries as programmes
from plugins.sop.programme import vocabulary as programme_words
from plugins.sop.programme.services import NOTICE as PROGRAMME_NOTICE
from plugins.sop.programme.vocabulary import step_title
from plugins.sop.reading.models import ALL_STAFF, DEPARTMENT, ROLE
from plugins.sop.runs import queries, scheduling, services
from plugins.sop.runs import vocabulary as words
from plugins.sop.runs.actions import RunAction
from plugins.sop.runs.filing import AREA
from plugins.sop.runs.jobs import START_OCCASIONS
from plugins.sop.runs.models import SopRunFile
from portal.audit.field_names import FIELD_NAMES
from portal.audit.labels import AuditFinder, AuditTerm, AuditWord, told_words, value_words
from portal.core import clock
from portal.core.forms import new_token
from portal.core.numbers import id_from
from portal.core.occasions import Occasion
from portal.core.panels import Action, AgendaItem, Panel, TimelineEntry
from portal.core.permissions import can
from portal.core.registry import registry
from portal.core.storage import FileStore
from portal.core.together import Question
from portal.customers.vocabulary import Stage
from portal.extensions import db
from portal.i18n import _, _l, current_language
from portal.jobs.services import enqueue
from portal.notifications.kinds import NoticeKind
from portal.org.actor import SYSTEM, Actor
from portal.org.audit_words import department
from portal.pluginmanager import customer_figure

NEW_CUSTOMER, FIRST_ORDER = "customers.created", "customers.ordering"
OCCASIONS = (
    Occasion(NEW_CUSTOMER, _l("each new customer")),
    Occasion(FIRST_ORDER, _l("each customer who begins to order")),
)
NOTICE_KINDS = (
    NoticeKind(services.NOTICE, _l("Checklists"), _l("When a step or a checklist is mine, due or late.")),
    NoticeKind(
        PROGRAMME_NOTICE,
        _l("Introduction of the procedures"),
        _l("When a step of an introduction plan is mine or ends soon."),
    ),
)
#: Procedures offered with one click on a customer's page, steps on the home page.
QUICK, SHOWN = 4, 6
#: Steps that the home page asks for: the list of its days may name more than the panel shows.
ON_HOME_PAGE = 50


def _file_keys() -> Select[Any]:
    return select(SopRunFile.storage_key)


FILE_STORES = (FileStore("sop.run_files", _l("Photos and files of checklists"), _file_keys, AREA),)
#: Who must read a manual.
_AUDIENCES = {
    ALL_STAFF: _l("Everybody in the company"),
    DEPARTMENT: _l("A department with all below it"),
    ROLE: _l("Holders of a role"),
}


def _occasion(key: Any, _entry: Any = None) -> Any:
    occasion = registry("occasions").get(key)
    return occasion.title if occasion is not None else None


def _schedule(label: str) -> Any:
    """A recurring checklist is called by what starts it: an occasion or a rhythm."""
    return words.FREQUENCIES.get(label) or _occasion(label)


def _starter(key: Any, _entry: Any = None) -> str | None:
    found = library.starter(key, current_language() or "zh_Hans_CN") if isinstance(key, str) else None
    return found.title if found is not None else None


def _procedure(number: Any, _entry: Any = None) -> str | None:
    """The code of a procedure that is kept by its number."""
    statement = select(Procedure.code).where(Procedure.id == number)
    return db.session.scalar(statement) if type(number) is int else None


def _part(value: Any, entry: Any) -> str | None:
    """A part of a manual, as the export and the undo of a draft name it."""
    kind, _colon, key = str(value).partition(":")
    if kind in ("all", "list"):
        return _("The whole manual") if kind == "all" else _("Order of the procedures")
    if kind == "role":
        return _("For: %(role)s", role=manual_words.ROLES.get(key, key))
    number = id_from(key) or 0
    if kind == "department":
        return _("Department: %(name)s", name=department(number) or number)
    if kind == "procedure":
        return _procedure(number)
    titled = select(Chapter.title).where(Chapter.key == key, Chapter.version_id == (entry.object_id if entry else 0))
    return db.session.scalar(titled) if kind == "chapter" else None


AUDIT_WORDS: tuple[AuditTerm, ...] = (
    AuditWord("object", "sop_run", _l("Checklist")),
    AuditWord("object", "sop_schedule", _l("Recurring checklist")),
    AuditWord("object", "sop_programme", _l("Introduction programme")),
    AuditWord("object", "sop_programme_step", _l("Step of an introduction programme")),
    AuditWord("object", "sop_assessment", _l("Self-assessment")),
    AuditWord("subject", "assessment", _l("Self-assessment")),
    AuditWord("subject", "programme", _l("Introduction programme")),
    AuditWord("subject", "programme_budget", _l("Budget comparison")),
    AuditWord("subject", "programme_step", _l("Step of an introduction programme")),
    AuditWord("subject", "run_file", _l("File of a checklist")),
    AuditWord("subject", "run_step", _l("Step of a checklist")),
    *(
        AuditWord("field", measure.key, measure.title)
        for measure in measures.MEASURES
        if measure.key not in FIELD_NAMES
    ),
    *(AuditWord("field", key, question) for key, question in programme_words.QUESTIONS.items()),
    *value_words(
        "sop",
        (
            ("state", words.STATES),
            ("state", programme_words.STATES),
            ("state", manual_words.STATES),
            ("frequency", words.FREQUENCIES),
            ("mode", programme_words.MODES),
            ("moment", programme_words.MOMENTS),
            ("side", programme_words.SIDES),
            ("classification", manual_words.CLASSIFICATIONS),
            ("audience", _AUDIENCES),
            ("role", manual_words.ROLES),
        ),
    ),
    *told_words(_l("Checklist"), RunAction.STARTED, RunAction.COMPLETED, RunAction.CANCELLED),
    AuditFinder("names", "sop:occasion", _occasion),
    AuditFinder("label", "sop_schedule", _schedule),
    AuditFinder("names", "sop:starters", _starter),
    AuditFinder("names", "sop:procedure", _procedure),
    AuditFinder("names", "sop:part", _part),
    AuditFinder("names", "sop:unit", _part),
)


def actions_of_customer(customer: Any, actor: Actor) -> list[Action]:
    """The button at the head of the customer's page."""
    if not can(actor, USE):
        return []
    return [
        Action(
            "sop_start", _("Start a checklist"), url_for("sop.start", customer_id=customer.id), "play-fill", order=70
        )
    ]


#: Figure of a customer: whether there is or was a run.
RUNS = "sop.runs"


def figures(customer_id: int) -> dict[str, Question]:
    """For the customer's page."""
    return {RUNS: queries.any_question(customer_id)}


def panels_of_customer(customer: Any, actor: Actor) -> list[Panel]:
    """Open runs, and what is started most, with one click; two statements."""
    if not can(actor, USE):
        return []
    today = clock.today()
    startable = [item for item in queries.startable(actor, today, limit=QUICK) if item.fits or item.used]
    context = {
        "runs": queries.runs_of_customer(customer.id) if customer_figure(RUNS, customer.id, actor) else [],
        "startable": startable,
        "tokens": {item.procedure_id: new_token() for item in startable},
        "customer_id": customer.id,
        "today": today,
    }
    return [
        Panel("sop_runs", _("Checklists"), "sop/runs/customer_panel.html", context, order=45, icon="card-checklist")
    ]


def timeline_of_customer(customer: Any, actor: Actor, before: Any, limit: int) -> list[TimelineEntry]:
    """Beginnings and ends of runs; one statement, none for a customer without runs."""
    if not customer_figure(RUNS, customer.id, actor):
        return []
    tones = {"started": "info", "completed": "success", "cancelled": "neutral"}
    return [
        TimelineEntry(
            when=row.at,
            kind="checklist",
            icon="card-checklist",
            title=_("Checklist %(title)s: %(what)s", title=row.title, what=words.word(words.EVENTS, row.kind)),
            body=row.text if row.kind == "cancelled" else row.number,
            actor=row.by or "",
            url=url_for("sop.run", run_id=row.run_id),
            tone=tones[row.kind],
        )
        for row in queries.timeline_of(customer.id, before, limit)
    ]


def home(actor: Actor) -> list[Panel]:
    """My steps, of those that the day's list has asked for already."""
    steps = queries.my_steps(actor, ON_HOME_PAGE)[:SHOWN]
    if not steps:
        return []
    context = {"steps": steps, "today": clock.today()}
    return [
        Panel(
            "sop_steps", _("My checklist steps"), "sop/runs/home_panel.html", context, order=35, icon="card-checklist"
        )
    ]


def agenda(actor: Actor, until: date) -> list[AgendaItem]:
    """Steps of runs and of introduction plans that are due; two statements."""
    items = [
        AgendaItem(
            due=step.due_on,
            kind=_("Checklist"),
            title=" ".join(step.what.split())[:80],
            url=url_for("sop.run", run_id=step.run_id, _anchor=f"step-{step.position}"),
            icon="card-checklist",
            about=step.customer or step.procedure,
        )
        for step in queries.my_steps(actor, ON_HOME_PAGE)
        if step.due_on is not None and step.due_on <= until
    ]
    items += [
        AgendaItem(
            due=step.ends_on,
            kind=_("Introduction"),
            title=step_title(step),
            url=url_for("sop.report_plan_step", plan_step_id=step.id),
            icon="signpost-split",
            about=step.programme,
        )
        for step in programmes.my_steps(actor, until)
        if step.ends_on <= until
    ]
    return items


def on_occasion(occasion: str, subject: str, customer_id: int | None, actor: Actor) -> None:
    """Note an occasion; a job starts the runs after the commit."""
    if scheduling.note_occasion(occasion, subject, customer_id, actor):
        enqueue(START_OCCASIONS, SYSTEM, unique_key=START_OCCASIONS)


def on_customer_created(customer: Any, actor: Actor) -> None:
    """Each new customer."""
    on_occasion(NEW_CUSTOMER, f"customer:{customer.id}", customer.id, actor)


def on_customer_changed(customer: Any, changes: dict[str, tuple[Any, Any]], actor: Actor) -> None:
    """Each customer who begins to order."""
    if "stage" in changes and changes["stage"][1] == Stage.ORDERING.value:
        on_occasion(FIRST_ORDER, f"customer:{customer.id}", customer.id, actor)


def on_person_left(user: Any, successor: Any, actor: Actor) -> None:
    """Open runs and steps go to the successor; recurring starts too."""
    if successor is None:
        return
    services.hand_over_all(user.id, successor.id, actor)
    scheduling.hand_over_schedules(user.id, successor.id)
