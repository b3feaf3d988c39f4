"""A control chart as it is read on a wall: points, centre line, limits with their values and source, signals with their rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.charts.captions import join, period
from core.charts.downsample import downsample, downsample_marks
from core.charts.excursions import spans, visible
from core.charts.figure import (
    Json,
    Text,
    axis_values,
    by_spread,
    draw,
    flags,
    json_value,
    line,
    marks,
    plain,
    quantity,
    row_hover,
    row_numbers,
    span_of,
    spread,
    x_title,
)
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg, msg_n
from core.spc.chart import Chart
from core.spc.rules import Signal

MOST_NUMBERED = 60
"""Signals whose rule's number stands beside them; with more the numbers would hide the points."""
CHARACTER = 0.011
"""Share of the plot's width that a character of such a number takes on a small screen; the next number stands behind it."""
MOST_LARGE = 400
"""Signals drawn large; of more the marks would run into one red area."""
MOST_STAGES = 30
IN_COLUMN_UNIT = ("run", "I", "MR", "Xbar", "R", "S", "EWMA", "score")
LOW = 2.0
"""Charts of spread are drawn lower, so that their labels need a larger share of the height."""
OF_COLUMN = ("run", "I", "Xbar", "EWMA")
"""Charts whose points are values of the column, or means of such."""
IN_ONE_PIECE = 0.8
"""Share of the points between the first and the last of the baseline that belong to it; a scattered one is not shaded."""
MOST_STEPS = 4_000
"""Places at which a limit changes that are drawn exactly."""


