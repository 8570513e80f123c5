"""Each house rule can fail, and does not fail for what is allowed."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house_rules", ROOT / "tools" / "house_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["house_rules"] = module
    spec.loader.exec_module(module)
    return module


house = _load()

#: rule → (path, what breaks it, what is allowed)
CASES = {
    "commit": ("portal/org/queries.py", "db.session.commit()", "session.flush()"),
    "template-string": ("portal/home/views.py", "render_template_string(x)", "render_template('a.html', x=x)"),
    "markup": ("portal/home/views.py", "Markup(name)", "Markup('<b>%s</b>') % name"),
    "raw-sql": ("portal/org/queries.py", "s.execute(text(f'select {x}'))", "s.execute(text('select :x'), {'x': x})"),
    "like": (
        "portal/org/queries.py",
        "User.name.contains(typed)",
        "User.name.contains(typed, autoescape=True)\nname.startswith(typed)\nE.action.startswith('audit:')",
    ),
    "weasyprint": ("plugins/vip/services.py", "from weasyprint import HTML", "from portal.documents import services"),
    "regex": ("portal/org/queries.py", "re.compile(r'(a+)+b')", "re.compile(r'(?:a+b)+c{2,5}')"),
    "clock": ("portal/org/queries.py", "datetime.now(UTC)", "clock.now()"),
    "environment": ("portal/org/queries.py", "os.environ['X']", "current_app.config['X']"),
    "offset": ("portal/org/queries.py", "select(A).offset(20)", "select(A).limit(20)"),
    "float-money": ("portal/purchases/services/records.py", "float(line.amount)", "float(row.share)"),
    "private": (
        "portal/home/views.py",
        "from portal.org import services\nservices._locked(User, 1)",
        "from portal import __version__\nfrom portal.i18n import _, _l\nself._read()\nrow._mapping",
    ),
    "number": (
        "portal/home/views.py",
        "def page():\n    return int(text) if text.isdecimal() else None",
        "def page():\n    return any(c.isdigit() for c in text), id_from(text), int(row.total)",
    ),
    "chinese": ("portal/org/queries.py", "title = '客户'", "'''Customer 客户.'''\nlevel = '\\u4e00-\\u9fff'  # 级别"),
    "chinese-template": ("templates/home/a.html", "<h1>客户</h1>", "{# 客户 #}<h1>{{ _('Customers') }}</h1>"),
    "inline-style": ("templates/home/a.html", '<p style="color:red">', '<p class="red" data-style="x">'),
    "inline-script": ("templates/home/a.html", "<script>go()</script>", '<script src="{{ x }}" defer></script>'),
    "safe": ("templates/home/a.html", "{{ name|safe }}", "{{ name }} safe"),
    "xmlattr": ("templates/home/a.html", "<a {{ found|xmlattr }}>", "<a {{ attributes({'x': y}) }}>"),
    "script-data": (
        "templates/home/a.html",
        '<script type="application/json">{{ rows }}</script>',
        '<script type="application/json">{{ rows|tojson }}</script>',
    ),
    "outside": (
        "templates/home/a.html",
        '<img src="https://example.com/a.png">',
        '<a href="https://example.com/">x</a>',
    ),
}

#: Further ways to break a rule.
MORE = {
    "raw-sql": ("portal/a.py", ["text('select ' + x)", "text('select %s' % x)", "c.execute('select {}'.format(x))"]),
    "like": (
        "portal/a.py",
        ["x.like('%' + typed + '%')", "Customer.name.ilike(typed)", "E.action.startswith(typed)"],
    ),
    "weasyprint": (
        "portal/documents/services.py",
        ["import weasyprint", "import weasyprint.urls as u", "importlib.import_module('weasyprint')"],
    ),
    "regex": ("portal/a.py", ["re.match('([a-z]+)*', x)", "re.sub('(a*|b)*c', '', x)", "re.search('((x+)){2,}', x)"]),
    "clock": ("portal/a.py", ["datetime.datetime.utcnow()", "date.today()", "time.time()"]),
    "inline-script": ("templates/a.html", ['<a href="javascript:go()">', '<p class="a" onclick="go()">']),
    "inline-style": ("templates/a.html", ["<style>p {}</style>", "<p style='{{ x }}'>"]),
    "safe": ("templates/a.html", ["{{ x | safe }}", "{% autoescape false %}"]),
    "environment": ("portal/a.py", ["os.getenv('X')", "os.environ.get('X')"]),
    "private": ("portal/a.py", ["from portal.org.services import _locked"]),
    "number": ("portal/a.py", ["def f():\n    return [int(x) for x in y if x.isdigit()]"]),
    "chinese": ("portal/a.py", ["flash(f'客户 {x}')"]),
}


def _broken(path: str, text: str) -> set[str]:
    tree = ast.parse(text) if path.endswith(".py") else None
    return {sentence.split(": ")[1] for sentence in house.check_source(house.Source(path, text, tree))}


def test_every_rule_has_a_case() -> None:
    assert set(CASES) == set(house.RULES)


@pytest.mark.parametrize("name", CASES)
def test_rule_finds_what_breaks_it(name: str) -> None:
    path, bad, good = CASES[name]
    assert name in _broken(path, bad)
    assert name not in _broken(path, good)


@pytest.mark.parametrize(("name", "path", "bad"), [(n, path, bad) for n, (path, many) in MORE.items() for bad in many])
def test_further_ways_to_break_a_rule(name: str, path: str, bad: str) -> None:
    assert name in _broken(path, bad)


def test_an_excuse_needs_a_reason() -> None:
    line = "x = datetime.now(UTC)"
    assert "clock" not in _broken("portal/a.py", f"{line}  # house: clock, because the wall clock is measured here")
    assert "clock" not in _broken("portal/a.py", f"# house: clock, because it is measured here\n{line}")
    assert "clock" in _broken("portal/a.py", f"{line}  # house: clock")
    assert "clock" in _broken("portal/a.py", f"{line}  # house: commit, because of another rule")


def test_exempt_paths() -> None:
    assert not _broken("portal/core/transaction.py", "session.commit()")
    assert not _broken("portal/core/regions.py", "NAME = '北京'")


def test_the_rule_says_where_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = house.Source("portal/a.py", "x = 1\ns.commit()", ast.parse("x = 1\ns.commit()"))
    assert house.check_source(source) == ["portal/a.py:2: commit: s.commit()"]
    house.ROOT, before = tmp_path, house.ROOT
    try:
        (tmp_path / "a.py").write_text("s.commit()")
        assert house.main([str(tmp_path / "a.py")]) == 1
    finally:
        house.ROOT = before
    assert house.RULES["commit"].reason in capsys.readouterr().out
