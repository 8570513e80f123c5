"""Makes the pages of a copy as the portal's worker does, and says how long it took and how much memory.

python -m tests.faults.scan_worker DATA_DIR DATABASE_URL COPY_ID
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from plugins.archive.copies import printing
from portal.app import create_app
from tests.conftest import settings_for


class Progress:
    """Notes how often the job tells its progress."""

    def __init__(self) -> None:
        self.told = 0

    def progress(self, done: int, total: int | None = None, label: object = "") -> None:
        self.told += 1

    def check_cancelled(self) -> None: ...


def most_memory(process: int) -> float:
    """The most MiB that a process has held since it began its program; 0 when it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


class Watch(threading.Thread):
    """Notes the most memory of the children."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0.0

    def run(self) -> None:
        while True:
            for task in Path("/proc/self/task").iterdir():
                with suppress(OSError):
                    for child in (task / "children").read_text().split():
                        self.most = max(self.most, most_memory(int(child)))
            time.sleep(0.02)


def main() -> None:
    """See above."""
    folder, url, copy_id = sys.argv[1:4]
    app = create_app(**settings_for(Path(folder), url))
    with app.app_context():
        progress, watch, began = Progress(), Watch(), time.monotonic()
        watch.start()
        printing.run(progress, int(copy_id))  # type: ignore[arg-type]
        seconds = time.monotonic() - began
    told = {"seconds": seconds, "own": most_memory(os.getpid()), "drawing": watch.most, "told": progress.told}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
