"""The project's own rules that no general linter knows. Each has a reason, which is printed with what breaks it.

    python tools/house_rules.py [FILE…]

A line may be excused with a comment ``house: RULE, because …`` on it or above it; the reason is required. In templates
that is a Jinja comment. tests/unit/test_house_rules.py shows for each rule that it can fail.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_EXCUSE = re.compile(r"house:\s*([a-z-]+),\s*because\s+\S+")

#: line number and what stands there
Found = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class Source:
    """One file. ``tree`` is there for Python only."""

    path: str
    text: str
    tree: ast.AST | None = None

    @property
    def lines(self) -> list[str]:
        """The lines of the file."""
        return self.text.splitlines()


@dataclass(frozen=True)
class Rule:
    """One rule.

    :ivar kind: ``py`` or ``html``. :ivar exempt: patterns of paths where it does not hold.
    """

    name: str
    kind: str
    reason: str
    check: Callable[[Source], Found]
    exempt: tuple[str, ...] = ()


RULES: dict[str, Rule] = {}


def rule(name: str, kind: str, reason: str, exempt: Iterable[str] = ()) -> Callable[..., Callable[[Source], Found]]:
    """Register the decorated function as a rule."""

    def register(check: Callable[[Source], Found]) -> Callable[[Source], Found]:
        RULES[name] = Rule(name, kind, reason, check, tuple(exempt))
        return check

    return register


def _calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    """All calls with the dotted name of what is called, as far as it has one."""
    for node in ast.walk(source.tree) if source.tree else ():
        if isinstance(node, ast.Call):
            yield node, _dotted(node.func)


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""


def _put_together(node: ast.AST) -> bool:
    """Whether an expression builds a string out of parts that are not all constants."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return not all(isinstance(side, ast.Constant) for side in (node.left, node.right)) and any(
            _put_together(side) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
            for side in (node.left, node.right)
        )
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"


@rule(
    "commit",
    "py",
    "One commit place: services flush, views, commands and jobs open transaction(). "
    "A commit elsewhere tears what belongs together apart.",
    exempt=("portal/core/*", "portal/migrating.py"),
)
def commit_only_in_core(source: Source) -> Found:
    """``….commit()``."""
    for node, name in _calls(source):
        if name.endswith(".commit"):
            yield node.lineno, f"{name}()"


@rule("template-string", "py", "A template made from data runs the data.")
def no_template_from_string(source: Source) -> Found:
    """``render_template_string`` and ``from_string``."""
    for node, name in _calls(source):
        if name.split(".")[-1] in {"render_template_string", "from_string"} and not name.startswith("uuid"):
            yield node.lineno, f"{name}()"


@rule(
    "markup",
    "py",
    "Markup() around something that is no constant switches escaping off for it.",
    # Translations are ours; the last one gives out what the sanitiser left.
    exempt=("portal/core/*", "portal/charts/*", "portal/i18n/catalogue.py", "plugins/sop/manuals/markdown.py"),
)
def no_markup_of_data(source: Source) -> Found:
    """``Markup(data)``; constants are fine, so are ``Markup("…").format(…)`` and ``%``, which escape."""
    for node, name in _calls(source):
        if name.split(".")[-1] == "Markup" and node.args and not isinstance(node.args[0], ast.Constant):
            yield node.lineno, "Markup() of an expression"


@rule(
    "raw-sql",
    "py",
    "SQL put together from strings is how injections happen: bind parameters, or the expression language.",
)
def no_sql_from_parts(source: Source) -> Found:
    """``text(f"…")``, ``execute("…" % x)`` and the like."""
    for node, name in _calls(source):
        takes_sql = name.split(".")[-1] in {"text", "execute", "exec_driver_sql", "scalars", "scalar", "literal_column"}
        if takes_sql and node.args and _put_together(node.args[0]):
            yield node.lineno, f"{name}() of a string put together"


#: Methods of columns that make a LIKE pattern, and those that always do (strings have no such method).
_PATTERN_METHODS = {"contains", "startswith", "endswith", "icontains", "istartswith", "iendswith"}
_LIKE_METHODS = {"like", "ilike", "not_like", "not_ilike", "notlike", "notilike"}


def _is_path_pattern(node: ast.AST) -> bool:
    """``department.path + "%"``: paths consist of digits and slashes (portal.org.models)."""
    return isinstance(node, ast.BinOp) and _dotted(node.left).split(".")[-1] == "path"


