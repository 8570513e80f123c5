"""The customer information card (客户基本信息卡): everything known of a customer on paper (R-CUS-1, 2, 3, 9; R-ARC-1).

`build_context` gathers plain texts for the template "pdf/customer_card.html"; other modules add sections through the
hook `customer_card_sections` (purchases their latest orders). The card shows phone numbers in full: who makes or reads
one needs the permission to see them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypedDict

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from portal.core import clock, regions
from portal.core.calendar import lunar_label
from portal.core.identifiers import normalise_phone
from portal.core.permissions import require
from portal.customers import vocabulary as words
from portal.customers.models import (
    Contact,
    Customer,
    CustomerQualification,
    CustomerStageChange,
    Interaction,
    NextStep,
)
from portal.customers.permissions import REVEAL
from portal.documents.kinds import DocumentKind, anyone_listed, of_visible_customers
from portal.documents.models import Document
from portal.documents.services import produce
from portal.extensions import db
from portal.i18n import _, _l, current_language, speaking
from portal.org.actor import Actor
from portal.pluginmanager import manager

#: How many of the newest rows are printed.
CONTACTS, STAGES, INTERACTIONS = 60, 20, 12

CARD = DocumentKind(
    key="customers.card",
    title=_l("Customer information card"),
    number_prefix="CARD",
    template="pdf/customer_card.html",
    may_read=anyone_listed,
    rows=of_visible_customers(REVEAL),
    classification=_l("Internal"),
)


@dataclass(frozen=True)
class CardSection:
    """A section that another module adds to the card. All texts are in the card's language.

    :ivar stats: (label, text) in a row of large figures. :ivar facts: (label, text) pairs, two to a row.
    :ivar headers, rows: a table; cells are texts. :ivar amounts: numbers of the columns set to the right.
    :ivar chart: `Chart.as_primitives()`. :ivar note: small print below.
    """

    key: str
    title: str
    stats: Sequence[tuple[str, str]] = ()
    facts: Sequence[tuple[str, str]] = ()
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    amounts: Sequence[int] = ()
    chart: Mapping[str, Any] | None = None
    note: str = ""
    order: int = 50


class CardContact(TypedDict):
    """A contact as printed; "" where nothing is known."""

    name: str
    is_primary: bool
    title: str
    department: str
    employer_kind: str
    rank: str
    buying_role: str
    attitude: str
    reached_by: list[str]
    birthday: str
    consent: bool
    consent_on: str
    interests: str


class Card(TypedDict):
    """The whole card: texts only, "" where nothing is known; dates as 2026-03-05."""

    as_of: str
    party: str
    party_label: str
    name: str
    short_name: str
    aliases: str
    credit_code: str
    industry: str
    size_class: str
    region: str
    address: str
    coordinates: str
    phone: str
    email: str
    website: str
    kind: str
    channel: str
    source: str
    referrer: str
    account_manager: str
    department: str
    stage: str
    stage_since: str
    status: str
    created_on: str
    demand: str
    #: sex, birth_year, ethnicity, education, occupation, employer, home_address, purpose, consent …; {} otherwise
    person: dict[str, str]
    #: need, means, reputation, assessed, notes; {} when never assessed
    qualification: dict[str, str]
    contacts: list[CardContact]
    #: how many contacts are not printed
    more_contacts: int
    #: on, from_stage, to_stage, by, reason
    stages: list[dict[str, str]]
    #: total_12m (yuan), count, last_on
    purchases: dict[str, str]
    #: on, kind, with_whom, by, subject, result, opinions, next_step
    interactions: list[dict[str, str]]
    sections: list[dict[str, Any]]


def make_card(customer_id: int, actor: Actor, language: str | None = None) -> Document:
    """Make the card of a customer as a numbered PDF; an unchanged customer gets the earlier card again.

    Call it outside `transaction()`. :raises NotAllowed: the actor may not see the customer's phone numbers.
    :raises CannotRender: the card could not be made.
    """
    require(actor, REVEAL, customer_id)
    language = language or (current_language() or "zh_Hans_CN")
    with speaking(language):
        card = build_context(customer_id, actor, language)
        title = _("Customer information card: %(name)s", name=card["name"])
    return produce(
        CARD, actor, title=title, context={"card": card}, customer_id=customer_id, language=language, reuse=True
    )


def build_context(customer_id: int, actor: Actor, language: str) -> Card:
    """Gather the card; eight statements and those of other modules' sections. The caller has checked permissions.

    :param language: of the card; the caller has set it for translated texts too.
    """
    customer = db.session.scalars(
        select(Customer)
        .where(Customer.id == customer_id)
        .options(
            joinedload(Customer.account_manager),
            joinedload(Customer.department),
            joinedload(Customer.referrer),
            joinedload(Customer.person),
            selectinload(Customer.aliases),
        )
    ).one()
    contacts, more = _contacts(customer_id)
    sections = manager().collect("customer_card_sections", customer=customer, actor=actor)
    return Card(
        as_of=clock.today().isoformat(),
        party=customer.party,
        party_label=words.label(words.Party, customer.party),
        name=customer.name,
        short_name=customer.short_name,
        aliases=_("; ").join(alias.alias for alias in customer.aliases),
        credit_code=customer.credit_code or "",
        industry=customer.industry,
        size_class=words.label(words.SizeClass, customer.size_class),
        region=_region(customer.region_code, language),
        address=customer.address,
        coordinates=f"{customer.latitude:.5f}, {customer.longitude:.5f}" if customer.latitude is not None else "",
        phone=_phone(customer.phone),
        email=customer.email,
        website=customer.website,
        kind=words.label(words.CustomerKind, customer.kind),
        channel=words.label(words.Channel, customer.channel),
        source=_joined(words.label(words.Source, customer.source), customer.source_note),
        referrer=customer.referrer.name if customer.referrer else "",
        account_manager=customer.account_manager.name if customer.account_manager else "",
        department=customer.department.name,
        stage=words.label(words.Stage, customer.stage),
        stage_since=clock.local(customer.stage_changed_at).date().isoformat(),
        status=words.label(words.Status, customer.status),
        created_on=clock.local(customer.created_at).date().isoformat(),
        demand=customer.demand,
        person=_person(customer),
        qualification=_qualification(customer_id),
        contacts=contacts,
        more_contacts=more,
        stages=_stages(customer_id),
        purchases={
            "total_12m": str(customer.total_12m),
            "count": str(customer.purchase_count),
            "last_on": customer.last_purchase_on.isoformat() if customer.last_purchase_on else "",
        },
        interactions=_interactions(customer_id),
        sections=[asdict(section) for section in sorted(sections, key=lambda one: (one.order, one.key))],
    )


def _person(customer: Customer) -> dict[str, str]:
    person = customer.person
    if not customer.is_person or person is None:
        return {}
    return {
        "sex": words.label(words.Sex, person.sex),
        "birth_year": str(person.birth_year or ""),
        "ethnicity": person.ethnicity,
        "education": person.education,
        "occupation": person.occupation,
        "employer": person.employer,
        "home_address": person.home_address,
        "purpose": person.purpose,
        "consent": person.consent,
        "consented_on": person.consented_on.isoformat() if person.consented_on else "",
        "consent_recorded_by": person.consent_recorded_by.name if person.consent_recorded_by else "",
    }


def _qualification(customer_id: int) -> dict[str, str]:
    row = db.session.scalars(
        select(CustomerQualification)
        .where(CustomerQualification.customer_id == customer_id)
        .options(joinedload(CustomerQualification.assessed_by))
        .order_by(CustomerQualification.assessed_at.desc(), CustomerQualification.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return {}
    return {
        "need": words.label(words.Grade, row.need),
        "means": words.label(words.Grade, row.means),
        "reputation": words.label(words.Grade, row.reputation),
        "assessed": _joined(_day(row.assessed_at), row.assessed_by.name if row.assessed_by else ""),
        "notes": row.notes,
    }


def _contacts(customer_id: int) -> tuple[list[CardContact], int]:
    active = (Contact.customer_id == customer_id, Contact.is_active)
    rows = list(
        db.session.scalars(
            select(Contact)
            .where(*active)
            .options(selectinload(Contact.phones))
            .order_by(Contact.is_primary.desc(), Contact.name_sort, Contact.id)
            .limit(CONTACTS + 1)
        )
    )
    more = 0
    if len(rows) > CONTACTS:
        more = (db.session.scalar(select(func.count()).select_from(Contact).where(*active)) or 0) - CONTACTS
    return [_contact(row) for row in rows[:CONTACTS]], more


def _contact(contact: Contact) -> CardContact:
    reached = [f"{_phone(phone.number)} ({words.label(words.PhoneLabel, phone.label)})" for phone in contact.phones]
    if contact.email:
        reached.append(contact.email)
    if contact.wechat:
        reached.append(_("WeChat %(name)s", name=contact.wechat))
    return CardContact(
        name=contact.name,
        is_primary=contact.is_primary,
        title=contact.title,
        department=contact.department,
        employer_kind=words.label(words.EmployerKind, contact.employer_kind),
        rank=words.label(words.Rank, contact.rank),
        buying_role=words.label(words.BuyingRole, contact.buying_role),
        attitude=str(words.ATTITUDE_LABELS[contact.attitude]) if contact.attitude is not None else "",
        reached_by=reached,
        birthday=_birthday(contact),
        consent=contact.message_consent,
        consent_on=contact.message_consent_on.isoformat() if contact.message_consent_on else "",
        interests=contact.interests,
    )


def _birthday(contact: Contact) -> str:
    """As the contact keeps it: the lunar calendar in Chinese words, the solar one in digits; the year where known."""
    if not contact.birthday_calendar or contact.birthday_month is None or contact.birthday_day is None:
        return ""
    if contact.birthday_calendar == "lunar":
        words_of_day = lunar_label(contact.birthday_month, contact.birthday_day, contact.birthday_leap)
        return f"{contact.birthday_year} {words_of_day}" if contact.birthday_year else words_of_day
    day = f"{contact.birthday_month:02d}-{contact.birthday_day:02d}"
    return f"{contact.birthday_year}-{day}" if contact.birthday_year else day


def _stages(customer_id: int) -> list[dict[str, str]]:
    rows = db.session.scalars(
        select(CustomerStageChange)
        .where(CustomerStageChange.customer_id == customer_id)
        .options(joinedload(CustomerStageChange.changed_by))
        .order_by(CustomerStageChange.changed_at.desc(), CustomerStageChange.id.desc())
        .limit(STAGES)
    )
    return [
        {
            "on": _day(row.changed_at),
            "from_stage": words.label(words.Stage, row.from_stage),
            "to_stage": words.label(words.Stage, row.to_stage),
            "by": row.changed_by.name if row.changed_by else "",
            "reason": row.reason,
        }
        for row in rows
    ]


def _interactions(customer_id: int) -> list[dict[str, str]]:
    rows = db.session.scalars(
        select(Interaction)
        .where(Interaction.customer_id == customer_id, Interaction.cancelled_at.is_(None))
        .options(
            joinedload(Interaction.author), selectinload(Interaction.contacts), selectinload(Interaction.next_steps)
        )
        .order_by(Interaction.at.desc(), Interaction.id.desc())
        .limit(INTERACTIONS)
    )
    return [
        {
            "on": _day(row.at),
            "kind": words.label(words.InteractionKind, row.kind),
            "with_whom": _("; ").join(contact.name for contact in row.contacts),
            "by": row.author.name if row.author else "",
            "subject": row.subject,
            "result": row.result,
            "opinions": row.opinions,
            "next_step": _("; ").join(_step(step) for step in row.next_steps if step.cancelled_at is None),
        }
        for row in rows
    ]


def _step(step: NextStep) -> str:
    return _("%(task)s (by %(date)s)", task=step.task, date=step.due_on.isoformat())


def _region(code: str, language: str) -> str:
    parts = [regions.label(division.code, language) for division in regions.ancestors(code)]
    return (", ".join(reversed(parts)) if language == "en" else "".join(parts)) if parts else ""


def _phone(stored: str) -> str:
    """A stored number as people read it; numbers of an older rule are printed as they are."""
    if not stored:
        return ""
    try:
        return normalise_phone(stored).display
    except ValueError:
        return stored


def _day(moment: Any) -> str:
    return clock.local(moment).date().isoformat()


def _joined(first: str, second: str) -> str:
    return " · ".join(part for part in (first, second) if part)
