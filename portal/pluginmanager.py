"""Finds, orders, checks and loads plugins.

Plugins are found through the entry-point group ``portal.plugins``: the built-in ones of this project and those of any
installed package. An entry point names the plugin's package; the package's ``plugin`` attribute is a `PluginInfo` and
its module ``hooks`` carries the implementations. A plugin named in DISABLED_PLUGINS keeps its tables and migrations;
everything else of it is absent.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from portal import hookspecs
from portal.core.together import Question, ask
from portal.core.transaction import once_a_page
from portal.hookspecs import PROJECT

ENTRY_POINT_GROUP = "portal.plugins"
_NAME = re.compile(r"^[a-z][a-z0-9_]{1,30}$")

#: Modules of the core that offer hooks, in the order in which they are asked.
CORE_MODULES = (
    "portal.org",
    "portal.auth",
    "portal.audit",
    "portal.jobs",
    "portal.notifications",
    "portal.documents",
    "portal.charts",
    "portal.backups",
    "portal.approvals",
    "portal.customers",
    "portal.customers.merging",
    "portal.customers.importing",
    "portal.customers.exporting",
    "portal.purchases",
    "portal.home",
)


class PluginError(Exception):
    """A plugin cannot be loaded; the start stops with this sentence."""


@dataclass(frozen=True)
class PluginInfo:
    """What a plugin says of itself.

    :ivar name: also the blueprint's name, the table prefix and the template folder.
    :ivar title: translatable name for pages.
    :ivar requires: names of plugins that must be enabled too.
    """

    name: str
    version: str
    title: Any
    summary: Any = ""
    requires: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadedPlugin:
    """An installed plugin, enabled or not."""

    info: PluginInfo
    package: ModuleType
    enabled: bool

    @property
    def folder(self) -> Path:
        """Where the plugin's files are."""
        return Path(self.package.__file__ or "").parent

    @property
    def migrations(self) -> Path | None:
        """The plugin's Alembic versions, if it has tables."""
        folder = self.folder / "migrations"
        return folder if folder.is_dir() else None

    @property
    def translations(self) -> Path | None:
        """The plugin's catalogues, if it has any."""
        folder = self.folder / "translations"
        return folder if folder.is_dir() else None


class PluginManager:
    """The hooks of one application and the plugins behind them."""

    def __init__(self, plugins: list[LoadedPlugin]) -> None:
        self.plugins = plugins
        self.pluggy = pluggy.PluginManager(PROJECT)
        self.pluggy.add_hookspecs(hookspecs)

    @property
    def hook(self) -> Any:
        """Caller of the hooks: ``manager.hook.name(argument=…)``."""
        return self.pluggy.hook

    @property
    def enabled(self) -> list[LoadedPlugin]:
        """The plugins whose pages, jobs and hooks are there."""
        return [plugin for plugin in self.plugins if plugin.enabled]

    def load(self) -> None:
        """Import the hooks of the core and of the enabled plugins.

        :raises PluginError: for a misspelt or unknown hook, a missing requirement, an import that fails.
        """
        # pluggy asks the one registered last first; registering in reverse keeps the order of the lists.
        for plugin in reversed(self.enabled):
            self._register(f"{plugin.package.__name__}.hooks", plugin.info.name)
        for name in reversed(CORE_MODULES):
            self._register(f"{name}.hooks", name)
        try:
            self.pluggy.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(f"A hook is not known: {error}") from error
        self._refuse_unmarked()

    def _register(self, module_name: str, name: str) -> None:
        module = importlib.import_module(module_name)
        try:
            self.pluggy.register(module, name=name)
        except pluggy.PluginValidationError as error:
            raise PluginError(f"Plugin {name!r}: {error}") from error

    def _refuse_unmarked(self) -> None:
        """A function named like a hook but without the marker would be silent; say so instead."""
        known = {name for name in vars(hookspecs) if hasattr(getattr(hookspecs, name), f"{PROJECT}_spec")}
        for name, module in self.pluggy.list_name_plugin():
            for attribute in known & set(vars(module)):
                if not hasattr(getattr(module, attribute), f"{PROJECT}_impl"):
                    raise PluginError(f"{name}: {attribute}() is named like a hook but lacks @hookimpl.")

    def collect(self, hook: str, **arguments: Any) -> list[Any]:
        """Ask a hook whose answers are sequences and join them."""
        answers = getattr(self.hook, hook)(**arguments)
        return [item for answer in answers for item in answer]

    def hooks_of(self, name: str) -> list[str]:
        """Names of the hooks that a plugin implements."""
        plugin = self.pluggy.get_plugin(name)
        if plugin is None:
            return []
        return sorted(caller.name for caller in self.pluggy.get_hookcallers(plugin) or [])


def discover(disabled: Iterable[str] = (), extra: Iterable[ModuleType] = ()) -> list[LoadedPlugin]:
    """Find installed plugins, ordered so that requirements come first, then by name.

    :param disabled: names to leave switched off. :param extra: further packages (tests).
    :raises PluginError: for broken, doubly named or unsatisfied plugins.
    """
    off = set(disabled)
    found: dict[str, LoadedPlugin] = {}
    packages = [_package(point) for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda p: p.name)]
    for package in [*packages, *extra]:
        info = getattr(package, "plugin", None)
        if not isinstance(info, PluginInfo):
            raise PluginError(f"{package.__name__} has no attribute `plugin` of type PluginInfo.")
        if not _NAME.match(info.name):
            raise PluginError(f"Plugin name {info.name!r} must be a short lower-case word.")
        if info.name in found:
            if found[info.name].package is package:
                continue
            raise PluginError(f"Two plugins are named {info.name!r}.")
        found[info.name] = LoadedPlugin(info, package, info.name not in off)
    unknown = off - set(found)
    if unknown:
        raise PluginError(f"DISABLED_PLUGINS names unknown plugins: {', '.join(sorted(unknown))}.")
    return _ordered(found)


def _package(point: EntryPoint) -> ModuleType:
    try:
        return importlib.import_module(point.value)
    except ImportError as error:
        raise PluginError(f"Plugin {point.name!r} ({point.value}) cannot be imported: {error}") from error


def _ordered(found: dict[str, LoadedPlugin]) -> list[LoadedPlugin]:
    done: dict[str, LoadedPlugin] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in done:
            return
        if name in trail:
            raise PluginError(f"Plugins require each other in a circle: {' → '.join((*trail, name))}.")
        plugin = found[name]
        for required in plugin.info.requires:
            other = found.get(required)
            if other is None or (plugin.enabled and not other.enabled):
                raise PluginError(f"Plugin {name!r} needs {required!r}, which is not enabled.")
            visit(required, (*trail, name))
        done[name] = plugin

    for name in sorted(found):
        visit(name, ())
    return list(done.values())


def manager() -> PluginManager:
    """The plugin manager of the running application."""
    from flask import current_app

    return current_app.extensions["portal_plugins"]


def customer_figure(name: str, customer_id: int, actor: Any) -> Any:
    """A value that a module offers about a customer (hook customer_figures); the first one asked for on a page brings
    all of them in one statement. For drawing, never for deciding a change.

    :raises KeyError: nobody offers it.
    """

    def find() -> dict[str, Any]:
        questions: dict[str, Question] = {}
        for answer in manager().hook.customer_figures(customer_id=customer_id, actor=actor):
            if twice := questions.keys() & answer.keys():
                raise PluginError(f"A figure about customers is offered twice: {sorted(twice)}")
            questions |= answer
        return ask(questions)

    return once_a_page(("customer_figures", actor, customer_id), find)[name]
