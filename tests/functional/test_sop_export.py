"""Manuals on paper through the pages: what is given to whom, as which file, and what is recorded."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from typing import Any

import pytest
from docx import Document as read_docx
from docx.oxml.ns import qn
from flask.testing import FlaskClient
from sqlalchemy import select, update

from plugins.sop.export import docx, jobs
from plugins.sop.export.paper import Choice, manual_paper
from plugins.sop.export.services import ExportInput, paper_for, scope_of
from plugins.sop.library import DEPARTMENT_KINDS, starters, template
from plugins.sop.manuals.markdown import check
from plugins.sop.manuals.models import (
    Chapter,
    Manual,
    ManualVersion,
    Procedure,
    ProcedureRevision,
    RevisionRole,
    Step,
    VersionProcedure,
)
from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.errors import Invalid
from portal.core.transaction import transaction
from portal.documents import services
from portal.documents.kinds import Making
from portal.documents.models import Document
from portal.documents.queries import kinds
from portal.documents.render import Rendered
from portal.extensions import db
from portal.jobs.models import JobRun
from tests.world import World

pytestmark = pytest.mark.db


@pytest.fixture
def version(world: World) -> ManualVersion:
    """An effective version with a chapter and a procedure."""
    now = clock.now()
    with transaction():
        manual = Manual(
            code="SOP-T",
            title="客户关系管理标准作业程序手册",
            language="zh_Hans_CN",
            department_id=world.department("office").id,
            created_at=now,
        )
        db.session.add(manual)
        db.session.flush()
        made = ManualVersion(manual_id=manual.id, title=manual.title, major=1, minor=0, created_at=now)
        procedure = Procedure(manual_id=manual.id, code="XS-001")
        db.session.add_all([made, procedure])
        db.session.flush()
        revision = ProcedureRevision(procedure_id=procedure.id, origin_version_id=made.id, title="新客户建档")
        db.session.add(revision)
        db.session.flush()
        db.session.add_all(
            [
                Chapter(version_id=made.id, key="procedures", position=1, title="作业程序", body="## 用法\n\n照做。"),
                RevisionRole(revision_id=revision.id, role="account_manager"),
                Step(revision_id=revision.id, key="a" * 12, position=1, who="客户经理", what="查重"),
                VersionProcedure(
                    version_id=made.id,
                    procedure_id=procedure.id,
                    revision_id=revision.id,
                    chapter_key="procedures",
                    position=1,
                ),
            ]
        )
        db.session.flush()
        change = update(ManualVersion).where(ManualVersion.id == made.id)
        db.session.execute(change.values(state="in_review"))
        db.session.execute(change.values(state="published", effective_from=date(2020, 1, 1), published_at=now))
        version_id = made.id
    db.session.expire_all()
    return db.session.get_one(ManualVersion, version_id)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stands for the layout where the PDF itself is not looked at; notes what it was given."""
    given: list[dict[str, Any]] = []

    def make(_facts: Any, context: Any, making: Making) -> Rendered:
        given.append(dict(context))
        if making.progress is not None:
            making.progress(3, 7)
        return Rendered(b"%PDF-1.7 " + str(len(given)).encode(), 7, "")

    object.__setattr__(kinds()["sop.manual"], "make", make)
    monkeypatch.setattr(services, "render_pdf", lambda *_a, **_m: Rendered(b"%PDF-1.7 sheet", 1, ""))
    return given


class Running:
    """What a job knows of its run."""

    def __init__(self, actor: Any, folder: Any) -> None:
        self.actor, self.folder, self.told = actor, folder, []  # type: ignore[var-annotated]

    def check_cancelled(self) -> None:
        pass

    def progress(self, done: int, total: int | None = None, label: object = "") -> None:
        self.told.append((done, total))


def exported() -> list[AuditEntry]:
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "sop:manual_version:export")))


def test_the_whole_manual_is_made_in_the_background_and_then_found_at_once(
    client: FlaskClient, world: World, version: ManualVersion, quick: list[dict[str, Any]], tmp_path: Any
) -> None:
    address = f"/sop/versions/{version.id}/export"
    world.login(client, "anna")
    page = client.get(address).text
    assert "新客户建档" in page
    assert 'value="role:account_manager"' in page
    sent = {"part": "all", "format": "pdf", "checklists": "y", "indexes": "y"}
    answer = client.post(address, data=sent)
    assert answer.status_code == 302
    assert "/jobs/" in answer.location
    run = db.session.scalars(select(JobRun).where(JobRun.job_key == jobs.EXPORT)).one()
    running = Running(world.actor("anna"), tmp_path)
    result = jobs.export_manual(running, version.id, "all", "pdf", True, True)  # type: ignore[arg-type]
    assert running.told == [], "the run that the page started made it already; twice does no harm"
    assert "7" in result["message"]
    document = db.session.scalars(select(Document).where(Document.kind == "sop.manual")).one()
    assert result["url"].endswith(f"/{document.id}")
    assert document.number.startswith("SOPM-")
    # Again: no job, no layout, the same document; for somebody else too.
    world.login(client, "ben")
    answer = client.post(address, data=sent)
    assert answer.location.endswith(f"/documents/{document.id}")
    assert client.get(answer.location).status_code == 200
    assert len(quick) == 1
    assert len(exported()) == 2
    assert run.owner_id == world.actor("anna").user_id


