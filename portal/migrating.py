"""Running migrations: the core's branch and one branch per installed plugin, enabled or not."""

from __future__ import annotations

import os
import warnings
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Connection

from portal.config import PROJECT_ROOT
from portal.core.database import WRITER
from portal.extensions import Base, db

FOLDER = PROJECT_ROOT / "migrations"


def alembic_config(app: Flask) -> Config:
    """Alembic's configuration: locations come from the installed plugins, not from the enabled ones."""
    plugins = app.extensions["portal_plugins"].plugins
    locations = [FOLDER / "versions", *(plugin.migrations for plugin in plugins if plugin.migrations)]
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("version_locations", os.pathsep.join(str(path) for path in locations))
    config.set_main_option("path_separator", "os")
    config.attributes["plugin_prefixes"] = tuple(f"{plugin.info.name}_" for plugin in plugins)
    return config


def upgrade(app: Flask, revision: str = "heads") -> None:
    """Bring the database to a revision; needs an application context."""
    _run(app, command.upgrade, revision)


def downgrade(app: Flask, revision: str) -> None:
    """Take the database back to a revision, such as "portal@base" or "vip@base"."""
    _run(app, command.downgrade, revision)


def current_heads(app: Flask) -> tuple[str, ...]:
    """Revisions the database is at."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_heads()


class UnknownRevision(Exception):
    """The database was brought further than this version of the portal (or its plugins) knows."""


def missing_heads(app: Flask) -> set[str]:
    """Revisions that an upgrade would still bring; a branch that others depend on counts as reached with them.

    :raises UnknownRevision: the database is newer than the code, or a plugin that wrote into it is not installed.
    """
    script = ScriptDirectory.from_config(alembic_config(app))
    known = {revision.revision for revision in script.walk_revisions()}
    if unknown := set(current_heads(app)) - known:
        raise UnknownRevision(", ".join(sorted(unknown)))
    reached: set[str] = set()
    waiting = list(current_heads(app))
    while waiting:
        revision = script.get_revision(waiting.pop())
        reached.add(revision.revision)
        waiting += [*revision._versioned_down_revisions, *revision._resolved_dependencies]
    return set(script.get_heads()) - reached


def differences(app: Flask) -> list[Any]:
    """What the models say and the database does not have, or the reverse; empty when they agree."""
    with db.engine.connect() as connection, warnings.catch_warnings():
        # Indexes on expressions cannot be compared; tests compare them by their SQL.
        warnings.filterwarnings("ignore", message=".*expression-based index")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [item for item in compare_metadata(context, Base.metadata) if not _is_noise(item)]


def make_revision(app: Flask, message: str, branch: str) -> None:
    """Write a new revision for the core ("portal") or a plugin from the difference to the models."""
    config = alembic_config(app)
    config.attributes["branch_prefix"] = "" if branch == "portal" else f"{branch}_"
    plugin = next((p for p in app.extensions["portal_plugins"].plugins if p.info.name == branch), None)
    folder = FOLDER / "versions" if branch == "portal" else plugin.folder / "migrations"  # type: ignore[union-attr]
    first = not any(folder.glob("*.py"))
    options: dict[str, Any] = {"version_path": str(folder), "message": message, "autogenerate": True}
    if first:
        options |= {"head": "base", "branch_label": branch, "splice": True}
        if branch != "portal":
            options["depends_on"] = "portal"
    else:
        options["head"] = f"{branch}@head"
    _run_with(app, config, lambda cfg: command.revision(cfg, **options))


def _run(app: Flask, action: Any, revision: str) -> None:
    _run_with(app, alembic_config(app), lambda config: action(config, revision))


def _run_with(app: Flask, config: Config, action: Any) -> None:
    engine = db.engine.execution_options(**{WRITER: True})
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Tables are rebuilt by copying; references must not be checked in between.
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.commit()
        config.attributes["connection"] = connection
        action(config)
        connection.commit()
        _restore(connection)


def _restore(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        connection.commit()
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        if broken:
            raise RuntimeError(f"references are broken after the migration: {broken[:3]}")


def _is_noise(item: Any) -> bool:
    # Server defaults and comments are not compared; nothing else is left out.
    return isinstance(item, list) and not item
