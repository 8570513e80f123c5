"""A working day without a mouse: nothing but keys is used, and where the focus stands can be seen at every stop."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from portal.approvals.models import ApprovalRequest
from portal.core import clock
from portal.customers.models import Interaction, NextStep
from tests.browser.stories import PASSWORD, Person, give_passwords, person, served
from tests.browser.test_stories import app_settings, bought, fresh
from tests.sop_work import publish
from tests.world import World

__all__ = ["app_settings", "bought"]
#: Nobody should have to press Tab more often than this to get anywhere on a page.
MOST_STOPS = 90
#: Whether the element in focus is the one wanted, and how the focus is shown on it.
AT = """selector => {
  const here = document.activeElement, look = getComputedStyle(here);
  const framed = look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) > 0 || look.boxShadow !== 'none';
  const label = here.labels && here.labels[0] ? getComputedStyle(here.labels[0]) : null;
  const seen = framed || (label !== null && label.outlineStyle !== 'none');
  return {found: here.matches(selector), seen, what: here.outerHTML.slice(0, 120), body: here === document.body};
}"""


class Hands:
    """Somebody at the keyboard."""

    def __init__(self, somebody: Person) -> None:
        self.page = somebody.page
        self.address = somebody.address

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Write where the focus stands, over what is there."""
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def tab_to(self, selector: str) -> None:
        """Press Tab until the focus stands on what is wanted; every stop on the way must show that it is one."""
        for _stop in range(MOST_STOPS):
            self.press("Tab")
            at = self.page.evaluate(AT, selector)
            assert at["seen"] or at["body"], f"no sign of the focus on {at['what']}"
            if at["found"]:
                return
        raise AssertionError(f"{selector} is not reached with {MOST_STOPS} times Tab on {self.page.url}")

    def go(self, key: str = "Enter") -> None:
        """Press a key that leads to another page."""
        with self.page.expect_navigation():
            self.press(key)

    def skip_to_content(self) -> None:
        """The first stop of each page leads past the menu."""
        self.tab_to("a.skip")
        self.press("Enter")

    def log_in(self, login: str) -> None:
        """Through the log-in page, whose first field has the focus."""
        self.page.goto(f"{self.address}/login")
        self.type(login)
        self.tab_to("input[name=password]")
        self.type(PASSWORD)
        self.go()
        assert self.page.url == f"{self.address}/"


def record_a_visit(anna: Hands) -> None:
    """With a next step for tomorrow, in the quick form of the customer's page."""
    anna.skip_to_content()
    anna.tab_to("#quick [name=result]")
    anna.type("看过样品，下周定数量")
    anna.tab_to("#quick [name=next_step-task]")
    anna.type("报数量")
    anna.tab_to("#quick [name=next_step-due_on]")
    # A date is typed as its parts; which comes first is the browser's language.
    day = clock.today() + timedelta(days=1)
    anna.press(*f"{day:%m%d%Y}")
    anna.tab_to("#quick button.btn-primary")
    anna.go()
    assert fresh(select(Interaction.result)) == "看过样品，下周定数量"
    assert fresh(select(NextStep.task)) == "报数量"


def apply_for_vip(anna: Hands) -> int:
    """From the menu of the customer's page; the id of the request."""
    anna.skip_to_content()
    anna.tab_to("main details[data-menu] > summary")
    anna.press("Enter")
    anna.tab_to("main a[href*='/vip/apply/']")
    anna.go()
    anna.skip_to_content()
    anna.tab_to("main form button.btn-primary")
    anna.go()
    assert "/approvals/" in anna.page.url
    return int(anna.page.url.split("#")[0].rsplit("/", 1)[1])


def approve(hanna: Hands, request: int) -> None:
    """The head: into the inbox, the request, the decision."""
    hanna.page.goto(f"{hanna.address}/approvals")
    hanna.skip_to_content()
    hanna.tab_to(f"main a[href='/approvals/{request}']")
    hanna.go()
    hanna.skip_to_content()
    hanna.tab_to("a[href*='vote=approve']")
    hanna.go()
    hanna.skip_to_content()
    hanna.tab_to("main form button.btn-primary")
    hanna.go()
    assert fresh(select(ApprovalRequest.state).where(ApprovalRequest.id == request)) == "approved"


def open_the_manual(hanna: Hands) -> None:
    """Through the palette to the library, from there into the manual."""
    hanna.press("Control+k")
    hanna.page.locator("#palette input").wait_for()
    hanna.type("程序查询")
    hanna.page.locator("#palette [role=option]", has_text="程序查询").first.wait_for()
    hanna.go()
    hanna.skip_to_content()
    hanna.tab_to("main a[href*='/sop/procedures/']")
    hanna.go()
    assert "核对证照" in hanna.page.locator("main").inner_text()
    hanna.skip_to_content()
    hanna.tab_to("main a[href*='/sop/manuals/']")
    hanna.go()
    assert hanna.page.locator("main h1").count() == 1


def test_the_main_jobs_are_done_with_keys_alone(browser: Any, app: Flask, world: World, bought: None) -> None:
    publish(world)
    give_passwords(world, "anna", "hanna")
    with served(app) as address, person(browser, address) as first, person(browser, address) as second:
        anna, hanna = Hands(first), Hands(second)
        anna.log_in("anna")
        anna.press("/")
        anna.type("gzmt")
        anna.go()
        anna.skip_to_content()
        anna.tab_to("main .hits a")
        anna.go()
        assert anna.page.url == f"{address}/customers/{world.customer_id('maotai')}"
        record_a_visit(anna)
        request = apply_for_vip(anna)
        hanna.log_in("hanna")
        approve(hanna, request)
        open_the_manual(hanna)
