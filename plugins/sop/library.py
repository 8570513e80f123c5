"""The library of starter procedures and the chapter template: content files of this plugin, read once.

`data/starters/<language>/<key>.toml`, one file for each procedure and language ("zh_Hans_CN", "en"; traditional
Chinese is derived from the simplified one where it has no file of its own):

    code = "XS-001"                       # proposed code; a number is put behind it when it is taken
    title = "新客户建档"
    departments = ["sales"]               # kinds of department, see DEPARTMENT_KINDS: the editor maps them to his own
    raci = { sales = "R", finance = "I" } # optional; without it every department has "R"
    roles = ["account_manager"]           # portal roles, "head" or "everybody"
    trigger = "…"
    purpose = "…"
    records = "…"
    measures = "…"
    after = ["first-visit"]               # keys of starters that come before it
    see = ["call-back"]                   # keys of related starters

    [[steps]]
    who = "…"                             # at most 200 characters
    what = "…"
    record = "…"                          # form or record, at most 300
    limit = "2 working_days"              # optional: amount and one of LIMIT_UNITS (minutes … months)
    limit_text = "…"                      # optional words
    standard = "…"
    check = true                          # default true
    stop = false                          # default false

`data/template/<language>.toml` has the seven chapters: `[[chapters]]` with key, title, guidance (shown to the editor
beside the text, never printed) and body (Markdown). The key, not the file's order, ties languages together.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import opencc

from plugins.sop.manuals.models import LIMIT_UNITS
from portal.core.numbers import whole_from

ROOT = Path(__file__).parent / "data"
#: Kinds of department that starters are sorted by.
DEPARTMENT_KINDS = ("sales", "service", "finance", "logistics", "marketing", "archive", "management")


@dataclass(frozen=True)
class StarterStep:
    """A step of a starter procedure; fields as in `plugins.sop.manuals.models.Step`."""

    who: str
    what: str
    record: str = ""
    limit_amount: int | None = None
    limit_unit: str = ""
    limit_text: str = ""
    standard: str = ""
    is_check: bool = True
    is_stop: bool = False


@dataclass(frozen=True)
class Starter:
    """A starter procedure in one language. `raci`: kind of department → letters."""

    key: str
    code: str
    title: str
    departments: tuple[str, ...]
    raci: dict[str, str]
    roles: tuple[str, ...]
    trigger: str
    purpose: str
    records: str
    measures: str
    after: tuple[str, ...]
    see: tuple[str, ...]
    steps: tuple[StarterStep, ...]


@dataclass(frozen=True)
class TemplateChapter:
    """A chapter of the template in one language."""

    key: str
    title: str
    guidance: str
    body: str


def starters(language: str) -> tuple[Starter, ...]:
    """All starter procedures in a language, by department and code. An unknown language gets the English ones."""
    return _starters(language)


def starter(key: str, language: str) -> Starter | None:
    """One starter procedure."""
    return next((item for item in starters(language) if item.key == key), None)


@cache
def _starters(language: str) -> tuple[Starter, ...]:
    source = _source(language)
    found = []
    for path in sorted((ROOT / "starters" / source).glob("*.toml")):
        found.append(parse_starter(path.stem, _read(path, language)))
    return tuple(sorted(found, key=lambda item: (DEPARTMENT_KINDS.index(item.departments[0]), item.code)))


@cache
def template(language: str) -> tuple[TemplateChapter, ...]:
    """The chapters that a new manual begins with."""
    data = _read(ROOT / "template" / f"{_source(language)}.toml", language)
    return tuple(
        TemplateChapter(item["key"], item["title"], item.get("guidance", "").strip(), item["body"].strip() + "\n")
        for item in data["chapters"]
    )


def parse_starter(key: str, data: dict[str, Any]) -> Starter:
    """A starter from the content of its file. :raises ValueError: unknown words, a step without text."""
    departments = tuple(data["departments"])
    unknown = [word for word in departments if word not in DEPARTMENT_KINDS]
    if unknown:
        raise ValueError(f"{key}: unknown kinds of department {unknown}")
    raci = dict(data.get("raci", {})) or dict.fromkeys(departments, "R")
    if set(raci) - set(DEPARTMENT_KINDS):
        raise ValueError(f"{key}: unknown kinds of department in raci")
    return Starter(
        key=key,
        code=data["code"],
        title=data["title"],
        departments=departments,
        raci=raci,
        roles=tuple(data.get("roles", ())),
        trigger=data.get("trigger", "").strip(),
        purpose=data.get("purpose", "").strip(),
        records=data.get("records", "").strip(),
        measures=data.get("measures", "").strip(),
        after=tuple(data.get("after", ())),
        see=tuple(data.get("see", ())),
        steps=tuple(_step(key, number, item) for number, item in enumerate(data["steps"], start=1)),
    )


def _step(key: str, number: int, data: dict[str, Any]) -> StarterStep:
    if not data.get("what", "").strip():
        raise ValueError(f"{key}: step {number} has no text")
    amount, unit = None, ""
    if limit := data.get("limit", ""):
        count, _space, unit = limit.partition(" ")
        amount = whole_from(count)
        if unit not in LIMIT_UNITS or amount is None or amount < 0:
            raise ValueError(f"{key}: step {number}: {limit!r} is no time limit")
    return StarterStep(
        who=data.get("who", "").strip(),
        what=data["what"].strip(),
        record=data.get("record", "").strip(),
        limit_amount=amount,
        limit_unit=unit,
        limit_text=data.get("limit_text", "").strip(),
        standard=data.get("standard", "").strip(),
        is_check=data.get("check", True),
        is_stop=data.get("stop", False),
    )


def _source(language: str) -> str:
    return "zh_Hans_CN" if language.startswith("zh") else "en"


def _read(path: Path, language: str) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    if language == "zh_Hant":
        text = _traditional().convert(text)
    return tomllib.loads(text)


@cache
def _traditional() -> Any:
    """Simplified to traditional Chinese with the characters of Taiwan, as the catalogues of the portal are made."""
    return opencc.OpenCC("s2tw")
