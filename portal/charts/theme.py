"""The look of all charts: one theme for light pages, dark pages and paper.

A picture is drawn once. Ink (text, axes) is the page's own colour; the colours of the data have a contrast of at least
3 : 1 with white and with the dark surface (WCAG 2.2, 1.4.11) and stay apart for colour-blind eyes (after Okabe and Ito,
darkened to that band). No chart relies on colour alone: bars carry their values, lines have their names at the end.
"""

from __future__ import annotations

from typing import Any

from portal.charts.draw import INK

#: Colours of series, in the order of use: blue, orange, green, purple, rose, grey.
COLOURS = ("#2b7bcb", "#cf6a0a", "#0f9173", "#9a63c7", "#d14b78", "#7b838d")
#: What is pushed back: earlier years, "others".
QUIET = "#7b838d"
GAIN, LOSS = COLOURS[0], COLOURS[1]
#: The family that text is measured with; the page's own family is used to show it.
FONT = "Noto Sans CJK SC, WenQuanYi Micro Hei, sans-serif"

CONFIG: dict[str, Any] = {
    "background": None,
    "font": FONT,
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "labelFontSize": 12,
        "labelOpacity": 0.75,
        "titleColor": INK,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titleOpacity": 0.75,
        "domainColor": INK,
        "domainOpacity": 0.35,
        "tickColor": INK,
        "tickOpacity": 0.35,
        "gridColor": INK,
        "gridOpacity": 0.12,
        "labelOverlap": "greedy",
        "labelLimit": 220,
    },
    "axisX": {"grid": False, "labelAngle": 0},
    "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "orient": "top",
        "title": None,
        "symbolType": "square",
        "padding": 0,
        "offset": 10,
    },
    "bar": {"color": COLOURS[0]},
    "line": {"color": COLOURS[0], "strokeWidth": 2.5},
    "point": {"color": COLOURS[0], "filled": True, "size": 40},
    "area": {"color": COLOURS[0], "opacity": 0.2},
    "rule": {"color": INK},
    "text": {"color": INK, "fontSize": 12},
    "range": {"category": list(COLOURS), "ordinal": list(COLOURS)},
    "scale": {"bandPaddingInner": 0.3},
}