def control_chart(
    *,
    chart: Chart,
    signals: Sequence[Signal] = (),
    column: str,
    unit: str = "",
    x: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    causes: Sequence[str] = (),
    excursions: Sequence[tuple[int, int, int]] = (),
    of_all: int | None = None,
    shown: slice | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """A chart of n points in the unit of its statistic.

    Args:
        signals: The rules that are broken, with the points that complete a pattern.
        x: (n,) times or numbers of the points; their numbers from 1 if not given.
        rows: (n,) row of the table at which each point ends, 0-based.
        causes: (n,) why a point was left out; such points are drawn hollow.
        excursions: First and last point of each shift that a cumulative sum signals, 0-based, and how many points of it have a value.
        of_all: Points that break a rule on this chart or the one beside it, of which the title counts those of this one.
        shown: The points that are drawn; all if not given.
    """
    part = shown or slice(None)
    unit = unit if chart.kind in IN_COLUMN_UNIT else ""
    y = chart.points[part]
    at, of_all_points = axis_values(x, len(chart.points))[part], row_numbers(rows, len(chart.points))
    number = of_all_points[part]
    kept = downsample(y)
    hover = row_hover(text, "%{y:.5~g}", unit)
    main = line(at[kept], y[kept], theme.category(0), name=column, hover=hover, width=1.1, customdata=number[kept])
    if len(kept) <= 200:
        main |= {"mode": "lines+markers", "marker": {"size": 4, "color": theme.category(0)}}
    traces, ends = [main], []
    for values, words, dash in (
        (chart.upper[part], msg("UCL"), "dash"),
        (chart.centre[part], msg("CL"), "solid"),
        (chart.lower[part], msg("LCL"), "dash"),
    ):
        if not np.isfinite(values).any():
            continue
        traces.append(_steps(at, values, theme.colors.muted, dash))
        last = float(values[np.flatnonzero(np.isfinite(values))[-1]])
        told = by_spread(last, _spread(chart))
        ends.append((last, text(msg("{name} {value}", name=words, value=told)), theme.colors.muted))
    start = part.indices(len(chart.points))[0]
    traces += _hollow(chart, causes, part, at, number, hover, theme, text)
    broken = _broken(signals)
    marked = np.array([i - start for i in sorted(broken) if start <= i < start + len(y)], dtype=np.int64)
    if len(marked):
        drawn = downsample_marks(marked, y)
        rules = [", ".join(map(str, broken[int(i) + start])) for i in drawn]
        say = hover + "<br>" + text(msg("rule {rules}", rules="%{hovertext}"))
        beside = _apart(drawn, rules, len(y))
        trace = flags(at[drawn], y[drawn], theme, hover=say, customdata=number[drawn], text=beside, hovertext=rules)
        if len(drawn) > MOST_LARGE:
            trace["marker"] = {**trace["marker"], "size": 4}
        if len(drawn) <= MOST_NUMBERED and not chart.is_sum:
            trace |= {
                "mode": "markers+text",
                "textposition": "top center",
                "textfont": {"size": 10, "color": theme.colors.bad},
            }
        traces.append(trace)
    shapes, labels = _ribbons(chart, at, part, theme, text)
    known = [v[np.isfinite(v)] for v in (y, chart.upper[part], chart.lower[part])]
    span, shown_range = span_of(*known) * (1 if chart.kind in OF_COLUMN else LOW), None
    if chart.is_sum:
        is_upper = chart.kind == "CUSUM+"
        limit = float(np.nanmax(np.abs(chart.upper if is_upper else chart.lower))) if len(y) else 0.0
        shown_range = visible(y, limit, is_upper=is_upper)
        more = spans(excursions, at, of_all_points, chart.points, start, theme, text, shown=shown_range, is_upper=is_upper)
        shapes, labels = [*more[0], *shapes], [*labels, *more[1]]
        span = span if shown_range is None else LOW * (shown_range[1] - shown_range[0])
    return draw(
        traces,
        title=title or _finding(chart, signals, column, of_all),
        x=msg("point") if x is None else x_title(at),
        y=quantity(
            column if chart.kind in OF_COLUMN else chart.statistic if chart.kind == "score" else chart.kind,
            "σ" if chart.is_sum else unit,
        ),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=[*spread(ends, span), *labels],
        x_axis={"range": [json_value(at[0]), json_value(at[-1])]} if len(at) > 1 else None,
        # Two charts above each other: their axes stand at one place, whatever the width of their numbers.
        y_axis={"automargin": False} if shown_range is None else {"automargin": False, "range": shown_range},
        margin={"l": 76, "r": 94, "t": 48, "b": 52},
    )


def _hollow(
    chart: Chart, causes: Sequence[str], part: slice, at: NDArray, number: NDArray, hover: str, theme: Theme, text: Text
) -> list[Json]:
    """Points left out, hollow, each with its cause under the pointer."""
    left = np.flatnonzero((~chart.phases.counted & np.isfinite(chart.points))[part])
    if not len(left):
        return []
    y, start = chart.points[part], part.indices(len(chart.points))[0]
    drawn = downsample_marks(left, y)
    why = [plain(causes[int(i) + start]) if causes else "" for i in drawn]
    say = hover + "<br>" + text(msg("left out: {cause}", cause="%{text}"))
    trace = marks(
        at[drawn], y[drawn], theme.colors.text, hover=say, symbol="circle-open", size=9, customdata=number[drawn], text=why
    )
    trace["marker"] = {**trace["marker"], "line": {"width": 1.6}}
    return [trace]


def _spread(chart: Chart) -> float:
    """What tells how exactly a limit is worth saying: a third of the distance between the limits, or of the upper one."""
    width = chart.upper - np.where(
        np.isfinite(chart.lower), chart.lower, np.where(np.isfinite(chart.centre), chart.centre, 0.0)
    )
    known = width[np.isfinite(width)]
    return float(known[-1]) / 6 if len(known) else float("nan")


def _finding(chart: Chart, signals: Sequence[Signal], column: str, of_all: int | None) -> Message:
    """What is seen, as a title."""
    if chart.is_sum:
        return _of_sum(chart, signals, column)
    seen = msg("{statistic} of {column}", statistic=chart.statistic, column=column)
    if chart.kind == "run":
        return seen
    n = int(np.logical_or.reduce([s.found for s in signals]).sum()) if signals else 0
    if not n:
        return msg("{seen}: no point breaks a rule", seen=seen)
    if of_all is not None and of_all > n:
        return msg("{seen}: {n} of the {all} points that break a rule", n=n, all=of_all, seen=seen)
    return msg_n("{seen}: {n} point breaks a rule", "{seen}: {n} points break a rule", n, seen=seen)


def _of_sum(chart: Chart, signals: Sequence[Signal], column: str) -> Message:
    """The same of a cumulative sum, which signals a shift once."""
    n = sum(signal.count for signal in signals)
    if chart.kind == "CUSUM+":
        return msg_n(
            "Upper cumulative sum of {column}: {n} shift signalled",
            "Upper cumulative sum of {column}: {n} shifts signalled",
            n,
            column=column,
        )
    return msg_n(
        "Lower cumulative sum of {column}: {n} shift signalled",
        "Lower cumulative sum of {column}: {n} shifts signalled",
        n,
        column=column,
    )


def _broken(signals: Sequence[Signal]) -> dict[int, list[int]]:
    """The numbers of the rules that a point breaks, by the point's place; without those that break none."""
    numbers: dict[int, list[int]] = {}
    for signal in signals:
        for i in np.flatnonzero(signal.found).tolist():
            numbers.setdefault(i, []).append(signal.number)
    return numbers


def _apart(places: NDArray[np.int64], words: Sequence[str], n: int) -> list[str]:
    """The words at places among n points, without those that would stand on the ones before them; all are told under the pointer."""
    shown, free = [], -np.inf
    for place, word in zip(places.tolist(), words, strict=True):
        half = 0.5 * (len(word) + 1) * CHARACTER * n
        is_free = place - half >= free
        shown.append(word if is_free else "")
        free = place + half if is_free else free
    return shown


def _steps(at: NDArray, values: NDArray[np.float64], color: str, dash: str) -> Json:
    """A line that steps half way between two points wherever the limit changes."""
    n = len(values)
    changed = np.flatnonzero(~((values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1])))) + 1
    places = (
        np.union1d(np.concatenate([changed, changed - 1]), [0, n - 1]) if len(changed) <= MOST_STEPS else downsample(values)
    )
    places = places.astype(np.int64)
    shape = "hvh" if len(changed) else "linear"
    trace = {"type": "scatter", "mode": "lines", "x": at[places], "y": values[places], "hoverinfo": "skip"}
    return {**trace, "line": {"color": color, "width": 1.3, "dash": dash, "shape": shape}}


