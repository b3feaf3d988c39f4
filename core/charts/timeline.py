"""Scores over time with the decision limit, flags and events; one sensor around an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.downsample import MAX_POINTS, downsample, downsample_marks
from core.charts.figure import (
    PART_TITLES,
    Array,
    Json,
    Text,
    at_axis,
    axis_values,
    draw,
    end_label,
    flags,
    level,
    line,
    moment,
    plain,
    quantity,
    ribbons,
    row_hover,
    row_numbers,
    upright,
    x_title,
)
from core.charts.series import Excluded, excluded_ribbons
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

MOST_NUMBERED = 30
SHORT_RUN = 3


class DrawnEvent(Protocol):
    """What a timeline needs to know of an event; `core.anomalies.AnomalyEvent` has it."""

    @property
    def number(self) -> int: ...
    @property
    def peak_row(self) -> int: ...


def score_timeline(
    *,
    scores: ArrayLike,
    limit: float | None,
    x: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    flagged: ArrayLike | None = None,
    parts: ArrayLike | None = None,
    part_titles: Mapping[int, Message] = PART_TITLES,
    events: Sequence[DrawnEvent] = (),
    excluded: Sequence[Excluded] = (),
    score_title: Message | None = None,
    along: Message | None = None,
    log: bool = False,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Score (n,) over times, numbers or rows, with the decision limit, flags in red and numbered events.

    Up to three flags in a row are diamonds; a longer stretch is a red line with a diamond at its peak, so that the shape of
    the score stays to be seen.

    Args:
        scores: Higher is odder; NaN where a row could not be scored (a gap in the line).
        limit: The threshold, in units of the score; None draws none.
        x: Time or number of each row (n,), ascending.
        rows: Dataset row number of each row (n,), ascending; where events lie is found by it.
        flagged: (n,) bool; without it a row is flagged when its score is above `limit`.
        parts: Part code of each row (n,), drawn as ribbons named by `part_titles`.
        events: The 30 first are numbered at their peak.
        excluded: Periods as (from, to, reason) on the axis, drawn as grey ribbons.
        log: Logarithmic score axis; scores of 0 and below are then not drawn.
    """
    values = np.asarray(scores, float)
    at, number = axis_values(x, len(values)), row_numbers(rows, len(values))
    above = _flagged(values, limit, flagged)
    kept, (marked, stretches) = downsample(values), _drawn_flags(above, values)
    hover = text(msg("row {row}", row="%{customdata}")) + "<br>%{x}<br>" + text(msg("score {value}", value="%{y:.4~g}"))
    traces = [
        line(
            at[kept], values[kept], theme.category(0), name=text(msg("score")), hover=hover, width=1.1, customdata=number[kept]
        )
    ]
    shapes, labels = ribbons(at, parts, theme, text, part_titles)
    greys, reasons = excluded_ribbons(at, excluded, theme)
    shapes, labels = [*shapes, *greys], [*labels, *reasons]
    if limit is not None and len(values):
        traces.append(level(at, limit, theme.colors.bad))
        height = float(np.log10(limit)) if log and limit > 0 else limit
        labels.append(end_label(height, text(msg("decision limit\n{value}", value=float(limit))), theme.colors.bad))
    if len(stretches):
        seen = np.where(stretches >= 0, stretches, 0)
        heights = np.where(stretches >= 0, values[seen], np.nan)
        red = line(at[seen], heights, theme.colors.bad, name=text(msg("flag")), hover=hover, width=1.6, customdata=number[seen])
        traces.append(red | {"mode": "lines"})
    traces.append(flags(at[marked], values[marked], theme, name=text(msg("flag")), hover=hover, customdata=number[marked]))
    traces += _numbers(at, values, number, events, theme)
    return draw(
        traces,
        title=title or msg("Score over time"),
        x=x_title(at, along),
        y=score_title or msg("score"),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=labels,
        y_axis={"type": "log"} if log else {},
    )


