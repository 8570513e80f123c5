"""`python -m bench.manual`: a Chinese manual of some 200 pages beside a bare WeasyPrint run over the same HTML and CSS.

Bare: one process, one document, heads and feet as margin boxes, page numbers of the contents given. Ours: first export
into an empty cache, the same again, and after a change in one chapter. All in one run on the same machine, wall clock.

python -m bench.manual [--times N] [--output FILE]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask_babel import Babel
from jinja2 import FileSystemLoader

from bench.manual_content import manual_content
from plugins.sop.export.manual import manual_book
from plugins.sop.export.paper import Choice, paper_of
from plugins.sop.manuals.content import ManualContent
from portal.config import PROJECT_ROOT
from portal.documents.book import Book, BookFigures, Numbers, render_book
from portal.documents.page import DocumentFacts
from portal.i18n import speaking

RESULTS = Path(__file__).with_name("manual_results.json")
LANGUAGE = "zh_Hans_CN"
FACTS = DocumentFacts(
    number="SOPM-2026-000001",
    version=1,
    title="手册",
    kind="手册",
    subject="",
    classification="",
    organisation="和山",
    made_by="曹燕",
    made_at="2026-03-05 14:30",
    created="2026-03-05T14:30:00+08:00",
    language=LANGUAGE,
)
#: What the binding stamps, as a style sheet of the bare run.
BARE_STYLE = """
@page { font-family: "Noto Sans CJK SC"; font-size: 7.5pt;
  @top-left { content: "客户关系管理标准作业程序手册" } @top-right { content: string(head) }
  @bottom-left { content: "SOP-CRM · 2.0 · 内部资料" } @bottom-right { content: counter(page) " / " counter(pages) } }
h1, h2 { string-set: head content() }
.piece { break-before: page } .right { break-before: right }
"""
BARE = """
import resource, sys, time
started = time.perf_counter()
import weasyprint
html, style = (open(path, encoding="utf-8").read() for path in sys.argv[1:3])
target = sys.argv[3]
dots = open(sys.argv[4], "rb").read()
def fetch(url, *arguments, **more):
    from weasyprint.urls import URLFetcherResponse
    return URLFetcherResponse(url, dots, {"Content-Type": "image/svg+xml"})
class Fetcher(weasyprint.urls.URLFetcher):
    fetch = staticmethod(fetch)
fetcher = Fetcher()
document = weasyprint.HTML(string=html, base_url="asset:/", url_fetcher=fetcher).render(
    stylesheets=[weasyprint.CSS(string=style, base_url="asset:/", url_fetcher=fetcher)], pdf_variant="pdf/ua-1")
document.write_pdf(target, pdf_variant="pdf/ua-1")
print(len(document.pages), time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(prog="bench.manual")
    parser.add_argument("--times", type=int, default=4, help="how often the library's procedures are repeated")
    parser.add_argument("--output", default=str(RESULTS))
    options = parser.parse_args()
    app = Flask("portal", root_path=str(PROJECT_ROOT / "portal"))
    folders = [PROJECT_ROOT / "templates", PROJECT_ROOT / "plugins" / "sop" / "templates"]
    app.jinja_loader = FileSystemLoader([str(folder) for folder in folders])  # type: ignore[assignment]
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    Babel(app, default_locale=LANGUAGE)
    with app.app_context(), tempfile.TemporaryDirectory(prefix="portal-bench-") as temporary:
        report = _measure(manual_content(LANGUAGE, times=options.times), Path(temporary))
    Path(options.output).write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, ensure_ascii=False, indent=1))
    return 0 if all(report["reached"].values()) else 1


def _measure(content: ManualContent, folder: Path) -> dict[str, Any]:
    chapter = content.chapters[2]
    changed = dataclasses.replace(chapter, body=chapter.body + "\n\n每年一月复核本章的预算。\n")
    after_change = dataclasses.replace(content, chapters=(*content.chapters[:2], changed, *content.chapters[3:]))
    first = _ours(content, folder)
    again = _ours(content, folder)
    change = _ours(after_change, folder)
    bare = _bare(_book(content), folder)
    mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()[0]},
        "bare": bare,
        "first": first,
        "again": again,
        "after_a_change": change,
        "parent_megabytes": round(mine),
        "ratio_to_bare": round(first["seconds_a_page"] / bare["seconds_a_page"], 3),
        "ratio_after_a_change": round(change["seconds"] / first["seconds"], 3),
        "reached": {
            "at most 1.15 times bare": first["seconds_a_page"] <= 1.15 * bare["seconds_a_page"],
            "at most 0.8 of bare a page": first["seconds_a_page"] <= 0.8 * bare["seconds_a_page"],
            "child under 500 MiB": first["child_megabytes"] < 500,
            "at most 35 % after a change": change["seconds"] <= 0.35 * first["seconds"],
        },
    }


def _book(content: ManualContent) -> Book:
    with speaking(LANGUAGE):
        paper = paper_of(content, Choice(), revisions=[], signatures=[])
    return manual_book(FACTS, paper)


def _ours(content: ManualContent, folder: Path) -> dict[str, Any]:
    started = time.perf_counter()
    figures = BookFigures()
    made = render_book(_book(content), folder=folder, figures=figures)
    seconds = time.perf_counter() - started
    return {
        "pages": made.pages,
        "seconds": round(seconds, 2),
        "seconds_a_page": round(seconds / made.pages, 4),
        "binding_seconds": round(figures.binding_seconds, 2),
        "laid_out": figures.laid_out,
        "from_cache": figures.from_cache,
        "child_megabytes": round(figures.peak_megabytes),
        "kilobytes": len(made.content) // 1024,
    }


def _bare(book: Book, folder: Path) -> dict[str, Any]:
    numbers = Numbers({}, 200)
    parts = [book.cover, f'<div class="right">{book.front(numbers)}</div>']
    for piece in book.pieces:
        parts.append(f'<div class="{"right" if piece.right_hand else "piece"}">{piece.body}</div>')
    if book.back is not None:
        parts.append(f'<div class="right">{book.back(numbers)}</div>')
    body = "".join(parts).replace('href="place:', 'href="#')
    page, style, dots = folder / "bare.html", folder / "bare.css", folder / "dots.svg"
    page.write_text(f'<html lang="{book.language}"><head>{book.head}</head><body>{body}</body></html>', "utf-8")
    style.write_text(book.style + BARE_STYLE, "utf-8")
    dots.write_bytes(book.assets["dots.svg"].content)
    target = folder / "bare.pdf"
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", BARE, str(page), str(style), str(target), str(dots)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - started
    pages, _inside, megabytes = done.stdout.split()
    return {
        "pages": int(pages),
        "seconds": round(seconds, 2),
        "seconds_a_page": round(seconds / int(pages), 4),
        "megabytes": round(float(megabytes)),
        "kilobytes": target.stat().st_size // 1024,
    }


if __name__ == "__main__":
    sys.exit(main())
