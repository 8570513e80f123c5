"""A manual as a Word file, for working on: real styles and heading levels, a contents field, heads that repeat.

Fonts are named, not embedded: each machine sets them with its own Chinese fonts. The contents are a field that Word
fills when it opens the file (it asks first); page numbers are Word's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any

from docx import Document
from docx.enum.section import WD_SECTION
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from lxml import html as lxml_html

from plugins.sop.export.words import chapter_count
from portal.i18n import LANGUAGE_TAGS, _, speaking

#: (sans, serif) that Word on a machine of that language has.
FONTS = {
    "zh_Hans_CN": ("Microsoft YaHei", "SimSun"),
    "zh_Hant": ("Microsoft JhengHei", "PMingLiU"),
    "en": ("Microsoft YaHei", "SimSun"),
}
BRAND = RGBColor(0x0B, 0x5A, 0x6C)
HEAD_FILL = "E3EFF1"
#: Deeper nesting in a chapter is set like the last level.
DEEPEST = 8


def manual_docx(context: Mapping[str, Any]) -> bytes:
    """The Word file of a manual or a part of it. :param context: from `plugins.sop.export.paper`."""
    with speaking(context["facts"]["language"]):
        return _Writer(_clean(context)).write()


class _Writer:
    def __init__(self, context: Mapping[str, Any]) -> None:
        self.context = context
        self.facts = context["facts"]
        self.document: Any = Document()
        self.sans, self.serif = FONTS[self.facts["language"]]

    def write(self) -> bytes:
        self._styles()
        self._page()
        self._properties()
        self._cover()
        self._control()
        self._contents()
        for chapter in self.context["chapters"]:
            self._chapter(chapter)
        if self.context["checklists"]:
            self._checklists()
        self._indexes()
        target = BytesIO()
        self.document.save(target)
        return target.getvalue()

    # ---- the document ----------------------------------------------------------------------------------------------

    def _styles(self) -> None:
        styles = self.document.styles
        normal = styles["Normal"]
        self._font(normal, self.sans, 10)
        normal.paragraph_format.space_after = Pt(4)
        normal.paragraph_format.line_spacing = 1.35
        for level, size in ((1, 20), (2, 14), (3, 11.5), (4, 10.5)):
            style = styles[f"Heading {level}"]
            self._font(style, self.serif if level == 1 else self.sans, size)
            style.font.bold = True
            style.font.italic = False
            style.font.color.rgb = BRAND
            style.paragraph_format.keep_with_next = True
            style.paragraph_format.space_before = Pt(18 if level == 1 else 10)
            style.paragraph_format.space_after = Pt(6)
        # A procedure and a chapter begin on a page of their own.
        styles["Heading 1"].paragraph_format.page_break_before = True
        self._font(styles["Title"], self.serif, 30)
        styles["Title"].font.color.rgb = BRAND
        cell = styles.add_style("Table Text", WD_STYLE_TYPE.PARAGRAPH)
        self.cell_style = cell.style_id
        cell.base_style = normal
        self._font(cell, self.sans, 8.5)
        cell.paragraph_format.space_after = Pt(1)
        cell.paragraph_format.line_spacing = 1.2
        tag = LANGUAGE_TAGS[self.facts["language"]]
        properties = styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
        language = properties.find(qn("w:lang"))
        if language is None:
            language = OxmlElement("w:lang")
            properties.append(language)
        language.set(qn("w:val"), "en-US" if tag.startswith("zh") else tag)
        language.set(qn("w:eastAsia"), {"zh-Hans-CN": "zh-CN", "zh-Hant": "zh-TW"}.get(tag, "zh-CN"))

    @staticmethod
    def _font(style: Any, name: str, size: float) -> None:
        style.font.name = name
        style.font.size = Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for kind in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
            fonts.set(qn(kind), name)
        for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(theme), None)

    def _page(self) -> None:
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin = section.right_margin = Mm(20)
        section.top_margin, section.bottom_margin = Mm(25), Mm(22)
        section.different_first_page_header_footer = True
        facts = self.facts
        head = section.header.paragraphs[0]
        head.text = facts["title"]
        foot = section.footer.paragraphs[0]
        foot.text = " · ".join(
            (facts["code"], _("Version %(number)s", number=facts["number"]), facts["classification"], "")
        )
        before, _page, rest = _("Page %(page)s of %(pages)s", page="{page}", pages="{pages}").partition("{page}")
        between, _pages, after = rest.partition("{pages}")
        foot.add_run(before)
        _field(foot, "PAGE")
        foot.add_run(between)
        _field(foot, "NUMPAGES")
        foot.add_run(after)
        for paragraph in (head, foot):
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            for run in paragraph.runs:
                run.font.size = Pt(8)

    def _properties(self) -> None:
        core = self.document.core_properties
        core.title = f"{self.facts['title']} {self.facts['number']}"
        core.author = f"{self.facts['company']} · {self.facts['department']}"
        core.subject = self.facts["what"]
        core.keywords = self.facts["code"]
        core.version = self.facts["number"]
        core.language = LANGUAGE_TAGS[self.facts["language"]]
        core.comments = ""
        # Word asks once and fills the contents.
        update = OxmlElement("w:updateFields")
        update.set(qn("w:val"), "true")
        self.document.settings.element.append(update)

    def _cover(self) -> None:
        facts = self.facts
        company = self.document.add_paragraph(facts["company"])
        company.paragraph_format.space_after = Pt(140)
        self.document.add_paragraph(facts["title"], style="Title")
        self.document.add_paragraph(facts["what"])
        if facts["warning"]:
            self.document.add_paragraph().add_run(facts["warning"]).bold = True
        pairs = [
            (_("Document number"), facts["code"]),
            (_("Version"), facts["number"]),
            (_("Effective from"), facts["effective_from"] or "—"),
            (_("Classification"), facts["classification"]),
            (_("Kept by"), facts["department"]),
        ]
        self._table([], pairs, (40, 100), first_is_head=True)

    def _control(self) -> None:
        self.document.add_heading(_("Document control"), 1)
        self.document.add_heading(_("Revision record"), 2)
        self._table(
            [_("Version"), _("Effective from"), _("What changed and why"), _("Drafted by")],
            [
                (line["number"], line["effective_from"], line["summary"], line["author"])
                for line in self.context["revisions"]
            ],
            (18, 28, 94, 30),
        )
        self.document.add_heading(_("Approval"), 2)
        if self.context["signatures"]:
            self._table(
                [_("Department"), _("Signed by"), _("Date"), _("Opinion")],
                [(line["seat"], line["name"], line["day"], line["opinion"]) for line in self.context["signatures"]],
                (44, 38, 26, 62),
            )
        else:
            self.document.add_paragraph(_("No signature yet: this version has not been approved."))

    def _contents(self) -> None:
        # Not a heading: the contents do not list themselves.
        title = self.document.add_paragraph(_("Contents"), style="Title")
        title.paragraph_format.page_break_before = True
        _field(
            self.document.add_paragraph(), r'TOC \o "1-2" \h \z \u', _("Right-click here and choose “Update field”.")
        )

    # ---- content ---------------------------------------------------------------------------------------------------

    def _chapter(self, chapter: Mapping[str, Any]) -> None:
        # Chapters begin on a right-hand page.
        section = self.document.add_section(WD_SECTION.ODD_PAGE)
        section.different_first_page_header_footer = False
        heading = self.document.add_heading(f"{chapter_count(chapter['number'])} {chapter['title']}", 1)
        heading.paragraph_format.page_break_before = False
        if chapter["html"]:
            _Prose(self).add(chapter["html"])
        for item in chapter["procedures"]:
            self._procedure(item)

    def _procedure(self, item: Mapping[str, Any]) -> None:
        heading = self.document.add_heading(f"{item['code']} {item['title']}", 2)
        heading.paragraph_format.page_break_before = True
        departments = " · ".join(
            f"{part['name']} ({part['raci']})" if part["raci"] else part["name"] for part in item["departments"]
        )
        pairs = [
            (_("Departments"), departments),
            (_("For whom"), " · ".join(item["roles"])),
            (_("Trigger"), item["trigger"]),
            (_("Purpose"), item["purpose"]),
        ]
        self._table([], [pair for pair in pairs if pair[1]], (28, 142), first_is_head=True)
        self.document.add_heading(_("Steps"), 3)
        rows = [
            (
                f"{step['number']}\n{_('Stop')}" if step["is_stop"] else str(step["number"]),
                step["who"],
                step["what"],
                step["record"],
                step["limit"],
                step["standard"],
            )
            for step in item["steps"]
        ]
        heads = [_("No."), _("Who"), _("What is done"), _("Form or record"), _("Time limit"), _("Standard")]
        if rows:
            self._table(heads, rows, (12, 24, 56, 28, 20, 30))
        else:
            self.document.add_paragraph(_("No steps are written yet."))
        more = [
            (_("Records"), item["records"]),
            (_("Measures"), item["measures"]),
            (_("Forms attached"), "\n".join(f"{form['code']} {form['title']}".strip() for form in item["forms"])),
            (_("Follows"), "\n".join(other["words"] for other in item["after"])),
            (_("Related"), "\n".join(other["words"] for other in item["see"])),
        ]
        if shown := [pair for pair in more if pair[1]]:
            self.document.add_paragraph()
            self._table([], shown, (28, 142), first_is_head=True)

    def _checklists(self) -> None:
        items = [item for chapter in self.context["chapters"] for item in chapter["procedures"] if item["has_checks"]]
        if not items:
            return
        self.document.add_heading(_("Checklists"), 1)
        for index, item in enumerate(items):
            heading = self.document.add_heading(f"{item['code']} {item['title']}", 3)
            heading.paragraph_format.page_break_before = index > 0
            rows = [
                ("\u2610", str(step["number"]), step["what"], step["limit"], "", "")
                for step in item["steps"]
                if step["is_check"]
            ]
            heads = ["\u2713", _("No."), _("What is done"), _("Time limit"), _("Done at"), _("Signed")]
            self._table(heads, rows, (9, 11, 72, 26, 26, 26))

    def _indexes(self) -> None:
        if self.context["raci"]:
            self.document.add_heading(_("Responsibilities of the departments (RACI)"), 1)
            self.document.add_paragraph(_("R does it · A answers for it · C is asked before · I is told afterwards"))
            for table in self.context["raci"]:
                width = 112 / len(table["departments"])
                self._table(
                    [_("Procedure"), *table["departments"]],
                    [(row["words"], *row["letters"]) for row in table["rows"]],
                    (58, *[width] * len(table["departments"])),
                )
                self.document.add_paragraph()
        if self.context["forms"]:
            self.document.add_heading(_("Index of forms and records"), 1)
            self._table(
                [_("Form or record"), _("Used in")],
                [(form["name"], "\n".join(use["words"] for use in form["uses"])) for form in self.context["forms"]],
                (80, 90),
            )
        if self.context["glossary"]:
            self.document.add_heading(_("Glossary"), 1)
            self._table(
                [_("Term"), _("Meaning")],
                [(term["term"], term["meaning"]) for term in self.context["glossary"]],
                (44, 126),
            )
        if self.context["by_department"]:
            self.document.add_heading(_("Procedures by department"), 1)
            self._table(
                [_("Department"), _("Code"), _("Procedure")],
                [
                    (group["name"] if index == 0 else "", use["code"], use["title"])
                    for group in self.context["by_department"]
                    for index, use in enumerate(group["uses"])
                ],
                (48, 30, 92),
            )

    def _table(
        self,
        heads: list[str],
        rows: Iterable[tuple[str, ...]],
        widths: tuple[float, ...],
        first_is_head: bool = False,
    ) -> None:
        """A table whose head comes again on every page and whose rows stay whole; widths in millimetres."""
        lines = list(rows)
        table = self.document.add_table(rows=(1 if heads else 0) + len(lines), cols=len(widths))
        table.style = "Table Grid"
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        table.autofit = False
        # Once per row: `table.cell` and `table.rows[i]` walk the whole table each time.
        for index, row in enumerate(list(table.rows)):
            is_head = bool(heads) and index == 0
            texts = heads if is_head else lines[index - (1 if heads else 0)]
            properties = row._tr.get_or_add_trPr()
            properties.append(OxmlElement("w:cantSplit"))
            if is_head:
                properties.append(OxmlElement("w:tblHeader"))
            for column, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
                cell.width = Mm(widths[column])
                strong = is_head or (first_is_head and column == 0)
                paragraph = cell.paragraphs[0]
                # By its id: finding a style by its name walks through all of them, for each cell.
                paragraph._p.style = self.cell_style
                paragraph.add_run(text).bold = strong
                if strong:
                    _shade(cell)


class _Prose:
    """Sanitised HTML of a chapter → paragraphs."""

    def __init__(self, writer: _Writer) -> None:
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
            for item in element:
                self._item(item, depth, "List Bullet" if tag == "ul" else "List Number")
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

    def _item(self, item: Any, depth: int, style: str) -> None:
        level = min(depth + 1, 3)
        paragraph = self.document.add_paragraph(style=style if level == 1 else f"{style} {level}")
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
        self.writer._table(list(filled[0]), filled[1:], (170 / count,) * count)
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


def _clean(value: Any) -> Any:
    """The same without the control characters that XML cannot hold."""
    if isinstance(value, str):
        return "".join(letter for letter in value if letter >= " " or letter in "\n\t")
    if isinstance(value, Mapping):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _shade(cell: Any) -> None:
    fill = OxmlElement("w:shd")
    fill.set(qn("w:val"), "clear")
    fill.set(qn("w:color"), "auto")
    fill.set(qn("w:fill"), HEAD_FILL)
    cell._tc.get_or_add_tcPr().append(fill)


def _field(paragraph: Any, code: str, shown: str = "1") -> None:
    """A field of Word's: it computes what is shown."""
    for kind, text in (("begin", ""), ("", code), ("separate", ""), ("shown", shown), ("end", "")):
        run = paragraph.add_run()
        if kind == "shown":
            run.text = text
        elif kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
        else:
            instruction = OxmlElement("w:instrText")
            instruction.set(qn("xml:space"), "preserve")
            instruction.text = text
            run._r.append(instruction)
