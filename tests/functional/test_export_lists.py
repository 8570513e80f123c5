"""Exports: what is on the list goes out, safely, recorded, above a number of rows after an approval (R-CUS-8)."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest
from portal.approvals.queries import digest_of
from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.errors import Invalid
from portal.core.registry import registry
from portal.core.spreadsheets import is_dangerous, read_table
from portal.core.storage import storage
from portal.core.transaction import transaction
from portal.customers.exporting import approval, services
from portal.customers.exporting.models import DataExport, ExportState
from portal.customers.models import Customer
from portal.extensions import db
from tests.world import World


@pytest.fixture
def app_settings() -> dict[str, Any]:
    return {"EXPORT_FREE_ROWS": 4}


def rename(world: World, key: str, name: str) -> None:
    with transaction():
        db.session.get_one(Customer, world.customer_id(key)).name = name


def decide(world: World, request_id: int, vote: str, opinion: str = "") -> None:
    """What the executive above decides, through the engine."""
    digest = digest_of(db.session.get_one(ApprovalRequest, request_id))
    with transaction():
        approvals.decide(request_id, world.actor("boss"), vote=vote, opinion=opinion, seen_digest=digest)
    db.session.expire_all()


def export(client: FlaskClient, query: str = "", **form: str) -> Any:
    return client.post("/exports/new", data={"listing": "customers", "query": query, "format": "xlsx", **form})


def test_the_page_says_what_will_leave(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    page = client.get("/customers/?q=" + "茅台")
    assert "/exports/new?q=%E8%8C%85%E5%8F%B0&amp;listing=customers" in page.text
    page = client.get("/exports/new", query_string={"listing": "customers", "q": "茅台"})
    assert page.status_code == 200
    assert "Search: 茅台" in page.text
    assert "Export 1 row" in page.text


def test_the_file_holds_what_the_list_shows_and_who_made_it(client: FlaskClient, world: World, tmp_path: Path) -> None:
    world.login(client, "anna")
    answer = export(client, "cols=name.stage")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    path = tmp_path / "a.xlsx"
    path.write_bytes(answer.data)
    with read_table(path) as table:
        assert table.headers == ["Name", "Stage"]
        assert sorted(str(row[0]) for row in table.rows) == sorted(["贵州茅台", "五粮液"])
    marks = [cell.value for row in openpyxl.load_workbook(path).worksheets[1].rows for cell in row]
    assert "安娜 (anna)" in marks
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "customers:export:export")).one()
    values = json.loads(entry.new_values or "{}")
    assert (values["rows"], values["query"]) == (2, "cols=name.stage")


def test_formulas_stay_text_in_both_formats(client: FlaskClient, world: World, tmp_path: Path) -> None:
    evil = ["=1+1", "@SUM(A1)", "＝cmd|' /C calc'!A0"]
    for key, name in zip(("maotai", "wuliang"), evil, strict=False):
        rename(world, key, name)
    world.login(client, "anna")
    path = tmp_path / "a.xlsx"
    path.write_bytes(export(client, "cols=name").data)
    cells = [cell for row in openpyxl.load_workbook(path).worksheets[0].iter_rows(min_row=2) for cell in row]
    assert sorted(str(cell.value) for cell in cells) == sorted(evil[:2])
    assert {cell.data_type for cell in cells} == {"s"}
    text = export(client, "cols=name", format="csv").data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert sorted(row[0] for row in rows[1:3]) == sorted("'" + name for name in evil[:2])
    assert not any(is_dangerous(row[0]) and not row[0].startswith("'") for row in rows if row)


def test_who_may_export_and_what(client: FlaskClient, world: World) -> None:
    world.login(client, "nora")
    assert client.get("/exports/new?listing=customers").status_code == 403
    assert export(client).status_code == 403
    world.login(client, "anna")
    for key in ("jobs", "nothing", "imports", "audit"):
        assert client.get("/exports/new", query_string={"listing": key}).status_code == 404
    # Every list that offers the page names a permission.
    for listing in registry("listings"):
        assert listing.export_endpoint != services.ENDPOINT or listing.export_permission is not None


def test_many_rows_need_the_head_and_only_the_applicant_gets_the_file(client: FlaskClient, world: World) -> None:
    world.login(client, "hugo")  # head of sales: sees all six customers
    page = client.get("/exports/new?listing=customers")
    assert "the head of your department decides first" in page.text
    refused = export(client, token="t0")
    assert refused.status_code == 400
    assert re.search(r"id=\"reason-error\"[^>]*>.*Say what the export is needed for", refused.text)
    answer = export(client, reason="年度盘点", token="t1")
    assert answer.status_code == 302
    asked = db.session.scalars(select(DataExport)).one()
    assert (asked.state, asked.asked_rows) == (ExportState.WAITING, 6)
    request = db.session.scalars(select(ApprovalRequest)).one()
    assert (request.kind, request.subject_id, request.state) == ("customers.export", asked.id, "pending")
    assert client.post(f"/exports/{asked.id}/file").status_code == 404
    decide(world, request.id, "approve")
    asked = db.session.scalars(select(DataExport)).one()
    assert (asked.state, asked.rows) == (ExportState.READY, 6)
    page = client.get(f"/exports/{asked.id}")
    assert "Download the file" in page.text
    answer = client.post(f"/exports/{asked.id}/file")
    assert answer.status_code == 200
    assert answer.data.startswith(b"PK")
    assert db.session.scalars(select(AuditEntry).where(AuditEntry.action == "customers:export:download")).one()
    for login in ("boss", "anna"):
        world.login(client, login)
        assert client.get(f"/exports/{asked.id}").status_code == 404
        assert client.post(f"/exports/{asked.id}/file").status_code == 404
    # Who heads a part of it only may not see all of it now, and gets nothing; with his office back he gets it again.
    hugo, hanna = world.user("hugo").id, world.user("hanna").id
    for of_all, of_part, status in ((None, hugo, 403), (hugo, hanna, 200)):
        with transaction():
            world.department("sales").head_id, world.department("one").head_id = of_all, of_part
        world.login(client, "hugo")
        answer = client.post(f"/exports/{asked.id}/file")
        assert answer.status_code == status
        assert (b"You may see less than when this file was made." in answer.data) is (status == 403)
    # A single customer went where he sees nothing: what was kept is not given out, but made anew with what he sees.
    with transaction():
        db.session.get_one(Customer, world.customer_id("maotai")).department_id = world.department("office").id
    world.login(client, "hugo")
    ends = asked.expires_at
    answer = client.post(f"/exports/{asked.id}/file", follow_redirects=True)
    assert "The list shows you less than when this file was made. It is being made anew." in answer.text
    db.session.expire_all()
    assert (asked.state, asked.rows, asked.expires_at) == (ExportState.READY, 5, ends)
    assert len(list(storage().iterate(services.AREA))) == 1
    answer = client.post(f"/exports/{asked.id}/file")
    names = {row[0].value for row in openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(min_row=2)}
    assert (answer.status_code, len(names)) == (200, 5)
    # A file that was kept without the ids of its rows is not given out either.
    with transaction():
        asked.storage_key = storage().put(services.AREA, answer.data).key
    assert client.post(f"/exports/{asked.id}/file").status_code == 302
    assert client.post(f"/exports/{asked.id}/file").status_code == 200
    # After its days the file is gone.
    world.login(client, "hugo")
    with clock.frozen(clock.now() + timedelta(days=8)), transaction():
        assert services.expire() == 1
    assert client.post(f"/exports/{asked.id}/file").status_code == 404
    assert "was deleted after its time" in client.get(f"/exports/{asked.id}").text


def test_an_export_that_was_returned_and_filed_again_is_made_after_all(client: FlaskClient, world: World) -> None:
    world.login(client, "hugo")
    export(client, reason="盘点", token="t1")
    first = db.session.scalars(select(ApprovalRequest.id)).one()
    decide(world, first, "return", "请写明用途")
    assert db.session.scalars(select(DataExport.state)).one() == ExportState.REFUSED
    with transaction():
        again = approvals.resubmit(first, world.actor("hugo"), token="t2").id
    asked = db.session.scalars(select(DataExport)).one()
    assert (asked.state, asked.request_id) == (ExportState.WAITING, again)
    decide(world, again, "approve")
    asked = db.session.scalars(select(DataExport)).one()
    assert (asked.state, asked.rows) == (ExportState.READY, 6)
    assert client.post(f"/exports/{asked.id}/file").data.startswith(b"PK")


def test_a_refused_export_makes_no_file(client: FlaskClient, world: World) -> None:
    world.login(client, "hugo")
    export(client, reason="年度盘点", token="t1")
    request = db.session.scalars(select(ApprovalRequest)).one()
    with transaction():
        approval.closed(db.session.get_one(ApprovalRequest, request.id), None, world.actor("boss"))
    db.session.expire_all()
    assert db.session.scalars(select(DataExport.state)).one() == ExportState.REFUSED
    with transaction():
        approval.approved(db.session.get_one(ApprovalRequest, request.id), None, world.actor("boss"))
    assert db.session.scalars(select(DataExport.state)).one() == ExportState.REFUSED


def test_the_file_shows_what_may_be_seen_when_it_is_made(app: Flask, client: FlaskClient, world: World) -> None:
    world.login(client, "hugo")
    export(client, reason="年度盘点", token="t1")
    with transaction():
        db.session.get_one(Customer, world.customer_id("maotai")).department_id = world.department("office").id
    request = db.session.scalars(select(ApprovalRequest)).one()
    with transaction():
        approval.approved(db.session.get_one(ApprovalRequest, request.id), None, world.actor("boss"))
    db.session.expire_all()
    assert db.session.scalars(select(DataExport.rows)).one() == 5


def test_far_more_rows_than_approved_are_not_written(app: Flask, client: FlaskClient, world: World) -> None:
    world.login(client, "hugo")
    export(client, reason="年度盘点", token="t1")
    asked = db.session.scalars(select(DataExport)).one()
    with transaction():
        db.session.get_one(DataExport, asked.id).asked_rows = 3
    asked = db.session.scalars(select(DataExport)).one()
    with pytest.raises(Invalid), services.written(asked, world.actor("hugo")):
        pass
