"""Pictures of the portfolio."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from plugins.key_accounts.measures.models import share_of
from plugins.key_accounts.portfolio.queries import Portfolio
from plugins.key_accounts.portfolio.whatif import REFERENCE
from plugins.key_accounts.tiers.vocabulary import tier_word
from portal.charts import Chart, chart
from portal.charts.builders import pyramid
from portal.charts.theme import COLOURS, QUIET
from portal.i18n import _, current_language


def shares(portfolio: Portfolio) -> dict[str, dict[str, Decimal | None]]:
    """measure → tier → share in per cent, one decimal; None where the whole is not above zero."""
    total = portfolio.total
    found: dict[str, dict[str, Decimal | None]] = {}
    for name, whole in (
        ("customers", total.customers),
        ("sales", total.sales),
        ("profit", total.profit),
        ("hours", total.minutes),
    ):
        column = "minutes" if name == "hours" else name
        found[name] = {
            item.tier: share_of(getattr(item, column), whole) if whole > 0 else None for item in portfolio.tiers
        }
    return found


#: Portfolios whose pictures are remembered; the same figures in the same language make the same picture.
REMEMBERED = 128


def pictures_of(portfolio: Portfolio) -> tuple[Chart, Chart]:
    """The pyramid and the bars, drawn once for the same figures: putting their description together takes longer than
    all questions of the page."""
    drawn = _pictures(portfolio, current_language())
    if not all(picture.plain for picture in drawn):
        _pictures.cache_clear()  # a picture that could not be drawn is tried again
    return drawn


@lru_cache(maxsize=REMEMBERED)
def _pictures(portfolio: Portfolio, _language: str) -> tuple[Chart, Chart]:
    return pyramid_of(portfolio), bars_of(portfolio)


def pyramid_of(portfolio: Portfolio) -> Chart:
    """Customers and sales per tier."""
    return pyramid(
        [(tier_word(item.tier), item.customers, item.sales) for item in portfolio.tiers],
        key="portfolio-pyramid",
        title=_("Customers and sales by tier"),
        name_label=_("Tier"),
        count_label=_("Customers"),
        value_label=_("Sales amount"),
        how=_("Number of customers and sales of the last twelve months in each tier, in per cent of all."),
    )


def bars_of(portfolio: Portfolio) -> Chart:
    """Shares of customers, sales, profit and hours per tier beside the reference portfolio."""
    found = shares(portfolio)
    labels = {
        "customers": _("Customers"),
        "sales": _("Sales amount"),
        "profit": _("Profit contribution"),
        "hours": _("Contact hours"),
    }
    values: list[dict[str, Any]] = []
    rows: list[tuple[Any, ...]] = []
    names = [tier_word(item.tier) for item in portfolio.tiers]
    for order, (name, label) in enumerate(labels.items()):
        reference: dict[str, Decimal | None] = {
            tier: Decimal(value) for tier, value in REFERENCE["sales" if name == "profit" else name].items()
        }
        for kind, caption in (("now", label), ("reference", _("%(name)s, reference", name=label))):
            numbers = found[name] if kind == "now" else reference
            rows.append((caption, *(_shown(numbers[item.tier]) for item in portfolio.tiers)))
            for number, item in enumerate(portfolio.tiers):
                share = numbers[item.tier]
                values.append(
                    {
                        "row": f"{order}{'b' if kind == 'reference' else 'a'}",
                        "name": caption,
                        "k": number,
                        "tier": names[number],
                        # A tier that loses money has no length: its share stands in the table.
                        "v": float(max(0, share or 0)),
                        "o": 0.55 if kind == "reference" else 1,
                        "t": _shown(share) if share is not None and share >= 6 else "",
                    }
                )
    lookup = {row["row"]: row["name"] for row in values}
    expression = " ".join(f"datum.value == '{key}' ? '{label}' :" for key, label in lookup.items()) + " ''"
    stack = {
        "field": "v",
        "type": "quantitative",
        "stack": "zero",
        "title": None,
        "scale": {"domain": [0, 100]},
        "axis": {"labelExpr": "datum.value + '%'", "values": [0, 25, 50, 75, 100]},
    }
    spec: dict[str, Any] = {
        "data": {"values": values},
        "height": {"step": 24},
        "encoding": {
            "y": {
                "field": "row",
                "type": "ordinal",
                "title": None,
                "sort": None,
                "axis": {"labelExpr": expression, "labelOpacity": 1, "grid": False},
            },
            "x": stack,
            "order": {"field": "k"},
        },
        "layer": [
            {
                "mark": {"type": "bar", "clip": True},
                "encoding": {
                    "color": {
                        "field": "tier",
                        "type": "nominal",
                        "scale": {"domain": names, "range": [COLOURS[0], COLOURS[2], QUIET]},
                    },
                    "opacity": {"field": "o", "type": "quantitative", "scale": None},
                },
            },
        ],
    }
    first = portfolio.tiers[0]
    return chart(
        "portfolio-bars",
        spec=spec,
        title=_("The portfolio beside the reference"),
        alt=_(
            "%(tier)s: %(customers)s of the customers bring %(sales)s of the sales with %(hours)s of the hours.",
            tier=tier_word(first.tier),
            customers=_shown(found["customers"][first.tier]),
            sales=_shown(found["sales"][first.tier]),
            hours=_shown(found["hours"][first.tier]),
        ),
        headers=[_("Share"), *names],
        rows=rows,
        how=_(
            "Shares of each tier over the last twelve months, in per cent. Hours are those of the recorded "
            "interactions, for each of our people who took part. The reference: customers 4/16/80, sales or profit "
            "64/16/20, hours 10/30/60. A tier with a loss has no bar; its share stands in the table."
        ),
    )


def _shown(share: int | Decimal | None) -> str:
    return "—" if share is None else f"{share}%"
