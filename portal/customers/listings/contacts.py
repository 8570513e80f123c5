"""The list of contacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select, func, or_, select

from portal.core.calendar import Birthday
from portal.core.components import DASH, tag
from portal.core.listing import CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import value_in
from portal.core.text import fold, is_latin
from portal.customers import vocabulary as words
from portal.customers.listings.base import (
    mine,
    text_cell,
    vocabulary_cell,
    vocabulary_choices,
    where_visible,
    word_of,
)
from portal.customers.models import Contact, ContactPhone, Customer
from portal.customers.permissions import EXPORT, works_with_customers
from portal.customers.phones import masked
from portal.extensions import db
from portal.i18n import _, _l, current_language
from portal.org.actor import Actor

CONTACTS = "contacts"


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
        where=where_visible,
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
            Column("title", _l("Job title"), {"title": Contact.title}, cell=text_cell("title")),
            Column(
                "department",
                _l("Department"),
                {"dept": Contact.department},
                cell=text_cell("dept"),
                default=False,
                export_label=_l("Contact: department"),
            ),
            Column(
                "rank",
                _l("Administrative rank"),
                {"rank": Contact.rank},
                cell=vocabulary_cell(words.Rank, "rank"),
                export=word_of(words.Rank, "rank"),
                export_label=_l("Contact: administrative rank"),
            ),
            Column(
                "role",
                _l("Role in buying"),
                {"buying_role": Contact.buying_role},
                cell=vocabulary_cell(words.BuyingRole, "buying_role"),
                export=word_of(words.BuyingRole, "buying_role"),
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
                cell=text_cell("consent_on"),
                default=False,
                export_label=_l("Contact: day on which messages were agreed to"),
            ),
            Column(
                "consent_source",
                _l("How it was given"),
                {"consent_source": Contact.message_consent_source},
                cell=text_cell("consent_source"),
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
                "role",
                _l("Role in buying"),
                "choice",
                value_in(Contact.buying_role),
                vocabulary_choices(words.BuyingRole),
            ),
            Filter("rank", _l("Administrative rank"), "choice", value_in(Contact.rank), vocabulary_choices(words.Rank)),
            Filter(
                "employer",
                _l("Kind of employer"),
                "choice",
                value_in(Contact.employer_kind),
                vocabulary_choices(words.EmployerKind),
            ),
            Filter("consent", _l("Agrees to receive messages"), "flag", lambda _v, _a: Contact.message_consent),
            Filter("primary", _l("Primary contact"), "flag", lambda _v, _a: Contact.is_primary),
        ],
        scenes=[
            Scene("mine", _l("Of my customers"), mine, works_with_customers),
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
