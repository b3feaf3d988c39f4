"""The charts of a forecast, for screen and report alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core import charts
from core.messages import Message
from core.models import model_by_key
from core.workflows.forecasts import Fan, ForecastView

Text = Callable[[Message], str]


def fan_figure(view: ForecastView, found: Fan, *, theme: charts.Theme = charts.LIGHT, text: Text = str) -> go.Figure:
    """What was known at a row, what was forecast there with its band, and what came."""
    return charts.forecast_fan(
        history_at=found.history_at,
        history=found.history,
        at=found.at,
        prediction=found.prediction,
        lower=found.lower,
        upper=found.upper,
        truth=found.truth,
        level=view.level,
        name=view.target,
        unit=view.unit,
        theme=theme,
        text=text,
    )


def steps_figure(view: ForecastView, model: str, *, theme: charts.Theme = charts.LIGHT, text: Text = str) -> go.Figure:
    """The average error of each step ahead, of the model with this key and of the baselines."""
    return charts.error_by_step(
        steps=[s.step for s in view.steps],
        error=known_values([s.mae for s in view.steps]),
        others={
            text(model_by_key(key).title): known_values([s.mae for s in found]) for key, found in view.baseline_steps.items()
        },
        name=text(model_by_key(model).title),
        unit=view.unit,
        theme=theme,
        text=text,
    )


def known_values(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Figures as numbers, NaN where there is none."""
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
