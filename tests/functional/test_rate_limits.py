"""Who searches, exports or makes documents like a machine is asked to wait, in his language, and loses nothing
(security statement 66). Look-ups of numbers: test_import_duplicates.py; the print station: test_archive_copies.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from portal.audit.models import AuditEntry
from portal.auth import uploads
from portal.core import clock, settings
from portal.core.transaction import transaction
from portal.customers import limits
from portal.customers.exporting import services as exporting
from portal.customers.exporting.models import DataExport
from portal.customers.importing.models import ImportBatch
from portal.customers.models import Customer
from portal.documents import services as documents
from portal.documents.models import Document, DocumentNumber
from portal.documents.render import Rendered
from portal.extensions import db
from portal.i18n.selection import COOKIE
from portal.org.actor import SYSTEM
from tests.functional.documents_fixture import card
from tests.world import World

pytestmark = pytest.mark.db
JSON = {"Accept": "application/json"}


@pytest.fixture
def app_settings() -> dict[str, Any]:
    return {"EXPORT_FREE_ROWS": 0}


def put(key: str, value: int) -> None:
    with transaction():
        settings.put(key, value, None)


def refusals() -> list[str]:
    db.session.rollback()
    found = db.session.scalars(select(AuditEntry.reason).where(AuditEntry.action == "auth:access:refuse"))
    return list(found)


@contextmanager
def writes(app: Flask) -> Iterator[list[str]]:
    """What is written to the database meanwhile."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.split(None, 1)[0].upper() in {"INSERT", "UPDATE", "DELETE"}:
            found.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_all_ways_to_search_count_together_and_the_page_keeps_what_was_typed(
    app: Flask, client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LEAST", 2)
    put("customers.searches_hour", 4)
    world.login(client, "anna")
    client.get("/")
    paths = ("/search?q=茅台", "/palette?q=茅台", "/customers/pick?q=茅台", "/archive/lookups/customers?q=茅台")
    with writes(app) as written:
        assert [client.get(path).status_code for path in paths] == [200] * 4
    assert written == []

    page = client.get("/search?q=五粮液")
    assert page.status_code == 429
    assert 'value="五粮液"' in page.text
    assert "You have searched unusually often within an hour. You can go on at " in page.text
    assert "Nothing was found" not in page.text
    for path in paths[1:]:
        answer = client.get(path, headers=JSON)
        assert answer.status_code == 429
        assert "You can go on at " in answer.json["message"]
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
    client.set_cookie(COOKIE, "zh_Hans_CN")
    assert "您可以在" in client.get("/palette?q=茅台", headers=JSON).json["message"]
    assert len(refusals()) == 5
    # Pages of the menu are no search, nor is the search field before anything is typed; colleagues are not slowed down.
    assert client.get("/palette?q=").status_code == 200
    assert client.get("/search").status_code == 200
    world.login(client, "ben")
    assert client.get("/search?q=茅台").status_code == 200
    with clock.frozen(clock.now() + timedelta(minutes=62)):
        world.login(client, "anna")
        assert client.get("/search?q=茅台").status_code == 200


def test_nobody_who_types_meets_the_limit(app: Flask) -> None:
    # Somebody who changes what he typed each four seconds, for a whole hour without a pause.
    assert settings.get("customers.searches_hour") >= 3600 // 4


def send(client: FlaskClient, content: bytes) -> Any:
    form = {"target": "customers", "file": (BytesIO(content), "客户.csv")}
    return client.post("/imports/new", data=form, content_type="multipart/form-data")


def test_files_beyond_the_limits_of_a_person_are_refused_whatever_the_page(
    client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Security statement 44: by number, and by size."""
    monkeypatch.setattr(uploads, "LEAST_FILES", 0)
    monkeypatch.setattr(uploads, "LEAST_MIB", 0)
    put("auth.uploads_hour", 3)
    put("auth.uploads_mib_hour", 2)
    sheet = "客户名称,客户类型\n".encode()
    world.login(client, "anna")
    # Forms that only could carry a file are none.
    assert [
        client.post("/imports/new", data={"target": "customers", "file": (BytesIO(), "")}).status_code
        for _time in range(5)
    ] == [400] * 5
    assert [send(client, sheet).status_code for _time in range(3)] == [302] * 3
    client.set_cookie(COOKIE, "zh_Hans_CN")
    refused = send(client, sheet)
    assert refused.status_code == 429
    assert "您在一小时内上传的文件数量或大小异常" in refused.text
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert len(refusals()) == 1
    assert db.session.scalar(select(func.count()).select_from(ImportBatch)) == 3
    # Large ones, of somebody else: two of 900 KiB are within 2 MiB, a third is not.
    world.login(client, "ben")
    large = sheet + "长名称,终端用户\n".encode() * 42_000
    assert [send(client, large).status_code for _time in range(3)] == [302, 302, 429]
    # The refused one counts as no file either: a small one is the third.
    assert [send(client, sheet).status_code for _time in range(2)] == [302, 429]
    with clock.frozen(clock.now() + timedelta(minutes=61)):
        for login in ("anna", "ben"):
            world.login(client, login)
            assert send(client, sheet).status_code == 302


def test_exports_beyond_the_limit_are_asked_for_later_with_the_reason_kept(client: FlaskClient, world: World) -> None:
    put(exporting.LIMIT_SETTING, 2)
    world.login(client, "anna")
    for reason in ("盘点", "年报"):
        form = {"listing": "customers", "query": "q=液", "format": "csv", "reason": reason, "token": reason}
        assert client.post("/exports/new", data=form).status_code == 302
        with transaction():  # so that they are not the same question
            for row in db.session.scalars(select(DataExport)):
                row.created_at -= timedelta(minutes=10)
    answer = client.post("/exports/new", data=form | {"reason": "第三次的理由", "token": "t3"})
    assert answer.status_code == 429
    assert "You have exported 2 times within an hour. You can go on at " in answer.text
    assert "第三次的理由" in answer.text
    assert 'value="csv" checked' in answer.text
    assert len(refusals()) == 1
    assert db.session.scalar(select(func.count()).select_from(DataExport)) == 2
    with clock.frozen(clock.now() + timedelta(minutes=41)):
        world.login(client, "anna")
        again = client.post("/exports/new", data=form | {"reason": "第三次的理由", "token": "t3"})
    assert again.status_code == 302


def test_documents_beyond_the_limit_take_no_number_and_what_is_there_already_is_given_all_the_same(
    client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "render_pdf", lambda _html, **_more: Rendered(b"%PDF-1.7", 1, ""))
    put(documents.LIMIT_SETTING, 2)
    world.login(client, "anna")
    maotai, wuliang = (world.customer_id(key) for key in ("maotai", "wuliang"))
    assert [client.post(f"/customers/{one}/card").status_code for one in (maotai, wuliang)] == [302, 302]
    # An unchanged card is the same document: nothing is made, nothing is counted.
    assert client.post(f"/customers/{maotai}/card").status_code == 302
    with transaction():
        db.session.get_one(Customer, maotai).demand = "改了的需求"
    refused = client.post(f"/customers/{maotai}/card")
    assert refused.status_code == 429
    assert "You have made 2 documents within an hour. You can go on at " in refused.text
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert len(refusals()) == 1
    assert db.session.scalars(select(DocumentNumber)).one().last == 2
    assert db.session.scalar(select(func.count()).select_from(Document)) == 2
    # What the portal makes by itself is not counted, nor are colleagues; an hour later it goes on.
    hanna = world.actor("hanna")
    for actor in (SYSTEM, hanna):
        documents.produce("customers.card", actor, title="x", context={"card": card()}, language="en")
    with clock.frozen(clock.now() + timedelta(minutes=61)):
        world.login(client, "anna")
        assert client.post(f"/customers/{maotai}/card").status_code == 302
    assert db.session.scalars(select(DocumentNumber)).one().last == 5
