"""Style sheets, scripts and icons: served by us, under a digest, cached for ever.

Sources, in this order: Bootstrap's style sheet and icons out of the installed package Bootstrap-Flask, our own files in
`portal/static`, and the `static` folder of each enabled plugin (as `<plugin>/<file>`). All is read and compressed once
at start. An asset's address is `/assets/<digest>/<name>`: `asset(name)` in a template and `url(name)` here give it.

Icons: the package's sprite holds two thousand symbols (1.1 MB). At start the names that templates and Python files
mention are looked up, and one small sprite with only these is made. A name that does not exist stops the start.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, current_app, request
from markupsafe import Markup

from portal.core.components import icon_markup, install_components
from portal.core.web import public

#: Our own files.
STATIC_FOLDER = Path(__file__).resolve().parent.parent / "static"
#: Where template and Python files are searched for names of icons.
SOURCE_FOLDERS = (STATIC_FOLDER.parent, STATIC_FOLDER.parent.parent / "templates")
#: Types that are worth compressing.
COMPRESSIBLE = frozenset({"text/css", "text/javascript", "image/svg+xml", "application/json"})
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
FOREVER = "public, max-age=31536000, immutable"

#: Any quoted word may be the name of an icon (menus, hooks and panels give names as data) …
_LITERAL = re.compile(r"""["']([a-z0-9]+(?:-[a-z0-9]+)*)["']""")
#: … and these surely are: arguments called icon, the first argument of icon(…), references into the sprite. Each begins
#: with plain letters, which the engine looks for without trying the rest at every character.
_SURELY = (
    re.compile(r"""icon(?:\(|\s*=)\s*["']([^"'{}<>\s]+)["']"""),
    re.compile(r"""\}\}#([^"'{}<>\s]+)["']"""),
)
_SYMBOL = re.compile(r'<symbol\b[^>]*?viewBox="([^"]+)"[^>]*?id="([^"]+)"[^>]*>(.*?)</symbol>', re.DOTALL)
_RULE = re.compile(r"([^{}]*)\{[^{}]*\}")
_DARK = ('[data-bs-theme="dark"]', "[data-bs-theme=dark]")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


class AssetError(RuntimeError):
    """A file or an icon that is asked for does not exist."""


@dataclass(frozen=True)
class Asset:
    """One file as it is sent."""

    name: str
    content: bytes
    media_type: str
    digest: str
    compressed: bytes | None


@dataclass
class Assets:
    """All files of one application."""

    files: dict[str, Asset] = field(default_factory=dict)
    icons: frozenset[str] = frozenset()

    def add(self, name: str, content: bytes, media_type: str | None = None) -> None:
        """Add one file; a second file of the same name is refused."""
        if name in self.files:
            raise AssetError(f"Two files are called {name!r}.")
        suffix = Path(name).suffix
        kind = media_type or TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        small = gzip.compress(content, 9, mtime=0) if kind in COMPRESSIBLE and len(content) > 500 else None
        self.files[name] = Asset(name, content, kind, hashlib.sha256(content).hexdigest()[:16], small)

    def add_folder(self, folder: Path, prefix: str = "") -> None:
        """Add all files of a folder. Style sheets get their dark rules repeated for readers whose system is dark."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                content = path.read_bytes()
                if path.suffix == ".css":
                    content = follow_system(content.decode("utf-8")).encode("utf-8")
                self.add(prefix + path.relative_to(folder).as_posix(), content)

    def get(self, name: str) -> Asset:
        """The file of that name, or AssetError."""
        try:
            return self.files[name]
        except KeyError:
            raise AssetError(f"There is no asset {name!r}.") from None

    def path(self, name: str) -> str:
        """Address below the application's root."""
        return f"/assets/{self.get(name).digest}/{name}"


def package_folder() -> Path:
    """Where the installed Bootstrap-Flask keeps Bootstrap 5."""
    spec = find_spec("flask_bootstrap")
    if spec is None or not spec.submodule_search_locations:
        raise AssetError("The package Bootstrap-Flask is not installed.")
    return Path(next(iter(spec.submodule_search_locations))) / "static" / "bootstrap5"


def follow_system(css: str) -> str:
    """Repeat every rule for `[data-bs-theme=dark]` for `[data-bs-theme=auto]` under the system's preference.

    Bootstrap knows "light" and "dark" only. With "auto" the reader's system decides, without script. Dark rules must
    stand at the top level of the sheet (not inside another @-rule) and hold no nested braces.
    """
    plain = _COMMENT.sub("", css)
    rules = []
    for match in _RULE.finditer(plain):
        if not any(mark in match.group(1) for mark in _DARK):
            continue
        rule = match.group(0).strip()
        rules.append(rule.replace('[data-bs-theme="dark"]', "[data-bs-theme=auto]").replace("=dark]", "=auto]"))
    if not rules:
        return css
    return css + "\n@media screen and (prefers-color-scheme: dark) {\n" + "\n".join(rules) + "\n}\n"


@lru_cache(maxsize=1)
def bootstrap_sheet() -> bytes:
    """Bootstrap's style sheet, without the pointer to its source map, with the dark rules for "auto"."""
    css = (package_folder() / "css" / "bootstrap.min.css").read_text("utf-8")
    return follow_system(re.sub(r"/\*# sourceMappingURL=.*?\*/", "", css)).encode("utf-8")


@lru_cache(maxsize=1)
def all_symbols() -> dict[str, tuple[str, str]]:
    """Every icon of the package: name → (view box, content)."""
    svg = (package_folder() / "icons" / "bootstrap-icons.svg").read_text("utf-8")
    return {name: (box, content) for box, name, content in _SYMBOL.findall(svg)}


def icons_in(text: str, known: Iterable[str]) -> tuple[set[str], set[str]]:
    """Names of icons that a source file mentions.

    :param known: names that exist.
    :returns: (names that exist among all quoted words, names that are used as an icon and do not exist).
    """
    names = set(known)
    certain = {name for pattern in _SURELY for name in pattern.findall(text)}
    return (set(_LITERAL.findall(text)) | certain) & names, certain - names


def used_icons(folders: Iterable[Path]) -> frozenset[str]:
    """Names of all icons mentioned in the templates and Python files of some folders.

    :raises AssetError: something asks for an icon that does not exist.
    """
    used: set[str] = set()
    for folder in folders:
        for path in sorted([*folder.rglob("*.html"), *folder.rglob("*.py")]):
            used |= _icons_of(path, path.stat().st_mtime_ns)
    return frozenset(used)


@cache
def _icons_of(path: Path, changed_at: int) -> frozenset[str]:
    """The icons of one file as it is now; a process that makes several applications reads each file once."""
    found, unknown = icons_in(path.read_text("utf-8"), all_symbols().keys())
    if unknown:
        raise AssetError(f"{path}: no such icon: {', '.join(sorted(unknown))}")
    return frozenset(found)


def sprite(names: Iterable[str]) -> bytes:
    """One SVG file with a symbol for each name."""
    symbols = all_symbols()
    parts = [
        f'<symbol id="{name}" viewBox="{symbols[name][0]}" fill="currentColor">{symbols[name][1]}</symbol>'
        for name in sorted(names)
    ]
    return ('<svg xmlns="http://www.w3.org/2000/svg">' + "".join(parts) + "</svg>").encode("utf-8")


def collect_assets(plugin_folders: Iterable[tuple[str, Path]] = ()) -> Assets:
    """Read everything.

    :param plugin_folders: (plugin name, package folder) of the enabled plugins.
    """
    plugins = list(plugin_folders)
    assets = Assets()
    assets.add("bootstrap.css", bootstrap_sheet())
    assets.add_folder(STATIC_FOLDER)
    for name, folder in plugins:
        if (folder / "static").is_dir():
            assets.add_folder(folder / "static", f"{name}/")
    assets.icons = used_icons([*SOURCE_FOLDERS, *(folder for _name, folder in plugins)])
    assets.add("icons.svg", sprite(assets.icons))
    return assets


def url(name: str) -> str:
    """Address of a file with its digest, below the present script root."""
    assets: Assets = current_app.extensions["portal_assets"]
    return request.script_root + assets.path(name)


def icon(name: str, label: str | None = None) -> Markup:
    """An icon as Markup, for cells that Python builds; `label` is read out, without it the icon is decoration."""
    return icon_markup(url("icons.svg"), name, label)


@public
def send_asset(digest: str, name: str) -> Response:
    """Send a file. Under its digest it may be kept for ever; a digest of before gets the present file, not kept."""
    assets: Assets = current_app.extensions["portal_assets"]
    found = assets.files.get(name)
    if found is None:
        abort(404)
    response = Response(found.content, mimetype=found.media_type)
    response.headers["Vary"] = "Accept-Encoding"
    if found.compressed is not None and request.accept_encodings["gzip"] > 0:
        response.set_data(found.compressed)
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = FOREVER if digest == found.digest else "no-cache"
    response.portal_asset = True  # type: ignore[attr-defined]
    return response


def init_app(app: Flask, plugin_folders: Iterable[tuple[str, Path]] | None = None) -> None:
    """Read the files, add the route and the template functions `asset`, `name_tint` and those of components.py.

    :param plugin_folders: None takes them from the application's plugin manager.
    """
    if plugin_folders is None:
        manager: Any = app.extensions.get("portal_plugins")
        plugin_folders = plugin_locations(manager.enabled) if manager else []
    assets = collect_assets(plugin_folders)
    app.extensions["portal_assets"] = assets
    app.add_url_rule("/assets/<digest>/<path:name>", "asset", send_asset)
    paths = {name: assets.path(name) for name in assets.files}

    def asset(name: str) -> str:
        try:
            return request.script_root + paths[name]
        except KeyError:
            raise AssetError(f"There is no asset {name!r}.") from None

    app.jinja_env.globals["asset"] = asset
    install_components(app)


def plugin_locations(plugins: Iterable[Any]) -> list[tuple[str, Path]]:
    """(name, package folder) of plugins, as the plugin manager keeps them."""
    return [(plugin.info.name, plugin.folder) for plugin in plugins]
