"""Dossiers from end to end: a scan comes in or is refused, parts are produced into the vault, changes are posted."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pikepdf
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from plugins.archive import checking, vault
from plugins.archive.dossiers import changes, producing, queries, receiving, services
from plugins.archive.dossiers.fields import values_of
from plugins.archive.dossiers.models import (
    CARD,
    CONTRACT,
    CURRENT,
    PARTS,
    POSTED,
    QUARANTINED,
    REFUSED,
    SUPERSEDED,
    WITHDRAWN,
    ArchiveChange,
    ArchiveContent,
    ArchiveFile,
    ArchiveSupplement,
    Dossier,
)
from plugins.archive.dossiers.services import ContractInput
from plugins.archive.reports import jobs
from portal.approvals import deciding
from portal.approvals import services as approvals
from portal.approvals.models import APPROVE, REJECT, ApprovalRequest
from portal.approvals.queries import digest_of
from portal.audit.models import AuditEntry
from portal.core import clock, settings
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.transaction import transaction
from portal.customers.models import Customer, CustomerStageChange
from portal.customers.services import change_customer
from portal.customers.services.customers import input_of
from portal.documents import services as documents
from portal.documents.models import ERASED, Document
from portal.extensions import db
from portal.org.actor import SYSTEM
from tests.archive_world import add_file
from tests.world import World

pytestmark = pytest.mark.db


class Context:
    """What a job needs in a test."""

    run_id = 0
    actor = SYSTEM

    def progress(self, done: int, total: int | None = None, label: object = "") -> None: ...

    def check_cancelled(self) -> None: ...


def pdf(pages: int = 1, change: Any = None, **options: Any) -> bytes:
    """A small PDF."""
    made = pikepdf.new()
    for _page in range(pages):
        made.add_blank_page()
    if change is not None:
        change(made)
    out = io.BytesIO()
    made.save(out, **options)
    return out.getvalue()


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), **options: Any) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **options)
    return out.getvalue()


def entered(world: World, **more: Any) -> ContractInput:
    """What paula enters about a contract of anna's customer."""
    values: dict[str, Any] = {
        "customer_id": world.customer_id("maotai"),
        "title": "供货合同",
        "number": "HT-1",
        "parties": "测试公司、贵州茅台",
        "dated_on": date(2026, 1, 5),
        **more,
    }
    return ContractInput(**values)


def receive(world: World, name: str, content: bytes, who: str = "paula", **more: Any) -> ArchiveFile:
    file_id = receiving.receive_contract(entered(world, **more), name, content, world.actor(who))
    return db.session.get_one(ArchiveFile, file_id)


def decide(asked_id: int, world: World, who: str, vote: str = APPROVE, opinion: str = "") -> None:
    shown = digest_of(db.session.get_one(ApprovalRequest, asked_id))
    actor = world.actor(who)
    deciding.attempt(
        asked_id, actor, vote, lambda: approvals.decide(asked_id, actor, vote=vote, seen_digest=shown, opinion=opinion)
    )


# ---- uploads -------------------------------------------------------------------------------------------------------


def test_a_contract_is_kept_sealed_and_the_dossier_opened(app: Flask, world: World) -> None:
    content = pdf(2)
    file = receive(world, "合同.pdf", content)
    assert (file.part, file.state, file.pages, file.is_copy) == (CONTRACT, CURRENT, 2, True)
    assert vault.read(file.digest) == content
    dossier = queries.dossier_of(file.customer_id)
    assert dossier is not None
    assert dossier.number.startswith("ARC-")
    stored = list((app.config["DATA_DIR"] / "archive").rglob("*"))
    assert not any(b"%PDF" in path.read_bytes() for path in stored if path.is_file()), "the content lies open"


def _script(made: Any) -> None:
    made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")


def _launch(made: Any) -> None:
    made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="calc.exe")


def _xfa(made: Any) -> None:
    made.Root.AcroForm = pikepdf.Dictionary(XFA=pikepdf.Array([]), Fields=pikepdf.Array([]))


def _attachment(made: Any) -> None:
    made.attachments["x.txt"] = b"hello"


def _hidden_script(made: Any) -> None:
    """In an object that no page refers to."""
    made.make_indirect(pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="1"))
    made.Root.Kept = made.objects[-1]


