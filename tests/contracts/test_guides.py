"""The user guides speak of menu entries that exist, by the words people see."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from portal.core.navigation import NavArea, NavItem

GUIDES = Path(__file__).parents[2] / "docs" / "guide"
ENTRY = re.compile(r"`([^`]+ › [^`]+)`")
#: How the guides explain the notation.
EXAMPLE = {"栏目 › 页面", "area › page"}


@pytest.mark.parametrize(("name", "locale"), [("zh-Hans.md", "zh_Hans_CN"), ("en.md", "en")])
def test_menu_entries_of_the_guide_exist(app: Flask, name: str, locale: str) -> None:
    entries = list(app.extensions["portal_navigation"])
    with app.test_request_context(), force_locale(locale):
        areas = {entry.key: str(entry.label) for entry in entries if isinstance(entry, NavArea)}
        menu = {f"{areas[item.area]} › {item.label}" for item in entries if isinstance(item, NavItem)}
    text = (GUIDES / name).read_text(encoding="utf-8")
    named = set(ENTRY.findall(text)) - EXAMPLE
    assert len(named) > 20
    assert sorted(named - menu) == []
    # Nothing that looks like an entry stands without its marks, where it would not be looked at.
    assert text.count(" › ") == len(ENTRY.findall(text))