@rule(
    "like",
    "py",
    "In a LIKE pattern % and _ stand for anything: what somebody typed is escaped (autoescape=True, escape=), or a "
    "search for “%” finds everything and costs a walk over the table.",
)
def like_is_escaped(source: Source) -> Found:
    """``Model.name.contains(text)`` without autoescape, ``.like(…)`` of something put together without escape."""
    for node, name in _calls(source):
        if not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        of_column = re.match(r"[A-Z]\w*\.\w+\.\w+$", name) is not None and node.func.attr in _PATTERN_METHODS
        if not of_column and node.func.attr not in _LIKE_METHODS:
            continue
        escaped = any(keyword.arg in {"autoescape", "escape"} for keyword in node.keywords)
        if not escaped and not isinstance(node.args[0], ast.Constant) and not _is_path_pattern(node.args[0]):
            yield node.lineno, f"{name or node.func.attr}() without escape"


@rule(
    "weasyprint",
    "py",
    "Pages become PDF in one child process, with limits, without network and with one fetcher; a second import would "
    "go around all of it.",
    exempt=("portal/documents/render_child.py",),
)
def one_renderer(source: Source) -> Found:
    """``import weasyprint`` in any form."""
    for node in ast.walk(source.tree) if source.tree else ():
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if isinstance(node, ast.Call) and _dotted(node.func).split(".")[-1] in {"import_module", "__import__"}:
            names += [str(argument.value) for argument in node.args[:1] if isinstance(argument, ast.Constant)]
        for name in names:
            if name.split(".")[0] == "weasyprint":
                yield node.lineno, f"import of {name}"


def _repeats_in_repeats(parsed: object, inside: bool = False) -> bool:
    """Whether a pattern repeats without bound what itself repeats without bound and nothing else: ``(a+)+``."""
    for operation, value in parsed:  # type: ignore[attr-defined]
        word = str(operation)
        if word in {"MAX_REPEAT", "MIN_REPEAT"}:
            _low, high, body = value
            endless = str(high) == "MAXREPEAT" or (isinstance(high, int) and high > 1000)
            # With something certain before or behind the inner repeat there is one way to read a text only.
            alone = len(body) == 1
            if endless and inside:
                return True
            if _repeats_in_repeats(body, inside=(endless and alone) or (inside and alone)):
                return True
        elif word == "SUBPATTERN":
            if _repeats_in_repeats(value[3], inside):
                return True
        elif word == "BRANCH":
            if any(_repeats_in_repeats(branch, inside) for branch in value[1]):
                return True
        elif word in {"ASSERT", "ASSERT_NOT"} and _repeats_in_repeats(value[1], inside):
            return True
    return False


@rule(
    "regex",
    "py",
    "A repeat of a repeat reads one text in exponentially many ways: a few dozen characters then hold a process for "
    "hours.",
)
def no_repeat_of_repeats(source: Source) -> Found:
    """``re.compile(r"(a+)+")`` and the like."""
    import warnings

    parser = importlib.import_module("re._parser")
    for node, name in _calls(source):
        if not re.match(r"re\.(compile|match|search|fullmatch|sub|subn|split|findall|finditer)$", name):
            continue
        pattern = node.args[0] if node.args else None
        if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = parser.parse(pattern.value)
        if _repeats_in_repeats(parsed):
            yield node.lineno, f"{name}({pattern.value[:40]!r})"


@rule(
    "clock",
    "py",
    "clock.now() is the one source of time, so that tests can move it and no naive time gets in.",
    # The storage compares ages of files with the clock that stamped them.
    exempt=("portal/core/clock.py", "portal/core/storage/folder.py"),
)
def one_clock(source: Source) -> Found:
    """``datetime.now()``, ``utcnow()``, ``date.today()``, ``time.time()``."""
    for node, name in _calls(source):
        if re.search(r"(^|\.)(datetime\.(now|utcnow|today)|date\.today)$", name) or name == "time.time":
            yield node.lineno, f"{name}()"


@rule(
    "environment",
    "py",
    "Every setting is in portal/config.py, with a default and a line of help; one read elsewhere is unknown to all.",
    # The server hands its environment on; plugin_state asks whether a setting is fixed there; checks asks what a
    # library will find.
    exempt=("portal/config.py", "portal/server.py", "portal/auth/plugin_state.py", "portal/core/checks.py"),
)
def settings_in_one_place(source: Source) -> Found:
    """``os.environ``, ``os.getenv``."""
    for node in ast.walk(source.tree) if source.tree else ():
        if isinstance(node, ast.Attribute) and _dotted(node) in {"os.environ", "os.getenv"}:
            yield node.lineno, _dotted(node)


@rule("offset", "py", "Lists are paged by key: OFFSET reads and throws away every row before the page.")
def no_offset(source: Source) -> Found:
    """``.offset(…)``."""
    for node, name in _calls(source):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "offset":
            yield node.lineno, f"{name or '…'}.offset()"


