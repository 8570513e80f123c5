"""The customer's tab of key accounts: one place with its pages. Each area adds its page to SECTIONS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from sqlalchemy.orm import joinedload

from plugins.key_accounts.permissions import USE
from portal.core.errors import NotFound
from portal.core.permissions import can, decide_all, require
from portal.core.web import refuse_large_id
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _l
from portal.org.actor import Actor
from portal.org.models import User


@dataclass(frozen=True)
class Section:
    """A page of the tab.

    :ivar endpoint: takes `customer_id`. :ivar applies: cheap, no database.
    """

    key: str
    label: Any
    endpoint: str
    applies: Callable[[Actor], bool] = lambda _actor: True


@dataclass(frozen=True)
class SectionLink:
    """A page of the tab, ready for `ui.tabs`."""

    label: Any
    url: str
    active: bool
    count: int | None = None


def _uses(actor: Actor) -> bool:
    return can(actor, USE)


#: In the order shown. Add a line here; the page extends "key_accounts/account_frame.html".
SECTIONS: list[Section] = [
    Section("account", _l("At a glance"), "key_accounts.account", _uses),
    Section("scorecards", _l("Scorecards"), "key_accounts.scorecards", _uses),
    Section("policy", _l("Policy"), "key_accounts.customer_policy", _uses),
    Section("whitespace", _l("Whitespace"), "key_accounts.whitespace", _uses),
    Section("drivers", _l("Driver tree"), "key_accounts.drivers", _uses),
    Section("satisfaction", _l("Satisfaction"), "key_accounts.customer_satisfaction", _uses),
    Section("plan", _l("Account plan"), "key_accounts.plan"),
    Section("opportunities", _l("Opportunities"), "key_accounts.opportunities_of"),
    Section("team", _l("Account team"), "key_accounts.team"),
    Section("stakeholders", _l("Stakeholder map"), "key_accounts.stakeholders"),
    Section("care", _l("Care"), "key_accounts.care"),
    Section("emergencies", _l("Emergency plan"), "key_accounts.emergencies_of"),
]


#: What the head of the record shows comes along in one statement.
_HEAD = (joinedload(Customer.account_manager).lazyload(User.roles), joinedload(Customer.department))


def load_customer(customer_id: int, actor: Actor) -> Customer:
    """A customer the actor may see. :raises NotFound: there is none. :raises NotAllowed: somebody else's."""
    customer = db.session.get(Customer, refuse_large_id(customer_id), options=_HEAD)
    if customer is None:
        raise NotFound()
    # What the page will ask next comes with the same statement.
    decide_all(actor, customer)
    require(actor, "customers.view", customer)
    return customer


def sections(customer: Customer, actor: Actor, active: str) -> list[SectionLink]:
    """The sub-navigation, for the template."""
    inside = request.args.get("in")
    carried: dict[str, Any] = {"in": inside} if inside else {}
    return [
        SectionLink(section.label, url_for(section.endpoint, customer_id=customer.id, **carried), section.key == active)
        for section in SECTIONS
        if section.applies(actor)
    ]
