"""Writes the pages of docs/ that follow from the code.

    python tools/docs.py          write docs/hooks.md, permissions.md, configuration.md, plugins.md, sizing.md,
                                  speed.md
    python tools/docs.py check    exit 1 when one of them is not current

Only the plugins of this project are described: what other packages add is their own README's matter.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flask import Flask  # noqa: E402
from flask_babel import force_locale  # noqa: E402

from bench import sizing, speed  # noqa: E402
from portal import hookspecs  # noqa: E402
from portal.app import create_app  # noqa: E402
from portal.config import ENV_FILE, OPTIONS  # noqa: E402
from portal.core.permissions import Permission, Rule  # noqa: E402
from portal.pluginmanager import LoadedPlugin  # noqa: E402

#: The five questions that each hook's docstring answers, as they stand in it.
QUESTIONS = ("When", "Gets", "Returns", "Several", "Transaction")
_QUESTION = re.compile(r"\b(When|Gets|Returns|Several(?: answers)?|Transaction): ")
_SECTION = re.compile(r"^# -{2,} (.+?) -{2,}$")
MADE = "<!-- Made by tools/docs.py; change the code and run it again. -->"


@dataclass(frozen=True)
class Hook:
    """One hook as its specification tells it."""

    name: str
    signature: str
    section: str
    summary: str
    answers: dict[str, str]


def hooks() -> list[Hook]:
    """All hooks in the order of portal/hookspecs.py."""
    source = inspect.getsource(hookspecs)
    lines = source.splitlines()
    found = []
    for node in ast.parse(source).body:
        if not isinstance(node, ast.FunctionDef) or not hasattr(getattr(hookspecs, node.name), "portal_spec"):
            continue
        above = [match for line in lines[: node.lineno] if (match := _SECTION.match(line))]
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        signature = f"{node.name}({ast.unparse(node.args)}){returns}"
        summary, answers = answers_of(ast.get_docstring(node) or "")
        found.append(Hook(node.name, signature, above[-1][1] if above else "", summary, answers))
    return found


def answers_of(docstring: str) -> tuple[str, dict[str, str]]:
    """A docstring as its opening text and the answers to the questions it contains."""
    parts = _QUESTION.split(" ".join(docstring.split()))
    answers = {}
    for question, answer in zip(parts[1::2], parts[2::2], strict=True):
        answers[question.removesuffix(" answers")] = answer.strip()
    return parts[0].strip(), answers


def hooks_page() -> str:
    """docs/hooks.md."""
    found = hooks()
    out = [
        "# Hooks",
        MADE,
        "A module of the core or a plugin implements hooks as functions of its `hooks.py`, marked with"
        " `@hookimpl` of `portal.hookspecs`. Implementations are called by keyword and may leave out arguments they do"
        " not need. An answer of None is dropped. The core is asked before the plugins, plugins in the order of their"
        " names; one that raises stops the rest. A misspelt or unmarked hook stops the start. How a plugin is"
        " made: [plugins.md](plugins.md).",
    ]
    for section in dict.fromkeys(hook.section for hook in found):
        out.append(f"## {section[:1].upper()}{section[1:]}")
        for hook in (hook for hook in found if hook.section == section):
            out.append(f"### {hook.name}")
            out.append(f"```python\n{hook.signature}\n```")
            out.append(hook.summary)
            out.append("\n".join(f"- **{name}:** {hook.answers[name]}" for name in QUESTIONS if name in hook.answers))
    return _page(out)


# ---- permissions ---------------------------------------------------------------------------------------------------


def permissions_page(app: Flask) -> str:
    """docs/permissions.md."""
    registry = app.extensions["portal_permissions"]
    plugins = [plugin for plugin in app.extensions["portal_plugins"].plugins if ours(plugin)]
    out = [
        "# Permissions",
        MADE,
        "A permission answers two questions from one definition: may this person do this to this object, and which"
        " rows may he see. It is allowed when at least one of its rules allows and none denies; every answer carries"
        " the reasons. A plugin may add rules to the permissions of others. Pages that need a permission marked"
        " *password* also ask for the password again after a quarter of an hour.",
        "Deciding on requests is no permission: it follows from a seat in the route of the request"
        " (`portal/approvals/authority.py`).",
    ]
    groups: dict[str, list[Permission]] = {}
    for permission in registry.permissions.values():
        groups.setdefault(permission.name.split(".")[0], []).append(permission)
    installed = {plugin.info.name for plugin in app.extensions["portal_plugins"].plugins}
    known = {plugin.info.name for plugin in plugins}
    for group in sorted(groups):
        if group in installed - known:
            continue
        out.append(f"## {group}" + (" (plugin)" if group in known else ""))
        for permission in groups[group]:
            out.append(f"### {permission.name}")
            out.append(_describe(permission))
            rules = [rule for rule in registry.rules[permission.name] if _is_ours(rule, installed - known)]
            lines = ["| rule | effect | reason | rows |", "|---|---|---|---|"]
            lines += [
                f"| `{rule.key}` | {'denies' if rule.deny else 'allows'} | {rule.reason} | {_rows(permission, rule)} |"
                for rule in rules
            ]
            out.append("\n".join(lines))
    return _page(out)


def _describe(permission: Permission) -> str:
    notes = []
    if permission.entity is not None:
        notes.append(f"about one `{permission.entity.__tablename__}`")
    if permission.secret:
        notes.append("a refusal looks like a missing page")
    if permission.step_up:
        notes.append("password")
    return f"{permission.title}." + (f" *({', '.join(notes)})*" if notes else "")


def _rows(permission: Permission, rule: Rule) -> str:
    if permission.entity is None:
        return ""
    return "all" if rule.rows is None else "some, by SQL condition"


def _is_ours(rule: Rule, foreign: set[str]) -> bool:
    return not any((rule.applies.__module__ or "").startswith(f"{name}.") for name in foreign)


# ---- configuration -------------------------------------------------------------------------------------------------


def configuration_page() -> str:
    """docs/configuration.md."""
    rows = ["| name | kind | default | meaning |", "|---|---|---|---|"]
    for option in OPTIONS:
        default = ", ".join(option.default) if isinstance(option.default, tuple) else str(option.default)
        kind = option.kind.removeprefix("choice:").replace("|", " \\| ")
        rows.append(f"| `{option.name}` | {kind} | {f'`{default}`' if default else ''} | {option.help} |")
    return _page(
        [
            "# Configuration",
            MADE,
            f"Values come from the environment, then from `DATA_DIR/{ENV_FILE}` (lines `NAME=value`), then from the"
            " default. They are checked at start: a wrong value stops the portal with a sentence that names the"
            " setting. `portal config` prints what is in force. What administrators change while the portal runs is in"
            " the portal itself, under Settings.",
            "\n".join(rows),
            "Lists are separated by commas. Switches are `true` or `false`. A relative `DATA_DIR` is relative to the"
            " project.",
        ]
    )


# ---- plugins -------------------------------------------------------------------------------------------------------

PLUGIN_GUIDE = """\
Step by step, from an empty folder: [tutorial.md](tutorial.md). This page has the rules.

