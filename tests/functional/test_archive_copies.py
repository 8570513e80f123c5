"""Paper copies: the print station, the register, what leaves and what comes back (R-ARC-6, R-ARC-11)."""

from __future__ import annotations

import io
import os
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import zxingcpp
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from plugins.archive import limits, vault
from plugins.archive.copies import endings, jobs, printing, sealing, services, states
from plugins.archive.copies.documents import HANDOVER_PDF, REGISTER_PDF
from plugins.archive.copies.models import ArchiveCopy, ArchiveCopyEvent
from plugins.archive.copies.printing import marks_of
from plugins.archive.lookups.grants import Ended
from plugins.archive.lookups.models import PAPER, REVOKED, VIEW, ArchiveGrant
from portal.audit.models import AuditEntry
from portal.core import clock, settings
from portal.core.errors import Conflict, Invalid, PortalError
from portal.core.transaction import transaction
from portal.documents.models import Document
from portal.extensions import db
from portal.notifications.models import Notice
from portal.org.models import User
from tests.archive_world import CANARY, add_file, granted, reserved, walk
from tests.world import World

pytestmark = pytest.mark.db

#: A way to each state, from a copy whose pages are made.
WAYS: dict[str, tuple[str, ...]] = {
    states.READY: (),
    states.SENT: (states.SEND,),
    states.SUSPECT: (states.SEND, states.DOUBT),
    states.PRINTED: (states.SEND, states.COUNT),
    states.OFFERED: (states.SEND, states.COUNT, states.OFFER),
    states.ISSUED: (states.SEND, states.COUNT, states.SIGN),
    states.RETURNED: (states.SEND, states.COUNT, states.SIGN, states.RETURN),
    states.LOST: (states.SEND, states.COUNT, states.SIGN, states.LOSE),
    states.SPOILED: (states.SEND, states.SPOIL),
    states.VOID: (states.SEND, states.NOTHING),
    states.DESTROYED: (states.SEND, states.COUNT, states.SIGN, states.RETURN, states.DESTROY),
    states.CANCELLED: (states.CANCEL,),
}


@pytest.fixture
def app_settings() -> dict[str, Any]:
    # Pages are drawn where a test looks at them, see `drawn`.
    return {"JOBS_IMMEDIATE": False, "BASE_URL": "https://portal.example.com"}


@pytest.fixture
def paper(app: Flask, world: World) -> int:
    """A grant of anna's for five paper copies of a contract."""
    add_file(world.customer_id("maotai"))
    return granted(app, world, "anna", "maotai", PAPER, 3)


class Quiet:
    """What the job's function needs of its context."""

    def progress(self, done: int, total: int | None = None, label: object = "") -> None:
        assert total is None or done <= total

    def check_cancelled(self) -> None:
        return None


def drawn(world: World, grant_id: int) -> int:
    """A copy whose pages were really made by the job's function."""
    copy_id = reserved(world, grant_id)
    db.session.rollback()
    printing.run(Quiet(), copy_id)  # type: ignore[arg-type]
    return copy_id


def made(world: World, grant_id: int) -> int:
    """A copy whose pages count as made."""
    copy_id = reserved(world, grant_id)
    walk(world, copy_id, states.MAKE)
    return copy_id


def draw(copy_id: int) -> None:
    """What the worker does; a failure is noted with the copy."""
    db.session.rollback()
    with suppress(PortalError):
        printing.run(Quiet(), copy_id)  # type: ignore[arg-type]


def copy_of(copy_id: int) -> ArchiveCopy:
    db.session.rollback()
    return db.session.get_one(ArchiveCopy, copy_id)


def used(grant_id: int) -> int:
    db.session.rollback()
    return db.session.get_one(ArchiveGrant, grant_id).used


def pages_of(client: FlaskClient, copy_id: int) -> Any:
    return client.post(f"/archive/copies/{copy_id}/pages")


# ---- printing ------------------------------------------------------------------------------------------------------