def test_one_procedure_comes_at_once(
    client: FlaskClient, world: World, version: ManualVersion, quick: list[dict[str, Any]]
) -> None:
    world.login(client, "anna")
    procedure_id = db.session.scalars(select(Procedure.id)).one()
    answer = client.post(f"/sop/versions/{version.id}/procedures/{procedure_id}/pdf", follow_redirects=True)
    assert answer.data == b"%PDF-1.7 sheet"
    assert client.post(f"/sop/versions/{version.id}/procedures/999999/pdf").status_code == 404


def test_a_part_has_only_its_procedures(world: World, version: ManualVersion) -> None:
    role = manual_paper(version.id, Choice(scope_of("role:account_manager")))
    assert [item["code"] for chapter in role["chapters"] for item in chapter["procedures"]] == ["XS-001"]
    assert role["facts"]["what"]
    assert not role["whole"]
    nobody = manual_paper(version.id, Choice(scope_of("role:auditor")))
    assert nobody["chapters"] == []
    with pytest.raises(Invalid):
        scope_of("department:x")
    with pytest.raises(Invalid):
        scope_of("")


def test_an_empty_part_is_refused_with_a_reason(
    client: FlaskClient, world: World, version: ManualVersion, quick: list[dict[str, Any]]
) -> None:
    with pytest.raises(Invalid) as caught:
        paper_for(version, ExportInput(f"department:{world.department('office').id}"))
    assert "empty" in str(caught.value.errors[0][1])
    world.login(client, "anna")
    address = f"/sop/versions/{version.id}/export"
    for part, file_format in (("department:999", "pdf"), ("all", "exe"), ("procedure:' OR 1=1", "pdf"), ("", "pdf")):
        assert client.post(address, data={"part": part, "format": file_format}).status_code == 400
    assert exported() == []
    assert quick == []


def test_a_draft_is_for_those_who_write_it(
    client: FlaskClient, world: World, version: ManualVersion, quick: list[dict[str, Any]]
) -> None:
    with transaction():
        draft = ManualVersion(
            manual_id=version.manual_id, title="草稿", major=2, minor=0, created_at=version.created_at
        )
        db.session.add(draft)
        db.session.flush()
        db.session.add(Chapter(version_id=draft.id, key="purpose", position=1, title="目的", body="草稿"))
        draft_id = draft.id
    world.login(client, "anna")
    assert client.get(f"/sop/versions/{draft_id}/export").status_code == 404
    assert client.post(f"/sop/versions/{draft_id}/export", data={"part": "all"}).status_code == 404
    assert client.get("/sop/versions/999999/export").status_code == 404
    paper = manual_paper(draft_id, Choice())
    assert paper["facts"]["warning"]


def test_who_may_no_longer_read_the_manual_may_no_longer_read_its_pdf(
    client: FlaskClient, world: World, version: ManualVersion, quick: list[dict[str, Any]], tmp_path: Any
) -> None:
    jobs.export_manual(Running(world.actor("anna"), tmp_path), version.id, "all", "pdf", True, True)  # type: ignore[arg-type]
    document = db.session.scalars(select(Document)).one()
    world.login(client, "ben")
    assert client.get(f"/documents/{document.id}/download").status_code == 200
    with transaction():
        version.manual.classification = "confidential"
    assert client.get(f"/documents/{document.id}/download").status_code == 404


