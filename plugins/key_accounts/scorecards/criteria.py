"""The criteria of the scorecards and how the portal grades those for which it has figures (R-KA-3, R-KA-4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from plugins.key_accounts.measures.models import CustomerMeasure, percent
from plugins.key_accounts.scorecards.models import QUALIFICATION, RISK, SELECTION
from portal.core.money import format_yuan
from portal.i18n import _, _l, _n

#: A grade from which a criterion counts as met.
MET = 3
HIGHEST = 5


@dataclass(frozen=True)
class Found:
    """A grade that follows from figures. :ivar figure: the figures in words."""

    grade: int
    figure: str


@dataclass(frozen=True)
class Criterion:
    """A question of a scorecard, answered 0 … 5.

    :ivar group: "pre" (all must be met), "one_of" (at least one), "score", "admission" (thresholds), "guide" (noted,
        not counted), "risk" (5 is a high risk). :ivar figures: grades from the measures, or None without data.
    """

    key: str
    label: Any
    group: str
    figures: Callable[[CustomerMeasure], Found | None] | None = None


def _steps(value: int, limits: tuple[int, ...]) -> int:
    """How many limits a value reaches."""
    return sum(1 for limit in limits if value >= limit)


def _repeats(measure: CustomerMeasure) -> Found | None:
    if measure.first_purchase_on is None:
        return None
    return Found(
        min(HIGHEST, measure.repeat_years + 1 if measure.repeat_years > 1 else measure.repeat_years),
        _n("bought in %(num)s of five years", "bought in %(num)s of five years", measure.repeat_years),
    )


def _size(measure: CustomerMeasure) -> Found | None:
    if not measure.sales or not measure.abc:
        return None
    return Found(
        {"A": 5, "B": 3}.get(measure.abc, 2),
        _("class %(abc)s with %(amount)s in twelve months", abc=measure.abc, amount=format_yuan(measure.sales)),
    )


def _margin(measure: CustomerMeasure) -> Found | None:
    margin = measure.margin
    if margin is None:
        return None
    return Found(_steps(margin, (1, 10, 20, 30, 40)), _("gross margin %(percent)s%%", percent=margin))


def _profit(measure: CustomerMeasure) -> Found | None:
    if not measure.sales:
        return None
    share = percent(measure.profit, measure.sales)
    return Found(_steps(share, (0, 5, 10, 20, 30)), _("profit contribution %(percent)s%% of sales", percent=share))


def _payment(measure: CustomerMeasure) -> Found | None:
    days = measure.payment_days
    if days is None:
        return None
    return Found(
        HIGHEST - _steps(days, (16, 31, 46, 61, 91)), _n("pays after %(num)s day", "pays after %(num)s days", days)
    )


def _cost_to_serve(measure: CustomerMeasure) -> Found | None:
    if not measure.sales:
        return None
    share = percent(measure.contact_cost, measure.sales)
    return Found(HIGHEST - _steps(share, (2, 4, 7, 11, 20)), _("contacts cost %(percent)s%% of sales", percent=share))


def _growth(measure: CustomerMeasure) -> Found | None:
    growth = measure.growth
    if growth is None:
        return None
    return Found(_steps(growth, (-20, 0, 5, 15, 30)), _("sales %(percent)s%%", percent=f"{growth:+d}"))


def _credit_risk(measure: CustomerMeasure) -> Found | None:
    if not measure.sales:
        return (
            Found(5, _("open %(amount)s, no sales", amount=format_yuan(measure.open_amount)))
            if (measure.open_amount)
            else None
        )
    share = percent(measure.open_amount, measure.sales)
    return Found(
        _steps(share, (5, 15, 25, 40, 60)),
        _("open %(amount)s, %(percent)s%% of sales", amount=format_yuan(measure.open_amount), percent=share),
    )


def _margin_risk(measure: CustomerMeasure) -> Found | None:
    found = _margin(measure)
    return None if found is None else Found(HIGHEST - found.grade, found.figure)


def _loss_risk(measure: CustomerMeasure) -> Found | None:
    found = _growth(measure)
    return None if found is None else Found(HIGHEST - found.grade, found.figure)


CRITERIA: dict[str, tuple[Criterion, ...]] = {
    QUALIFICATION: (
        Criterion("suits", _l("Our products suit them"), "pre"),
        Criterion("central", _l("They buy centrally"), "pre"),
        Criterion("repeats", _l("They buy repeatedly, every year"), "pre", _repeats),
        Criterion("contract", _l("Large orders with a contract of one or two years or longer"), "one_of"),
        Criterion("strategic", _l("Strategic project"), "one_of"),
        Criterion("influence", _l("Influence on our business or image, now or later"), "one_of"),
        Criterion("absorbs", _l("Able to absorb technology and to innovate"), "one_of"),
        Criterion("market", _l("Strong in developing the market"), "one_of"),
    ),
    SELECTION: (
        Criterion("power", _l("Buying wish and power"), "score", _size),
        Criterion("high_profit", _l("Buys high-profit products"), "score", _margin),
        Criterion("profitable", _l("Profitable for us"), "score", _profit),
        Criterion("price", _l("Not price-sensitive"), "score"),
        Criterion("payment", _l("Pays on time"), "score", _payment),
        Criterion("credit", _l("Creditworthy"), "score"),
        Criterion("cheap", _l("Cheap to serve"), "score", _cost_to_serve),
        Criterion("partner", _l("Willing to be a partner"), "score"),
        Criterion("loyal", _l("Loyal"), "score", _repeats),
        Criterion("growth", _l("Growing"), "score", _growth),
        Criterion("strength", _l("Lets us do what we are good at"), "score"),
        Criterion("pushes", _l("Pushes us to improve"), "score"),
        Criterion("size", _l("Size"), "admission"),
        Criterion("funds", _l("Funds"), "admission"),
        Criterion("reputation", _l("Reputation"), "admission"),
        Criterion("management", _l("Management"), "admission"),
        Criterion("technical", _l("Technical strength"), "admission"),
        Criterion("positioning", _l("Fits our positioning"), "guide"),
        Criterion("type", _l("Of a good type"), "guide"),
        Criterion("potential", _l("Has potential"), "guide"),
        Criterion("matched", _l("Well matched with us in size"), "guide"),
        Criterion("similar", _l("Similar to our loyal customers"), "guide"),
    ),
    RISK: (
        Criterion("credit", _l("Credit"), "risk", _credit_risk),
        Criterion("margin", _l("Pressure on the margin"), "risk", _margin_risk),
        Criterion("demands", _l("Extra demands"), "risk"),
        Criterion("loss", _l("Loss of the customer"), "risk", _loss_risk),
        Criterion("competitor", _l("Becoming a competitor"), "risk"),
    ),
}
GROUPS: dict[str, Any] = {
    "pre": _l("Preconditions: all of them"),
    "one_of": _l("At least one of these"),
    "score": _l("A good customer"),
    "admission": _l("Admission: each at its threshold"),
    "guide": _l("Guiding ideas (noted, not counted)"),
    "risk": _l("Risks of the large customer (5 is a high risk)"),
}
TITLES: dict[str, Any] = {
    QUALIFICATION: _l("Qualification"),
    SELECTION: _l("Selection"),
    RISK: _l("Risks"),
}
QUALIFIED, NOT_QUALIFIED, OPEN = "qualified", "not_qualified", "open"
VERDICTS: dict[str, Any] = {
    QUALIFIED: _l("Qualified"),
    NOT_QUALIFIED: _l("Not qualified"),
    OPEN: _l("Not all answered yet"),
    "": "",
}
VERDICT_TONES = {QUALIFIED: "success", NOT_QUALIFIED: "danger", OPEN: "neutral", "": "neutral"}


@dataclass(frozen=True)
class Limits:
    """:ivar score: least score of a selection; :ivar admission: least grade of each admission criterion."""

    score: int = 60
    admission: int = MET


def score_of(card: str, grades: Mapping[str, int | None]) -> int | None:
    """Mean of the answered criteria that count, 0 … 100, rounded half up; None when none was answered."""
    known = [
        grade
        for criterion in CRITERIA[card]
        if criterion.group != "guide" and (grade := grades.get(criterion.key)) is not None
    ]
    return percent(Decimal(sum(known)), Decimal(len(known) * HIGHEST)) if known else None


def verdict_of(card: str, grades: Mapping[str, int | None], limits: Limits) -> str:
    """What a scorecard says; open while it can still turn out both ways."""
    groups: dict[str, list[int | None]] = {}
    for criterion in CRITERIA[card]:
        groups.setdefault(criterion.group, []).append(grades.get(criterion.key))
    if card == QUALIFICATION:
        pre, one_of = groups["pre"], groups["one_of"]
        if any(grade is not None and grade < MET for grade in pre):
            return NOT_QUALIFIED
        if all(grade is not None and grade < MET for grade in one_of):
            return NOT_QUALIFIED
        met = all(grade is not None for grade in pre) and any(grade is not None and grade >= MET for grade in one_of)
        return QUALIFIED if met else OPEN
    if card == SELECTION:
        admission = groups["admission"]
        if any(grade is not None and grade < limits.admission for grade in admission):
            return NOT_QUALIFIED
        if any(grade is None for grade in [*admission, *groups["score"]]):
            return OPEN
        score = score_of(card, grades)
        return QUALIFIED if score is not None and score >= limits.score else NOT_QUALIFIED
    return ""


def figures_of(card: str, measure: CustomerMeasure | None) -> dict[str, Found]:
    """Criterion → grade from the measures, where there are figures."""
    if measure is None:
        return {}
    found = {item.key: item.figures(measure) for item in CRITERIA[card] if item.figures is not None}
    return {key: value for key, value in found.items() if value is not None}
