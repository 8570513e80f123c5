"""The radar picture of a scorecard."""

from __future__ import annotations

import math
from typing import Any

from plugins.key_accounts.scorecards import criteria
from plugins.key_accounts.scorecards.models import Scorecard
from portal.charts import Chart, chart
from portal.charts.draw import INK
from portal.charts.theme import COLOURS
from portal.i18n import _

SIZE = 340


def _point(number: int, count: int, radius: float) -> tuple[float, float]:
    angle = math.pi / 2 - 2 * math.pi * number / count
    return round(math.cos(angle) * radius, 4), round(math.sin(angle) * radius, 4)


def radar(row: Scorecard) -> Chart | None:
    """Grades as a radar; None when fewer than three criteria were answered."""
    grades = {answer.criterion: answer for answer in row.answers if answer.grade is not None}
    asked = [item for item in criteria.CRITERIA[row.card] if item.key in grades]
    if len(asked) < 3:
        return None
    count = len(asked)
    web = [
        {"x": x, "y": y, "g": f"w{level}", "o": number}
        for level in range(1, criteria.HIGHEST + 1)
        for number in range(count + 1)
        for x, y in (_point(number, count, level / criteria.HIGHEST),)
    ]
    spokes = [
        {"x": x, "y": y, "g": f"s{number}", "o": end}
        for number in range(count)
        for end, (x, y) in enumerate(((0.0, 0.0), _point(number, count, 1)))
    ]
    shape = []
    for number in range(count + 1):
        grade = grades[asked[number % count].key].grade or 0
        x, y = _point(number, count, grade / criteria.HIGHEST)
        shape.append({"x": x, "y": y, "g": "grades", "o": number})
    labels = []
    for number in range(count):
        x, y = _point(number, count, 1.14)
        labels.append({"x": x, "y": y, "t": str(number + 1)})
    scale = {"domain": [-1.25, 1.25], "nice": False}
    axes: dict[str, Any] = {
        "x": {"field": "x", "type": "quantitative", "axis": None, "scale": scale},
        "y": {"field": "y", "type": "quantitative", "axis": None, "scale": scale},
    }
    line = {"order": {"field": "o"}, "detail": {"field": "g"}}
    spec: dict[str, Any] = {
        "height": SIZE - 8,
        "encoding": axes,
        "layer": [
            {
                "data": {"values": web + spokes},
                "mark": {"type": "line", "color": INK, "opacity": 0.18, "strokeWidth": 1},
                "encoding": line,
            },
            {
                "data": {"values": shape},
                "mark": {
                    "type": "line",
                    "color": COLOURS[0],
                    "filled": True,
                    "fillOpacity": 0.2,
                    "strokeWidth": 2.5,
                    "point": {"color": COLOURS[0]},
                },
                "encoding": line,
            },
            {"data": {"values": labels}, "mark": {"type": "text"}, "encoding": {"text": {"field": "t"}}},
        ],
    }
    best = max(asked, key=lambda item: grades[item.key].grade or 0)
    worst = min(asked, key=lambda item: grades[item.key].grade or 0)
    return chart(
        f"radar-{row.card}",
        spec=spec,
        title=str(criteria.TITLES[row.card]),
        alt=_(
            "Highest: %(best)s (%(high)s of 5); lowest: %(worst)s (%(low)s of 5).",
            best=best.label,
            high=grades[best.key].grade,
            worst=worst.label,
            low=grades[worst.key].grade,
        ),
        headers=[_("Number"), _("Criterion"), _("Grade")],
        rows=[(number, str(item.label), grades[item.key].grade or 0) for number, item in enumerate(asked, start=1)],
        how=_("Each spoke is a criterion, numbered as in the table; the edge is grade 5, the middle 0."),
        width=SIZE,
        narrow=False,
    )
