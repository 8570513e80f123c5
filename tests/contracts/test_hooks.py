"""Hooks: each is documented, implemented and misuse stops the start. That each is called: sample_stories.py."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
import types
from pathlib import Path
from types import ModuleType

import pytest
from flask import Flask

from portal import hookspecs
from portal.hookspecs import hookimpl
from portal.pluginmanager import LoadedPlugin, PluginError, PluginInfo, PluginManager, discover
from tests.contracts.plugin_package import ROOT, SOURCES

SPECS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, "portal_spec")}
PAST = ("created", "changed", "merged", "unmerged", "removed", "deactivated", "decided", "finished", "happened")


def _docs_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("portal_docs_tool", ROOT / "tools" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["portal_docs_tool"] = module
    spec.loader.exec_module(module)
    return module


tool = _docs_tool()
HOOKS = {hook.name: hook for hook in tool.hooks()}


def test_there_are_hooks_and_the_tool_sees_them_all() -> None:
    assert set(HOOKS) == set(SPECS)
    assert len(SPECS) > 30


@pytest.mark.parametrize("name", sorted(SPECS))
def test_the_five_questions_are_answered(name: str) -> None:
    hook = HOOKS[name]
    assert hook.summary.endswith(".")
    assert [question for question in tool.QUESTIONS if question not in hook.answers] == []
    assert all(len(answer) >= 4 and answer.endswith(".") for answer in hook.answers.values())
    if not name.startswith("register_demo") and hook.answers["Returns"] != "nothing.":
        assert "None" in hook.answers["Returns"], "it must say what None means"


@pytest.mark.parametrize("name", sorted(SPECS))
def test_signature_and_name(name: str) -> None:
    signature = inspect.signature(SPECS[name])
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty
        assert parameter.default is inspect.Parameter.empty
        assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    if HOOKS[name].section.startswith("events"):
        assert name.endswith(PAST)
        assert signature.return_annotation == "None"
    elif HOOKS[name].section.startswith("registered"):
        assert name.startswith("register_")
    else:
        assert not name.startswith("register_")


def test_the_sample_plugin_implements_every_hook() -> None:
    tree = ast.parse((SOURCES / "portal_sample_plugin" / "hooks.py").read_text(encoding="utf-8"))
    written = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert set(written) == set(SPECS)
    for name, node in written.items():
        promised = list(inspect.signature(SPECS[name]).parameters)
        assert [argument.arg for argument in node.args.args if argument.arg not in promised] == [], name


def test_the_core_or_vip_implements_what_pages_show(app: Flask) -> None:
    manager: PluginManager = app.extensions["portal_plugins"]
    used = {name for name in SPECS if getattr(manager.hook, name).get_hookimpls()}
    # What only plugins use at present; the sample plugin stands for them.
    left = set(SPECS) - used
    assert left <= {
        "customer_created",
        "customer_changed",
        "customers_merged",
        "customers_unmerged",
        "customers_removed",
        "customer_automatic_rows",
        "customer_card_sections",
        "register_audit_words",
        "register_listing_columns",
        "register_occasions",
        "occasion_happened",
        "register_demo",
        "request_decided",
    }


@pytest.mark.parametrize(
    "page", ["hooks.md", "permissions.md", "configuration.md", "plugins.md", "sizing.md", "speed.md"]
)
def test_the_page_is_current(page: str, pages: dict[Path, str]) -> None:
    path = ROOT / "docs" / page
    assert path.read_text(encoding="utf-8") == pages[path], "run python tools/docs.py"


@pytest.fixture(scope="module")
def pages() -> dict[Path, str]:
    made: dict[Path, str] = tool.pages()
    return made


def test_the_pages_name_everything(pages: dict[Path, str], app: Flask) -> None:
    hooks, permissions = pages[ROOT / "docs" / "hooks.md"], pages[ROOT / "docs" / "permissions.md"]
    for name in SPECS:
        assert f"### {name}\n" in hooks
    registry = app.extensions["portal_permissions"]
    for name, rules in registry.rules.items():
        assert f"### {name}\n" in permissions
        assert rules, f"nobody has {name}"
    configuration = pages[ROOT / "docs" / "configuration.md"]
    for option in tool.OPTIONS:
        assert f"| `{option.name}` |" in configuration
        assert option.help.endswith(".")


# ---- what stops the start ------------------------------------------------------------------------------------------


def _plugin(name: str, hooks: dict[str, object], requires: tuple[str, ...] = ()) -> ModuleType:
    package = types.ModuleType(f"made_{name}")
    package.__file__ = __file__
    package.plugin = PluginInfo(name=name, version="1", title=name, requires=requires)  # type: ignore[attr-defined]
    module = types.ModuleType(f"made_{name}.hooks")
    vars(module).update(hooks)
    sys.modules[package.__name__] = package
    sys.modules[module.__name__] = module
    return package


def _load(*packages: ModuleType) -> None:
    PluginManager([LoadedPlugin(package.plugin, package, True) for package in packages]).load()


def test_a_misspelt_hook_stops_the_start() -> None:
    def register_blueprint() -> None: ...

    with pytest.raises(PluginError, match="register_blueprint"):
        _load(_plugin("misspelt", {"register_blueprint": hookimpl(register_blueprint)}))


def test_an_unmarked_hook_stops_the_start() -> None:
    def home_panels(actor: object) -> None: ...

    with pytest.raises(PluginError, match="home_panels"):
        _load(_plugin("unmarked", {"home_panels": home_panels}))


def test_an_argument_that_is_not_promised_stops_the_start() -> None:
    def home_panels(actor: object, request: object) -> None: ...

    with pytest.raises(PluginError, match="home_panels"):
        _load(_plugin("curious", {"home_panels": hookimpl(home_panels)}))


def test_requirements_names_and_circles() -> None:
    with pytest.raises(PluginError, match="needs 'nothere'"):
        discover(extra=[_plugin("needy", {}, ("nothere",))])
    with pytest.raises(PluginError, match="circle"):
        discover(extra=[_plugin("one_a", {}, ("two_a",)), _plugin("two_a", {}, ("one_a",))])
    with pytest.raises(PluginError, match="Two plugins"):
        discover(extra=[_plugin("vip", {})])
    with pytest.raises(PluginError, match="lower-case"):
        discover(extra=[_plugin("Not-A-Name", {})])
    with pytest.raises(PluginError, match="nobody"):
        discover(disabled=["nobody"])
    off_needed = [_plugin("base_b", {}), _plugin("above_b", {}, ("base_b",))]
    with pytest.raises(PluginError, match="not enabled"):
        discover(disabled=["base_b"], extra=off_needed)
    order = [plugin.info.name for plugin in discover(extra=off_needed)]
    assert order.index("base_b") < order.index("above_b")
