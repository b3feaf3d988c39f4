"""Studies of measuring: where variation comes from, values by part or operator, parts × operators, shares with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.charts.downsample import downsample_marks
from core.charts.figure import LONGEST_NAME, Json, Text, draw, end_label, line, marks, plain, quantity, span_of, spread, upright
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

BOUNDS = (0.10, 0.30)
"""Where AIAG's verdict on a share of the study variation or the tolerance changes."""
MOST_TICKS = 30
MANY = 12
"""Points of one group that lie on its line; more are spread sideways, so that they do not hide each other."""
GOLDEN = 0.618034


def variation_bars(
    *,
    names: Sequence[str | Message],
    contribution: ArrayLike,
    study: ArrayLike,
    interval: tuple[ArrayLike, ArrayLike] | None = None,
    tolerance: ArrayLike | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Components of the variation of measurements as shares, each (k,), 0 to 1: of variance, study variation and tolerance.

    `interval` (low, high) is that of the study variation. The dotted lines are AIAG's 10 and 30 % of study variation or tolerance.
    """
    at = [plain(text(name) if isinstance(name, Message) else name) for name in names]
    series: list[tuple[Message, ArrayLike, str]] = [
        (msg("variance"), contribution, theme.colors.muted),
        (msg("study variation"), study, theme.category(0)),
    ]
    if tolerance is not None:
        series.append((msg("tolerance"), tolerance, theme.category(1)))
    traces: list[Json] = []
    keys = []
    for place, (words, shares, color) in enumerate(series):
        percent = 100 * np.asarray(shares, float)
        trace: Json = {
            "type": "bar",
            "orientation": "h",
            "x": percent,
            "y": at,
            "name": plain(text(words)),
            "marker": {"color": color, "line": {"width": 0}},
            "hovertemplate": f"%{{y}}, {plain(text(words))}: %{{x:.3~g}} %<extra></extra>",
        }
        if place == 1 and interval is not None:
            low, high = (100 * np.asarray(side, float) for side in interval)
            trace["error_x"] = _reach(percent, low, high, theme.colors.text, thickness=1.2, width=4)
        traces.append(trace)
        keys.append(f'<span style="color:{color}">{plain(text(words))}</span>')
    shapes: list[Json] = []
    labels: list[Json] = []
    for bound in BOUNDS if at else ():
        shape, label = upright(100 * bound, f"{100 * bound:g} %", theme)
        shapes.append(shape)
        labels.append(label)
    if at:
        where = {"x": 1, "xref": "paper", "xanchor": "right", "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 16}
        labels.append({**where, "text": " · ".join(keys), "showarrow": False, "font": {"size": 11}})
    return draw(
        traces if at else [],
        title=title or msg("Where the variation comes from"),
        x=msg("share (%)"),
        y=msg("component"),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=labels,
        bargap=0.3,
        barmode="group",
        x_axis={"rangemode": "tozero", "showgrid": True},
        y_axis={"autorange": "reversed", "ticks": "", "showgrid": False, "ticklabelstandoff": 6},
        margin={"l": 64, "r": 24, "t": 76, "b": 52},
    )


def values_by_group(
    *,
    labels: Sequence[str],
    codes: ArrayLike,
    values: ArrayLike,
    means: ArrayLike,
    column: str,
    by: str,
    unit: str = "",
    interval: tuple[ArrayLike, ArrayLike] | None = None,
    reference: float | None = None,
    joined: bool = True,
    rows: ArrayLike | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Values (n,) in column unit as points above their group, with the mean of each of the k groups.

    Args:
        codes: (n,) place of each value's group in `labels`; below 0 is not drawn.
        means: (k,) column unit; `joined` draws a line from one to the next.
        interval: (low, high) of the means, each (k,).
        reference: A level to compare with, such as the mean of all.
        rows: (n,) row of the table of each value, 0-based.
    """
    y, group, centre = np.asarray(values, float), np.asarray(codes, np.int64), np.asarray(means, float)
    drawn = np.flatnonzero((group >= 0) & np.isfinite(y))
    drawn = downsample_marks(drawn, y)
    at = _beside(group[drawn], len(labels))
    number = (np.arange(len(y)) if rows is None else np.asarray(rows))[drawn] + 1
    names = [plain(_short(name)) for name in labels]
    hover = text(msg("row {row}", row="%{customdata[0]}")) + "<br>%{customdata[1]}: %{y:.5~g} " + plain(unit)
    where = [(int(n), names[g]) for n, g in zip(number, group[drawn], strict=True)]
    traces = [marks(at, y[drawn], theme.category(0), hover=hover, size=4, opacity=0.45, customdata=where)] if len(drawn) else []
    k = np.arange(len(labels))
    known = np.isfinite(centre)
    if known.any():
        hover = "%{text}: %{y:.5~g} " + plain(unit)
        mean = marks(k[known], centre[known], theme.category(1), hover=hover, size=8, symbol="diamond")
        mean["text"] = [name for name, there in zip(names, known, strict=True) if there]
        if joined:
            mean |= {"mode": "lines+markers", "line": {"color": theme.category(1), "width": 1.3}}
        if interval is not None:
            low, high = (np.asarray(side, float)[known] for side in interval)
            mean["error_y"] = _reach(centre[known], low, high, theme.category(1))
        traces.append(mean)
    shapes, beside = [], []
    if reference is not None and np.isfinite(reference):
        shapes.append(_across(reference, theme))
        beside.append(end_label(reference, text(msg("mean {value}", value=float(reference))), theme.colors.muted))
    return draw(
        traces,
        title=title or msg("{column} by {by}", column=column, by=by),
        x=quantity(by),
        y=quantity(column, unit),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=beside,
        right=90 if beside else 30,
        x_axis=_ticks(names),
    )


def interaction_lines(
    *,
    parts: Sequence[str],
    operators: Sequence[str],
    means: ArrayLike,
    column: str,
    by: str,
    unit: str = "",
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Mean of the repeats (parts, operators) in column unit, a line an operator: lines that run apart or cross are an interaction."""
    cube = np.asarray(means, float).reshape(len(parts), len(operators))
    names = [plain(_short(name)) for name in parts]
    k = np.arange(len(parts))
    traces, ends = [], []
    for j, operator in enumerate(operators):
        color = theme.category(j)
        hover = plain(_short(operator)) + "<br>%{text}: %{y:.5~g} " + plain(unit)
        traces.append(line(k, cube[:, j], color, name=operator, hover=hover, text=names))
        if len(parts):
            ends.append((float(cube[-1, j]), _short(operator), color))
    return draw(
        traces,
        title=title or msg("Parts by operators"),
        x=quantity(by),
        y=quantity(column, unit),
        theme=theme,
        text=text,
        labels=spread(ends, span_of(cube)),
        x_axis=_ticks(names),
    )


def interval_chart(
    *,
    labels: Sequence[str],
    shares: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    of: Message,
    kinds: Sequence[int] = (),
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Shares (k,), 0 to 1, with their intervals, below each other; `kinds` (k,) gives comparisons of one kind one colour."""
    share, a, b = (100 * np.asarray(side, float) for side in (shares, low, high))
    k = np.arange(len(labels))
    colors = [theme.category(kind) for kind in (kinds or [0] * len(labels))]
    names = [plain(_short(name)) for name in labels]
    traces: list[Json] = []
    for color in dict.fromkeys(colors):
        own = np.flatnonzero(np.array(colors) == color)
        hover = "%{text}: %{x:.3~g} % (%{customdata[0]:.3~g} – %{customdata[1]:.3~g})"
        trace = marks(share[own], k[own], color, hover=hover, size=9, text=[names[i] for i in own])
        trace["customdata"] = np.column_stack([a[own], b[own]])
        trace["error_x"] = _reach(share[own], a[own], b[own], color)
        traces.append(trace)
    return draw(
        traces,
        title=title or msg("Agreement with its interval"),
        x=msg("parts (%)"),
        y=of,
        theme=theme,
        text=text,
        right=30,
        height=max(220, 120 + 30 * len(labels)),
        x_axis={"range": [-2, 102], "showgrid": True},
        y_axis={
            "tickvals": k.tolist(),
            "ticktext": names,
            "range": [len(labels) - 0.5, -0.5],
            "showgrid": False,
            "ticklabelstandoff": 6,
        },
    )


def _beside(group: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Places of points (n,): on the line of their group, or beside it where it has many. No chance is in it, so that one record gives one figure."""
    at = group.astype(np.float64)
    counts = np.bincount(group, minlength=k) if len(group) else np.zeros(k, np.int64)
    crowded = counts[group] > MANY if len(group) else np.zeros(0, bool)
    at[crowded] += 0.5 * ((GOLDEN * np.flatnonzero(crowded)) % 1.0 - 0.5)
    return at


def _ticks(names: Sequence[str]) -> Json:
    """Names below their places; of many only some."""
    step = max(1, -(-len(names) // MOST_TICKS))
    places = list(range(0, len(names), step))
    return {"tickvals": places, "ticktext": [names[i] for i in places], "range": [-0.6, max(1, len(names)) - 0.4]}


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME // 2 else name[: LONGEST_NAME // 2 - 1] + "…"


def _across(value: float, theme: Theme) -> Json:
    place = {"x0": 0, "x1": 1, "xref": "paper", "y0": value, "y1": value}
    return {"type": "line", **place, "line": {"color": theme.colors.muted, "width": 1.2, "dash": "dot"}}


def _reach(
    centre: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    color: str,
    *,
    thickness: float = 2,
    width: int = 6,
) -> Json:
    """Error bars from `low` to `high`, both around `centre` (n,)."""
    ends = {"array": high - centre, "arrayminus": centre - low}
    return {"type": "data", "symmetric": False, **ends, "color": color, "thickness": thickness, "width": width}
