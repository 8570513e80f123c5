"""What the record page consists of: head, tabs, time line, neighbours in the list. Asked by views and by templates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote

from flask import g, request, url_for
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal.audit.field_names import FIELD_NAMES
from portal.audit.labels import AuditFinder, AuditTerm, value_words
from portal.core import clock, regions
from portal.core.listing import keyset
from portal.core.listing.query import Query
from portal.core.panels import Action, Badge, Panel, Tab, TimelineEntry
from portal.core.permissions import visible
from portal.core.registry import registry
from portal.customers import queries
from portal.customers import vocabulary as words
from portal.customers.forms import SECTIONS, ContactForm, CustomerForm, InteractionForm, QualificationForm, StepForm
from portal.customers.listings import CUSTOMERS
from portal.customers.models import Customer, CustomerQualification
from portal.customers.permissions import ASSIGN, EDIT, VIEW
from portal.customers.search import search
from portal.extensions import db
from portal.i18n import _, current_language
from portal.org.actor import Actor
from portal.org.audit_words import people
from portal.org.models import User
from portal.pluginmanager import customer_figure, manager

TIMELINE_PAGE = 30
#: How often the time line is asked again when a filter leaves too little of it.
TIMELINE_ROUNDS = 8


@dataclass(frozen=True)
class TabLink:
    """A tab, ready to draw."""

    label: Any
    url: str
    count: int | None
    active: bool


#: Figures of `queries.figures_of`: whether there is any interaction, change of stage, open step, assessment.
MET, MOVED, PLANNED, ASSESSED = (f"customers.{name}" for name in ("met", "moved", "planned", "assessed"))


@dataclass(frozen=True)
class Head:
    """The head of the record page."""

    customer: Customer
    badges: list[Badge]
    tabs: list[TabLink]
    actions: list[Action]
    may_edit: bool
    may_assign: bool
    is_favourite: bool
    previous_url: str | None
    next_url: str | None
    list_url: str


def counts(customer: Customer, actor: Actor) -> queries.Counts:
    """Numbers beside the tabs, asked once per request."""
    contacts, interactions, watched = (
        customer_figure(f"customers.{name}", customer.id, actor) for name in ("contacts", "interactions", "watched")
    )
    return queries.Counts(int(contacts), int(interactions), bool(watched))


def abilities(customer: Customer, actor: Actor) -> frozenset[str]:
    """Permissions of the actor on this customer, asked once per request; for drawing, never for deciding a change."""
    known: dict[int, frozenset[str]] = g.setdefault("customer_abilities", {})
    if customer.id not in known:
        known[customer.id] = queries.abilities_of(customer, actor)
    return known[customer.id]


def head_of(customer: Customer, actor: Actor, active: str) -> Head:
    """The head with tabs of all modules; `active` is the key of the present tab."""
    hooks = manager()
    badges = [
        badge
        for answer in hooks.hook.customer_badges(customer_ids=[customer.id], actor=actor)
        for badge in answer.get(customer.id, ())
    ]
    tabs: list[Tab] = sorted(
        hooks.collect("customer_tabs", customer=customer, actor=actor), key=lambda tab: (tab.order, tab.key)
    )
    actions: list[Action] = sorted(
        hooks.collect("customer_actions", customer=customer, actor=actor), key=lambda item: (item.order, item.key)
    )
    inside = request.args.get("in")
    links = [TabLink(tab.label, _carry(tab.url, inside), tab.count, tab.key == active) for tab in tabs]
    previous_url, next_url = neighbours(customer, actor)
    list_url = url_for("customers.index") + (f"?{inside}" if inside else "")
    return Head(
        customer,
        badges,
        links,
        actions,
        EDIT in abilities(customer, actor),
        ASSIGN in abilities(customer, actor),
        counts(customer, actor).is_favourite,
        previous_url,
        next_url,
        list_url,
    )


def _carry(url: str, inside: str | None) -> str:
    """Take the list one came from along to another tab."""
    if inside is None:
        return url
    return f"{url}{'&' if '?' in url else '?'}in={quote(inside)}"


def neighbours(customer: Customer, actor: Actor) -> tuple[str | None, str | None]:
    """Pages of the customers before and behind this one in the list one came from; two statements at most."""
    inside = request.args.get("in")
    if inside is None:
        return None, None
    listing = registry("listings").get(CUSTOMERS)
    if listing is None:
        return None, None
    query = Query.read(listing, actor, MultiDict(parse_qsl(inside[:2000])))
    sort = query.sort.sort if query.sort.sort is not None else listing.identity
    here = db.session.execute(query.select(()).where(listing.identity == customer.id)).first()
    if here is None:
        return None, None
    urls: list[str | None] = []
    for backwards in (True, False):
        statement = query.select(()).where(
            keyset.beyond(sort, listing.identity, (here.sort_value, customer.id), query.descending != backwards)
        )
        row = db.session.execute(query.ordered(statement, reverse=backwards).limit(1)).first()
        urls.append(_carry(url_for("customers.show", customer_id=row.id), inside) if row else None)
    return urls[0], urls[1]


# ---- time line -----------------------------------------------------------------------------------------------------

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


def briefing_of(customer: Customer, actor: Actor) -> queries.Briefing:
    """What one reads before contacting; after `timeline_of` it takes the interactions that are there already."""
    newest, all_of_them = g.get("customer_newest", {}).get(customer.id, ((), False))
    return queries.briefing_of(customer.id, newest, all_of_them, customer_figure(PLANNED, customer.id, actor))


def qualification_of(customer: Customer, actor: Actor) -> CustomerQualification | None:
    """The assessment that counts, if there is one."""
    return queries.qualification_of(customer.id) if customer_figure(ASSESSED, customer.id, actor) else None


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


# ---- this module's own entries of the time line --------------------------------------------------------------------

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


# ---- facts and panels ----------------------------------------------------------------------------------------------


def panels_of(customer: Customer, actor: Actor) -> list[Panel]:
    """Boxes of all modules on the overview."""
    found: list[Panel] = manager().collect("customer_panels", customer=customer, actor=actor)
    return sorted(found, key=lambda panel: (panel.order, panel.key))


def region_name(code: str) -> str:
    """Full name of a region in the reader's language."""
    if not code:
        return ""
    locale = current_language()
    separator = " " if locale == "en" else ""
    return separator.join(regions.label(part.code, locale) for part in regions.ancestors(code))


