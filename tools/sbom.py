"""Writes a bill of materials of what runs: the pinned packages of the lock file as CycloneDX 1.6 (JSON).

    python tools/sbom.py [--lock requirements/runtime.lock] [--output sbom.json]

Versions come from the lock file, licences from what is installed. Digests stand in the lock file, one for each wheel.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")


def pins(lock: Path) -> list[tuple[str, str]]:
    """Name (in its normal form) and version; a name comes twice where versions differ by Python or processor."""
    found = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        match = _PIN.match(line)
        if match:
            found.append((re.sub(r"[-_.]+", "-", match[1]).lower(), match[2]))
    return found


def licence_of(name: str) -> str:
    """The licence as the package states it, "" when it states none or is not installed."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return ""
    if told.get("License-Expression"):
        return str(told["License-Expression"])
    classes = [entry.split(" :: ")[-1] for entry in told.get_all("Classifier", []) if entry.startswith("License ::")]
    short = str(told.get("License") or "").strip().split("\n")[0]
    return ", ".join(classes) or short[:100]


def bill(lock: Path) -> dict[str, Any]:
    """The bill of materials of a lock file."""
    version = re.search(r'__version__ = "([^"]+)"', (ROOT / "portal" / "__init__.py").read_text(encoding="utf-8"))
    components = []
    for name, pinned in sorted(pins(lock)):
        component: dict[str, Any] = {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{pinned}",
            "name": name,
            "version": pinned,
            "purl": f"pkg:pypi/{name}@{pinned}",
        }
        licence = licence_of(name)
        if licence:
            component["licenses"] = [{"license": {"name": licence}}]
        components.append(component)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": "customer-portal", "version": version[1] if version else "0"}
        },
        "components": components,
    }


def main(arguments: list[str]) -> int:
    """Write the file, or print it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements" / "runtime.lock")
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args(arguments)
    found = bill(chosen.lock)
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    if chosen.output is None:
        sys.stdout.write(text)
    else:
        chosen.output.write_text(text, encoding="utf-8")
        print(f"{len(found['components'])} packages written to {chosen.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
