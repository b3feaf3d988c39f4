"""How columns hang together: strengths of all pairs, two columns against each other, several at once, Pareto, lags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.downsample import downsample
from core.charts.figure import (
    LONGEST_NAME,
    Json,
    Text,
    draw,
    end_label,
    line,
    marks,
    plain,
    quantity,
    upright,
)
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

MOST_WRITTEN = 6
"""Columns of a map whose strengths are written into the cells."""
MAP_NAME = 16
MOST_BARS = 30
MOST_IN_MATRIX = 5
MOST_MATRIX_POINTS = 1_000


def strength_map(
    *, names: Sequence[str], strength: ArrayLike, title: Message | None = None, theme: Theme = LIGHT, text: Text = str
) -> go.Figure:
    """How closely k columns hang together, (k, k) from 0 to 1 without sign; NaN where it is not known."""
    cells = np.asarray(strength, float).reshape(len(names), len(names))
    shown = [plain(short(name, MAP_NAME)) for name in names]
    k = len(names)
    room = 6 * max((len(name) for name in shown), default=0)
    places = list(range(k))
    trace: Json = {
        "type": "heatmap",
        "x": places,
        "y": places,
        "z": cells,
        "colorscale": theme.scale,
        "zmin": 0,
        "zmax": 1,
        "xgap": 1,
        "ygap": 1,
        "colorbar": color_bar(theme, tickvals=[0, 0.5, 1]),
        "customdata": [[f"{a} – {b}" for b in shown] for a in shown],
        "hovertemplate": "%{customdata}: %{z:.2f}<extra></extra>",
    }
    if k <= MOST_WRITTEN:
        trace |= {"text": [[f"{v:.2f}" if np.isfinite(v) else "" for v in row] for row in cells], "texttemplate": "%{text}"}
    axis: Json = {"tickvals": places, "ticktext": shown, "showline": False, "ticks": "", "showgrid": False}
    return draw(
        [trace] if k else [],
        title=title or msg("Strength of all pairs"),
        x=msg("column"),
        y=msg("column"),
        theme=theme,
        text=text,
        right=70,
        height=min(720, max(320, 120 + room + 22 * k)),
        x_axis=axis | {"tickangle": -90 if k > 3 else 0, "range": [-0.5, max(k, 1) - 0.5]},
        y_axis=axis | {"range": [max(k, 1) - 0.5, -0.5], "ticklabelstandoff": 4},
    )


def pair_scatter(
    *,
    x: ArrayLike,
    y: ArrayLike,
    names: tuple[str, str],
    units: tuple[str, str] = ("", ""),
    rows: ArrayLike | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """One column (n,) against another (n,), each in its unit; rows without both are not drawn. `rows` (n,) are 0-based."""
    a, b = np.asarray(x, float), np.asarray(y, float)
    both = np.flatnonzero(np.isfinite(a) & np.isfinite(b))
    drawn = both[downsample(b[both])]
    number = (np.arange(len(a)) if rows is None else np.asarray(rows))[drawn] + 1
    units_told = [f" {plain(unit)}" if unit else "" for unit in units]
    hover = text(msg("row {row}", row="%{customdata}")) + f"<br>%{{x:.5~g}}{units_told[0]}, %{{y:.5~g}}{units_told[1]}"
    return draw(
        [marks(a[drawn], b[drawn], theme.category(0), hover=hover, size=4, opacity=0.5, customdata=number)],
        title=title or msg("{one} against {other}", one=names[1], other=names[0]),
        x=quantity(names[0], units[0]),
        y=quantity(names[1], units[1]),
        theme=theme,
        text=text,
        right=30,
    )


def cross_table(
    *,
    counts: ArrayLike,
    names: tuple[str, str],
    labels: tuple[Sequence[str], Sequence[str]],
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Rows by category of two columns, counts (a, b): down the first, across the second; colour is the share within the row."""
    n = np.asarray(counts, float).reshape(len(labels[0]), len(labels[1]))
    total = n.sum(axis=1, keepdims=True)
    share = np.divide(n, total, out=np.full_like(n, np.nan), where=total > 0)
    down, across = ([plain(short(name)) for name in side] for side in labels)
    trace: Json = {
        "type": "heatmap",
        "x": list(range(len(across))),
        "y": list(range(len(down))),
        "z": share,
        "text": [[f"{c:,.0f}" for c in row] for row in n],
        "colorscale": theme.scale,
        "zmin": 0,
        "zmax": 1,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "customdata": [[f"{a} – {b}" for b in across] for a in down],
        "hovertemplate": "%{customdata}: %{text} (%{z:.1%})<extra></extra>",
    }
    if max(n.shape, default=0) <= MOST_WRITTEN:
        trace["texttemplate"] = "%{text}"
    axis: Json = {"showline": False, "ticks": "", "showgrid": False}
    return draw(
        [trace] if n.size else [],
        title=title or msg("Rows by {one} and {other}", one=names[0], other=names[1]),
        x=quantity(names[1]),
        y=quantity(names[0]),
        theme=theme,
        text=text,
        right=30,
        x_axis=axis | {"tickvals": list(range(len(across))), "ticktext": across},
        y_axis=axis | {"tickvals": list(range(len(down))), "ticktext": down, "autorange": "reversed", "ticklabelstandoff": 4},
    )


