"""One column of the screening: its course with the places of a finding, and its distribution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.downsample import downsample, downsample_marks
from core.charts.figure import (
    Json,
    Text,
    at_axis,
    axis_values,
    draw,
    flags,
    is_time,
    level,
    line,
    plain,
    quantity,
    row_hover,
    row_numbers,
    span_of,
    spread,
    x_title,
)
from core.charts.regression import bars
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

MOST_SPANS = 20
NARROWEST = 0.004  # of the axis: a shorter place is drawn this wide, so that it is seen
Span = tuple[object, object]


def screened_column(
    *,
    values: ArrayLike,
    column: str,
    unit: str = "",
    x: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    marked: ArrayLike | None = None,
    spans: Sequence[Span] = (),
    limits: tuple[float, float, float] | None = None,
    along: Message | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """A column (n,), column unit, over times, numbers or rows, with the places of a finding.

    Args:
        marked: (n,) bool, rows of the finding; drawn as red diamonds where they are few.
        spans: First and last position on the axis of each place; the 20 first are shaded.
        limits: Lower control limit, centre line and upper control limit, from the baseline period.
    """
    y = np.asarray(values, float)
    at, number = axis_values(x, len(y)), row_numbers(rows, len(y))
    kept = downsample(y)
    hover = row_hover(text, "%{y:.5~g}", unit)
    traces = [line(at[kept], y[kept], theme.category(0), name=column, hover=hover, width=1.1, customdata=number[kept])]
    ends: list[tuple[float, str, str]] = []
    if limits is not None and len(y):
        for value, words, dash in (
            (limits[2], msg("upper limit {value}", value=float(limits[2])), "dash"),
            (limits[1], msg("centre {value}", value=float(limits[1])), "solid"),
            (limits[0], msg("lower limit {value}", value=float(limits[0])), "dash"),
        ):
            traces.append(level(at, value, theme.colors.muted, dash))
            ends.append((value, text(words), theme.colors.muted))
    where = np.flatnonzero(np.asarray(marked, bool) & np.isfinite(y)) if marked is not None else np.zeros(0, int)
    if 0 < len(where) <= max(200, len(y) // 50):
        drawn = downsample_marks(where, y)
        traces.append(flags(at[drawn], y[drawn], theme, name=text(msg("marked")), hover=hover, customdata=number[drawn]))
    return draw(
        traces,
        title=title or msg("{column} in the order of its rows", column=column),
        x=x_title(at, along),
        y=quantity(column, unit),
        theme=theme,
        text=text,
        shapes=_shades(at, spans, theme),
        labels=spread(ends, span_of(y, [v for v, _, _ in ends])),
        right=120 if ends else 40,
    )


def distribution(
    *,
    histogram: tuple[ArrayLike, ArrayLike],
    column: str,
    unit: str = "",
    specification: tuple[float | None, float | None, float | None] = (None, None, None),
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """A column's histogram as (edges (n + 1,), counts (n,)), column unit, with lower limit, nominal value and upper limit."""
    edges, counts = (np.asarray(part, float) for part in histogram)
    traces: list[Json] = [bars(edges, counts, theme.category(0), unit)] if counts.sum() else []
    shapes, labels = [], []
    for value, words in zip(specification, (msg("LSL"), msg("nominal"), msg("USL")), strict=True):
        if value is None or not traces:
            continue
        place = {"x0": value, "x1": value, "y0": 0, "y1": 1, "yref": "paper"}
        shapes.append({"type": "line", **place, "line": {"color": theme.colors.text, "width": 1.2, "dash": "dashdot"}})
        font = {"color": theme.colors.text, "size": 11}
        label = {"x": value, "y": 1, "yref": "paper", "yanchor": "bottom", "text": plain(text(words)), "showarrow": False}
        labels.append({**label, "font": font})
    return draw(
        traces,
        title=title or msg("Distribution of {column}", column=column),
        x=quantity(column, unit),
        y=msg("rows"),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=labels,
        right=40,
        height=260,
        bargap=0.02,
    )


def _shades(at: np.ndarray, spans: Sequence[Span], theme: Theme) -> list[Json]:
    """Ribbons behind the places, wide enough to be seen."""
    if not len(at):
        return []
    shapes = []
    for first, last in spans[:MOST_SPANS]:
        a, b = _wide_enough(at, at_axis(first), at_axis(last))
        shapes.append(
            {
                "type": "rect",
                "x0": a,
                "x1": b,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "fillcolor": theme.light(theme.category(1)),
                "line": {"width": 0},
                "layer": "below",
            }
        )
    return shapes


def _wide_enough(at: np.ndarray, first: object, last: object) -> tuple[float | str, float | str]:
    """A place on the axis as Plotly takes it, widened about its middle where it would be too narrow to be seen."""
    scale = np.asarray([at[0], at[-1], first, last], dtype="datetime64[ms]" if is_time(at) else float)
    start, end, a, b = scale.astype("int64" if is_time(at) else float).tolist()
    more = max(0.0, NARROWEST * (end - start) - (b - a)) / 2
    a, b = a - more, b + more
    return (a, b) if not is_time(at) else (str(np.datetime64(int(a), "ms")), str(np.datetime64(int(b), "ms")))
