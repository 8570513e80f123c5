"""What people do with the portal all day, in a real browser, in Chinese, with the real pages and database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from plugins.vip.models import VipMembership
from portal.approvals.models import ApprovalRequest
from portal.core import clock
from portal.core.transaction import transaction
from portal.customers.inputs import ContactInput
from portal.customers.models import Contact, Customer, Interaction
from portal.customers.services import add_contact, change_customer, input_of
from portal.extensions import db
from portal.org.actor import SYSTEM
from portal.purchases.services import LineInput, ProductInput, PurchaseInput, create_product, record_purchase
from tests.browser.stories import Person, give_passwords, person, served
from tests.world import World


@pytest.fixture
def app_settings() -> dict[str, Any]:
    return {"DEFAULT_LANGUAGE": "zh_Hans_CN", "WTF_CSRF_ENABLED": True}


@pytest.fixture
def address(app: Flask, world: World) -> Iterator[str]:
    give_passwords(world, "anna", "hanna", "cara")
    with served(app) as found:
        yield found


@pytest.fixture
def bought(app: Flask, world: World) -> None:
    """贵州茅台 has bought enough in one purchase to become a VIP customer."""
    with transaction():
        product = create_product(
            ProductInput("P-1", "典藏礼盒", "礼盒", "high", Decimal("1000"), Decimal("500")), SYSTEM
        ).id
    with transaction():
        record_purchase(
            PurchaseInput(
                customer_id=world.customer_id("maotai"),
                number="HS-1",
                purchased_on=clock.today() - timedelta(days=1),
                lines=(LineInput(product, 12, Decimal("1000")),),
            ),
            world.actor("anna"),
        )


def fresh(statement: Any) -> Any:
    """One value as the database holds it now, not as this thread saw it before."""
    db.session.rollback()
    return db.session.scalars(statement).one()


def record_visit(anna: Person, world: World, task: str) -> None:
    """Open 贵州茅台 and record a visit with a next step for tomorrow."""
    anna.goto(f"/customers/{world.customer_id('maotai')}")
    form = anna.page.locator("#quick form")
    form.locator("[name=result]").fill("介绍新品，对方有兴趣")
    form.locator("[name=next_step-task]").fill(task)
    form.locator("[name=next_step-due_on]").fill((clock.today() + timedelta(days=1)).isoformat())
    anna.save(form)


def test_a_customer_is_found_from_the_search_field(browser: Any, address: str, world: World) -> None:
    with person(browser, address) as anna:
        anna.log_in("anna")
        for query in ("茅台", "guizhoumaotai", "gzmt", "guizhoumaotia"):
            hit = anna.search(query).first
            assert hit.inner_text().strip() == "贵州茅台", query
        with anna.page.expect_navigation():
            hit.click()
        assert anna.page.url == f"{address}/customers/{world.customer_id('maotai')}"
        assert anna.page.locator("h1").inner_text().strip().startswith("贵州茅台")


def test_a_customer_is_found_from_the_palette(browser: Any, address: str, world: World) -> None:
    with person(browser, address) as anna:
        anna.log_in("anna")
        anna.page.keyboard.press("Control+k")
        field = anna.page.locator("#palette input")
        for query in ("茅台", "maotai", "gzmt", "guizhoumaotia"):
            field.fill(query)
            anna.page.locator("#palette [role=option]", has_text="贵州茅台").first.wait_for()
            field.fill("")
            anna.page.locator("#palette [role=option]", has_text="贵州茅台").first.wait_for(state="detached")
        field.fill("gzmt")
        anna.page.locator("#palette [role=option]", has_text="贵州茅台").first.wait_for()
        with anna.page.expect_navigation():
            field.press("Enter")
        assert anna.page.url == f"{address}/customers/{world.customer_id('maotai')}"


def test_a_contact_a_visit_and_the_next_step(browser: Any, address: str, world: World) -> None:
    customer = world.customer_id("maotai")
    with person(browser, address) as anna:
        anna.log_in("anna")
        anna.goto(f"/customers/{customer}/contacts/new")
        form = anna.page.locator("main form").last
        form.locator("[name=name]").fill("周敏")
        form.locator("[name=birthday_calendar]").select_option("lunar")
        form.locator("[name=birthday_month]").fill("8")
        form.locator("[name=birthday_day]").fill("15")
        anna.save(form)
        assert anna.page.url == f"{address}/customers/{customer}/contacts"
        assert "农历八月十五" in anna.page.locator("main").inner_text()
        kept = fresh(select(Contact).where(Contact.name == "周敏"))
        assert (kept.birthday_calendar, kept.birthday_month, kept.birthday_day) == ("lunar", 8, 15)

        record_visit(anna, world, "送样品并报价")
        assert "介绍新品，对方有兴趣" in anna.page.locator("main").inner_text()
        assert fresh(select(Interaction.customer_id)) == customer

        anna.page.locator("a.brand").click()
        entry = anna.page.locator(".agenda li", has_text="送样品并报价")
        assert "贵州茅台" in entry.inner_text()
        with anna.page.expect_navigation():
            entry.locator("a").click()
        assert "送样品并报价" in anna.page.locator("main").inner_html()


def test_a_part_is_edited_in_its_place(browser: Any, address: str, world: World) -> None:
    customer = world.customer_id("maotai")
    with person(browser, address) as anna:
        anna.log_in("anna")
        anna.goto(f"/customers/{customer}")
        visit = anna.page.locator("#quick [name=result]")
        visit.fill("还没写完的拜访记录")
        reach = anna.page.locator("#reach")
        demand = anna.page.locator("#section-demand")
        demand.locator("a[data-inplace]").click()
        demand.locator("[name=demand]").fill("礼盒装，节前三周到货")
        reach.locator("a[data-inplace]").click()
        reach.locator("[name=website]").fill("不是 网址")
        reach.locator("form button.btn-primary").click()
        reach.locator(".field-error").wait_for()
        assert reach.locator("[name=website]").input_value() == "不是 网址", "what was typed stays beside its message"
        assert reach.locator("label[for=part-website]").count() == 1
        anna.complaints[:] = [said for said in anna.complaints if "400" not in said]
        reach.locator("[name=website]").fill("www.example.com")
        reach.locator("form button.btn-primary").click()
        reach.locator("dd", has_text="https://www.example.com").wait_for()
        # The other part was opened before: it goes on from the version that one's own hand has made.
        demand.locator("form button.btn-primary").click()
        demand.locator("dd", has_text="礼盒装").wait_for()
        assert visit.input_value() == "还没写完的拜访记录"
        demand.locator("a[data-inplace]").click()
        demand.locator("[data-part] .form-actions a").click()
        assert "礼盒装" in demand.inner_text()
    assert fresh(select(Customer.demand).where(Customer.id == customer)) == "礼盒装，节前三周到货"
    assert fresh(select(Customer.website).where(Customer.id == customer)) == "https://www.example.com"


def test_a_name_that_is_composed_is_looked_for_too(browser: Any, address: str, world: World) -> None:
    with person(browser, address) as anna:
        anna.log_in("anna")
        anna.goto("/customers/new")
        # What an input method does: nothing but composing, and the end of it.
        anna.page.locator("main [name=name]").evaluate(
            "(field) => { field.value = '贵州茅台';"
            " field.dispatchEvent(new InputEvent('input', { bubbles: true, isComposing: true }));"
            " field.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true, data: '贵州茅台' })); }"
        )
        anna.page.locator("[data-hints]", has_text="贵州茅台").wait_for()


def test_a_part_in_its_place_writes_over_nobody_and_loses_nothing(browser: Any, address: str, world: World) -> None:
    customer = world.customer_id("maotai")
    with person(browser, address) as anna:
        anna.log_in("anna")
        anna.goto(f"/customers/{customer}")
        reach, demand = anna.page.locator("#reach"), anna.page.locator("#section-demand")
        reach.locator("a[data-inplace]").click()
        reach.locator("[name=website]").fill("www.example.com")
        demand.locator("a[data-inplace]").click()
        demand.locator("[name=demand]").fill("安娜的说法")
        with transaction():
            theirs = replace(input_of(db.session.get_one(Customer, customer)), demand="韩娜的说法")
            change_customer(customer, theirs, world.actor("hanna"), None)
        reach.locator("form button.btn-primary").click()
        reach.locator(".callout-warning").wait_for()
        reach.locator("form button.btn-primary").click()
        reach.locator("dd", has_text="https://www.example.com").wait_for()
        # The other part shows what stood before somebody else wrote: it must say so instead of writing over it.
        demand.locator("form button.btn-primary").click()
        demand.locator(".callout-warning").wait_for()
        assert "韩娜的说法" in demand.inner_text()
        anna.complaints[:] = [said for said in anna.complaints if "409" not in said]
        demand.locator("[data-part] .form-actions a").click()
        # Who has to create the referrer first comes back to the part's own page, with all that was typed.
        origin = anna.page.locator("#section-origin")
        origin.locator("a[data-inplace]").click()
        origin.locator("[name=source_note]").fill("老客户介绍")
        origin.locator("[name=referrer_id_text]").fill("湖州苕溪茶行")
        with anna.page.expect_navigation():
            anna.page.locator("[role=option]", has_text="湖州苕溪茶行").click()
        anna.save(anna.page.locator("main form").last)
        assert f"/customers/{customer}/edit/origin" in anna.page.url
        made = fresh(select(Customer.id).where(Customer.name == "湖州苕溪茶行"))
        assert anna.page.locator("[name=referrer_id]").input_value() == str(made)
        assert anna.page.locator("[name=source_note]").input_value() == "老客户介绍"
    assert fresh(select(Customer.demand).where(Customer.id == customer)) == "韩娜的说法"


def test_a_picker_creates_what_is_missing_and_comes_back(browser: Any, address: str, world: World) -> None:
    with person(browser, address) as anna:
        anna.log_in("anna")
        anna.goto("/purchases/new")
        anna.page.locator("[name=number]").fill("HS-900")
        anna.page.locator("[name=customer_id_text]").fill("湖州苕溪茶行")
        with anna.page.expect_navigation():
            anna.page.locator("[role=option]", has_text="湖州苕溪茶行").click()
        form = anna.page.locator("main form").last
        assert form.locator("[name=name]").input_value() == "湖州苕溪茶行"
        anna.save(form)
        assert "/purchases/new" in anna.page.url
        made = fresh(select(Customer.id).where(Customer.name == "湖州苕溪茶行"))
        assert anna.page.locator("[name=customer_id]").input_value() == str(made)
        assert anna.page.locator("[name=customer_id_text]").input_value() == "湖州苕溪茶行"
        assert anna.page.locator("[name=number]").input_value() == "HS-900"


def test_of_a_colleagues_customer_only_the_existence_is_shown(browser: Any, address: str, world: World) -> None:
    foreign = world.customer_id("fenjiu")
    with transaction():
        add_contact(foreign, ContactInput(name="郝秘密"), world.actor("cara"))
    with person(browser, address) as anna:
        anna.log_in("anna")
        assert anna.search("郝秘密").count() == 0
        hit = anna.search("fenjiu").first
        with anna.page.expect_navigation() as left:
            hit.click()
        assert left.value.status == 403
        said = anna.page.locator("main").inner_text()
        for known in ("山西汾酒", "销售二部", "柯兰"):
            assert known in said
        assert "郝秘密" not in anna.page.content()
        assert anna.goto(f"/customers/{foreign}/contacts").status == 403
        # The browser itself reports both refusals; nothing else may be among the complaints.
        refusals = [said for said in anna.complaints if "403" in said]
        assert len(refusals) == 2
        anna.complaints[:] = [said for said in anna.complaints if said not in refusals]
    with person(browser, address) as cara:
        cara.log_in("cara")
        assert cara.search("郝秘密").first.inner_text().strip() == "郝秘密"


def test_a_gbk_file_is_imported(browser: Any, address: str, world: World, tmp_path: Path) -> None:
    sheet = tmp_path / "客户.csv"
    rows = (
        "客户名称,客户类别,联系人,手机",
        "杭州西泠茶叶,最终用户,陆青,13800002046",
        "绍兴鉴湖酒业,经销商,沈禾,13800002047",
    )
    sheet.write_bytes("\r\n".join(rows).encode("gb18030"))
    with person(browser, address) as anna:
        anna.log_in("anna")
        anna.goto("/imports/new")
        anna.page.locator("input[type=file]").set_input_files(sheet)
        anna.save(anna.page.locator("form[enctype]"))
        assert "杭州西泠茶叶" in anna.page.locator("main").inner_text(), "the encoding is recognised"
        for step in ("sheet", "columns", "rules"):
            assert anna.page.url.endswith(step)
            anna.save(anna.page.locator(f"form[action$={step}]"))
        # The check and the import run as jobs: the page comes again by itself until each is done.
        run = anna.page.locator("form[action$=run] button")
        run.wait_for()
        with anna.page.expect_navigation():
            run.click()
        anna.page.locator("form[action$=undo]").first.wait_for()
        assert anna.search("杭州西泠").first.inner_text().strip() == "杭州西泠茶叶"
        anna.goto(f"/customers/{fresh(select(Customer.id).where(Customer.name == '绍兴鉴湖酒业'))}/contacts")
        assert "沈禾" in anna.page.locator("main").inner_text()


def apply_for_vip(anna: Person, world: World) -> int:
    """File the application for 贵州茅台; the id of the request."""
    anna.goto(f"/vip/apply/{world.customer_id('maotai')}")
    assert "HS-1" in anna.page.locator("main").inner_text(), "the portal finds the evidence"
    anna.save(anna.page.locator("main form").last)
    return int(anna.page.url.rsplit("/", 1)[1])


def approve(hanna: Person) -> None:
    """The head opens the first request of the inbox and approves it."""
    hanna.goto("/approvals")
    with hanna.page.expect_navigation():
        hanna.page.locator("main a", has_text="贵州茅台").first.click()
    with hanna.page.expect_navigation():
        hanna.page.locator("a[href*='vote=approve']").click()
    hanna.save(hanna.page.locator("main form").last)


def test_from_the_application_to_the_certificate(
    browser: Any, address: str, world: World, bought: None, tmp_path: Path
) -> None:
    with person(browser, address) as anna, person(browser, address) as hanna:
        anna.log_in("anna")
        request = apply_for_vip(anna, world)
        assert anna.page.locator("a[href*='vote=approve']").count() == 0, "nobody decides his own request"
        hanna.log_in("hanna")
        approve(hanna)
        assert fresh(select(ApprovalRequest.state).where(ApprovalRequest.id == request)) == "approved"
        member = fresh(select(VipMembership.id))
        anna.goto(f"/vip/{member}")
        with anna.page.expect_download(timeout=30_000) as download:
            anna.page.locator("form[action$=certificate] button").click()
        target = tmp_path / "certificate.pdf"
        download.value.save_as(target)
        assert target.read_bytes().startswith(b"%PDF-")


def test_without_script(browser: Any, address: str, world: World, bought: None) -> None:
    with (
        person(browser, address, java_script_enabled=False) as anna,
        person(browser, address, java_script_enabled=False) as hanna,
    ):
        anna.log_in("anna")
        assert anna.search("gzmt").first.inner_text().strip() == "贵州茅台"
        record_visit(anna, world, "电话回访")
        anna.goto("/")
        assert "电话回访" in anna.page.locator(".agenda").first.inner_text()
        request = apply_for_vip(anna, world)
        hanna.log_in("hanna")
        approve(hanna)
        assert fresh(select(ApprovalRequest.state).where(ApprovalRequest.id == request)) == "approved"
