"""The lists of this module: customers, contacts, interactions. Each shows only what `visible` allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from flask import g, has_request_context, request, url_for
from flask_babel.speaklater import LazyString
from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, false, func, literal, or_, select
from sqlalchemy.orm import aliased

from portal.core import clock, regions, settings
from portal.core.calendar import Birthday
from portal.core.components import DASH, due, moment, money, stack, tag
from portal.core.listing import (
    BulkAction,
    CellContext,
    Column,
    EmptyText,
    Filter,
    FilterValue,
    Listing,
    Scene,
)
from portal.core.permissions import visible, visible_branches
from portal.core.text import fold, is_latin
from portal.core.transaction import while_unchanged
from portal.customers import queries
from portal.customers import vocabulary as words
from portal.customers.models import (
    Contact,
    ContactPhone,
    Customer,
    CustomerFavourite,
    Interaction,
    NextStep,
    interaction_contact,
)
from portal.customers.permissions import EXPORT, VIEW, works_with_customers
from portal.customers.phones import masked
from portal.customers.search import matching_ids
from portal.extensions import db
from portal.i18n import _, _l, current_language
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, Department, User
from portal.pluginmanager import manager

CUSTOMERS = "customers"
CONTACTS = "contacts"
INTERACTIONS = "interactions"
IDLE_SETTING = "customers.idle_days"

STAGE_TONES: Mapping[str, str] = {
    words.Stage.TO_IDENTIFY: "neutral",
    words.Stage.POTENTIAL: "info",
    words.Stage.OPPORTUNITY: "warning",
    words.Stage.ORDERING: "accent",
    words.Stage.USER: "success",
    words.Stage.DORMANT: "neutral",
    words.Stage.LOST: "danger",
}


def stage_tag(stage: str) -> Markup:
    """A stage as a badge."""
    return tag(words.label(words.Stage, stage), STAGE_TONES.get(stage, "neutral"))


def _where_visible(actor: Actor) -> list[SQLColumnExpression[bool]]:
    return [visible(actor, VIEW)]


# ---- cells ---------------------------------------------------------------------------------------------------------


def _name_cell(row: Any, context: CellContext) -> Any:
    badges = context.extras.get("badges", {}).get(row.id, ())
    marks = Markup(" ").join(tag(badge.label, badge.tone) for badge in badges)
    name = Markup("{} {}").format(row.name, marks) if badges else row.name
    return stack(name, row.short_name) if row.short_name and row.short_name != row.name else name


def _vocabulary(enumeration: Any, name: str) -> Any:
    def cell(row: Any, _context: CellContext) -> Any:
        value = getattr(row, name)
        return words.label(enumeration, value) if value else DASH

    return cell


def _text(name: str) -> Any:
    def cell(row: Any, _context: CellContext) -> Any:
        return getattr(row, name) or DASH

    return cell


def _region_cell(row: Any, _context: CellContext) -> Any:
    return region_label(row.region_code) or DASH


def region_label(code: str) -> str:
    """Province and prefecture in the reader's language, short enough for a cell."""
    if not code:
        return ""
    return _region_said(code, current_language())


@lru_cache(maxsize=4096)
def _region_said(code: str, language: str) -> str:
    parts = regions.ancestors(code)[:2]
    return (" " if language == "en" else "").join(regions.label(part.code, language) for part in parts)


def _moment_cell(name: str) -> Any:
    def cell(row: Any, _context: CellContext) -> Any:
        value = getattr(row, name)
        if value is None:
            return DASH
        return moment(clock.local(value))

    return cell


def _next_cell(row: Any, _context: CellContext) -> Any:
    return due(row.next_contact_on, clock.today())


def _money_cell(row: Any, _context: CellContext) -> Any:
    return money(row.total_12m)


def _word_of(enumeration: Any, name: str) -> Any:
    def export(row: Any, _context: CellContext) -> Any:
        return words.label(enumeration, getattr(row, name))

    return export


def _day_of(name: str) -> Any:
    def export(row: Any, _context: CellContext) -> Any:
        value = getattr(row, name)
        return clock.local(value).date() if value is not None else None

    return export


