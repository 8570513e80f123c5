"""The user guides speak of menu entries that exist; their pictures are there, and can all be made anew by a script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from portal.core.navigation import NavArea, NavItem
from tools.screenshots import DESK, LANGUAGES, LARGEST_BYTES, PAGES, PHONE, SECTIONS, TARGET

DOCS = Path(__file__).parents[2] / "docs"
GUIDES = DOCS / "guide"
ENTRY = re.compile(r"`([^`]+ › [^`]+)`")
#: How the guides explain the notation.
EXAMPLE = {"栏目 › 页面", "area › page"}
PICTURE = re.compile(r"""!\[[^\]]{4,}\]\(([^)]+)\)|<img src="([^"]+)" alt="[^"]{4,}"(?: width="\d+")?>""")
#: What all pictures together may take in the repository.
ALL_BYTES = 3_000_000


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


def _pictures(text: str, folder: Path) -> list[Path]:
    found = [(folder / (plain or sized)).resolve() for plain, sized in PICTURE.findall(text)]
    # None stands without words for those who do not see it, and none in a notation that is not looked at here.
    assert len(found) == text.count("![") + text.count("<img")
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_section_of_a_guide_shows_the_pictures_that_are_listed_for_it(language: str) -> None:
    text = (GUIDES / LANGUAGES[language][1]).read_text(encoding="utf-8")
    sections = dict(part.split("\n", 1) for part in text.split("\n## ")[1:])
    for key, headings in SECTIONS.items():
        listed = [TARGET / language / f"{page.file}.png" for page in PAGES if page.section == key]
        assert sorted(_pictures(sections.pop(headings[language]), GUIDES)) == sorted(listed), key
    assert not any(_pictures(part, GUIDES) for part in sections.values())


def test_the_pictures_are_those_of_the_list_and_small() -> None:
    listed = {TARGET / language / f"{page.file}.png": page for language in LANGUAGES for page in PAGES}
    assert set(TARGET.rglob("*.png")) == set(listed)
    assert len(listed) == len(PAGES) * len(LANGUAGES), "a name is there twice"
    for path, page in listed.items():
        header = path.read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n", path
        width = int.from_bytes(header[16:20])
        assert width == {DESK: DESK[0], PHONE: 2 * PHONE[0]}[page.size], path
        assert path.stat().st_size < LARGEST_BYTES, path
    assert sum(path.stat().st_size for path in listed) < ALL_BYTES


def test_the_readme_shows_five_pages_that_are_listed_and_what_it_is_in_one_picture() -> None:
    root = DOCS.parent
    shown = _pictures((root / "README.md").read_text(encoding="utf-8"), root)
    drawn = [path for path in shown if path.suffix == ".svg"]
    assert sorted(path.name for path in drawn) == ["overview.en.svg", "overview.zh.svg"]
    pages = set(shown) - set(drawn)
    assert len(pages) == 5
    assert pages <= {TARGET / "zh" / f"{page.file}.png" for page in PAGES}
    assert all(path.is_file() for path in shown)
