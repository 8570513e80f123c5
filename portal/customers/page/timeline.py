"""The time line of a customer, of all modules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g, request, url_for

from portal.core import clock
from portal.core.panels import TimelineEntry
from portal.customers import queries
from portal.customers import vocabulary as words
from portal.customers.models import Customer
from portal.customers.page.head import MET, MOVED, TabLink
from portal.customers.page.words import (
    INTERACTION_ICONS,
    KIND_LABELS,
    change_body,
    change_title,
    interaction_body,
    interaction_title,
)
from portal.i18n import _
from portal.org.actor import Actor
from portal.pluginmanager import customer_figure, manager

TIMELINE_PAGE = 30
#: How often the time line is asked again when a filter leaves too little of it.
TIMELINE_ROUNDS = 8


@dataclass(frozen=True)
class DrawnEntry:
    """An entry as the macro ui.timeline wants it."""

    when: str
    kind: str
    icon: str
    title: Any
    body: Any
    actor: str
    url: str | None
    tone: str


@dataclass(frozen=True)
class Timeline:
    """One page of the time line."""

    entries: list[DrawnEntry]
    kinds: list[TabLink]
    older_url: str | None


def timeline_of(customer: Customer, actor: Actor, endpoint: str) -> Timeline:
    """Entries of all modules, merged by time, newest first; `?kind=` filters, `?before=` pages."""
    wanted = request.args.get("kind", "")
    if wanted not in KIND_LABELS:
        wanted = ""
    before = _moment(request.args.get("before", ""))
    entries, older = _collect(customer, actor, wanted, before)
    route: dict[str, Any] = {"customer_id": customer.id}
    kinds = [TabLink(_("Everything"), url_for(endpoint, **route), None, not wanted)]
    kinds += [
        TabLink(text(), url_for(endpoint, **route, kind=key), None, key == wanted) for key, text in KIND_LABELS.items()
    ]
    older_url = None
    if older is not None:
        parameters: dict[str, Any] = {"before": older.isoformat(), **({"kind": wanted} if wanted else {})}
        older_url = url_for(endpoint, **route, **parameters)
    return Timeline([_drawn(entry) for entry in entries], kinds, older_url)


def _collect(
    customer: Customer, actor: Actor, wanted: str, before: datetime | None
) -> tuple[list[TimelineEntry], datetime | None]:
    """A page of entries and the moment before which the next page begins (None: this is the last)."""
    chosen: list[TimelineEntry] = []
    for _round in range(TIMELINE_ROUNDS):
        found: list[TimelineEntry] = sorted(
            manager().collect(
                "customer_timeline", customer=customer, actor=actor, before=before, limit=TIMELINE_PAGE + 1
            ),
            key=lambda entry: entry.when,
            reverse=True,
        )
        more = len(found) > TIMELINE_PAGE
        if more:
            # Cut between two moments, so that the next page misses nothing of the same moment.
            boundary = found[TIMELINE_PAGE - 1].when
            found = [entry for entry in found if entry.when >= boundary]
            before = boundary
        chosen += [entry for entry in found if not wanted or entry.kind == wanted]
        if not more:
            return chosen, None
        if len(chosen) >= TIMELINE_PAGE or not wanted:
            break
    return chosen, before


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None or not 1900 <= moment.year <= 2100:
        return None
    return moment


def _drawn(entry: TimelineEntry) -> DrawnEntry:
    when = clock.local(entry.when).strftime("%Y-%m-%d %H:%M")
    return DrawnEntry(when, entry.kind, entry.icon, entry.title, entry.body, entry.actor, entry.url, entry.tone)


def own_entries(customer: Customer, actor: Actor, before: datetime | None, limit: int) -> list[TimelineEntry]:
    """Interactions, changes and stages of a customer for the time line."""
    met = customer_figure(MET, customer.id, actor)
    interactions = queries.interactions_in_brief(customer.id, before, limit) if met else []
    moved = queries.stage_changes_of(customer.id) if customer_figure(MOVED, customer.id, actor) else []
    if before is None:
        g.setdefault("customer_newest", {})[customer.id] = (interactions, len(interactions) < limit)
    entries = [
        TimelineEntry(
            when=row.at,
            kind="interaction",
            icon=INTERACTION_ICONS.get(words.InteractionKind(row.kind), "dot"),
            title=interaction_title(row),
            body="" if row.is_cancelled else interaction_body(row),
            actor=row.author.name if row.author else "",
            url=url_for("customers.interaction", interaction_id=row.id),
            tone="neutral" if row.is_cancelled else "info",
        )
        for row in interactions
    ]
    changes = queries.changes_of(customer.id, before, limit)
    names = _names_in(changes)
    entries += [
        TimelineEntry(
            when=change.at,
            kind="step" if change.action.startswith("customers:step:") else "change",
            icon="calendar-event" if change.action.startswith("customers:step:") else "pencil",
            title=change_title(change),
            body=change_body(change, names),
            actor=change.actor,
        )
        for change in changes
    ]
    entries += [
        TimelineEntry(
            when=row.changed_at,
            kind="stage",
            icon="signpost-2",
            title=_("Stage: %(stage)s", stage=words.label(words.Stage, row.to_stage)),
            body=row.reason,
            actor=row.changed_by.name if row.changed_by else "",
            tone="accent",
        )
        for row in moved
        if before is None or row.changed_at < before
    ]
    return entries


def _names_in(changes: list[queries.ChangeRow]) -> dict[str, dict[int, str]]:
    """Names of the people and departments in old and new values; no statement when there are none."""
    ids: dict[str, set[int]] = {"account_manager_id": set(), "department_id": set(), "owner_id": set()}
    for change in changes:
        for values in (change.old, change.new):
            for field, found in ids.items():
                if isinstance(values.get(field), int):
                    found.add(values[field])
    people = queries.names_of_users(ids["account_manager_id"] | ids["owner_id"])
    departments = queries.names_of_departments(ids["department_id"])
    return {"account_manager_id": people, "owner_id": people, "department_id": departments}
