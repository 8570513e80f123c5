"""By what the list of customers is narrowed: filters, scenes, search."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select

from portal.core import clock, regions, settings
from portal.core.listing.conditions import by_values
from portal.core.transaction import while_unchanged
from portal.customers import queries
from portal.customers import vocabulary as words
from portal.customers.listings.base import as_choices
from portal.customers.models import Customer, CustomerFavourite
from portal.customers.search import matching_ids
from portal.i18n import current_language
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE

IDLE_SETTING = "customers.idle_days"


def region_label(code: str) -> str:
    """Province and prefecture in the reader's language, short enough for a cell."""
    if not code:
        return ""
    return _region_said(code, current_language())


@lru_cache(maxsize=4096)
def _region_said(code: str, language: str) -> str:
    parts = regions.ancestors(code)[:2]
    return (" " if language == "en" else "").join(regions.label(part.code, language) for part in parts)


@by_values
def closed_where(values: tuple[str, ...]) -> ColumnElement[bool]:
    """Customers whose sale is open, or closed."""
    groups = {"open": words.OPEN_STAGES, "closed": words.CLOSED_STAGES}
    stages = sorted(stage.value for key in values for stage in groups[key])
    return Customer.stage.in_(stages)


def region_choices(_actor: Actor) -> list[tuple[str, Any]]:
    """Provinces."""
    return [(region.code, region_label(region.code)) for region in regions.provinces()]


@by_values
def region_where(values: tuple[str, ...]) -> ColumnElement[bool]:
    """Customers within the chosen regions."""
    parts = []
    for code in values:
        prefix = regions.code_prefix(code)
        parts.append(and_(Customer.region_code >= prefix, Customer.region_code < str(int(prefix) + 1)))
    return or_(*parts)


def department_choices(actor: Actor) -> list[tuple[str, Any]]:
    """Departments among which heads and executives choose."""
    if not actor.oversees and EXECUTIVE not in actor.roles:
        return []
    return while_unchanged((department_choices, actor), lambda: as_choices(queries.possible_departments(actor)))


@by_values
def department_where(values: tuple[str, ...]) -> ColumnElement[bool]:
    """Customers of the chosen departments."""
    return Customer.department_id.in_([int(key) for key in values])


def team(actor: Actor) -> ColumnElement[bool]:
    """Customers of the people below (下属的): of the departments overseen, without one's own."""
    others = or_(Customer.account_manager_id.is_(None), Customer.account_manager_id != actor.user_id)
    return and_(Customer.department_id.in_(sorted(actor.oversees)), others) if actor.oversees else false()


def due_today(_actor: Actor) -> ColumnElement[bool]:
    """Customers whose next contact is due."""
    return Customer.next_contact_sort <= clock.today()


def idle_days() -> int:
    """After how many days without contact a customer counts as not contacted (setting)."""
    return int(settings.get(IDLE_SETTING))


def idle(_actor: Actor) -> ColumnElement[bool]:
    """Customers not contacted for the days of the setting."""
    return Customer.last_contact_sort < clock.day_bounds(clock.today() - timedelta(days=idle_days()))[0]


def new_this_week(_actor: Actor) -> ColumnElement[bool]:
    """Customers created since Monday."""
    today = clock.today()
    return Customer.created_at >= clock.day_bounds(today - timedelta(days=today.weekday()))[0]


def favourites(actor: Actor) -> ColumnElement[bool]:
    """Customers that the actor watches."""
    return Customer.id.in_(select(CustomerFavourite.customer_id).where(CustomerFavourite.user_id == actor.user_id))


def search_where(text: str, _actor: Actor) -> ColumnElement[bool]:
    """Customers that a text finds."""
    return Customer.id.in_(matching_ids(text))