def test_number_and_row_exist_before_the_pages_and_the_quota_is_taken(
    world: World, paper: int, client: FlaskClient
) -> None:
    world.login(client, "otto")
    page = client.get("/archive/copies/station").text
    assert "安娜" in page
    assert "3 copies may be printed" in page
    answer = client.post(f"/archive/copies/grants/{paper}/reserve", data={"token": "one"})
    again = client.post(f"/archive/copies/grants/{paper}/reserve", data={"token": "one"})
    assert answer.headers["Location"] == again.headers["Location"]
    assert used(paper) == 1
    copy = db.session.scalars(select(ArchiveCopy)).one()
    assert (copy.state, copy.pages, copy.run_id is not None) == (states.RESERVED, 0, True)
    assert db.session.scalars(select(ArchiveCopyEvent.step)).all() == ["reserve"]


def test_the_pages_are_pictures_with_marks_and_nothing_else(world: World, paper: int, client: FlaskClient) -> None:
    copy_id = drawn(world, paper)
    world.login(client, "otto")
    answer = pages_of(client, copy_id)
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert CANARY not in answer.data
    reader = PdfReader(io.BytesIO(answer.data))
    assert len(reader.pages) == copy_of(copy_id).pages == 2
    assert not reader.metadata
    assert reader.xmp_metadata is None
    for page in reader.pages:
        assert page.extract_text() == ""
        assert len(page.images) == 1
        assert "/Annots" not in page
        assert (round(float(page.mediabox.width)), round(float(page.mediabox.height))) == (595, 842)
        picture = page.images[0].image
        assert picture is not None
        assert picture.size == (1654, 2339)  # A4 at 200 dpi
        # What a phone reads from the sheet, also when it was scanned with half the resolution and a little turned.
        for seen in (picture, picture.convert("L").resize((827, 1170)).rotate(4, expand=True, fillcolor=255)):
            assert [found.text for found in zxingcpp.read_barcodes(seen)] == [marks_of(copy_of(copy_id)).address]


def test_the_code_on_the_paper_leads_to_the_register(world: World, paper: int, client: FlaskClient) -> None:
    copy_id = made(world, paper)
    copy = copy_of(copy_id)
    address = marks_of(copy).address
    assert address == f"https://portal.example.com/archive/copies/q/{copy.token}"
    address = urlsplit(address).path
    for login, status in (
        ("audrey", 302),
        ("hanna", 302),
        ("anna", 302),
        ("paula", 302),
        ("ben", 404),
        ("hector", 404),
    ):
        world.login(client, login)
        assert client.get(address).status_code == status, login
        assert client.get(f"/archive/copies/find?number={copy.number}").status_code == status, login
    assert client.get("/archive/copies/q/" + "A" * 32).status_code == 404


def test_the_pages_are_given_out_once_and_then_nobody_can_open_them(
    world: World, paper: int, client: FlaskClient
) -> None:
    copy_id = drawn(world, paper)
    assert sealing.left_behind() == [copy_id]
    world.login(client, "otto")
    assert pages_of(client, copy_id).mimetype == "application/pdf"
    second = pages_of(client, copy_id)
    assert second.status_code == 302
    copy = copy_of(copy_id)
    assert (copy.state, copy.seal) == (states.SENT, None)
    assert sealing.left_behind() == []


