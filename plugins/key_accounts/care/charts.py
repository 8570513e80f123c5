"""The picture of a customer's demand forecast."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.key_accounts.care.rules import ForecastMonth
from portal.charts import Chart, builders
from portal.i18n import _


def forecast_chart(months: Sequence[ForecastMonth]) -> Chart:
    """What the customer said against what it bought, month by month."""
    return builders.line(
        [
            (_("Forecast by the customer"), [(month.month.isoformat()[:7], month.forecast) for month in months]),
            (_("Bought in fact"), [(month.month.isoformat()[:7], month.actual) for month in months]),
        ],
        key="demand-forecast",
        title=_("Forecast against actuals"),
        x_label=_("Month"),
        value_label=_("Amount"),
        money=True,
        how=_(
            "Bought: purchases that were not cancelled, by the month of the purchase; the present month is not over "
            "and is left out. Forecast: of each month the latest the customer gave before it began."
        ),
    )
