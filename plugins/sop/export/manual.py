"""A manual as a book: pieces, contents, indexes, heads and feet."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from flask import current_app
from markupsafe import Markup

from plugins.sop.export.words import chapter_count
from portal.documents.binding import Furniture, Mark
from portal.documents.book import Book, Numbers, Piece
from portal.documents.page import DocumentFacts
from portal.documents.render import Asset
from portal.i18n import _, speaking

TEMPLATE = "sop/pdf/parts.html"
STYLE = Path(__file__).parent.parent / "data" / "manual.css"
#: The dots of a leader in the contents, as long as the longest line: one dashed stroke, whose dashes are round points.
DOTS = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="726" height="9.07">'
    b'<path d="M723 6.1H3" fill="none" stroke="#8a939c" stroke-width="1.6" '
    b'stroke-linecap="round" stroke-dasharray="0 6.05"/></svg>'
)
#: A piece holds between so many and so many pages, roughly: few enough to be made again quickly after a change, many
#: enough that starting each costs little.
LEAST_PAGES, MOST_PAGES = 8.0, 16.0
SANS = {"zh_Hant": "Noto-Sans-CJK-TC"}


def manual_book(document: DocumentFacts, context: Mapping[str, Any]) -> Book:
    """The book of a manual.

    :param document: number, maker and moment of the document; they stand on the cover and in the file's metadata only.
    :param context: from `plugins.sop.export.paper`.
    """
    with speaking(document.language):
        return _Manual(document, context).book()


class _Manual:
    def __init__(self, document: DocumentFacts, context: Mapping[str, Any]) -> None:
        self.document = document
        self.context = context
        self.facts = context["facts"]
        module = current_app.jinja_env.get_template(TEMPLATE).make_module({})
        self.parts: Any = module
        self.lines: list[dict[str, str]] = []
        self.outline: list[Mark] = [Mark(1, _("Cover"), "cover"), Mark(1, _("Document control"), "control")]
        self.places: dict[str, str] = {}
        self.pieces: list[Piece] = []

    def book(self) -> Book:
        self.outline.append(Mark(1, _("Contents"), "contents"))
        for chapter in self.context["chapters"]:
            self._chapter(chapter)
        if self.context["checklists"]:
            self._checklists()
        back = {
            "raci_tables": self.context["raci"],
            "forms": self.context["forms"],
            "glossary": self.context["glossary"],
            "by_department": self.context["by_department"],
        }
        for anchor, title, there in (
            ("raci", _("Responsibilities of the departments (RACI)"), back["raci_tables"]),
            ("forms", _("Index of forms and records"), back["forms"]),
            ("glossary", _("Glossary"), back["glossary"]),
            ("by-department", _("Procedures by department"), back["by_department"]),
        ):
            if there:
                self._line("chapter", anchor, title)
                self.outline.append(Mark(1, title, anchor))
        facts = self.facts
        running = facts["title"]
        sans = SANS.get(self.document.language, "Noto-Sans-CJK-SC")
        return Book(
            language=self.document.language_tag,
            title=running,
            head=self._head(),
            style=STYLE.read_text("utf-8"),
            cover=str(self.parts.cover(self._cover_facts())),
            front=self._front,
            pieces=self.pieces,
            back=(lambda numbers: self._spoken(self.parts.back, back, numbers)) if any(back.values()) else None,
            furniture=Furniture(
                title=running,
                foot=" · ".join((facts["code"], _("Version %(number)s", number=facts["number"]))),
                secret=facts["classification"],
                page_words=_("Page %(page)s of %(pages)s", page="{page}", pages="{pages}"),
                empty_words=_("This page is left empty."),
                red=(0.639, 0.137, 0.106) if facts["is_confidential"] else (0.106, 0.133, 0.173),
            ),
            outline=self.outline,
            places=self.places,
            front_running=_("Document control and contents"),
            back_running=_("Indexes"),
            regular=sans,
            bold=f"{sans}-Bold",
            assets={"dots.svg": Asset("image/svg+xml", DOTS)},
        )

    def _spoken(self, macro: Any, *arguments: Any) -> str:
        with speaking(self.document.language):
            return str(macro(*arguments))

    def _front(self, numbers: Numbers) -> str:
        facts = self._cover_facts()
        return self._spoken(self.parts.control, facts) + self._spoken(self.parts.contents, self.lines, numbers)

    def _line(self, look: str, anchor: str, title: str, code: str = "") -> None:
        self.lines.append({"look": look, "anchor": anchor, "title": title, "code": code})
        self.places[anchor] = f"{code} {title}".strip()

    def _chapter(self, chapter: Mapping[str, Any]) -> None:
        count = chapter_count(chapter["number"])
        running = f"{count} {chapter['title']}"
        self._line("chapter", chapter["anchor"], chapter["title"], count)
        self.outline.append(Mark(1, running, chapter["anchor"]))
        html = chapter["html"]
        # house: markup, because plugins.sop.manuals.markdown cleaned it with an allow-list before it became JSON
        opening = self.parts.chapter({**chapter, "count": count, "html": Markup(html)})
        self.pieces.append(Piece(str(opening), running, right_hand=True, weight=1 + len(html) / 1500))
        for group in grouped(chapter["procedures"]):
            for item in group:
                self._line("procedure", item["anchor"], item["title"], item["code"])
                self.outline.append(Mark(2, f"{item['code']} {item['title']}", item["anchor"]))
            body = "".join(str(self.parts.procedure(item)) for item in group)
            self.pieces.append(Piece(body, running, weight=sum(map(pages_of, group))))

    def _checklists(self) -> None:
        items = [item for chapter in self.context["chapters"] for item in chapter["procedures"] if item["has_checks"]]
        title = _("Checklists")
        for index, group in enumerate(grouped(items)):
            if index == 0:
                self._line("chapter", group[0]["checklist_anchor"], title)
                self.outline.append(Mark(1, title, group[0]["checklist_anchor"]))
            for item in group:
                self.outline.append(Mark(2, f"{item['code']} {item['title']}", item["checklist_anchor"]))
            body = "".join(str(self.parts.checklist(item)) for item in group)
            self.pieces.append(Piece(body, title, right_hand=index == 0, weight=float(len(group))))

    def _head(self) -> str:
        document, facts = self.document, self.facts
        title = f"{facts['title']} {facts['number']}"
        metas = {
            "author": f"{facts['company']} · {facts['department']}",
            "description": " · ".join(filter(None, (facts["code"], facts["number"], facts["what"]))),
            "keywords": facts["code"],
            "generator": "Portal",
            "dcterms.created": document.created,
            "dcterms.modified": document.created,
        }
        return f"<title>{escape(title)}</title>" + "".join(
            f'<meta name="{name}" content="{escape(value)}">' for name, value in metas.items()
        )

    def _cover_facts(self) -> dict[str, Any]:
        facts = self.facts
        cover = [
            (_("Document number"), facts["code"]),
            (_("Version"), facts["number"]),
            (_("Effective from"), facts["effective_from"] or "—"),
            (_("Kept by"), facts["department"]),
            (_("Next look-through"), facts["review_due"] or "—"),
        ]
        control = [
            (_("Document number"), facts["code"]),
            (_("Version"), facts["number"]),
            (_("Classification"), facts["classification"]),
            (_("Effective from"), facts["effective_from"]),
            (_("Kept by"), facts["department"]),
            (_("Digest of the content"), facts["digest"][:32]),
            (
                _("Validity"),
                _("The version in the portal holds. A printed copy is valid only as long as its version is in force."),
            ),
        ]
        return {
            **facts,
            "cover_facts": cover,
            "control_facts": control,
            "revisions": self.context["revisions"],
            "signatures": self.context["signatures"],
        }


def pages_of(procedure: Mapping[str, Any]) -> float:
    """Roughly how many pages a procedure takes, from the length of its text."""
    length = sum(len(step["what"]) / 15 + len(step["standard"]) / 8 + 1.2 for step in procedure["steps"])
    return max(1.0, (length + 12) / 38)


def grouped(procedures: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Procedures in groups of some pages. Where a group ends is decided by the procedure at its end and not by the
    count, so that one procedure more or less changes one or two groups and the rest comes from the cache."""
    groups: list[list[dict[str, Any]]] = []
    size = 0.0
    for item in procedures:
        if not groups or size >= MOST_PAGES or (size >= LEAST_PAGES and _ends_group(groups[-1][-1])):
            groups.append([])
            size = 0.0
        groups[-1].append(item)
        size += pages_of(item)
    return groups


def _ends_group(procedure: Mapping[str, Any]) -> bool:
    return zlib.crc32(f"{procedure['id']}".encode("ascii")) % 3 == 0