#: What is wrong, the file's name, and how its content is made (large ones take a while).
BAD: dict[str, tuple[str, Callable[[], bytes]]] = {
    "zero bytes": ("a.pdf", bytes),
    "wrong ending": ("a.exe", pdf),
    "ending and content differ": ("a.png", pdf),
    "something behind the end": (
        "a.pdf",
        lambda: pdf() + b"PK\x03\x04 a zip archive begins here, and goes on for a while",
    ),
    "something before the beginning": ("a.pdf", lambda: b"<html></html>" + pdf()),
    "script": ("a.pdf", lambda: pdf(1, _script)),
    "script in a packed object": (
        "a.pdf",
        lambda: pdf(1, _hidden_script, object_stream_mode=pikepdf.ObjectStreamMode.generate),
    ),
    "launch action": ("a.pdf", lambda: pdf(1, _launch)),
    "XFA form": ("a.pdf", lambda: pdf(1, _xfa)),
    "embedded file": ("a.pdf", lambda: pdf(1, _attachment)),
    "password": ("a.pdf", lambda: pdf(1, encryption=pikepdf.Encryption(owner="a", user="b"))),
    "owner's password only": ("a.pdf", lambda: pdf(1, encryption=pikepdf.Encryption(owner="a", user=""))),
    "cut off": ("a.pdf", lambda: pdf()[:200]),
    "too many pages": ("a.pdf", lambda: pdf(301)),
    "picture bomb": ("a.png", lambda: picture(size=(8000, 6000))),
    "picture that is cut off": ("a.jpg", lambda: picture("JPEG", (800, 800))[:-3000]),
    "too large": ("a.pdf", lambda: pdf() + b" " * (16 * 2**20)),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_beside_its_field_and_nothing_is_kept(case: str, world: World) -> None:
    name, content = BAD[case]
    with pytest.raises(Invalid) as caught:
        receive(world, name, content())
    assert [field for field, _text in caught.value.errors] == ["file"]
    assert db.session.scalars(select(ArchiveContent)).all() == []
    assert db.session.scalars(select(Dossier)).all() == []
    assert list(vault.vault().iterate("archive")) == []
    refused = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "archive:upload:refuse")).one()
    assert refused.result == "refused"


def test_pictures_lose_everything_but_their_pixels(world: World) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    content = picture("JPEG", exif=exif) + b"PK\x03\x04 something behind"
    kept = vault.read(receive(world, "scan.JPEG", content).digest)
    assert b"taken at home" not in kept
    assert b"something behind" not in kept
    assert Image.open(io.BytesIO(kept)).size == (300, 200)


def test_a_name_of_300_characters_is_cut_and_keeps_its_ending(world: World) -> None:
    file = receive(world, "合" * 300 + ".pdf", pdf())
    assert len(file.original_name) == 120
    assert file.original_name.endswith(".pdf")


def test_the_quota_is_not_exceeded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "used_bytes", lambda: 50 * 2**30)
    with pytest.raises(Invalid):
        receive(world, "a.pdf", pdf())
    assert db.session.scalars(select(ArchiveContent)).all() == []


def test_a_full_disk_keeps_nothing_half_and_the_next_upload_works(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(vault.vault().place), "write", full)
        with pytest.raises(vault.VaultTrouble):
            receive(world, "a.pdf", pdf())
    assert db.session.scalars(select(ArchiveFile)).all() == []
    assert receive(world, "a.pdf", pdf()).state == CURRENT


def use_scanner(address: str) -> None:
    with transaction():
        settings.put("archive.clamd", address, None)


def test_what_the_virus_scanner_finds_is_refused(world: World, clamd: tuple[str, list[bytes]]) -> None:
    use_scanner(clamd[0])
    clamd[1][:] = [b"stream: Eicar-Test FOUND\0"]
    with pytest.raises(Invalid, match="Eicar-Test"):
        receive(world, "a.pdf", pdf())
    assert list(vault.vault().iterate("archive")) == []


