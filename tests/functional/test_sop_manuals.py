"""Manuals: writing, two editors at once, undo, review by all heads, publication by dates, what cannot be changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.exc import DatabaseError

from plugins.sop.manuals import arranging, commenting, drafting, editing, queries, reviewing
from plugins.sop.manuals.checking import problems
from plugins.sop.manuals.comparing import ADDED, CHANGED
from plugins.sop.manuals.content import digest_of
from plugins.sop.manuals.inputs import ChapterInput, StepInput
from plugins.sop.manuals.models import AFTER, Chapter, ManualVersion, Step
from portal.approvals import services as approvals
from portal.approvals.models import REJECT, RETURN
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.transaction import transaction
from portal.extensions import db
from tests.sop_story import (
    add_procedure,
    add_step,
    begin_manual,
    department_id,
    effective_manual,
    fill_chapter,
    sign,
    submit,
    typed,
)
from tests.world import World

pytestmark = pytest.mark.db


def test_a_manual_begins_with_seven_chapters_in_its_language(world: World) -> None:
    with transaction():
        version = begin_manual(world, with_template=True, language="en")
        keys = [row.key for row in queries.chapters_of(version.id)]
    assert keys == ["purpose", "competitors", "investment", "requirements", "model", "decisions", "procedures"]


def test_a_revision_shares_the_texts_that_nobody_touched(world: World) -> None:
    made = effective_manual(world)
    edda = world.actor("edda")
    with transaction():
        draft = drafting.start_draft(made.manual_id, edda)
        other = add_procedure(draft.id, "BF-002", "回访", edda)
        add_step(draft.id, made.procedure_id, "归档", edda)
        before = queries.procedure_content(made.version_id, made.procedure_id)
        after = queries.procedure_content(draft.id, made.procedure_id)
        comparison = reviewing.comparison_of(draft)
    assert [step.what for step in before.steps] == ["预约时间", "填写拜访记录"]
    assert [step.what for step in after.steps] == ["预约时间", "填写拜访记录", "归档"]
    assert [step.key for step in before.steps] == [step.key for step in after.steps[:2]]
    kinds = {change.procedure_id: change.kind for change in comparison.procedures}
    assert kinds == {made.procedure_id: CHANGED, other: ADDED}


def test_two_editors_never_overwrite_each_other(world: World) -> None:
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world)
        first = typed(version.id, add := add_procedure(version.id, "A-1", "甲", edda))
        editing.save_procedure(version.id, add, replace(first, purpose="我先保存"), edda)
    with pytest.raises(Conflict) as refused, transaction():
        editing.save_procedure(version.id, add, replace(first, purpose="我后保存"), edda)
    assert refused.value.details["by"] == edda.name
    with pytest.raises(Conflict), transaction():
        editing.save_chapter(version.id, "procedures", ChapterInput("章", "后", 0), edda)
    assert queries.procedure_content(version.id, add).purpose == "我先保存"


def test_undo_gives_back_what_a_save_and_a_removal_took(world: World) -> None:
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world)
        one = add_procedure(version.id, "A-1", "甲", edda)
        two = add_procedure(version.id, "A-2", "乙", edda)
        data = typed(version.id, two)
        editing.save_procedure(version.id, two, replace(data, related=((one, AFTER),)), edda)
        add_step(version.id, one, "多余的一步", edda)
        assert editing.undo(version.id, f"procedure:{one}", edda)
        assert len(queries.procedure_content(version.id, one).steps) == 2
        # What named the removed procedure as related is told, and loses the relation.
        assert arranging.remove_procedures(version.id, [one], edda) == ["A-2"]
        assert [row.code for row in queries.procedures_of(version.id)] == ["A-2"]
        assert editing.undo(version.id, "list", edda)
        assert [row.code for row in queries.procedures_of(version.id)] == ["A-1", "A-2"]


def test_procedures_that_wait_for_one_another_are_refused_with_the_chain(world: World) -> None:
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world)
        ids = [add_procedure(version.id, f"A-{number}", "程序", edda) for number in (1, 2, 3)]
        for one, other in ((1, 0), (2, 1)):
            data = replace(typed(version.id, ids[one]), related=((ids[other], AFTER),))
            editing.save_procedure(version.id, ids[one], data, edda)
    with pytest.raises(Invalid, match="A-1 → A-3 → A-2 → A-1"), transaction():
        editing.save_procedure(version.id, ids[0], replace(typed(version.id, ids[0]), related=((ids[2], AFTER),)), edda)


def test_a_step_without_text_may_be_written_but_not_submitted(world: World) -> None:
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world)
        one = add_procedure(version.id, "A-1", "甲", edda)
        data = typed(version.id, one)
        editing.save_procedure(version.id, one, replace(data, steps=(*data.steps, StepInput())), edda)
        found = problems(queries.manual_content(version.id))
    assert [(item.procedure_id, item.step) for item in found] == [(one, 3)]
    with pytest.raises(Invalid), transaction():
        submit(version.id, edda)


#: Text of a chapter that is refused, and the line that is wrong.
BAD_CHAPTERS = (
    ("正文\n\n第三行 ![图](https://elsewhere.invalid/a.png)", 3),
    ("[点我](javascript:alert(1))", 1),
    ("好\n[文件](file:///etc/passwd)", 2),
    ("好\n\n" + "> " * 40 + "深", 3),
    ("|" + "a|" * 30 + "\n|" + "-|" * 30, 1),
    ("|a|\n|-|\n" + "|b|\n" * 1_200, 1_002),
    ("好\n" + "长" * 10_001, 2),
    ("[" * 1_000 + "\n" + "[" * 1_001, 2),
    ("字" * 200_001, 1),
)


def test_bad_markdown_is_refused_with_its_line(world: World) -> None:
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world)
        before = queries.chapter_body(version.id, "procedures")
    for body, line in BAD_CHAPTERS:
        with pytest.raises(Invalid, match=rf"\b{line}\b") as refused, transaction():
            fill_chapter(version.id, "procedures", body, edda)
        assert len(refused.value.errors) == 1, (body[:40], refused.value.errors)
        assert queries.chapter_body(version.id, "procedures") == before


def test_all_heads_concerned_sign_and_the_version_takes_effect(world: World) -> None:
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world, "one")
        add_procedure(version.id, "A-1", "甲", edda, "two")
        add_procedure(version.id, "A-2", "乙", edda, "archive")
        request_id = submit(version.id, edda, major=True)
    assert version.state == "in_review"
    with pytest.raises(Conflict), transaction():
        add_step(version.id, queries.procedures_of(version.id)[0].procedure_id, "偷改", edda)
    with transaction():
        assert set(sign(request_id, limit=2)) < {"hanna", "dora", "hector", "arne"}
        assert db.session.get_one(ManualVersion, version.id).state == "in_review"
        sign(request_id)
    done = db.session.get_one(ManualVersion, version.id)
    assert done.shown_state(clock.today()) == "effective"
    assert done.content_digest == digest_of(queries.manual_content(done.id))
    assert {row.seat for row in queries.signatures(done.id)} == {"销售一部", "销售二部", "档案室"}


def test_the_first_refusal_sends_the_version_back_and_old_votes_do_not_count(world: World) -> None:
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world, "one")
        procedure_id = add_procedure(version.id, "A-1", "甲", edda, "two")
        request_id = submit(version.id, edda, major=True)
    with transaction():
        assert len(sign(request_id, limit=1)) == 1
        assert len(sign(request_id, REJECT, "时限太短")) == 1
    assert db.session.get_one(ManualVersion, version.id).state == "draft"
    with transaction():
        add_step(version.id, procedure_id, "放宽时限", edda)
        again = submit(version.id, edda, major=True)
    with transaction():
        assert len(sign(again)) == 2
    assert db.session.get_one(ManualVersion, version.id).is_effective_on(clock.today())


def test_a_returned_version_is_not_filed_again_with_other_content(world: World) -> None:
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world)
        procedure_id = add_procedure(version.id, "A-1", "甲", edda)
        request_id = submit(version.id, edda)
    with transaction():
        sign(request_id, RETURN, "请补充")
        add_step(version.id, procedure_id, "补充", edda)
    with pytest.raises(Conflict), transaction():
        approvals.resubmit(request_id, edda, token="as-it-was")


def test_a_later_version_supersedes_on_its_day_without_any_job(world: World) -> None:
    made = effective_manual(world)
    edda = world.actor("edda")
    today = clock.today()
    day = today + timedelta(days=10)
    with transaction():
        draft = drafting.start_draft(made.manual_id, edda)
        add_step(draft.id, made.procedure_id, "归档", edda)
        request_id = submit(draft.id, edda, on=day)
    with transaction():
        sign(request_id)
    old, new = db.session.get_one(ManualVersion, made.version_id), db.session.get_one(ManualVersion, draft.id)
    assert (old.shown_state(today), new.shown_state(today)) == ("effective", "approved")
    assert (old.shown_state(day), new.shown_state(day)) == ("superseded", "effective")
    assert len(queries.procedure_for_run(made.procedure_id, today).steps) == 2
    assert len(queries.procedure_for_run(made.procedure_id, day).steps) == 3
    # A run that pinned the old version reads its text for ever.
    assert len(queries.revision_for_run(made.version_id, made.procedure_id).steps) == 2


def test_nothing_to_submit_when_nothing_differs(world: World) -> None:
    made = effective_manual(world)
    with transaction():
        draft = drafting.start_draft(made.manual_id, world.actor("edda"))
    with pytest.raises(Invalid), transaction():
        submit(draft.id, world.actor("edda"))


def test_a_retired_manual_has_no_effective_version_and_takes_no_revision(world: World) -> None:
    made = effective_manual(world)
    edda = world.actor("edda")
    with transaction():
        request_id = reviewing.ask_retirement(made.manual_id, clock.today(), "并入新手册", "retire-1", edda).id
        assert queries.effective_version(made.manual_id) is not None
    with transaction():
        sign(request_id)
    assert queries.effective_version(made.manual_id) is None
    with pytest.raises(NotFound):
        queries.procedure_for_run(made.procedure_id, clock.today())
    with pytest.raises(Conflict), transaction():
        drafting.start_draft(made.manual_id, edda)


def test_the_database_itself_keeps_published_content_as_it_is(world: World) -> None:
    made = effective_manual(world)
    changes = (
        update(Step).values(what="篡改"),
        update(Chapter).values(body="篡改"),
        update(ManualVersion).values(summary="篡改"),
        update(ManualVersion).values(state="draft"),
    )
    for change in changes:
        with pytest.raises(DatabaseError), transaction():
            db.session.execute(change.execution_options(synchronize_session=False))
    assert queries.procedure_content(made.version_id, made.procedure_id).steps[0].what == "预约时间"


def test_a_discarded_draft_leaves_the_published_version_alone(world: World) -> None:
    made = effective_manual(world)
    edda = world.actor("edda")
    with transaction():
        draft = drafting.start_draft(made.manual_id, edda)
        add_procedure(draft.id, "BF-009", "新程序", edda)
        add_step(draft.id, made.procedure_id, "归档", edda)
        commenting.write_comment(draft.id, commenting.Place(), "请补充", edda)
        assert drafting.discard_draft(draft.id, edda) is not None
    assert len(queries.procedure_content(made.version_id, made.procedure_id).steps) == 2
    with transaction():
        only = begin_manual(world)
        add_procedure(only.id, "X-1", "从未发布", edda)
        assert drafting.discard_draft(only.id, edda) is None


def test_reviewers_and_writers_remark_on_steps_and_settle_them(world: World) -> None:
    edda, hanna = world.actor("edda"), world.actor("hanna")
    with transaction():
        version = begin_manual(world, "one")
        procedure_id = add_procedure(version.id, "A-1", "甲", edda, "two")
        submit(version.id, edda, major=True)
    key = queries.procedure_content(version.id, procedure_id).steps[0].key
    with transaction():
        place = commenting.Place(procedure_id=procedure_id, step_key=key)
        remark = commenting.write_comment(version.id, place, "时限不明", world.actor("hector"))
        commenting.write_comment(version.id, commenting.Place(), "已补", edda, thread_id=remark.id)
        assert commenting.open_threads(version.id) == 1
        commenting.resolve_comment(remark.id, True, hanna)
    (thread,) = commenting.threads_of(version.id)
    assert (len(thread.remarks), thread.is_open, thread.step_key) == (2, False, key)
    with pytest.raises(NotFound), transaction():
        commenting.write_comment(version.id, place, "我也说一句", world.actor("nora"))


def test_the_editor_works_without_script(app: Flask, client: FlaskClient, world: World) -> None:
    with transaction():
        version = begin_manual(world)
        one = add_procedure(version.id, "A-1", "甲", world.actor("edda"))
        draft_id = version.id
    world.login(client, "edda")
    address = f"/sop/drafts/{draft_id}/procedures/{one}"
    page = client.get(address).get_data(as_text=True)
    assert "预约时间" in page
    fields = {"seen": typed(draft_id, one).seen, "steps": "2", "title": "甲改", "do": "up:1", "roles": ["head"]}
    fields |= {f"department-{department_id('one')}": ["R", "A"]}
    for index, step in enumerate(typed(draft_id, one).steps):
        fields |= {f"step-{index}-key": step.key, f"step-{index}-what": step.what, f"step-{index}-check": "1"}
    answer = client.post(address, data=fields)
    assert answer.status_code == 302
    content = queries.procedure_content(draft_id, one)
    assert [step.what for step in content.steps] == ["填写拜访记录", "预约时间"]
    assert (content.title, content.roles, content.departments[0].raci) == ("甲改", ("head",), "RA")
    # The same old form again: both texts are shown, nothing is overwritten.
    stale = client.post(address, data={**fields, "title": "另一个人的"})
    assert stale.status_code == 409
    text = stale.get_data(as_text=True)
    assert "另一个人的" in text
    assert "甲改" in text
    autosave = client.post(address, data={**fields, "do": "autosave"})
    assert autosave.status_code == 409
    assert autosave.get_json()["by"]


def test_pages_of_a_review_from_draft_to_reading(client: FlaskClient, world: World) -> None:
    made = effective_manual(world)
    edda = world.actor("edda")
    with transaction():
        draft = drafting.start_draft(made.manual_id, edda)
        add_step(draft.id, made.procedure_id, "归档", edda)
        draft_id = draft.id
    world.login(client, "edda")
    for path in (f"drafts/{draft_id}", f"drafts/{draft_id}/submit", f"drafts/{draft_id}/starters", "manuals"):
        assert client.get(f"/sop/{path}").status_code == 200, path
    assert "归档" in client.get(f"/sop/versions/{draft_id}/changes").get_data(as_text=True)
    bad = client.post(f"/sop/drafts/{draft_id}/preview", data={"body": "<script>x</script> ![a](https://b.invalid/c)"})
    assert "<script" not in bad.get_json()["html"]
    assert bad.get_json()["troubles"][0]["line"] == 1
    form = {"change": "minor", "summary": "补归档", "token": "t-review"}
    filed = client.post(f"/sop/drafts/{draft_id}/submit", data=form)
    assert (filed.status_code == 302 and "/inbox/" in filed.location) or "/approvals/" in filed.location
    assert client.get(f"/sop/drafts/{draft_id}").status_code == 409
