"""The import of customers, from the upload to the undo (R-CUS-8)."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.registry import registry
from portal.core.spreadsheets import read_table
from portal.core.transaction import transaction
from portal.customers import services
from portal.customers.importing import jobs as import_jobs
from portal.customers.importing import services as imports
from portal.customers.importing.customers import CONTACT_KNOWN
from portal.customers.importing.models import BatchState, ImportBatch, ImportKey, ImportRow
from portal.customers.inputs import ContactInput, PhoneInput
from portal.customers.models import Contact, ContactPhone, Customer
from portal.customers.search import search
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User
from tests.world import World

CODE = "91520000214330054F"
HEADINGS = ["客户名称", "统一社会信用代码", "地区", "客户类别", "联系人", "手机", "生日"]


def gbk(rows: Sequence[Sequence[str]]) -> bytes:
    """A CSV as Chinese Excel writes it."""
    return "\r\n".join(",".join(row) for row in rows).encode("gb18030")


def xlsx(rows: Sequence[Sequence[Any]]) -> bytes:
    """A workbook with one sheet."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def upload(client: FlaskClient, content: bytes, name: str = "customers.csv", target: str = "customers") -> Any:
    """The first page of the wizard."""
    return client.post(
        "/imports/new", data={"target": target, "file": (io.BytesIO(content), name)}, content_type="multipart/form-data"
    )


def last_batch() -> ImportBatch:
    """The newest import, read anew."""
    db.session.expire_all()
    return db.session.scalars(select(ImportBatch).order_by(ImportBatch.id.desc()).limit(1)).one()


def wizard(
    client: FlaskClient, content: bytes, name: str = "customers.csv", target: str = "customers", **rules: str
) -> int:
    """All pages up to the check, taking what the portal guesses."""
    assert upload(client, content, name, target).status_code == 302
    batch = last_batch()
    page = client.get(f"/imports/{batch.id}/sheet")
    assert page.status_code == 200
    assert client.post(f"/imports/{batch.id}/sheet", data={}).status_code == 302
    page = client.get(f"/imports/{batch.id}/columns")
    assert page.status_code == 200
    from portal.customers.importing import reading

    batch = last_batch()
    mapping = reading.guess_mapping(imports.target_of(target), batch.headers, batch.owner_id)
    form = {f"column_{number}": key for number, key in mapping.items()}
    assert client.post(f"/imports/{batch.id}/columns", data=form).status_code == 302
    assert client.get(f"/imports/{batch.id}/rules").status_code == 200
    answer = client.post(f"/imports/{batch.id}/rules", data={"policy": "update", "default_kind": "end_user", **rules})
    assert answer.status_code == 302, answer.text
    return batch.id


def counts() -> dict[str, int]:
    """What the check or the import counted."""
    return last_batch().counts


def dump() -> dict[str, list[tuple[Any, ...]]]:
    """The content of the tables that an import of customers may touch."""
    db.session.expire_all()
    found = {}
    for name in ("customer", "customer_alias", "contact", "contact_phone", "customer_term", "customer_stage_change"):
        table = db.metadata.tables[name]
        columns = [column for column in table.columns if column.name not in {"version", "updated_at", "updated_by_id"}]
        found[name] = sorted(tuple(row) for row in db.session.execute(select(*columns)))
    return found