def test_a_silent_scanner_means_quarantine_until_it_answers(world: World, clamd: tuple[str, list[bytes]]) -> None:
    use_scanner("127.0.0.1:1")
    first = receive(world, "a.pdf", pdf(), number="HT-1")
    assert first.state == QUARANTINED
    assert queries.files_of(first.customer_id) == [], "files in quarantine are not in force"
    jobs.scan_quarantine(Context())  # type: ignore[arg-type]
    assert db.session.get_one(ArchiveFile, first.id).state == QUARANTINED
    use_scanner(clamd[0])
    clamd[1][:] = [b"stream: OK\0"]
    jobs.scan_quarantine(Context())  # type: ignore[arg-type]
    assert db.session.get_one(ArchiveFile, first.id, populate_existing=True).state == CURRENT


# ---- who changes a dossier -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["anna", "hanna", "boss", "admin", "audrey", "otto", "nora"])
def test_nobody_but_a_maintainer_changes_a_dossier_whatever_his_rank(who: str, world: World) -> None:
    with pytest.raises(NotAllowed):
        receive(world, "a.pdf", pdf(), who=who)
    with pytest.raises(NotAllowed):
        producing.produce_part(world.customer_id("maotai"), CARD, world.actor(who))
    file_id = receive(world, "a.pdf", pdf()).id
    with pytest.raises(NotAllowed), transaction():
        services.withdraw_file(file_id, "test", world.actor(who))
    assert db.session.get_one(ArchiveFile, file_id).state == CURRENT


def test_a_replaced_contract_stays_on_record(world: World) -> None:
    old = receive(world, "a.pdf", pdf(1))
    new = receive(world, "b.pdf", pdf(2), number="HT-2", replaces_id=old.id)
    assert db.session.get_one(ArchiveFile, old.id).state == SUPERSEDED
    assert [file.id for file in queries.files_of(new.customer_id)] == [new.id]


def test_a_double_click_keeps_one_file(world: World) -> None:
    first = receive(world, "a.pdf", pdf(), token="once")
    assert receive(world, "a.pdf", pdf(), token="once").id == first.id


def test_a_withdrawn_file_is_no_longer_in_force_but_on_record(world: World) -> None:
    file = receive(world, "a.pdf", pdf())
    with transaction():
        services.withdraw_file(file.id, "scanned badly", world.actor("paula"))
    assert db.session.get_one(ArchiveFile, file.id).state == WITHDRAWN
    assert queries.files_of(file.customer_id) == []


def test_all_parts_are_produced_into_the_vault_and_nowhere_else(world: World) -> None:
    paula = world.actor("paula")
    customer_id = world.customer_id("maotai")
    for part in ("card", "assessment", "statistics"):
        file = db.session.get_one(ArchiveFile, producing.produce_part(customer_id, part, paula))
        assert vault.read(file.digest).startswith(b"%PDF-")
        assert file.number
        assert file.pages >= 1
        document = db.session.scalars(select(Document).where(Document.number == file.number)).one()
        assert (document.state, document.storage_key) == (ERASED, "")
        for who in ("boss", "paula", "anna", "otto"):
            with pytest.raises(NotFound):
                documents.require_readable(world.actor(who), document.id)
    again = producing.produce_part(customer_id, "card", paula)
    assert [file.id for file in queries.files_of(customer_id, ("card",))] == [again]
    customer = queries.customer_for(customer_id)
    states = queries.part_states(queries.files_of(customer_id), customer)
    assert [state.standing for state in states] == ["complete", "complete", "not_due", "complete"]


# ---- pages ---------------------------------------------------------------------------------------------------------


def test_whoever_sees_that_a_customer_exists_sees_the_dossier_but_no_content(client: FlaskClient, world: World) -> None:
    file = receive(world, "a.pdf", pdf())
    page = world.login(client, "cara").get(f"/archive/dossiers/{file.customer_id}")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "HT-1" in text
    assert "Upload a contract" not in text
    assert "Take out" not in text
    assert file.digest not in text


