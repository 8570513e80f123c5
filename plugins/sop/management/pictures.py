"""Pictures of the figures of checklists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from plugins.sop.management.queries import Figures, Group
from plugins.sop.management.reading import ReadingGroup
from portal.charts.builders import line, stacked_by_month
from portal.charts.figure import Chart, chart
from portal.charts.theme import COLOURS, QUIET
from portal.i18n import _

#: Bars of one picture; the table has them all.
MOST_BARS = 14


def kinds() -> list[str]:
    """What becomes of runs, in the order of the bars."""
    return [_("In time"), _("Late"), _("Completed without a date"), _("Overdue"), _("Being worked on")]


def _parts(figures: Figures) -> list[int]:
    return [figures.on_time, figures.late, figures.undated, figures.overdue, figures.running]


#: Green, orange, grey, rose, blue: never by colour alone, the legend and the table name them.
_TONES = (COLOURS[2], COLOURS[1], QUIET, COLOURS[4], COLOURS[0])


def how_counted() -> str:
    """How the figures come about, for people."""
    return _(
        "Counted are checklists that began in the period. In time: completed on or before the due date; late: after "
        "it; overdue: still open and past it. Completion is completed divided by started (without those called off); "
        "punctuality is completed in time divided by completed with a date plus overdue."
    )


def by_group(groups: Sequence[Group], title: str, name_label: str) -> Chart:
    """Bars per department, person or procedure, divided by what became of the runs."""
    words = kinds()
    first = groups[0] if groups else None
    alt = (
        _(
            "%(name)s has the most: %(started)s started, %(done)s completed, %(overdue)s overdue.",
            name=first.name,
            started=first.figures.started,
            done=first.figures.done,
            overdue=first.figures.overdue,
        )
        if first
        else _("No checklists in this period.")
    )
    shown = [
        (group.name, _parts(group.figures), group.figures.started, group.figures.punctuality)
        for group in groups[:MOST_BARS]
    ]
    return chart(
        "groups",
        spec=_bars(shown, words, _TONES, _("Checklists")),
        title=title,
        alt=alt,
        headers=[name_label, *words, _("Called off"), _("Completion"), _("Punctuality")],
        rows=[
            (
                group.name,
                *_parts(group.figures),
                group.figures.cancelled,
                _percent(group.figures.completion),
                _percent(group.figures.punctuality),
            )
            for group in groups
        ],
        how=how_counted() + " " + _("The percentage behind a bar is the punctuality."),
    )


def by_reading(groups: Sequence[ReadingGroup], title: str, name_label: str) -> Chart:
    """Bars per manual or department: who has read, who still has time, who is late."""
    words = [_("Read"), _("Not yet read"), _("Overdue")]
    first = groups[0] if groups else None
    alt = (
        _(
            "%(name)s has the lowest share: %(done)s of %(total)s have read it, %(late)s are overdue.",
            name=first.name,
            done=first.figures.done,
            total=first.figures.total,
            late=first.figures.late,
        )
        if first
        else _("Nobody has to read it")
    )
    shown = [
        (
            f"{group.name} {group.hint}".strip(),
            [group.figures.done, group.figures.open, group.figures.late],
            group.figures.total,
            group.figures.percent,
        )
        for group in groups[:MOST_BARS]
    ]
    return chart(
        "reading",
        spec=_bars(shown, words, (COLOURS[2], COLOURS[0], COLOURS[4]), _("Number of people")),
        title=title,
        alt=alt,
        headers=[name_label, _("Must read it"), *words, _("Share read")],
        rows=[
            (
                f"{group.name} {group.hint}".strip(),
                group.figures.total,
                group.figures.done,
                group.figures.open,
                group.figures.late,
                _percent(group.figures.percent),
            )
            for group in groups
        ],
        how=how_read(),
    )


def how_read() -> str:
    """How the figures of reading come about, for people."""
    return _(
        "Counted are people who must read an effective manual by its reading rules, once for each manual. Whoever "
        "acknowledged a version of the same major number has read it. Overdue: not acknowledged, and the days for "
        "reading, counted from the first day of that major number, are over."
    )


def _bars(
    shown: Sequence[tuple[str, Sequence[int], int, int | None]],
    words: Sequence[str],
    tones: Sequence[str],
    unit: str,
) -> dict[str, Any]:
    """Divided bars as Vega-Lite. :param shown: (name, parts, length of the bar, percent behind it)."""
    values: list[dict[str, Any]] = []
    for index, (_name, parts, length, percent) in enumerate(shown):
        for number, part in enumerate(parts):
            values.append({"n": f"{index:03d}", "k": str(number), "o": number, "v": part})
        text = "" if percent is None else f"{percent}%"
        values.append({"n": f"{index:03d}", "k": "", "o": 9, "v": 0, "t": text, "s": length})
    names = {f"{index:03d}": item[0] for index, item in enumerate(shown)}
    encoding_y = {
        "field": "n",
        "type": "ordinal",
        "title": None,
        "sort": None,
        "axis": {"labelExpr": _labels(names), "labelOpacity": 1, "grid": False},
    }
    colour = {
        "field": "k",
        "type": "nominal",
        "sort": None,
        "scale": {"domain": [str(number) for number in range(len(words))], "range": list(tones)},
        "legend": {"labelExpr": _labels({str(number): word for number, word in enumerate(words)}), "columns": 3},
    }
    layers = [
        {
            "transform": [{"filter": "datum.k != ''"}],
            "mark": "bar",
            "encoding": {
                "x": {"field": "v", "type": "quantitative", "title": unit, "axis": {"tickMinStep": 1}},
                "color": colour,
                "order": {"field": "o", "type": "quantitative"},
            },
        },
        {
            "transform": [{"filter": "datum.k == ''"}],
            "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 11},
            "encoding": {"x": {"field": "s", "type": "quantitative"}, "text": {"field": "t"}},
        },
    ]
    return {"data": {"values": values}, "height": {"step": 28}, "encoding": {"y": encoding_y}, "layer": layers}


def _percent(value: int | None) -> str:
    return "—" if value is None else f"{value}%"


def _labels(names: dict[str, str]) -> str:
    return f"{json.dumps(names, ensure_ascii=True)}[datum.value]"


def per_month(rows: Sequence[tuple[str, Figures]]) -> Chart:
    """Runs by the month of their beginning, divided by what became of them."""
    return stacked_by_month(
        [(month, _parts(figures)) for month, figures in rows],
        groups=kinds(),
        key="months",
        title=_("Checklists by month"),
        how=how_counted(),
        value_label=_("Checklists"),
        money=False,
        colours=_TONES,
    )


def punctuality(rows: Sequence[tuple[str, Figures]]) -> Chart:
    """Completion and punctuality over the months."""
    return line(
        [
            (_("Completion"), [(month, figures.completion) for month, figures in rows]),
            (_("Punctuality"), [(month, figures.punctuality) for month, figures in rows]),
        ],
        key="punctuality",
        title=_("Completion and punctuality, percent"),
        how=how_counted(),
        x_label=_("Month"),
        value_label=_("Percent"),
    )