def test_a_gbk_file_with_wrong_rows_from_upload_to_undo(client: FlaskClient, world: World, tmp_path: Path) -> None:
    before = dump()
    world.login(client, "anna")
    rows = [
        HEADINGS,
        ["广州云山酒业有限公司", CODE, "广东省广州市", "经销商", "王敏", "13800138000", "农历八月十五"],
        ["广州云山酒业有限公司", CODE, "", "", "李强", "13900139000;020-83331234", "1980-05-12"],
        ["深圳南山商贸行", "", "深圳", "零售商", "", "", ""],
        ["佛山某某公司", "91520000214330054X", "佛山", "", "", "", ""],
        ["东莞某某公司", "", "火星", "", "", "", ""],
        ["中山某某公司", "", "中山", "", "赵云", "123", ""],
        ["珠海某某公司", "", "珠海", "", "赵云", "", "0203-05-12"],
        ["另一个名字", CODE, "", "", "", "", ""],
        ["长" * 300, "", "", "", "", "", ""],
    ]
    batch_id = wizard(client, gbk(rows))
    assert last_batch().encoding == "gb18030"
    assert counts()["create"] == 2, [row.reasons for row in imports.refused_rows(batch_id)]
    assert counts()["refused_rows"] == 6
    assert dump() == before
    page = client.get(f"/imports/{batch_id}").text
    for reason in (
        "check digit",
        "The region “火星” is unknown",
        "There is no such phone number",
        "The year 0203 cannot be right.",
        "Row 2 says something else about this customer.",
        "At most 200 characters; this has 300.",
    ):
        assert reason in page, reason
    # The sheet of refused rows holds them as they were, with the reasons beside them.
    sheet = tmp_path / "refused.xlsx"
    sheet.write_bytes(client.get(f"/imports/{batch_id}/refused.xlsx").data)
    with read_table(sheet) as table:
        assert table.headers == [*HEADINGS, "Row in the file", "Why it was refused"]
        assert [str(row[7]) for row in table.rows] == ["5", "6", "7", "8", "9", "10"]
        assert next(iter(table.rows))[0] == "佛山某某公司"
    page = client.post(f"/imports/{batch_id}/run", follow_redirects=True)
    assert "The import is done." in page.text
    assert last_batch().state == BatchState.DONE
    made = db.session.scalars(select(Customer).where(Customer.credit_code == CODE)).one()
    assert (made.name, made.kind, made.region_code) == ("广州云山酒业有限公司", "distributor", "440100")
    assert made.account_manager_id == world.user("anna").id
    people = db.session.scalars(select(Contact).where(Contact.customer_id == made.id).order_by(Contact.id)).all()
    assert [(p.name, p.birthday_calendar, p.birthday_month, p.is_primary) for p in people] == [
        ("王敏", "lunar", 8, True),
        ("李强", "solar", 5, False),
    ]
    assert [phone.label for phone in people[1].phones] == ["mobile", "office"]
    assert [hit.customer_id for hit in search(world.actor("anna"), "云山")] == [made.id]
    # The same file twice changes nothing.
    state = dump()
    wizard(client, gbk(rows))
    assert (counts().get("create", 0), counts().get("update", 0), counts()["unchanged"]) == (0, 0, 2)
    assert client.post(f"/imports/{last_batch().id}/run", follow_redirects=True).status_code == 200
    assert dump() == state
    # Undo.
    page = client.post(f"/imports/{batch_id}/undo", follow_redirects=True)
    assert "Taken back" in page.text
    assert dump() == before