def test_a_maintainer_uploads_through_the_page_and_reads_why_it_was_refused(client: FlaskClient, world: World) -> None:
    world.login(client, "paula")
    path = f"/archive/dossiers/{world.customer_id('maotai')}/contracts/new"
    form = {"title": "供货合同", "number": "HT-9", "parties": "甲、乙", "dated_on": "2026-01-05"}
    bad = client.post(path, data={**form, "file": (io.BytesIO(pdf(1, _script)), "a.pdf")})
    assert bad.status_code == 400
    assert "The PDF contains scripts." in bad.get_data(as_text=True)
    assert 'value="HT-9"' in bad.get_data(as_text=True), "what was typed is lost"
    good = client.post(path, data={**form, "file": (io.BytesIO(pdf()), "a.pdf")})
    assert good.status_code == 302
    # He looks the scan over: page images with his name, each look recorded; nobody else, not later, not on paper only.
    assert "HT-9" in client.get(good.location).text
    picture_of_page = f"{good.location}/pages/1"
    answer = client.get(picture_of_page)
    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (200, "image/jpeg", "no-store")
    assert client.get(f"{good.location}/pages/2").status_code == 404
    assert db.session.scalars(select(AuditEntry.action).where(AuditEntry.action == "archive:file:preview")).one()
    dossier = f"/archive/dossiers/{world.customer_id('maotai')}"
    assert good.location in client.get(dossier).text
    with transaction():
        settings.put("archive.paper_only", True, None)
    assert client.get(picture_of_page).status_code == 404
    with transaction():
        settings.put("archive.paper_only", False, None)
    with transaction():
        db.session.execute(update(ArchiveFile).values(made_by_id=world.user("anna").id))
    assert client.get(picture_of_page).status_code == 404
    with transaction():
        earlier = clock.now() - timedelta(minutes=settings.get("archive.view_minutes"))
        db.session.execute(update(ArchiveFile).values(made_by_id=world.user("paula").id, made_at=earlier))
    assert client.get(good.location).status_code == 404
    assert good.location not in client.get(dossier).text


def test_the_dossier_is_read_by_the_phases_of_the_course(client: FlaskClient, world: World) -> None:
    maotai = world.customer_id("maotai")
    with transaction():
        services.open_dossier(maotai, SYSTEM)
    course = (("to_identify", date(2026, 1, 1)), ("opportunity", date(2026, 2, 1)), ("user", date(2026, 5, 1)))
    with transaction() as session:
        for stage, day in course:
            moment = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
            session.add(CustomerStageChange(customer_id=maotai, to_stage=stage, changed_at=moment))
        customer = session.get_one(Customer, maotai)
        customer.stage, customer.stage_changed_at = stage, moment
    dates = {"card": date(2026, 1, 20), "assessment": date(2026, 2, 20), "statistics": date(2026, 6, 1)}
    for part, dated_on in dates.items():
        file_id = add_file(maotai, part, title=f"文件 {part}")
        with transaction() as session:
            session.get_one(ArchiveFile, file_id).dated_on = dated_on
    add_file(maotai, "contract", title="合同")  # dated before the contract was the phase: it belongs there all the same
    found = queries.course_of(db.session.get_one(Customer, maotai), queries.files_of(maotai), [])
    assert {phase.key: [file.part for file in phase.files] for phase in found} == {
        "prospect": ["card"],
        "first_contact": ["assessment"],
        "contract": ["contract"],
        "daily_care": ["statistics"],
    }
    assert [phase.state for phase in found] == ["done", "done", "done", "current"]
    assert [phase.first for phase in found] == [course[0][1], course[1][1], None, course[2][1]]
    page = world.login(client, "anna").get(f"/archive/dossiers/{maotai}").text
    _parts, course_shown = page.split("The same dossier by the phases")
    places = [course_shown.index(f"文件 {part}") for part in ("card", "assessment", "statistics")]
    assert places == sorted(places)
    assert "since 2026-05-01" in course_shown


def test_scenes_of_the_list_find_what_is_missing_old_and_about_to_expire(client: FlaskClient, world: World) -> None:
    today = clock.today()
    soon = receive(world, "a.pdf", pdf(), valid_until=today + timedelta(days=10))
    world.login(client, "paula")
    for scene, there in (("ending", True), ("missing", True), ("old", False), ("quarantine", False)):
        page = client.get(f"/archive/dossiers/?scene={scene}").get_data(as_text=True)
        assert ("贵州茅台" in page) is there, scene
    file_id = producing.produce_part(soon.customer_id, CARD, world.actor("paula"))
    with transaction():
        db.session.execute(
            update(ArchiveFile).where(ArchiveFile.id == file_id).values(dated_on=today - timedelta(days=500))
        )
    assert "贵州茅台" in client.get("/archive/dossiers/?scene=old").get_data(as_text=True)


