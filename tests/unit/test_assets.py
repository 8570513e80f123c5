"""Assets: addresses with digests, caching, icons out of the package, themes, and what the kit draws."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from flask_babel import Babel
from markupsafe import Markup

from portal.core import assets, components

CSS = assets.STATIC_FOLDER / "portal.css"


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Flask]:
    """A bare application with the kit and one plugin that has a file of its own."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "extra.css").write_text("[data-bs-theme=dark] .x { color: red; }")
    (tmp_path / "hooks.py").write_text('ICON = "airplane"')
    app = Flask("kit", static_folder=None)
    Babel(app, default_locale="en")
    assets.init_app(app, [("sample", tmp_path)])
    with app.test_request_context():
        yield app


@pytest.fixture
def client(kit: Flask) -> FlaskClient:
    return kit.test_client()


def _send(client: FlaskClient, address: str, **headers: str) -> Response:
    answer: Any = client.get(address, headers=headers)
    return answer  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "name", ["bootstrap.css", "portal.css", "portal.js", "icons.svg", "logo.svg", "sample/extra.css"]
)
def test_a_file_under_its_digest_is_kept_for_ever(client: FlaskClient, name: str) -> None:
    answer = _send(client, assets.url(name))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == assets.FOREVER
    assert answer.mimetype == assets.TYPES[Path(name).suffix]


def test_another_digest_gets_the_present_file_but_is_not_kept(client: FlaskClient) -> None:
    answer = _send(client, "/assets/0123456789abcdef/portal.css")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.css", "../config.py", "%2e%2e/config.py", "portal.css/x"])
def test_unknown_names_are_not_found(client: FlaskClient, name: str) -> None:
    assert _send(client, f"/assets/0123456789abcdef/{name}").status_code == 404


def test_compressed_only_for_those_who_can_read_it(client: FlaskClient) -> None:
    plain = _send(client, assets.url("portal.css"))
    packed = _send(client, assets.url("portal.css"), **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) * 3 < len(plain.data)


def test_a_changed_file_gets_another_address() -> None:
    one, two = assets.Assets(), assets.Assets()
    one.add("a.css", b"a {}")
    two.add("a.css", b"b {}")
    assert one.path("a.css") != two.path("a.css")


def test_names_are_unique_and_known(kit: Flask) -> None:
    found = assets.Assets()
    found.add("a.css", b"")
    with pytest.raises(assets.AssetError):
        found.add("a.css", b"")
    with pytest.raises(assets.AssetError):
        kit.jinja_env.from_string("{{ asset('misspelt.css') }}").render()


def test_addresses_stand_below_the_script_root(kit: Flask) -> None:
    with kit.test_request_context(environ_overrides={"SCRIPT_NAME": "/crm"}):
        assert assets.url("portal.js").startswith("/crm/assets/")


def test_the_sprite_holds_what_is_used_and_little_else(kit: Flask) -> None:
    kept: assets.Assets = kit.extensions["portal_assets"]
    svg = kept.get("icons.svg").content.decode()
    in_sprite = set(re.findall(r'<symbol id="([^"]+)"', svg))
    used_in_templates: set[str] = set()
    for path in (assets.SOURCE_FOLDERS[1]).rglob("*.html"):
        used_in_templates |= set(re.findall(r"\}\}#([a-z0-9-]+)\"", path.read_text("utf-8")))
    assert used_in_templates <= in_sprite
    assert "airplane" in in_sprite, "named by the plugin's code"
    assert "airplane-engines-fill" not in in_sprite
    assert len(svg) < 200_000


@pytest.mark.parametrize(
    "text", ['{{ ui.icon("no-such") }}', "NavItem(icon='no-such')", '<use href="{{ sprite }}#no-such">']
)
def test_an_unknown_icon_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "page.html").write_text(text)
    with pytest.raises(assets.AssetError, match="no-such"):
        assets.used_icons([tmp_path])


def test_dark_rules_follow_the_system_when_the_theme_is_auto() -> None:
    css = "/* a [data-bs-theme=dark] word {} */ a { x: 1 } [data-bs-theme=dark] a, b { x: 2 } c { x: 3 }"
    made = assets.follow_system(css)
    extra = made.removeprefix(css)
    assert "@media screen and (prefers-color-scheme: dark)" in extra
    assert "[data-bs-theme=auto] a, b { x: 2 }" in extra
    assert "x: 1" not in extra
    assert "x: 3" not in extra
    assert assets.follow_system("a { x: 1 }") == "a { x: 1 }"


