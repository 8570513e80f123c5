"""Pictures of opportunities."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from plugins.key_accounts.opportunities import vocabulary as words
from plugins.key_accounts.opportunities.matrix import Gap
from plugins.key_accounts.opportunities.models import SOURCES
from plugins.key_accounts.opportunities.queries import ForecastMonth, Matrix
from portal.charts import Chart, builders, chart
from portal.charts.theme import COLOURS, QUIET
from portal.core.money import format_yuan
from portal.i18n import _


def matrix_chart(matrix: Matrix) -> Chart:
    """Points: probability across, size upwards (logarithmic); the two thresholds part the four fields."""
    names = [words.word(words.ANSWERS, answer) for answer in words.ANSWERS]
    values = [
        {
            "p": row.probability,
            # A logarithmic axis knows no zero: below a hundred yuan all lie on its edge.
            "v": max(int(row.amount), 100),
            "a": words.word(words.ANSWERS, matrix.rule.answer(row.amount, row.probability)),
        }
        for row in matrix.points
    ]
    top = max([int(matrix.rule.large) * 10, *(int(value["v"]) * 2 for value in values)])
    bottom = min([max(int(matrix.rule.large) // 20, 100), *(max(int(value["v"]) // 2, 50) for value in values)])
    x = {
        "field": "p",
        "type": "quantitative",
        "title": _("Probability, per cent"),
        "scale": {"domain": [0, 100]},
        "axis": {"grid": False, "tickCount": 10},
    }
    y = {
        "field": "v",
        "type": "quantitative",
        "title": _("Amount (yuan)"),
        "scale": {"type": "log", "domain": [bottom, top]},
        "axis": {"grid": False, "format": ",", "tickCount": 4},
    }
    labels = [
        {
            "x": 100 if field.is_likely else 0,
            "y": top if field.is_large else bottom,
            "t": words.word(words.ANSWERS, field.answer),
            "align": "right" if field.is_likely else "left",
            "base": "top" if field.is_large else "bottom",
        }
        for field in matrix.fields
    ]
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": [{"x": matrix.rule.likely}]},
            "mark": {"type": "rule", "strokeDash": [4, 4], "color": QUIET},
            "encoding": {"x": {"field": "x", "type": "quantitative"}},
        },
        {
            "data": {"values": [{"y": max(int(matrix.rule.large), 100)}]},
            "mark": {"type": "rule", "strokeDash": [4, 4], "color": QUIET},
            "encoding": {"y": {"field": "y", "type": "quantitative"}},
        },
        {
            "data": {"values": values},
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0.75},
            "encoding": {
                "x": x,
                "y": y,
                "color": {
                    "field": "a",
                    "type": "nominal",
                    "title": None,
                    "scale": {"domain": names, "range": [COLOURS[index % len(COLOURS)] for index in range(len(names))]},
                },
            },
        },
    ]
    for label in labels:
        layers.append(
            {
                "data": {"values": [label]},
                "mark": {
                    "type": "text",
                    "align": label["align"],
                    "baseline": label["base"],
                    "dx": -4 if label["align"] == "right" else 4,
                    "dy": 4 if label["base"] == "top" else -4,
                    "fontSize": 12,
                    "fontWeight": 600,
                },
                "encoding": {
                    "x": {"field": "x", "type": "quantitative"},
                    "y": {"field": "y", "type": "quantitative"},
                    "text": {"field": "t"},
                },
            }
        )
    act = next(field for field in matrix.fields if field.is_large and field.is_likely)
    return chart(
        "opportunity-matrix",
        spec={"height": 340, "layer": layers},
        title=_("Size against probability"),
        alt=_(
            "%(count)s open opportunities; %(act)s of them are large and likely, worth %(amount)s.",
            count=matrix.count,
            act=act.totals.count,
            amount=format_yuan(act.totals.amount, symbol=True),
        ),
        headers=[_("Sales opportunity"), _("Customer"), _("Amount"), _("Probability"), _("What to do with it")],
        rows=[
            (
                row.title,
                row.customer,
                format_yuan(row.amount),
                f"{row.probability}%",
                words.word(words.ANSWERS, matrix.rule.answer(row.amount, row.probability)),
            )
            for row in matrix.points
        ],
        how=_(
            "Large: from %(large)s; likely: from %(likely)s%%. A value at the threshold counts as large, "
            "or likely. Thresholds and answers are settings. The picture shows at most the 200 largest; "
            "the totals count all.",
            large=format_yuan(matrix.rule.large, symbol=True),
            likely=matrix.rule.likely,
        ),
    )


def forecast_chart(months: list[ForecastMonth]) -> Chart:
    """Weighted amounts by the month of the expected close and by source."""
    used = [source for source in SOURCES if any(month.weighted.get(source) for month in months)] or [SOURCES[0]]
    return builders.stacked_by_month(
        [
            (
                f"{month.month[0]:04d}-{month.month[1]:02d}",
                [month.weighted.get(source, Decimal(0)) for source in used],
            )
            for month in months
        ],
        groups=[words.word(words.SOURCES, source) for source in used],
        key="opportunity-forecast",
        title=_("Expected by month"),
        value_label=_("Weighted amount"),
        how=_(
            "Amount × probability of each open opportunity, in the month of its expected close; summed by "
            "the database in whole fen × per cent and rounded once. Overdue ones stand beside the picture."
        ),
    )


def gap_chart(gap: Gap) -> Chart:
    """From the target down: sold, promised by opportunities of each source, not covered."""
    rows = [
        (_("Sold so far"), gap.sold),
        *((words.word(words.SOURCES, line.source), line.open_weighted) for line in gap.lines if line.open_weighted),
        (_("Not covered"), gap.uncovered),
    ]
    return builders.top_bars(
        rows,
        key="opportunity-gap",
        title=_("How the target is covered"),
        name_label=_("Part"),
        value_label=_("Amount"),
        how=_(
            "Sold so far: purchases of the year of the customers of everybody with a target. "
            "Opportunities: open ones of the same people with an expected close in the year, amount × "
            "probability. Not covered: target − sold − opportunities, never below zero."
        ),
    )
