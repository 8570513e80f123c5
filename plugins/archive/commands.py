"""The command `portal archive`."""

from __future__ import annotations

import sys

import click
from flask.cli import with_appcontext

from plugins.archive import checking
from portal.core.storage import StorageError
from portal.org.actor import SYSTEM


@click.group("archive", help="The customer archive's storage.")
def archive() -> None:
    """Group of commands."""


@archive.command("check")
@click.option("--repair-orphans", is_flag=True, help="Remove contents that nothing refers to (after ten minutes).")
@with_appcontext
def check(repair_orphans: bool) -> None:
    """Read every content of the archive: digests, missing ones, orphans. Ends with 1 when something is wrong."""
    try:
        found = checking.scan(SYSTEM, repair_orphans)
    except (StorageError, OSError) as error:
        click.echo(f"The archive's storage does not answer: {error}", err=True)
        sys.exit(2)
    click.echo(f"{found.checked} contents read ({found.bytes:,} bytes).")
    for title, names in (("missing", found.missing), ("damaged", found.damaged)):
        for name in names:
            click.echo(f"{title}: {name}")
    for name in (*found.orphans, *found.unknown):
        click.echo(f"orphan: {name}")
    if repair_orphans:
        click.echo(f"{found.removed} orphans removed.")
    if not found.is_well:
        click.echo("The archive is NOT whole. Restore the files named above from the backup.", err=True)
        sys.exit(1)
    click.echo("The archive is whole.")