@rule("float-money", "py", "Money is exact: Decimal yuan in Python, fen in the database.", exempt=("portal/charts/*",))
def no_float_money(source: Source) -> Found:
    """``float(…)`` of something that is called like money."""
    for node, name in _calls(source):
        if name == "float" and node.args:
            inside = ast.unparse(node.args[0]).lower()
            if re.search(r"(^|[^a-z])(amount|price|money|yuan|fen|fee|cost|revenue|sales)([^a-z]|$)", inside):
                yield node.lineno, f"float({inside})"


def _project_names(source: Source) -> Iterator[tuple[int, str, str]]:
    """(line, module, name) of everything imported from the project."""
    for node in ast.walk(source.tree) if source.tree else ():
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {"portal", "plugins"}:
            yield from ((node.lineno, node.module or "", alias.asname or alias.name) for alias in node.names)


@rule(
    "private",
    "py",
    "A name that begins with _ may change at any time: who needs it from outside makes it public, with a docstring.",
)
def nothing_private_of_others(source: Source) -> Found:
    """``from portal.x import _y`` (translations excepted), ``x._y`` of an imported module."""
    imported = list(_project_names(source))
    for number, module, name in imported:
        if name.startswith("_") and not name.startswith("__") and not module.startswith("portal.i18n"):
            yield number, f"{module}.{name}"
    names = {name for _number, _module, name in imported}
    for node in ast.walk(source.tree) if source.tree else ():
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name) or node.value.id not in names:
            continue
        if node.attr.startswith("_") and not node.attr.startswith("__"):
            yield node.lineno, _dotted(node)


@rule(
    "number",
    "py",
    "Text from outside becomes a number in portal.core.numbers alone: elsewhere the bounds of the column or the digits "
    "of other scripts are forgotten.",
    exempt=("portal/core/numbers.py",),
)
def numbers_in_one_place(source: Source) -> Found:
    """``int(text)`` beside ``text.isdecimal()`` or ``text.isdigit()``."""
    for function in ast.walk(source.tree) if source.tree else ():
        if not isinstance(function, ast.FunctionDef):
            continue
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        asked = {
            ast.unparse(node.func.value)
            for node in calls
            if isinstance(node.func, ast.Attribute) and node.func.attr in {"isdecimal", "isdigit", "isnumeric"}
        }
        for node in calls:
            if _dotted(node.func) == "int" and node.args and ast.unparse(node.args[0]) in asked:
                yield node.lineno, ast.unparse(node)


#: Where Chinese is data and not something to translate.
CHINESE_DATA = (
    "portal/config.py",
    "portal/core/calendar.py",
    "portal/core/regions.py",
    "portal/core/identifiers.py",
    "portal/core/money.py",
    "portal/documents/render_child.py",
    "portal/core/han/*",
    "portal/core/text/*",
    "portal/core/style_samples.py",
    "portal/core/data/*",
    "portal/i18n/__init__.py",
    "portal/demo/*",
    "portal/*/demo.py",
    "portal/*/demo/*",
    "plugins/*/demo.py",
    "plugins/*/demo/*",
)


@rule(
    "chinese",
    "py",
    "Text for people is English in the code and Chinese in the catalogues, or the other languages cannot show it.",
    exempt=CHINESE_DATA,
)
def no_chinese_in_code(source: Source) -> Found:
    """Chinese characters in strings; comments and docstrings may name the Chinese term."""
    if source.tree is None:
        return
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    seen = set()
    encoded = [line.encode() for line in source.lines]
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docstrings:
            continue
        # Written as an escape it is a range of characters, not a word.
        if CHINESE.search(node.value) and CHINESE.search(_written(node, encoded)) and node.lineno not in seen:
            seen.add(node.lineno)
            yield node.lineno, node.value.strip()[:40]


def _written(node: ast.Constant, lines: list[bytes]) -> str:
    """How a constant stands in the source. (ast.get_source_segment splits the whole text for each node.)"""
    part = lines[node.lineno - 1 : node.end_lineno]
    part[-1] = part[-1][: node.end_col_offset]
    part[0] = part[0][node.col_offset :]
    return b"\n".join(part).decode()


_JINJA_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


def _without_comments(source: Source) -> list[str]:
    """The lines of a template; comments are blanked, the numbers of the lines stay."""
    return _JINJA_COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source.text).splitlines()


def _grep(source: Source, pattern: str, flags: int = re.IGNORECASE) -> Found:
    for number, line in enumerate(_without_comments(source), 1):
        for match in re.finditer(pattern, line, flags):
            yield number, match[0].strip()[:60]


@rule(
    "chinese-template",
    "html",
    "Text for people is English in the templates and Chinese in the catalogues.",
    exempt=("templates/style/*",),
)
def no_chinese_in_templates(source: Source) -> Found:
    """Chinese characters outside comments."""
    yield from _grep(source, CHINESE.pattern + "+")


