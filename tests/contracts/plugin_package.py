"""Plugins as installed packages: a copy of their sources, compiled catalogues, and `pip install --target`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tests.contracts import tutorial

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "tests" / "sample_plugin"


def copy_sources(folder: Path) -> Path:
    """The package's sources with compiled catalogues; the repository stays as it is."""
    target = folder / "sample_plugin"
    shutil.copytree(SOURCES, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    compile_catalogues(target)
    return target


def compile_catalogues(folder: Path) -> None:
    """Make the `.mo` file of each catalogue of a package."""
    for catalogue in folder.glob("*/translations/*/LC_MESSAGES/messages.po"):
        with catalogue.open("rb") as source, catalogue.with_suffix(".mo").open("wb") as out:
            write_mo(out, read_po(source))


def install(folder: Path) -> Path:
    """Install the sample plugin and the tutorial's into one folder, without network: what belongs on PYTHONPATH."""
    target = folder / "installed"
    from_the_page = tutorial.write_sources(folder)
    compile_catalogues(from_the_page)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--target", str(target)]
    command += [str(copy_sources(folder)), str(from_the_page)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def run_python(path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run this Python with a folder on its path."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
    )
