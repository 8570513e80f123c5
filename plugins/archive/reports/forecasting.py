"""Sales forecasts by month: exponential smoothing (state space form, Hyndman et al.) of statsmodels.

The library is heavy, so it is loaded only while a forecast is computed, in the worker. Kept with a forecast: the model
chosen, the months ahead with an interval of 80 %, and the error of a backtest.

Model: level and damped trend, additive errors; with twenty-four months or more the season of twelve months besides.
Backtest: the last months (up to six) are forecast from those before them; the error is the sum of the absolute
differences over the sum of the true values (weighted absolute percentage error): months without sales do not break it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: Fewer months than this are no base for a forecast.
LEAST_MONTHS = 8
SEASON = 12
AHEAD = 6
#: Part of the interval that is left out: 0.2 makes an interval of 80 %.
ALPHA = 0.2
BACKTEST_MONTHS = 6


@dataclass(frozen=True)
class Forecast:
    """The months ahead: expected, lower and upper bound, in the unit of the input; never below zero.

    :ivar method: "damped trend" or "damped trend and season". :ivar error: of the backtest, 0.12 is 12 %; None: too few
        months.
    """

    method: str
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    error: float | None


def forecast(values: Sequence[float], ahead: int = AHEAD) -> Forecast | None:
    """Forecast a monthly series; None with fewer than eight months or nothing but zeros."""
    if len(values) < LEAST_MONTHS or not any(values):
        return None
    expected, low, high = _predict(values, ahead)
    held = min(BACKTEST_MONTHS, len(values) // 4)
    error = None
    past, truth = values[:-held], values[-held:]
    if len(past) >= LEAST_MONTHS and any(past) and sum(truth) > 0:
        guessed, _low, _high = _predict(past, held)
        error = sum(abs(guess - true) for guess, true in zip(guessed, truth, strict=True)) / sum(truth)
    method = "damped trend and season" if _has_season(values) else "damped trend"
    return Forecast(method, expected, low, high, error)


def _has_season(values: Sequence[float]) -> bool:
    return len(values) >= 2 * SEASON


def _predict(values: Sequence[float], ahead: int) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    import pandas  # type: ignore[import-untyped]
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel  # type: ignore[import-untyped]

    # Scaled to about one: the optimiser stops at absolute tolerances.
    scale = max(abs(value) for value in values) or 1.0
    data = pandas.Series([float(value) / scale for value in values])
    seasonal: dict[str, Any] = {"seasonal": "add", "seasonal_periods": SEASON} if _has_season(values) else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = ETSModel(data, error="add", trend="add", damped_trend=True, **seasonal).fit(disp=False)
        predicted = fitted.get_prediction(start=len(data), end=len(data) + ahead - 1)
        frame = predicted.summary_frame(alpha=ALPHA)
    columns = ("mean", "pi_lower", "pi_upper")
    expected, low, high = (tuple(max(float(v) * scale, 0.0) for v in frame[name]) for name in columns)
    return expected, low, high
