"""The charts of a fleet, for screen and report alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go

from core import charts
from core.evaluation.survival import plotting_positions
from core.messages import Message
from core.workflows.fleet_lives import FleetLives
from core.workflows.fleet_plan import FleetView
from core.workflows.unit_words import spoken_unit

SMOOTH = 200
Text = Callable[[Message], str]


def survival_figure(lives: FleetLives, *, theme: charts.Theme = charts.LIGHT, text: Text = str) -> go.Figure:
    """The survival curve with its band, the units that run, the Weibull curve and the age that half reach."""
    curve, fit = lives.curve, lives.weibull.curve
    fitted = None
    if fit is not None:
        ages = np.linspace(0, float(curve.ages[-1]), SMOOTH)
        fitted = ages, fit.survival(ages)
    return charts.survival_chart(
        ages=curve.ages,
        survival=curve.survival,
        low=curve.low,
        high=curve.high,
        running=(curve.running_at, curve.at(curve.running_at)),
        fitted=fitted,
        median=curve.median.value,
        unit=spoken_unit(lives.unit, text),
        theme=theme,
        text=text,
    )


def weibull_figure(lives: FleetLives, *, theme: charts.Theme = charts.LIGHT, text: Text = str) -> go.Figure:
    """The failures on Weibull paper with the fitted line and its band."""
    ages, share = plotting_positions(lives.ages, lives.failed)
    fit = lives.weibull
    fitted = bounds = None
    if fit.curve is not None and len(share):
        first, last = (float(np.log(-np.log1p(-f))) for f in (min(0.01, share.min() / 2), max(0.99, (1 + share.max()) / 2)))
        heights = -np.expm1(-np.exp(np.linspace(first, last, SMOOTH // 4)))
        fitted, bounds = (fit.curve.age_at(heights), heights), (heights, *fit.age_band(heights))
    return charts.weibull_plot(
        ages=ages, failed=share, fitted=fitted, bounds=bounds, unit=spoken_unit(lives.unit, text), theme=theme, text=text
    )


def due_figure(view: FleetView, *, theme: charts.Theme = charts.LIGHT, text: Text = str) -> go.Figure:
    """How many of the running units fall due in each period."""
    plan = view.plan
    columns = {name: plan[name].to_numpy(dtype=np.float64) for name in ("due", "expected", "low", "high")}
    return charts.due_chart(ends=plan["to"].to_numpy(), **columns, unit=spoken_unit(view.unit, text), theme=theme, text=text)


def fleet_caption(lives: FleetLives) -> Message:
    """The line under the charts of lives."""
    return charts.caption_fleet(lives.curve.n, lives.curve.n_failed, lives.rule, lives.counted)
