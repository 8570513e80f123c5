"""A manual as PDF, read back: numbers, links, bookmarks, tags, fonts, and what must not happen."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from flask import Flask
from flask_babel import Babel
from jinja2 import FileSystemLoader
from lxml import html as lxml_html

from bench.manual_content import manual_content
from plugins.sop.export.manual import grouped, manual_book
from plugins.sop.export.paper import Choice, form_names, paper_of
from plugins.sop.manuals.content import ManualContent
from portal.config import PROJECT_ROOT
from portal.documents import book as books
from portal.documents.binding import Leaves, Letters, PieceFacts, page_numbers
from portal.documents.book import BookFigures, render_book
from portal.documents.page import DocumentFacts
from portal.documents.render import CannotRender, Rendered
from portal.i18n import speaking

KEYS = ("contract-signing", "credit-check", "new-customer", "first-visit")
CREATED = "2026-03-05T14:30:00+08:00"
FACTS = {
    "number": "SOPM-2026-000001",
    "version": 1,
    "title": "手册",
    "kind": "手册",
    "subject": "",
    "classification": "",
    "organisation": "和山",
    "made_by": "曹燕",
    "made_at": "2026-03-05 14:30",
    "created": CREATED,
    "language": "zh_Hans_CN",
}
REVISIONS = [{"number": "2.0", "effective_from": "2026-03-01", "summary": "核对全部时限", "author": "曹燕"}]
SIGNATURES = [{"name": "沈岚", "seat": "销售部", "day": "2026-02-20", "opinion": "同意"}]


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    """Only the template engine and translations; no database."""
    app = Flask("portal", root_path=str(PROJECT_ROOT / "portal"))
    folders = [PROJECT_ROOT / "templates", PROJECT_ROOT / "plugins" / "sop" / "templates"]
    app.jinja_loader = FileSystemLoader([str(folder) for folder in folders])  # type: ignore[assignment]
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    Babel(app, default_locale="en")
    with app.app_context():
        yield app


def small(language: str = "zh_Hans_CN", keys: tuple[str, ...] = KEYS) -> ManualContent:
    """Two chapters and a few procedures."""
    content = manual_content(language, keys)
    return dataclasses.replace(content, chapters=(content.chapters[0], content.chapters[-1]))


def make(content: ManualContent, folder: Path, figures: BookFigures | None = None, **facts: Any) -> Rendered:
    language = content.facts.language
    with speaking(language):
        paper = paper_of(content, Choice(), revisions=REVISIONS, signatures=SIGNATURES)
    book = manual_book(DocumentFacts(**{**FACTS, "language": language, **facts}), paper)
    return render_book(book, folder=folder, figures=figures)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def made(app: Flask, folder: Path) -> Rendered:
    return make(small(), folder)


@pytest.fixture(scope="module")
def pdf(made: Rendered) -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(BytesIO(made.content)) as found:
        yield found


@pytest.fixture(scope="module")
def pages(made: Rendered, folder: Path) -> list[str]:
    path = folder / "read.pdf"
    path.write_bytes(made.content)
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    return done.stdout.decode("utf-8").split("\f")[:-1]


def page_headed(pages: list[str], code: str) -> int:
    """Number of the page where a procedure begins: its code stands alone on a line."""
    return next(n for n, text in enumerate(pages, start=1) if re.search(rf"^\s*{code}\s*$", text, re.MULTILINE))


# ---- what a reader sees --------------------------------------------------------------------------------------------


def test_the_cover_says_what_it_is(pages: list[str]) -> None:
    words = re.sub(r"\s+", "", pages[0])
    for expected in ("客户关系管理标准作业程序手册", "和山酒业有限公司", "SOP-CRM", "2.0", "2026-03-01", "2027-03-01"):
        assert expected in words, expected
    assert "1/" not in words
    assert "核对全部时限" in pages[2]
    assert "沈岚" in pages[2]


def test_every_page_behind_the_cover_counts_itself(pages: list[str], made: Rendered) -> None:
    assert len(pages) == made.pages
    for number, text in enumerate(pages[1:], start=2):
        numbers = [int(word) for word in re.findall(r"\d+", text.strip().split("\n")[-1])]
        assert number in numbers
        assert len(pages) in numbers
        assert "SOP-CRM" in text


def test_numbers_in_the_contents_are_those_of_the_pages(pages: list[str]) -> None:
    lines = [line for line in pages[3].split("\n") if re.search(r"(XS|CW)-00\d.*\d+\s*$", line)]
    assert len(lines) == len(KEYS)
    for line in lines:
        code = re.search(r"(XS|CW)-00\d", line)[0]  # type: ignore[index]
        number = int(re.search(r"(\d+)\s*$", line)[1])  # type: ignore[index]
        assert number == page_headed(pages, code), line


def test_no_page_repeats_a_picture_as_a_pattern(pdf: pikepdf.Pdf) -> None:
    """A contents page whose leaders were one dot repeated took a common reader of PDF (poppler) half a minute."""
    assert [n for n, page in enumerate(pdf.pages, start=1) if page.Resources.get("/Pattern")] == []


def test_chapters_begin_on_right_hand_pages(pdf: pikepdf.Pdf) -> None:
    firsts = [
        number_of(pdf, item.Dest) for item in outline(pdf) if "目的" in str(item.Title) or "各部门" in str(item.Title)
    ]
    assert len(firsts) == 2
    assert all(number % 2 == 1 for number in firsts)


def test_contents_and_indexes_lead_to_their_pages(pdf: pikepdf.Pdf, pages: list[str]) -> None:
    names = destinations(pdf)
    links = [link for page in pdf.pages for link in page.obj.get("/Annots", [])]
    assert len(links) > 20
    for link in links:
        assert "/A" not in link
        assert str(link.Dest) in names
        assert str(link.Contents)
        assert not str(link.Contents).startswith("place:")
    contents = [link for link in pdf.pages[3].obj.Annots if re.match(r"p\d+$", str(link.Dest))]
    for link in contents:
        code = str(link.Contents).split()[0]
        assert code in pages[number_of(pdf, names[str(link.Dest)]) - 1]


def test_behind_the_chapters_stand_checklists_responsibilities_forms_words_and_departments(pages: list[str]) -> None:
    headings = (
        "Checklists",
        "Responsibilities of the departments",
        "Index of forms and records",
        "Glossary",
        "Procedures by department",
    )
    first = [
        next(n for n, text in enumerate(pages) if n > 3 and re.search(rf"^\s*{heading}", text, re.MULTILINE))
        for heading in headings
    ]
    assert first == sorted(first)
    ends = [*first[1:], len(pages)]
    found = ["".join(pages[begin : max(end, begin + 1)]) for begin, end in zip(first, ends, strict=True)]
    checklists, responsibilities, forms, glossary, departments = found
    assert len(re.findall(r"^\s*\d+ ", checklists, re.MULTILINE)) >= 4
    assert re.search(r"XS-001.*\bRA\b", responsibilities)
    assert "销售部" in responsibilities
    assert re.search(r"见客登记本.*XS-001", forms)
    assert "客户档案" in glossary
    assert all(code in departments for code in ("XS-001", "XS-002", "XS-003"))


def test_bookmarks_follow_the_manual(pdf: pikepdf.Pdf) -> None:
    top = [str(item.Title) for item in outline(pdf)]
    assert len(top) >= 8
    chapter = next(item for item in outline(pdf) if "各部门" in str(item.Title))
    below = [str(item.Title) for item in siblings(chapter.First)]
    assert len(below) == len(KEYS)
    assert any(title.startswith("XS-001") for title in below)
    assert int(chapter.Count) == -len(KEYS)


def test_metadata_language_and_title(pdf: pikepdf.Pdf) -> None:
    assert str(pdf.Root.Lang) == "zh-Hans-CN"
    assert str(pdf.docinfo["/Title"]) == "客户关系管理标准作业程序手册 2.0"
    assert str(pdf.docinfo["/Keywords"]) == "SOP-CRM"
    assert "20260305" in str(pdf.docinfo["/CreationDate"])
    with pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == "客户关系管理标准作业程序手册 2.0"


# ---- PDF/UA --------------------------------------------------------------------------------------------------------


def test_every_piece_of_content_is_tagged_or_decoration(pdf: pikepdf.Pdf) -> None:
    parents = number_tree(pdf.Root.StructTreeRoot.ParentTree)
    for number, page in enumerate(pdf.pages, start=1):
        depth: list[str] = []
        marks = []
        for operands, operator in pikepdf.parse_content_stream(page):
            word = str(operator)
            if word in ("BDC", "BMC"):
                depth.append(str(operands[0]))
                if word == "BDC" and "/MCID" in operands[1]:
                    marks.append(int(operands[1].MCID))
            elif word == "EMC":
                depth.pop()
            elif word in ("Tj", "TJ"):
                assert depth, f"text of page {number} is neither tagged nor decoration"
        assert depth == []
        if marks:
            assert sorted(marks) == list(range(len(parents[int(page.obj.StructParents)])))


def test_the_tree_of_tags_is_whole(pdf: pikepdf.Pdf) -> None:
    root = pdf.Root.StructTreeRoot
    assert bool(pdf.Root.MarkInfo.Marked)
    known = {page.obj.objgen for page in pdf.pages}
    kinds: dict[str, int] = {}
    waiting: list[tuple[Any, Any]] = [(root.K[0], root)]
    seen = set()
    while waiting:
        element, parent = waiting.pop()
        assert element.P.objgen == parent.objgen
        assert element.objgen not in seen
        seen.add(element.objgen)
        kinds[str(element.S)] = kinds.get(str(element.S), 0) + 1
        if "/Pg" in element:
            assert element.Pg.objgen in known
        if element.S == "/TH":
            assert str(element.A.Scope) in ("/Column", "/Row")
        for child in element.K if isinstance(element.K, pikepdf.Array) else [element.K]:
            if isinstance(child, pikepdf.Dictionary) and child.get("/Type") == "/StructElem":
                waiting.append((child, element))
    assert {"/Document", "/Part", "/TOC", "/TOCI", "/H1", "/H2", "/Table", "/TH", "/TD", "/Link", "/P"} <= set(kinds)
    # Links know their element and the other way round.
    parents = number_tree(root.ParentTree)
    for page in pdf.pages:
        for link in page.obj.get("/Annots", []):
            assert parents[int(link.StructParent)].objgen in seen


def test_one_subset_of_each_font_serves_the_whole_book(pdf: pikepdf.Pdf, made: Rendered) -> None:
    fonts = fonts_of(pdf)
    assert fonts
    assert all("+" in name and "CJK-SC" in name for name in fonts)
    assert len(fonts) == len(set(fonts)), "a piece kept subsets of its own"
    assert len(made.content) < 1_500_000


def test_traditional_chinese_has_its_own_glyphs(app: Flask, folder: Path) -> None:
    content = small("zh_Hant", ("first-visit",))
    made = make(dataclasses.replace(content, chapters=content.chapters[1:]), folder)
    with pikepdf.open(BytesIO(made.content)) as pdf:
        assert str(pdf.Root.Lang) == "zh-Hant"
        assert all("CJK-TC" in name for name in fonts_of(pdf))


# ---- again ---------------------------------------------------------------------------------------------------------


def test_the_same_manual_is_the_same_bytes_but_for_its_date(app: Flask, folder: Path, made: Rendered) -> None:
    figures = BookFigures()
    assert make(small(), folder, figures).content == made.content
    assert figures.laid_out == 1, "only the cover, which has the date in it"
    later = make(small(), folder, created="2026-03-06T09:00:00+08:00").content
    with pikepdf.open(BytesIO(later)) as one, pikepdf.open(BytesIO(made.content)) as other:
        assert str(one.docinfo["/CreationDate"]) != str(other.docinfo["/CreationDate"])
        for left, right in zip(one.pages, other.pages, strict=True):
            assert (
                left.Contents[1].read_bytes() == right.Contents[1].read_bytes()
                if isinstance(left.Contents, pikepdf.Array)
                else left.Contents.read_bytes() == right.Contents.read_bytes()
            )


def test_a_change_in_one_chapter_lays_out_little(app: Flask, folder: Path, made: Rendered) -> None:
    content = small()
    first = dataclasses.replace(content.chapters[0], body=content.chapters[0].body + "\n\n补充一句。\n")
    figures = BookFigures()
    make(dataclasses.replace(content, chapters=(first, *content.chapters[1:])), folder, figures)
    # The chapter, the cover with its date, and at most the contents and the type case.
    assert figures.laid_out <= 4
    assert figures.from_cache >= 3


def test_a_damaged_piece_is_made_again(app: Flask, folder: Path, made: Rendered) -> None:
    pieces = [path for path in (folder / "cache" / "pieces").glob("??/*") if path.is_file()]
    pieces[0].write_bytes(pieces[0].read_bytes()[:-1] + b"x")
    assert make(small(), folder).content == made.content
    assert all(path.stat().st_mode & 0o077 == 0 for path in pieces)


def test_a_new_procedure_leaves_the_other_groups_alone() -> None:
    items = [{"id": n, "steps": [{"what": "字" * 40, "standard": "字" * 10}] * 9} for n in range(60)]
    before = {str([item["id"] for item in group]) for group in grouped(items)}
    after = {
        str([item["id"] for item in group]) for group in grouped([*items[:30], {**items[0], "id": 99}, *items[30:]])
    }
    assert len(before) > 4
    assert len(after - before) <= 2


# ---- tables --------------------------------------------------------------------------------------------------------


def test_steps_stay_whole_and_heads_come_again(app: Flask, folder: Path) -> None:
    content = small(keys=("first-visit",))
    procedure = content.procedures[0]
    steps = tuple(
        dataclasses.replace(procedure.steps[0], number=n, what=f"始{n:03d}" + "甲乙" * 60 + f"终{n:03d}")
        for n in range(1, 27)
    )
    chapter = dataclasses.replace(content.chapters[1], procedures=(dataclasses.replace(procedure, steps=steps),))
    made = make(dataclasses.replace(content, chapters=(chapter,)), folder)
    path = folder / "long.pdf"
    path.write_bytes(made.content)
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    with_steps = [text for text in done.stdout.decode().split("\f") if "始" in text]
    assert len(with_steps) > 3
    for text in with_steps:
        assert re.findall(r"始(\d{3})", text) == re.findall(r"终(\d{3})", text)
        assert "Time limit" in text or "时限" in text


# ---- rules ---------------------------------------------------------------------------------------------------------


def test_forms_are_read_from_the_words_of_a_step() -> None:
    assert form_names("《合同审批单》、《信用调查表》(复印件)") == ["合同审批单", "信用调查表"]
    assert form_names("签收单、照片；录音") == ["签收单", "照片", "录音"]
    assert form_names("") == []


def test_words_too_long_for_a_head_end_with_dots() -> None:
    letters = Letters.__new__(Letters)
    letters.codes = {"甲": b"0001", "…": b"0002"}
    letters.widths = {1: 1000.0, 2: 1000.0}
    assert letters.fit("甲" * 10, 10, 100) == "甲" * 10
    assert letters.fit("甲" * 11, 10, 100) == "甲" * 9 + "…"


# ---- hostile -------------------------------------------------------------------------------------------------------

CHANNELS = {
    "img": '<img src="http://evil.example/a">',
    "link": '<link rel="stylesheet" href="http://evil.example/a.css">',
    "import": '<style>@import "http://evil.example/a.css";</style>',
    "font-face": "<style>@font-face{font-family:x;src:url(http://evil.example/f)}p{font-family:x}</style><p>a</p>",
    "background": '<p style="background:url(http://evil.example/b)">a</p>',
    "list-style": '<ul style="list-style:url(http://evil.example/l)"><li>a</li></ul>',
    "content": "<style>p::before{content:url(http://evil.example/c)}</style><p>a</p>",
    "attachment": '<link rel="attachment" href="file:///etc/passwd">',
    "a-attachment": '<a rel="attachment" href="file:///etc/passwd">a</a>',
    "svg-image": '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "svg-use": '<svg xmlns="http://www.w3.org/2000/svg"><use href="http://evil.example/s#a"/></svg>',
    "object": '<object data="file:///etc/passwd"></object>',
    "embed": '<embed src="file:///etc/passwd">',
    "base": '<base href="file:///etc/"><img src="passwd">',
    "data-svg": "<img src=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3Cimage href='file:///etc/passwd'/%3E%3C/svg%3E\">",
    "script": "<script>fetch('http://evil.example')</script>",
}


def test_hostile_text_of_a_manual_is_only_text(app: Flask) -> None:
    """Sixteen channels, typed into every field and into Markdown: none becomes HTML."""
    assert len(CHANNELS) >= 16
    everything = "\n\n".join(CHANNELS.values())
    content = small(keys=("first-visit",))
    step = dataclasses.replace(content.procedures[0].steps[0], what=everything, who=everything[:200], record=everything)
    procedure = dataclasses.replace(
        content.procedures[0], steps=(step,), title=everything, trigger=everything, purpose=everything, code='"><img>'
    )
    chapter = dataclasses.replace(content.chapters[1], body=everything, title=everything, procedures=(procedure,))
    facts = dataclasses.replace(content.facts, title=everything, company=everything)
    with speaking("zh_Hans_CN"):
        paper = paper_of(
            dataclasses.replace(content, facts=facts, chapters=(chapter,)), Choice(), revisions=[], signatures=[]
        )
    book = manual_book(DocumentFacts(**FACTS), paper)
    numbers = books.Numbers({}, 1)
    html = book.head + book.cover + book.front(numbers) + "".join(piece.body for piece in book.pieces)
    assert book.back is not None
    html += book.back(numbers)
    page = lxml_html.document_fromstring(f"<html><body>{html}</body></html>")
    tags = {element.tag for element in page.iter() if isinstance(element.tag, str)}
    assert not tags & {"img", "link", "style", "svg", "image", "use", "object", "embed", "base", "script", "iframe"}
    for element in page.iter():
        assert not {name for name in element.attrib if name == "src" or name.startswith("on")}
        assert "style" not in element.attrib or element.tag == "col"
        assert element.get("href", "#").startswith(("place:", "#", "https:", "http:", "mailto:"))


def test_even_as_html_nothing_is_fetched(app: Flask, workshop: Any) -> None:
    """The renderer's own wall: raw HTML, as if escaping had failed. A base address would turn the others aside."""
    for html in ("".join(html for name, html in CHANNELS.items() if name != "base"), CHANNELS["base"]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(workshop._request, "trace", True)
            content, _facts = workshop.make(html)
        assert content.startswith(b"%PDF")
        assert b"root:x" not in content
        assert workshop.last_refused == []
        assert not [path for path in workshop.last_opened if "passwd" in path or "evil" in path]


@pytest.fixture(scope="module")
def workshop(app: Flask) -> Iterator[Any]:
    class Watching(books.Workshop):
        last_refused: list[str] = []
        last_opened: list[str] = []

    with speaking("zh_Hans_CN"):
        paper = paper_of(small(keys=("first-visit",)), Choice(), revisions=[], signatures=[])
    book = manual_book(DocumentFacts(**FACTS), paper)
    with Watching(book, time.monotonic() + 300, BookFigures()) as shop:
        ask = books._Hand.ask

        def asked(hand: Any, request: Any, limit: float) -> Any:
            facts, content = ask(hand, request, limit)
            shop.last_refused = list(facts["refused"])
            if request.get("trace"):
                shop.last_opened = list(facts["opened"])
            return facts, content

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(books._Hand, "ask", asked)
            yield shop


def test_a_piece_that_takes_too_long_is_killed(app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "PIECE_SECONDS", 3)
    content = small(keys=("first-visit",))
    body = "\n\n".join(f"{n} " + "字" * 1500 for n in range(120)) * 2
    chapter = dataclasses.replace(content.chapters[0], body=body[:190_000])
    bomb = dataclasses.replace(content, chapters=tuple(dataclasses.replace(chapter, key=f"c{n}") for n in range(2)))
    started = time.monotonic()
    with pytest.raises(CannotRender) as caught:
        make(bomb, folder / "bomb")
    assert caught.value.details["cause"] == "too long for one piece"
    assert time.monotonic() - started < 30
    assert threading.active_count() < 12


def test_stopping_from_outside_ends_the_children(app: Flask, folder: Path) -> None:
    class Stop(Exception):
        pass

    def stop(_done: int, _total: int) -> None:
        raise Stop

    with speaking("zh_Hans_CN"):
        paper = paper_of(small(), Choice(), revisions=[], signatures=[])
    book = manual_book(DocumentFacts(**FACTS), paper)
    with pytest.raises(Stop):
        render_book(book, folder=folder / "stopped", progress=stop)
    done = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True, check=False
    )
    assert not [line for line in done.stdout.splitlines() if "render_child.py" in line and line.endswith(" book")]