def sections_of(customer: Customer) -> list[tuple[str, Any, list[tuple[str, Any]]]]:
    """(section, title, facts) of the overview, in order."""
    facts: dict[str, list[tuple[str, Any]]] = {
        "basics": _basic_facts(customer),
        "place": [
            (_("Region"), region_name(customer.region_code)),
            (_("Address"), customer.address),
            (_("Coordinates"), _coordinates(customer)),
        ],
        "origin": _origin_facts(customer),
        "demand": [(_("Characteristics of the demand"), customer.demand)],
    }
    if customer.is_person:
        facts["person"] = _person_facts(customer)
    order = ("basics", "place", "person", "origin", "demand")
    return [(key, SECTIONS[key][0], facts[key]) for key in order if key in facts]


def _basic_facts(customer: Customer) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [
        (_("Kind"), words.label(words.CustomerKind, customer.kind)),
        (_("Short name"), customer.short_name),
        (_("Other names"), _(", ").join(alias.alias for alias in customer.aliases)),
    ]
    if not customer.is_person:
        found += [
            (_("Unified social credit code"), customer.credit_code),
            (_("Industry"), customer.industry),
            (_("Size class"), words.label(words.SizeClass, customer.size_class)),
        ]
    return found


def _coordinates(customer: Customer) -> str:
    if customer.latitude is None or customer.longitude is None:
        return ""
    return f"{customer.latitude:.5f}, {customer.longitude:.5f}"


def _origin_facts(customer: Customer) -> list[tuple[str, Any]]:
    source = words.label(words.Source, customer.source)
    if customer.source_note:
        source = f"{source} · {customer.source_note}" if source else customer.source_note
    return [
        (_("Channel"), words.label(words.Channel, customer.channel)),
        (_("Source"), source),
        (_("Referred by"), customer.referrer.name if customer.referrer else ""),
    ]


def _person_facts(customer: Customer) -> list[tuple[str, Any]]:
    person = customer.person
    if person is None:
        return [(_("Personal data"), "")]
    recorded = person.consent_recorded_by.name if person.consent_recorded_by else ""
    consent = " · ".join(part for part in (person.consent, str(person.consented_on or ""), recorded) if part)
    year = clock.today().year
    born = (
        _("%(year)s (about %(age)s)", year=person.birth_year, age=year - person.birth_year) if person.birth_year else ""
    )
    return [
        (_("Sex"), words.label(words.Sex, person.sex)),
        (_("Year of birth"), born),
        (_("Occupation"), person.occupation),
        (_("Education"), person.education),
        (_("Ethnicity"), person.ethnicity),
        (_("Employer"), person.employer),
        (_("Home address"), person.home_address),
        (_("Purpose"), person.purpose),
        (_("Consent"), consent),
    ]


def visible_names(actor: Actor, text: str, limit: int = 10) -> list[tuple[int, str, str]]:
    """(id, name, account manager) of visible customers for a picker."""
    if not text:
        rows = db.session.execute(
            select(Customer.id, Customer.name, User.name.label("manager"))
            .outerjoin(User, Customer.account_manager_id == User.id)
            .where(visible(actor, VIEW), Customer.status == words.Status.ACTIVE.value)
            .order_by(Customer.last_contact_sort.desc(), Customer.id.desc())
            .limit(limit)
        )
        return [(row.id, row.name, row.manager or "") for row in rows]
    return [(hit.customer_id, hit.name, hit.account_manager) for hit in search(actor, text, limit, only_visible=True)]
