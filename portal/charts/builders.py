"""The usual charts, from plain rows. Texts (titles, units) come from the caller, in the reader's language."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from portal.charts.draw import INK
from portal.charts.figure import WIDE, WIDE_ONLY, Chart, chart
from portal.charts.theme import COLOURS, QUIET
from portal.i18n import _

Number = int | Decimal


def bar_by_month(
    rows: Sequence[tuple[str, Number]],
    *,
    key: str,
    title: str,
    how: str,
    value_label: str,
    money: bool = True,
    before: Sequence[tuple[str, Number]] = (),
    width: int = WIDE,
) -> Chart:
    """Bars over months; with `before`, the same months of the year before as quiet marks behind them.

    :param rows: ("2026-03", amount) in order, months without sales included as 0.
    :param value_label: what the amounts are ("Sales"). :param money: amounts are yuan (else plain counts).
    """
    divisor, unit = scale_of([value for _month, value in [*rows, *before]], money)
    earlier = {f"{int(month[:4]) + 1}{month[4:]}": value for month, value in before}
    values: list[dict[str, Any]] = [
        {
            "m": month,
            "v": _scaled(value, divisor),
            "b": _scaled(earlier[month], divisor) if month in earlier else None,
            "t": short(value, divisor),
        }
        for month, value in rows
    ]
    encoding_x = {
        "field": "m",
        "type": "ordinal",
        "title": None,
        "sort": None,
        "axis": {"labelExpr": _lookup(_month_labels([month for month, _value in rows])), "ticks": False},
    }
    y_title = _with_unit(value_label, unit)
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "bar"}, "encoding": {"y": _quantity("v", y_title)}},
    ]
    if earlier:
        names = [value_label, _("Year before")]
        colours = {"domain": names, "range": [COLOURS[0], INK]}
        layers[0]["encoding"]["color"] = {"datum": names[0], "scale": colours}
        layers.append(
            {
                "mark": {"type": "tick", "opacity": 0.85, "thickness": 2},
                "encoding": {"y": _quantity("b", y_title), "color": {"datum": names[1], "scale": colours}},
            }
        )
    elif len(values) <= 13:
        layers.append(
            {
                "name": WIDE_ONLY if len(values) > 7 else "values",
                "mark": {"type": "text", "dy": -7, "fontSize": 11},
                "encoding": {"y": _quantity("v", y_title), "text": {"field": "t"}},
            }
        )
    total = sum((value for _month, value in rows), Decimal(0) if money else 0)
    best = max(rows, key=lambda row: row[1], default=None)
    alt = (
        _(
            "%(label)s by month: %(total)s in all; highest in %(month)s with %(best)s.",
            label=value_label,
            total=amount(total, money),
            month=best[0],
            best=amount(best[1], money),
        )
        if best is not None and total
        else _("%(label)s by month: nothing in this period.", label=value_label)
    )
    headers = [_("Month"), value_label, *([_("Year before")] if earlier else [])]
    return chart(
        key,
        spec={"data": {"values": values}, "height": 240, "encoding": {"x": encoding_x}, "layer": layers},
        title=title,
        alt=alt,
        headers=headers,
        rows=[(month, value, *([earlier.get(month, "")] if earlier else [])) for month, value in rows],
        how=how,
        width=width,
    )


def top_bars(
    rows: Sequence[tuple[str, Number]],
    *,
    key: str,
    title: str,
    how: str,
    name_label: str,
    value_label: str,
    money: bool = True,
    rest: Number | None = None,
    width: int = WIDE,
) -> Chart:
    """Horizontal bars, the largest first, each with its name and value.

    :param rows: (name, amount), in the order to show. :param rest: amount of all others, drawn quietly at the end.
    """
    shown = [*rows, *([(_("All others"), rest)] if rest else [])]
    divisor, unit = scale_of([value for _name, value in shown], money)
    values: list[dict[str, Any]] = [
        {
            "n": f"{index:03d}",
            "name": name,
            "v": _scaled(value, divisor),
            "t": short(value, divisor),
            "c": QUIET if rest and index == len(rows) else COLOURS[0],
        }
        for index, (name, value) in enumerate(shown)
    ]
    y = {
        "field": "n",
        "type": "ordinal",
        "title": None,
        "sort": None,
        "axis": {"labelExpr": _lookup({row["n"]: row["name"] for row in values}), "labelOpacity": 1, "grid": False},
    }
    x_title = _with_unit(value_label, unit)
    x: dict[str, Any] = {**_quantity("v", x_title), "axis": {"grid": True, "tickCount": 4}}
    # Room for the number behind the longest bar.
    x["scale"] = {"domainMax": max((row["v"] for row in values), default=0) * 1.25 or 1, "nice": False}
    spec = {
        "data": {"values": values},
        "height": {"step": 26},
        "encoding": {"y": y},
        "layer": [
            {"mark": {"type": "bar"}, "encoding": {"x": x, "color": {"field": "c", "type": "nominal", "scale": None}}},
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 11},
                "encoding": {"x": x, "text": {"field": "t"}},
            },
        ],
    }
    total = sum((value for _name, value in shown), Decimal(0) if money else 0)
    if rows and total:
        alt = _(
            "%(first)s leads with %(value)s, %(percent)s%% of the %(total)s shown.",
            first=rows[0][0],
            value=amount(rows[0][1], money),
            percent=round(rows[0][1] * 100 / total),
            total=amount(total, money),
        )
    else:
        alt = _("%(label)s: nothing in this period.", label=value_label)
    return chart(
        key,
        spec=spec,
        title=title,
        alt=alt,
        headers=[name_label, value_label],
        rows=shown,
        how=how,
        width=width,
    )


def line(
    series: Sequence[tuple[str, Sequence[tuple[str, Number | None]]]],
    *,
    key: str,
    title: str,
    how: str,
    x_label: str,
    value_label: str,
    money: bool = False,
    zero: bool = True,
    width: int = WIDE,
) -> Chart:
    """One or more lines over the same steps (months, weeks), each with its name at its end.

    :param series: (name, [("2026-03", value or None for a gap)]) with the same steps in the same order; up to six.
    :param zero: whether the axis begins at zero.
    :raises ValueError: more series than there are colours.
    """
    if len(series) > len(COLOURS):
        raise ValueError(f"at most {len(COLOURS)} lines can be told apart")
    numbers = [value for _name, points in series for _step, value in points if value is not None]
    divisor, unit = scale_of(numbers, money)
    steps = list(dict.fromkeys(step for _name, points in series for step, _value in points))
    values: list[dict[str, Any]] = []
    for number, (name, points) in enumerate(series):
        last = max((index for index, (_s, value) in enumerate(points) if value is not None), default=-1)
        values.extend(
            {
                "s": step,
                "v": None if value is None else _scaled(value, divisor),
                "name": name,
                "k": number,
                "end": name if index == last and len(series) > 1 else "",
            }
            for index, (step, value) in enumerate(points)
        )
    y_title = _with_unit(value_label, unit)
    y = _quantity("v", y_title)
    y["scale"] = {"zero": zero}
    colour = {"field": "k", "type": "ordinal", "legend": None, "scale": {"range": list(COLOURS[: max(1, len(series))])}}
    spec = {
        "data": {"values": values},
        "height": 240,
        "encoding": {"x": {"field": "s", "type": "ordinal", "title": None, "sort": None}, "y": y},
        "layer": [
            {"mark": {"type": "line", "invalid": "break-paths-show-domains"}, "encoding": {"color": colour}},
            {"mark": {"type": "point", "invalid": "filter"}, "encoding": {"color": colour}},
            {
                "transform": [{"filter": "datum.end != ''"}],
                "mark": {"type": "text", "align": "right", "dy": -10, "fontSize": 11},
                "encoding": {"text": {"field": "end"}},
            },
        ],
    }
    parts = [
        _(
            "%(name)s: from %(first)s to %(last)s",
            name=name,
            first=amount(known[0], money),
            last=amount(known[-1], money),
        )
        for name, points in series
        if (known := [value for _step, value in points if value is not None])
    ]
    by_step = [(step, *(dict(points).get(step, "") for _name, points in series)) for step in steps]
    return chart(
        key,
        spec=spec,
        title=title,
        alt="; ".join(parts) or _("%(label)s: nothing in this period.", label=value_label),
        headers=[x_label, *(name for name, _points in series)],
        rows=[tuple("" if cell is None else cell for cell in row) for row in by_step],
        how=how,
        width=width,
    )


def stacked_by_month(
    rows: Sequence[tuple[str, Sequence[Number]]],
    *,
    groups: Sequence[str],
    key: str,
    title: str,
    how: str,
    value_label: str,
    money: bool = True,
    width: int = WIDE,
    colours: Sequence[str] = COLOURS,
) -> Chart:
    """Bars over months, each divided into the same groups (grades, departments); up to six groups.

    :param rows: ("2026-03", [amount of each group]).
    :param colours: one of the theme for each group, where another picture of the page has given them theirs.
    :raises ValueError: more groups than there are colours.
    """
    if len(groups) > len(COLOURS):
        raise ValueError(f"at most {len(COLOURS)} groups can be told apart")
    divisor, unit = scale_of([value for _month, parts in rows for value in parts], money)
    values = [
        {"m": month, "k": f"{number} {group}", "o": number, "v": _scaled(value, divisor)}
        for month, parts in rows
        for number, (group, value) in enumerate(zip(groups, parts, strict=True))
    ]
    labels = _month_labels([month for month, _parts in rows])
    names = {f"{number} {group}": group for number, group in enumerate(groups)}
    spec = {
        "data": {"values": values},
        "height": 260,
        "mark": "bar",
        "encoding": {
            "x": {
                "field": "m",
                "type": "ordinal",
                "title": None,
                "sort": None,
                "axis": {"labelExpr": _lookup(labels), "ticks": False},
            },
            "y": _quantity("v", _with_unit(value_label, unit), whole=not money),
            "color": {
                "field": "k",
                "type": "nominal",
                "sort": None,
                "scale": {"domain": list(names), "range": list(colours[: len(groups)])},
                "legend": {"labelExpr": _lookup(names)},
            },
            "order": {"field": "o", "type": "quantitative"},
        },
    }
    zero: Number = Decimal(0) if money else 0
    totals = [sum((parts[number] for _month, parts in rows), zero) for number in range(len(groups))]
    alt = "; ".join(f"{group} {amount(total, money)}" for group, total in zip(groups, totals, strict=True))
    return chart(
        key,
        spec=spec,
        title=title,
        alt=_("%(label)s by month: %(parts)s.", label=value_label, parts=alt),
        headers=[_("Month"), *groups, _("Total")],
        rows=[(month, *parts, sum(parts, zero)) for month, parts in rows],
        how=how,
        width=width,
    )


def _share_text(share: float) -> str:
    """ "52%"; below ten with a decimal, since a top of half a per cent is not nothing."""
    return f"{share:.1f}%" if 0 < share < 9.95 else f"{share:.0f}%"


def pyramid(
    rows: Sequence[tuple[str, int, Number]],
    *,
    key: str,
    title: str,
    how: str,
    name_label: str,
    count_label: str,
    value_label: str,
    width: int = WIDE,
) -> Chart:
    """A portfolio pyramid: tiers from the top down; left how many customers, right how much they buy, in percent each.

    :param rows: (tier, number of customers, yuan), the highest tier first.
    """
    customers = sum(count for _name, count, _value in rows) or 1
    money_total = sum((Decimal(value) for _name, _count, value in rows), Decimal(0)) or Decimal(1)
    values: list[dict[str, Any]] = []
    for index, (name, count, value) in enumerate(rows):
        share, worth = count * 100 / customers, float(Decimal(value) * 100 / money_total)
        values.append(
            {"n": f"{index:02d}", "name": name, "v": -share, "t": f"{_share_text(share)} · {count:,}", "k": 0}
        )
        values.append({"n": f"{index:02d}", "name": name, "v": worth, "t": _share_text(worth), "k": 1})
    y = {
        "field": "n",
        "type": "ordinal",
        "title": None,
        "sort": None,
        "axis": {"labelExpr": _lookup({row["n"]: row["name"] for row in values}), "labelOpacity": 1, "grid": False},
    }
    x = {
        "field": "v",
        "type": "quantitative",
        "title": f"← {count_label} · {value_label} →",
        "scale": {"domain": [-170, 125]},
        "axis": {"labelExpr": "abs(datum.value) + '%'", "grid": True, "values": [-100, -50, 0, 50, 100]},
    }
    side = {"field": "k", "type": "ordinal", "legend": None, "scale": {"range": [QUIET, COLOURS[0]]}}
    layers: list[dict[str, Any]] = [{"mark": {"type": "bar"}, "encoding": {"x": x, "color": side}}]
    for number, align, offset in ((0, "right", -4), (1, "left", 4)):
        layers.append(
            {
                "transform": [{"filter": f"datum.k == {number}"}],
                "mark": {"type": "text", "align": align, "dx": offset, "fontSize": 11},
                "encoding": {"x": x, "text": {"field": "t"}},
            }
        )
    first = rows[0] if rows else None
    return chart(
        key,
        spec={"data": {"values": values}, "height": {"step": 34}, "encoding": {"y": y}, "layer": layers},
        title=title,
        alt=_(
            "%(tier)s: %(count)s of %(all)s customers bring %(percent)s%% of the sales.",
            tier=first[0],
            count=first[1],
            all=customers,
            percent=round(Decimal(first[2]) * 100 / money_total),
        )
        if first
        else _("There are no customers yet."),
        headers=[name_label, count_label, value_label],
        rows=list(rows),
        how=how,
        width=width,
    )


# ---- numbers -------------------------------------------------------------------------------------------------------


def scale_of(values: Sequence[Number], money: bool) -> tuple[int, str]:
    """Divisor and unit for an axis: yuan, 10,000 yuan or 100 million yuan, by the largest value."""
    largest = max((abs(Decimal(value)) for value in values), default=Decimal(0))
    if not money:
        return 1, ""
    if largest >= 100_000_000:
        return 100_000_000, _("100 million yuan")
    if largest >= 10_000:
        return 10_000, _("10,000 yuan")
    return 1, _("yuan")


def short(value: Number, divisor: int) -> str:
    """A value for a mark: three digits are enough ("12.3", "1,250")."""
    scaled = Decimal(value) / divisor
    digits = 0 if abs(scaled) >= 100 or scaled == scaled.to_integral_value() else 1 if abs(scaled) >= 10 else 2
    return f"{scaled:,.{digits}f}"


def amount(value: Number, money: bool) -> str:
    """A value in a sentence."""
    return f"¥{Decimal(value):,.2f}" if money else f"{value:,}"


def _scaled(value: Number, divisor: int) -> float:
    """Only for the length of a mark; texts and tables keep the exact value."""
    return float(Decimal(value) / divisor)


def _quantity(field: str, title: str, whole: bool = False) -> dict[str, Any]:
    """An axis of amounts. :param whole: things that are counted: no marks between two whole numbers."""
    axis = {"tickCount": 5, **({"tickMinStep": 1, "format": "d"} if whole else {})}
    return {"field": field, "type": "quantitative", "title": title, "axis": axis}


def _with_unit(label: str, unit: str) -> str:
    """The title of an axis with its unit in the reader's brackets."""
    return _("%(text)s (%(more)s)", text=label, more=unit) if unit else label


def _month_labels(months: Sequence[str]) -> dict[str, str | list[str]]:
    """ "3" for March; below it the year where one begins, and under the first month unless the next begins one."""
    named = {month for month in months if month.endswith("-01")}
    if months and not any(month in named for month in months[:2]):
        named.add(months[0])
    return {month: [str(int(month[5:7])), month[:4]] if month in named else str(int(month[5:7])) for month in months}


def _lookup(labels: Mapping[str, str | list[str]]) -> str:
    """A Vega expression that gives each value its label; texts are data, so they are quoted, never pasted."""
    return f"{json.dumps(labels, ensure_ascii=True)}[datum.value]"
