"""The bill of materials names what is pinned, and accepted findings do not stay accepted by themselves."""

from __future__ import annotations

import importlib.util
import json
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tool_{name}", ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[f"tool_{name}"] = module
    spec.loader.exec_module(module)
    return module


def test_every_pinned_package_is_named_with_version_and_licence(tmp_path: Path) -> None:
    tool = _load("sbom")
    assert tool.main(["--output", str(tmp_path / "sbom.json")]) == 0
    found = json.loads((tmp_path / "sbom.json").read_text("utf-8"))
    named = {part["name"]: part for part in found["components"]}
    lines = (ROOT / "requirements/runtime.lock").read_text("utf-8").splitlines()
    pinned = [line for line in lines if "==" in line and not line.startswith((" ", "#"))]
    assert len(found["components"]) == len(pinned) > 40
    assert named["flask"]["purl"] == f"pkg:pypi/flask@{named['flask']['version']}"
    without = [name for name, part in named.items() if "licenses" not in part]
    assert len(without) <= 5, without


def test_accepted_findings_grow_old(tmp_path: Path) -> None:
    tool = _load("check")
    listed = tmp_path / "accepted.txt"
    listed.write_text("# why\n\nGHSA-1 some-package 2026-01-01 only in tests\nGHSA-2 other 2026-06-01 as well\n")
    assert tool.accepted(listed, date(2026, 6, 15)) == (["GHSA-1", "GHSA-2"], [])
    known, problems = tool.accepted(listed, date(2026, 7, 15))
    assert known == ["GHSA-1", "GHSA-2"]
    assert len(problems) == 1
    assert "GHSA-1" in problems[0]
    listed.write_text("GHSA-3 package some day\n")
    with pytest.raises(ValueError, match="GHSA-3"):
        tool.accepted(listed, date(2026, 6, 15))
    tool.accepted(ROOT / "requirements/accepted.txt", date(2026, 6, 15))
