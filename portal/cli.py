"""The `portal` command."""

from __future__ import annotations

import json
import logging
import os
import sys

import click
from flask import Flask
from flask.cli import FlaskGroup, with_appcontext

from portal import __version__
from portal.app import create_app
from portal.config import OPTIONS, SECRET_OPTIONS, ConfigError
from portal.pluginmanager import PluginError
from portal.startup import without_collector


def _create() -> Flask:
    try:
        with without_collector():
            return create_app()
    except (ConfigError, PluginError) as error:
        raise click.ClickException(str(error)) from error


@click.group(
    cls=FlaskGroup, create_app=_create, add_default_commands=False, add_version_option=False, load_dotenv=False
)
@click.version_option(__version__, prog_name="portal")
def cli() -> None:
    """Customer management portal."""


@cli.group("db")
def database() -> None:
    """Migrate the database."""


@database.command("upgrade")
@click.argument("revision", default="heads")
@with_appcontext
def db_upgrade(revision: str) -> None:
    """Bring the database up to REVISION (default: the newest of every branch)."""
    from flask import current_app

    from portal import migrating

    migrating.upgrade(current_app._get_current_object(), revision)  # type: ignore[attr-defined]


@database.command("downgrade")
@click.argument("revision")
@with_appcontext
def db_downgrade(revision: str) -> None:
    """Take the database back to REVISION, for example vip@base."""
    from flask import current_app

    from portal import migrating

    migrating.downgrade(current_app._get_current_object(), revision)  # type: ignore[attr-defined]


@database.command("revision")
@click.option("--branch", default="portal", help="portal or a plugin's name")
@click.option("-m", "--message", required=True)
@with_appcontext
def db_revision(branch: str, message: str) -> None:
    """Write a new migration from the difference between models and database."""
    from flask import current_app

    from portal import migrating

    migrating.make_revision(current_app._get_current_object(), message, branch)  # type: ignore[attr-defined]


@database.command("check")
@with_appcontext
def db_check() -> None:
    """Say whether the database is at the newest revision and agrees with the models; exit 1 if not."""
    from flask import current_app

    from portal import migrating

    app = current_app._get_current_object()  # type: ignore[attr-defined]
    missing = migrating.missing_heads(app)
    found = migrating.differences(app)
    for item in found:
        click.echo(f"difference: {item}")
    if missing:
        click.echo(f"revisions that are missing: {', '.join(sorted(missing))}")
    if found or missing:
        sys.exit(1)
    click.echo("The database is up to date.")


@cli.command("config")
@click.option("--json", "as_json", is_flag=True, help="machine-readable")
@with_appcontext
def show_config(as_json: bool) -> None:
    """List every setting of the environment with its value and meaning (secrets are hidden)."""
    from flask import current_app

    rows = []
    for option in OPTIONS:
        value = current_app.config[option.name]
        hidden = option.name in SECRET_OPTIONS
        rows.append({"name": option.name, "value": "…" if hidden and value else str(value), "help": option.help})
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        click.echo(f"{row['name']:24} {row['value']:30} {row['help']}")


@cli.command("demo")
@click.option("--json", "as_json", is_flag=True, help="print the demo accounts as JSON")
@with_appcontext
def demo(as_json: bool) -> None:
    """Load the demo company into an empty database and print its accounts."""
    from portal.demo import load as demo_company

    loaded = demo_company.load()
    if not loaded and not demo_company.accounts_file().is_file():
        raise click.ClickException("People exist already and this is not the demo company; nothing was loaded.")
    if as_json:
        click.echo(json.dumps(demo_company.accounts(), ensure_ascii=False, indent=1))
        return
    click.echo(demo_company.accounts_text())


@cli.command("prepare", hidden=True)
@click.option("--demo", is_flag=True)
@with_appcontext
def prepare(demo: bool) -> None:
    """What `portal run` needs done before: migrations, the demo company; says what it does, or why it cannot."""
    from flask import current_app

    from portal import migrating

    app = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        current = not migrating.missing_heads(app)
    except migrating.UnknownRevision as error:
        raise click.ClickException(
            f"The database knows revisions that this portal does not: {error}. It was migrated by a newer version, or"
            " by a plugin that is not installed. Install that, or restore a backup of this version."
        ) from None
    if not demo:
        if not migrating.current_heads(app):
            raise click.ClickException("The database is empty. Make it and the first administrator with: portal init")
        if not current:
            raise click.ClickException("The database is not up to date. Make a backup, then run: portal db upgrade")
        return
    if not current:
        click.echo("Migrating the database …")
        migrating.upgrade(app)
    from portal.demo import load as demo_company

    if demo_company.is_empty():
        click.echo("Loading the demo company (one to three minutes, once) …")
        # What is made on the way is no news to somebody who waits for the first page.
        logging.disable(logging.INFO)
        try:
            demo_company.load()
        finally:
            logging.disable(logging.NOTSET)


# It builds the application itself, for the processes that it forks.
@cli.command("run", with_appcontext=False)
@click.option("--demo", is_flag=True, help="migrate, load the demo company into an empty database, print its accounts")
@click.option("--only", type=click.Choice(("web", "worker")), help="start one of the two, where several machines share")
def run(demo: bool, only: str | None) -> None:
    """Start web server and worker together and stop them together."""
    from portal.server import main as serve

    sys.exit(serve(demo=demo, web=only != "worker", worker=only != "web"))


def main() -> None:
    """Entry point of the console script."""
    # What the portal writes (database, spool of mail, trail of anchors) is for its own account alone.
    os.umask(0o077)
    cli()


if __name__ == "__main__":
    main()