def test_nobody_but_the_operator_receives_archive_bytes(app: Flask, world: World, paper: int) -> None:
    """Everybody walks over every page of the archive: no stored file, no page of a copy, comes out (security 7)."""
    copy_id = drawn(world, paper)
    view_id = granted(app, world, "anna", "maotai", VIEW)
    gets = [
        rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/archive/") and "GET" in (rule.methods or ())
    ]
    ids = {"copy_id": copy_id, "grant_id": view_id, "lookup_id": 1, "opening_id": 1, "sheet": 1, "file_id": 1}
    ids |= {"customer_id": world.customer_id("maotai"), "change_id": 1, "report_id": 1, "token": "x"}
    original = vault.read(copy_of(copy_id).files[0].digest)
    for login in ("nora", "anna", "hanna", "audrey"):
        client = world.login(app.test_client(), login)
        assert pages_of(client, copy_id).status_code == 403, login
        for rule in gets:
            if not rule.arguments <= set(ids):
                continue
            address = app.url_map.bind("localhost").build(rule.endpoint, {name: ids[name] for name in rule.arguments})
            answer = client.get(address)
            assert CANARY not in answer.data, (login, address)
            assert original[:64] not in answer.data, (login, address)
            assert answer.mimetype != "application/pdf", (login, address)
    assert copy_of(copy_id).state == states.READY


def test_a_missing_file_is_said_and_the_pages_can_be_made_again(world: World, paper: int, client: FlaskClient) -> None:
    from plugins.archive.dossiers.models import ArchiveFile

    digest = db.session.scalars(select(ArchiveFile.digest)).one()
    content = vault.read(digest)
    vault.vault().delete(vault.key_of(digest))
    copy_id = reserved(world, paper)
    draw(copy_id)
    copy = copy_of(copy_id)
    assert copy.state == states.RESERVED
    assert "missing" in copy.problem
    vault.vault().put(vault.AREA, content)
    world.login(client, "otto")
    assert client.post(f"/archive/copies/{copy_id}/make").status_code == 302
    draw(copy_id)
    assert copy_of(copy_id).state == states.READY


