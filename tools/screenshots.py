"""Take the pictures of the documentation: ``python tools/screenshots.py``.

Fills a demo of its own in a temporary folder, serves it, and writes docs/screenshots/*.png (Chinese, 1440 pixels wide,
each less than 250 kB). ``--data-dir FOLDER`` takes an existing demo, which saves a minute.
Needs Chromium and pdftoppm (poppler-utils).
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.conftest_servers import chromium_program, free_port, wait_for_port  # noqa: E402

TARGET = ROOT / "docs" / "screenshots"
PASSWORD = "demo-heshan-2026"
LARGEST_BYTES = 250_000
WIDTH = 1440
PHONE_WIDTH = 390
#: Every picture waits for what it is to show; none waits for a time.
TIMEOUT_MS = 60_000


def save(name: str, picture: bytes) -> None:
    """Write a PNG in true colours, or with fewer when it would be larger than LARGEST_BYTES.

    :raises ValueError: when it is too large even with 32 colours.
    """
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in (0, 256, 128, 64, 32):
        stream = io.BytesIO()
        reduced = image.quantize(colours, dither=Image.Dither.NONE) if colours else image
        reduced.save(stream, "PNG", optimize=True)
        if stream.tell() < LARGEST_BYTES:
            (TARGET / f"{name}.png").write_bytes(stream.getvalue())
            print(f"{name}.png: {image.width} x {image.height}, {stream.tell() // 1000} kB")
            return
    raise ValueError(f"{name} is larger than {LARGEST_BYTES} bytes")


@contextmanager
def demo(data_dir: str | None) -> Iterator[str]:
    """Serve a demo, made anew unless a folder is given; its address."""
    with tempfile.TemporaryDirectory(prefix="portal-screenshots-") as temporary:
        environment = {**os.environ, "DATA_DIR": data_dir or temporary, "DEMO": "true", "PORT": str(free_port())}
        environment["ORGANISATION"] = environment.get("ORGANISATION", "禾山商务用品")
        environment["DEFAULT_LANGUAGE"] = "zh_Hans_CN"
        if data_dir is None:
            for command in (["db", "upgrade"], ["demo"]):
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
    """Somebody logged in, at a window of a given width."""

    def __init__(self, browser: Any, address: str, login: str, width: int = WIDTH, theme: str = "light") -> None:
        height, scale = (844, 2) if width == PHONE_WIDTH else (900, 1)
        self.address = address
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            color_scheme=theme,
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

    def open(self, path: str) -> None:
        """Open a page and wait until it stands still."""
        self.page.goto(self.address + path)
        self.page.wait_for_load_state("networkidle")

    def follow(self, selector: str) -> None:
        """Open the first link that fits."""
        with self.page.expect_navigation():
            self.page.locator(selector).first.click()
        self.page.wait_for_load_state("networkidle")

    def picture(self) -> bytes:
        """What the window shows."""
        return bytes(self.page.screenshot())


def home(browser: Any, address: str) -> bytes:
    """Home page of an account manager."""
    return Visitor(browser, address, "chenxiao").picture()


def customers(browser: Any, address: str) -> bytes:
    """The list of customers."""
    visitor = Visitor(browser, address, "linyue")
    visitor.open("/customers/?sort=-total_12m")
    return visitor.picture()


def record(browser: Any, address: str, width: int = WIDTH, theme: str = "light") -> bytes:
    """The record of a customer that is found by its initials."""
    visitor = Visitor(browser, address, "chenxiao", width, theme)
    visitor.open("/search?q=gzmt")
    visitor.follow("main .hits a")
    return visitor.picture()


def record_dark(browser: Any, address: str) -> bytes:
    """The same in dark colours."""
    return record(browser, address, theme="dark")


def phone(browser: Any, address: str) -> bytes:
    """The same on a phone."""
    return record(browser, address, PHONE_WIDTH)


def approval(browser: Any, address: str) -> bytes:
    """A request in front of the department head."""
    visitor = Visitor(browser, address, "shenlan")
    visitor.open("/approvals")
    visitor.follow("main table.list tbody a")
    return visitor.picture()


def certificate(browser: Any, address: str) -> bytes:
    """The first VIP certificate, as an image of its page."""
    visitor = Visitor(browser, address, "chenxiao")
    visitor.open("/vip/")
    visitor.follow("main table.list tbody a")
    with visitor.page.expect_download() as download:
        visitor.page.locator("form[action$=certificate] button").click()
    command = ["pdftoppm", "-png", "-r", "123", "-singlefile", str(download.value.path())]
    return subprocess.run(command, check=True, capture_output=True).stdout


def portfolio(browser: Any, address: str) -> bytes:
    """The portfolio of key accounts, for the general manager."""
    visitor = Visitor(browser, address, "fangjing")
    visitor.open("/key-accounts/")
    return visitor.picture()


def procedure(browser: Any, address: str) -> bytes:
    """A procedure in its manual, with the tree of chapters."""
    visitor = Visitor(browser, address, "chenxiao")
    visitor.open("/sop/")
    visitor.follow("main a[href*='/sop/procedures/']")
    return visitor.picture()


def checklist(browser: Any, address: str) -> bytes:
    """A checklist at work, on a phone."""
    visitor = Visitor(browser, address, "chenxiao", PHONE_WIDTH)
    visitor.open("/sop/runs/mine")
    visitor.follow("main .sop-todo a")
    return visitor.picture()


def print_station(browser: Any, address: str) -> bytes:
    """What the operator prints, counts and hands over."""
    visitor = Visitor(browser, address, "mahui")
    visitor.open("/archive/copies/station")
    return visitor.picture()


PICTURES: dict[str, Callable[[Any, str], bytes]] = {
    "home": home,
    "customers": customers,
    "customer": record,
    "customer-dark": record_dark,
    "customer-phone": phone,
    "approval": approval,
    "certificate": certificate,
    "portfolio": portfolio,
    "procedure": procedure,
    "checklist-phone": checklist,
    "print-station": print_station,
}


def main() -> int:
    """Take all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data-dir", help="folder of an existing demo")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(PICTURES)}; all when left out")
    options = parser.parse_args()
    unknown = set(options.names) - set(PICTURES)
    if unknown:
        parser.error(f"no such picture: {', '.join(sorted(unknown))}")
    from playwright.sync_api import sync_playwright

    TARGET.mkdir(parents=True, exist_ok=True)
    with demo(options.data_dir) as address, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=arguments)
        for name in options.names or PICTURES:
            save(name, PICTURES[name](browser, address))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
