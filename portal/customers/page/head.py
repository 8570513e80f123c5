"""The head of a customer's page: tabs, abilities, the customers before and behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote

from flask import g, request, url_for
from werkzeug.datastructures import MultiDict

from portal.core.listing import keyset
from portal.core.listing.query import Query
from portal.core.panels import Action, Badge, Tab
from portal.core.registry import registry
from portal.customers import queries
from portal.customers.listings import CUSTOMERS
from portal.customers.models import Customer
from portal.customers.permissions import ASSIGN, EDIT
from portal.extensions import db
from portal.org.actor import Actor
from portal.pluginmanager import customer_figure, manager


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
