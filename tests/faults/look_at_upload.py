"""Looks at one upload as the portal does, in a process of its own.

It prints the code of the refusal, and what looking took: peak of memory (bytes), processor time, time (seconds).

    python -m tests.faults.look_at_upload FILE

A process of its own, because the system counts for a child the memory of whoever started it, too: here that is little.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from portal.core.coded import CodedError
from portal.core.spreadsheets import kind_of, read_table
from portal.core.uploads.inspecting import inspect

MOST = 20 * 2**20


def look_at(path: Path) -> str:
    """ "" when the file would be taken, else the code of the refusal."""
    try:
        if path.suffix == ".xlsx":
            kind_of(path)
            with read_table(path) as table:
                for _row in table.rows:
                    pass
        else:
            inspect(path.name, path.read_bytes(), MOST)
    except CodedError as error:
        return error.code
    return ""


if __name__ == "__main__":
    began = time.monotonic()
    code = look_at(Path(sys.argv[1]))
    seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(code or "-", used.ru_maxrss * 1024, round(used.ru_utime + used.ru_stime, 1), round(seconds, 1))