def test_the_customers_page_gets_two_more_statements_at_most(app: Flask, client: FlaskClient, world: World) -> None:
    from sqlalchemy import event

    world.login(client, "anna")
    path = f"/customers/{world.customer_id('maotai')}"
    client.get(path)
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        client.get(path)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    mine = [statement for statement in seen if "archive_" in statement]
    # One for the dossier's panel, one for the grants on it.
    assert len(mine) <= 2, mine


# ---- changes -------------------------------------------------------------------------------------------------------


def ask(world: World, who: str = "anna", **values: str) -> ApprovalRequest:
    customer = queries.customer_for(world.customer_id("maotai"))
    data = changes.ChangeInput(
        values={**values_of(customer), **values},
        token=f"token-{who}-{sorted(values)}",
        customer_id=customer.id,
        reason="business licence seen",
    )
    with transaction():
        return changes.file_change(data, world.actor(who))


def test_a_change_is_checked_by_the_supervisor_and_posted_by_a_maintainer(world: World) -> None:
    asked = ask(world, industry="白酒", address="仁怀市茅台镇").id
    assert db.session.scalars(select(Customer.industry).where(Customer.name == "贵州茅台")).one() == ""
    with pytest.raises((NotAllowed, NotFound)):
        decide(asked, world, "paula")
    decide(asked, world, "hanna")
    with pytest.raises((Conflict, NotAllowed, NotFound)):
        decide(asked, world, "hanna")
    decide(asked, world, "paula")
    change = db.session.scalars(select(ArchiveChange)).one()
    customer = db.session.get_one(Customer, change.customer_id)
    assert (customer.industry, customer.address) == ("白酒", "仁怀市茅台镇")
    assert change.state == POSTED
    assert (change.replaced, change.after) == (
        {"industry": "", "address": ""},
        {"industry": "白酒", "address": "仁怀市茅台镇"},
    )


def test_a_refused_change_changes_nothing(world: World) -> None:
    asked = ask(world, industry="白酒").id
    decide(asked, world, "hanna", REJECT, "not so")
    assert db.session.scalars(select(ArchiveChange)).one().state == REFUSED
    assert db.session.get_one(Customer, world.customer_id("maotai")).industry == ""


def test_values_that_break_a_rule_are_refused_when_the_request_is_filed(world: World) -> None:
    with pytest.raises(Invalid) as caught:
        ask(world, credit_code="91110000000000000X")
    assert [field for field, _text in caught.value.errors] == ["credit_code"]
    assert db.session.scalars(select(ArchiveChange)).all() == []
    assert db.session.get_one(Customer, world.customer_id("maotai")).credit_code is None


def test_nobody_asks_for_changes_of_a_customer_he_does_not_work_with(world: World) -> None:
    with pytest.raises(NotAllowed):
        ask(world, "cara", industry="白酒")


def test_a_new_customer_is_entered_by_the_maintainer_for_who_asked(world: World) -> None:
    data = changes.ChangeInput(values={"name": "新客户公司", "kind": "dealer"}, token="new")
    with transaction():
        asked = changes.file_change(data, world.actor("anna")).id
    decide(asked, world, "hanna")
    decide(asked, world, "paula")
    made = db.session.scalars(select(Customer).where(Customer.name == "新客户公司")).one()
    assert made.account_manager_id == world.user("anna").id
    assert queries.dossier_of(made.id) is not None


def test_a_record_that_moved_on_is_shown_again_before_it_is_posted(world: World) -> None:
    asked = ask(world, industry="白酒").id
    decide(asked, world, "hanna")
    seen = digest_of(db.session.get_one(ApprovalRequest, asked))
    customer_id = world.customer_id("maotai")
    with transaction():
        from dataclasses import replace

        customer = db.session.get_one(Customer, customer_id)
        change_customer(customer_id, replace(input_of(customer), industry="酿酒"), world.actor("anna"))
    assert digest_of(db.session.get_one(ApprovalRequest, asked)) != seen
    decide(asked, world, "paula")
    assert db.session.scalars(select(ArchiveChange)).one().replaced == {"industry": "酿酒"}


