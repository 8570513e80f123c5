"""Pictures of the archive's figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from plugins.archive.reports.figures import Assessment, TargetRow
from plugins.archive.reports.models import ArchiveForecast
from plugins.archive.reports.stock import ProductOutlook
from portal.charts import Chart
from portal.charts.builders import bar_by_month, scale_of, top_bars
from portal.charts.figure import chart
from portal.charts.theme import COLOURS, QUIET
from portal.i18n import _

ZERO = Decimal("0")


def run_out(rows: Sequence[ProductOutlook], today: date) -> Chart:
    """Days until each product runs out, with their span."""
    shown = [row for row in rows if row.outlook.runs_out is not None and row.outlook.runs_out >= today][:12]
    values: list[dict[str, Any]] = []
    for index, row in enumerate(shown):
        said = row.outlook
        assert said.runs_out is not None  # chosen above
        days = (said.runs_out - today).days
        low = max((said.earliest - today).days, 0) if said.earliest else days
        high = (said.latest - today).days if said.latest else days
        values.append({"n": f"{index:02d}", "name": row.product, "v": days, "low": low, "high": high})
    labels = {row["n"]: row["name"] for row in values}
    y = {
        "field": "n",
        "type": "ordinal",
        "title": None,
        "sort": None,
        "axis": {"labelExpr": _labels(labels), "labelOpacity": 1, "grid": False},
    }
    x = {"type": "quantitative", "title": _("Days from today"), "axis": {"grid": True, "tickCount": 6}}
    spec = {
        "data": {"values": values},
        "height": {"step": 26},
        "encoding": {"y": y},
        "layer": [
            {
                "mark": {"type": "bar", "height": 8, "color": QUIET},
                "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "color": COLOURS[0]},
                "encoding": {"x": {"field": "v", **x}},
            },
        ],
    }
    first = shown[0] if shown else None
    return chart(
        "run-out",
        spec=spec,
        title=_("When products run out"),
        alt=_("%(product)s runs out first, in about %(days)s days.", product=first.product, days=values[0]["v"])
        if first
        else _("Nothing runs out within two years."),
        headers=[_("Product"), _("Runs out"), _("Earliest"), _("Latest")],
        rows=[
            (
                row.product,
                str(row.outlook.runs_out),
                str(row.outlook.earliest or "—"),
                str(row.outlook.latest or "—"),
            )
            for row in shown
        ],
        how=_(
            "Estimated units left today divided by the rate of use. "
            "The bar is the span that the uncertainty of the rate makes."
        ),
    )


def attainment(rows: Sequence[TargetRow]) -> Chart | None:
    """Attainment in percent, of departments and account managers with a target."""
    known = [(row.name, row.percent) for row in rows if row.percent is not None]
    if not known:
        return None
    return top_bars(
        sorted(((name, percent or 0) for name, percent in known), key=lambda pair: -pair[1])[:16],
        key="attainment",
        title=_("Attainment in percent of the target"),
        how=_("Purchases after discount, not cancelled, by day of purchase, divided by the target of the period."),
        name_label=_("Name"),
        value_label=_("Percent"),
        money=False,
    )


def indexes(rows: Sequence[Assessment]) -> Chart:
    """The index of each account manager."""
    return top_bars(
        [(row.name, row.index) for row in rows if row.index is not None][:16],
        key="index",
        title=_("Index of the measures"),
        how=_(
            "Weighted mean of attainment (40%%), growth (20%%), punctual reports (20%%) and payment (20%%), "
            "each from 0 to %(most)s; a measure that cannot be told is left out.",
            most=100,
        ),
        name_label=_("Account manager"),
        value_label=_("Index"),
        money=False,
    )


def forecast(found: ArchiveForecast, name: str) -> Chart:
    """Past months as a line, the months ahead with their interval."""
    result = found.result
    past = result["past"][-18:]
    numbers = [Decimal(str(value)) for _month, value in past] + [Decimal(str(value)) for value in result["high"]]
    divisor, unit = scale_of(numbers, True)
    values: list[dict[str, Any]] = [{"m": month, "v": value / divisor} for month, value in past]
    # The forecast begins where the past ends, so that the lines meet.
    ahead = [
        {"m": past[-1][0], "f": past[-1][1] / divisor, "low": past[-1][1] / divisor, "high": past[-1][1] / divisor}
    ]
    ahead += [
        {"m": month, "f": expected / divisor, "low": low / divisor, "high": high / divisor}
        for month, expected, low, high in zip(
            result["months"], result["expected"], result["low"], result["high"], strict=True
        )
    ]
    x = {"field": "m", "type": "ordinal", "title": None, "sort": [*(m for m, _v in past), *result["months"]]}
    y_title = _("Sales (%(unit)s)", unit=unit) if unit else _("Sales amount")

    def y(name: str) -> dict[str, Any]:
        return {"field": name, "type": "quantitative", "title": y_title, "axis": {"tickCount": 5}}

    spec = {
        "height": 280,
        "layer": [
            {
                "data": {"values": ahead},
                "mark": {"type": "area", "opacity": 0.22, "color": COLOURS[0]},
                "encoding": {"x": x, "y": y("low"), "y2": {"field": "high"}},
            },
            {
                "data": {"values": values},
                "mark": {"type": "line", "color": COLOURS[0]},
                "encoding": {"x": x, "y": y("v")},
            },
            {
                "data": {"values": ahead},
                "mark": {"type": "line", "color": COLOURS[0], "strokeDash": [6, 4]},
                "encoding": {"x": x, "y": y("f")},
            },
        ],
    }
    rows = [(month, _yuan(value), "", "") for month, value in past] + [
        (month, _yuan(expected), _yuan(low), _yuan(high))
        for month, expected, low, high in zip(
            result["months"], result["expected"], result["low"], result["high"], strict=True
        )
    ]
    return chart(
        "forecast",
        spec=spec,
        title=_("Sales forecast: %(name)s", name=name),
        alt=_(
            "Expected for %(month)s: %(amount)s, with four chances in five between %(low)s and %(high)s.",
            month=result["months"][0],
            amount=_yuan(result["expected"][0]),
            low=_yuan(result["low"][0]),
            high=_yuan(result["high"][0]),
        ),
        headers=[_("Month"), _("Sales amount"), _("Lower bound"), _("Upper bound")],
        rows=rows,
        how=_(
            "Exponential smoothing with a damped trend, and with the season of the year from two years of months on "
            "(state space form, fitted by maximum likelihood). The area is an interval of %(n)s%%. "
            "Only complete months count.",
            n=80,
        ),
    )


def plan(sales: dict[str, Decimal], found: ArchiveForecast | None, today: date) -> Chart:
    """The months of this year: what was sold, then what is expected."""
    months = [f"{today.year}-{month:02d}" for month in range(1, 13)]
    expected = dict(zip(found.result["months"], found.result["expected"], strict=True)) if found else {}
    rows = []
    for month in months:
        sold = sales.get(month, ZERO)
        guess = Decimal(str(round(expected.get(month, 0), 2)))
        rows.append((month, max(sold, guess) if month >= f"{today.year}-{today.month:02d}" else sold))
    return bar_by_month(
        rows,
        key="plan",
        title=_("Sales of the year: sold and expected"),
        value_label=_("Sales amount"),
        how=_("Past months: purchases. The present and coming months: the forecast, or what was sold already if more."),
    )


def _labels(labels: dict[str, str]) -> str:
    return f"{json.dumps(labels, ensure_ascii=True)}[datum.value]"


def _yuan(value: float) -> str:
    return f"¥{value:,.0f}"