def pareto_chart(
    *,
    labels: Sequence[str],
    weights: ArrayLike,
    cumulative: ArrayLike,
    n_few: int,
    share: float,
    column: str,
    weight: Message,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Categories by weight (k,), the heaviest first, and the share (k,), 0 to 1, that they make up to each.

    The first `n_few` have the accent: together they make at least `share`. Of more than 30 categories the last ones are one bar.
    """
    height, reached = np.asarray(weights, float), 100 * np.asarray(cumulative, float)
    names = [plain(short(name)) for name in labels]
    if len(names) > MOST_BARS:
        rest = len(names) - MOST_BARS + 1
        names = [*names[: MOST_BARS - 1], plain(text(msg("{n} others", n=rest)))]
        height = np.append(height[: MOST_BARS - 1], height[MOST_BARS - 1 :].sum())
        reached = np.append(reached[: MOST_BARS - 1], reached[-1])
    k = np.arange(len(names))
    total = float(np.nansum(height)) or 1.0
    colors = [theme.category(0) if i < n_few else theme.colors.muted for i in k]
    traces: list[Json] = []
    if len(names):
        hover = "%{customdata}: %{y:.5~g}<extra></extra>"
        marker = {"color": colors, "line": {"width": 0}}
        traces.append({"type": "bar", "x": k, "y": height, "marker": marker, "customdata": names, "hovertemplate": hover})
        rising = line(k, reached, theme.category(1), hover="%{text}: %{y:.1f} %", width=1.8, text=names)
        traces.append(rising | {"yaxis": "y2"})
    level: Json = {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": 100 * share, "y1": 100 * share, "yref": "y2"}
    return draw(
        traces,
        title=title or msg("What occurs most in {column}", column=column),
        x=quantity(column),
        y=weight,
        theme=theme,
        text=text,
        shapes=[level | {"line": {"color": theme.colors.muted, "width": 1.2, "dash": "dot"}}] if len(names) else [],
        right=70,
        bargap=0.12,
        x_axis={"tickvals": k.tolist(), "ticktext": names, "ticks": ""},
        # Both axes end at the whole, so that a bar and the line are read against each other.
        y_axis={"range": [0, 1.05 * total], "showgrid": False},
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "range": [0, 105],
            "tickvals": [0, 20, 40, 60, 80, 100],
            "ticktext": [f"{v} %" for v in (0, 20, 40, 60, 80, 100)],
            "gridcolor": theme.colors.border,
            "zeroline": False,
            "automargin": True,
        },
    )


def lag_chart(
    *,
    lags: ArrayLike,
    r: ArrayLike,
    band: float,
    best: int,
    names: tuple[str, str],
    is_clear: bool = True,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Correlation (n,) at each lag (n,) in rows; what lies within ±`band` two unrelated sensors would show as well."""
    at, y = np.asarray(lags, float), np.asarray(r, float)
    kept = downsample(y)
    traces: list[Json] = [line(at[kept], y[kept], theme.category(0), hover="%{x}: r %{y:.3f}", width=1.5)]
    shapes: list[Json] = []
    labels: list[Json] = []
    top = 0.1
    if len(at):
        known = np.abs(y[np.isfinite(y)])
        top = 1.15 * max(0.1, float(known.max(initial=0.0)), band if np.isfinite(band) else 0.0)
        for side in (band, -band):
            if np.isfinite(side):
                shapes.append(
                    {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": side, "y1": side}
                    | {"line": {"color": theme.colors.muted, "width": 1.3, "dash": "dash"}}
                )
        shapes.append(
            {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": 0, "y1": 0}
            | {"line": {"color": theme.colors.border, "width": 1}}
        )
        if np.isfinite(band):
            labels.append(end_label(band, text(msg("chance\n±{band}", band=float(band))), theme.colors.muted))
        if is_clear:
            shape, label = upright(float(best), text(msg("lag {lag}", lag=best)), theme, theme.category(1))
            shapes.append(shape)
            labels.append(label)
        labels += [
            _below(text(msg("← {name} follows", name=short(names[0]))), theme, "left"),
            _below(text(msg("{name} follows →", name=short(names[1]))), theme, "right"),
        ]
    return draw(
        traces,
        title=title or msg("Correlation of {one} and {other} at a distance", one=names[0], other=names[1]),
        x=msg("lag (rows)"),
        y=msg("correlation r"),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=labels,
        right=80,
        y_axis={"range": [-top, top]},
    )


def scatter_matrix(
    *,
    names: Sequence[str],
    values: ArrayLike,
    units: Sequence[str] = (),
    strength: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Each of up to 5 columns against each other, values (n, k); `strength` (k, k) is written above each panel.

    Of more than 1,000 rows evenly spaced ones are drawn.
    """
    k = min(len(names), MOST_IN_MATRIX)
    table = np.asarray(values, float)[:, :k]
    drawn = np.unique(np.linspace(0, max(0, len(table) - 1), min(len(table), MOST_MATRIX_POINTS)).astype(np.int64))
    number = (np.arange(len(table)) if rows is None else np.asarray(rows))[drawn] + 1
    titles = [plain(text(quantity(short(name), (units or [""] * k)[i]))) for i, name in enumerate(names[:k])]
    close = None if strength is None else np.asarray(strength, float)
    hover = text(msg("row {row}", row="%{customdata}")) + "<br>%{x:.5~g}, %{y:.5~g}"
    step, gap = 1 / max(1, k - 1), 0.025
    traces: list[Json] = []
    layout: Json = {}
    labels: list[Json] = []
    for i in range(1, k):
        for j in range(k - 1):
            if j >= i:
                continue
            # The first panel is the lower left one: the axes of the figure carry its titles.
            place = "" if (i, j) == (k - 1, 0) else str(2 + i * k + j)
            left, bottom = j * step, 1 - i * step
            axes = {"showgrid": False, "zeroline": False, "linecolor": theme.colors.muted, "showline": True, "automargin": True}
            at = {"domain": [left + gap, left + step - gap], "anchor": f"y{place}"} | axes
            up = {"domain": [bottom + gap, bottom + step - gap], "anchor": f"x{place}"} | axes
            at |= {"title": {"text": titles[j]}} if i == k - 1 else {"showticklabels": False, "title": {"text": ""}}
            up |= {"title": {"text": titles[i]}} if j == 0 else {"showticklabels": False, "title": {"text": ""}}
            at, up = at | {"nticks": 4}, up | {"nticks": 4}
            layout[f"xaxis{place}"], layout[f"yaxis{place}"] = at, up
            dots = marks(
                table[drawn, j], table[drawn, i], theme.category(0), hover=hover, size=3, opacity=0.45, customdata=number
            )
            traces.append(dots | {"xaxis": f"x{place}", "yaxis": f"y{place}"})
            if close is not None and np.isfinite(close[i, j]):
                corner = {
                    "x": left + gap,
                    "y": bottom + step - gap,
                    "xanchor": "left",
                    "yanchor": "bottom",
                    "xref": "paper",
                    "yref": "paper",
                }
                font = {"color": theme.colors.muted, "size": 11}
                labels.append({**corner, "text": f"{close[i, j]:.2f}", "showarrow": False, "font": font})
    own = layout.pop("xaxis", {}), layout.pop("yaxis", {})
    return draw(
        traces,
        title=title or msg("Each column against each other"),
        x=quantity(names[0] if k else "", (units or [""])[0]) if k else msg("column"),
        y=quantity(names[k - 1], units[k - 1] if units else "") if k else msg("column"),
        theme=theme,
        text=text,
        labels=labels,
        right=30,
        height=max(340, 130 * max(1, k - 1) + 100),
        x_axis=own[0],
        y_axis=own[1],
        **layout,
    )


def color_bar(theme: Theme, **more: Any) -> Json:
    """The bar that says what colours mean."""
    return {"thickness": 10, "outlinewidth": 0, "len": 0.9, "tickfont": {"color": theme.colors.muted, "size": 11}, **more}


def _below(words: str, theme: Theme, side: str) -> Json:
    """A label in a lower corner of the plot."""
    at = {"x": 0 if side == "left" else 1, "xref": "paper", "xanchor": side, "y": 0.01, "yref": "paper", "yanchor": "bottom"}
    return {**at, "text": plain(words), "showarrow": False, "font": {"color": theme.colors.muted, "size": 11}}


def short(name: str, most: int = LONGEST_NAME // 2) -> str:
    """A name that fits beside others."""
    return name if len(name) <= most else name[: most - 1] + "…"
