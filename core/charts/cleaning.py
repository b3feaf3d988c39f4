"""What a recipe does to a column: before and after over time, and as a pair of histograms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.downsample import downsample, downsample_marks
from core.charts.figure import (
    PART_TITLES,
    Json,
    Text,
    axis_values,
    draw,
    flags,
    line,
    marks,
    plain,
    quantity,
    ribbons,
    row_hover,
    row_numbers,
    x_title,
)
from core.charts.regression import bars
from core.charts.series import Excluded, excluded_ribbons
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

Histogram = tuple[ArrayLike, ArrayLike]


def before_after(
    *,
    before: ArrayLike,
    after: ArrayLike,
    column: str,
    unit: str = "",
    x: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    changed: ArrayLike | None = None,
    flagged: ArrayLike | None = None,
    left_out: ArrayLike | None = None,
    events: ArrayLike | None = None,
    parts: ArrayLike | None = None,
    excluded: Sequence[Excluded] = (),
    along: Message | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """A column (n,) before and after cleaning, column units, over times, numbers or rows.

    `changed`, `flagged` and `left_out` are (n,) bool and drawn on top: changed cells at their new value (at the old one
    where they were emptied), flagged and left-out rows and those labelled as real `events` at the old value. `excluded` are
    periods as (from, to, reason), drawn as grey ribbons.
    """
    old, new = np.asarray(before, float), np.asarray(after, float)
    at, number = axis_values(x, len(old)), row_numbers(rows, len(old))
    hover = row_hover(text, "%{y:.5~g}", unit)
    kept_old, kept_new = downsample(old), downsample(new)
    first, second = text(msg("before")), text(msg("after"))
    traces = [
        line(
            at[kept_old],
            old[kept_old],
            theme.colors.muted,
            name=first,
            hover=hover,
            width=1.0,
            opacity=0.55,
            customdata=number[kept_old],
        ),
        line(at[kept_new], new[kept_new], theme.category(0), name=second, hover=hover, width=1.3, customdata=number[kept_new]),
    ]
    shown = np.where(np.isfinite(new), new, old)
    for mask, values, name, color, symbol in (
        (changed, shown, msg("changed"), theme.category(1), "circle"),
        (left_out, old, msg("left out"), theme.colors.muted, "x"),
        (events, old, msg("real event"), theme.category(2), "square"),
        (flagged, old, msg("flagged"), theme.colors.bad, "diamond"),
    ):
        where = np.flatnonzero(np.asarray(mask, bool) & np.isfinite(values)) if mask is not None else np.array([], int)
        if len(where):
            drawn = downsample_marks(where, values)
            words = text(msg("{name}: {n}", name=name, n=len(where)))
            make = flags(at[drawn], values[drawn], theme, name=words, hover=hover, customdata=number[drawn])
            traces.append(
                make
                if symbol == "diamond"
                else marks(at[drawn], values[drawn], color, name=words, hover=hover, symbol=symbol, customdata=number[drawn])
            )
    shapes, labels = ribbons(at, parts, theme, text, PART_TITLES)
    greys, reasons = excluded_ribbons(at, excluded, theme)
    return draw(
        traces,
        title=title or msg("{column} before and after cleaning", column=column),
        x=x_title(at, along),
        y=quantity(column, unit),
        theme=theme,
        text=text,
        shapes=[*shapes, *greys],
        labels=[*labels, *reasons],
        right=40,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top", "font": {"color": theme.colors.text, "size": 11}},
    )


def histogram_pair(
    *,
    before: Histogram,
    after: Histogram,
    column: str,
    unit: str = "",
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Two histograms of a column on one axis, each as (edges (n + 1,), counts (n,)), column units."""
    traces: list[Json] = []
    labels: list[Json] = []
    for i, ((edges, counts), name, color) in enumerate(
        ((before, msg("before"), theme.colors.muted), (after, msg("after"), theme.category(0)))
    ):
        height = np.asarray(counts, float)
        if height.sum():
            traces.append(bars(edges, height, color, unit, opacity=0.55, name=text(name)))
        words = text(msg("{name}: {n} cells", name=name, n=int(height.sum())))
        labels.append(
            {
                "x": 1,
                "y": 1 - 0.1 * i,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "right",
                "text": plain(words),
                "showarrow": False,
                "font": {"color": color, "size": 12},
            }
        )
    return draw(
        traces,
        title=title or msg("Distribution of {column}", column=column),
        x=quantity(column, unit),
        y=msg("cells"),
        theme=theme,
        text=text,
        labels=labels,
        right=40,
        height=260,
        barmode="overlay",
    )
