"""What every template receives: menu, counters, languages, theme."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Flask, current_app, g, has_request_context, request, url_for
from flask_login import current_user

from portal.core import clock
from portal.core.navigation import NavArea, NavItem, items_for
from portal.core.permissions import Actor
from portal.core.together import ask
from portal.i18n import LANGUAGE_TAGS, LANGUAGES, _, current_language


@dataclass(frozen=True)
class MenuItem:
    """An entry of the left menu, ready to draw."""

    label: Any
    url: str
    icon: str
    active: bool
    badge_count: int


#: Which areas of the menu are unfolded: their keys, separated by dots; written by the script of the page.
AREAS_COOKIE = "portal_areas"
AREAS_OPEN_AT_FIRST = 3


@dataclass(frozen=True)
class MenuArea:
    """A group of the left menu, ready to draw."""

    key: str
    label: Any
    icon: str
    items: list[MenuItem]
    #: unfolded: the area of the present page, and those that the person left open
    is_open: bool = True

    @property
    def badge_count(self) -> int:
        """What waits in a folded area."""
        return sum(item.badge_count for item in self.items)


@dataclass(frozen=True)
class UserMenuItem:
    """An entry of the person's own menu."""

    label: Any
    url: str
    icon: str
    method: str = "get"


#: In the rule of every tab of a customer's record, and the entry those pages belong to.
RECORD_TAB = "/customers/<int:customer_id>"
CUSTOMERS = "customers.index"


def init_app(app: Flask) -> None:
    """Attach the context processor."""
    app.context_processor(template_context)
    app.jinja_env.globals["clock"] = clock


def template_context() -> dict[str, Any]:
    """Variables of every page; asks the database only for the two counters."""
    if not has_request_context():
        return {}  # a job renders a message or a document: those bring everything they need
    actor: Actor | None = g.get("actor")
    language = current_language()
    context: dict[str, Any] = {
        "app_name": current_app.config["ORGANISATION"],
        "language": language,
        "language_tag": LANGUAGE_TAGS.get(language, "zh-Hans-CN"),
        "languages": LANGUAGES,
        "theme": getattr(actor, "theme", "") or request.cookies.get("portal_theme", "auto"),
        "actor": actor,
        "nav_key": None,
        "nav_areas": list,
        "inbox_count": 0,
        "notice_count": 0,
        "user_menu": [],
        "search_url": "",
        "current_user": current_user,
        "today": clock.today(),
    }
    if actor is not None and actor.user_id is not None:
        counts = _counts(actor)
        context |= {
            "nav_key": menu_key(actor, counts),
            "nav_areas": partial(menu, actor, counts),
            "inbox_count": counts.get("approvals.inbox", 0),
            "notice_count": counts.get("notifications.index", 0),
            "user_menu": user_menu(),
            "search_url": url_for("home.search"),
            "inbox_url": url_for("approvals.inbox"),
            "notices_url": url_for("notifications.index"),
        }
    return context


def _counts(actor: Actor) -> dict[str, int]:
    """Endpoint → number for the entries that count something; once per request."""
    if "menu_counts" not in g:
        asked = {item.endpoint: item.count(actor) for item in menu_items(actor) if item.count}
        g.menu_counts = {endpoint: int(number or 0) for endpoint, number in ask(asked).items()}
    return g.menu_counts


def menu_items(actor: Actor) -> list[NavItem]:
    """The entries that this actor gets, in order; found once per request."""
    known: dict[Actor, list[NavItem]] = g.setdefault("menu_items", {})
    if actor not in known:
        entries = current_app.extensions["portal_navigation"]
        known[actor] = items_for(actor, [entry for entry in entries if isinstance(entry, NavItem)])
    return known[actor]


def menu_key(actor: Actor, counts: dict[str, int]) -> Hashable:
    """All that the left menu shows follows from this; it is drawn once for each key (`kept_part`)."""
    items = menu_items(actor)
    numbers = tuple(counts.get(item.endpoint, 0) for item in items)
    return tuple(item.endpoint for item in items), active_endpoint(items), numbers, _areas_left_open()


def _areas_left_open() -> frozenset[str] | None:
    """Keys of the areas that the person left open; None when he never opened or closed one."""
    kept = request.cookies.get(AREAS_COOKIE)
    if kept is None:
        return None
    known = {entry.key for entry in current_app.extensions["portal_navigation"] if isinstance(entry, NavArea)}
    return frozenset(known.intersection(kept.split(".")))


def menu(actor: Actor, counts: dict[str, int]) -> list[MenuArea]:
    """The left menu of this actor; empty areas are left out."""
    entries = current_app.extensions["portal_navigation"]
    items = menu_items(actor)
    active = active_endpoint(items)
    left_open = _areas_left_open()
    areas: list[MenuArea] = []
    for area in sorted((entry for entry in entries if isinstance(entry, NavArea)), key=lambda entry: entry.order):
        drawn = [
            MenuItem(
                item.label,
                address_of(item.endpoint),
                item.icon,
                item.endpoint == active,
                counts.get(item.endpoint, 0),
            )
            for item in items
            if item.area == area.key
        ]
        if drawn:
            is_open = area.key in left_open if left_open is not None else len(areas) < AREAS_OPEN_AT_FIRST
            is_open = is_open or any(item.active for item in drawn)
            areas.append(MenuArea(area.key, area.label, area.icon, drawn, is_open))
    return areas


def address_of(endpoint: str) -> str:
    """Address of a page without arguments; the same for everybody below the same root, so it is made once."""
    known: dict[tuple[str, str], str] = current_app.extensions.setdefault("portal_menu_addresses", {})
    key = (request.script_root, endpoint)
    if key not in known:
        known[key] = url_for(endpoint)
    return known[key]


def active_endpoint(items: list[NavItem]) -> str | None:
    """The one entry that the present page belongs to: itself; a tab of a customer's record, of whatever module, belongs
    to the customers; else the entry whose address the page's address continues, else the only one of its blueprint."""
    endpoints = [item.endpoint for item in items]
    if request.endpoint in endpoints:
        return request.endpoint
    if RECORD_TAB in str(request.url_rule) and CUSTOMERS in endpoints:
        return CUSTOMERS
    paths = {address_of(endpoint).removeprefix(request.script_root).rstrip("/"): endpoint for endpoint in endpoints}
    paths |= {path.rstrip("/"): item.endpoint for item in items for path in item.also}
    above = [path for path in paths if path and f"{request.path}/".startswith(path + "/")]
    if above:
        return paths[max(above, key=len)]
    section = (request.endpoint or "").split(".")[0]
    own = [endpoint for endpoint in endpoints if endpoint.split(".")[0] == section]
    return own[0] if len(own) == 1 else None


def user_menu() -> list[UserMenuItem]:
    """Links of the person's own menu, as far as their pages exist."""
    wanted = [
        (_("My profile"), "org.profile", "person", "get"),
        (_("Delegation"), "org.delegations", "people", "get"),
        (_("Notice settings"), "notifications.preferences", "bell", "get"),
        (_("My sessions"), "auth.sessions", "laptop", "get"),
        (_("Change password"), "auth.change_password", "key", "get"),
        (_("Log out"), "auth.logout", "box-arrow-right", "post"),
    ]
    known = current_app.view_functions
    return [UserMenuItem(label, address_of(end), icon, method) for label, end, icon, method in wanted if end in known]
