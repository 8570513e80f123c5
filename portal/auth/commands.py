"""Commands: the first administrator, plugins."""

from __future__ import annotations

import json

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import func, select

from portal import migrating
from portal.auth import services
from portal.auth.plugin_state import is_fixed_by_environment, waiting_disabled, write_disabled
from portal.auth.plugin_switch import switched
from portal.auth.throttle import normal_login
from portal.core.errors import Invalid
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import SYSTEM
from portal.org.models import ADMINISTRATOR, User
from portal.org.services import DepartmentInput, PersonInput, create_department, create_person
from portal.pluginmanager import PluginError, PluginManager, manager


@click.command("init")
@click.option("--login", default="admin", show_default=True, help="Log-in name of the first administrator.")
@click.option("--name", default="", help="His name.")
@click.option("--organisation", default="", help="Name of the top department; default: the setting ORGANISATION.")
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@with_appcontext
def init(login: str, name: str, organisation: str, as_json: bool) -> None:
    """Make the database when it is empty, the top department, and the first administrator with a one-time password."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if not migrating.current_heads(app):
        migrating.upgrade(app)
    try:
        with transaction():
            if db.session.scalar(select(func.count()).select_from(User)):
                raise click.ClickException("There are people already; nothing was changed.")
            department = create_department(
                DepartmentInput(name=organisation or current_app.config["ORGANISATION"], code="ROOT"), SYSTEM
            )
            person = create_person(
                PersonInput(
                    login=normal_login(login),
                    name=name or str(_("Administrator")),
                    department_id=department.id,
                    roles=(ADMINISTRATOR,),
                ),
                SYSTEM,
            )
            password = services.issue_one_time_password(person.id, SYSTEM)
            account = {"login": person.login, "password": password}
    except Invalid as error:
        raise click.ClickException(" ".join(str(message) for _field, message in error.errors)) from error
    if as_json:
        click.echo(json.dumps(account, ensure_ascii=False))
        return
    click.echo(f"First administrator: {account['login']}")
    click.echo(f"One-time password:   {account['password']}")
    click.echo("It is shown once, works for 24 hours and must be changed at the first log-in.")


@click.group("plugins")
def plugins() -> None:
    """List plugins, switch them on and off."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def list_plugins(as_json: bool) -> None:
    """All installed plugins with version, state and hooks."""
    found = manager()
    lines = [
        {
            "name": plugin.info.name,
            "version": plugin.info.version,
            "enabled": plugin.enabled,
            "title": str(plugin.info.title),
            "requires": list(plugin.info.requires),
            "hooks": found.hooks_of(plugin.info.name),
        }
        for plugin in found.plugins
    ]
    if as_json:
        click.echo(json.dumps(lines, ensure_ascii=False, indent=2))
        return
    if not lines:
        click.echo("No plugins are installed.")
    for line in lines:
        state = "on " if line["enabled"] else "off"
        click.echo(f"{state}  {line['name']} {line['version']}  {line['title']}")
        if line["hooks"]:
            click.echo(f"     hooks: {', '.join(line['hooks'])}")  # type: ignore[arg-type]


@plugins.command("enable")
@click.argument("name")
@with_appcontext
def enable(name: str) -> None:
    """Switch a plugin on (after the next start)."""
    _switch(manager(), name, True)


@plugins.command("disable")
@click.argument("name")
@with_appcontext
def disable(name: str) -> None:
    """Switch a plugin off (after the next start); its data stays."""
    _switch(manager(), name, False)


def _switch(found: PluginManager, name: str, enabled: bool) -> None:
    data_dir = current_app.config["DATA_DIR"]
    if is_fixed_by_environment():
        raise click.ClickException("DISABLED_PLUGINS is set in the environment; change it there.")
    try:
        disabled = switched(found.plugins, waiting_disabled(data_dir), name, enabled)
    except PluginError as error:
        raise click.ClickException(str(error)) from error
    with transaction():
        services.record_plugin_switch(name, enabled, SYSTEM)
    write_disabled(data_dir, disabled)
    click.echo(f"{name} is {'on' if enabled else 'off'} after the next start of the portal.")
