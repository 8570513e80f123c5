"""The disk of the database is full: what is there stays whole and readable, saving says why not and works again.

On a small file system where one may be mounted, else below a limit on the size of files.
"""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from portal.app import create_app
from portal.audit.verify import verify_chain
from portal.customers.models import Customer
from portal.extensions import db
from tests.conftest import SERVER_URL, Template, settings_for
from tests.world import World

pytestmark = pytest.mark.skipif(bool(SERVER_URL), reason="PostgreSQL's disk is its own server's")
#: Room beside the database.
ROOM = 2 * 2**20


@contextmanager
def small_disk(folder: Path, database: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """A folder with little room that holds a copy of the database; how it was made, and what gives it more room."""
    folder.mkdir()
    size = database.stat().st_size
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size + ROOM},mode=700", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode == 0:

        def more() -> None:
            larger = ["mount", "-o", f"remount,size={size + 20 * ROOM}", str(folder)]
            subprocess.run(larger, check=True, capture_output=True)

        try:
            shutil.copyfile(database, folder / "portal.sqlite3")
            yield "a file system of its own", more
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)
        return
    shutil.copyfile(database, folder / "portal.sqlite3")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    earlier = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(ROOM, size), before[1]))
    try:
        yield "a limit on files", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, earlier)


def test_a_full_disk_of_the_database(template: Template, tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with small_disk(folder, template.file) as (how, more_room):
        app = create_app(**settings_for(folder, f"sqlite:///{folder}/portal.sqlite3"))
        with app.app_context():
            world = World(app)
            client = world.login(app.test_client(), "anna")
            saved, answer = 0, None
            for number in range(3000):
                form = {"party": "organisation", "kind": "end_user", "name": f"电厂{number}", "remarks": "长" * 1500}
                answer = client.post("/customers/new?party=organisation", data=form)
                if answer.status_code != 302:
                    break
                saved += 1
            assert answer is not None
            assert answer.status_code == 503, answer.status_code
            assert "no room left" in answer.text
            assert saved > 3
            for path in ("/", "/customers/", f"/customers/{world.customer_id('maotai')}"):
                assert client.get(path).status_code == 200, path
            db.session.rollback()
            assert db.session.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
            kept = db.session.scalar(select(func.count()).where(Customer.name.startswith("电厂")))
            assert kept == saved
            assert verify_chain(None).is_whole
            db.session.rollback()
            more_room()
            form = {"party": "organisation", "kind": "end_user", "name": "有地方了"}
            assert client.post("/customers/new?party=organisation", data=form).status_code == 302, "without a restart"
            print(f"\n  {how}: {saved} customers saved, then a page that says why not; all read; then saved again")
            db.session.remove()
            db.engine.dispose()
