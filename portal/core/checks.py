"""Checks at start: what is missing or misspelt stops the portal here, with a sentence."""

from __future__ import annotations

import os

from flask import Flask

from portal.config import ConfigError
from portal.core.navigation import NavArea, NavItem
from portal.core.storage.places import check_keys, check_places
from portal.core.web import ACCESS, declared_access

MINIMUM_WEASYPRINT = (70,)
#: Endpoints of libraries that serve static files.
LIBRARY_ENDPOINTS = frozenset({"bootstrap.static"})


def run_checks(app: Flask) -> None:
    """Run all checks. :raises ConfigError: at the first that fails."""
    check_navigation(app)
    check_access(app)
    check_libraries()
    check_places(app.config)
    check_keys(app.config)


def check_navigation(app: Flask) -> None:
    """Menu entries point at known areas, endpoints and permissions."""
    entries = app.extensions["portal_navigation"]
    areas = {entry.key for entry in entries if isinstance(entry, NavArea)}
    permissions = app.extensions["portal_permissions"].permissions
    for item in entries:
        if not isinstance(item, NavItem):
            continue
        if item.area not in areas:
            raise ConfigError(f"Menu entry {item.key!r} is in the unknown area {item.area!r}.")
        if item.endpoint not in app.view_functions:
            raise ConfigError(f"Menu entry {item.key!r} points at the unknown page {item.endpoint!r}.")
        if item.permission and item.permission not in permissions:
            raise ConfigError(f"Menu entry {item.key!r} needs the unknown permission {item.permission!r}.")


def check_access(app: Flask) -> None:
    """Every page says who may open it."""
    permissions = app.extensions["portal_permissions"].permissions
    for endpoint in app.view_functions:
        if endpoint in LIBRARY_ENDPOINTS:
            continue
        declared = declared_access(app, endpoint)
        if declared is None:
            raise ConfigError(f"Page {endpoint!r} does not declare who may open it (portal.core.web).")
        if declared not in {"public", "signed_in"} and declared not in permissions:
            raise ConfigError(f"Page {endpoint!r} needs the unknown permission {declared!r} ({ACCESS}).")


def check_libraries() -> None:
    """Libraries whose older versions are unsafe, or whose absence silently weakens another."""
    from importlib.metadata import version
    from importlib.util import find_spec

    if tuple(int(part) for part in version("weasyprint").split(".")[:1]) < MINIMUM_WEASYPRINT:
        raise ConfigError("WeasyPrint 70.0 or newer is needed.")
    # What openpyxl itself looks at, without loading it.
    if find_spec("defusedxml") is None or os.environ.get("OPENPYXL_DEFUSEDXML", "True") != "True":
        raise ConfigError("defusedxml is missing: spreadsheets would be read without protection.")