def _ribbons(chart: Chart, at: NDArray, part: slice, theme: Theme, text: Text) -> tuple[list[Json], list[Json]]:
    """Phase I shaded where only some points gave the limits, else the stages parted by a line, each with its name above."""
    of = chart.phases
    shapes: list[Json] = []
    labels: list[Json] = []
    start, stop, _ = part.indices(len(of.stage))
    if not stop > start:
        return shapes, labels
    if chart.known != "both" and not of.period.all() and of.period.any():
        known = np.flatnonzero(of.period[start:stop])
        if len(known) and len(known) >= IN_ONE_PIECE * (known[-1] - known[0] + 1):
            first, last = int(known[0]), int(known[-1])
            shapes.append(_rect(at[first], at[last], theme.part(0)))
            labels.append(_above(at[first], text(msg("Phase I: the limits come from here")), theme))
            if last < stop - start - 1:
                labels.append(_above(at[-1], text(msg("Phase II")), theme, right=True))
        return shapes, labels
    if len(of.labels) > 1:
        for k, stretch in enumerate(of.stretches[:MOST_STAGES]):
            a, b = max(stretch.start, start), min(stretch.stop, stop)
            if a >= b:
                continue
            if k and a > start:
                shapes.append(_border(at[a - start], theme))
            if (b - a) >= 0.06 * (stop - start):
                labels.append(_above(at[a - start], of.labels[int(of.stage[a])], theme))
    return shapes, labels


def _rect(a: object, b: object, color: str) -> Json:
    place = {"x0": json_value(a), "x1": json_value(b), "y0": 0, "y1": 1, "yref": "paper"}
    return {"type": "rect", **place, "fillcolor": color, "line": {"width": 0}, "layer": "below"}


def _border(a: object, theme: Theme) -> Json:
    place = {"x0": json_value(a), "x1": json_value(a), "y0": 0, "y1": 1, "yref": "paper"}
    return {"type": "line", **place, "line": {"color": theme.colors.muted, "width": 1, "dash": "dot"}}


def _above(a: object, words: str, theme: Theme, *, right: bool = False) -> Json:
    font = {"color": theme.colors.muted, "size": 11}
    place = {"x": json_value(a), "y": 1, "yref": "paper", "xanchor": "right" if right else "left", "yanchor": "bottom"}
    return {**place, "text": plain(words), "showarrow": False, "font": font}


def caption_control(chart: Chart, x: ArrayLike | None = None, rules: Message | None = None) -> Message:
    """n, period, where the limits come from, how sigma was found, the rules."""
    of = chart.phases
    source = _source(chart) if np.isfinite(chart.upper).any() or np.isfinite(chart.lower).any() else None
    sigma = msg("σ given") if chart.known == "sigma" else None
    if chart.method not in ("none", "given", "covariance", "Phase I"):
        sigma = msg("σ by {method}", method=chart.method)
    n_left = int((~of.counted & np.isfinite(chart.points)).sum())
    left = msg_n("{n} point left out (hollow)", "{n} points left out (hollow)", n_left) if n_left else None
    return join(msg("n = {n} points", n=int(np.isfinite(chart.points).sum())), period(x), source, left, sigma, rules)


def _source(chart: Chart) -> Message:
    """Where limits come from."""
    of = chart.phases
    if chart.known == "both":
        return msg("limits given, not estimated")
    if len(of.labels) > 1:
        return msg("limits of each stage from its own points")
    chosen = of.period
    first, last = _ends(chosen)
    if chosen.all():
        source = msg("limits from all points")
    elif int(chosen.sum()) < IN_ONE_PIECE * (last - first + 1):
        source = msg_n("limits from {n} point", "limits from {n} points", int(chosen.sum()))
    else:
        source = msg("limits from points {first} to {last}", first=first, last=last)
    return msg("{source} around a given centre", source=source) if chart.known == "centre" else source


def _ends(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """The first and the last point of a mask, counted from 1; (0, 0) of none."""
    places = np.flatnonzero(mask)
    return (int(places[0]) + 1, int(places[-1]) + 1) if len(places) else (0, 0)
