"""Asks axe-core what keeps people with aids out of a page. Only serious and critical findings count."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe

COUNTED = {"serious", "critical"}


def findings(page: Any) -> list[str]:
    """Sentences about the page that is open: the rule, and the first element that breaks it."""
    answer = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [
        f"{found['id']}: {found['help']}: {found['nodes'][0]['html'][:200]}"
        for found in answer["violations"]
        if found["impact"] in COUNTED
    ]
