"""Who imports whom, who commits, who may open what: rules of the house that hold for all files there are."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from flask import Flask

from portal.config import ConfigError
from portal.core.checks import LIBRARY_ENDPOINTS, run_checks
from portal.core.web import declared_access, signed_in
from tests.contracts.plugin_package import ROOT

FILES = sorted(
    path.relative_to(ROOT)
    for folder in ("portal", "plugins", "tests/sample_plugin")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
)

#: Functions in services.py that open transactions of their own, and why.
OWN_TRANSACTIONS = {
    # The number must be taken before the PDF is made in another process, and the result kept afterwards.
    "portal/documents/services.py": {"produce"},
    # Files are copied between two short transactions; the last ones note what became of it.
    "portal/backups/services.py": {"run_backup", "_prove", "keep", "_close_abandoned", "_note_failure", "run_scan"},
    # The trail is proved for minutes; only the record that a pack was made is written.
    "plugins/archive/pack/services.py": {"make_pack"},
    # All customers in short pieces, so that others can write meanwhile.
    "plugins/key_accounts/measures/services.py": {"recompute_all"},
}
#: Files that commit, and why.
COMMITTERS = {
    "portal/core/transaction.py": "the one commit place",
    "portal/migrating.py": "migrations run outside the application's transactions",
}


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def _is_a(path: Path, name: str) -> bool:
    """Whether a file is a module's services.py (or queries.py …) or lies in its folder of that name."""
    return path.name == f"{name}.py" or (name in path.parts and path.suffix == ".py")


def _services() -> list[Path]:
    return [path for path in FILES if _is_a(path, "services")]


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""


def _calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def test_imports_run_down_the_list() -> None:
    ran = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]


@pytest.mark.parametrize("path", _services(), ids=str)
def test_services_know_no_request_and_do_not_commit(path: Path) -> None:
    tree = _tree(path)
    web = [(line, name) for line, name in _imports(tree) if name.split(".")[0] in {"flask", "flask_login", "wtforms"}]
    assert web == []
    allowed = OWN_TRANSACTIONS.get(str(path), set())
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name not in allowed:
            opened = [call for call in _calls(node) if call[1] == "transaction" or call[1].endswith((".commit",))]
            assert opened == [], node.name


def test_there_is_one_commit_place() -> None:
    found = {}
    for path in FILES:
        lines = [line for line, name in _calls(_tree(path)) if name.endswith(".commit")]
        if lines and str(path) not in COMMITTERS:
            found[str(path)] = lines
    assert found == {}


def test_queries_do_not_write() -> None:
    found = {}
    for path in (path for path in FILES if _is_a(path, "queries")):
        writing = {"session.add", "session.delete", "session.flush", "session.merge", "transaction"}
        tree = _tree(path)
        lines = [(line, name) for line, name in _calls(tree) if name.removeprefix("db.") in writing]
        lines += [
            (node.lineno, alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "sqlalchemy"
            for alias in node.names
            if alias.name in {"insert", "update", "delete"}
        ]
        if lines:
            found[str(path)] = lines
    assert found == {}


def test_the_core_does_not_name_its_plugins() -> None:
    found = []
    for path in FILES:
        if path.parts[0] == "portal":
            found += [(str(path), line) for line, name in _imports(_tree(path)) if name.split(".")[0] == "plugins"]
    assert found == []


def test_public_things_are_documented() -> None:
    found = []
    for path in FILES:
        if path.name == "hooks.py" or "demo" in path.parts:
            continue
        tree = _tree(path)
        if not ast.get_docstring(tree):
            found.append(str(path))
        for node in tree.body:
            public = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):  # type: ignore[arg-type]
                found.append(f"{path}:{node.lineno} {node.name}")  # type: ignore[attr-defined]
    assert found == []


# ---- pages ---------------------------------------------------------------------------------------------------------


def test_every_page_says_who_may_open_it(app: Flask) -> None:
    permissions = app.extensions["portal_permissions"].permissions
    for endpoint in set(app.view_functions) - LIBRARY_ENDPOINTS:
        declared = declared_access(app, endpoint)
        assert declared in {"public", "signed_in"} | set(permissions), endpoint
        if declared in permissions:
            assert permissions[declared].entity is None, (
                f"{endpoint}: a page cannot be checked for an object it has not"
            )


def test_a_page_that_says_nothing_stops_the_start(app: Flask) -> None:
    def silent() -> str:
        return ""

    app.view_functions["home.silent"] = silent
    with pytest.raises(ConfigError, match="silent"):
        run_checks(app)
    app.view_functions["home.silent"] = signed_in(silent)
    run_checks(app)


def test_what_is_public_is_a_short_list(app: Flask) -> None:
    public = {endpoint for endpoint in app.view_functions if declared_access(app, endpoint) == "public"}
    assert public == {"asset", "auth.login", "health.healthz", "home.set_language", "home.set_theme"} | {
        "key_accounts.feed",  # calendars fetch it without a session; its private address can be revoked
    }


def test_only_the_health_check_goes_without_a_token(app: Flask) -> None:
    exempt = set(app.extensions["csrf"]._exempt_views)
    assert exempt == {"portal.home.views.healthz"}
    assert app.extensions["csrf"]._exempt_blueprints == set()


def test_names_of_blueprints_and_templates(app: Flask) -> None:
    for plugin in app.extensions["portal_plugins"].plugins:
        folder = plugin.folder / "templates"
        assert {path.name for path in folder.iterdir()} == {plugin.info.name}, "templates lie under the plugin's name"
        if plugin.enabled:
            assert plugin.info.name in app.blueprints
    assert all(re.fullmatch(r"[a-z_]+", name) for name in app.blueprints)


def test_plugins_explain_themselves(app: Flask) -> None:
    for plugin in app.extensions["portal_plugins"].plugins:
        text = (plugin.folder / "README.md").read_text(encoding="utf-8")
        assert text.startswith("# ")
        for table in plugin_tables(plugin.info.name):
            assert f"`{table}`" in text, f"{plugin.info.name}/README.md does not name the table {table}"


def plugin_tables(name: str) -> list[str]:
    """Tables of a plugin, by their prefix."""
    from portal.extensions import Base

    return sorted(table for table in Base.metadata.tables if table.startswith(f"{name}_"))


def test_every_part_of_the_kit_is_on_the_style_page() -> None:
    templates = ROOT / "templates"
    page = (templates / "style" / "index.html").read_text(encoding="utf-8")
    for kit in ("ui", "forms", "listing"):
        source = (templates / "macros" / f"{kit}.html").read_text(encoding="utf-8")
        parts = re.findall(r"\{%-? macro ([a-z]\w*)\(", source)
        assert parts, kit
        assert [name for name in parts if f"{kit}.{name}(" not in page] == [], kit
