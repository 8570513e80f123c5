"""Facts and panels of a customer's page."""

from __future__ import annotations

from typing import Any

from flask import g
from sqlalchemy import select

from portal.core import clock
from portal.core.panels import Panel
from portal.core.permissions import visible
from portal.customers import queries
from portal.customers import vocabulary as words
from portal.customers.forms import SECTIONS
from portal.customers.models import Customer, CustomerQualification
from portal.customers.page.head import ASSESSED, PLANNED
from portal.customers.page.words import region_name
from portal.customers.permissions import VIEW
from portal.customers.search import search
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User
from portal.pluginmanager import customer_figure, manager


def briefing_of(customer: Customer, actor: Actor) -> queries.Briefing:
    """What one reads before contacting; after `timeline_of` it takes the interactions that are there already."""
    newest, all_of_them = g.get("customer_newest", {}).get(customer.id, ((), False))
    return queries.briefing_of(customer.id, newest, all_of_them, customer_figure(PLANNED, customer.id, actor))


def qualification_of(customer: Customer, actor: Actor) -> CustomerQualification | None:
    """The assessment that counts, if there is one."""
    return queries.qualification_of(customer.id) if customer_figure(ASSESSED, customer.id, actor) else None


def panels_of(customer: Customer, actor: Actor) -> list[Panel]:
    """Boxes of all modules on the overview."""
    found: list[Panel] = manager().collect("customer_panels", customer=customer, actor=actor)
    return sorted(found, key=lambda panel: (panel.order, panel.key))


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
