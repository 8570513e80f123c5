"""A manual as a Word file, for working on: real styles and heading levels, a contents field, heads that repeat.

Fonts are named, not embedded: each machine sets them with its own Chinese fonts. The contents are a field that Word
fills when it opens the file (it asks first); page numbers are Word's own. Other programs show the contents as links.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any

from docx import Document
from docx.enum.section import WD_SECTION
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from plugins.sop.export import docx_marks as marks
from plugins.sop.export.docx_prose import Prose
from plugins.sop.export.words import chapter_count
from portal.i18n import LANGUAGE_TAGS, _, speaking

#: (sans, serif) that Word on a machine of that language has.
FONTS = {
    "zh_Hans_CN": ("Microsoft YaHei", "SimSun"),
    "zh_Hant": ("Microsoft JhengHei", "PMingLiU"),
    "en": ("Microsoft YaHei", "SimSun"),
}
BRAND = RGBColor(0x0B, 0x5A, 0x6C)


def manual_docx(context: Mapping[str, Any]) -> bytes:
    """The Word file of a manual or a part of it. :param context: from `plugins.sop.export.paper`."""
    with speaking(context["facts"]["language"]):
        return _Writer(_clean(context)).write()


class _Writer:
    def __init__(self, context: Mapping[str, Any]) -> None:
        self.context = context
        self.facts = context["facts"]
        self.document: Any = Document()
        self.entries: list[marks.Entry] = []
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
        marks.contents(self.contents_place, r'TOC \o "1-2" \h \z \u', self.entries, self.contents_styles)
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
        cell.paragraph_format.space_before = cell.paragraph_format.space_after = Pt(2)
        cell.paragraph_format.line_spacing = 1.2
        self.contents_styles = []
        for level in (1, 2):
            line = styles.add_style(f"toc {level}", WD_STYLE_TYPE.PARAGRAPH)
            line.base_style = normal
            line.font.bold = level == 1
            line.paragraph_format.left_indent = Mm(6 * (level - 1))
            line.paragraph_format.tab_stops.add_tab_stop(Mm(170), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
            self.contents_styles.append(line.style_id)
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
        marks.field(foot, "PAGE")
        foot.add_run(between)
        marks.field(foot, "NUMPAGES")
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
        self.table([], pairs, (40, 100), first_is_head=True)

    def _control(self) -> None:
        self._heading(_("Document control"), 1)
        self._heading(_("Revision record"), 2)
        self.table(
            [_("Version"), _("Effective from"), _("What changed and why"), _("Drafted by")],
            [
                (line["number"], line["effective_from"], line["summary"], line["author"])
                for line in self.context["revisions"]
            ],
            (18, 28, 94, 30),
        )
        self._heading(_("Approval"), 2)
        if self.context["signatures"]:
            self.table(
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
        self.contents_place = self.document.add_paragraph()

    def _heading(self, words: str, level: int) -> Any:
        """A heading that the contents list."""
        heading = self.document.add_heading(words, level)
        entry = marks.Entry(level, words, f"_Toc{len(self.entries) + 1:06}")
        marks.bookmark(heading, len(self.entries) + 1, entry.bookmark)
        self.entries.append(entry)
        return heading

    # ---- content ---------------------------------------------------------------------------------------------------

    def _chapter(self, chapter: Mapping[str, Any]) -> None:
        # Chapters begin on a right-hand page.
        section = self.document.add_section(WD_SECTION.ODD_PAGE)
        section.different_first_page_header_footer = False
        heading = self._heading(f"{chapter_count(chapter['number'])} {chapter['title']}", 1)
        heading.paragraph_format.page_break_before = False
        if chapter["html"]:
            Prose(self).add(chapter["html"])
        for item in chapter["procedures"]:
            self._procedure(item)

    def _procedure(self, item: Mapping[str, Any]) -> None:
        heading = self._heading(f"{item['code']} {item['title']}", 2)
        heading.paragraph_format.page_break_before = True
        departments = " · ".join(
            f"{part['name']} ({part['raci']})" if part["raci"] else part["name"] for part in item["departments"]
        )
        pairs = [
            (_("Departments"), departments),
            (_("For whom"), " · ".join(item["roles"])),
            (_("Trigger"), item["trigger"]),
            (_("Aim of the procedure"), item["purpose"]),
        ]
        self.table([], [pair for pair in pairs if pair[1]], (28, 142), first_is_head=True)
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
        heads = [_("No."), _("Who does it"), _("What is done"), _("Form or record"), _("Time limit"), _("Standard")]
        if rows:
            self.table(heads, rows, (15, 23, 55, 28, 20, 29))
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
            self.table([], shown, (28, 142), first_is_head=True)

    def _checklists(self) -> None:
        items = [item for chapter in self.context["chapters"] for item in chapter["procedures"] if item["has_checks"]]
        if not items:
            return
        self._heading(_("Checklists"), 1)
        for index, item in enumerate(items):
            heading = self.document.add_heading(f"{item['code']} {item['title']}", 3)
            heading.paragraph_format.page_break_before = index > 0
            rows = [
                ("\u2610", str(step["number"]), step["what"], step["limit"], "", "")
                for step in item["steps"]
                if step["is_check"]
            ]
            heads = ["\u2713", _("No."), _("What is done"), _("Time limit"), _("Done at"), _("Signed")]
            self.table(heads, rows, (9, 11, 72, 26, 26, 26))

    def _indexes(self) -> None:
        if self.context["raci"]:
            self._heading(_("Responsibilities of the departments (RACI)"), 1)
            self.document.add_paragraph(_("R does it · A answers for it · C is asked before · I is told afterwards"))
            for table in self.context["raci"]:
                width = 112 / len(table["departments"])
                self.table(
                    [_("Procedure"), *table["departments"]],
                    [(row["words"], *row["letters"]) for row in table["rows"]],
                    (58, *[width] * len(table["departments"])),
                )
                self.document.add_paragraph()
        if self.context["forms"]:
            self._heading(_("Index of forms and records"), 1)
            self.table(
                [_("Form or record"), _("Used in")],
                [(form["name"], "\n".join(use["words"] for use in form["uses"])) for form in self.context["forms"]],
                (80, 90),
            )
        if self.context["glossary"]:
            self._heading(_("Glossary"), 1)
            self.table(
                [_("Term"), _("Meaning")],
                [(term["term"], term["meaning"]) for term in self.context["glossary"]],
                (44, 126),
            )
        if self.context["by_department"]:
            self._heading(_("Procedures by department"), 1)
            self.table(
                [_("Department"), _("Code"), _("Procedure")],
                [
                    (group["name"] if index == 0 else "", use["code"], use["title"])
                    for group in self.context["by_department"]
                    for index, use in enumerate(group["uses"])
                ],
                (48, 30, 92),
            )

    def table(
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
        # Word asks the cells, other programs the columns.
        for column, width in zip(table.columns, widths, strict=True):
            column.width = Mm(width)
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
                    marks.shade(cell)


def _clean(value: Any) -> Any:
    """The same without the control characters that XML cannot hold."""
    if isinstance(value, str):
        return "".join(letter for letter in value if letter >= " " or letter in "\n\t")
    if isinstance(value, Mapping):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
