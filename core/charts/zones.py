"""Predictions at specification limits: which are accepted, which rejected, and which parts have to be measured."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.downsample import MAX_POINTS, downsample
from core.charts.figure import Json, Text, draw, json_value, marks, plain, quantity, row_numbers, upright
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

Ends = tuple[float | None, float | None]


def zone_chart(
    *,
    prediction: ArrayLike,
    truth: ArrayLike,
    places: ArrayLike,
    limits: Ends,
    accept: Ends,
    reject: Ends,
    name: str,
    unit: str = "",
    rows: ArrayLike | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Measured value (n,) over prediction (n,) with the zones of the prediction; points of zone 0 accepted, 1 measured, 2 rejected.

    `limits` are the specification limits, `accept` and `reject` (lower, upper) the ends of the zones, all in column units, None where open.
    """
    x, y, zone = np.asarray(prediction, float), np.asarray(truth, float), np.asarray(places, int)
    number = row_numbers(rows, len(x))
    colors = (theme.colors.good, theme.colors.warn, theme.colors.bad)
    words = (msg("accepted"), msg("to be measured"), msg("rejected"))
    hover = text(msg("row {row}", row="%{customdata}")) + "<br>%{x:.5~g} → %{y:.5~g} " + plain(unit)
    traces, shapes, labels = [], [], []
    for k in (1, 0, 2):
        at = np.flatnonzero((zone == k) & np.isfinite(y))
        at = at[downsample(y[at], MAX_POINTS // 3)] if len(at) else at  # the three zones together are one picture
        if len(at):
            traces.append(
                marks(x[at], y[at], colors[k], name=text(words[k]), hover=hover, size=4, opacity=0.6, customdata=number[at])
            )
    ends = sorted({e for pair in (accept, reject) for e in pair if e is not None})
    for end in ends:
        is_accept = end in accept
        shape, label = upright(end, f"{end:.5g}", theme, colors[0 if is_accept else 2], "dash")
        shapes.append(shape)
        labels.append(label)
    for value, what in zip(limits, (msg("LSL"), msg("USL")), strict=True):
        if value is not None:
            shapes.append(_level(value, theme))
            labels.append(_at_the_end(value, f"{text(what)} {value:g}", theme))
    return draw(
        traces,
        title=title or msg("Zones of the predictions of {name}", name=name),
        x=quantity(msg("predicted {name}", name=name), unit),
        y=quantity(msg("measured {name}", name=name), unit),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=labels,
        right=90,
        height=400,
    )


def _level(value: float, theme: Theme) -> Json:
    line = {"color": theme.colors.muted, "width": 1.2, "dash": "dashdot"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": json_value(value), "y1": json_value(value), "line": line}


def _at_the_end(value: float, words: str, theme: Theme) -> Json:
    return {
        "xref": "paper",
        "x": 1.0,
        "y": json_value(value),
        "xanchor": "left",
        "text": plain(words),
        "showarrow": False,
        "font": {"color": theme.colors.muted, "size": 11},
    }
