"""Pictures as SVG with their table.

``chart(…)`` draws any Vega-Lite specification; `portal.charts.builders` has the usual ones. The template shows the
result with ``ui.figure(chart)``; a document gets ``chart.as_primitives()`` in its context.
"""

from portal.charts.figure import Chart, chart

__all__ = ["Chart", "chart"]
