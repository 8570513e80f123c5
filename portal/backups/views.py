"""The administrator's page of backups. Nothing can be downloaded here."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from portal.auth.current import current_actor
from portal.backups import place, queries, services
from portal.backups import settings as when
from portal.backups.labels import KINDS
from portal.backups.models import BackupKind
from portal.backups.permissions import ADMINISTER
from portal.core import settings
from portal.core.storage import storage_called
from portal.core.storage.places import ring_file
from portal.core.storage.stores import STORAGES
from portal.core.transaction import transaction
from portal.core.web import access, refuse_large_id
from portal.i18n import _

blueprint = Blueprint("backups", __name__, url_prefix="/admin/backups")


@blueprint.get("")
@access(ADMINISTER)
def index() -> str:
    """How backups stand, which there are, how the storage is."""
    scan = queries.last_scan()
    return render_template(
        "backups/index.html",
        health=queries.health(),
        backups=queries.kept(),
        failures=queries.failures(),
        scan=scan,
        scan_details=queries.scan_details(scan) if scan else {},
        kinds=KINDS,
        day=dict(when.DAYS)[str(settings.get("backups.day"))],
        hour=settings.get("backups.hour"),
        weekly=settings.get("backups.keep_weekly"),
        monthly=settings.get("backups.keep_monthly"),
        place=place.backup_place().describe(),
        key_file=place.backup_key_file(),
        storages={name: storage_called(name).place.describe() for name in STORAGES},
        storage_key_file=ring_file().path,
    )


@blueprint.post("/create")
@access(ADMINISTER)
def create() -> Response:
    """Make a backup now."""
    with transaction():
        run_id = services.start_backup(current_actor(), BackupKind.HAND).id
    return redirect(url_for("jobs.show", run_id=run_id))


@blueprint.post("/<int:backup_id>/verify")
@access(ADMINISTER)
def verify(backup_id: int) -> Response:
    """Restore drill: restore a backup for trial."""
    with transaction():
        run_id = services.start_proof(queries.backup_by_id(refuse_large_id(backup_id)), current_actor()).id
    return redirect(url_for("jobs.show", run_id=run_id))


@blueprint.post("/scan")
@access(ADMINISTER)
def scan() -> Response:
    """Read all files now."""
    with transaction():
        run_id = services.start_scan(current_actor()).id
    flash(_("All files are being read."), "info")
    return redirect(url_for("jobs.show", run_id=run_id))
