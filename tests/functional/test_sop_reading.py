"""Reading: finding procedures, confidential manuals, acknowledgement with questions, reminders, statements per page."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pikepdf
import pytest
from flask.testing import FlaskClient
from lxml import html as lxml_html
from PIL import Image, PngImagePlugin
from sqlalchemy import event, func, select

from plugins.sop.management import reading as figures
from plugins.sop.manuals import arranging, drafting, queries
from plugins.sop.manuals.models import Attachment, ManualVersion
from plugins.sop.reading import jobs
from plugins.sop.reading import queries as reading_queries
from plugins.sop.reading import services as reading
from plugins.sop.reading.models import ALL_STAFF, ROLE, ReadingReminder
from plugins.sop.reading.queries import LibraryFilter, find_procedures, my_reading
from plugins.sop.runs.files import check_file as check_photo
from portal.core import clock, settings
from portal.core.errors import Conflict, Invalid
from portal.core.storage import storage
from portal.core.transaction import transaction
from portal.extensions import db
from tests.sop_story import add_procedure, add_step, begin_manual, department_id, effective_manual, sign, submit
from tests.world import World

pytestmark = pytest.mark.db

QUESTION = reading.QuestionInput("何时记录？", ("当日", "月底"), 0)


class Context:
    """What a job gets."""

    def check_cancelled(self) -> None: ...

    def progress(self, done: int, total: int | None = None, label: object = "") -> None: ...


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL statements of a block."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def revise(manual_id: int, procedure_id: int, world: World, *, major: bool) -> int:
    edda = world.actor("edda")
    with transaction():
        draft = drafting.start_draft(manual_id, edda)
        add_step(draft.id, procedure_id, f"新增一步 {draft.number}", edda)
        request_id = submit(draft.id, edda, major=major)
        draft_id = draft.id
    with transaction():
        sign(request_id)
    return draft_id


@pytest.mark.parametrize("typed", ["拜访", "首次", "scbf", "shoucibaifang", "BF-001", "拜访记录表", "預約"])
def test_procedures_are_found_by_two_characters_pinyin_initials_code_and_text(world: World, typed: str) -> None:
    made = effective_manual(world)
    found = find_procedures(world.actor("nora"), LibraryFilter(query=typed))
    assert [item.procedure_id for item in found] == [made.procedure_id]


def test_for_me_means_my_department_or_my_role(world: World) -> None:
    made = effective_manual(world, "one")
    wanted = LibraryFilter(mine=True)
    assert [item.procedure_id for item in find_procedures(world.actor("anna"), wanted)] == [made.procedure_id]
    assert find_procedures(world.actor("cara"), wanted) == []


def test_a_confidential_manual_is_hidden_from_all_but_its_readers(client: FlaskClient, world: World) -> None:
    made = effective_manual(world, "one", classification="confidential")
    with transaction():
        reading.add_rule(made.manual_id, reading.RuleInput(ROLE, 7, role="print_operator"), world.actor("edda"))
    everything = LibraryFilter()
    for login, sees in (("otto", True), ("anna", True), ("edda", True), ("cara", False), ("nora", False)):
        assert bool(find_procedures(world.actor(login), everything)) is sees, login
    world.login(client, "cara")
    assert client.get(f"/sop/manuals/{made.manual_id}/read").status_code == 404
    assert client.get(f"/sop/procedures/{made.procedure_id}").status_code == 404
    assert client.get(f"/sop/versions/{made.version_id}/acknowledge").status_code == 404


def test_drafts_are_seen_by_writers_and_reviewers_alone(client: FlaskClient, world: World) -> None:
    made = effective_manual(world)
    with transaction():
        draft_id = drafting.start_draft(made.manual_id, world.actor("edda")).id
    world.login(client, "cara")
    assert client.get(f"/sop/manuals/{made.manual_id}/read?version={draft_id}").status_code == 404
    assert client.get(f"/sop/versions/{draft_id}/changes").status_code == 404


def test_acknowledging_needs_right_answers_and_an_effective_version(world: World) -> None:
    edda, anna = world.actor("edda"), world.actor("anna")
    with transaction():
        version = begin_manual(world)
        add_procedure(version.id, "A-1", "甲", edda)
        reading.set_questions(version.id, (QUESTION,), edda)
    with pytest.raises(Conflict), transaction():
        reading.acknowledge(version.id, {}, edda)
    with transaction():
        request_id = submit(version.id, edda, major=True)
        sign(request_id)
    (question,) = reading.questions_of(version.id)
    with pytest.raises(Invalid), transaction():
        reading.acknowledge(version.id, {}, anna)
    with transaction():
        assert reading.acknowledge(version.id, {question.id: 1}, anna) is None
    with transaction():
        done = reading.acknowledge(version.id, {question.id: 0}, anna)
        assert done is not None
        assert done.tries == 2
        assert reading.acknowledge(version.id, {question.id: 1}, anna) is done


def test_a_new_major_version_is_to_be_read_again_a_minor_one_is_not(world: World) -> None:
    made = effective_manual(world)
    anna = world.actor("anna")
    with transaction():
        reading.add_rule(made.manual_id, reading.RuleInput(ALL_STAFF, 14), world.actor("edda"))
    assert [item.state for item in my_reading(anna)] == ["open"]
    with transaction():
        reading.acknowledge(made.version_id, {}, anna)
    revise(made.manual_id, made.procedure_id, world, major=False)
    assert [item.state for item in my_reading(anna)] == ["done"]
    revise(made.manual_id, made.procedure_id, world, major=True)
    assert [item.state for item in my_reading(anna)] == ["open", "superseded"]
    with pytest.raises(Conflict), transaction():
        reading.acknowledge(made.version_id, {}, world.actor("ben"))


def test_reminders_come_once_before_and_once_after_the_last_day(client: FlaskClient, world: World) -> None:
    made = effective_manual(world)
    with transaction():
        reading.add_rule(made.manual_id, reading.RuleInput(ROLE, 14, role="account_manager"), world.actor("edda"))
    with transaction():
        reading.acknowledge(made.version_id, {}, world.actor("anna"))
    now = clock.now()
    told = []
    for days in (1, 12, 12, 16, 17):
        with clock.frozen(now + timedelta(days=days)):
            told.append(jobs.remind_readers(Context())["reminded"])  # type: ignore[arg-type]
    # ben, cara and carl: nothing far ahead, once before, once after.
    assert told == [0, 3, 0, 3, 0]
    version = db.session.get_one(ManualVersion, made.version_id)
    states = {row.name: row.state for row in reading_queries.readers(version, world.actor("edda"))}
    assert states["安娜"] == "done"
    assert states["贝宁"] == "open"
    with clock.frozen(now + timedelta(days=16)):
        check_figures(client, world, made.manual_id)


def check_figures(client: FlaskClient, world: World, manual_id: int) -> None:
    """Anna has read it, ben, cara and carl are late; every sum leads to those it counts."""
    edda, today = world.actor("edda"), clock.today()
    rows = figures.sums(edda, today)
    (manual,) = figures.grouped(rows, figures.MANUAL)
    assert (manual.id, manual.figures) == (manual_id, figures.ReadingFigures(done=1, open=0, late=3))
    by_department = {group.id: group.figures for group in figures.grouped(rows, figures.DEPARTMENT)}
    one, two = department_id("one"), department_id("two")
    assert by_department == {one: figures.ReadingFigures(1, 0, 1), two: figures.ReadingFigures(0, 0, 2)}
    assert figures.total(figures.sums(edda, today, two)) == figures.ReadingFigures(0, 0, 2)
    # A head sees his own people alone.
    assert figures.total(figures.sums(world.actor("hanna"), today)) == figures.ReadingFigures(1, 0, 1)
    world.login(client, "edda")
    page = lxml_html.document_fromstring(client.get("/sop/figures/reading").text)
    (behind,) = [link for _e, _a, link, _p in page.iterlinks() if "readers" in link and "state=late" in link]
    people = client.get(behind).text
    assert [name in people for name in ("安娜", "贝宁", "柯兰")] == [False, True, True]
    assert client.get(f"{behind}&department={one}").text.count("贝宁") == 1
    assert "柯兰" not in client.get(f"{behind}&department={one}").text
    assert client.get("/sop/figures/reading?by=department").status_code == 200


def test_the_first_day_is_announced_once_whenever_the_job_runs(world: World) -> None:
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world)
        add_procedure(version.id, "A-1", "甲", edda)
        reading.add_rule(version.manual_id, reading.RuleInput(ALL_STAFF, 14), edda)
        sign(submit(version.id, edda, major=True, on=clock.today() + timedelta(days=5)))
        version_id = version.id
    later: datetime = clock.now() + timedelta(days=9)
    assert jobs.take_effect(Context())["announced"] == 0  # type: ignore[arg-type]
    with clock.frozen(later):
        assert [jobs.take_effect(Context())["announced"] for _run in range(2)] == [1, 0]  # type: ignore[arg-type]
    told = select(func.count()).select_from(ReadingReminder).where(ReadingReminder.version_id == version_id)
    assert db.session.scalar(told) == 17


def test_a_look_through_is_called_to_mind_and_moves_on(world: World) -> None:
    from plugins.sop.manuals import reviewing

    made = effective_manual(world)
    with clock.frozen(clock.now() + timedelta(days=350)):
        assert [jobs.take_effect(Context())["reminded"] for _run in range(2)] == [1, 0]  # type: ignore[arg-type]
        with transaction():
            reviewing.confirm_review(made.version_id, "逐条核对无误", world.actor("hanna"))
        due = db.session.get_one(ManualVersion, made.version_id).review_due
        assert due is not None
        assert due > clock.today() + timedelta(days=360)


def uploads() -> tuple[bytes, bytes, bytes]:
    """A harmless PDF, one with a script, and a picture that carries more than its pixels."""
    contents = []
    for action in (None, pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")):
        out = io.BytesIO()
        with pikepdf.new() as made:
            made.add_blank_page()
            if action is not None:
                made.Root.OpenAction = action
            made.save(out)
        contents.append(out.getvalue())
    picture, more = io.BytesIO(), PngImagePlugin.PngInfo()
    more.add_text("owner", "SecretOwner")
    Image.new("RGB", (60, 60), "red").save(picture, "PNG", pnginfo=more)
    return contents[0], contents[1], picture.getvalue()


def test_forms_are_checked_and_only_sent_as_downloads(client: FlaskClient, world: World) -> None:
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world)
        one = add_procedure(version.id, "A-1", "甲", edda)
        version_id = version.id
    world.login(client, "edda")
    path = f"/sop/drafts/{version_id}/procedures/{one}/forms"

    def attach(name: str, content: bytes) -> int:
        return client.post(path, data={"file": (io.BytesIO(content), name), "form_code": "F-1"}).status_code

    pdf, acting, picture = uploads()
    broken = b"\x89PNG\r\n\x1a\nbroken"
    for name, content in (
        ("a.exe", b"MZ"),
        ("a.pdf", b"<script>"),
        ("a.docx", b"PK\x03\x04"),
        ("a.pdf", b""),
        ("a.pdf", acting),
        ("a.png", broken),
    ):
        assert attach(name, content) == 400, name
    assert db.session.scalar(select(func.count(Attachment.id))) == 0
    assert attach("登记表.pdf", pdf) == attach("样张.png", picture) == 302
    kept = db.session.scalars(select(Attachment).order_by(Attachment.id)).all()
    assert b"SecretOwner" in picture
    assert b"SecretOwner" not in storage().get(kept[1].storage_key)
    answer = client.get(f"/sop/forms/{kept[0].id}")
    assert answer.data == pdf
    assert answer.headers["Content-Disposition"].startswith("attachment")
    world.login(client, "nora")
    assert client.get(f"/sop/forms/{kept[0].id}").status_code == 404


def test_a_virus_scanner_looks_at_forms_and_photos_and_when_it_is_silent_nothing_is_kept(
    client: FlaskClient, world: World, clamd: tuple[str, list[bytes]]
) -> None:
    """Security statement 49; files of the archive: test_archive_dossiers.py."""
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world)
        one = add_procedure(version.id, "A-1", "甲", edda)
        version_id = version.id
    world.login(client, "edda")
    path = f"/sop/drafts/{version_id}/procedures/{one}/forms"
    pdf, _acting, picture = uploads()
    word = io.BytesIO()
    with zipfile.ZipFile(word, "w") as packed:
        for name in ("[Content_Types].xml", "word/document.xml"):
            packed.writestr(name, "<x/>")

    def attach(name: str, content: bytes) -> Any:
        return client.post(path, data={"file": (io.BytesIO(content), name), "form_code": "F-1"})

    files = (("a.pdf", pdf), ("a.docx", word.getvalue()))
    for address, answer, said in (
        (clamd[0], b"stream: Eicar-Test FOUND\0", "The virus scanner found something in the file: Eicar-Test"),
        (clamd[0], b"INSTREAM size limit exceeded. ERROR\0", "The virus scanner does not answer"),
        ("127.0.0.1:1", b"", "The virus scanner does not answer"),
    ):
        clamd[1][:] = [answer]
        with transaction():
            settings.put("sop.clamd", address, None)
        for name, content in files:
            refused = attach(name, content)
            assert (refused.status_code, said in refused.text) == (400, True), name
        with pytest.raises(Invalid, match=said[:20]):
            check_photo("a.png", picture)
    assert db.session.scalar(select(func.count(Attachment.id))) == 0
    clamd[1][:] = [b"stream: OK\0"]
    with transaction():
        settings.put("sop.clamd", clamd[0], None)
    assert [attach(name, content).status_code for name, content in files] == [302, 302]
    assert check_photo("a.png", picture).media_type == "image/jpeg"


def test_reading_costs_the_same_few_statements_with_three_hundred_procedures(client: FlaskClient, world: World) -> None:
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world)
        first = add_procedure(version.id, "A-000", "程序", edda)
        version_id, manual_id = version.id, version.manual_id
    world.login(client, "edda")
    client.get("/sop/")

    def cost() -> tuple[int, int, int]:
        found = []
        for path in (
            f"/sop/procedures/{first}?version={version_id}",
            f"/sop/manuals/{manual_id}/read?version={version_id}&chapter=procedures",
        ):
            with statements() as seen:
                assert client.get(path).status_code == 200
            found.append(len(seen))
        db.session.rollback()
        with statements() as seen:
            queries.manual_content(version_id)
        return found[0], found[1], len(seen)

    few = cost()
    with transaction():
        for number in range(1, 41):
            arranging.add_procedure(version_id, "procedures", f"A-{number:03}", f"程序 {number}", edda)
    many = cost()
    assert many == few
    assert many[2] <= 9


def test_a_published_manual_is_read_from_memory_and_a_new_version_shows_at_once(
    client: FlaskClient, world: World
) -> None:
    made = effective_manual(world)
    world.login(client, "anna")
    procedure = f"/sop/procedures/{made.procedure_id}"
    cover = f"/sop/manuals/{made.manual_id}/read"
    for path in (procedure, cover, f"{cover}?chapter=procedures"):
        client.get(path)
        with statements() as seen:
            page = lxml_html.document_fromstring(client.get(path).text)
        assert len(seen) <= 12, (path, seen)
        marked = page.xpath("//nav[contains(@class, 'book-tree')]//a[@aria-current]")
        assert [link.get("href") for link in marked] == [path]
    revise(made.manual_id, made.procedure_id, world, major=False)
    with transaction():
        world.department("one").name = "华东一部"
    page = client.get(procedure).text
    assert "新增一步" in page
    assert "华东一部" in page
    assert "新增一步" not in client.get(f"{procedure}?version={made.version_id}").text
    for _again in range(2):
        assert "Step by step, word by word" in client.get(cover).text