# ---- reading a PDF -------------------------------------------------------------------------------------------------


def siblings(first: Any) -> list[Any]:
    found = [first]
    while "/Next" in found[-1]:
        found.append(found[-1].Next)
    return found


def outline(pdf: pikepdf.Pdf) -> list[Any]:
    return siblings(pdf.Root.Outlines.First)


def destinations(pdf: pikepdf.Pdf) -> dict[str, Any]:
    found = {}
    for leaf in pdf.Root.Names.Dests.Kids:
        for index in range(0, len(leaf.Names), 2):
            found[str(leaf.Names[index])] = leaf.Names[index + 1]
    return found


def number_of(pdf: pikepdf.Pdf, target: Any) -> int:
    return next(n for n, page in enumerate(pdf.pages, start=1) if page.obj.objgen == target[0].objgen)


def number_tree(tree: Any) -> dict[int, Any]:
    found = {}
    for kid in tree.Kids:
        assert int(kid.Limits[0]) <= int(kid.Limits[1])
        for index in range(0, len(kid.Nums), 2):
            found[int(kid.Nums[index])] = kid.Nums[index + 1]
    return found


def fonts_of(pdf: pikepdf.Pdf) -> list[str]:
    found = []
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/Font" and "/DescendantFonts" in thing:
            assert "/FontFile3" in thing.DescendantFonts[0].FontDescriptor
            found.append(str(thing.BaseFont))
    return found


def test_page_numbers_skip_to_right_hand_pages() -> None:
    pieces = [
        (Leaves(b""), PieceFacts(1, {"cover": 0})),
        (Leaves(b"", "", True), PieceFacts(1, {"contents": 0})),
        (Leaves(b"", "", True), PieceFacts(2, {"a": 0, "b": 1})),
        (Leaves(b""), PieceFacts(1, {"c": 0})),
    ]
    firsts, anchors, total = page_numbers(pieces)
    assert firsts == [1, 3, 5, 7]
    assert anchors == {"cover": 1, "contents": 3, "a": 5, "b": 6, "c": 7}
    assert total == 7
