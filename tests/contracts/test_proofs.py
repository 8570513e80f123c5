"""docs/security.md and docs/reliability.md name what proves each statement: no number is missing, every test exists."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

from tests.contracts.plugin_package import ROOT

TESTS = ROOT / "tests"
STATES = ("holds", "in part; still open: ", "not yet: ", "does not apply: ")
#: A row of a table: number, what holds, proof, state.
_ROW = re.compile(r"^\| (F?\d+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`((?:[a-z_0-9]+/)+test_[a-z_0-9]+\.py)::(test_[a-z_0-9]+)`")
_HOUSE = re.compile(r"house rules? ([a-z-]+(?:, [a-z-]+)*)")
PAGES = {
    "security.md": [str(number) for number in range(1, 67)],
    "reliability.md": [f"F{number}" for number in range(1, 29)],
}


def rows(page: str) -> list[tuple[str, str, str, str]]:
    return _ROW.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("page", PAGES)
def test_every_number_has_one_row(page: str) -> None:
    assert [number for number, *_rest in rows(page)] == PAGES[page]


@pytest.mark.parametrize("page", PAGES)
def test_every_row_says_its_state_and_proves_it(page: str) -> None:
    for number, _what, proof, state in rows(page):
        assert state.startswith(STATES), (number, state)
        if state.startswith(("holds", "in part")):
            assert _TEST.search(proof) or _HOUSE.search(proof), f"{number} names no proof"
        else:
            assert len(state) > len("does not apply: x"), f"{number} gives no reason"


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_exists(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    named = _TEST.findall(text)
    assert len(named) > 25
    missing = []
    for path, name in named:
        if not (TESTS / path).is_file() or name not in functions_of(TESTS / path):
            missing.append(f"{path}::{name}")
    assert missing == []
    # Nothing that looks like a test is overlooked by the pattern above.
    assert text.count("::test_") == len(named)


def test_the_soak_on_record_was_whole_and_held() -> None:
    """F26: `make soak` takes half an hour, so what is kept is its last record."""
    record = json.loads((ROOT / "bench" / "soak_results.json").read_text("utf-8"))
    assert record["minutes"] >= 30
    assert record["people"] >= 30
    assert record["reached"]
    assert all(record["reached"].values()), record["reached"]


def test_every_house_rule_that_is_named_exists() -> None:
    known = set(re.findall(r'^@rule\(\s*"([a-z-]+)"', (ROOT / "tools/house_rules.py").read_text("utf-8"), re.MULTILINE))
    named = {
        name
        for _number, _what, proof, _state in rows("security.md")
        for names in _HOUSE.findall(proof)
        for name in names.split(", ")
    }
    assert len(named) > 8
    assert named <= known


def test_scripts_put_no_html_into_pages() -> None:
    """Our scripts set texts, and adopt parts of the portal's own pages parsed without running anything (DOMParser)."""
    folders = [ROOT / "portal/static", *ROOT.glob("plugins/*/static")]
    scripts = [path for folder in folders for path in folder.rglob("*.js")]
    assert len(scripts) >= 5
    dangerous = re.compile(
        r"\.(inner|outer)HTML\s*\+?=|insertAdjacentHTML|document\.write|\beval\(|new Function\(|localStorage"
        r"|createContextualFragment|srcdoc"
    )
    found = [f"{path.name}: {match[0]}" for path in scripts for match in dangerous.finditer(path.read_text("utf-8"))]
    assert found == []
