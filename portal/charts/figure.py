"""A chart: picture, sentence, table and explanation, all from the same rows."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app, has_app_context
from markupsafe import Markup

from portal.charts import draw
from portal.charts.theme import CONFIG

LOGGER = logging.getLogger(__name__)
#: Width of the picture for phones, in pixels.
NARROW = 340
WIDE = 720
#: Name of a layer that has no room on a phone.
WIDE_ONLY = "wide_only"


@dataclass(frozen=True)
class Chart:
    """What `ui.figure` and documents show.

    :ivar svg: the wide and the narrow picture (one of them is shown, by the width of the window); "" when the picture
        could not be drawn: then the table stands alone.
    :ivar alt: a sentence that says what the picture shows.
    :ivar headers, rows: the very data of the picture.
    :ivar how: how it is computed.
    :ivar plain: the wide picture alone, for documents.
    """

    key: str
    title: str
    alt: str
    svg: Markup
    headers: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    how: str
    plain: str = ""

    @property
    def table(self) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
        """Headers and rows."""
        return self.headers, self.rows

    def as_primitives(self) -> dict[str, Any]:
        """For the context of a document (macro `figure` of pdf/macros.html)."""
        return {
            "key": self.key,
            "title": self.title,
            "alt": self.alt,
            "svg": self.plain,
            "headers": list(self.headers),
            "rows": [[cell if isinstance(cell, int | str) else str(cell) for cell in row] for row in self.rows],
            "how": self.how,
        }


def chart(
    key: str,
    *,
    spec: dict[str, Any],
    title: str,
    alt: str,
    headers: Sequence[Any],
    rows: Sequence[Sequence[Any]],
    how: str,
    width: int = WIDE,
    narrow: bool = True,
) -> Chart:
    """Draw a chart.

    :param key: names the chart on its page.
    :param spec: Vega-Lite specification with its data inside ("values"); width and theme are added here.
    :param alt: one sentence with the main finding, in the reader's language.
    :param headers: of the table; :param rows: its cells: texts, whole numbers, Decimals.
    :param how: how the numbers are computed, for people.
    :param width: of the picture in pixels. :param narrow: draw a second one for phones.
    :raises ValueError: the specification takes data from an address.
    """
    refuse_addresses(spec)
    specs = [_sized(spec, width)]
    if narrow and width > NARROW:
        specs.append(_sized(spec, NARROW))
    folder = current_app.config["DATA_DIR"] / "cache" / "charts" if has_app_context() else None
    try:
        pictures = draw.draw(specs, folder)
    except draw.CannotDraw as error:
        LOGGER.error("chart %s: %s", key, error)
        pictures = []
    return Chart(
        key=key,
        title=str(title),
        alt=str(alt),
        svg=_by_window(pictures),
        headers=tuple(str(header) for header in headers),
        rows=tuple(tuple(row) for row in rows),
        how=str(how),
        plain=pictures[0] if pictures else "",
    )


def _by_window(pictures: list[str]) -> Markup:
    if len(pictures) < 2:
        return Markup("".join(pictures))
    # Bootstrap's utilities choose; pictures are our own cleaned SVG.
    return Markup('<div class="d-none d-md-block">{}</div><div class="d-md-none">{}</div>').format(
        Markup(pictures[0]), Markup(pictures[1])
    )


def _sized(spec: dict[str, Any], width: int) -> dict[str, Any]:
    """The specification with theme and width. A height per category ({"step": n}) stays."""
    sized = copy.deepcopy(spec)
    sized["$schema"] = "https://vega.github.io/schema/vega-lite/v6.json"
    sized["width"] = width - 8
    sized.setdefault("height", 240)
    horizontal = isinstance(sized["height"], dict)
    sized["autosize"] = {"type": "fit-x" if horizontal else "fit", "contains": "padding"}
    if width <= NARROW:
        # Fewer labels find room on a phone, and two names in a line of the legend.
        narrow = sized.setdefault("config", {})
        narrow.setdefault("axis", {})["labelLimit"] = 110
        narrow["legend"] = {"columns": 2, "offset": 16, **narrow.get("legend", {})}
        if "layer" in sized:
            sized["layer"] = [layer for layer in sized["layer"] if layer.get("name") != WIDE_ONLY]
    sized["config"] = merged(CONFIG, sized.get("config", {}))
    return sized


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Two nested dictionaries in one; the second wins."""
    result = copy.deepcopy(base)
    for key, value in over.items():
        result[key] = (
            merged(result[key], value) if isinstance(value, dict) and isinstance(result.get(key), dict) else value
        )
    return result


def refuse_addresses(spec: Any) -> None:
    """A chart draws the data it was given. :raises ValueError: for any "url" in the specification."""
    if isinstance(spec, dict):
        if "url" in spec or "href" in spec:
            raise ValueError("a chart takes no data from addresses")
        for key, value in spec.items():
            if key != "values":
                refuse_addresses(value)
    elif isinstance(spec, list):
        for item in spec:
            refuse_addresses(item)
