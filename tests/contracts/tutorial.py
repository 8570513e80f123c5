"""The plugin of docs/tutorial.md, taken out of the page."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
#: A block of code that names its file. Other blocks are commands and name none.
_BLOCK = re.compile(r"^```(?:python|html|ini|toml|po) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files() -> dict[str, str]:
    """Path in the package's folder → text. A file that is named again goes on where it ended."""
    found: dict[str, str] = {}
    for path, text in _BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        found[path] = f"{found[path]}\n\n{text}" if path in found else text
    return found


def write_sources(folder: Path) -> Path:
    """Write the package into a folder of its own; returns it."""
    target = folder / "tutorial_plugin"
    for path, text in files().items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return target
