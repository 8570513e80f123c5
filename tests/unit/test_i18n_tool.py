"""The translation tool: extraction, the languages that follow, and the check that can fail."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "i18n.py"


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool, working on a small project of its own."""
    spec = importlib.util.spec_from_file_location("i18n_tool", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "i18n_tool", module)
    spec.loader.exec_module(module)
    overrides = tmp_path / "portal" / "translations" / "zh_Hant_overrides.json"
    overrides.parent.mkdir(parents=True)
    terms = {"terms": {"登录": "登入"}, "terms of": {"vip": {"会员": "貴賓"}}, "messages": {"Mail": "電郵"}}
    overrides.write_text(json.dumps(terms), encoding="utf-8")
    (tmp_path / "setup.cfg").write_text("[babel]\nkeywords = _ _l N_ _n:1,2 ngettext:1,2 pgettext:1c,2\n")
    _write(tmp_path / "portal" / "a.py", 'x = _("Log in")\ny = _n("%(num)s day", "%(num)s days", n)\nz = N_("Mail")\n')
    _write(tmp_path / "templates" / "a.html", '{{ _("Hello %(name)s", name=n) }}{{ pgettext("verb", "File") }}')
    _write(tmp_path / "plugins" / "vip" / "__init__.py", 'title = _l("Members")\n')
    _write(tmp_path / "plugins" / "vip" / "templates" / "vip" / "b.html", '{{ _("Points") }}')
    _write(tmp_path / "plugins" / "vip" / "migrations" / "m.py", '_("not for people")\n')
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "OVERRIDES", overrides)
    monkeypatch.setattr(module.Traditional.__init__, "__defaults__", ("", overrides))
    return module


TRANSLATIONS = {
    "Log in": "登录系统",
    "%(num)s day": "%(num)s 天",
    "Mail": "邮件",
    "Hello %(name)s": "%(name)s，您好",
    "verb|File": "归档",
    "Members": "会员",
    "Points": "积分",
}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _translate(tool: ModuleType, tmp_path: Path, **changes: str) -> int:
    tool.main(["extract"])
    tool.main(["update"])
    given = {key: text for key, text in {**TRANSLATIONS, **changes}.items() if text}
    _write(tmp_path / "given.json", json.dumps(given))
    tool.main(["fill", str(tmp_path / "given.json")])
    return int(tool.main(["check"]))


def test_a_complete_translation_passes(tool: ModuleType, tmp_path: Path) -> None:
    assert _translate(tool, tmp_path) == 0
    core, vip = tool.domains()
    assert {tool.key(m) for m in tool.messages(tool.load(vip, "zh_Hans_CN"))} == {"Members", "Points"}
    traditional = tool.load(core, "zh_Hant")
    assert traditional.get("Log in").string == "登入系統"
    assert traditional.get("Mail").string == "電郵"
    assert traditional.get("Hello %(name)s").string == "%(name)s，您好"
    assert traditional.get("File", "verb").string == "歸檔"
    assert tool.load(vip, "zh_Hant").get("Members").string == "貴賓"
    english = tool.load(core, "en")
    assert english.get("%(num)s day").string == ("%(num)s day", "%(num)s days")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"Points": ""}, "not translated"),
        ({"Hello %(name)s": "您好"}, "placeholders"),
        ({"Hello %(name)s": "%(nome)s，您好"}, "placeholders"),
        ({"%(num)s day": "天"}, "placeholders"),
        ({"Hello %(name)s": "%(name)s 100% 好"}, "%%"),
    ],
)
def test_the_check_fails(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], says: str
) -> None:
    assert _translate(tool, tmp_path, **changes) == 1
    assert says in capsys.readouterr().out


def test_one_text_has_one_translation_in_all_catalogues(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path / "plugins" / "vip" / "c.py", 'x = _("Log in")\n')
    assert _translate(tool, tmp_path) == 0
    catalogue = tool.load(tool.domains()[1], "zh_Hans_CN")
    catalogue.get("Log in").string = "登记"
    tool.save(tool.domains()[1], "zh_Hans_CN", catalogue)
    tool.main(["update"])
    assert tool.main(["check"]) == 1
    assert "'Log in' is translated differently: portal 登录系统, vip 登记" in capsys.readouterr().out


def test_a_new_message_fails_until_it_is_translated(tool: ModuleType, tmp_path: Path) -> None:
    assert _translate(tool, tmp_path) == 0
    _write(tmp_path / "portal" / "b.py", '_("Something new")\n')
    assert tool.main(["check"]) == 1


def test_a_message_that_is_gone_fails_until_the_update(tool: ModuleType, tmp_path: Path) -> None:
    assert _translate(tool, tmp_path) == 0
    (tmp_path / "templates" / "a.html").unlink()
    assert tool.main(["check"]) == 1
    tool.main(["extract"])
    tool.main(["update"])
    assert tool.main(["check"]) == 0


def test_fuzzy_fails_and_traditional_follows_simplified(tool: ModuleType, tmp_path: Path) -> None:
    assert _translate(tool, tmp_path) == 0
    core = tool.domains()[0]
    catalog = tool.load(core, "zh_Hans_CN")
    catalog.get("Log in").flags.add("fuzzy")
    tool.save(core, "zh_Hans_CN", catalog)
    assert tool.main(["check"]) == 1
    catalog.get("Log in").flags.discard("fuzzy")
    catalog.get("Log in").string = "进入系统"
    tool.save(core, "zh_Hans_CN", catalog)
    assert tool.main(["check"]) == 1
    tool.derive(core)
    assert tool.main(["check"]) == 0


def test_compile_writes_what_gettext_reads(tool: ModuleType, tmp_path: Path) -> None:
    import gettext

    assert _translate(tool, tmp_path) == 0
    tool.main(["compile"])
    with (tmp_path / "portal/translations/zh_Hans_CN/LC_MESSAGES/messages.mo").open("rb") as handle:
        catalog = gettext.GNUTranslations(handle)
    assert catalog.gettext("Log in") == "登录系统"
    assert catalog.ngettext("%(num)s day", "%(num)s days", 3) == "%(num)s 天"


def test_writing_twice_changes_nothing(tool: ModuleType, tmp_path: Path) -> None:
    assert _translate(tool, tmp_path) == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.po")}
    assert _translate(tool, tmp_path) == 0
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*.po")}
    assert len(before) == 6
