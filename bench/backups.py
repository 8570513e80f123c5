"""How long a backup, its trial restore and a real restore take.

    python -m bench.backups [--customers 10000] [--lines 150000] [--files 5000] [--kilobytes 200] [--database URL]

Prints one line for each step and the figures as JSON. With `--database postgresql://…` on an empty PostgreSQL.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import data
from portal import migrating
from portal.app import create_app
from portal.audit.services import record
from portal.backups import place, restoring, services
from portal.backups.models import BackupKind
from portal.core import clock
from portal.core.storage import storage
from portal.core.transaction import transaction
from portal.documents.models import READY, Document
from portal.extensions import db
from portal.org.actor import SYSTEM

SEED = 7
AUDIT_CHUNK = 2000


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=150_000)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--kilobytes", type=int, default=200)
    parser.add_argument("--audit", type=int, default=200_000)
    parser.add_argument("--database", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        app = create_app(DATA_DIR=folder, DATABASE_URL=options.database, SECRET_KEY="bench-only-" + "0" * 32)
        with app.app_context():
            migrating.upgrade(app)
            print(json.dumps(_measure(options, Path(folder)), indent=1))
    return 0


def _measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    figures: dict[str, Any] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        began = time.monotonic()
        result = work()
        figures[name] = round(time.monotonic() - began, 2)
        print(f"{name}: {figures[name]} s", file=sys.stderr, flush=True)
        return result

    timed("data", lambda: _fill(options))
    first = timed("first backup", lambda: services.run_backup(SYSTEM, BackupKind.COMMAND, verify=False))
    timed("second backup, no new files", lambda: services.run_backup(SYSTEM, BackupKind.COMMAND, verify=False))
    proof = timed("trial restore", lambda: services.run_proof(first.name, SYSTEM))
    if not proof.is_whole:
        raise SystemExit(proof.problem)
    (folder / "files").rename(folder / "lost")

    def restore() -> restoring.Restored:
        with place.exclusive():
            return restoring.restore(first.name, replace=True)

    done = timed("restore with all files lost", restore)
    figures |= {
        "rows": proof.rows,
        "files": proof.files,
        "audit entries": proof.audit_entries,
        "files restored": done.files_written,
        "size of the first backup, MiB": round(first.bytes / 2**20),
        "largest memory of the process, MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    return figures


def _fill(options: argparse.Namespace) -> None:
    data.fill(options.customers, options.lines)
    chance = random.Random(SEED)
    for number in range(options.files):
        size = chance.randint(options.kilobytes * 512, options.kilobytes * 1536)
        stored = storage().put("documents", chance.randbytes(size))
        with transaction():
            db.session.add(
                Document(
                    kind="bench",
                    number=f"B-2026-{number:06d}",
                    version=1,
                    title="文件",
                    language="zh_Hans_CN",
                    state=READY,
                    storage_key=stored.key,
                    content_digest=stored.digest,
                    size=stored.size,
                    made_at=clock.now(),
                )
            )
    for start in range(0, options.audit, AUDIT_CHUNK):
        with transaction():
            for number in range(start, start + AUDIT_CHUNK):
                record(SYSTEM, "bench:thing:change", object_type="thing", object_id=number, new={"value": number})


if __name__ == "__main__":
    sys.exit(main())
