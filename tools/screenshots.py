"""Take the pictures of the documentation: ``python tools/screenshots.py``.

Fills a demo of its own in a temporary folder, serves it, and writes docs/screenshots/<language>/<file>.png, Chinese and
English, each less than 120 kB. ``--data-dir FOLDER`` takes an existing demo, which saves a minute.
Needs Chromium. What is shown where is the list PAGES; tests/contracts/test_guides.py holds the guides to it.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.conftest_servers import chromium_program, free_port, wait_for_port  # noqa: E402

TARGET = ROOT / "docs" / "screenshots"
PASSWORD = "demo-heshan-2026"
LARGEST_BYTES = 120_000
#: Colours of a picture; fewer when it would be too large.
COLOURS = (160, 96, 64, 48, 32, 24)
DESK, PHONE = (1280, 800), (390, 760)
#: Every picture waits for what it is to show; none waits for a time.
TIMEOUT_MS = 20_000

#: Folder of the pictures → code of the language in the portal, guide.
LANGUAGES = {"zh": ("zh_Hans_CN", "zh-Hans.md"), "en": ("en", "en.md")}
#: Section of the guides → its heading in each language.
SECTIONS = {
    "everybody": {"zh": "人人都用得到", "en": "For everybody"},
    "manager": {"zh": "客户经理", "en": "Account managers"},
    "head": {"zh": "部门主管", "en": "Department heads"},
    "archive": {"zh": "档案管理员与打印站", "en": "Archive and print station"},
    "procedures": {"zh": "SOP 编写人与使用人", "en": "Procedures"},
    "auditor": {"zh": "审计员", "en": "Auditors"},
    "administrator": {"zh": "系统管理员", "en": "Administrators"},
}


@dataclass(frozen=True)
class Page:
    """One picture: where the guides show it, who looks, and at what."""

    section: str
    login: str
    path: str
    file: str
    #: links that are followed from there, one after the other
    follow: tuple[str, ...] = ()
    size: tuple[int, int] = DESK
    theme: str = "light"
    #: what is brought to the top of the window, where it is not the beginning
    top: str = ""


#: A customer that is found by its initials.
MAOTAI = ("main .hits a",)
#: The first row of a list.
FIRST = "main table.list tbody a"

PAGES = (
    Page("everybody", "chenxiao", "/", "home"),
    Page("everybody", "chenxiao", "/search?q=gzmt", "search"),
    Page("everybody", "linyue", "/customers/?sort=-total_12m", "customers"),
    Page("everybody", "chenxiao", "/search?q=gzmt", "customer-dark", MAOTAI, theme="dark"),
    Page("manager", "chenxiao", "/search?q=gzmt", "customer", MAOTAI),
    Page("manager", "chenxiao", "/search?q=gzmt", "visit", (*MAOTAI, "main a[href$='/interactions/new']")),
    Page("manager", "chenxiao", "/search?q=gzmt", "customer-phone", MAOTAI, PHONE),
    Page("manager", "chenxiao", "/vip/candidates", "vip-application", (FIRST, "main a[href*='/vip/apply/']")),
    Page("manager", "chenxiao", "/archive/reports/", "weekly-report", ("main a[href*='/archive/reports/']",)),
    Page("manager", "chenxiao", "/search?q=gzmt", "look-up", (*MAOTAI, "main a[href*='/archive/lookups/new']")),
    Page("manager", "chenxiao", "/key-accounts/accounts", "plan", (FIRST, "main a[href$='/plan']")),
    Page("manager", "linyue", "/key-accounts/opportunities/board", "opportunities"),
    Page("head", "shenlan", "/approvals", "approval", (FIRST,)),
    Page("head", "shenlan", "/archive/lookups/grants", "grants"),
    Page("head", "fangjing", "/key-accounts/", "portfolio"),
    Page("head", "shenlan", "/archive/reports/team", "team-reports"),
    Page("archive", "yuqing", "/archive/changes/", "change-request", ("main a[href*='/approvals/']",)),
    Page("archive", "yuqing", "/archive/dossiers/1", "dossier"),
    Page("archive", "mahui", "/archive/copies/station", "print-station"),
    Page("procedures", "caoyan", "/sop/manuals", "manual", ("main a[href*='/sop/manuals/1']",)),
    Page("procedures", "chenxiao", "/sop/", "procedure", ("main a[href*='/sop/procedures/']",)),
    Page("procedures", "chenxiao", "/sop/runs/mine", "checklist-phone", ("main .sop-todo a",), PHONE),
    Page("auditor", "shijun", "/audit/", "audit-trail"),
    Page("administrator", "wuke", "/admin/backups", "backups"),
    Page("administrator", "wuke", "/admin/people", "people"),
)


def smallest(picture: bytes) -> bytes:
    """The picture with a palette, of so many colours that it is less than LARGEST_BYTES.

    :raises ValueError: when it is too large even with the fewest.
    """
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in COLOURS:
        stream = io.BytesIO()
        image.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
        if stream.tell() < LARGEST_BYTES:
            return stream.getvalue()
    raise ValueError(f"{len(picture)} bytes cannot be made less than {LARGEST_BYTES}")


@contextmanager
def demo(data_dir: str | None) -> Iterator[str]:
    """Serve a demo, made anew unless a folder is given; its address."""
    with tempfile.TemporaryDirectory(prefix="portal-screenshots-") as temporary:
        environment = {**os.environ, "DATA_DIR": data_dir or temporary, "DEMO": "true", "PORT": str(free_port())}
        environment["ORGANISATION"] = environment.get("ORGANISATION", "禾山商务用品")
        environment["DEFAULT_LANGUAGE"] = "zh_Hans_CN"
        environment["BASE_URL"] = "https://portal.heshan.example"
        if data_dir is None:
            for command in (["db", "upgrade"], ["demo"], ["audit", "verify"], ["backup", "create"]):
                subprocess.run(
                    [sys.executable, "-c", "from portal.cli import main; main()", *command],
                    check=True,
                    cwd=ROOT,
                    env=environment,
                )
        command = [sys.executable, "-m", "gunicorn", "-c", "python:portal.gunicorn_conf", "portal.app:create_app()"]
        server = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            wait_for_port(int(environment["PORT"]), server, 60)
            yield f"http://127.0.0.1:{environment['PORT']}"
        finally:
            server.terminate()
            server.wait(30)


class Visitor:
    """Somebody logged in, who reads one language."""

    def __init__(self, browser: Any, address: str, login: str, language: str, size: tuple[int, int]) -> None:
        self.address = address
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            device_scale_factor=2 if size == PHONE else 1,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        self.context.set_default_timeout(TIMEOUT_MS)
        self.page = self.context.new_page()
        self.page.goto(f"{address}/login")
        self.page.locator("input[name=login]").fill(login)
        self.page.locator("input[name=password]").fill(PASSWORD)
        with self.page.expect_navigation():
            self.page.locator("form button.btn-primary").click()
        choice = self.page.locator(f"form[action$='/language'] button[value={LANGUAGES[language][0]}]")
        with self.page.expect_navigation():
            choice.first.evaluate("button => button.click()")

    def picture(self, page: Page) -> bytes:
        """Go where the picture is taken, and what the window shows there."""
        self.page.emulate_media(color_scheme=page.theme)
        self.page.goto(self.address + page.path)
        for selector in page.follow:
            with self.page.expect_navigation():
                self.page.locator(selector).first.evaluate("link => link.click()")
        self.page.wait_for_load_state("networkidle")
        if page.top:
            self.page.locator(page.top).first.evaluate("part => part.scrollIntoView()")
        return bytes(self.page.screenshot())


def main() -> int:
    """Take all pictures, or those that are named."""
    files = [page.file for page in PAGES]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data-dir", help="folder of an existing demo")
    parser.add_argument("--address", help="of a demo that is served already")
    parser.add_argument("--language", choices=LANGUAGES, help="both when left out")
    parser.add_argument("files", nargs="*", help=f"of {', '.join(files)}; all when left out")
    options = parser.parse_args()
    unknown = set(options.files) - set(files)
    if unknown:
        parser.error(f"no such picture: {', '.join(sorted(unknown))}")
    from playwright.sync_api import sync_playwright

    wanted = [page for page in PAGES if page.file in (options.files or files)]
    served = nullcontext(options.address) if options.address else demo(options.data_dir)
    with served as address, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=arguments)
        for language in [options.language] if options.language else LANGUAGES:
            (TARGET / language).mkdir(parents=True, exist_ok=True)
            for login, size in dict.fromkeys((page.login, page.size) for page in wanted):
                visitor = Visitor(browser, address, login, language, size)
                for page in wanted:
                    if (page.login, page.size) == (login, size):
                        picture = smallest(visitor.picture(page))
                        (TARGET / language / f"{page.file}.png").write_bytes(picture)
                        print(f"{language}/{page.file}.png: {len(picture) // 1000} kB", flush=True)
                visitor.context.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
