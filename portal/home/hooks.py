"""What this module offers through the hooks: its pages and the areas of the menu."""

from __future__ import annotations

from flask import Blueprint

from portal.core.navigation import NavArea, NavItem
from portal.home import views
from portal.hookspecs import hookimpl
from portal.i18n import _l


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [views.blueprint, views.health_blueprint]


@hookimpl
def register_navigation() -> list[NavArea | NavItem]:
    return [
        NavArea("work", _l("Workbench"), "house", 10),
        NavArea("customers", _l("Customers"), "people", 20),
        NavArea("sales", _l("Sales"), "cart", 30),
        NavArea("knowledge", _l("Knowledge"), "book", 40),
        NavArea("reports", _l("Reports"), "bar-chart", 50),
        NavArea("administration", _l("Administration"), "gear", 90),
        NavItem("work", "home", _l("Home"), "home.index", "house", 10),
    ]
