"""What the audit trail calls settings, plugins, pages, permissions and ways to log in, which it keeps by key."""

from __future__ import annotations

from typing import Any

from flask import current_app

from portal.audit.labels import AuditFinder, AuditTerm, value_words
from portal.auth.methods import LOCAL
from portal.core import settings
from portal.core.navigation import NavItem
from portal.core.permissions import registry
from portal.i18n import _l

#: How a page was asked for, and how somebody logged in: both stand in the field "method".
_METHODS: dict[str, Any] = {
    LOCAL: _l("Log-in name and password"),
    "GET": _l("Page opened"),
    "HEAD": _l("Page opened"),
    "POST": _l("Form sent"),
}


def setting_label(key: str) -> Any:
    """What a setting is called."""
    definition = settings.registry().definitions.get(key)
    return definition.label if definition is not None else None


def setting_value(value: Any, entry: Any) -> Any:
    """A choice of a setting by its label."""
    definition = settings.registry().definitions.get(entry.object_label) if entry is not None else None
    return dict(definition.choices).get(value) if definition is not None and isinstance(value, str) else None


def plugin_label(name: str) -> Any:
    """What a plugin is called."""
    return next((plugin.info.title for plugin in _plugins() if plugin.info.name == name), None)


def _plugins() -> list[Any]:
    return list(current_app.extensions["portal_plugins"].plugins)


def page_label(endpoint: str) -> Any:
    """The entry of the menu that a page belongs to; "" for others, whose address stands in the entry."""
    items = [item for item in current_app.extensions["portal_navigation"] if isinstance(item, NavItem)]
    own = [item.label for item in items if item.endpoint == endpoint]
    near = [item.label for item in items if item.endpoint.partition(".")[0] == endpoint.partition(".")[0]]
    return next(iter([*own, *near]), "")


def permission_title(name: Any, _entry: Any = None) -> Any:
    """What a permission allows, in its words."""
    permission = registry().permissions.get(name)
    return permission.title if permission is not None else None


AUDIT_WORDS: list[AuditTerm] = [
    AuditFinder("label", "setting", setting_label, lambda: settings.registry().definitions),
    AuditFinder("label", "plugin", plugin_label, lambda: [plugin.info.name for plugin in _plugins()]),
    AuditFinder("label", "page", page_label),
    AuditFinder("names", "settings:value", setting_value),
    AuditFinder("names", "*:permission", permission_title),
    *value_words("auth", (("method", _METHODS),)),
]
