"""A forecast: the fan from one origin with what led to it and what came, and the error against the step ahead."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.downsample import downsample
from core.charts.figure import Json, Text, band, draw, is_time, line, plain, quantity, span_of, spread, upright, x_title
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg


def forecast_fan(
    *,
    history_at: ArrayLike,
    history: ArrayLike,
    at: ArrayLike,
    prediction: ArrayLike,
    name: str,
    unit: str = "",
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    truth: ArrayLike | None = None,
    level: float | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """What was measured up to the origin, the values forecast from it with their band, and what came.

    Args:
        history_at, history: (n,) times or row numbers and measured values, NaN unknown; the last is the origin.
        at, prediction: (h,) the same of the values ahead.
        lower, upper: (h,) the band, promised to hold `level` of the values; None without one.
        truth: (h,) what came, NaN where that is not known.
    """
    past, ahead = np.asarray(history_at), np.asarray(at)
    measured, predicted = np.asarray(history, float), np.asarray(prediction, float)
    came = np.full(len(ahead), np.nan) if truth is None else np.asarray(truth, float)
    kept = downsample(measured)
    main, color = theme.category(0), theme.colors.muted
    hover = "<br>%{x}: %{y:.5~g} " + plain(unit)
    traces: list[Json] = []
    if lower is not None and upper is not None:
        traces += band(ahead, np.asarray(lower, float), np.asarray(upper, float), theme.clear(main, 0.2))
    measured_word, forecast_word = text(msg("measured")), text(msg("forecast"))
    traces.append(line(past[kept], measured[kept], color, name=measured_word, hover=plain(measured_word) + hover))
    if np.isfinite(came).any():
        traces.append(line(ahead, came, color, name=measured_word, hover=plain(measured_word) + hover, dash="dot", width=1.8))
    traces.append(line(ahead, predicted, main, name=forecast_word, hover=plain(forecast_word) + hover, width=2))
    shapes, labels = [], []
    if len(past):
        shape, label = upright(past[-1], text(msg("last known row")), theme)
        shapes, labels = [shape], [label]
    words = msg("solid: forecast · dotted: what came")
    if lower is not None and level is not None:
        words = msg("solid: forecast · dotted: what came · band: {level} % promised", level=round(100 * level, 1))
    note = {"x": 1, "y": 1.07, "xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "bottom", "showarrow": False}
    return draw(
        traces,
        title=title or msg("Forecast"),
        x=x_title(ahead if is_time(ahead) else past),
        y=quantity(name, unit),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=[*labels, note | {"text": plain(text(words)), "font": {"color": theme.colors.muted, "size": 11}}],
        right=24,
        height=380,
    )


def error_by_step(
    *,
    steps: ArrayLike,
    error: ArrayLike,
    others: Mapping[str, ArrayLike] | None = None,
    name: str = "",
    measure: Message | None = None,
    unit: str = "",
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """The error of each step ahead (h,), of the model and of `others` by name, with their names at the line ends."""
    x, ours = np.asarray(steps), np.asarray(error, float)
    found = {name or text(msg("model")): ours, **{key: np.asarray(v, float) for key, v in (others or {}).items()}}
    traces, ends = [], []
    for i, (word, values) in enumerate(found.items()):
        color = theme.category(0) if i == 0 else theme.category(i + 1)
        hover = plain(word) + "<br>%{x}: %{y:.4~g} " + plain(unit)
        traces.append(
            line(x, values, color, name=word, hover=hover, dash="solid" if i == 0 else "dash", width=2 if i == 0 else 1.4)
        )
        if len(values):
            ends.append((float(values[-1]), word[:24], color))
    return draw(
        traces,
        title=title or msg("Error against step ahead"),
        x=msg("rows ahead"),
        y=quantity(measure or msg("MAE"), unit),
        theme=theme,
        text=text,
        labels=spread(ends, span_of(*found.values())),
        y_axis={"rangemode": "tozero"},
        right=150,
        height=340,
    )
