"""A column over time, as long as it is: thinned on the whole, every row in a range, with the periods that take no part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.downsample import downsample
from core.charts.figure import Json, Text, axis_values, draw, line, plain, quantity, row_hover, row_numbers, x_title
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

MAX_EXCLUDED = 200
NAMED_SHARE = 0.06
Excluded = tuple[Any, Any, str]


def series_over_time(
    *,
    values: ArrayLike,
    column: str,
    unit: str = "",
    x: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    excluded: Sequence[Excluded] = (),
    along: Message | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """A column (n,), column units, over times, numbers or rows; NaN is a gap.

    Args:
        rows: Dataset row number of each value (n,).
        excluded: Periods as (from, to, reason) on the axis, drawn as grey ribbons; only those inside the axis.
    """
    series = np.asarray(values, float)
    at, number = axis_values(x, len(series)), row_numbers(rows, len(series))
    kept = downsample(series)
    hover = row_hover(text, "%{y:.5~g}", unit)
    shapes, labels = excluded_ribbons(at, excluded, theme)
    return draw(
        [line(at[kept], series[kept], theme.category(0), name=column, hover=hover, width=1.1, customdata=number[kept])],
        title=title or msg("{column} over time", column=column),
        x=x_title(at, along),
        y=quantity(column, unit),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=labels,
        right=40,
    )


def excluded_ribbons(x: ArrayLike, excluded: Sequence[Excluded], theme: Theme) -> tuple[list[Json], list[Json]]:
    """Grey ribbons behind the plot for (from, to, reason), cut at the ends of the axis: (shapes, labels).

    Wide ones carry their reason. On an axis of another kind, and of more than 200, none is drawn.
    """
    at = np.asarray(x)
    if not len(at) or len(excluded) > MAX_EXCLUDED:
        return [], []
    is_time = np.issubdtype(at.dtype, np.datetime64)
    shapes: list[Json] = []
    labels: list[Json] = []
    first, last = _number(at.min(), is_time), _number(at.max(), is_time)
    for start, stop, reason in excluded:
        if (isinstance(start, int | float)) is is_time:
            continue
        left, right = max(first, _number(start, is_time)), min(last, _number(stop, is_time))
        if left > right:
            continue
        shapes.append(
            {
                "type": "rect",
                "layer": "below",
                "x0": _shown(left, is_time),
                "x1": _shown(right, is_time),
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "fillcolor": theme.colors.muted,
                "opacity": 0.22,
                "line": {"color": theme.colors.muted, "width": 1},
            }
        )
        if reason and right - left >= NAMED_SHARE * (last - first):
            labels.append(
                {
                    "x": _shown(left, is_time),
                    "y": 0,
                    "yref": "paper",
                    "xanchor": "left",
                    "yanchor": "bottom",
                    "text": plain(reason),
                    "showarrow": False,
                    "font": {"color": theme.colors.muted, "size": 11},
                }
            )
    return shapes, labels


def _number(value: Any, is_time: bool) -> float:
    return float(np.datetime64(value, "us").astype(np.int64)) if is_time else float(value)


def _shown(value: float, is_time: bool) -> Any:
    return str(np.datetime64(int(value), "us")) if is_time else value
