"""What an experiment kills: a portal on the data folder of the arguments that makes backups, or writes, until it ends.

python -m tests.faults.backup_worker DATA_DIR DATABASE_URL backup     one backup
python -m tests.faults.backup_worker DATA_DIR DATABASE_URL write N    N writes a second until killed
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from portal.app import create_app
from portal.audit.services import record
from portal.backups.models import BackupKind
from portal.backups.services import run_backup
from portal.core import clock
from portal.core.storage import storage
from portal.core.transaction import transaction
from portal.documents.models import READY, Document
from portal.extensions import db
from portal.org.actor import SYSTEM
from tests.conftest import settings_for


def write_once(number: int, with_file: bool) -> None:
    """One change with its audit entry; some come with a file."""
    stored = storage().put("documents", f"file {number} ".encode() * 200) if with_file else None
    with transaction():
        if stored is not None:
            db.session.add(
                Document(
                    kind="test",
                    number=f"F-2026-{number:09d}",
                    version=1,
                    title=f"文件 {number}",
                    language="zh_Hans_CN",
                    state=READY,
                    storage_key=stored.key,
                    content_digest=stored.digest,
                    size=stored.size,
                    made_at=clock.now(),
                )
            )
        record(SYSTEM, "test:thing:change", object_type="thing", object_id=number, new={"number": number})


def main() -> None:
    """See above."""
    folder, url, what = sys.argv[1:4]
    app = create_app(**settings_for(Path(folder), url))
    with app.app_context():
        print("go", flush=True)
        if what == "backup":
            run_backup(SYSTEM, BackupKind.COMMAND, verify=False)
            return
        pause = 1 / int(sys.argv[4])
        number = time.time_ns() // 1_000_000
        while True:
            began = time.monotonic()
            write_once(number, with_file=number % 5 == 0)
            number += 1
            time.sleep(max(0.0, pause - (time.monotonic() - began)))


if __name__ == "__main__":
    main()
