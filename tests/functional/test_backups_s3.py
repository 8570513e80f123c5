"""A portal whose files, archive and backups lie in buckets: backed up, lost, refused with a wrong key, restored."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from sqlalchemy import update

from plugins.archive import checking, vault
from portal.backups import place, restoring, services
from portal.backups.errors import BackupError
from portal.backups.models import BackupKind
from portal.core.storage import archive_storage, storage
from portal.core.storage.keyring import new_ring, save
from portal.core.transaction import transaction
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.actor import SYSTEM
from tests.archive_world import add_file, pdf
from tests.functional.test_backups_sets import keep_document, names_of_customers
from tests.world import World

pytestmark = pytest.mark.db


@pytest.fixture
def app_settings(s3_endpoint: str) -> dict[str, Any]:
    prefix = f"s3://portal/{secrets.token_hex(4)}"
    return {
        "FILES_URL": f"{prefix}/files",
        "ARCHIVE_URL": f"{prefix}/archive",
        "BACKUP_URL": f"{prefix}/backups",
        "S3_ENDPOINT": s3_endpoint,
        "S3_ACCESS_KEY_ID": "test",
        "S3_SECRET_ACCESS_KEY": "test",
    }


def test_everything_that_was_lost_in_the_buckets_comes_back_from_the_backup(world: World) -> None:
    document = keep_document(1)
    add_file(world.customer_id("maotai"))
    made = services.run_backup(SYSTEM, BackupKind.COMMAND, verify=True)
    assert (made.files, made.missing_files, made.is_whole) == (2, 0, True)
    before = names_of_customers()
    with transaction():
        db.session.execute(update(Customer).values(name="改坏了"))
    for one in (storage(), archive_storage()):
        for key in list(one.all_keys()):
            one.delete(key)
    assert not checking.scan(SYSTEM).is_well

    ring = place.backup_key_file().read_bytes()
    save(place.backup_key_file(), new_ring())
    with pytest.raises(BackupError, match="another key"), place.exclusive():
        restoring.restore(made.name, replace=True)
    assert set(names_of_customers()) == {"改坏了"}
    place.backup_key_file().write_bytes(ring)

    with place.exclusive():
        done = restoring.restore(made.name, replace=True)
    assert (done.files_written, names_of_customers()) == (2, before)
    assert storage().get(document) == b"document 1" * 50
    assert [vault.vault().get(key) for key in archive_storage().all_keys()] == [pdf(2)]
    assert checking.scan(SYSTEM).is_well
