"""Key accounts in a real browser: the board without dragging, a plan that saves itself, hours moved with a slider."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from plugins.key_accounts.measures import services as measures
from plugins.key_accounts.opportunities.inputs import OpportunityInput
from plugins.key_accounts.opportunities.models import Opportunity
from plugins.key_accounts.opportunities.services import create_opportunity
from plugins.key_accounts.plans.models import PlanSection
from plugins.key_accounts.portfolio.models import Scenario
from portal.core import clock
from portal.core.transaction import transaction
from portal.customers.models import Customer
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
    """The portal with an opportunity and a purchase of 贵州茅台."""
    give_passwords(world, "anna", "hanna")
    maotai, anna = world.customer_id("maotai"), world.actor("anna")
    with transaction():
        data = OpportunityInput(maotai, "年份酒框架协议", "cross_selling", Decimal("300000"))
        create_opportunity(data, anna)
        product = create_product(
            ProductInput("P-1", "礼盒", "礼盒", "high", Decimal("1000"), Decimal("500")), SYSTEM
        ).id
    with transaction():
        line = LineInput(product, 40, Decimal("1000"))
        record_purchase(PurchaseInput(maotai, "HS-1", clock.today() - timedelta(days=20), (line,)), anna)
    measures.recompute_all()
    with served(app) as found:
        yield found


def kept(statement: Any) -> Any:
    """One row as the database holds it now."""
    db.session.rollback()
    return db.session.scalars(statement).one()


def test_the_board_works_with_the_keyboard_alone(browser: Any, address: str) -> None:
    with person(browser, address) as anna:
        anna.log_in("anna")
        anna.goto("/key-accounts/opportunities/board")
        before = kept(select(Opportunity.stage))
        card = anna.page.locator(".ka-card", has_text="年份酒框架协议")
        card.locator("summary").focus()
        anna.page.keyboard.press("Enter")
        step = card.locator("form button").first
        step.focus()
        with anna.page.expect_navigation():
            anna.page.keyboard.press("Enter")
        after = kept(select(Opportunity.stage))
        assert after != before
        moved = anna.page.locator(f"[data-stage={after}] .ka-card", has_text="年份酒框架协议")
        assert moved.count() == 1
        with anna.page.expect_navigation():
            moved.locator("summary").click()
            moved.locator("a[href$='/won']").click()
        form = anna.page.locator("main form").last
        form.locator("[name=reason]").select_option(index=1)
        anna.save(form)
        assert kept(select(Opportunity.stage)) == "won"


def test_a_plan_is_begun_with_one_page_and_saves_what_is_typed(browser: Any, address: str, world: World) -> None:
    maotai = world.customer_id("maotai")
    wanted = select(PlanSection).where(PlanSection.key == "priorities")
    with person(browser, address) as anna, person(browser, address) as hanna:
        anna.log_in("anna")
        anna.goto(f"/key-accounts/customers/{maotai}/plan/new")
        anna.save(anna.page.locator("main form").last)
        with anna.page.expect_navigation():
            anna.page.locator("#section-priorities a.btn").click()
        address_of_section = anna.page.url.removeprefix(address)
        text = anna.page.locator("textarea[name=body]")
        with anna.page.expect_response(lambda answer: answer.request.method == "POST") as saved:
            text.fill("先稳住包装线")
        assert saved.value.status == 200
        anna.page.locator("[data-autosave]", has_text="保存").wait_for()
        assert kept(wanted).body == "先稳住包装线"

        hanna.log_in("hanna")
        hanna.goto(address_of_section)
        hanna.page.locator("textarea[name=body]").fill("部门意见：先谈价格")
        hanna.save(hanna.page.locator("main form").last)
        text.fill("先稳住包装线，再谈新品")
        anna.page.locator("[data-autosave].field-error").wait_for()
        assert kept(wanted).body == "部门意见：先谈价格"
        anna.complaints.clear()  # the browser notes the refusal
        anna.page.locator("main form button.btn-primary").last.click()
        anna.page.locator(".callout-warning").wait_for()
        assert "部门意见：先谈价格" in anna.page.locator("main").inner_text()
        assert anna.page.locator("textarea[name=body]").input_value() == "先稳住包装线，再谈新品"
        anna.complaints.clear()


def slide(somebody: Person, value: int) -> None:
    """Move the first slider of a page, which is then computed anew."""
    slider = somebody.page.locator("[data-sliders] input[type=range]").first
    with somebody.page.expect_navigation():
        slider.evaluate(
            f"field => {{ field.value = {value}; field.dispatchEvent(new Event('input')); "
            "field.dispatchEvent(new Event('change')); }"
        )


def test_hours_are_moved_with_a_slider_and_the_scenario_is_kept(browser: Any, address: str) -> None:
    with person(browser, address) as hanna:
        hanna.log_in("hanna")
        hanna.goto("/key-accounts/what-if?start=reference")
        slider = hanna.page.locator("[data-sliders] input[type=range]").first
        before = int(slider.input_value())
        slider.focus()
        with hanna.page.expect_navigation():
            for _step in range(3):
                hanna.page.keyboard.press("ArrowRight")
                hanna.page.wait_for_timeout(250)
        assert hanna.page.locator("[name=points_key]").first.input_value() == str(before + 3), "three keys, one page"
        slide(hanna, 60)
        assert hanna.page.locator("[name=points_key]").first.input_value() == "60"
        form = hanna.page.locator("main form[method=post]")
        form.locator("[name=name]").fill("重点客户优先")
        hanna.save(form)
        scenario = kept(select(Scenario).where(Scenario.name == "重点客户优先"))
        assert json.loads(scenario.content)["points"]["key"] in (60, "60", "60.0")
        assert "重点客户优先" in hanna.page.locator("main").inner_text()
        maotai = kept(select(Customer.id).where(Customer.name == "贵州茅台"))
        hanna.goto(f"/key-accounts/customers/{maotai}/drivers")
        slide(hanna, -20)
        assert hanna.page.locator("[name=price]").input_value() == "-20"
