"""The text of a chapter, sanitised HTML, as paragraphs of a Word file."""

from __future__ import annotations

from typing import Any

from docx.enum.text import WD_ALIGN_PARAGRAPH
from lxml import html as lxml_html

from plugins.sop.export.docx_marks import new_list, put_into_list
from portal.core.numbers import whole_from

#: Deeper nesting in a chapter is set like the last level.
DEEPEST = 8


class Prose:
    """Sanitised HTML of a chapter → paragraphs."""

    def __init__(self, writer: Any) -> None:
        self.writer = writer
        self.document = writer.document

    def add(self, source: str) -> None:
        """Append all of it."""
        root = lxml_html.fragment_fromstring(source, create_parent="div")
        for element in root:
            self._block(element, 0)

    def _block(self, element: Any, depth: int, style: str = "") -> None:
        tag = element.tag
        if not isinstance(tag, str) or depth > DEEPEST * 4:
            return
        if tag in ("h2", "h3", "h4", "h5", "h6"):
            # The second level is the procedures'; text of a chapter stands below it in Word's outline.
            self._inline(self.document.add_heading("", min(int(tag[1]) + 1, 4)), element)
        elif tag in ("ul", "ol"):
            name = "List Bullet" if tag == "ul" else "List Number"
            style = name if depth == 0 else f"{name} {min(depth + 1, 3)}"
            start = whole_from(element.get("start"))
            number = new_list(self.document, style, 1 if start is None else start) if tag == "ol" else None
            for item in element:
                self._item(item, depth, style, number)
        elif tag == "blockquote":
            for child in element:
                self._block(child, depth + 1, "Intense Quote")
        elif tag == "table":
            self._grid(element)
        elif tag == "pre":
            self.document.add_paragraph(element.text_content())
        elif tag == "hr":
            self.document.add_paragraph("* * *").alignment = WD_ALIGN_PARAGRAPH.CENTER
        else:
            self._inline(self.document.add_paragraph(style=style or None), element)

    def _item(self, item: Any, depth: int, style: str, number: int | None) -> None:
        paragraph = self.document.add_paragraph(style=style)
        if number is not None:
            put_into_list(paragraph, number)
        self._run(paragraph, item.text, set())
        for child in item:
            if child.tag in ("ul", "ol", "table", "blockquote", "pre"):
                self._block(child, depth + 1)
            else:
                self._span(paragraph, child, set())
                self._run(paragraph, child.tail, set())

    def _grid(self, element: Any) -> None:
        rows = [[cell.text_content() for cell in row] for row in element.iter("tr")]
        if not rows:
            return
        count = max(len(row) for row in rows)
        filled = [(*row, *[""] * (count - len(row))) for row in rows]
        self.writer.table(list(filled[0]), filled[1:], (170 / count,) * count)
        self.document.add_paragraph()

    def _inline(self, paragraph: Any, element: Any) -> None:
        self._run(paragraph, element.text, set())
        for child in element:
            self._span(paragraph, child, set())
            self._run(paragraph, child.tail, set())

    def _span(self, paragraph: Any, element: Any, looks: set[str]) -> None:
        if element.tag == "br":
            paragraph.add_run().add_break()
            return
        inner = looks | {str(element.tag)}
        self._run(paragraph, element.text, inner)
        for child in element:
            self._span(paragraph, child, inner)
            self._run(paragraph, child.tail, inner)
        address = element.get("href")
        if element.tag == "a" and address and address != (element.text or ""):
            self._run(paragraph, f" ({address})", looks)

    @staticmethod
    def _run(paragraph: Any, text: str | None, looks: set[str]) -> None:
        if not text:
            return
        run = paragraph.add_run(text.replace("\n", " ") if text.strip() else text.replace("\n", ""))
        run.bold = "strong" in looks or None
        run.italic = "em" in looks or None
        run.font.strike = "s" in looks or None