def test_word_has_styles_levels_contents_and_heads_that_repeat() -> None:
    from bench.manual_content import manual_content
    from plugins.sop.export.paper import paper_of
    from portal.i18n import speaking

    with speaking("zh_Hans_CN"):
        content = manual_content("zh_Hans_CN", ("complaint", "first-visit"))
        paper = paper_of(content, Choice(), revisions=[], signatures=[])
    data = docx.manual_docx(paper)
    document = read_docx(io.BytesIO(data))
    heads = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert sum("引入客户关系管理的目的" in text for text in heads) == 1
    assert any("投诉处理" in p.text for p in document.paragraphs if p.style.name == "Heading 2")
    steps = next(table for table in document.tables if len(table.columns) == 6 and len(table.rows) > 5)
    assert "w:tblHeader" in steps.rows[0]._tr.xml
    assert "w:cantSplit" in steps.rows[1]._tr.xml
    names = zipfile.ZipFile(io.BytesIO(data))
    body = names.read("word/document.xml").decode()
    assert 'TOC \\o "1-2"' in body
    assert "NUMPAGES" in "".join(names.read(n).decode() for n in names.namelist() if "footer" in n)
    assert 'w:eastAsia="Microsoft YaHei"' in names.read("word/styles.xml").decode()
    assert "updateFields" in names.read("word/settings.xml").decode()
    assert "☐" in body
    # Programs other than Word take widths from the columns, and show the contents as they are kept: as links.
    assert [column.width.mm for column in steps.columns] == pytest.approx([15, 23, 55, 28, 20, 29], abs=0.1)
    links = {link.get(qn("w:anchor")) for link in document.element.iter(qn("w:hyperlink"))}
    marks = {mark.get(qn("w:name")) for mark in document.element.iter(qn("w:bookmarkStart"))}
    assert len(links) == len(marks) == sum(p.style.name in ("Heading 1", "Heading 2") for p in document.paragraphs)
    assert links == marks


def test_each_numbered_list_of_a_chapter_begins_anew(world: World, version: ManualVersion) -> None:
    paper = manual_paper(version.id, Choice())
    for chapter in paper["chapters"]:
        chapter["html"] = "<ol><li>甲<ol><li>内</li></ol></li><li>乙</li></ol><p>x</p><ol start='4'><li>丁</li></ol>"
    paper["chapters"] = paper["chapters"][:1]
    document = read_docx(io.BytesIO(docx.manual_docx(paper)))
    lists = {p.text: p._p.pPr.numPr.numId.val for p in document.paragraphs if p.text in ("甲", "内", "乙", "丁")}
    assert lists["甲"] == lists["乙"]
    assert len(set(lists.values())) == 3
    numbering = document.part.numbering_part.numbering_definitions._numbering
    starts = {text: numbering.num_having_numId(lists[text]).lvlOverride_lst[0].startOverride.val for text in lists}
    assert starts == {"甲": 1, "内": 1, "乙": 1, "丁": 4}


def test_word_refuses_nothing_and_runs_nothing(world: World, version: ManualVersion) -> None:
    """Markup and control characters in every field end as plain text."""
    paper = manual_paper(version.id, Choice())
    paper["facts"]["title"] = "<w:p>\x00\x0b" + "=cmd|' /C calc'!A0"
    paper["chapters"] = [
        {
            "key": "a",
            "anchor": "a",
            "number": 1,
            "title": "<b>x</b>",
            "procedures": [],
            "html": "<p>" + "<em>" * 90 + "x",
        }
    ]
    document = read_docx(io.BytesIO(docx.manual_docx(paper)))
    assert any("<b>x</b>" in p.text for p in document.paragraphs)


def test_the_job_makes_a_word_file(world: World, version: ManualVersion, tmp_path: Any) -> None:
    running = Running(world.actor("anna"), tmp_path)
    with pytest.raises(Invalid):
        jobs.export_manual(running, version.id, "role:auditor", "docx", True, True)  # type: ignore[arg-type]
    made = jobs.export_manual(running, version.id, "all", "docx", True, True)  # type: ignore[arg-type]
    words = [paragraph.text for paragraph in read_docx(str(tmp_path / made["file"])).paragraphs]
    assert any("新客户建档" in text for text in words)


def test_the_library_is_complete_in_both_languages() -> None:
    chinese = {item.key: item for item in starters("zh_Hans_CN")}
    english = {item.key: item for item in starters("en")}
    assert len(chinese) >= 22
    assert chinese.keys() == english.keys()
    assert {kind for item in chinese.values() for kind in item.departments} == set(DEPARTMENT_KINDS)
    for key, item in chinese.items():
        other = english[key]
        assert 6 <= len(item.steps) <= 12, key
        assert len(item.steps) == len(other.steps), key
        assert set(item.after) | set(item.see) <= chinese.keys(), key
        assert sum("A" in letters for letters in item.raci.values()) == 1, f"{key}: one department answers for it"
        for here, there in zip(item.steps, other.steps, strict=True):
            assert (here.limit_amount, here.limit_unit, here.is_stop) == (
                there.limit_amount,
                there.limit_unit,
                there.is_stop,
            )
            assert here.who
            assert here.standard
            assert there.who
            assert there.standard
        for text in (item.trigger, item.purpose, item.records, item.measures, other.trigger, other.measures):
            assert len(text) > 8, key
    for language in ("zh_Hans_CN", "en", "zh_Hant"):
        chapters = template(language)
        assert len(chapters) == 7
        assert all(check(chapter.body) == [] and chapter.guidance and len(chapter.body) > 200 for chapter in chapters)
    assert all(word in template("zh_Hans_CN")[0].body for word in ("主动", "情感", "互惠", "个性化"))
