"""Markdown of chapters → harmless HTML (security: sanitised by an allow-list after rendering).

Raw HTML in the source is shown as text. What could not be printed or would load something from elsewhere is refused
with its line: pictures, links to other schemes, tables wider than a page, deep nesting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from portal.i18n import _

#: Characters of one chapter; a printed page has about a thousand.
LENGTH = 200_000
#: Lists in lists, quotations in quotations.
NESTING = 30
COLUMNS = 20
TABLE_ROWS = 1_000
LINE = 10_000
#: Opening brackets; the parser's work grows with their square.
BRACKETS = 2_000

SCHEMES = frozenset({"http", "https", "mailto"})
TAGS = frozenset(
    {
        *("p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "strong", "em", "s", "blockquote", "code", "pre"),
        *("hr", "br", "a", "table", "thead", "tbody", "tr", "th", "td"),
    }
)
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "th": {"align"}, "td": {"align"}}


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a text, and in which line (from 1)."""

    line: int
    message: str


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": 100})
    parser.enable(["table", "strikethrough"])
    # Every link is parsed, so that the check can name the line of a bad one; the sanitiser drops what it may not be.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    return parser


_PARSER = _parser()


def check(source: str) -> list[Trouble]:
    """What is wrong with a chapter's text; empty when it may be kept."""
    if len(source) > LENGTH:
        return [Trouble(1, _("The chapter has more than %(count)s characters.", count=f"{LENGTH:,}"))]
    lines = source.split("\n")
    if source.count("[") > BRACKETS:
        counts = accumulate(line.count("[") for line in lines)
        number = next(number for number, count in enumerate(counts, start=1) if count > BRACKETS)
        return [Trouble(number, _("The chapter has more than %(count)s opening brackets.", count=f"{BRACKETS:,}"))]
    found = [
        Trouble(number, _("This line is too long.")) for number, line in enumerate(lines, start=1) if len(line) > LINE
    ]
    if found:
        return found
    rows = columns = 0
    line = 1
    for token in _PARSER.parse(source):
        # Cells have no lines of their own; they stand in that of their row.
        line = token.map[0] + 1 if token.map else line
        if token.level > NESTING:
            return [*found, Trouble(line, _("Lists and quotations are nested too deeply."))]
        if token.type == "table_open":
            rows = 0
        elif token.type == "tr_open":
            rows, columns = rows + 1, 0
            if rows == TABLE_ROWS + 1:
                found.append(Trouble(line, _("A table has at most %(count)s rows.", count=TABLE_ROWS)))
        elif token.type in ("td_open", "th_open"):
            columns += 1
            if columns == COLUMNS + 1:
                found.append(Trouble(line, _("A table has at most %(count)s columns.", count=COLUMNS)))
        elif token.type == "inline":
            found.extend(_check_inline(token, line))
    return found


def _check_inline(token: Token, first_line: int) -> Iterable[Trouble]:
    line = first_line
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            line += 1
        elif child.type == "image":
            yield Trouble(line, _("Pictures cannot be shown here. Attach the file to a procedure as a form instead."))
        elif child.type == "link_open":
            address = str(child.attrs.get("href", ""))
            scheme = address.split(":", 1)[0].lower() if ":" in address else ""
            if scheme not in SCHEMES:
                yield Trouble(line, _("Links begin with https://, http:// or mailto:."))


@lru_cache(maxsize=256)
def render(source: str) -> Markup:
    """HTML of a chapter. Headings begin at the second level, below the chapter's own; never raises."""
    if source.count("[") > BRACKETS:
        return Markup("")
    tokens = _PARSER.parse(source[:LENGTH])
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
        elif token.type in ("th_open", "td_open"):
            _align(token)
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    clean = nh3.clean(
        html,
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )
    return Markup(clean)


def _align(token: Any) -> None:
    """A column's alignment as an attribute: style attributes are not allowed."""
    style = str(token.attrs.pop("style", ""))
    for side in ("left", "center", "right"):
        if style.endswith(side):
            token.attrs["align"] = side


def plain(source: str) -> str:
    """The words of a text without marks, for searching."""
    words = []
    for token in _PARSER.parse(source[:LENGTH]):
        if token.type == "inline":
            words.append("".join(child.content for child in token.children or ()))
        elif token.type in ("fence", "code_block"):
            words.append(token.content)
    return " ".join(words)
