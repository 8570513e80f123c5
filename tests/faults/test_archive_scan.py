"""A scan of twenty pages on its way to paper and to the screen (in full with `make faults`).

The worst case: pages of noise, which no compression makes small. The copy is made by the job's function in a process of
its own, so that its memory can be told; the screen is asked through the pages, grant, trail and watermark included.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import time

import numpy
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from pypdf import PdfReader

from plugins.archive import vault
from plugins.archive.copies import sealing, states
from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.dossiers.models import ArchiveFile
from plugins.archive.lookups.models import PAPER, VIEW
from portal.config import PROJECT_ROOT
from portal.core.transaction import transaction
from portal.extensions import db
from tests.archive_world import add_file, granted, reserved
from tests.world import World

pytestmark = [pytest.mark.db, pytest.mark.slow]
FULL = os.environ.get("PORTAL_FAULTS") == "full"
PAGES = 20 if FULL else 3
MOST_SECONDS, MOST_MIB, MOST_PICTURE = 20, 400, 0.4


@pytest.fixture
def app_settings() -> dict[str, object]:
    return {"JOBS_IMMEDIATE": False}


def noise_scan() -> bytes:
    """A PDF of A4 pages of noise at 150 dpi."""
    chance = numpy.random.default_rng(20261122)
    pixels = (chance.integers(0, 256, (1754, 1240, 3), dtype=numpy.uint8) for _page in range(PAGES))
    sheets = [Image.fromarray(sheet) for sheet in pixels]
    out = io.BytesIO()
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:], resolution=150, quality=85)
    return out.getvalue()


def make_elsewhere(app: Flask, copy_id: int) -> dict[str, float]:
    """Run the job in a process of its own: seconds, and MiB of it and of its child that draws."""
    url = db.engine.url.render_as_string(hide_password=False).replace("postgresql+psycopg", "postgresql")
    db.session.remove()
    command = [sys.executable, "-m", "tests.faults.scan_worker", str(app.config["DATA_DIR"]), url, str(copy_id)]
    said = subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True, timeout=120).stdout
    found: dict[str, float] = json.loads(said)
    return found


def test_pages_of_noise_on_paper_and_on_screen(app: Flask, client: FlaskClient, world: World) -> None:
    content = noise_scan()
    file_id = add_file(world.customer_id("maotai"), pages=PAGES)
    digest = vault.put(content)
    with transaction() as session:
        file = session.get_one(ArchiveFile, file_id)
        file.digest, file.size = digest, len(content)
    copy_id = reserved(world, granted(app, world, "anna", "maotai", PAPER, 1))
    made = make_elsewhere(app, copy_id)
    copy = db.session.get_one(ArchiveCopy, copy_id)
    assert (copy.state, copy.pages) == (states.READY, PAGES)
    assert copy.seal is not None
    pdf = sealing.open_sealed(copy_id, copy.seal)
    assert len(PdfReader(io.BytesIO(pdf)).pages) == PAGES
    assert made["told"] >= PAGES

    grant_id = granted(app, world, "anna", "maotai", VIEW, 1)
    opened = world.login(client, "anna").post(f"/archive/lookups/grants/{grant_id}/open", data={"token": "t"}).location
    seconds = []
    for page in range(1, PAGES + 1):
        began = time.monotonic()
        assert client.get(f"{opened}/pages/{page}").status_code == 200
        seconds.append(time.monotonic() - began)
        time.sleep(0.3 if FULL else 0)  # nobody turns pages faster than he sees them
    further = statistics.median(seconds[1:])
    print(
        f"\n  {PAGES} pages of noise ({len(content) / 2**20:.0f} MiB): copy of {len(pdf) / 2**20:.0f} MiB in "
        f"{made['seconds']:.1f} s, {made['own']:.0f} MiB in the process that makes it, {made['drawing']:.0f} MiB in\n"
        f"  its child that draws; on screen the first page {seconds[0]:.2f} s, further ones {further * 1000:.0f} ms in "
        f"the median, {max(seconds[1:]):.2f} s at most",
        flush=True,
    )
    assert made["seconds"] < MOST_SECONDS
    assert max(made["own"], made["drawing"]) < MOST_MIB
    assert further < MOST_PICTURE
