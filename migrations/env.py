"""Alembic environment: runs on the connection that `portal db` opens."""

from __future__ import annotations

from alembic import context

from portal.extensions import Base

config = context.config
connection = config.attributes.get("connection")
if connection is None:
    raise SystemExit("Use `portal db upgrade`: migrations need the portal's configuration.")


def include_object(item: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    """With `portal db revision`, look only at the tables of one branch (the core or one plugin)."""
    prefixes = config.attributes.get("plugin_prefixes", ())
    wanted = config.attributes.get("branch_prefix")
    if kind != "table" or name is None:
        return True
    owner = next((prefix for prefix in prefixes if name.startswith(prefix)), "")
    return wanted is None or owner == wanted


def render_item(kind: str, item: object, autogen_context: object) -> str | bool:
    """Write the portal's own column types as plain ones: a migration must not change when the code does."""
    if kind != "type" or not type(item).__module__.startswith("portal."):
        return False
    return {"UTCDateTime": "sa.DateTime(timezone=True)", "Money": "sa.BigInteger()"}[type(item).__name__]


context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    compare_type=True,
    render_as_batch=connection.dialect.name == "sqlite",
    include_object=include_object,
    render_item=render_item,
    version_table="alembic_version",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