def _degrees(name: str, label: Any, column: Any) -> Column:
    """Latitude or longitude; in a file with all its digits."""

    def export(row: Any, _context: CellContext) -> Any:
        value = getattr(row, name)
        return None if value is None else Decimal(repr(value))

    def cell(row: Any, _context: CellContext) -> Any:
        value = getattr(row, name)
        return DASH if value is None else f"{value:.5f}"

    return Column(name, label, {name: column}, cell=cell, export=export, default=False, align="end")


# ---- filters -------------------------------------------------------------------------------------------------------


# A condition that follows from what was chosen alone is made once: statements that stand on it can be kept.


def _by_values(condition: Callable[[tuple[str, ...]], ColumnElement[bool]]) -> Any:
    kept = lru_cache(maxsize=256)(condition)
    return lambda value, _actor: kept(value.values)


def _in(column: Any) -> Any:
    return _by_values(column.in_)


def _contains(column: Any) -> Any:
    return lambda value, _actor: column.contains(value.values[0], autoescape=True)


def _moment_range(column: Any) -> Any:
    def where(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
        parts = []
        if isinstance(value.low, date):
            parts.append(column >= clock.day_bounds(value.low)[0])
        if isinstance(value.high, date):
            parts.append(column < clock.day_bounds(value.high)[1])
        return and_(*parts)

    return where


def _day_range(column: Any) -> Any:
    def where(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
        parts = [column >= value.low] if value.low is not None else []
        parts += [column <= value.high] if value.high is not None else []
        return and_(*parts)

    return where


def _money_range(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    parts = []
    for bound, after in ((value.low, True), (value.high, False)):
        if isinstance(bound, Decimal):
            fen = bound.quantize(Decimal("0.01"))
            parts.append(Customer.total_12m >= fen if after else Customer.total_12m <= fen)
    return and_(*parts)


def _vocabulary_choices(enumeration: Any, *without: str) -> Any:
    return lambda _actor: [pair for pair in words.choices(enumeration) if pair[0] not in without]


@_by_values
def _closed(values: tuple[str, ...]) -> ColumnElement[bool]:
    groups = {"open": words.OPEN_STAGES, "closed": words.CLOSED_STAGES}
    stages = sorted(stage.value for key in values for stage in groups[key])
    return Customer.stage.in_(stages)


def _region_choices(_actor: Actor) -> list[tuple[str, Any]]:
    return [(region.code, region_label(region.code)) for region in regions.provinces()]


@_by_values
def _region_where(values: tuple[str, ...]) -> ColumnElement[bool]:
    parts = []
    for code in values:
        prefix = regions.code_prefix(code)
        parts.append(and_(Customer.region_code >= prefix, Customer.region_code < str(int(prefix) + 1)))
    return or_(*parts)


def _manager_choices(actor: Actor) -> list[tuple[str, Any]]:
    if not actor.oversees and EXECUTIVE not in actor.roles:
        return []
    found = while_unchanged((_manager_choices, actor), lambda: _as_choices(queries.possible_managers(actor, limit=200)))
    return [("0", _("Nobody")), *found]


def _as_choices(pairs: Iterable[tuple[int, str]]) -> list[tuple[str, Any]]:
    return [(str(key), name) for key, name in pairs]


@_by_values
def _manager_where(values: tuple[str, ...]) -> ColumnElement[bool]:
    ids = [int(key) for key in values if key != "0"]
    parts: list[ColumnElement[bool]] = [Customer.account_manager_id.in_(ids)] if ids else []
    if "0" in values:
        parts.append(Customer.account_manager_id.is_(None))
    return or_(*parts)


def _department_choices(actor: Actor) -> list[tuple[str, Any]]:
    if not actor.oversees and EXECUTIVE not in actor.roles:
        return []
    return while_unchanged((_department_choices, actor), lambda: _as_choices(queries.possible_departments(actor)))


@_by_values
def _department_where(values: tuple[str, ...]) -> ColumnElement[bool]:
    return Customer.department_id.in_([int(key) for key in values])


# ---- scenes --------------------------------------------------------------------------------------------------------


def _mine(actor: Actor) -> ColumnElement[bool]:
    return Customer.account_manager_id == actor.user_id


def _team(actor: Actor) -> ColumnElement[bool]:
    """Customers of the people below (下属的): of the departments overseen, without one's own."""
    others = or_(Customer.account_manager_id.is_(None), Customer.account_manager_id != actor.user_id)
    return and_(Customer.department_id.in_(sorted(actor.oversees)), others) if actor.oversees else false()


def _due_today(_actor: Actor) -> ColumnElement[bool]:
    return Customer.next_contact_sort <= clock.today()


def idle_days() -> int:
    """After how many days without contact a customer counts as not contacted (setting)."""
    return int(settings.get(IDLE_SETTING))


def _idle(_actor: Actor) -> ColumnElement[bool]:
    return Customer.last_contact_sort < clock.day_bounds(clock.today() - timedelta(days=idle_days()))[0]


def _new_this_week(_actor: Actor) -> ColumnElement[bool]:
    today = clock.today()
    return Customer.created_at >= clock.day_bounds(today - timedelta(days=today.weekday()))[0]


def _favourites(actor: Actor) -> ColumnElement[bool]:
    return Customer.id.in_(select(CustomerFavourite.customer_id).where(CustomerFavourite.user_id == actor.user_id))


def _search(text: str, _actor: Actor) -> ColumnElement[bool]:
    return Customer.id.in_(matching_ids(text))


def _prepare(rows: Sequence[Any], actor: Actor) -> Mapping[str, Any]:
    """Badges of the whole page, one call for all plugins."""
    badges: dict[int, list[Any]] = {}
    if rows:
        for answer in manager().hook.customer_badges(customer_ids=[row.id for row in rows], actor=actor):
            for customer_id, found in answer.items():
                badges.setdefault(customer_id, []).extend(found)
    return {"badges": badges}


def _row_url(row: Any) -> str:
    """The record page; it learns the list one came from, for its previous and next."""
    try:
        begin, end = g.customer_row_url
    except AttributeError:
        base = url_for("customers.show", customer_id=0)
        query = ""
        if has_request_context():
            pairs = [(key, value) for key, value in request.args.items(multi=True) if key not in {"after", "before"}]
            query = quote(urlencode(pairs)[:1500])
        begin, end = g.customer_row_url = (base.removesuffix("0"), f"?in={query}")
    return f"{begin}{row.id}{end}"


def customers_listing() -> Listing:
    """The list of customers."""
    account_manager = aliased(User)

    def source(statement: Select[Any]) -> Select[Any]:
        return statement.join(Department, Customer.department_id == Department.id).outerjoin(
            account_manager, Customer.account_manager_id == account_manager.id
        )

    columns = [
        Column(
            "name",
            _l("Name"),
            {"name": Customer.name, "short_name": Customer.short_name},
            cell=_name_cell,
            sort=Customer.name_sort,
            export=lambda row, _context: row.name,
            sticky=True,
        ),
        Column(
            "kind",
            _l("Kind"),
            {"kind": Customer.kind},
            cell=_vocabulary(words.CustomerKind, "kind"),
            export=_word_of(words.CustomerKind, "kind"),
        ),
        Column(
            "stage",
            _l("Stage"),
            {"stage": Customer.stage},
            cell=lambda row, _context: stage_tag(row.stage),
            export=_word_of(words.Stage, "stage"),
        ),
        Column(
            "region",
            _l("Region"),
            {"region_code": Customer.region_code},
            cell=_region_cell,
            export=lambda row, _context: regions.full_name(row.region_code),
        ),
        Column("industry", _l("Industry"), {"industry": Customer.industry}, cell=_text("industry")),
        _degrees("latitude", _l("Latitude"), Customer.latitude),
        _degrees("longitude", _l("Longitude"), Customer.longitude),
        Column("manager", _l("Account manager"), {"manager": account_manager.name}, cell=_text("manager")),
        Column("department", _l("Department"), {"department": Department.name}, default=False),
        Column(
            "last_contact",
            _l("Last contact"),
            {"last_contact_at": Customer.last_contact_at},
            cell=_moment_cell("last_contact_at"),
            sort=Customer.last_contact_sort,
            export=_day_of("last_contact_at"),
        ),
        Column(
            "next_contact",
            _l("Next contact"),
            {"next_contact_on": Customer.next_contact_on},
            cell=_next_cell,
            sort=Customer.next_contact_sort,
        ),
        Column(
            "total_12m",
            _l("Sales in 12 months"),
            {"total_12m": Customer.total_12m},
            cell=_money_cell,
            sort=Customer.total_12m,
            align="end",
        ),
        Column(
            "created",
            _l("Created"),
            {"created_at": Customer.created_at},
            cell=_moment_cell("created_at"),
            sort=Customer.created_at,
            export=_day_of("created_at"),
            default=False,
        ),
        Column(
            "party",
            _l("Organisation or person"),
            {"party": Customer.party},
            cell=_vocabulary(words.Party, "party"),
            export=_word_of(words.Party, "party"),
            default=False,
        ),
        Column(
            "size",
            _l("Size class"),
            {"size_class": Customer.size_class},
            cell=_vocabulary(words.SizeClass, "size_class"),
            export=_word_of(words.SizeClass, "size_class"),
            default=False,
        ),
        Column(
            "source",
            _l("Source"),
            {"source": Customer.source},
            cell=_vocabulary(words.Source, "source"),
            export=_word_of(words.Source, "source"),
            default=False,
        ),
        Column("credit_code", _l("Credit code"), {"credit_code": Customer.credit_code}, default=False),
        Column("last_purchase", _l("Last purchase"), {"last_purchase_on": Customer.last_purchase_on}, default=False),
        Column(
            "status",
            _l("Record status"),
            {"status": Customer.status},
            cell=_vocabulary(words.Status, "status"),
            export=_word_of(words.Status, "status"),
            default=False,
        ),
    ]
    filters = [
        Filter("stage", _l("Stage"), "choice", _in(Customer.stage), _vocabulary_choices(words.Stage)),
        Filter(
            "closed",
            _l("Sale status"),
            "choice",
            _closed,
            lambda _actor: [("open", _l("Not yet closed")), ("closed", _l("Sale closed"))],
        ),
        Filter("kind", _l("Kind"), "choice", _in(Customer.kind), _vocabulary_choices(words.CustomerKind)),
        Filter("party", _l("Organisation or person"), "choice", _in(Customer.party), _vocabulary_choices(words.Party)),
        Filter("region", _l("Province"), "choice", _region_where, _region_choices),
        Filter("industry", _l("Industry"), "text", _contains(Customer.industry)),
        Filter("size", _l("Size class"), "choice", _in(Customer.size_class), _vocabulary_choices(words.SizeClass)),
        Filter("source", _l("Source"), "choice", _in(Customer.source), _vocabulary_choices(words.Source)),
        Filter("manager", _l("Account manager"), "choice", _manager_where, _manager_choices),
        Filter("department", _l("Department"), "choice", _department_where, _department_choices),
        Filter(
            "status",
            _l("Record status"),
            "choice",
            _in(Customer.status),
            _vocabulary_choices(words.Status, words.Status.MERGED.value),
        ),
        Filter("contacted", _l("Last contact"), "date_range", _moment_range(Customer.last_contact_at)),
        Filter("next", _l("Next contact"), "date_range", _day_range(Customer.next_contact_on)),
        Filter("created", _l("Created"), "date_range", _moment_range(Customer.created_at)),
        Filter("sales", _l("Sales in 12 months (yuan)"), "number_range", _money_range),
    ]
    scenes = [
        Scene("mine", _l("My customers"), _mine, works_with_customers),
        Scene("team", _l("My team's"), _team, lambda actor: bool(actor.oversees)),
        Scene("today", _l("To contact today"), _due_today),
        Scene("idle", _l("Not contacted for %(days)s days", days=LazyString(idle_days)), _idle),
        Scene("new", _l("New this week"), _new_this_week),
        Scene("favourites", _l("Watched"), _favourites),
    ]
    bulk = [
        BulkAction(
            "assign",
            _l("Assign customers"),
            "customers.bulk_assign",
            applies=lambda actor: bool(actor.oversees) or EXECUTIVE in actor.roles,
        ),
        BulkAction("stage", _l("Change stage"), "customers.bulk_stage"),
        BulkAction("watch", _l("Watch"), "customers.bulk_watch"),
    ]
    return Listing(
        key=CUSTOMERS,
        title=_l("Customers"),
        endpoint="customers.index",
        identity=Customer.id,
        source=source,
        where=_where_visible,
        branches=lambda actor: visible_branches(actor, VIEW),
        columns=columns,
        default_sort="name",
        filters=filters,
        scenes=scenes,
        bulk_actions=bulk,
        row_url=_row_url,
        search=_search,
        prepare=_prepare,
        empty=EmptyText(
            _l("No customers that you may see"),
            _l("You see the customers you look after; department heads see those of their departments."),
            _l("Create a customer"),
            "customers.create",
        ),
        export_endpoint="exports.create",
        export_permission=EXPORT,
        muted=lambda row: getattr(row, "status", "") == words.Status.INACTIVE,
    )


# ---- contacts ------------------------------------------------------------------------------------------------------


def _contact_extras(rows: Sequence[Any], _actor: Actor) -> Mapping[str, Any]:
    """Main numbers of the page's contacts, masked."""
    ids = [row.id for row in rows]
    phones: dict[int, str] = {}
    if ids:
        found = db.session.execute(
            select(ContactPhone.contact_id, ContactPhone.number)
            .where(ContactPhone.contact_id.in_(ids))
            .order_by(ContactPhone.position.desc())
        )
        phones = {row.contact_id: masked(row.number) for row in found}
    return {"phones": phones}


def _birthday_cell(row: Any, _context: CellContext) -> Any:
    return (
        birthday_label(
            row.birthday_calendar, row.birthday_month, row.birthday_day, row.birthday_leap, row.birthday_year
        )
        or DASH
    )


def birthday_label(calendar: str, month: int | None, day: int | None, leap: bool, year: int | None) -> str:
    """A birthday as people write it; "" when it is not known."""
    if not calendar or month is None or day is None:
        return ""
    if current_language() != "en":
        return Birthday(calendar, month, day, leap, year).label()
    text = f"{year}-{month:02d}-{day:02d}" if year else f"{month:02d}-{day:02d}"
    if calendar == "lunar":
        return _("%(day)s lunar, leap month", day=text) if leap else _("%(day)s lunar", day=text)
    return text


def _contact_search(text: str, _actor: Actor) -> ColumnElement[bool]:
    folded = fold(text)
    by_name = Contact.name.contains(text, autoescape=True)
    if folded and is_latin(folded):
        return or_(by_name, func.replace(Contact.name_sort, " ", "").contains(folded, autoescape=True))
    return by_name


def contacts_listing() -> Listing:
    """Contacts of all customers one may see."""

    def source(statement: Select[Any]) -> Select[Any]:
        return statement.join(Customer, Contact.customer_id == Customer.id)

    return Listing(
        key=CONTACTS,
        title=_l("Contacts"),
        endpoint="customers.contacts",
        identity=Contact.id,
        source=source,
        where=_where_visible,
        columns=[
            Column(
                "name",
                _l("Full name"),
                {"contact_name": Contact.name},
                sort=Contact.name_sort,
                sticky=True,
                export_label=_l("Contact: name"),
            ),
            Column(
                "customer",
                _l("Customer"),
                {"customer": Customer.name, "customer_id": Contact.customer_id},
                cell=lambda row, _context: row.customer,
                export=lambda row, _context: row.customer,
            ),
            Column("title", _l("Job title"), {"title": Contact.title}, cell=_text("title")),
            Column(
                "department",
                _l("Department"),
                {"dept": Contact.department},
                cell=_text("dept"),
                default=False,
                export_label=_l("Contact: department"),
            ),
            Column(
                "rank",
                _l("Administrative rank"),
                {"rank": Contact.rank},
                cell=_vocabulary(words.Rank, "rank"),
                export=_word_of(words.Rank, "rank"),
                export_label=_l("Contact: administrative rank"),
            ),
            Column(
                "role",
                _l("Role in buying"),
                {"buying_role": Contact.buying_role},
                cell=_vocabulary(words.BuyingRole, "buying_role"),
                export=_word_of(words.BuyingRole, "buying_role"),
                export_label=_l("Contact: role in buying"),
            ),
            Column(
                "attitude",
                _l("Attitude"),
                {"attitude": Contact.attitude},
                cell=_attitude_cell,
                export=lambda row, _context: "" if row.attitude is None else str(words.ATTITUDE_LABELS[row.attitude]),
                export_label=_l("Contact: attitude towards us"),
            ),
            Column(
                "consent",
                _l("Agrees to receive messages"),
                {"consent": Contact.message_consent},
                cell=_consent_word,
                export=_consent_word,
                default=False,
                export_label=_l("Contact: agrees to receive messages"),
            ),
            Column(
                "consent_on",
                _l("Agreed on"),
                {"consent_on": Contact.message_consent_on},
                cell=_text("consent_on"),
                default=False,
                export_label=_l("Contact: day on which messages were agreed to"),
            ),
            Column(
                "consent_source",
                _l("How it was given"),
                {"consent_source": Contact.message_consent_source},
                cell=_text("consent_source"),
                default=False,
                export_label=_l("Contact: how messages were agreed to"),
            ),
            Column(
                "phone",
                _l("Phone"),
                {"active": Contact.is_active},
                cell=lambda row, context: context.extras.get("phones", {}).get(row.id) or DASH,
                export=lambda row, context: context.extras.get("phones", {}).get(row.id, ""),
                export_label=_l("Contact: phone numbers"),
            ),
            Column(
                "birthday",
                _l("Birthday"),
                {
                    "birthday_calendar": Contact.birthday_calendar,
                    "birthday_month": Contact.birthday_month,
                    "birthday_day": Contact.birthday_day,
                    "birthday_leap": Contact.birthday_leap,
                    "birthday_year": Contact.birthday_year,
                },
                cell=_birthday_cell,
                export=lambda row, context: str(_birthday_cell(row, context)) if row.birthday_calendar else "",
                export_label=_l("Contact: birthday"),
            ),
        ],
        default_sort="name",
        filters=[
            Filter(
                "role", _l("Role in buying"), "choice", _in(Contact.buying_role), _vocabulary_choices(words.BuyingRole)
            ),
            Filter("rank", _l("Administrative rank"), "choice", _in(Contact.rank), _vocabulary_choices(words.Rank)),
            Filter(
                "employer",
                _l("Kind of employer"),
                "choice",
                _in(Contact.employer_kind),
                _vocabulary_choices(words.EmployerKind),
            ),
            Filter("consent", _l("Agrees to receive messages"), "flag", lambda _v, _a: Contact.message_consent),
            Filter("primary", _l("Primary contact"), "flag", lambda _v, _a: Contact.is_primary),
        ],
        scenes=[
            Scene("mine", _l("Of my customers"), _mine, works_with_customers),
            Scene("left", _l("No longer there"), lambda _actor: Contact.is_active.is_(False)),
        ],
        row_url=lambda row: url_for("customers.contact", contact_id=row.id),
        search=_contact_search,
        prepare=_contact_extras,
        muted=lambda row: getattr(row, "active", True) is False,
        empty=EmptyText(_l("No contacts yet"), _l("Contacts are added on the page of their customer.")),
        export_endpoint="exports.create",
        export_permission=EXPORT,
    )


def _consent_word(row: Any, _context: CellContext) -> str:
    return _("Yes") if row.consent else _("No")


def _attitude_cell(row: Any, _context: CellContext) -> Any:
    if row.attitude is None:
        return DASH
    tone = "success" if row.attitude > 0 else "danger" if row.attitude < 0 else "neutral"
    return tag(words.ATTITUDE_LABELS[row.attitude], tone)


# ---- interactions --------------------------------------------------------------------------------------------------


def _interaction_extras(rows: Sequence[Any], _actor: Actor) -> Mapping[str, Any]:
    """Contacts and open next steps of the page's interactions."""
    ids = [row.id for row in rows]
    people: dict[int, list[str]] = {}
    steps: dict[int, Any] = {}
    if ids:
        found = db.session.execute(
            select(interaction_contact.c.interaction_id, Contact.name)
            .join(Contact, Contact.id == interaction_contact.c.contact_id)
            .where(interaction_contact.c.interaction_id.in_(ids))
            .order_by(Contact.id)
        )
        for interaction_id, name in found:
            people.setdefault(interaction_id, []).append(name)
        planned = db.session.execute(
            select(NextStep.interaction_id, NextStep.task, NextStep.due_on)
            .where(NextStep.interaction_id.in_(ids), NextStep.done_at.is_(None), NextStep.cancelled_at.is_(None))
            .order_by(NextStep.due_on.desc())
        )
        steps = {row.interaction_id: row for row in planned}
    return {"people": people, "steps": steps}


def _summary_cell(row: Any, _context: CellContext) -> Any:
    text = row.subject or row.result or ""
    short = text if len(text) <= 60 else f"{text[:59]}…"
    return Markup("<del>{}</del>").format(short) if row.cancelled_at else (short or DASH)


def _step_cell(row: Any, context: CellContext) -> Any:
    step = context.extras.get("steps", {}).get(row.id)
    if step is None:
        return DASH
    task = step.task if len(step.task) <= 30 else f"{step.task[:29]}…"
    return Markup("{} {}").format(escape(task), due(step.due_on, clock.today()))


def interactions_listing() -> Listing:
    """Interactions with all customers one may see."""
    author = aliased(User)

    def source(statement: Select[Any]) -> Select[Any]:
        return statement.join(Customer, Interaction.customer_id == Customer.id).outerjoin(
            author, Interaction.author_id == author.id
        )

    def moment(row: Any, _context: CellContext) -> Any:
        return clock.local(row.at).strftime("%Y-%m-%d %H:%M")

    return Listing(
        key=INTERACTIONS,
        title=_l("Interactions"),
        endpoint="customers.interactions",
        identity=Interaction.id,
        source=source,
        where=_where_visible,
        columns=[
            Column(
                "at", _l("When"), {"at": Interaction.at}, cell=moment, export=moment, sort=Interaction.at, sticky=True
            ),
            Column("customer", _l("Customer"), {"customer": Customer.name}),
            Column(
                "kind",
                _l("Kind"),
                {"kind": Interaction.kind},
                cell=_vocabulary(words.InteractionKind, "kind"),
                export=_word_of(words.InteractionKind, "kind"),
            ),
            Column(
                "summary",
                _l("Result of the contact"),
                {
                    "subject": Interaction.subject,
                    "result": func.substr(Interaction.result, 1, 120),
                    "cancelled_at": Interaction.cancelled_at,
                },
                cell=_summary_cell,
                export=lambda row, _context: row.subject or row.result,
            ),
            Column(
                "people",
                _l("With whom"),
                {"direction": Interaction.direction},
                cell=lambda row, context: _(", ").join(context.extras.get("people", {}).get(row.id, [])) or DASH,
                export=lambda row, context: _(", ").join(context.extras.get("people", {}).get(row.id, [])),
            ),
            Column("author", _l("Recorded by"), {"author": author.name}, cell=_text("author")),
            Column("minutes", _l("Minutes"), {"minutes": Interaction.minutes}, default=False, align="end"),
            Column(
                "cost",
                _l("Cost"),
                {"cost": Interaction.cost},
                cell=lambda row, _context: money(row.cost),
                default=False,
                align="end",
            ),
            Column(
                "next",
                _l("Next step"),
                {"interaction_key": Interaction.id},
                cell=_step_cell,
                export=lambda row, context: getattr(context.extras.get("steps", {}).get(row.id), "task", ""),
            ),
        ],
        default_sort="-at",
        filters=[
            Filter("kind", _l("Kind"), "choice", _in(Interaction.kind), _vocabulary_choices(words.InteractionKind)),
            Filter("at", _l("When"), "date_range", _moment_range(Interaction.at)),
            Filter(
                "appointment",
                _l("Appointment"),
                "choice",
                _in(Interaction.appointment),
                _vocabulary_choices(words.Appointment),
            ),
            Filter(
                "opinions",
                _l("With opinions or suggestions"),
                "flag",
                lambda _value, _actor: Interaction.opinions != literal(""),
            ),
            Filter("manager", _l("Account manager"), "choice", _manager_where, _manager_choices),
        ],
        scenes=[
            Scene("own", _l("Recorded by me"), lambda actor: Interaction.author_id == actor.user_id),
            Scene("mine", _l("Of my customers"), _mine, works_with_customers),
            Scene("cancelled", _l("Voided"), lambda _actor: Interaction.cancelled_at.is_not(None)),
        ],
        row_url=lambda row: url_for("customers.interaction", interaction_id=row.id),
        search=lambda text, _actor: or_(
            Interaction.subject.contains(text, autoescape=True), Interaction.result.contains(text, autoescape=True)
        ),
        prepare=_interaction_extras,
        muted=lambda row: getattr(row, "cancelled_at", None) is not None,
        empty=EmptyText(_l("No interactions yet"), _l("Record visits, calls and messages on the customer's page.")),
    )
