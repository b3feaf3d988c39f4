"""Predicted values against measured ones: parity, residuals over time, residual histogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.binning import bin_values
from core.charts.downsample import downsample
from core.charts.figure import (
    Json,
    Text,
    axis_values,
    draw,
    end_label,
    level,
    marks,
    plain,
    quantity,
    row_hover,
    row_numbers,
    upright,
    x_title,
)
from core.charts.series import Excluded, excluded_ribbons
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

Limits = tuple[float | None, float | None, float | None]


def parity(
    *,
    truth: ArrayLike,
    prediction: ArrayLike,
    name: str,
    unit: str = "",
    rows: ArrayLike | None = None,
    half_width: float | None = None,
    limits: Limits | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Prediction (n,) over measured value (n,), column units; the diagonal is a perfect prediction.

    `half_width` draws the prediction interval beside the diagonal, `limits` (lower, nominal, upper) the specification
    limits. Above 5,000 rows the rows with the largest residuals are among those drawn.
    """
    measured, predicted = np.asarray(truth, float), np.asarray(prediction, float)
    kept = downsample(measured - predicted)
    where = row_numbers(rows, len(measured))
    hover = text(msg("row {row}", row="%{customdata}")) + "<br>%{x:.5~g} → %{y:.5~g} " + plain(unit)
    dots = marks(measured[kept], predicted[kept], theme.category(0), hover=hover, size=4, opacity=0.55, customdata=where[kept])
    ends = _ends(measured, predicted)
    traces = [_slanted(ends, 0.0, theme.colors.text, "solid"), dots]
    labels = []
    if half_width is not None:
        traces += [_slanted(ends, shift, theme.colors.muted, "dash") for shift in (half_width, -half_width)]
        labels.append(_corner(text(msg("dashed: interval ±{half} {unit}", half=half_width, unit=unit)), theme))
    shapes, named = _specification(limits, theme, text)
    return draw(
        traces,
        title=title or msg("Predicted against measured {name}", name=name),
        x=quantity(msg("measured {name}", name=name), unit),
        y=quantity(msg("predicted {name}", name=name), unit),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=[*labels, *named],
        right=40,
        height=400,
    )


def residuals_over_time(
    *,
    residuals: ArrayLike,
    name: str,
    x: ArrayLike | None = None,
    unit: str = "",
    rows: ArrayLike | None = None,
    half_width: float | None = None,
    excluded: Sequence[Excluded] = (),
    along: Message | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Measured less predicted (n,) over time or rows, with the centre line at 0 and the interval of the model.

    `excluded` are periods as (from, to, reason) on the axis, drawn as grey ribbons.
    """
    values = np.asarray(residuals, float)
    at, number = axis_values(x, len(values)), row_numbers(rows, len(values))
    kept = downsample(values)
    hover = row_hover(text, "%{y:+.4~g}", unit)
    traces = [level(at, 0.0, theme.colors.text, "solid")]
    labels = []
    if half_width is not None:
        traces += [level(at, half_width, theme.colors.muted), level(at, -half_width, theme.colors.muted)]
        labels.append(
            end_label(half_width, text(msg("interval\n±{half} {unit}", half=half_width, unit=unit)), theme.colors.muted)
        )
    greys, reasons = excluded_ribbons(at, excluded, theme)
    traces.append(marks(at[kept], values[kept], theme.category(0), hover=hover, size=4, opacity=0.6, customdata=number[kept]))
    return draw(
        traces,
        title=title or msg("Residuals of {name} over time", name=name),
        x=x_title(at, along),
        y=quantity(msg("measured − predicted"), unit),
        theme=theme,
        text=text,
        shapes=greys,
        labels=[*labels, *reasons],
    )


def residual_histogram(
    *,
    residuals: ArrayLike,
    name: str,
    unit: str = "",
    n_bins: int = 40,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """How often each residual (n,) occurs, in column units."""
    edges, counts = bin_values(residuals, n_bins)
    shape, label = upright(0.0, text(msg("no error")), theme)
    return draw(
        [bars(edges, counts, theme.category(0), unit)] if counts.sum() else [],
        title=title or msg("Distribution of the residuals of {name}", name=name),
        x=quantity(msg("measured − predicted"), unit),
        y=msg("rows"),
        theme=theme,
        text=text,
        shapes=[shape],
        labels=[label],
        right=40,
        bargap=0.04,
    )


def bars(edges: ArrayLike, heights: ArrayLike, color: str, unit: str = "", **more: Any) -> Json:
    """Histogram bars from edges (n + 1,) and heights (n,)."""
    edge = np.asarray(edges, float)
    hover = "%{customdata[0]:.4~g} – %{customdata[1]:.4~g} " + plain(unit) + ": %{y:.4~g}<extra></extra>"
    return {
        "type": "bar",
        "x": (edge[:-1] + edge[1:]) / 2,
        "y": np.asarray(heights, float),
        "width": np.diff(edge),
        "marker": {"color": color, "line": {"width": 0}},
        "customdata": np.column_stack([edge[:-1], edge[1:]]),
        "hovertemplate": hover,
        **more,
    }


def _ends(*series: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    values = np.concatenate(series)
    values = values[np.isfinite(values)]
    return np.array([values.min(), values.max()]) if len(values) else values


def _slanted(ends: np.ndarray[Any, Any], shift: float, color: str, dash: str) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": ends + shift,
        "line": {"color": color, "width": 1.2, "dash": dash},
        "hoverinfo": "skip",
    }


def _corner(words: str, theme: Theme) -> Json:
    font = {"color": theme.colors.muted, "size": 11}
    return {
        "x": 1,
        "y": 0,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "right",
        "yanchor": "bottom",
        "text": plain(words),
        "showarrow": False,
        "font": font,
    }


def _specification(limits: Limits | None, theme: Theme, text: Text) -> tuple[list[Json], list[Json]]:
    shapes, labels = [], []
    for value, words in zip(limits or (), (msg("LSL"), msg("nominal"), msg("USL")), strict=False):
        if value is not None:
            shape, label = upright(value, f"{text(words)} {value:g}", theme, dash="dashdot")
            shapes.append(shape)
            labels.append(label)
    return shapes, labels