def test_a_full_disk_at_the_print_station_keeps_nothing_half_and_is_over_without_a_restart(
    app: Flask, world: World, paper: int, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    copy_id = reserved(world, paper)
    with monkeypatch.context() as patch:
        patch.setattr(sealing.os, "fsync", full)
        patch.setattr(printing, "make_pdf", lambda *_arguments: (b"%PDF-1.7 pages", 2))
        db.session.rollback()
        with pytest.raises(OSError, match="No space left"):
            printing.run(Quiet(), copy_id)  # type: ignore[arg-type]
    copy = copy_of(copy_id)
    assert (copy.state, copy.seal) == (states.RESERVED, None)
    assert list((Path(app.config["DATA_DIR"]) / sealing.FOLDER).iterdir()) == []
    world.login(client, "otto")
    assert "the disk is full" in client.get("/archive/copies/station").text
    assert client.post(f"/archive/copies/{copy_id}/make").status_code == 302
    draw(copy_id)
    assert copy_of(copy_id).state == states.READY
    assert used(paper) == 1


def test_without_a_file_nothing_is_reserved_and_nothing_taken(app: Flask, world: World) -> None:
    grant_id = granted(app, world, "anna", "maotai", PAPER)
    with pytest.raises(Invalid):
        reserved(world, grant_id)
    assert used(grant_id) == 0


# ---- steps ---------------------------------------------------------------------------------------------------------


def test_each_pair_of_states_is_refused_unless_a_step_leads_there(app: Flask, world: World) -> None:
    """From each state each other state is tried, by raw SQL: the database refuses what the table does not know."""
    grant_id = many(app, world)
    allowed = {(before, after) for table in states.TRANSITIONS.values() for before, after in table.items()}
    copies = {}
    for state, way in WAYS.items():
        copies[state] = reserved(world, grant_id)
        walk(world, copies[state], states.MAKE, *way)
        assert copy_of(copies[state]).state == state
    copies[states.RESERVED] = reserved(world, grant_id)
    assert set(copies) == set(states.STATES)
    for before, after in product(states.STATES, states.STATES):
        if before == after:
            continue
        with db.engine.connect() as connection, connection.begin() as attempt:
            statement = text("UPDATE archive_copy SET state = :after, issued_at = :now WHERE id = :id")
            values = {"after": after, "now": "2026-03-05 10:00:00", "id": copies[before]}
            if (before, after) in allowed:
                assert connection.execute(statement, values).rowcount == 1
            else:
                with pytest.raises(DBAPIError, match="not allowed"):
                    connection.execute(statement, values)
            attempt.rollback()


def many(app: Flask, world: World) -> int:
    """A grant for twenty copies."""
    add_file(world.customer_id("maotai"))
    with transaction():
        settings.put("archive.copies_most", 20, None)
    return granted(app, world, "anna", "maotai", PAPER, 20)


def test_each_illegal_step_is_refused_by_the_service_too(app: Flask, world: World) -> None:
    grant_id = many(app, world)
    for state, way in WAYS.items():
        copy_id = reserved(world, grant_id)
        walk(world, copy_id, states.MAKE, *way)
        for step in states.STEPS:
            if states.after(state, step) is None:
                with pytest.raises(Conflict), transaction():
                    services.move(copy_of(copy_id), step, world.actor("otto"))
        assert copy_of(copy_id).state == state


def test_rows_of_the_register_cannot_be_removed_or_renumbered(world: World, paper: int) -> None:
    copy_id = made(world, paper)
    for statement in (
        "DELETE FROM archive_copy_event",
        "DELETE FROM archive_copy",
        "UPDATE archive_copy SET number = 'FB-1'",
        "UPDATE archive_copy_event SET note = 'x'",
    ):
        with pytest.raises(DBAPIError), db.engine.connect() as connection, connection.begin():
            connection.execute(text(statement))
    assert copy_of(copy_id).number.startswith("FB-")


@pytest.mark.parametrize(
    ("way", "left"),
    [
        ((states.SEND, states.NOTHING), 0),
        ((states.SEND, states.SPOIL), 1),
        ((states.SEND, states.SPOIL, states.BURN), 0),
        ((states.SEND, states.COUNT), 1),
        ((states.SEND, states.COUNT, states.SIGN, states.RETURN, states.DESTROY), 1),
        ((states.SEND, states.COUNT, states.SIGN, states.LOSE), 1),
        ((states.CANCEL,), 0),
    ],
)
def test_the_quota_comes_back_only_when_no_sheet_is_left(
    world: World, paper: int, way: tuple[str, ...], left: int
) -> None:
    walk(world, made(world, paper), *way)
    assert used(paper) == left


def test_a_reprint_has_a_new_number_and_names_the_old_one(world: World, paper: int, client: FlaskClient) -> None:
    copy_id = made(world, paper)
    walk(world, copy_id, states.SEND, states.SPOIL, states.BURN)
    world.login(client, "otto")
    assert client.post(f"/archive/copies/{copy_id}/again", data={"token": "again"}).status_code == 302
    db.session.rollback()
    second = db.session.scalars(select(ArchiveCopy).where(ArchiveCopy.replaces_id == copy_id)).one()
    assert second.number != copy_of(copy_id).number
    assert second.number in client.get(f"/archive/copies/{copy_id}").text
    assert used(paper) == 1


@pytest.mark.parametrize(
    ("state_way", "step", "form", "field"),
    [
        ((states.SEND,), "count", {}, "sheets"),
        ((states.SEND,), "count", {"sheets": "1"}, "sheets"),
        ((states.SEND,), "nothing", {}, "note"),
        ((states.SEND, states.SPOIL), "burn", {}, "witness"),
        ((states.SEND, states.SPOIL), "burn", {"witness_text": "otto"}, "witness"),
        ((states.SEND, states.COUNT, states.SIGN), "return", {"sheets": "1"}, "note"),
        ((states.SEND, states.COUNT, states.SIGN), "lose", {}, "note"),
    ],
)
def test_steps_want_counted_sheets_witness_and_words(
    world: World,
    paper: int,
    client: FlaskClient,
    state_way: tuple[str, ...],
    step: str,
    form: dict[str, str],
    field: str,
) -> None:
    copy_id = made(world, paper)
    walk(world, copy_id, *state_way)
    before = copy_of(copy_id).state
    world.login(client, "otto")
    answer = client.post(f"/archive/copies/{copy_id}/{step}", data=form)
    assert answer.status_code == 400
    assert f'id="{step}-{field}-error"' in answer.text
    assert copy_of(copy_id).state == before


def test_the_collector_confirms_in_the_portal_and_only_he(world: World, paper: int, client: FlaskClient) -> None:
    copy_id = made(world, paper)
    walk(world, copy_id, states.SEND, states.COUNT, states.OFFER)
    world.login(client, "hanna")
    assert client.post(f"/archive/copies/{copy_id}/accept").status_code == 403
    world.login(client, "anna")
    for _click in range(2):
        assert client.post(f"/archive/copies/{copy_id}/accept").status_code == 302
    copy = copy_of(copy_id)
    assert (copy.state, copy.issued_how) == (states.ISSUED, "portal")


def test_uncounted_pages_become_suspect_and_are_never_printed_again(world: World, paper: int) -> None:
    copy_id = made(world, paper)
    with transaction():
        services.move(copy_of_now(copy_id), states.SEND, world.actor("otto"), sent_at=clock.now(), seal=None)
    with clock.frozen(clock.now() + timedelta(minutes=61)):
        jobs.look_after(None)  # type: ignore[arg-type]
        assert copy_of(copy_id).state == states.SUSPECT
        with pytest.raises(Conflict), transaction():
            services.send_pages(copy_of_now(copy_id), world.actor("otto"))
    assert states.SEND not in states.steps_from(states.SUSPECT)


def copy_of_now(copy_id: int) -> ArchiveCopy:
    return db.session.get_one(ArchiveCopy, copy_id)


# ---- ends of grants ------------------------------------------------------------------------------------------------


def test_revoking_cancels_unprinted_copies_and_calls_printed_ones_back(world: World, paper: int) -> None:
    ready, printed, issued = made(world, paper), made(world, paper), made(world, paper)
    walk(world, printed, states.SEND, states.COUNT)
    walk(world, issued, states.SEND, states.COUNT, states.SIGN)
    with transaction():
        endings.end_grant(db.session.get_one(ArchiveGrant, paper), REVOKED, "离开项目", world.actor("hanna"))
    assert copy_of(ready).state == states.CANCELLED
    for copy_id in (printed, issued):
        copy = copy_of(copy_id)
        assert copy.recalled_at is not None
        assert copy.due_at <= clock.now()
    with pytest.raises(Ended), transaction():
        services.take_step(copy_of_now(printed), states.SIGN, services.StepInput(), world.actor("otto"))
    walk(world, printed, states.DESTROY)
    walk(world, issued, states.RETURN, states.DESTROY)


@pytest.mark.parametrize("how", ["over", "disabled"])
def test_a_grant_that_is_over_prints_nothing_even_with_the_clockwork_dead(world: World, paper: int, how: str) -> None:
    copy_id = made(world, paper)
    ends_at = db.session.get_one(ArchiveGrant, paper).ends_at
    if how == "disabled":
        with transaction():
            world.user("anna").is_active = False
    with clock.frozen(ends_at if how == "over" else clock.now()):
        with pytest.raises(Ended), transaction():
            services.send_pages(copy_of_now(copy_id), world.actor("otto"))
        with pytest.raises(Ended):
            reserved(world, paper)
        jobs.look_after(None)  # type: ignore[arg-type]
        assert copy_of(copy_id).state == states.CANCELLED
        assert db.session.get_one(ArchiveGrant, paper).is_settled


def test_a_lost_copy_is_an_incident_for_heads_maintainers_and_auditors(
    world: World, paper: int, client: FlaskClient
) -> None:
    copy_id = made(world, paper)
    walk(world, copy_id, states.SEND, states.COUNT, states.SIGN)
    world.login(client, "anna")
    assert client.post(f"/archive/copies/{copy_id}/lost", data={"note": ""}).status_code == 400
    assert client.post(f"/archive/copies/{copy_id}/lost", data={"note": "遗失在出租车上"}).status_code == 302
    assert copy_of(copy_id).state == states.LOST
    told = set(
        db.session.scalars(
            select(User.login).join(Notice, Notice.user_id == User.id).where(Notice.kind == "archive.incident")
        )
    )
    assert told == {"hanna", "paula", "audrey"}


def test_holders_are_reminded_the_day_before_on_the_day_and_each_third_day(world: World, paper: int) -> None:
    copy_id = made(world, paper)
    walk(world, copy_id, states.SEND, states.COUNT, states.SIGN)
    due = copy_of(copy_id).due_at
    counts = []
    for hours in (-60, -20, -10, 8, 32, 56, 80, 104):
        with clock.frozen(due + timedelta(hours=hours)):
            jobs.remind(None)  # type: ignore[arg-type]
            jobs.remind(None)  # type: ignore[arg-type]
            counts.append(copy_of(copy_id).reminders)
    assert counts == [0, 1, 1, 2, 2, 2, 3, 3]
    told = Counter(
        db.session.scalars(
            select(User.login).join(Notice, Notice.user_id == User.id).where(Notice.kind == "archive.lookup")
        )
    )
    assert told["hanna"] >= 1


def test_a_returned_copy_is_no_work_for_its_collector_but_waits_for_its_destruction(
    world: World, paper: int, client: FlaskClient
) -> None:
    back, printed = made(world, paper), made(world, paper)
    walk(world, back, states.SEND, states.COUNT, states.SIGN)
    walk(world, printed, states.SEND, states.COUNT)
    world.login(client, "otto")
    assert 'id="returned"' not in client.get("/archive/copies/station").text
    walk(world, back, states.RETURN)
    work, waiting = client.get("/archive/copies/station").text.split('id="returned"')
    assert copy_of(printed).number in work
    assert copy_of(back).number not in work
    assert copy_of(back).number in waiting
    assert "安娜 · 销售一部" in waiting
    listed = client.get("/archive/copies/?scene=back").text
    assert (copy_of(back).number in listed, copy_of(printed).number in listed) == (True, False)
    walk(world, back, states.DESTROY)
    assert 'id="returned"' not in client.get("/archive/copies/station").text


def test_what_a_killed_process_began_to_seal_is_swept_after_an_hour(app: Flask, world: World, paper: int) -> None:
    copy_id = made(world, paper)
    sealing.seal(copy_id, b"pages")
    folder = Path(app.config["DATA_DIR"]) / sealing.FOLDER
    begun, old = folder / f"{copy_id}.aaaa", folder / f"{copy_id}.bbbb"
    for path in (begun, old):
        path.write_bytes(b"half")
    hour_ago = clock.now().timestamp() - sealing.UNFINISHED_SECONDS - 60
    os.utime(old, (hour_ago, hour_ago))
    os.utime(folder / f"{copy_id}.sealed", (hour_ago, hour_ago))
    jobs.look_after(None)  # type: ignore[arg-type]
    assert sorted(path.name for path in folder.iterdir()) == [f"{copy_id}.aaaa", f"{copy_id}.sealed"]


def test_every_step_is_in_the_trail(world: World, paper: int) -> None:
    copy_id = made(world, paper)
    walk(world, copy_id, states.SEND, states.COUNT, states.SIGN, states.RETURN, states.DESTROY)
    entries = db.session.scalars(
        select(AuditEntry.action)
        .where(AuditEntry.object_type == "archive_copy", AuditEntry.object_id == copy_id)
        .order_by(AuditEntry.seq)
    ).all()
    assert [action.rsplit(":", 1)[1] for action in entries] == [
        "reserve", "make", "send", "count", "sign", "return", "destroy",
    ]  # fmt: skip


# ---- the register --------------------------------------------------------------------------------------------------


def test_the_register_shows_each_his_part(world: World, paper: int, client: FlaskClient) -> None:
    number = copy_of(made(world, paper)).number
    for login, seen in (
        ("audrey", True), ("paula", True), ("otto", True), ("hanna", True), ("hugo", True), ("boss", True),
        ("anna", True),
        ("ben", False), ("hector", False), ("admin", False), ("nora", False),
    ):  # fmt: skip
        world.login(client, login)
        assert (number in client.get("/archive/copies/").text) is seen, login
    world.login(client, "audrey")
    assert number in client.get(f"/archive/copies/?q={number.replace('-', '')}").text


def test_lists_on_paper_are_read_by_who_holds_the_office_now(world: World) -> None:
    """Who made one and has another office since reads it no more."""
    for kind, login in ((REGISTER_PDF, "audrey"), (HANDOVER_PDF, "otto")):
        actor = world.actor(login)
        made_by_him = Document(made_by_id=actor.user_id)
        assert kind.may_read(actor, made_by_him)
        assert not kind.may_read(replace(actor, roles=frozenset()), made_by_him)


def test_nobody_searches_or_prints_without_end(world: World, paper: int, client: FlaskClient) -> None:
    with transaction():
        settings.put("archive.searches_hour", 5, None)
        settings.put("archive.prints_hour", 5, None)
        db.session.execute(update(ArchiveGrant).values(quota=9))
    world.login(client, "anna")
    for _try in range(5):
        assert client.get("/archive/copies/find?number=FB-2026-000999-01").status_code == 404
    for _try in range(2):
        assert client.get("/archive/copies/find?number=FB-2026-000999-01").status_code == 429
    world.login(client, "otto")
    for _copy in range(5):
        client.post(f"/archive/copies/grants/{paper}/reserve")
    assert used(paper) == 5
    for _try in range(2):
        answer = client.post(f"/archive/copies/grants/{paper}/reserve", follow_redirects=True)
        assert "More copies than usual were printed" in answer.text
    assert used(paper) == 5
    # Both refusals stand in the trail and were told to the auditors, once an hour.
    refused = db.session.scalars(select(AuditEntry.action).where(AuditEntry.action.contains(":limit")))
    assert sorted(refused) == ["archive:copy:limit", "archive:register:limit_search"]
    told = db.session.scalars(select(Notice.kind).where(Notice.user_id == world.user("audrey").id))
    assert list(told) == ["archive.incident"] * 2
    world.login(client, "anna")
    with clock.frozen(clock.now() + timedelta(hours=1, minutes=1)):
        assert limits.search_refusal(world.actor("anna")) == ""


def test_what_is_lost_or_not_yet_handed_out_is_not_overdue(world: World, paper: int, client: FlaskClient) -> None:
    copy_id = made(world, paper)
    walk(world, copy_id, *WAYS[states.ISSUED])
    with transaction():
        db.session.execute(update(ArchiveCopy).values(due_at=clock.now() - timedelta(days=3)))
    world.login(client, "audrey")
    register = "/archive/copies/?columns=number,due"
    late = client.get(register).text
    assert "3 days overdue" in late or "4 days overdue" in late
    walk(world, copy_id, states.LOSE)
    assert "days overdue" not in client.get(register).text
    assert "should be back" not in client.get(f"/archive/copies/{copy_id}").text


def test_register_and_list_for_signatures_are_numbered_documents(world: World, paper: int, client: FlaskClient) -> None:
    copy_id = made(world, paper)
    walk(world, copy_id, states.SEND, states.COUNT)
    world.login(client, "otto")
    anna = world.user("anna").id
    for address in ("/archive/copies/register", f"/archive/copies/people/{anna}/list"):
        answer = client.post(address)
        assert answer.status_code == 302
        content = client.get(answer.headers["Location"].rstrip("/") + "/download").data
        words = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
        assert copy_of(copy_id).number in words.replace("\n", "")
