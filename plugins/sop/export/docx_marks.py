"""What python-docx has no words for: fields, bookmarks, shaded cells, lists that begin anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from docx.oxml import OxmlElement
from docx.oxml.ns import qn

HEAD_FILL = "E3EFF1"


@dataclass(frozen=True)
class Entry:
    """A line of the contents: level 1 or 2, its words, and the bookmark that its heading bears."""

    level: int
    words: str
    bookmark: str


def shade(cell: Any) -> None:
    """Give a cell the ground of a head."""
    fill = OxmlElement("w:shd")
    fill.set(qn("w:val"), "clear")
    fill.set(qn("w:color"), "auto")
    fill.set(qn("w:fill"), HEAD_FILL)
    cell._tc.get_or_add_tcPr().append(fill)


def field(paragraph: Any, code: str, shown: str = "1") -> None:
    """A field of Word's at the end of a paragraph: it computes what is shown."""
    for element in (*_opening(code), _run(shown), _mark("end")):
        paragraph._p.append(element)


def bookmark(paragraph: Any, number: int, name: str) -> None:
    """Put a bookmark around what stands in a paragraph."""
    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    for element in (start, end):
        element.set(qn("w:id"), str(number))
    start.set(qn("w:name"), name)
    paragraph._p.insert(1 if paragraph._p.pPr is not None else 0, start)
    paragraph._p.append(end)


def contents(paragraph: Any, code: str, entries: Sequence[Entry], styles: Sequence[str]) -> None:
    """A field of contents from a paragraph on. Programs that do not compute it show the entries as links.

    :param styles: ids of the styles of the levels.
    """
    last = paragraph._p
    for index, entry in enumerate(entries):
        line = last if index == 0 else OxmlElement("w:p")
        if index:
            last.addnext(line)
        line.get_or_add_pPr().get_or_add_pStyle().val = styles[entry.level - 1]
        if index == 0:
            for element in _opening(code):
                line.append(element)
        link = OxmlElement("w:hyperlink")
        link.set(qn("w:anchor"), entry.bookmark)
        link.set(qn("w:history"), "1")
        link.append(_run(entry.words))
        line.append(link)
        last = line
    if not entries:
        for element in _opening(code):
            last.append(element)
    last.append(_mark("end"))


def new_list(document: Any, style: str, first: int) -> int:
    """A numbered list of its own that looks as the style says; its number. :param first: what it begins with."""
    numbering = document.part.numbering_part.numbering_definitions._numbering
    like = document.styles[style].element.pPr.numPr.numId.val
    made = numbering.add_num(numbering.num_having_numId(like).abstractNumId.val)
    made.add_lvlOverride(ilvl=0).add_startOverride(first)
    return int(made.numId)


def put_into_list(paragraph: Any, number: int) -> None:
    """Let a paragraph count in a list made by `new_list`."""
    properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
    properties.get_or_add_ilvl().val = 0
    properties.get_or_add_numId().val = number


def _opening(code: str) -> list[Any]:
    instruction = OxmlElement("w:r")
    text = OxmlElement("w:instrText")
    text.set(qn("xml:space"), "preserve")
    text.text = code
    instruction.append(text)
    return [_mark("begin"), instruction, _mark("separate")]


def _mark(kind: str) -> Any:
    run, mark = OxmlElement("w:r"), OxmlElement("w:fldChar")
    mark.set(qn("w:fldCharType"), kind)
    run.append(mark)
    return run


def _run(words: str) -> Any:
    run, text = OxmlElement("w:r"), OxmlElement("w:t")
    text.set(qn("xml:space"), "preserve")
    text.text = words
    run.append(text)
    return run
