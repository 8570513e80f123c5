"""Runs all tests: first on the embedded SQLite, then those of the database once more on PostgreSQL, then the browser's.

    python tools/run_tests.py [sqlite] [postgresql] [browser]

Without names all rounds run, whatever the outcome of the earlier ones. The last line is pytest's summary: of the first
round that failed, else of the last one. A round whose server is missing is left out with a notice; with CI=true that is
a failure. PYTEST_ADDOPTS is honoured; TEST_PROCESSES sets the number of processes (default: one more than processors,
since tests wait for children and servers; at most 4).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.conftest_servers import Postgres, ServerMissing, chromium_program  # noqa: E402

ROUNDS = ("sqlite", "postgresql", "browser")
#: Experiments that take long have a target of their own (`make faults`); the others run shortened here.
LEFT_OUT = tuple(
    f"--ignore=tests/faults/test_{name}.py"
    for name in ("archive_kills", "archive_scan", "backups", "bombs", "kills", "migrations_killed", "two_machines")
)
NO_TESTS = 5
#: Thousands of small databases are made and thrown away: in memory no test waits for a disk.
MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 4 * 1024**3
_SUMMARY = re.compile(
    r"^=*\s*(\d+ (passed|failed|error|errors|skipped|deselected|xfailed).* in [\d.]+s.*?|no tests ran.*?)\s*=*$"
)


class Round:
    """One call of pytest and its outcome."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.code = 0
        self.summary = ""

    def run(self, arguments: list[str], **environment: str) -> None:
        """Run pytest, passing its output on and keeping its closing line."""
        print(f"\n=== {self.name} ===", flush=True)
        command = [sys.executable, "-m", "pytest", *arguments]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                sys.stdout.write(line)
                sys.stdout.flush()
                if _SUMMARY.match(line.strip()):
                    self.summary = line.rstrip()
        except BaseException:
            process.terminate()
            process.wait(30)
            raise
        self.code = process.wait()

    def refuse(self, reason: str) -> None:
        """The round cannot run here."""
        print(f"\n=== {self.name} ===\n{reason}", flush=True)
        if os.environ.get("CI") == "true":
            self.code = 1
            self.summary = f"=== 1 error: {reason} ==="


def processes() -> str:
    """How many pytest processes share the work."""
    return os.environ.get("TEST_PROCESSES") or str(min(4, 1 + (os.cpu_count() or 1)))


@contextmanager
def scratch() -> Iterator[None]:
    """Temporary files of all rounds in one folder, in memory where there is enough; gone at the end."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED
    folder = tempfile.mkdtemp(prefix="portal-tests-", dir=MEMORY if roomy and "TMPDIR" not in os.environ else None)
    # PostgreSQL runs as another user and must find its own folder in here.
    os.chmod(folder, 0o711)
    earlier, os.environ["TMPDIR"] = os.environ.get("TMPDIR"), folder
    # What one process compiled, its children and all later rounds need not compile again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["TEST_COMPILED_TEMPLATES"] = tempfile.mkdtemp(prefix="templates-", dir=folder)
    tempfile.tempdir = None
    try:
        yield
    finally:
        del os.environ["TMPDIR"], os.environ["TEST_COMPILED_TEMPLATES"]
        if earlier is not None:
            os.environ["TMPDIR"] = earlier
        tempfile.tempdir = None
        shutil.rmtree(folder, ignore_errors=True)


def folders() -> list[str]:
    """The tests of the project and of its plugins."""
    return [*LEFT_OUT, "tests", *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("plugins/*/tests")))]


#: Who may do what is the same on both databases: tests/access runs on the embedded one.
EMBEDDED_ONLY = "--ignore=tests/access"


def run_round(name: str) -> Round:
    """Run one round, with the server it needs."""
    by_file = ["--dist", "loadfile", "--no-loadscope-reorder", "-q"]
    parallel = ["-n", processes(), *by_file]
    this = Round(name)
    if name == "sqlite":
        this.run([*parallel, "--ignore=tests/browser", *folders()], TEST_DATABASE_URL="")
    elif name == "postgresql":
        try:
            with Postgres() as server:
                chosen = ["-m", "db", "--ignore=tests/browser", EMBEDDED_ONLY, *folders()]
                this.run([*parallel, *chosen], TEST_DATABASE_URL=server.url)
        except ServerMissing as error:
            this.refuse(str(error))
    elif chromium_program() is None:
        this.refuse("Chromium is not installed.")
    else:
        # A browser, its server and its worker keep a processor busy by themselves.
        this.run(["-n", str(min(2, os.cpu_count() or 1)), *by_file, "tests/browser"], TEST_DATABASE_URL="")
    if this.code == NO_TESTS:
        print(f"The round {name} found no tests.")
    return this


def main(names: list[str]) -> int:
    """Run the rounds; returns the exit code."""
    unknown = set(names) - set(ROUNDS)
    if unknown:
        print(f"Unknown: {', '.join(sorted(unknown))}. Rounds are {', '.join(ROUNDS)}.")
        return 2
    # Ended from outside, the servers that were started must end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    with scratch():
        done = [run_round(name) for name in names or ROUNDS]
    print(f"\nAll rounds took {time.monotonic() - began:.0f} s.")
    for this in done:
        print(f"{this.name:12} {'ok' if this.code == 0 else f'exit code {this.code}':14} {this.summary.strip('= ')}")
    failed = [this for this in done if this.code]
    print((failed or done)[0 if failed else -1].summary, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
