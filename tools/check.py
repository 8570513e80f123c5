"""Everything that can be said about the code without running it. Runs all checks and names those that failed.

python tools/check.py [NAME…]
"""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SOURCES = [name for name in ("portal", "plugins") if (ROOT / name).is_dir()]


@dataclass(frozen=True)
class Outcome:
    """What a check found: whether all is well, and what to print."""

    ok: bool
    text: str = ""


def command(*arguments: str, timeout: float = 900) -> Outcome:
    """Run a program; well when it exits 0."""
    try:
        done = subprocess.run(
            arguments,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        )
    except subprocess.TimeoutExpired:
        return Outcome(False, f"no answer within {timeout:.0f} s")
    return Outcome(done.returncode == 0, done.stdout.strip())


def python(*arguments: str) -> Outcome:
    """Run a Python module or script of this environment."""
    return command(sys.executable, *arguments)


def locks_fit() -> Outcome:
    """Every requirement of setup.cfg is pinned in its lock file, within its bounds and with digests."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    wanted = {
        "runtime": parser["options"]["install_requires"],
        "test": parser["options.extras_require"]["test"],
        "dev": parser["options.extras_require"]["dev"],
    }
    problems = []
    for name, text in wanted.items():
        lock = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
        if re.search(r"https?://|--index|--find-links", lock):
            problems.append(f"{name}.lock names a host")
        pins: dict[str, list[str]] = {}
        for line in lock.replace("\\\n", " ").splitlines():
            match = re.match(r"([A-Za-z0-9._-]+)==([^ ;]+)", line)
            if match:
                pins.setdefault(canonicalize_name(match[1]), []).append(match[2])
                if "--hash=" not in line:
                    problems.append(f"{name}.lock: {match[1]} has no digest")
        for line in text.strip().splitlines():
            if not line.strip() or line.strip().startswith("#"):
                continue
            requirement = Requirement(line)
            versions = pins.get(canonicalize_name(requirement.name), [])
            if not versions:
                problems.append(f"{name}.lock lacks {requirement.name}: run `make lock`")
            for version in versions:
                if not requirement.specifier.contains(version):
                    problems.append(f"{name}.lock has {requirement.name} {version}, wanted {requirement.specifier}")
    return Outcome(not problems, "\n".join(problems))


#: Accepted findings are looked at again after so many days.
ACCEPTED_DAYS = 180


def accepted(path: Path, today: date) -> tuple[list[str], list[str]]:
    """Ids of findings that are accepted (ID PACKAGE DATE reason), and a sentence for each that is too old.

    :raises ValueError: for a line without date or reason.
    """
    known, problems = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(maxsplit=3)
        try:
            finding, _package, decided, _reason = words[0], words[1], date.fromisoformat(words[2]), words[3]
        except (IndexError, ValueError):
            raise ValueError(f"{path.name}: “{line}” is not ID PACKAGE YYYY-MM-DD reason") from None
        known.append(finding)
        if today - decided > timedelta(days=ACCEPTED_DAYS):
            problems.append(f"{finding} was accepted on {decided}: look again (requirements/{path.name})")
    return known, problems


def known_weaknesses() -> Outcome:
    """pip-audit on the pinned packages, without the findings that are accepted (requirements/accepted.txt).

    Where its service cannot be reached that is said and does not fail; accepted findings that grew old always do.
    """
    known, problems = accepted(ROOT / "requirements" / "accepted.txt", datetime.now(UTC).date())
    if problems:
        return Outcome(False, "\n".join(problems))
    ignored = [word for finding in known for word in ("--ignore-vuln", finding)]
    found = command(
        str(BIN / "pip-audit"), "--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", "15",
        *ignored, "-r", "requirements/dev.lock", timeout=240,
    )  # fmt: skip
    if found.ok or re.search(r"Found \d+ known vulnerabilit", found.text):
        return found
    last = found.text.splitlines()[-1][:200] if found.text else ""
    return Outcome(True, f"NOT CHECKED: the service with known weaknesses could not be reached ({last})")


# B704 is left to the house rule "markup", which knows where markup is made on purpose.
CHECKS: dict[str, Callable[[], Outcome]] = {
    "lint": lambda: command(str(BIN / "ruff"), "check", "-q", "--output-format", "concise", "."),
    "format": lambda: command(str(BIN / "ruff"), "format", "--check", "--output-format", "concise", "."),
    "types": lambda: command(str(BIN / "mypy"), "--no-error-summary", *SOURCES),
    "imports": lambda: command(str(BIN / "lint-imports"), "--no-logo"),
    "house rules": lambda: python("tools/house_rules.py"),
    "translations": lambda: python("tools/i18n.py", "check"),
    "security": lambda: command(str(BIN / "bandit"), "-q", "-ll", "-ii", "--skip", "B704", "-r", *SOURCES),
    "locks": locks_fit,
    "weaknesses": known_weaknesses,
}


def main(names: list[str]) -> int:
    """Run the named checks, or all; returns the exit code."""
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        print(f"Unknown: {', '.join(unknown)}. Checks are {', '.join(CHECKS)}.")
        return 2
    failed = []
    for name in names or CHECKS:
        began = time.monotonic()
        outcome = CHECKS[name]()
        seconds = time.monotonic() - began
        print(f"{name:14} {'ok' if outcome.ok else 'FAILED':7} {seconds:5.1f} s", flush=True)
        if outcome.text and (not outcome.ok or outcome.text.startswith("NOT CHECKED")):
            print("\n".join(f"    {line}" for line in outcome.text.splitlines()), flush=True)
        if not outcome.ok:
            failed.append(name)
    print(
        f"\n{len(failed)} of {len(names or CHECKS)} checks failed: {', '.join(failed)}" if failed else "\nAll is well."
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