A plugin is a Python package with an entry point of the group `portal.plugins`. The package's attribute `plugin` is a
`portal.pluginmanager.PluginInfo`; its module `hooks` implements the [hooks](hooks.md). `tests/sample_plugin` is a
complete one, in a package of its own, that implements every hook.

```ini
[options.entry_points]
portal.plugins =
    sample = portal_sample_plugin
```

## Rules

- **Its name is everywhere**: blueprint, table prefix (`sample_…`), template folder (`templates/sample/`),
  permission and setting keys (`sample.use`), Alembic branch (`sample`).
- **Its files follow the rooms** of the core (see [map.md](map.md)): `models.py`, `permissions.py`, `queries.py`,
  `services.py`, `forms.py`, `views.py`, `listings.py`, `hooks.py`, `actions.py`.
- **Imports**: models, queries, services and permissions of the core; never views, forms or hooks of the core (except
  `portal.core.forms`; people, customers and products have fields in `fields.py` of their rooms), never another plugin.
  Plugins meet through hooks.
- **Services flush, views commit**: `with transaction():` stands in views, jobs and commands alone.
- **Each view says who may open it**: `@access("sample.use")`, `@signed_in` or `@public`; else the start fails.
- **Rows of customers are shown through `visible(actor, "customers.view")`** and checked with `require(…)`.
- **A column that refers to a customer** says in its `info` what a merge does with it: `{"merge": "move"}`, with
  `"unique_with": (…)` where a row like it may be there already, or `{"merge": "keep"}`.