def test_basic_information_of_a_customer_with_a_dossier_changes_by_request_only(world: World) -> None:
    from dataclasses import replace

    customer_id = world.customer_id("maotai")
    receive(world, "a.pdf", pdf())

    def edit(**values: str) -> None:
        with transaction():
            customer = db.session.get_one(Customer, customer_id)
            change_customer(customer_id, replace(input_of(customer), **values), world.actor("anna"))

    with pytest.raises(Invalid) as caught:
        edit(address="elsewhere")
    assert [field for field, _text in caught.value.errors] == ["address"]
    edit(demand="daily things stay free")
    with transaction():
        settings.put("archive.protect_basic", False, None)
    edit(address="elsewhere")
    assert db.session.get_one(Customer, customer_id).address == "elsewhere"


def test_a_supplement_is_written_by_the_head_posted_by_the_maintainer_and_stays_as_it_is(world: World) -> None:
    data = changes.SupplementInput(world.customer_id("maotai"), "daily_care", clock.today(), "每月补货", "s1")
    with pytest.raises(NotAllowed), transaction():
        changes.file_supplement(data, world.actor("anna"))
    with transaction():
        asked = changes.file_supplement(data, world.actor("hanna")).id
    decide(asked, world, "paula")
    kept = db.session.scalars(select(ArchiveSupplement)).one()
    assert (kept.body, kept.written_by_id, kept.posted_by_id) == (
        "每月补货",
        world.user("hanna").id,
        world.user("paula").id,
    )
    with pytest.raises(DBAPIError), transaction():
        db.session.execute(update(ArchiveSupplement).values(body="otherwise"))


def test_the_queue_posts_with_one_click(client: FlaskClient, world: World) -> None:
    asked = ask(world, industry="白酒").id
    decide(asked, world, "hanna")
    change_id = db.session.scalars(select(ArchiveChange.id)).one()
    world.login(client, "paula")
    assert "白酒" in client.get("/archive/changes/").get_data(as_text=True)
    shown = digest_of(db.session.get_one(ApprovalRequest, asked))
    assert client.post(f"/archive/changes/{change_id}/post", data={"digest": "stale"}).status_code == 302
    assert db.session.get_one(ArchiveChange, change_id).state == "open"
    client.post(f"/archive/changes/{change_id}/post", data={"digest": shown})
    db.session.rollback()
    assert db.session.get_one(Customer, world.customer_id("maotai")).industry == "白酒"


# ---- integrity -----------------------------------------------------------------------------------------------------


def test_the_scan_finds_missing_and_damaged_contents(app: Flask, world: World) -> None:
    whole, gone, bent = (receive(world, "a.pdf", pdf(pages), number=f"HT-{pages}") for pages in (1, 2, 3))
    assert checking.scan(SYSTEM).is_well
    vault.vault().delete(vault.key_of(gone.digest))
    path = app.config["DATA_DIR"] / "archive" / vault.key_of(bent.digest)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    found = checking.scan(SYSTEM)
    assert (found.missing, found.damaged) == ([gone.digest], [bent.digest])
    assert vault.read(whole.digest)
    for broken in (gone, bent):
        with pytest.raises(vault.VaultTrouble):
            vault.read(broken.digest)
    assert app.test_cli_runner().invoke(args=["archive", "check"]).exit_code == 1


def test_orphans_are_removed_after_the_time_of_grace_and_never_what_is_referred_to(world: World) -> None:
    kept = receive(world, "a.pdf", pdf(1))
    orphan = vault.put(b"nobody refers to this")
    unknown = vault.vault().put("archive", b"no row knows this").key
    found = checking.scan(SYSTEM, repair_orphans=True)
    assert (found.orphans, found.removed) == ([], 1), "within the time of grace only what no row knows"
    assert not vault.vault().exists(unknown)
    with transaction():
        db.session.execute(update(ArchiveContent).values(reserved_at=clock.now() - timedelta(hours=1)))
    found = checking.scan(SYSTEM, repair_orphans=True)
    assert (found.orphans, found.removed) == ([orphan], 1)
    assert vault.read(kept.digest)
    assert vault.key_of(orphan) == ""
    assert vault.put(b"nobody refers to this") == orphan, "an orphan can come again"


def test_every_column_that_refers_to_a_content_keeps_it() -> None:
    assert "archive_file.digest" in {str(column) for column in checking.references()}


def test_parts_are_the_four_of_the_rule() -> None:
    assert PARTS == ("card", "assessment", "contract", "statistics")