def test_an_import_says_nothing_about_customers_of_others(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    rows = [["名称", "地址"], ["山西汾酒", "虚构路 1 号"], ["贵州茅台", "虚构路 2 号"]]
    batch_id = wizard(client, xlsx(rows), "a.xlsx")
    page = client.get(f"/imports/{batch_id}").text
    assert "looked after by somebody else: 销售二部 · 柯兰." in page
    assert counts()["update"] == 1
    client.post(f"/imports/{batch_id}/run")
    db.session.expire_all()
    addresses = dict(db.session.execute(select(Customer.name, Customer.address)).all())
    assert (addresses["贵州茅台"], addresses["山西汾酒"]) == ("虚构路 2 号", "")
    # Nobody else opens the import.
    world.login(client, "ben")
    for path in ("", "/sheet", "/columns", "/rules", "/refused.xlsx"):
        assert client.get(f"/imports/{batch_id}{path}").status_code == 404
    assert client.post(f"/imports/{batch_id}/undo").status_code == 404
    world.login(client, "nora")
    assert client.get("/imports/").status_code == 403


def test_an_update_keeps_what_the_file_does_not_say_and_can_be_taken_back(client: FlaskClient, world: World) -> None:
    maotai = world.customer_id("maotai")
    anna = world.actor("anna")
    with transaction():
        row = db.session.get_one(Customer, maotai)
        row.demand, row.industry = "节日集中采购", "酒类"
        services.add_contact(maotai, ContactInput(name="王敏", title="经理"), anna)
    before = dump()
    world.login(client, "anna")
    rows = [
        ["客户名称", "行业", "别名", "联系人", "手机", "职务"],
        ["贵州茅台", "", "茅台集团", "王敏", "13800138000", ""],
        ["贵州茅台", "", "", "新联系人", "", "科长"],
    ]
    batch_id = wizard(client, xlsx(rows), "a.xlsx")
    assert counts()["update"] == 1
    client.post(f"/imports/{batch_id}/run")
    row = db.session.get_one(Customer, maotai, populate_existing=True)
    assert (row.demand, row.industry, [alias.alias for alias in row.aliases]) == ("节日集中采购", "酒类", ["茅台集团"])
    people = {c.name: c for c in db.session.scalars(select(Contact).where(Contact.customer_id == maotai))}
    assert (people["王敏"].title, people["王敏"].phones[0].digits) == ("经理", "13800138000")
    assert people["新联系人"].title == "科长"
    entries = db.session.scalars(select(AuditEntry.action).where(AuditEntry.customer_id == maotai)).all()
    assert "customers:customer:change" in entries
    wizard(client, xlsx(rows), "a.xlsx")
    assert counts().get("update", 0) == 0
    client.post(f"/imports/{batch_id}/undo")
    assert dump() == before


LEAP_DAY: dict[str, Any] = {"birthday_month": 2, "birthday_day": 29}
KNOWN_HEADINGS = [
    "客户名称",
    "纬度",
    "经度",
    "联系人",
    "态度",
    "同意接收消息",
    "接收消息同意日期",
    "接收消息同意方式",
]


def test_coordinates_attitude_and_consent_come_in(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    before = dump()
    rows = [
        KNOWN_HEADINGS,
        ["海口某某公司", "0", "110.3312°", "冷经理", "−1 冷淡", "是", "2026-03-05", "微信"],
        ["桂林某某公司", "25.2736", 110.2907, "钟经理", "0", "否", "", ""],
        ["长沙某某公司", "", "", "", "", "否", "", ""],
        ["北海某某公司", "91", "109.12", "", "", "", "", ""],
        ["钦州某某公司", "北纬二十度", "109.12", "", "", "", "", ""],
        ["玉林某某公司", "", "110.16", "", "", "", "", ""],
        ["梧州某某公司", "", "", "吴经理", "5", "", "", ""],
        ["贺州某某公司", "", "", "何经理", "支持", "是", "", ""],
        ["百色某某公司", "", "", "", "友好", "", "", ""],
    ]
    batch_id = wizard(client, xlsx(rows), "a.xlsx")
    assert (counts()["create"], counts()["refused_rows"]) == (3, 6)
    reasons = {row.number: row.reasons for row in imports.refused_rows(batch_id)}
    assert {number: {field for field, _text in found} for number, found in reasons.items()} == {
        5: {"latitude"},
        6: {"latitude"},
        7: {"latitude"},
        8: {"contact_attitude"},
        9: {"contact_message_consent_on", "contact_message_consent_source"},
        10: {"contact_name"},
    }
    assert reasons[5][0][1] == "The latitude is between −90 and 90 degrees."
    client.post(f"/imports/{batch_id}/run")
    places = db.session.execute(
        select(Customer.latitude, Customer.longitude).where(Customer.name.contains("某某公司")).order_by(Customer.id)
    ).all()
    assert [tuple(place) for place in places] == [(0.0, 110.3312), (25.2736, 110.2907), (None, None)]
    people = {row.name: row for row in db.session.scalars(select(Contact).where(Contact.name.contains("经理")))}
    cold = people["冷经理"]
    assert (cold.attitude, cold.message_consent, cold.message_consent_source) == (-1, True, "微信")
    assert cold.message_consent_on == date(2026, 3, 5)
    assert (people["钟经理"].attitude, people["钟经理"].message_consent) == (0, False)
    # What the file says otherwise is changed, also to nought and to "no"; an empty cell changes nothing.
    wizard(client, xlsx([KNOWN_HEADINGS, ["海口某某公司", "", "", "冷经理", 0, "否", "", ""]]), "b.xlsx")
    assert counts()["update"] == 1
    again = last_batch().id
    client.post(f"/imports/{again}/run")
    db.session.refresh(cold)
    assert (cold.attitude, cold.message_consent, cold.message_consent_source) == (0, False, "微信")
    for undone in (again, batch_id):
        client.post(f"/imports/{undone}/undo")
    assert dump() == before


@pytest.mark.parametrize("language", ["zh_Hans_CN", "zh_Hant", "en"])
def test_an_export_that_comes_back_changes_nothing(client: FlaskClient, world: World, language: str) -> None:
    maotai, anna = world.customer_id("maotai"), world.actor("anna")
    with transaction():
        row = db.session.get_one(Customer, maotai)
        row.latitude, row.longitude, row.region_code = 27.858000000000004, 106.3781, "520382"
        row.industry, row.size_class, row.source, row.credit_code = "酒类", "large", "referral", CODE
        consent: dict[str, Any] = {"message_consent": True, "message_consent_on": date(2026, 3, 5)}
        consent["message_consent_source"] = "微信"
        birthday: dict[str, Any] = {"birthday_calendar": "lunar", "birthday_month": 6, "birthday_day": 15}
        leap = {**birthday, "birthday_leap": True, "birthday_year": 1979}
        common = {"employer_kind": "state_enterprise", "rank": "section", "buying_role": "user"}
        for number, more in enumerate((consent | birthday, leap, {"birthday_calendar": "solar", **LEAP_DAY})):
            contact = ContactInput(
                f"联系人{number}",
                title="科长",
                department="采购部",
                phones=(PhoneInput(f"1380013800{number}"), PhoneInput("0851-88886666", "office")),
                attitude=(-2, 0, 1)[number],
                **common,
                **more,
            )
            services.add_contact(maotai, contact, anna)
        db.session.get_one(User, anna.user_id).language = language
    before = dump()
    world.login(client, "anna")
    for listing, customers in (("customers", 2), ("contacts", 1)):
        columns = ".".join(column.key for column in registry("listings")[listing].columns)
        for kind in ("xlsx", "csv"):
            form = {"listing": listing, "query": f"cols={columns}", "format": kind}
            answer = client.post("/exports/new", data=form)
            assert answer.status_code == 200
            batch_id = wizard(client, answer.data, f"back.{kind}")
            assert [row.reasons for row in imports.refused_rows(batch_id)] == [], (listing, kind)
            assert (counts().get("create", 0), counts().get("update", 0), counts()["unchanged"]) == (0, 0, customers)
            known = {
                "customers": {"latitude", "longitude", "region", "credit_code", "kind", "size_class", "source"},
                "contacts": {"name", *(f"contact_{name}" for name in (*CONTACT_KNOWN, "phone", "birthday"))},
            }
            assert set(last_batch().mapping.values()) >= known[listing]
    assert dump() == before


def test_undo_leaves_alone_what_was_changed_since(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    rows = [["名称", "地址"], ["新客户甲", "甲路"], ["新客户乙", "乙路"], ["新客户丙", "丙路"], ["贵州茅台", "丁路"]]
    batch_id = wizard(client, xlsx(rows), "a.xlsx")
    client.post(f"/imports/{batch_id}/run")
    ids = dict(db.session.execute(select(Customer.name, Customer.id)).all())
    anna = world.actor("anna")
    with transaction():
        services.add_contact(ids["新客户甲"], ContactInput(name="后来的"), anna)
        data = services.input_of(db.session.get_one(Customer, ids["新客户乙"]))
        from dataclasses import replace

        services.change_customer(ids["新客户乙"], replace(data, address="改过的路"), anna)
    page = client.post(f"/imports/{batch_id}/undo", follow_redirects=True).text
    assert (counts()["undone"], counts()["kept"]) == (2, 2)
    assert "It was changed since." in page
    assert "Work was recorded with it since" in page
    db.session.expire_all()
    names = set(db.session.scalars(select(Customer.name)))
    assert {"新客户甲", "新客户乙"} <= names
    assert "新客户丙" not in names
    assert db.session.get_one(Customer, ids["贵州茅台"]).address == ""
    # A second attempt after the obstacle is gone takes the rest back.
    assert "Take the import back" in page


def test_heads_assign_and_account_managers_do_not(client: FlaskClient, world: World) -> None:
    rows = [["名称", "客户经理"], ["新客户甲", "ben"], ["新客户乙", "柯兰"], ["新客户丙", ""]]
    world.login(client, "anna")
    wizard(client, xlsx(rows), "a.xlsx")
    assert (counts()["create"], counts()["refused_rows"]) == (1, 2)
    world.login(client, "hanna")
    batch_id = wizard(client, xlsx(rows), "a.xlsx", manager=str(world.user("anna").id))
    assert (counts()["create"], counts()["refused_rows"]) == (2, 1)
    assert "heads create them for their departments" in client.get(f"/imports/{batch_id}").text
    client.post(f"/imports/{batch_id}/run")
    db.session.expire_all()
    managers = dict(db.session.execute(select(Customer.name, Customer.account_manager_id)).all())
    assert managers["新客户甲"] == world.user("ben").id
    assert managers["新客户丙"] == world.user("anna").id


def test_keys_of_another_system_find_a_renamed_customer(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    batch_id = wizard(client, xlsx([["客户编号", "名称"], ["K-1", "老名字公司"]]), "a.xlsx")
    client.post(f"/imports/{batch_id}/run")
    second = wizard(client, xlsx([["客户编号", "名称"], ["K-1", "新名字公司"]]), "b.xlsx")
    assert counts()["update"] == 1
    client.post(f"/imports/{second}/run")
    assert db.session.scalar(select(func.count()).select_from(Customer).where(Customer.name == "老名字公司")) == 0
    assert db.session.scalar(select(func.count()).select_from(Customer).where(Customer.name == "新名字公司")) == 1
    client.post(f"/imports/{second}/undo")
    client.post(f"/imports/{batch_id}/undo")
    db.session.expire_all()
    assert db.session.scalar(select(ImportKey.id)) is None
    assert db.session.scalar(select(func.count()).select_from(Customer).where(Customer.name == "老名字公司")) == 0


def test_policies_skip_and_create_anyway(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    rows = [["名称", "地址"], ["贵州茅台", "新路"]]
    wizard(client, xlsx(rows), "a.xlsx", policy="skip")
    assert counts()["skip"] == 1
    batch_id = wizard(client, xlsx(rows), "a.xlsx", policy="create")
    assert counts()["create"] == 1
    client.post(f"/imports/{batch_id}/run")
    assert db.session.scalar(select(func.count()).select_from(Customer).where(Customer.name == "贵州茅台")) == 2
    # Even so the same file twice changes nothing.
    wizard(client, xlsx(rows), "a.xlsx", policy="create")
    assert (counts().get("create", 0), counts()["unchanged"]) == (0, 1)


def test_the_columns_are_remembered(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    content = xlsx([["抬头", "怪列"], ["某公司", "某路"]])
    upload(client, content, "a.xlsx")
    batch = last_batch()
    client.post(f"/imports/{batch.id}/sheet", data={})
    page = client.post(f"/imports/{batch.id}/columns", data={"column_1": "address"})
    assert page.status_code == 400
    assert "No column is chosen for “Name”." in page.text
    # What was chosen stands there still.
    assert '<option value="address" selected>' in page.text
    page = client.post(f"/imports/{batch.id}/columns", data={"column_0": "name", "column_1": "name"})
    assert "is chosen for two columns" in page.text
    client.post(f"/imports/{batch.id}/columns", data={"column_0": "name", "column_1": "address"})
    upload(client, xlsx([["怪列", "抬头"], ["某路", "某公司"]]), "b.xlsx")
    batch = last_batch()
    client.post(f"/imports/{batch.id}/sheet", data={})
    page = client.get(f"/imports/{batch.id}/columns").text
    assert '<option value="address" selected>' in page
    assert '<option value="name" selected>' in page


def _bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", b"0" * (60 * 2**20))
    return stream.getvalue()


#: What is no spreadsheet: its content, its name, the answer.
NO_SPREADSHEETS: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "nothing": (bytes, "a.xlsx", "The file is empty."),
    "a document": (lambda: b"%PDF-1.7 not a sheet", "a.xlsx", "This is no spreadsheet."),
    "a web page": (lambda: b"<html><table><tr><td>1</td></tr></table></html>", "a.xls", "This file is a web page"),
    "a bomb": (_bomb, "a.xlsx", "It was not opened."),
    "damaged": (lambda: b"PK\x03\x04 broken", "a.xlsx", "The file is damaged"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "a.csv", "This is no spreadsheet."),
}


@pytest.mark.parametrize("case", NO_SPREADSHEETS)
def test_files_that_are_none_are_answered(client: FlaskClient, world: World, case: str) -> None:
    content, name, message = NO_SPREADSHEETS[case]
    world.login(client, "anna")
    answer = upload(client, content(), name)
    assert answer.status_code == 400
    assert message in answer.text
    assert db.session.scalar(select(ImportBatch.id)) is None


def test_a_file_of_rubbish_is_answered_at_the_latest_by_its_preview(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    if upload(client, b"\x00\x01\x02\x03" * 100, "a.csv").status_code == 302:
        batch_id = last_batch().id
        assert client.get(f"/imports/{batch_id}/sheet").status_code == 200
        assert client.post(f"/imports/{batch_id}/sheet", data={}).status_code in (302, 400)
        assert client.get(f"/imports/{batch_id}/columns").status_code in (200, 302)


def test_a_wrong_encoding_is_shown_and_can_be_changed(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    upload(client, gbk([["名称"], ["广州云山酒业"]]))
    batch = last_batch()
    answer = client.post(f"/imports/{batch.id}/sheet", data={"encoding": "utf-8"})
    assert answer.status_code == 400
    assert "do not fit the encoding" in answer.text
    page = client.get(f"/imports/{batch.id}/sheet?encoding=gb18030").text
    assert "广州云山酒业" in page


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("长" * 30_000, "too long"),
        ("甲\u202e乙公司", "invisible characters"),
        ("甲\x07乙公司", "invisible characters"),
        ("   ", "Enter the customer"),
    ],
)
def test_names_that_cannot_be(client: FlaskClient, world: World, cell: str, message: str) -> None:
    world.login(client, "anna")
    text = f'名称,地址\r\n"{cell}",甲路\r\n好公司,乙路\r\n'
    batch_id = wizard(client, text.encode())
    assert (counts()["create"], counts()["refused_rows"]) == (1, 1)
    assert message in client.get(f"/imports/{batch_id}").text


def test_formulas_come_in_and_go_out_as_text(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    rows = [["名称", "地址"], ["'=1+1公司", "@SUM(A1)"]]
    batch_id = wizard(client, xlsx(rows), "a.xlsx")
    client.post(f"/imports/{batch_id}/run")
    row = db.session.scalars(select(Customer).order_by(Customer.id.desc()).limit(1)).one()
    assert (row.name, row.address) == ("=1+1公司", "@SUM(A1)")


def test_a_killed_worker_goes_on_where_it_was(
    client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    monkeypatch.setattr(imports, "ATOMIC_ROWS", 2)
    monkeypatch.setattr(imports, "CHUNK", 2)
    world.login(client, "anna")
    rows = [["名称"], *([f"客户{number}号"] for number in range(7))]
    batch_id = wizard(client, xlsx(rows), "a.xlsx")
    write, calls = import_jobs._write_chunk, []

    class Killed(BaseException):
        """What no handler catches."""

    def die(*arguments: Any) -> int:
        calls.append(1)
        if len(calls) == 3:
            raise Killed()
        return write(*arguments)

    monkeypatch.setattr(import_jobs, "_write_chunk", die)
    with transaction():
        batch = db.session.get_one(ImportBatch, batch_id)
        batch.state = BatchState.RUNNING.value

    class Context:
        actor: Actor = world.actor("anna")

        def progress(self, *_arguments: object) -> None: ...
        def cancelled(self) -> bool:
            return False

    with pytest.raises(Killed):
        import_jobs.run(Context(), batch_id)  # type: ignore[arg-type]
    db.session.rollback()
    assert (
        db.session.scalar(select(func.count()).where(ImportRow.batch_id == batch_id, ImportRow.state == "applied")) == 4
    )
    monkeypatch.setattr(import_jobs, "_write_chunk", write)
    import_jobs.run(Context(), batch_id)  # type: ignore[arg-type]
    made = db.session.scalars(select(Customer.name).where(Customer.name.like("客户%号"))).all()
    assert sorted(made) == [f"客户{number}号" for number in range(7)]
    assert last_batch().state == BatchState.DONE


def test_a_large_import_that_is_cancelled_or_breaks_is_taken_back(
    client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ATOMIC_ROWS", 2)
    monkeypatch.setattr(imports, "CHUNK", 2)
    before = dump()
    world.login(client, "anna")
    batch_id = wizard(client, xlsx([["名称"], *([f"客户{number}号"] for number in range(7))]), "a.xlsx")
    write, calls = import_jobs._write_chunk, []

    def break_down(*arguments: Any) -> int:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("the disk is full")
        return write(*arguments)

    monkeypatch.setattr(import_jobs, "_write_chunk", break_down)
    client.post(f"/imports/{batch_id}/run")
    assert last_batch().state == BatchState.UNDONE
    assert "taken back" in client.get(f"/imports/{batch_id}").text
    assert dump() == before


def test_files_and_rows_are_deleted_after_the_days_of_the_setting(
    client: FlaskClient, world: World, app: Flask
) -> None:
    world.login(client, "anna")
    batch_id = wizard(client, xlsx([["名称", "手机", "联系人"], ["客户甲", "13800138000", "王敏"]]), "a.xlsx")
    client.post(f"/imports/{batch_id}/run")
    from datetime import timedelta

    from portal.core.storage import storage

    key = last_batch().storage_key
    assert storage().exists(key)
    with clock.frozen(clock.now() + timedelta(days=31)):
        assert imports.expired_batches() == [batch_id]
        with transaction():
            imports.forget(batch_id)
    assert not storage().exists(key)
    row = db.session.scalars(select(ImportRow).where(ImportRow.batch_id == batch_id)).one()
    assert (row.cells_json, row.values_json, row.effect_json) == ("[]", "{}", "{}")
    assert imports.undoable(batch_id) == 0
    assert db.session.scalar(select(func.count()).select_from(ContactPhone)) == 1


def test_an_import_is_written_into_the_trail(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    batch_id = wizard(client, xlsx([["名称"], ["客户甲"]]), "a.xlsx")
    client.post(f"/imports/{batch_id}/run")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "customers:import:import")).one()
    assert entry.object_id == batch_id
    assert json.loads(entry.new_values or "{}")["counts"]["created"] == 1
    assert date(2026, 1, 1) < entry.at.date()
