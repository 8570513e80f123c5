"""`portal backup …` and `portal storage …`"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask.cli import with_appcontext

from portal.backups import integrity, making, place, queries, services
from portal.backups.actions import BackupAction
from portal.backups.errors import BackupError
from portal.backups.models import BackupKind
from portal.core import clock
from portal.core.errors import PortalError
from portal.core.storage.contract import StorageError
from portal.core.storage.keyring import add_key, export, from_export, load, save
from portal.core.storage.places import ring_file
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.actor import SYSTEM

if TYPE_CHECKING:
    from portal.backups import restoring


@click.group("backup")
def backup() -> None:
    """Backups of the database and of all files."""


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Expected trouble is one sentence, not a stack."""
    try:
        yield
    except (BackupError, PortalError) as error:
        raise click.ClickException(str(error.message)) from error
    except (StorageError, OSError) as error:
        raise click.ClickException(making.reason_of(error)) from error


def _show(done: int, total: int, label: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{label} {done}/{total}", nl=False, err=True)
        if done == total:
            click.echo("\r\033[K", nl=False, err=True)


@backup.command("create")
@click.option("--verify/--no-verify", default=None, help="Prove it by a trial restore (default: the setting).")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@with_appcontext
def create(verify: bool | None, as_json: bool) -> None:
    """Make a backup now."""
    with _plain_errors():
        made = services.run_backup(SYSTEM, BackupKind.COMMAND, _show, verify)
    if as_json:
        click.echo(json.dumps(queries.as_json(made)))
    else:
        size, new = _mib(made.bytes), _mib(made.new_bytes)
        click.echo(f"{made.name}: {made.files} files, {size} ({new} new), {made.milliseconds / 1000:.1f} s")
        if made.missing_files:
            click.echo(f"{made.missing_files} files were missing or damaged in the storage.", err=True)
    if made.is_whole is False:
        raise click.ClickException(f"The trial restore failed: {made.verify_problem}")


@backup.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@with_appcontext
def show_list(as_json: bool) -> None:
    """List the backups that are there."""
    with _plain_errors():
        shelf = making.open_shelf()
        rows: list[dict[str, object]] = []
        for name in shelf.names():
            try:
                manifest = shelf.manifest(name)
            except BackupError as error:
                rows.append({"name": name, "problem": str(error.message)})
                continue
            rows.append(
                {
                    "name": name,
                    "made_at": manifest.made_at,
                    "kind": manifest.kind,
                    "bytes": manifest.bytes,
                    "new_bytes": manifest.new_bytes,
                    "files": manifest.files,
                    "missing_files": len(manifest.missing),
                    "database": f"{manifest.dialect} {manifest.database_version}",
                    "portal": manifest.portal,
                    "audit": f"{manifest.audit_seq}:{manifest.audit_hash}",
                }
            )
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    if not rows:
        click.echo(f"There are no backups in {place.backup_place().describe()}.")
    for row in rows:
        if "problem" in row:
            click.echo(f"{row['name']}  {row['problem']}")
        else:
            facts = f"{row['files']} files  {_mib(int(str(row['bytes'])))}  {row['database']}"
            made = clock.local(datetime.fromisoformat(str(row["made_at"])))
            click.echo(f"{row['name']}  {made:%Y-%m-%d %H:%M}  {row['kind']:9}  {facts}")


@backup.command("verify")
@click.argument("name", default="latest")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@with_appcontext
def verify(name: str, as_json: bool) -> None:
    """Restore the backup NAME (default: the latest) into a scratch place and compare everything; exit 1 if broken."""
    with _plain_errors():
        proof = services.run_proof(_named(name), SYSTEM, _show)
    if as_json:
        facts = {"name": proof.manifest.name, "whole": proof.is_whole, "problem": proof.problem, "files": proof.files}
        facts |= {"tables": proof.tables, "rows": proof.rows, "audit_entries": proof.audit_entries}
        click.echo(json.dumps({**facts, "seconds": round(proof.seconds, 3)}))
    elif proof.is_whole:
        click.echo(
            f"{proof.manifest.name} is whole: {proof.tables} tables, {proof.rows} rows, {proof.files} files and "
            f"{proof.audit_entries} audit entries restored and compared in {proof.seconds:.1f} s."
        )
    if not proof.is_whole:
        raise click.ClickException(f"{proof.manifest.name} is broken: {proof.problem}")


@backup.command("restore")
@click.argument("name", default="latest")
@click.option("--replace", is_flag=True, help="The database has data: put it aside and replace it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def restore(name: str, replace: bool, yes: bool) -> None:
    """Restore the backup NAME (default: the latest). Stop the portal first.

    Everything is read and proven before anything is touched. The old database is kept aside; files are only added.
    """
    with _plain_errors():
        name = _named(name)
        if replace and not yes:
            click.confirm(f"Put the present database aside and restore {name}?", abort=True)
        with place.exclusive():
            from portal.backups import restoring

            done = restoring.restore(name, replace, _show)
    click.echo(f"{name} was restored in {done.seconds:.1f} s; {done.files_written} files were brought back.")
    for where in done.aside:
        click.echo(f"The old state is kept: {where}")
    if done.needs_upgrade:
        click.echo("The backup is of an earlier version: run “portal db upgrade” before the portal starts.")
    else:
        _after_restore(name, done)


def _after_restore(name: str, done: restoring.Restored) -> None:
    """Write the restore into the restored trail, and make the rows agree with the sets that are there."""
    from portal.audit.services import record

    with transaction():
        services.take_stock()
        record(
            SYSTEM,
            BackupAction.RESTORE,
            object_type="backup",
            object_id=None,
            object_label=name,
            new={"files": done.files_written, "audit_seq": done.manifest.audit_seq, "aside": len(done.aside)},
        )
    db.session.remove()


@backup.command("mend")
@click.argument("name", default="latest")
@with_appcontext
def mend(name: str) -> None:
    """Bring back missing and damaged files from the backup NAME; the database is not touched."""
    with _plain_errors(), place.exclusive():
        from portal.backups import restoring

        written = restoring.mend_files(_named(name), _show)
    click.echo(f"{written} files were brought back.")


@backup.command("export-key")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--passphrase", prompt=True, hide_input=True, confirmation_prompt=True, help="At least 12 characters.")
@with_appcontext
def export_key(target: Path, passphrase: str) -> None:
    """Write the backups' key, under a passphrase, into the file TARGET: for a safe."""
    with _plain_errors():
        ring = place.backup_ring().ring()
        text = export(ring, passphrase)
        if target.exists():
            raise click.ClickException(f"{target} is there already.")
        target.touch(mode=0o600)
        target.write_text(text + "\n", encoding="ascii")
        with transaction():
            services.record_key(BackupAction.KEY_EXPORTED, SYSTEM, "backups", [key.id for key in ring.keys])
    click.echo(f"The key {ring.newest.id} was written to {target}. Keep it and its passphrase in two places.")


@backup.command("import-key")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--passphrase", prompt=True, hide_input=True)
@with_appcontext
def import_key(source: Path, passphrase: str) -> None:
    """Put the key of an export into its place: on a new machine, or when the key file was lost.

    The imported key seals from now on; what the present file can open stays readable.
    """
    path = place.backup_key_file()
    with _plain_errors():
        ring = from_export(source.read_text(encoding="utf-8", errors="replace"), passphrase)
        with suppress(FileNotFoundError):
            ring = ring.joined(load(path))
        save(path, ring)
    click.echo(f"The key {ring.newest.id} is in {path}.")
    try:
        with transaction():
            services.record_key(BackupAction.KEY_IMPORTED, SYSTEM, "backups", [key.id for key in ring.keys])
    except Exception:  # on a new machine there is no database yet; the restore comes next
        db.session.rollback()
        click.echo("There is no database yet to record it in.", err=True)


@backup.command("rotate-key")
@with_appcontext
def rotate_key() -> None:
    """Add a new key for backups. The next backup copies all files anew; older ones stay readable with the older key."""
    with _plain_errors():
        place.backup_ring().ring()
        ring = add_key(place.backup_key_file())
        with transaction():
            services.record_key(BackupAction.KEY_ADDED, SYSTEM, "backups", [ring.newest.id])
    click.echo(f"The next backup is sealed with the key {ring.newest.id}. Export it anew: portal backup export-key.")


@click.group("storage")
def storage() -> None:
    """The files of the portal: documents, exports, imports, archive."""


@storage.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@with_appcontext
def check(as_json: bool) -> None:
    """Read all files, prove them, compare them with the rows; exit 1 when any is missing or damaged."""
    with _plain_errors():
        found = services.run_scan(SYSTEM, _show)
    details = queries.scan_details(found)
    if as_json:
        facts = {"files": found.files, "bytes": found.bytes, "missing": found.missing, "damaged": found.damaged}
        facts |= {"orphans": found.orphans, "old_keys": found.old_keys}
        click.echo(json.dumps({**facts, "details": details}, indent=1))
    else:
        click.echo(
            f"{found.files} files ({_mib(found.bytes)}): {found.missing} missing, {found.damaged} damaged, "
            f"{found.orphans} without a row, {found.old_keys} with an older key."
        )
        for problem, items in details.items():
            for where, key in items:
                click.echo(f"{problem}: {where} {key}")
    if found.missing or found.damaged:
        sys.exit(1)


@storage.command("rotate-key")
@click.option("--now", is_flag=True, help="Seal all files anew here instead of leaving it to the worker.")
@with_appcontext
def rotate_storage_key(now: bool) -> None:
    """Add a new key and seal all files with it. Can be cut off at any time; run again, it goes on."""
    with _plain_errors():
        ring_file().ring()
        ring = add_key(ring_file().path)
        with transaction():
            services.record_key(BackupAction.KEY_ADDED, SYSTEM, "storage", [ring.newest.id])
            if not now:
                from portal.jobs.services import enqueue

                enqueue(services.RESEAL_JOB, SYSTEM, unique_key=services.RESEAL_JOB)
        click.echo(f"Files are sealed with the key {ring.newest.id} from now on.")
        if now:
            done = integrity.rotate(_show, new=False)
            click.echo(f"{done['resealed']} of {done['files']} files were sealed anew, {done['failed']} failed.")
            if done["failed"]:
                sys.exit(1)
        else:
            click.echo("The worker seals the older files anew; its page of jobs shows how far it is.")


def _named(name: str) -> str:
    if name != "latest":
        return name
    names = making.open_shelf().names()
    if not names:
        raise click.ClickException(f"There are no backups in {place.backup_place().describe()}.")
    return names[-1]


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB"
