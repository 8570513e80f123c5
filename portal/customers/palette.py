"""Hits of the search page and of the command palette: customers by everything they are found by, contacts by name."""

from __future__ import annotations

from functools import lru_cache

from flask import url_for
from sqlalchemy import ColumnElement, Select, String, bindparam, select

from portal.core.panels import PaletteItem
from portal.core.permissions import visible
from portal.core.text import LIKE_ESCAPE, fold, like_literal, pinyin_syllables
from portal.customers.models import Contact, Customer
from portal.customers.search import LAST, search
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

CUSTOMERS_SHOWN = 12
CONTACTS_SHOWN = 5
#: Characters of a contact's name that are looked up at least.
LEAST_NAME = 2
#: People of one name that are looked at.
NAMESAKES = 200


def items(actor: Actor, query: str) -> list[PaletteItem]:
    """Customers, best first, then contacts of customers that the actor may view.

    Of a customer that the actor may not view, its existence and who looks after it is shown: its page says the same.
    """
    hits = [
        PaletteItem(
            hit.name,
            url_for("customers.show", customer_id=hit.customer_id),
            _("Customers"),
            " · ".join(part for part in (hit.department, hit.account_manager) if part),
            "building" if hit.visible else "shield-lock",
        )
        for hit in search(actor, query, CUSTOMERS_SHOWN)
    ]
    name = fold(query)
    if len(name) >= LEAST_NAME:
        # Names that begin so, found by their pinyin: a range of the index by which contacts are sorted.
        sound = " ".join(pinyin_syllables(query, person=True))
        statement = _contacts_statement(visible(actor, "customers.view"))
        bounds = {"first": sound, "last": sound + LAST, "begins": like_literal(query.strip())}
        hits += [
            PaletteItem(
                row.name,
                url_for("customers.contact", contact_id=row.id),
                _("Contacts"),
                row.customer,
                "person",
            )
            for row in db.session.execute(statement, bounds)
        ]
    return hits


@lru_cache(maxsize=256)
def _contacts_statement(sees: ColumnElement[bool]) -> Select[int, str, str]:
    """Contacts between the sounds `first` and `last` whose name begins with `begins`; built once for a condition."""
    namesakes = (
        select(Contact.id)
        .where(
            Contact.name_sort >= bindparam("first"),
            Contact.name_sort < bindparam("last"),
            Contact.name.startswith(bindparam("begins", type_=String), escape=LIKE_ESCAPE),
        )
        .order_by(Contact.name_sort)
        .limit(NAMESAKES)
    )
    return (
        select(Contact.id, Contact.name, Customer.name.label("customer"))
        .join(Customer, Customer.id == Contact.customer_id)
        .where(sees, Contact.id.in_(namesakes))
        .order_by(Contact.name_sort, Contact.id)
        .limit(CONTACTS_SHOWN)
    )
