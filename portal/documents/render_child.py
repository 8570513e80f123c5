"""Makes one PDF in a process of its own, which is told everything and may touch nothing.

Run by path (``python -I render_child.py SECONDS MEGABYTES``), never imported by the portal: it needs only the standard
library and WeasyPrint. Reads one JSON object from standard input, writes one line of JSON and the PDF to standard
output, and ends. With a third argument, ``book``, it makes the pieces of one long document one after the other: eight
bytes of length (big-endian) and JSON for each, until the input ends. What holds here, whatever the HTML says:

* memory, processor time and file size are limited; no file can be written, no program started, no core dumped;
* no network: a name space of its own where the system allows it, and sockets are refused in any case;
* files are read only below Python's own folders and those of the fonts;
* addresses are resolved from the dictionary in the request (scheme "asset:") and from nowhere else.
"""

from __future__ import annotations

import base64
import ctypes
import gc
import hashlib
import json
import os
import resource
import select
import signal
import sys
import sysconfig
from typing import Any

#: A waiting process goes home after so many seconds without work.
IDLE_SECONDS = 300
MAX_PDF_BYTES = 200 * 1024 * 1024
BASE_URL = "asset:/"
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000

#: Folders whose files may be read once the work begins (Python loads some modules late; fontconfig lists fonts).
READABLE = tuple(
    os.path.realpath(folder) + os.sep
    for folder in (
        *sysconfig.get_paths().values(),
        sys.prefix + "/lib",
        sys.base_prefix + "/lib",
        "/usr/share/fonts",
        "/usr/local/share/fonts",
        "/usr/share/fontconfig",
        "/etc/fonts",
        "/var/cache/fontconfig",
        "/usr/share/zoneinfo",
    )
)
REFUSED_EVENTS = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.chown",
    "os.truncate",
    "os.kill",
    "shutil.",
    "tempfile.",
    "urllib.",
    "ftplib.",
    "http.client.",
    "smtplib.",
    "sqlite3.",
)


def limit(seconds: int, megabytes: int) -> None:
    """Set the limits of the system; they cannot be raised again by this process."""
    memory = megabytes * 1024 * 1024
    for what, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds + 10),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        resource.setrlimit(what, (value, value))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write fails with an error instead of ending us
    # A network name space without any interface; refused in some containers, where the audit hook still stands.
    ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER | CLONE_NEWNET)


