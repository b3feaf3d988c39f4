"""Rows by two principal components or by their neighbours: a map on which rows that are alike lie beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.charts.downsample import MAX_POINTS
from core.charts.figure import Json, Text, draw, is_time, marks, moment, plain
from core.charts.relations import color_bar, short
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

MOST_COLOURS = 8


def row_map(
    *,
    scores: ArrayLike,
    shares: tuple[float, float] | None,
    codes: ArrayLike | None = None,
    labels: Sequence[str] = (),
    values: ArrayLike | None = None,
    name: str = "",
    rows: ArrayLike | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Rows by their first two principal components or by their neighbours, scores (n, 2): rows that are alike lie beside each other.

    Args:
        shares: Of the variance, 0 to 1, that each component tells; None for a map by neighbours, whose axes have no meaning.
        codes: (n,) category of each row by place in `labels`, below 0 where empty; the first eight have colours of their own.
        values: (n,) numbers or times instead, coloured from low to high; `name` says of what.
        rows: (n,) row of the table of each, 0-based.
    """
    points = np.asarray(scores, float).reshape(-1, 2)
    drawn = np.arange(len(points))
    if len(points) > MAX_POINTS:
        drawn = np.unique(np.linspace(0, len(points) - 1, MAX_POINTS).astype(np.int64))
    number = (np.arange(len(points)) if rows is None else np.asarray(rows))[drawn] + 1
    hover = text(msg("row {row}", row="%{customdata}"))
    at = points[drawn]
    traces: list[Json] = []
    notes: list[Json] = []
    if values is not None and len(drawn):
        trace = marks(at[:, 0], at[:, 1], theme.category(0), hover=hover, size=5, opacity=0.8, customdata=number)
        trace["marker"] = {"size": 5, **_coloured(np.asarray(values)[drawn], theme, plain(short(name)))}
        traces.append(trace)
    elif codes is not None and len(drawn):
        group = np.asarray(codes, np.int64)[drawn]
        colour = np.where((group < 0) | (group >= MOST_COLOURS), MOST_COLOURS, group)
        # The rest first, so that what has a colour lies on top.
        for place in [MOST_COLOURS, *range(min(len(labels), MOST_COLOURS))]:
            own = np.flatnonzero(colour == place)
            if not len(own):
                continue
            is_rest = place == MOST_COLOURS
            words = text(msg("others")) if is_rest else short(labels[place])
            color = theme.colors.border if is_rest else theme.category(place)
            traces.append(
                marks(
                    at[own, 0],
                    at[own, 1],
                    color,
                    hover=f"{hover}<br>{plain(words)}",
                    size=5,
                    opacity=0.75,
                    customdata=number[own],
                )
            )
            notes.append(_beside(words, theme.colors.muted if is_rest else color, len(notes)))
    elif len(drawn):
        traces.append(marks(at[:, 0], at[:, 1], theme.category(0), hover=hover, size=5, opacity=0.6, customdata=number))
    return draw(
        traces,
        title=title or msg("Map of rows: alike ones lie beside each other"),
        x=_axis(shares, 0),
        y=_axis(shares, 1),
        theme=theme,
        text=text,
        labels=notes,
        right=150 if notes else 100,
        height=420,
    )


def _axis(shares: tuple[float, float] | None, place: int) -> Message:
    if shares is None:
        return msg("across, without unit") if place == 0 else msg("up, without unit")
    percent = float(round(100 * shares[place], 1))
    if place == 0:
        return msg("first component ({percent} % of the variance)", percent=percent)
    return msg("second component ({percent} %)", percent=percent)


def _coloured(values: NDArray[Any], theme: Theme, name: str) -> Json:
    """Marker colours of numbers or times (n,), with the scale beside."""
    if is_time(values):
        stamps = values.astype("datetime64[ms]")
        known = stamps[~np.isnat(stamps)]
        numbers = np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64).astype(np.float64))
        ends = [known.min(), known.max()] if len(known) else []
        ticks = {
            "tickvals": [float(end.astype(np.int64)) for end in ends],
            "ticktext": [moment(end)[:10] for end in ends],
        }
    else:
        numbers, ticks = values.astype(np.float64), {}
    bar = color_bar(theme, **ticks) | {"title": {"text": name, "side": "right"}}
    return {"color": numbers, "colorscale": theme.scale, "colorbar": bar, "opacity": 0.85}


def _beside(words: str, color: str, place: int) -> Json:
    """The name of a colour, right of the plot."""
    at = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 10, "y": 1 - 0.07 * place, "yref": "paper", "yanchor": "top"}
    return {**at, "text": plain(words), "showarrow": False, "font": {"color": color, "size": 12}}
