"""Every hook of the portal. Modules of the core and plugins implement them in their hooks.py.

Each docstring answers five questions: when it is called, what it gets, what it may return (and what None means),
who wins when several answer, whether it runs inside the transaction. `docs/hooks.md` is made from this file.

Manners of pluggy that apply to all: calls are by keyword; implementations may leave out arguments they do not need;
answers of None are dropped; the implementation registered last answers first; one that raises stops the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import click
    from flask import Blueprint

    from portal.core.navigation import NavArea, NavItem
    from portal.core.panels import Action, Badge, HealthCheck, HeldFields, Panel, Tab, TimelineEntry
    from portal.core.permissions import Actor, Permission, Rule
    from portal.core.settings import Setting
    from portal.core.together import Question

PROJECT = "portal"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# ---- registered once, at start -------------------------------------------------------------------------------------


@hookspec
def register_blueprints() -> Sequence[Blueprint]:  # type: ignore[empty-body]
    """The pages of a module.

    When: once, while the application is built. Gets: nothing. Returns: blueprints, named after the module; their
    template and static folders and URL prefix are their own; None means no pages. Several answers: all are
    registered; a name taken twice stops the start. Transaction: none, the database must not be touched.
    """


@hookspec
def register_permissions() -> Sequence[Permission]:  # type: ignore[empty-body]
    """The permissions a module knows.

    When: once, at start, before rules. Gets: nothing. Returns: `Permission`s with unique names "module.verb"; None
    means none. Several answers: joined; a name taken twice stops the start. Transaction: none.
    """


@hookspec
def register_rules() -> Sequence[Rule]:  # type: ignore[empty-body]
    """Reasons that allow or deny a permission, one's own or another module's.

    When: once, at start, after all permissions. Gets: nothing. Returns: `Rule`s; None means none. Several answers:
    joined; any allowing rule allows, any denying rule wins over all of them. Transaction: the functions inside a
    rule only build SQL conditions.
    """


@hookspec
def register_navigation() -> Sequence[NavArea | NavItem]:  # type: ignore[empty-body]
    """Entries (and areas) of the left menu.

    When: once, at start. Gets: nothing. Returns: `NavArea`s and `NavItem`s; None means none. Several answers: all,
    ordered by their `order`. An unknown endpoint, area or permission stops the start. Transaction: none.
    """


@hookspec
def register_settings() -> Sequence[Setting]:  # type: ignore[empty-body]
    """Settings that an administrator changes in the portal.

    When: once, at start. Gets: nothing. Returns: `Setting`s with unique keys "module.name"; None means none.
    Several answers: joined; a key taken twice stops the start. Transaction: none.
    """


@hookspec
def register_approval_kinds() -> Sequence[Any]:  # type: ignore[empty-body]
    """Kinds of request that the approval engine handles.

    When: once, at start. Gets: nothing. Returns: `portal.approvals.kinds.ApprovalKind`s with unique keys; None means
    none. Several answers: joined; a key taken twice stops the start. Transaction: the kind's own `on_approved` and
    its like run inside the deciding transaction.
    """


@hookspec
def register_jobs() -> Sequence[Any]:  # type: ignore[empty-body]
    """Background jobs and their schedules.

    When: once, at start, in web processes and in the worker. Gets: nothing. Returns: `portal.jobs.registry.Job`s with
    unique names; None means none. Several answers: joined; a name taken twice stops the start. Transaction: a job
    opens its own.
    """


@hookspec
def register_notice_kinds() -> Sequence[Any]:  # type: ignore[empty-body]
    """Kinds of notice that people can receive and choose channels for.

    When: once, at start. Gets: nothing. Returns: `portal.notifications.kinds.NoticeKind`s with unique keys; None
    means none. Several answers: joined; a key taken twice stops the start. Transaction: none.
    """


@hookspec
def register_document_kinds() -> Sequence[Any]:  # type: ignore[empty-body]
    """Kinds of numbered PDF that a module produces.

    When: once, at start. Gets: nothing. Returns: `portal.documents.kinds.DocumentKind`s with unique keys; None means
    none. Several answers: joined; a key taken twice stops the start. Transaction: none.
    """


@hookspec
def register_listings() -> Sequence[Any]:  # type: ignore[empty-body]
    """Lists with filters, saved views, bulk actions and export.

    When: once, at start. Gets: nothing. Returns: `portal.core.listing.Listing`s with unique keys; None means none.
    Several answers: joined; a key taken twice stops the start. Transaction: none.
    """


@hookspec
def register_listing_columns(listing: str) -> Sequence[Any]:  # type: ignore[empty-body]
    """Columns, filters and scenes that a module adds to another module's list.

    When: once per list, at start. Gets: the list's key. Returns: `Column`s, `Filter`s and `Scene`s of
    `portal.core.listing`; None means none. Several answers: joined; a key taken twice stops the start.
    Transaction: none, their functions only build SQL.
    """


@hookspec
def register_import_targets() -> Sequence[Any]:  # type: ignore[empty-body]
    """What can be imported from spreadsheets.

    When: once, at start. Gets: nothing. Returns: `portal.customers.importing.targets.ImportTarget`s with unique keys;
    None means none. Several answers: joined; a key taken twice stops the start. Transaction: `apply` and `undo` of a
    target run inside the transaction of a chunk.
    """


@hookspec
def register_file_stores() -> Sequence[Any]:  # type: ignore[empty-body]
    """Which rows of a module name files of the storage: backups take those files along, the check compares them.

    When: once, at start; the SELECT of a store on each backup and check. Gets: nothing. Returns:
    `portal.core.storage.FileStore`s with unique keys; None means none. Several answers: joined; a key taken twice stops
    the start. Transaction: none, a store only builds SQL.
    """


@hookspec
def register_audit_words() -> Sequence[Any]:  # type: ignore[empty-body]
    """Words for a module's own codes in the audit trail.

    When: once, at start. Gets: nothing. Returns: `portal.audit.labels.AuditWord`s, and `AuditFinder`s for words that
    are not known at the start; None means none, the codes are then shown as they are. Several answers: joined; a word
    registered twice stops the start. Transaction: none.
    """


@hookspec
def register_occasions() -> Sequence[Any]:  # type: ignore[empty-body]
    """Things that happen in a module and that others may answer with work: a checklist for each complaint.

    When: once, at start. Gets: nothing. Returns: `portal.core.occasions.Occasion`s with unique keys "module.event";
    None means none. Several answers: joined; a key taken twice stops the start. Transaction: none.
    """


@hookspec
def register_commands() -> Sequence[click.Command]:  # type: ignore[empty-body]
    """Commands of `portal`.

    When: once, at start. Gets: nothing. Returns: click commands or groups with unique names; None means none.
    Several answers: joined; a name taken twice stops the start. Transaction: a command opens its own.
    """


@hookspec
def register_health_checks() -> Sequence[HealthCheck]:  # type: ignore[empty-body]
    """Lines of GET /healthz.

    When: once, at start; their `run` at each request of the page. Gets: nothing. Returns: `HealthCheck`s; None means
    none. Several answers: all are run; one failure makes the answer 503. Transaction: none, they only read.
    """


@hookspec
def register_demo(actor: Actor) -> Any:
    """Fill the demo company with a module's own data.

    When: once, by `portal demo`, after people, customers and purchases of the core. Gets: the system actor.
    Returns: nothing. Several answers: all run, the core's first. Transaction: inside the demo's transaction.
    """


# ---- regions of pages ----------------------------------------------------------------------------------------------


@hookspec
def customer_figures(customer_id: int, actor: Actor) -> dict[str, Question]:  # type: ignore[empty-body]
    """Single values about a customer that a module's badges, tabs, panels and buttons on his page need.

    When: once on each tab of a customer, all together in one statement; `portal.pluginmanager.customer_figure` then
    gives a value. Gets: the customer's id and the actor. Returns: "module.name" → `portal.core.together.Question`; None
    means none. Several answers: joined; a name taken twice is an error. Transaction: none; only builds SQL.
    """


@hookspec
def customer_badges(customer_ids: Sequence[int], actor: Actor) -> dict[int, list[Badge]]:  # type: ignore[empty-body]
    """Small marks beside customers' names, in lists and on the record page.

    When: once per page. Gets: the ids on the page (all visible to the actor) and the actor. Returns: id → badges;
    None means none. Several answers: all are shown, in the order of the plugins. Transaction: none; one statement.
    """


@hookspec
def customer_tabs(customer: Any, actor: Actor) -> Sequence[Tab]:  # type: ignore[empty-body]
    """Tabs of the customer's page.

    When: on each tab of a customer the actor may see. Gets: the customer and the actor. Returns: `Tab`s; None means
    none. Several answers: all, by `order`. Transaction: none; at most one statement for the counts.
    """


@hookspec
def customer_panels(customer: Any, actor: Actor) -> Sequence[Panel]:  # type: ignore[empty-body]
    """Boxes on the overview of the customer's page.

    When: on the overview of a customer the actor may see. Gets: the customer and the actor. Returns: `Panel`s; None
    means none. Several answers: all, by `order`. Transaction: none.
    """


@hookspec
def customer_actions(customer: Any, actor: Actor) -> Sequence[Action]:  # type: ignore[empty-body]
    """Buttons at the head of the customer's page.

    When: on each tab of a customer the actor may see. Gets: the customer and the actor. Returns: `Action`s the actor
    may really take; None means none. Several answers: all, by `order`. Transaction: none.
    """


@hookspec
def customer_hidden_actions(customer_id: int, actor: Actor) -> Sequence[Action]:  # type: ignore[empty-body]
    """Buttons of the page that somebody gets instead of a customer he may not see.

    When: on that page. Gets: the customer's id and the actor, who may know that the customer exists, nothing more.
    Returns: `Action`s by which he can ask for more; None means none. Several answers: all, by `order`.
    Transaction: none; at most one statement.
    """


@hookspec
def customer_held_fields(customer_ids: Sequence[int], actor: Actor) -> dict[int, HeldFields]:  # type: ignore[empty-body]
    """Fields of customers that nobody changes directly, whatever his rank, because they are changed another way.

    When: before a form, a merge or the dry run of an import is shown, and each time before a change is written by a
    person. Gets: ids of customers and the actor. Returns: id → `HeldFields`; facts about a person bear their own names
    ("home_address"); None means none. Several answers: the fields of all are held, the first reason is told.
    Transaction: inside when a change is written; one statement.
    """


@hookspec
def customer_merge_notes(kept_id: int, merged_id: int, actor: Actor) -> Sequence[Any]:  # type: ignore[empty-body]
    """What a merge does to a module's own things, for whoever is about to confirm it.

    When: on the preview of a merge. Gets: the ids of both customers, both of whom the actor may edit, and the actor.
    Returns: sentences; None means none. Several answers: all are shown. Transaction: none; at most four statements.
    """


@hookspec
def customer_automatic_rows(customer_ids: Sequence[int]) -> Sequence[tuple[str, int]]:  # type: ignore[empty-body]
    """Rows that a module made by itself for new customers and with which nobody has worked yet.

    When: before an import is taken back; whatever else refers to a customer that the import made keeps it. Gets: the
    ids of those customers. Returns: (table, id) of such rows, whose customers `customers_removed` lets go; None means
    none. Several answers: joined. Transaction: inside; one statement for each table.
    """


@hookspec
def customer_timeline(customer: Any, actor: Actor, before: Any, limit: int) -> Sequence[TimelineEntry]:  # type: ignore[empty-body]
    """Entries of the customer's time line.

    When: when the time line is drawn. Gets: the customer, the actor, the moment before which entries are wanted
    (None: newest) and how many at most. Returns: `TimelineEntry`s, newest first; None means none. Several answers:
    merged by time. Transaction: none; one statement.
    """


@hookspec
def customer_card_sections(customer: Any, actor: Actor) -> Sequence[Any]:  # type: ignore[empty-body]
    """Sections that a module adds to the customer information card (a PDF).

    When: while a card is being made, in its language. Gets: the customer and who makes the card. Returns:
    `portal.customers.card.CardSection`s of what that person may see; None means none. Several answers: all, by
    `order`. Transaction: none; a fixed number of statements.
    """


@hookspec
def home_panels(actor: Actor) -> Sequence[Panel]:  # type: ignore[empty-body]
    """Boxes on the home page.

    When: on each home page. Gets: the actor. Returns: `Panel`s; None means none. Several answers: all, by `order`.
    Transaction: none; statements must not grow with rows.
    """


@hookspec
def agenda_items(actor: Actor, until: Any) -> Sequence[Any]:  # type: ignore[empty-body]
    """What the actor has to do today or is late with, for "my day" on the home page.

    When: on each home page. Gets: the actor and the last day wanted. Returns: `portal.home.agenda.AgendaItem`s; None
    means none. Several answers: merged by due date. Transaction: none; at most two statements.
    """


@hookspec
def palette_items(actor: Actor, query: str) -> Sequence[Any]:  # type: ignore[empty-body]
    """Hits of the command palette and of the search page.

    When: at each query. Gets: the actor and what was typed (at least one character, cleaned). Returns:
    `portal.home.palette.PaletteItem`s the actor may open; None means none. Several answers: joined. Transaction: none.
    """


# ---- events --------------------------------------------------------------------------------------------------------


@hookspec
def customer_created(customer: Any, actor: Actor) -> None:
    """A customer was added.

    When: after the flush, by form or by import. Gets: the customer and who did it. Returns: nothing. Several: all
    run. Transaction: inside; raising refuses the whole change.
    """


@hookspec
def customer_changed(customer: Any, changes: dict[str, tuple[Any, Any]], actor: Actor) -> None:
    """Fields of a customer were changed.

    When: after the flush. Gets: the customer, field → (old, new), and who did it. Returns: nothing. Several: all
    run. Transaction: inside; raising refuses the whole change.
    """


@hookspec
def customers_merged(kept: Any, merged: Any, actor: Actor) -> None:
    """Two customers became one. Rows that refer to the merged one by foreign key have been moved already.

    When: after the flush of the merge. Gets: the kept and the merged customer, and who did it. Returns: nothing.
    Several: all run. Transaction: inside; raising refuses the merge.
    """


@hookspec
def customers_unmerged(kept: Any, restored: Any, actor: Actor) -> None:
    """A merge was undone. Rows that had been moved have been moved back already.

    When: after the flush. Gets: both customers and who did it. Returns: nothing. Several: all run.
    Transaction: inside; raising refuses the undo.
    """


@hookspec
def customers_removed(customer_ids: Sequence[int], actor: Actor) -> None:
    """Customers are taken out with the import that had made them; nobody has worked with them.

    When: just before their rows go: what the module named in `customer_automatic_rows` must not refer to them any
    more. Gets: their ids and who takes the import back. Returns: nothing. Several: all run. Transaction: inside;
    raising refuses the whole change.
    """


@hookspec
def purchases_changed(customer_ids: Sequence[int], actor: Actor) -> None:
    """Purchases of customers were recorded, changed, imported or taken back.

    When: after the flush. Gets: the ids of the customers concerned and who did it. Returns: nothing. Several: all
    run. Transaction: inside; raising refuses the whole change.
    """


@hookspec
def interactions_changed(customer_ids: Sequence[int], actor: Actor) -> None:
    """Interactions of customers were recorded, corrected or taken back.

    When: after the flush. Gets: the ids of the customers concerned and who did it. Returns: nothing. Several: all
    run. Transaction: inside; raising refuses the whole change.
    """


@hookspec
def occasion_happened(occasion: str, subject: str, customer_id: int | None, actor: Actor) -> None:
    """A registered occasion happened. Whoever registered it calls this; who listens (checklists) it does not know.

    When: after the flush of what happened. Gets: the occasion's key, what exactly it is about ("complaint:12"; the same
    subject is answered once, however often it is told), the id of the customer concerned (or None) and who brought it
    about. Returns: nothing. Several: all run. Transaction: inside; raising refuses the whole change.
    """


@hookspec
def user_deactivated(user: Any, successor: Any, actor: Actor) -> None:
    """A person left; customers and open tasks go to the successor.

    When: after the core handed over what it knows. Gets: the user, the successor (or None) and who did it. Returns:
    nothing. Several: all run. Transaction: inside; raising refuses the whole step.
    """


@hookspec
def request_decided(request: Any, outcome: str, actor: Actor) -> None:
    """A request reached a final state: approved, rejected, withdrawn, expired or cancelled.

    When: after the kind's own reaction. Gets: the request, the outcome and who decided. Returns: nothing. Several:
    all run. Transaction: inside; raising refuses the decision.
    """


@hookspec
def job_finished(run: Any, job: Any) -> None:
    """A background job came to its end: done, failed or cancelled.

    When: after its end was written, in the worker. Gets: the run (`portal.jobs.models.JobRun`) and the job's
    definition. Returns: nothing. Several: all run. Transaction: inside the one that writes the end; raising leaves the
    run without an end, it is then found by the sweeper.
    """
