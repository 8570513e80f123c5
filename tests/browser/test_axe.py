"""Every page of core and plugins through axe-core, light on a desk, dark on a phone: no serious finding.

Takes minutes, so it has a target of its own (`make axe`); in the ordinary run the style page, which shows every part,
stands for the pages (`test_style_page.py`).
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.access.conftest import stage
from tests.access.matrix import MATRIX
from tests.access.stage import QUERY, ROLES, Stage
from tests.browser.axe import findings
from tests.browser.stories import served

__all__ = ["stage"]
pytestmark = pytest.mark.skipif(os.environ.get("PORTAL_AXE") != "full", reason="make axe")
PAGES = [name for name in MATRIX if name.startswith("GET ")]


def _first_who_may(name: str) -> str:
    return next((role for role, letter in zip(ROLES, MATRIX[name], strict=True) if letter == "o"), "")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_no_page_keeps_anybody_out(scheme: Any, width: int, stage: Stage, browser: Any) -> None:
    found: list[str] = []
    asked = 0
    with served(stage.app) as address:
        for role in ROLES:
            mine = [name for name in PAGES if _first_who_may(name) == role]
            if not mine:
                continue
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="zh-CN")
            if stage.cookies.get(role):
                name = stage.app.config["SESSION_COOKIE_NAME"]
                context.add_cookies([{"name": name, "value": stage.cookies[role], "url": address}])
            page = context.new_page()
            for name in mine:
                rule = stage.rules[name].rule
                path = stage.path(rule)
                query = "&".join(f"{key}={value}" for key, value in QUERY.get(rule.endpoint, {}).items())
                # Looked at first without the browser: a download would not open in it.
                with stage.client(role).get(f"{path}?{query}") as answer:
                    if answer.mimetype != "text/html" or answer.status_code != 200:
                        continue
                page.goto(f"{address}{path}?{query}")
                found += [f"{path}: {sentence}" for sentence in findings(page)]
                asked += 1
            context.close()
    print(f"\n  {asked} pages, {scheme}, {width} wide: {len(found)} findings")
    assert found == []
    assert asked > 100