@rule(
    "inline-style",
    "html",
    "The content security policy drops style attributes and style elements.",
    exempt=("*templates/pdf/*", "*templates/email/*", "*/templates/*/pdf/*", "*/templates/*/email/*", "*_pdf.html"),
)
def no_inline_style(source: Source) -> Found:
    """``style="…"`` and ``<style>``."""
    yield from _grep(source, r"(?<![\w-])style\s*=\s*[\"'{]|<style\b")


@rule(
    "inline-script",
    "html",
    "The content security policy drops inline scripts and handlers, and everything works without.",
)
def no_inline_script(source: Source) -> Found:
    """``<script>`` without src, ``on…=`` attributes, ``javascript:`` addresses."""
    yield from _grep(source, r"<script\b(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>")
    yield from _grep(
        source, r"<[a-z][^<>{}]*?\son[a-z]{3,}\s*=|(?<=\s)on(click|change|submit|load|input|focus|blur)\s*="
    )
    yield from _grep(source, r"javascript\s*:")


#: Templates that may mark something as safe, and why.
SAFE = {
    "templates/macros/listing.html": "attribute lists that the macro itself writes",
}


@rule(
    "safe",
    "html",
    "|safe and autoescape false switch escaping off; allowed templates are listed with reasons.",
    exempt=SAFE,
)
def no_safe(source: Source) -> Found:
    """``|safe``, ``{% autoescape false %}``."""
    yield from _grep(source, r"\|\s*safe\b|autoescape\s+false")


@rule(
    "xmlattr",
    "html",
    "xmlattr writes the names of attributes as they come: a name that somebody chose becomes a handler.",
)
def no_xmlattr(source: Source) -> Found:
    """``|xmlattr``."""
    yield from _grep(source, r"\|\s*xmlattr\b")


@rule(
    "script-data",
    "html",
    "Data for scripts goes through tojson, which escapes what would end the element.",
)
def data_by_tojson(source: Source) -> Found:
    """``<script type="application/json">{{ x }}`` without tojson."""
    text = "\n".join(_without_comments(source))
    for match in re.finditer(r"<script\b[^>]*application/json[^>]*>(.*?)</script>", text, re.DOTALL | re.IGNORECASE):
        for printed in re.findall(r"\{\{(.*?)\}\}", match[1], re.DOTALL):
            if not re.search(r"\|\s*tojson\b", printed):
                yield text.count("\n", 0, match.start()) + 1, printed.strip()[:60]


@rule(
    "outside",
    "html",
    "Pages load nothing from elsewhere: the portal works in an intranet and tells nobody who reads what.",
)
def nothing_from_elsewhere(source: Source) -> Found:
    """``src`` or stylesheet addresses of another host."""
    yield from _grep(source, r"(src|srcset)\s*=\s*[\"'](https?:)?//|<link\b[^>]*href\s*=\s*[\"'](https?:)?//")


def check_source(source: Source, names: Iterable[str] | None = None) -> list[str]:
    """Apply the rules that hold for a file.

    :param names: only these rules (tests).
    :return: sentences ``path:line: rule: what``.
    """
    kind = "py" if source.path.endswith(".py") else "html"
    found = []
    lines = source.lines
    for each in RULES.values():
        if each.kind != kind or (names is not None and each.name not in names):
            continue
        if any(fnmatch(source.path, pattern) for pattern in each.exempt):
            continue
        for number, what in each.check(source):
            around = "\n".join(lines[max(0, number - 2) : number])
            excused = {match[1] for match in _EXCUSE.finditer(around)}
            if each.name not in excused:
                found.append(f"{source.path}:{number}: {each.name}: {what}")
    return found


def read_source(path: Path) -> Source:
    """Load a file for checking."""
    text = path.read_text(encoding="utf-8")
    relative = path.resolve().relative_to(ROOT).as_posix()
    return Source(relative, text, ast.parse(text) if path.suffix == ".py" else None)


def all_files() -> list[Path]:
    """The files that the rules are about: code and templates of core and plugins."""
    found: list[Path] = []
    for folder in ("portal", "plugins", "templates"):
        for pattern in ("*.py", "*.html", "*.svg.jinja", "*.xml"):
            found += [path for path in (ROOT / folder).rglob(pattern) if "static" not in path.parts]
    return sorted(path for path in found if not {"migrations", "tests"} & set(path.relative_to(ROOT).parts))


def main(arguments: list[str]) -> int:
    """Check the named files, or all; returns the exit code."""
    files = [Path(name) for name in arguments] or all_files()
    found = [sentence for path in files for sentence in check_source(read_source(path))]
    print("\n".join(found) or f"{len(RULES)} rules hold in {len(files)} files.")
    for name in sorted({sentence.split(": ")[1] for sentence in found}):
        print(f"\n{name}: {RULES[name].reason}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
