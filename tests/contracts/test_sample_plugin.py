"""Plugins from other packages, really installed: their stories run in a Python of their own.

Their tables would otherwise become part of every test of this process. `sample_stories.py` holds the stories of the
sample plugin, `tutorial_stories.py` those of the plugin that docs/tutorial.md builds; one run does both.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import SECRET
from tests.contracts import plugin_package

#: The console script, for a Python of our choice; once for each value of DISABLED_PLUGINS.
PORTAL = """
import os, sys
from portal.cli import main
disabled, *sys.argv = sys.argv[1:]
for names in disabled.split("|"):
    os.environ["DISABLED_PLUGINS"] = names
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
    print("----")
"""
LIST = ("portal", "plugins", "list", "--json")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plugin_package.install(tmp_path_factory.mktemp("plugin"))


@pytest.fixture(scope="module")
def stories(installed: Path) -> subprocess.CompletedProcess[str]:
    files = [f"tests/contracts/{name}_stories.py" for name in ("sample", "tutorial")]
    return plugin_package.run_python(
        installed, "-m", "pytest", "-q", "-rpfE", "-p", "no:cacheprovider", "-p", "no:xdist", *files
    )


@pytest.mark.db
@pytest.mark.parametrize("plugin", ["sample", "tutorial"])
def test_its_stories(plugin: str, stories: subprocess.CompletedProcess[str]) -> None:
    ends = re.findall(rf"^(PASSED|FAILED|ERROR) tests/contracts/{plugin}_stories", stories.stdout, re.MULTILINE)
    assert len(ends) >= 4, stories.stdout[-8000:] + stories.stderr[-2000:]
    assert set(ends) == {"PASSED"}, stories.stdout[-8000:] + stories.stderr[-2000:]


def test_the_command_lists_it(installed: Path, tmp_path: Path) -> None:
    environment = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "DATABASE_URL": ""}
    ran = plugin_package.run_python(installed, "-c", PORTAL, "|sample", *LIST, **environment)
    assert ran.returncode == 0, ran.stderr
    on, off = map(json.loads, ran.stdout.split("----")[:2])
    found = {line["name"]: line for line in on}
    assert {"sample", "vip"} <= set(found)
    assert (found["sample"]["version"], found["sample"]["enabled"]) == ("1.2.3", True)
    assert {"customer_panels", "register_jobs", "request_decided"} <= set(found["sample"]["hooks"])
    [line] = [line for line in off if line["name"] == "sample"]
    assert (line["enabled"], line["hooks"]) == (False, [])


def test_handed_to_the_factory(tmp_path: Path) -> None:
    sources = plugin_package.copy_sources(tmp_path)
    code = """
import sys
import portal_sample_plugin
from portal.app import create_app
app = create_app(extra_plugins=[portal_sample_plugin], DATA_DIR=sys.argv[1], SECRET_KEY="x" * 40, DATABASE_URL="")
with app.app_context():
    from portal import migrating
    migrating.upgrade(app)
    assert not [item for item in migrating.differences(app) if "sample_" in str(item)]
assert "sample.index" in app.view_functions
assert "sample.delivery" in app.extensions["portal_approval_kinds"]
print("yes")
"""
    ran = plugin_package.run_python(sources, "-c", code, str(tmp_path / "data"))
    assert ran.stdout.strip().endswith("yes"), ran.stdout + ran.stderr


def test_an_unknown_name_among_the_disabled_stops_the_start(installed: Path, tmp_path: Path) -> None:
    environment = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "DATABASE_URL": ""}
    ran = plugin_package.run_python(installed, "-c", PORTAL, "sampel", *LIST, **environment)
    assert ran.returncode != 0
    assert "sampel" in ran.stderr
    assert os.listdir(tmp_path) == []
