"""The application factory: named steps in order, no database I/O."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.config import PROJECT_ROOT, load_config
from portal.core import clock, database, error_pages, headers, logs, pace, settings, web
from portal.core.permissions import PermissionRegistry
from portal.core.registry import Registry
from portal.core.transaction import forget_page
from portal.extensions import babel, bootstrap, csrf, db, login_manager
from portal.i18n import catalogue
from portal.i18n.selection import select_language, select_timezone
from portal.pluginmanager import PluginError, PluginManager, discover

#: Registry name → hook that fills it.
REGISTRIES = {
    "approval_kinds": "register_approval_kinds",
    "jobs": "register_jobs",
    "notice_kinds": "register_notice_kinds",
    "document_kinds": "register_document_kinds",
    "listings": "register_listings",
    "audit_words": "register_audit_words",
    "import_targets": "register_import_targets",
    "file_stores": "register_file_stores",
    "occasions": "register_occasions",
}


def create_app(extra_plugins: Iterable[ModuleType] = (), **overrides: Any) -> Flask:
    """Build an application.

    :param extra_plugins: plugin packages that are not installed (tests).
    :param overrides: settings that win over the environment.
    :raises ConfigError, PluginError: the portal fails here rather than while drawing a page.
    """
    app = Flask(
        "portal",
        root_path=str(PROJECT_ROOT / "portal"),
        template_folder=str(PROJECT_ROOT / "templates"),
        static_folder=None,
    )
    configure(app, overrides)
    prepare_plugins(app, extra_plugins)
    bind_extensions(app)
    import_models(app)
    fill_registries(app)
    attach_request_guards(app)
    register_pages(app)
    register_commands(app)
    check(app)
    return app


def configure(app: Flask, overrides: dict[str, Any]) -> None:
    """Settings, time zone, logging, proxies, template engine."""
    app.config.from_mapping(load_config(**overrides))
    clock.set_zone(app.config["TIMEZONE"])
    logs.init_logging()
    for name in ("alembic", "fontTools", "pikepdf", "weasyprint"):
        logging.getLogger(name).setLevel(logging.WARNING)
    pace.init_app(app)
    hops = app.config["PROXY_HOPS"]
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.url_map.converters["int"] = web.NumberConverter
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True, "auto_reload": False}


def prepare_plugins(app: Flask, extra: Iterable[ModuleType]) -> None:
    """Find and import the plugins and their hooks."""
    plugins = PluginManager(discover(app.config["DISABLED_PLUGINS"], extra))
    app.extensions["portal_plugins"] = plugins
    plugins.load()


def bind_extensions(app: Flask) -> None:
    """Database, log-in, CSRF, languages, assets."""
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        **database.engine_options(app.config["SQLALCHEMY_DATABASE_URI"]),
        **app.config.get("SQLALCHEMY_ENGINE_OPTIONS", {}),
    }
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite:///"):
        Path(app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    with app.app_context():
        database.prepare_engine(db.engine)
    csrf.init_app(app)
    login_manager.init_app(app)
    bootstrap.init_app(app)
    folders = [PROJECT_ROOT / "portal" / "translations"]
    folders += [plugin.translations for plugin in app.extensions["portal_plugins"].plugins if plugin.translations]
    babel.init_app(
        app,
        default_translation_directories=";".join(str(folder) for folder in folders),
        locale_selector=select_language,
        timezone_selector=select_timezone,
    )
    catalogue.init_app(app)


def import_models(app: Flask) -> None:
    """Make every table known, those of plugins that are switched off included: their data stays."""
    import importlib
    import importlib.util

    from portal.pluginmanager import CORE_MODULES

    packages = [*CORE_MODULES, *(plugin.package.__name__ for plugin in app.extensions["portal_plugins"].plugins)]
    for package in packages:
        if importlib.util.find_spec(f"{package}.models"):
            importlib.import_module(f"{package}.models")


def fill_registries(app: Flask) -> None:
    """Ask every module what it registers."""
    plugins: PluginManager = app.extensions["portal_plugins"]
    permissions = PermissionRegistry()
    permissions.add_permissions(plugins.collect("register_permissions"))
    permissions.add_rules(plugins.collect("register_rules"))
    app.extensions["portal_permissions"] = permissions
    definitions = settings.SettingRegistry()
    definitions.add(plugins.collect("register_settings"))
    app.extensions["portal_settings"] = definitions
    for name, hook in REGISTRIES.items():
        found: Registry[Any] = Registry(name)
        app.extensions[f"portal_{name}"] = found
        found.add(plugins.collect(hook))
    for listing in app.extensions["portal_listings"]:
        listing.extend(plugins.collect("register_listing_columns", listing=listing.key))


def attach_request_guards(app: Flask) -> None:
    """What happens around every request, outermost first."""
    from portal.auth import guard
    from portal.core import assets
    from portal.home import context

    headers.init_app(app)
    guard.init_app(app)
    assets.init_app(app)
    context.init_app(app)
    error_pages.init_app(app)

    @app.teardown_request
    @app.teardown_appcontext
    def _forget(_error: BaseException | None) -> None:
        settings.forget_cache()
        forget_page()


def register_pages(app: Flask) -> None:
    """Blueprints of the core and of the plugins; menu entries."""
    plugins: PluginManager = app.extensions["portal_plugins"]
    for blueprint in plugins.collect("register_blueprints"):
        app.register_blueprint(blueprint)
    app.extensions["portal_navigation"] = plugins.collect("register_navigation")


def register_commands(app: Flask) -> None:
    """Commands that modules offer; `portal.cli` adds its own."""
    for command in app.extensions["portal_plugins"].collect("register_commands"):
        if command.name in app.cli.commands:
            raise PluginError(f"Command {command.name!r} is registered twice.")
        app.cli.add_command(command)


def check(app: Flask) -> None:
    """What would fail while drawing a page fails here instead."""
    from portal.core.checks import run_checks

    run_checks(app)