class Guard:
    """Audit hook: refuses what a renderer has no business doing, and remembers it.

    :ivar opened: every path opened since the guard was armed. :ivar refused: every event that was refused.
    """

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.refused: list[str] = []
        self.armed = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.armed:
            return
        if event == "open":
            path, mode, flags = (*arguments, None, None, None)[:3]
            if isinstance(path, int):
                return
            name = os.path.abspath(os.fsdecode(path))
            self.opened.append(name)
            writing = (isinstance(mode, str) and any(c in mode for c in "wax+")) or bool(
                (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            )
            # realpath() reads links without an audit event of its own.
            if writing or not os.path.realpath(name).startswith(READABLE):
                self.refuse(f"open {name}")
        elif event.startswith(REFUSED_EVENTS):
            self.refuse(event)

    def refuse(self, what: str) -> None:
        """Note it and stop it."""
        self.refused.append(what)
        raise PermissionError(what)


def make(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Make the PDF of a request.

    :param request: "html", "style" (CSS), "assets" (name → [media type, base64]), "identifier", optional "trace",
        "places" (anchor → its words, see `finish`) and "contents" (its lists are tables of contents).
    :returns: what was made ("pages", "digest", "addresses" that were refused …) and the PDF.
    """
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    assets = {f"asset:/{name}": (kind, base64.b64decode(data)) for name, (kind, data) in request["assets"].items()}
    addresses: list[str] = []

    class AssetFetcher(URLFetcher):
        """Answers from memory, refuses everything else: no file, no network, no redirect."""

        def __init__(self) -> None:
            super().__init__(allowed_protocols=(), allow_redirects=False)

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url in assets:
                kind, content = assets[url]
                return URLFetcherResponse(url, content, {"Content-Type": kind})
            addresses.append(url[:300])
            if url.startswith("asset:/must/"):
                raise FatalURLFetchingError(f"missing asset {url}")
            raise ValueError("address refused")

    class SystemFonts(FontConfiguration):
        """Only installed fonts: a font of a document would have to be written to a file first."""

        def add_font_face(self, rule_descriptors: Any, url_fetcher: Any) -> None:
            """Ignore it."""

    fetcher = AssetFetcher()
    fonts = SystemFonts()
    style = weasyprint.CSS(string=request["style"], base_url=BASE_URL, url_fetcher=fetcher, font_config=fonts)
    page = weasyprint.HTML(string=request["html"], base_url=BASE_URL, url_fetcher=fetcher)
    document = page.render(
        font_config=fonts, stylesheets=[style], presentational_hints=False, pdf_variant="pdf/ua-1", custom_metadata=True
    )
    # Files that the HTML names as attachments are not even asked for.
    document.metadata.attachments.clear()
    content = document.write_pdf(
        pdf_variant="pdf/ua-1",
        custom_metadata=True,
        pdf_identifier=request["identifier"].encode("ascii"),
        finisher=lambda _document, pdf: finish(pdf, request.get("places", {}), request.get("contents", False)),
    )
    if len(content) > MAX_PDF_BYTES:
        raise MemoryError("the document is too large")
    return {
        "pages": len(document.pages),
        "digest": hashlib.sha256(content).hexdigest(),
        "addresses": addresses,
    }, content


#: Scheme of links from one piece of a long document to another: "place:p12" leads to the anchor "p12".
PLACE = "place:"


def finish(pdf: Any, places: dict[str, str], contents: bool) -> None:
    """Mend tags and links before the file is written.

    * Head cells say whether they head a column or a row (Scope). WeasyPrint names them by identifiers, which PDF/UA-1
      allows only with a tree of identifiers, and which would clash when pieces are bound together.
    * Links "place:…" become destinations by name, and links are described by the words of the place they lead to.
    * Lists of a piece that holds a table of contents are tagged as one (TOC, TOCI).
    """
    import pydyf

    elements: dict[bytes, Any] = {}
    for thing in pdf.objects:
        if isinstance(thing, pydyf.Dictionary):
            if thing.get("Type") == "/StructElem":
                elements[thing.reference] = thing
            elif thing.get("Subtype") == "/Link":
                _mend_link(thing, places)
    for element in elements.values():
        kind = element["S"]
        if kind in ("/TH", "/TD"):
            attributes = element.setdefault("A", pydyf.Dictionary({"O": "/Table"}))
            attributes.pop("Headers", None)
            element.pop("ID", None)
            if kind == "/TH":
                row = elements.get(element["P"], {})
                section = elements.get(row.get("P", b""), {})
                attributes["Scope"] = "/Column" if section.get("S") == "/THead" else "/Row"
        elif contents and kind in _CONTENTS_TAGS:
            element["S"] = _CONTENTS_TAGS[kind]


_CONTENTS_TAGS = {"/L": "/TOC", "/LI": "/TOCI", "/LBody": "/Reference"}


def _mend_link(link: Any, places: dict[str, str]) -> None:
    import pydyf

    address = link["A"]["URI"].string if "A" in link and "URI" in link["A"] else ""
    if "Dest" in link:
        name = link["Dest"].string
    elif address.startswith(PLACE):
        name = address[len(PLACE) :]
        del link["A"]
        link["Dest"] = pydyf.String(name)
    else:
        return
    if places.get(name):
        link["Contents"] = pydyf.String(places[name])


_WARM_PICTURE = base64.b64encode(
    b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9">1</text></svg>'
).decode("ascii")


def warm_up() -> None:
    """Load the library and the fonts before there is any work."""
    make(
        {
            "html": '<html lang="zh-Hans-CN"><title>w</title><body><p>暖<b>暖</b></p><table><tr><td>1</td></tr></table>'
            '<img src="asset:/w.svg" alt="w">',
            "style": 'html{font-family:"Noto Sans CJK SC"}@page{@bottom-right{content:counter(page)}}',
            "assets": {"w.svg": ["image/svg+xml", _WARM_PICTURE]},
            "identifier": "warm",
        }
    )


def main() -> None:
    """Wait for one request, answer it, end."""
    seconds, megabytes = int(sys.argv[1]), int(sys.argv[2])
    limit(seconds, megabytes)
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints does not get into the answer
    guard = Guard()
    sys.addaudithook(guard)
    warm_up()
    if sys.argv[3:] == ["book"]:
        while head := sys.stdin.buffer.read(8):
            _answer(json.loads(sys.stdin.buffer.read(int.from_bytes(head, "big"))), guard, answer)
            gc.collect()
        return
    if not select.select([sys.stdin], [], [], IDLE_SECONDS)[0]:
        return
    data = sys.stdin.buffer.read()
    if not data:
        return
    _answer(json.loads(data), guard, answer)


def _answer(request: dict[str, Any], guard: Guard, answer: Any) -> None:
    """Make one PDF under guard and write it with what is known of it."""
    guard.armed = True
    guard.opened.clear()
    guard.refused.clear()
    try:
        facts, content = make(request)
    except BaseException as error:
        facts, content = {"error": f"{type(error).__name__}: {error}"[:500]}, b""
    guard.armed = False
    facts["refused"] = guard.refused
    facts["size"] = len(content)
    facts["peak_kb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if request.get("trace"):
        facts["opened"] = guard.opened
    answer.write(json.dumps(facts).encode("utf-8") + b"\n" + content)
    answer.flush()


if __name__ == "__main__":
    main()
