"""The manual in a real browser: written by two editors, read and acknowledged, worked with on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select

from plugins.sop.manuals.models import Chapter
from plugins.sop.reading import services as reading
from plugins.sop.reading.models import ALL_STAFF, Acknowledgement
from plugins.sop.runs.models import SopRun, SopRunFile, SopRunStep
from portal.core.transaction import transaction
from portal.extensions import db
from tests.browser.stories import Person, give_passwords, person, served
from tests.sop_story import add_procedure, begin_manual, department_id, sign, submit
from tests.sop_work import publish
from tests.world import World


@pytest.fixture
def app_settings() -> dict[str, Any]:
    return {"DEFAULT_LANGUAGE": "zh_Hans_CN", "WTF_CSRF_ENABLED": True}


@pytest.fixture
def address(app: Flask, world: World) -> Iterator[str]:
    give_passwords(world, "anna", "edda", "hanna")
    with served(app) as found:
        yield found


def press(somebody: Person, selector: str) -> None:
    """Click what leads to another page, and wait for it."""
    with somebody.page.expect_navigation():
        somebody.page.locator(selector).first.click()


def test_two_editors_write_a_manual(browser: Any, address: str, world: World) -> None:
    with person(browser, address) as edda, person(browser, address) as hanna:
        edda.log_in("edda")
        edda.goto("/sop/manuals/new")
        form = edda.page.locator("main form")
        form.locator("[name=title]").fill("客户服务手册")
        form.locator("[name=code]").fill("SOP-KF")
        form.locator("[name=department_id]").select_option(str(department_id("one")))
        edda.save(form)
        draft = int(edda.page.url.rsplit("/", 1)[1])
        assert edda.page.locator(".outline-chapter").count() == 7, "the template has seven chapters"

        # A chapter: what is typed is shown beside it, cleaned, and saved by itself.
        edda.goto(f"/sop/drafts/{draft}/chapters/purpose")
        text = edda.page.locator("[name=body]")
        text.fill(
            "# 为什么\n\n客户是**公司**的，不是个人的。\n\n<script>alert(1)</script>\n\n![图](https://example.com/a.png)\n"
        )
        edda.page.locator("[data-result-html] strong", has_text="公司").wait_for()
        assert edda.page.locator("[data-result-html] script").count() == 0
        edda.page.locator("[data-troubles] li", has_text="7:").wait_for()
        text.fill("# 为什么\n\n客户是**公司**的，不是个人的。\n")
        edda.page.locator("[data-saved]", has_text="✓").wait_for()
        db.session.rollback()
        kept = db.session.scalars(select(Chapter).where(Chapter.version_id == draft, Chapter.key == "purpose")).one()
        assert "客户是**公司**的" in kept.body

        # Saved by hand while it is being saved by itself: the second waits for the first and is no conflict with it.
        held: list[Any] = []
        sent: list[str] = []

        def slow(route: Any) -> None:
            if route.request.method == "POST" and not held:
                held.append(route)
                return
            sent.append(route.request.method)
            route.continue_()

        edda.page.route("**/chapters/purpose", slow)
        text.fill("# 为什么\n\n客户是**公司**的，不是某个人的。\n")
        for _turn in range(80):
            if held:
                break
            edda.page.wait_for_timeout(100)
        edda.page.locator("main form button.btn-primary").click(no_wait_after=True)
        edda.page.wait_for_timeout(300)
        assert sent == []
        with edda.page.expect_navigation():
            held[0].continue_()
        edda.page.unroute("**/chapters/purpose")
        assert "不是某个人的" in edda.page.locator("[name=body]").input_value()

        # Somebody else saves the same chapter meanwhile: neither text is lost.
        hanna.log_in("hanna")
        hanna.goto(f"/sop/drafts/{draft}/chapters/purpose")
        edda.page.locator("[name=title]").fill("引入的目的")
        edda.page.locator("[data-saved]", has_text="✓").wait_for()
        edda.save(edda.page.locator("main form"))
        hanna.page.locator("[name=body]").fill("# 另一种写法\n")
        hanna.save(hanna.page.locator("main form"))
        shown = hanna.page.locator("main").inner_text()
        assert "客户是" in shown, "what was saved meanwhile is compared"
        assert hanna.page.locator("[name=body]").input_value().startswith("# 另一种写法")
        hanna.complaints[:] = [said for said in hanna.complaints if "409" not in said]

        # Procedures out of the library, reordered with the keyboard and with buttons.
        edda.goto(f"/sop/drafts/{draft}/starters")
        edda.page.locator("[name=kind-service]").select_option(str(department_id("one")))
        for key in ("complaint", "call-back"):
            edda.page.locator(f"[name=keys][value={key}]").check()
        edda.save(edda.page.locator("main form"))
        codes = edda.page.locator(".outline-item .outline-code")
        before = codes.all_inner_texts()
        assert len(before) == 2
        press(edda, ".outline-item button[value^='down:']")
        assert codes.all_inner_texts() == before[::-1]
        press(edda, ".outline-item .outline-title")
        what = edda.page.locator(".step-what textarea")
        first, second = what.nth(0).input_value(), what.nth(1).input_value()
        what.nth(1).focus()
        with edda.page.expect_navigation():
            edda.page.keyboard.press("Alt+ArrowUp")
        assert [what.nth(0).input_value(), what.nth(1).input_value()] == [second, first]


def test_a_reader_finds_reads_and_acknowledges(browser: Any, address: str, world: World) -> None:
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world)
        add_procedure(version.id, "BF-001", "首次拜访", edda)
        reading.set_questions(version.id, (reading.QuestionInput("何时记录？", ("月底", "当日"), 1),), edda)
        request = submit(version.id, edda, major=True)
        reading.add_rule(version.manual_id, reading.RuleInput(ALL_STAFF, 14), edda)
    with transaction():
        sign(request)
    with person(browser, address) as anna:
        anna.log_in("anna")
        anna.goto("/sop/?q=scbf")
        press(anna, ".found-list a")
        assert "预约时间" in anna.page.locator(".step-table").inner_text()
        press(anna, ".book-tree a")
        assert "1.0" in anna.page.locator("header.page-header, main").first.inner_text()
        press(anna, "main a[href$='/acknowledge']")
        answers = anna.page.locator(".answers label")
        box = answers.nth(1).bounding_box()
        assert box["height"] >= 40
        answers.nth(0).click()
        anna.save(anna.page.locator("main form"))
        assert db.session.scalars(select(Acknowledgement)).all() == []
        anna.complaints[:] = [said for said in anna.complaints if "400" not in said]
        anna.page.locator(".answers label").nth(1).click()
        anna.save(anna.page.locator("main form"))
        assert anna.page.url.endswith("/sop/reading")
        assert "已读" in anna.page.locator("main table").inner_text()
    db.session.rollback()
    assert db.session.scalars(select(Acknowledgement.tries)).all() == [2]


def test_a_worker_ticks_on_a_phone(browser: Any, address: str, world: World) -> None:
    publish(world)
    picture = BytesIO()
    Image.new("RGB", (640, 480), "teal").save(picture, "JPEG")
    with person(browser, address, has_touch=True) as anna:
        anna.page.set_viewport_size({"width": 390, "height": 844})
        anna.log_in("anna")
        anna.goto(f"/customers/{world.customer_id('maotai')}")
        press(anna, ".sop-quick button")
        assert re.search(r"/sop/runs/\d+$", anna.page.url), "one click"

        wide = anna.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390
        boxes = anna.page.locator("button.sop-tick")
        assert boxes.count() == 2, "the last step waits for the stop-step"
        size = boxes.first.bounding_box()
        assert min(size["width"], size["height"]) >= 44, "for a thumb"
        with anna.page.expect_navigation():
            boxes.first.tap()

        # The stop-step with a photo and a note; then the last one does not apply, with a reason.
        step = anna.page.locator("#step-2")
        step.locator("summary").tap()
        step.locator("input[type=file]").set_input_files(
            {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()}
        )
        with anna.page.expect_navigation():
            step.locator(".sop-upload button").tap()
        step = anna.page.locator("#step-2")
        step.locator("img").wait_for()
        if not step.locator("textarea").is_visible():
            step.locator("summary").tap()
        step.locator("textarea").fill("额度十万")
        with anna.page.expect_navigation():
            step.locator(".sop-buttons .btn-primary").tap()
        last = anna.page.locator("#step-3")
        last.locator("summary").tap()
        last.locator("textarea").fill("老客户，已有档案")
        with anna.page.expect_navigation():
            last.locator("button[formaction$=skip]").tap()
        assert "额度十万" in anna.page.locator("#step-2").inner_text()
    db.session.rollback()
    run = db.session.scalars(select(SopRun)).one()
    assert (run.state, run.customer_id) == ("done", world.customer_id("maotai"))
    states = db.session.scalars(select(SopRunStep.state).order_by(SopRunStep.position)).all()
    assert states == ["done", "done", "skipped"]
    assert db.session.scalars(select(SopRunFile)).one().is_picture