- **What a service changes it records** in the audit trail, in the same transaction, as `sample:subject:verb`.
- **Offers are data** (`NavItem`, `Panel`, `Badge`, `ApprovalKind` …), never HTML.

## Migrations

`portal db revision --branch sample -m "what changes"` writes a version into the plugin's folder `migrations/`, on a
branch of its own that depends on the core's. `portal db upgrade` runs the branches of all installed plugins, those that
are switched off included; `portal db downgrade sample@base` removes the plugin's tables.

## Switching off

`portal plugins disable sample`, the page Plugins of the administration, or `DISABLED_PLUGINS=sample` in the
environment; it holds from the next start. Pages, menu entries, panels, jobs, kinds of request and columns are gone;
tables, rows and migrations stay, and everything is back after switching on. Requests of its kinds that wait stay
waiting meanwhile; of those that expired, were withdrawn or cancelled without it, the kind hears after it is on again.
`portal plugins list` shows what is installed, with version and hooks.

## Languages

Texts in the code are English and marked with `_`, `_l`, `_n` of `portal.i18n`; catalogues lie in the plugin's folder
`translations/<language>/LC_MESSAGES/messages.po`, compiled to `.mo`. Where two catalogues know a text, the
plugin's wins everywhere: give a plugin words of its own for a sense of its own.
"""


def plugins_page(app: Flask) -> str:
    """docs/plugins.md: the guide and the plugins that come with the portal."""
    plugins = app.extensions["portal_plugins"]
    rows = ["| plugin | what it is for | hooks |", "|---|---|---|"]
    for plugin in plugins.plugins:
        if ours(plugin):
            folder = plugin.package.__name__.replace(".", "/")
            names = ", ".join(f"`{name}`" for name in plugins.hooks_of(plugin.info.name))
            rows.append(f"| [{plugin.info.name}](../{folder}/README.md) | {plugin.info.summary} | {names} |")
    return _page(["# Plugins", MADE, PLUGIN_GUIDE.strip(), "## Plugins that come with the portal", "\n".join(rows)])


def ours(plugin: LoadedPlugin) -> bool:
    """Whether a plugin is one of this project."""
    return plugin.package.__name__.startswith("plugins.")


# ---- writing -------------------------------------------------------------------------------------------------------


def _page(parts: list[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def pages() -> dict[Path, str]:
    """Every page that is made, with its present text."""
    docs = ROOT / "docs"
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(DATA_DIR=folder, SECRET_KEY="documentation only " * 2, DISABLED_PLUGINS="", DATABASE_URL="")
        made: dict[str, Callable[[], Any]] = {
            "hooks.md": hooks_page,
            "permissions.md": lambda: permissions_page(app),
            "configuration.md": configuration_page,
            "plugins.md": lambda: plugins_page(app),
            "sizing.md": sizing.current,
            "speed.md": speed.current,
        }
        with app.test_request_context(), force_locale("en"):
            return {docs / name: make() for name, make in made.items()}


def main(arguments: list[str]) -> int:
    """Write the pages, or say which are not current."""
    stale = [path for path, text in pages().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if arguments == ["check"]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not current: run python tools/docs.py")
        return 1 if stale else 0
    made = pages()
    for path in stale:
        path.write_text(made[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