def sensor_band(
    *,
    values: ArrayLike,
    column: str,
    unit: str = "",
    x: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    low: float | None = None,
    high: float | None = None,
    expected: ArrayLike | None = None,
    began: Any = None,
    ended: Any = None,
    onset: Any = None,
    along: Message | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """One sensor (n,) around an event, column units, over its normal band `low` to `high`; rows outside are marked.

    `expected` (n,) is drawn beside it, dashed: what a forecast said of each row one row before, NaN where it said nothing. `onset` is where
    this sensor changed, if that is known; `began` is then the first flag.
    """
    series = np.asarray(values, float)
    at, number = axis_values(x, len(series)), row_numbers(rows, len(series))
    outside = np.zeros(len(series), bool)
    shapes: list[Json] = []
    labels: list[Json] = []
    if low is not None and high is not None and np.isfinite([low, high]).all():
        outside = (series < low) | (series > high)
        fill = theme.light(theme.category(0))
        shapes.append(
            {
                "type": "rect",
                "layer": "below",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": low,
                "y1": high,
                "fillcolor": fill,
                "line": {"width": 0},
            }
        )
        labels.append(
            end_label(
                (low + high) / 2,
                text(msg("normal band\n{low} to {high}", low=float(low), high=float(high))),
                theme.colors.muted,
            )
        )
    flagged = msg("began {time}", time=moment(began) if began is not None else "") if onset is None else msg("first flag")
    told = msg("onset {time}", time=moment(onset) if onset is not None else "")
    ended = None if began is not None and ended == began else ended  # one row: two labels would lie on each other
    for when, words in ((onset, told), (began, flagged), (ended, msg("ended"))):
        if when is not None:
            shape, label = upright(at_axis(when), text(words), theme)
            shapes.append(shape)
            # Onset and first flag may lie side by side: the onset's words stand inside the plot.
            labels.append(label | {"yanchor": "top", "xanchor": "left", "xshift": 4} if words is told else label)
    kept, marked = downsample(series), downsample_marks(np.flatnonzero(outside), series)
    hover = row_hover(text, "%{y:.5~g}", unit)
    foretold = _expected_line(at, number, expected, hover, theme, text)
    if foretold:
        # Beside the title: the moments of the event stand between it and the lines.
        note = {"x": 1, "y": 1, "yshift": 22, "xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "bottom"}
        lines = plain(text(msg("solid: measured · dashed: forecast one row before")))
        labels.append(note | {"text": lines, "showarrow": False, "font": {"color": theme.colors.muted, "size": 11}})
    return draw(
        [
            line(at[kept], series[kept], theme.category(0), name=column, hover=hover, customdata=number[kept]),
            *foretold,
            flags(at[marked], series[marked], theme, hover=hover, customdata=number[marked])
            | {"marker": {"color": theme.colors.bad, "size": 4, "symbol": "diamond"}},
        ],
        title=title or msg("{column} around the event", column=column),
        x=x_title(at, along),
        y=quantity(column, unit),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=labels,
        height=260,
    )


def _expected_line(at: Array, number: Array, expected: ArrayLike | None, hover: str, theme: Theme, text: Text) -> list[Json]:
    """The dashed line of what was forecast; none where there is nothing to draw."""
    if expected is None:
        return []
    values = np.asarray(expected, float)
    if not np.isfinite(values).any():
        return []
    kept, name = downsample(values), text(msg("forecast one row before"))
    hover = plain(name) + "<br>" + hover
    return [line(at[kept], values[kept], theme.category(1), name=name, hover=hover, dash="dash", customdata=number[kept])]


def _flagged(values: Array, limit: float | None, given: ArrayLike | None) -> Array:
    if given is not None:
        return np.asarray(given, bool) & np.isfinite(values)
    return values > limit if limit is not None else np.zeros(len(values), bool)


def _drawn_flags(above: Array, values: Array) -> tuple[Array, Array]:
    """Positions of the diamonds, and of the points of the red line with -1 between two stretches."""
    flagged = np.flatnonzero(above)
    if not len(flagged):
        return flagged, flagged
    run = np.cumsum(np.diff(flagged, prepend=flagged[0] - 2) > 1) - 1
    starts = np.flatnonzero(np.diff(run, prepend=-1))
    lengths = np.bincount(run)
    peaks = np.maximum.reduceat(values[flagged], starts)
    is_peak = np.zeros(len(flagged), bool)
    at_peak = np.flatnonzero(values[flagged] == peaks[run])
    is_peak[at_peak[np.unique(run[at_peak], return_index=True)[1]]] = True
    long = lengths[run] > SHORT_RUN
    marked = downsample_marks(flagged[~long | is_peak], values)
    points = downsample_marks(flagged[long], values, MAX_POINTS // 2)  # between two stretches there is one more
    breaks = np.flatnonzero(np.diff(run[np.searchsorted(flagged, points)])) + 1
    return marked, np.insert(points, breaks, -1)


def _numbers(at: Array, values: Array, number: Array, events: Sequence[DrawnEvent], theme: Theme) -> list[Json]:
    """The numbers of the first events, above their peaks."""
    shown = list(events)[:MOST_NUMBERED]
    if not shown or not len(values):
        return []
    peaks = np.clip(np.searchsorted(number, [e.peak_row + 1 for e in shown]), 0, len(values) - 1)
    return [
        {
            "type": "scatter",
            "mode": "text",
            "x": at[peaks],
            "y": values[peaks],
            "text": [str(e.number) for e in shown],
            "textposition": "top center",
            "textfont": {"color": theme.colors.bad, "size": 12},
            "hoverinfo": "skip",
        }
    ]
