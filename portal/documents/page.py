"""From a template and primitives to the HTML of a document, with its pictures apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from flask import current_app

from portal.documents.render import Asset
from portal.i18n import LANGUAGE_TAGS

#: The family of the same name in the other script's glyphs: a picture is drawn once and set in either.
FONTS = {
    "zh_Hans_CN": "Noto Sans CJK SC, WenQuanYi Micro Hei, sans-serif",
    "zh_Hant": "Noto Sans CJK TC, WenQuanYi Micro Hei, sans-serif",
    "en": "Noto Sans CJK SC, WenQuanYi Micro Hei, sans-serif",
}


@dataclass(frozen=True)
class DocumentFacts:
    """What every template knows of its document, as `document`; all texts are in the document's language."""

    number: str
    version: int
    title: str
    kind: str
    subject: str
    classification: str
    organisation: str
    made_by: str
    #: "2026-03-05 14:30", in the organisation's zone
    made_at: str
    #: the same as ISO 8601 with the offset, for the file's metadata
    created: str
    language: str

    @property
    def language_tag(self) -> str:
        """BCP 47 tag."""
        return LANGUAGE_TAGS[self.language]


@dataclass
class Page:
    """HTML and the pictures it names."""

    html: str
    assets: dict[str, Asset] = field(default_factory=dict)


def build_page(template: str, facts: DocumentFacts, context: Mapping[str, Any]) -> Page:
    """Render a template. Values are escaped.

    The template gets the context, `document`, `picture(svg)` and `yuan(text)`.

    Not `flask.render_template`: what pages of the browser get (user, request, menus) has no place in a document.
    """
    page = Page("")

    def picture(svg: str) -> str:
        """Keep an SVG picture and give its address."""
        head, separator, rest = svg.partition(">")
        if not head.lstrip().startswith("<svg"):
            raise ValueError("a picture must be SVG")
        text = head + f' font-family="{FONTS[facts.language]}"' + separator + rest
        name = f"must/{hashlib.sha256(text.encode('utf-8')).hexdigest()[:24]}.svg"
        page.assets[name] = Asset("image/svg+xml", text.encode("utf-8"))
        return f"asset:/{name}"

    page.html = current_app.jinja_env.get_template(template).render(
        **context, document=facts, picture=picture, yuan=yuan
    )
    return page


def organisation() -> str:
    """Name of the organisation, for the head of every page."""
    return str(current_app.config["ORGANISATION"])


def data_folder() -> Path:
    """DATA_DIR, where the renderer's places are kept."""
    return Path(current_app.config["DATA_DIR"])


def yuan(text: str | None) -> str:
    """ "12345.6" → "¥12,345.60"; None and "" → "—". :raises ValueError: for what is no amount."""
    if text in (None, ""):
        return "—"
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        raise ValueError(f"{text!r} is no amount") from None
    return f"{'−' if amount < 0 else ''}¥{abs(amount):,.2f}"
