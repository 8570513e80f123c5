"""Audit packs: the whole history with the chain's proof, and the pack itself in the trail (R-ARC-8, R-ARC-11)."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from plugins.archive.copies import states
from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.lookups.models import PAPER, ArchiveGrant
from plugins.archive.pack import queries, services
from portal.audit.chain import entry_hash
from portal.audit.models import AuditEntry
from portal.core.errors import NotAllowed, NotFound
from portal.extensions import db
from tests.archive_world import add_file, granted, reserved, walk
from tests.world import World

pytestmark = pytest.mark.db


@pytest.fixture
def app_settings() -> dict[str, Any]:
    return {"JOBS_IMMEDIATE": False}


@pytest.fixture
def copy_id(app: Flask, world: World) -> int:
    """A copy of anna's that was handed over, and another customer's look-up that is none of its business."""
    add_file(world.customer_id("maotai"))
    granted(app, world, "cara", "fenjiu")
    found = reserved(world, granted(app, world, "anna", "maotai", PAPER))
    walk(world, found, states.MAKE, states.SEND, states.COUNT, states.SIGN)
    db.session.rollback()
    return found


def test_a_pack_has_the_history_with_hashes_that_prove_themselves(
    app: Flask, world: World, copy_id: int, tmp_path: Path
) -> None:
    steps: list[tuple[int, int]] = []
    with app.test_request_context():
        pack = services.make_pack(
            queries.COPY, copy_id, tmp_path, world.actor("audrey"), lambda done, total: steps.append((done, total))
        )
    assert pack.is_whole
    with zipfile.ZipFile(pack.path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert set(files) == {"history.pdf", "history.csv", "proof.json", "SHA256SUMS"}
    for line in files["SHA256SUMS"].decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(files[name]).hexdigest() == digest
    proof = json.loads(files["proof.json"])
    assert proof["chain"]["whole"] is True
    for entry in proof["entries"]:
        assert entry_hash(entry["values"]) == entry["hash"]
    actions = [entry["values"][proof["fields"].index("action")] for entry in proof["entries"]]
    for wanted in ("archive:lookup:file", "archive:grant:give", "archive:copy:reserve", "archive:copy:sign"):
        assert wanted in actions
    customers = {entry["values"][proof["fields"].index("customer_id")] for entry in proof["entries"]}
    assert world.customer_id("fenjiu") not in customers
    rows = list(csv.reader(io.StringIO(files["history.csv"].decode("utf-8-sig"))))
    assert [row[12] for row in rows[1 : len(actions) + 1]] == ["Yes"] * len(actions)
    assert [row[13] for row in rows[1 : len(actions) + 1]] == ["Yes"] * len(actions)
    assert files["history.pdf"].startswith(b"%PDF")
    db.session.rollback()
    made = db.session.scalars(select(AuditEntry).where(AuditEntry.action == services.ACTION)).one()
    assert json.loads(made.new_values or "")["digest"] == pack.digest


def test_packs_of_customer_and_request_hold_the_copy_and_nothing_of_others(world: World, copy_id: int) -> None:
    copy = db.session.get_one(ArchiveCopy, copy_id)
    lookup_id = db.session.get_one(ArchiveGrant, copy.grant_id).lookup_id
    for kind, subject_id in ((queries.CUSTOMER, copy.customer_id), (queries.REQUEST, lookup_id)):
        entries = queries.entries_of(queries.subject_of(kind, subject_id))
        assert {"archive_copy", "archive_grant", "approval_request"} <= {entry.object_type for entry in entries}
        assert world.customer_id("fenjiu") not in {entry.customer_id for entry in entries}
        proofs = queries.proofs_of(entries)
        assert all(proof.whole and proof.linked for proof in proofs.values())
        assert [entry.seq for entry in entries] == sorted(proofs)


def test_only_auditors_make_packs_and_only_of_what_exists(world: World, copy_id: int, tmp_path: Path) -> None:
    def ignore(_done: int, _total: int) -> None:
        return None

    for login in ("anna", "hanna", "boss", "paula", "otto", "admin"):
        with pytest.raises(NotAllowed):
            services.make_pack(queries.COPY, copy_id, tmp_path, world.actor(login), ignore)
    with pytest.raises(NotFound):
        services.make_pack(queries.COPY, 9999, tmp_path, world.actor("audrey"), ignore)
