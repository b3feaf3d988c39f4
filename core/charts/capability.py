"""The six-part view of capability: histogram with densities and specification limits, probability plot, the last subgroups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.downsample import downsample, downsample_marks
from core.charts.figure import Json, Text, draw, level, line, marks, plain, quantity
from core.charts.regression import bars
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg
from core.spc.probability_plot import ProbabilityPlot

PERCENTS = (0.1, 1, 5, 20, 50, 80, 95, 99, 99.9)
MOST_MARKS = 2_000
NAMES = 18
"""Pixels of the line with the names of the densities."""
TITLES: Mapping[str, Message] = {
    "within": msg("within subgroups"),
    "overall": msg("overall"),
    "fitted": msg("fitted distribution"),
}


def capability_histogram(
    *,
    edges: ArrayLike,
    counts: ArrayLike,
    densities: Sequence[tuple[str, ArrayLike, ArrayLike]],
    limits: tuple[float | None, float | None, float | None],
    column: str,
    unit: str = "",
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Histogram of a column with edges (k + 1,) and counts (k,), and the customer's limits.

    Args:
        densities: (within, overall or fitted; values; density in 1 / column unit), drawn as expected rows a bar.
        limits: Lower limit, target and upper limit, column unit; None where there is none.
    """
    at, high = np.asarray(edges, float), np.asarray(counts, float)
    traces: list[Json] = [bars(at, high, theme.part(0, 0.45), unit)] if high.sum() else []
    rows = float(high.sum() * np.median(np.diff(at))) if len(at) > 1 else 0.0
    labels: list[Json] = []
    names: list[tuple[str, str]] = []
    top = float(high.max(initial=1.0))
    styles = {
        "within": (theme.category(2), "dash"),
        "overall": (theme.category(1), "solid"),
        "fitted": (theme.category(3), "solid"),
    }
    for key, values, density in densities:
        kept = downsample(density)
        x, y = np.asarray(values, float)[kept], rows * np.asarray(density, float)[kept]
        color, dash = styles[key]
        traces.append(line(x, y, color, name=text(TITLES[key]), dash=dash, width=1.8, hover="%{x:.5~g}: %{y:.4~g}"))
        peak = int(np.nanargmax(y))
        top = max(top, float(y[peak]))
        names.append((text(TITLES[key]), color))
    shapes = []
    for value, words in zip(limits, (msg("LSL"), msg("target"), msg("USL")), strict=True):
        if value is not None:
            shapes.append(_limit(value, theme))
            labels.append(_head(value, text(msg("{name} {value}", name=words, value=float(value))), theme))
    return draw(
        traces,
        title=title or msg("{column} against the specification limits", column=column),
        x=quantity(column, unit),
        y=msg("rows"),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=[*labels, *([_names(names)] if names else [])],
        right=40,
        margin={"l": 64, "r": 40, "t": 48 + NAMES, "b": 52},
        bargap=0.02,
        y_axis={"range": [0, 1.12 * top]},
    )


def capability_plot(
    *, plot: ProbabilityPlot, column: str, unit: str = "", title: Message | None = None, theme: Theme = LIGHT, text: Text = str
) -> go.Figure:
    """Values against the share of rows below, on an axis on which the fitted distribution is the line, with its band."""
    drawn = downsample_marks(np.arange(len(plot.values)), plot.values, MOST_MARKS)
    # Values lie along the horizontal axis, so that the band is drawn between two curves of the same scores.
    edge = {
        "type": "scatter",
        "mode": "lines",
        "line": {"color": theme.colors.muted, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
    }
    kept = downsample(plot.line)
    grid = plot.grid[kept]
    traces: list[Json] = [{**edge, "x": plot.low[kept], "y": grid}, {**edge, "x": plot.high[kept], "y": grid}]
    traces.append(line(plot.line[kept], grid, theme.category(1), width=1.6))
    hover = "%{x:.5~g} " + plain(unit)
    traces.append(marks(plot.values[drawn], plot.scores[drawn], theme.category(0), size=4, hover=hover))
    ticks = _scores(PERCENTS)
    return draw(
        traces,
        title=title or msg("Probability plot of {column}", column=column),
        x=quantity(column, unit),
        y=msg("share below (%)"),
        theme=theme,
        text=text,
        right=30,
        y_axis={"tickvals": ticks, "ticktext": [f"{p:g}" for p in PERCENTS], "range": [ticks[0] - 0.4, ticks[-1] + 0.4]},
    )


def last_subgroups(
    *,
    recent: ArrayLike,
    mean: float,
    column: str,
    unit: str = "",
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Place and value (r, 2) of the rows of the last subgroups, around the mean."""
    points = np.asarray(recent, float).reshape(-1, 2)
    traces = [level(points[:, 0], mean, theme.colors.muted, "solid")] if len(points) else []
    traces.append(marks(points[:, 0], points[:, 1], theme.category(0), size=5, hover="%{x}: %{y:.5~g} " + plain(unit)))
    return draw(
        traces,
        title=title or msg("The last {n} points of {column}", n=len(np.unique(points[:, 0])), column=column),
        x=msg("point"),
        y=quantity(column, unit),
        theme=theme,
        text=text,
        right=30,
    )


def _scores(percents: Sequence[float]) -> list[float]:
    from scipy.special import ndtri

    return [float(v) for v in ndtri(np.asarray(percents) / 100)]


def _limit(value: float, theme: Theme) -> Json:
    place = {"x0": value, "x1": value, "y0": 0, "y1": 1, "yref": "paper"}
    return {"type": "line", **place, "line": {"color": theme.colors.text, "width": 1.2, "dash": "dashdot"}}


def _head(value: float, words: str, theme: Theme) -> Json:
    font = {"color": theme.colors.text, "size": 11}
    return {"x": value, "y": 1, "yref": "paper", "yanchor": "bottom", "text": plain(words), "showarrow": False, "font": font}


def _names(names: Sequence[tuple[str, str]]) -> Json:
    """The names of the densities in their colours, on a line of their own between title and limits: inside they would lie on the curves and limits."""
    words = " · ".join(f'<span style="color:{color}">{plain(name)}</span>' for name, color in names)
    place = {"x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": NAMES}
    return {**place, "text": words, "showarrow": False, "font": {"size": 11}}