def test_bootstrap_follows_too_and_asks_for_no_source_map() -> None:
    sheet = assets.bootstrap_sheet().decode()
    assert "[data-bs-theme=auto]{color-scheme:dark" in sheet
    assert "sourceMappingURL" not in sheet


def test_our_sheet_has_no_dark_rule_that_cannot_follow() -> None:
    css = re.sub(r"/\*.*?\*/", "", CSS.read_text("utf-8"), flags=re.DOTALL)
    made = assets.follow_system(css).removeprefix(css)
    assert css.count("[data-bs-theme=dark]") == made.count("[data-bs-theme=auto]")


# ---- contrast of the colours ----


def _values(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", block))


def _themes() -> dict[str, dict[str, str]]:
    css = CSS.read_text("utf-8")
    light = _values(css[css.index(":root {") : css.index("[data-bs-theme=dark] {")])
    dark_start = css.index("[data-bs-theme=dark] {")
    return {"light": light, "dark": light | _values(css[dark_start : css.index("}", dark_start)])}


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


TEXT_PAIRS = [
    *((ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("bg", "surface", "raised", "sunken", "hover")),
    *((f"{tone}-ink", f"{tone}-soft") for tone in ("accent", "success", "warning", "danger", "info")),
    *((f"{tone}-ink", "surface") for tone in ("accent", "success", "warning", "danger", "info")),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("on-danger", "danger"),
    ("on-danger", "danger-hover"),
    ("ink", "accent-soft"),
    ("ink-2", "neutral-soft"),
    ("accent-ink", "bg"),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_can_be_read(theme: str, ink: str, ground: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    values = _themes()[theme]
    assert _contrast(values[ink], values[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), [("control", "surface"), ("accent", "surface"), ("accent", "bg")])
def test_edges_of_controls_and_focus_can_be_seen(theme: str, line: str, ground: str) -> None:
    """WCAG 2.2, 1.4.11: 3 to 1."""
    values = _themes()[theme]
    assert _contrast(values[line], values[ground]) >= 3


# ---- pieces that Python draws ----


@dataclass(frozen=True)
class Row:
    """A row as lists give it."""

    id: int
    url: str | None
    cells: list[Any]
    muted: bool = False


def test_rows_escape_text_and_keep_markup() -> None:
    html = components.list_rows([Row(7, "/x?a=1&b=2", ["<b>A</b>", Markup("<i>1</i>"), "\"'"])], "Select")
    assert "&lt;b&gt;A&lt;/b&gt;" in html
    assert "<i>1</i>" in html
    assert "&#34;&#39;" in html
    assert 'href="/x?a=1&amp;b=2"' in html
    assert 'value="7"' in html


def test_rows_without_address_or_tick_box() -> None:
    html = components.list_rows([Row(7, None, ["only"], muted=True)])
    assert html == '<tr class=muted><th scope="row">only</th></tr>'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1234567.5"), "¥1,234,567.50"),
        (Decimal("-12800"), "−¥12,800.00"),
        (Decimal("0"), "¥0.00"),
        (Decimal("90071992547409.93"), "¥90,071,992,547,409.93"),
    ],
)
def test_money_is_exact(value: Decimal, text: str) -> None:
    assert f">{text}<" in components.money(value)


def test_nothing_known_is_a_dash() -> None:
    assert components.money(None) == components.day(None) == components.number(None) == components.DASH


@pytest.mark.parametrize(
    ("days", "text", "tone"),
    [
        (-2, "2 days overdue", "danger"),
        (-1, "1 day overdue", "danger"),
        (0, "Due today", "warning"),
        (1, "Due tomorrow", "warning"),
        (2, "2 days left", "warning"),
        (14, "14 days left", "neutral"),
        (15, "2026-03-20", "neutral"),
    ],
)
def test_due_says_it_in_words_and_tone(kit: Flask, days: int, text: str, tone: str) -> None:
    today = date(2026, 3, 5)
    html = components.due(today + timedelta(days=days), today)
    assert f">{text}<" in html
    assert f"tag-{tone}" in html


def test_tags_escape_and_know_their_tones() -> None:
    assert "&lt;x&gt;" in components.tag("<x>", "info")
    with pytest.raises(ValueError, match="tone"):
        components.tag("x", "purple")
    assert "javascript" not in components.link("a", "/b").lower()
    assert components.link("<a>", '/b"c') == '<a href="/b&#34;c">&lt;a&gt;</a>'
