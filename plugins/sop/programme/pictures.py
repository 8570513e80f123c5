"""Pictures of introduction programmes: Gantt chart, comparison of self-assessments, costs by mode."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from plugins.sop.programme import budget
from plugins.sop.programme.models import SopProgramme
from plugins.sop.programme.plan import Slack
from plugins.sop.programme.queries import Result
from plugins.sop.programme.vocabulary import AREAS, MODES, MOMENT_SHORT, STAGES, step_title, word
from portal.charts.builders import top_bars
from portal.charts.draw import INK
from portal.charts.figure import WIDE, Chart, chart
from portal.charts.theme import COLOURS, QUIET
from portal.i18n import _

#: Opacity of the part that is still to do.
TO_DO = 0.35


def _labels(names: dict[str, str]) -> str:
    import json

    return f"{json.dumps(names, ensure_ascii=True)}[datum.value]"


def gantt(programme: SopProgramme, slack: Slack, today: date) -> Chart:
    """The plan as bars over time: present dates, what is done of them, first plan, today, the time it should take."""
    steps = list(programme.steps)
    values: list[dict[str, Any]] = []
    for step in steps:
        end = step.ends_on + timedelta(days=1)  # a bar ends with its last day, not before it
        whole = (end - step.begins_on).days
        done = step.begins_on + timedelta(days=round(whole * step.progress / 100))
        values.append(
            {
                "n": f"{step.position:02d}",
                "b": step.begins_on.isoformat(),
                "e": end.isoformat(),
                "d": done.isoformat(),
                "pb": step.planned_begins_on.isoformat(),
                "pe": (step.planned_ends_on + timedelta(days=1)).isoformat(),
                "stage": step.stage,
                "t": f"{step.progress}%",
            }
        )
    names = {f"{step.position:02d}": f"{step.position} {step_title(step)}" for step in steps}
    y = {
        "field": "n",
        "type": "ordinal",
        "title": None,
        "sort": None,
        "axis": {"labelExpr": _labels(names), "labelOpacity": 1, "grid": False, "labelLimit": 240},
    }
    time = {"type": "temporal", "title": None, "axis": {"format": "%m-%d", "grid": True, "tickCount": 8}}
    colour = {
        "field": "stage",
        "type": "ordinal",
        "scale": {"domain": [1, 2, 3], "range": list(COLOURS[:3])},
        "legend": {"labelExpr": _labels({str(key): str(title) for key, title in STAGES.items()})},
    }
    here = steps[0].begins_on <= today <= max(step.ends_on for step in steps)
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.6, "yOffset": 10},
            "encoding": {"x": {"field": "pb", **time}, "x2": {"field": "pe"}, "color": {"value": QUIET}},
        },
        {
            "mark": {"type": "bar", "opacity": TO_DO, "height": 14},
            "encoding": {"x": {"field": "b", **time}, "x2": {"field": "e"}, "color": colour},
        },
        {
            "transform": [{"filter": "datum.d != datum.b"}],
            "mark": {"type": "bar", "height": 14},
            "encoding": {"x": {"field": "b", **time}, "x2": {"field": "d"}, "color": colour},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 11},
            "encoding": {"x": {"field": "e", **time}, "text": {"field": "t"}},
        },
    ]
    marks = [(today.isoformat(), _("Today"), COLOURS[4])] if here else []
    marks.append((slack.latest.isoformat(), _("Latest end"), QUIET))
    for day, name, tone in marks:
        mark_data = {"values": [{"x": day, "label": name}]}
        layers.append(
            {
                "data": mark_data,
                "mark": {"type": "rule", "strokeDash": [4, 3], "color": tone},
                "encoding": {"x": {"field": "x", **time}, "y": None},
            }
        )
        layers.append(
            {
                "data": mark_data,
                "mark": {"type": "text", "align": "right", "baseline": "bottom", "dx": -3, "dy": -2, "fontSize": 11},
                "encoding": {
                    "x": {"field": "x", **time},
                    "y": {"value": 0},
                    "text": {"field": "label"},
                    "color": {"value": tone if tone != QUIET else INK},
                },
            }
        )
    spec = {"data": {"values": values}, "height": {"step": 30}, "encoding": {"y": y}, "layer": layers}
    finished = sum(step.finished_on is not None for step in steps)
    return chart(
        "gantt",
        spec=spec,
        title=_("Plan of the introduction"),
        alt=_(
            "%(steps)s steps from %(first)s to %(last)s; %(finished)s are finished.",
            steps=len(steps),
            first=steps[0].begins_on,
            last=max(step.ends_on for step in steps),
            finished=finished,
        ),
        headers=[
            _("Step of the work"),
            _("Stage"),
            _("First day"),
            _("Last day"),
            _("Planned at first"),
            _("Progress"),
        ],
        rows=[
            (
                f"{step.position} {step_title(step)}",
                word(STAGES, step.stage),
                step.begins_on.isoformat(),
                step.ends_on.isoformat(),
                f"{step.planned_begins_on} – {step.planned_ends_on}",
                f"{step.progress}%",
            )
            for step in steps
        ],
        how=_(
            "A bar reaches from the first to the last working day of a step; its full part is what was reported as "
            "done. The thin line below is the plan as it was made first. The latest end is the first day plus the most "
            "months that an introduction should take (a setting)."
        ),
    )


def assessment_chart(results: Sequence[Result]) -> Chart:
    """Levels of the areas at the different times and those of the industry, as points on one line an area."""
    series = [
        (str(word(MOMENT_SHORT, result.assessment.moment)) + f" {result.assessment.assessed_on}", result)
        for result in results
    ]
    industry = next((result for result in reversed(results) if result.industry is not None), None)
    names = [name for name, _result in series]
    if industry is not None:
        names.append(_("Industry"))
    values: list[dict[str, Any]] = []
    for index, _area in enumerate(AREAS):
        key = f"{index:02d}"
        for number, (_name, result) in enumerate(series):
            own = result.areas[index].own
            if own is not None:
                values.append({"n": key, "v": float(own), "k": number, "t": str(own)})
        theirs = industry.areas[index].industry if industry is not None else None
        if theirs is not None:
            values.append({"n": key, "v": float(theirs), "k": len(series), "t": ""})
    labels = {f"{index:02d}": str(title) for index, title in enumerate(AREAS.values())}
    colours = [
        QUIET if industry is not None and number == len(series) else COLOURS[number % 5] for number in range(len(names))
    ]
    shapes = [
        ("diamond" if industry is not None and number == len(series) else "circle") for number in range(len(names))
    ]
    legend = {"labelExpr": _labels({str(number): name for number, name in enumerate(names)}), "symbolType": "circle"}
    domain = list(range(len(names)))
    encoding = {
        "x": {
            "field": "v",
            "type": "quantitative",
            "title": _("Level (1 to 5)"),
            "scale": {"domain": [1, 5]},
            "axis": {"values": [1, 2, 3, 4, 5], "grid": True},
        },
        "y": {
            "field": "n",
            "type": "ordinal",
            "title": None,
            "sort": None,
            "axis": {"labelExpr": _labels(labels), "labelOpacity": 1, "grid": True},
        },
    }
    colour = {"field": "k", "type": "ordinal", "scale": {"domain": domain, "range": colours}, "legend": legend}
    shape = {"field": "k", "type": "ordinal", "scale": {"domain": domain, "range": shapes}, "legend": None}
    layers = [
        {
            "transform": [{"filter": f"datum.k < {len(series)}"}],
            "mark": {"type": "line", "strokeWidth": 2, "opacity": 0.55, "color": INK},
            "encoding": {"detail": {"field": "n"}, "order": {"field": "k"}},
        },
        {"mark": {"type": "point", "size": 150, "filled": True}, "encoding": {"color": colour, "shape": shape}},
    ]
    rows = []
    for index, title in enumerate(AREAS.values()):
        cells: list[Any] = [str(title)]
        cells += ["" if result.areas[index].own is None else str(result.areas[index].own) for _n, result in series]
        if industry is not None:
            level = industry.areas[index].industry
            cells.append("" if level is None else str(level))
        rows.append(tuple(cells))
    first, last = results[0], results[-1]
    return chart(
        "assessment",
        spec={"data": {"values": values}, "height": {"step": 34}, "encoding": encoding, "layer": layers},
        title=_("Levels by area"),
        alt=_("Over all areas: %(first)s at first, %(last)s at last.", first=first.own or "—", last=last.own or "—"),
        headers=[_("Area"), *names],
        rows=rows,
        how=_(
            "Each area has two questions with levels from 1 (not there) to 5 (measured and improved); the point is "
            "their mean. The industry is what the participants think of its usual level, from the newest assessment."
        ),
    )


def cost_chart(offers: Sequence[budget.Offer]) -> Chart:
    """What the modes cost with the entered days."""
    rows: list[tuple[str, Decimal]] = [
        (str(word(MODES, offer.mode.key)), offer.amount) for offer in offers if offer.amount is not None
    ]
    return top_bars(
        rows,
        key="costs",
        title=_("What the modes cost"),
        how=_("Days of the adviser times the rate of a day; the rates are settings. Own staff costs no fee."),
        name_label=_("Mode"),
        value_label=_("Fee"),
        width=WIDE,
    )
