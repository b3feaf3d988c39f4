"""What a detector finds of faults of known size: chance of detection and delay against size, and all sensors by kind of fault."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.figure import Json, Text, band, draw, end_label, line, marks, plain, quantity, span_of, spread
from core.charts.relations import color_bar, short
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

MOST_SIZES = 1_000


def detection_curve(
    *,
    sizes: ArrayLike,
    shares: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    fitted: ArrayLike,
    false_alarms: float,
    reached: Sequence[tuple[float, float]] = (),
    name: str | Message,
    unit: str = "",
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Share of faults that were found against their size (m,), with its 95 % interval and the curve that never falls.

    Args:
        sizes: Ascending, in `unit`.
        shares, low, high, fitted: (m,), 0 to 1, NaN where not defined.
        false_alarms: Share of stretches that alarm without a fault, drawn as a line.
        reached: (size, share) pairs that are marked, such as the size that is found 90 % of the time.
        name: What is on the horizontal axis: the sensor, or "lag".
    """
    x, y, lower, upper, curve = (np.asarray(v, float)[:MOST_SIZES] for v in (sizes, shares, low, high, fitted))
    color = theme.category(0)
    known = np.isfinite(curve)
    hover = "%{x:.4~g} " + plain(unit) + "<br>%{y:.1f} %"
    traces = band(x, 100 * lower, 100 * upper, theme.clear(color))
    traces.append(line(np.append(0.0, x[known]), np.append(0.0, 100 * curve[known]), color, hover=hover) | {"mode": "lines"})
    traces.append(marks(x, 100 * y, color, hover=hover, size=6))
    labels: list[Json] = []
    shapes: list[Json] = []
    if len(x) and np.isfinite(false_alarms):
        at = 100 * false_alarms
        line_style = {"color": theme.colors.warn, "width": 1.3, "dash": "dash"}
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": at, "y1": at, "line": line_style})
        words = text(msg("without a fault {percent} %", percent=round(at, 1)))
        labels.append(end_label(at, words.replace(" ", "\n", 1) if len(words) > 24 else words, theme.colors.warn))
    # Right of all the lines: a label beside its own would lie on the next one.
    farthest = max((float(size) for size, _ in reached if np.isfinite(size)), default=0.0)
    for size, share in reached:
        if np.isfinite(size):
            dotted = {"color": theme.colors.muted, "width": 1, "dash": "dot"}
            shapes.append({"type": "line", "x0": size, "x1": size, "y0": 0, "y1": 100 * share, "line": dotted})
            labels.append(_mark(farthest, 100 * share, f"{100 * share:.0f} %: {size:.3g} {unit}".strip(), theme))
    return draw(
        traces if len(x) else [],
        title=title or msg("Chance of detection"),
        x=quantity(msg("size in {name}", name=name), unit),
        y=quantity(msg("found"), "%"),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=labels,
        x_axis={"rangemode": "tozero"},
        y_axis={"range": [-3, 108]},
        right=130,
        height=380,
    )


def detection_delay(
    *,
    sizes: ArrayLike,
    delays: ArrayLike,
    late: ArrayLike,
    name: str | Message,
    unit: str = "",
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Rows from the beginning of a fault to its alarm against its size (m,): median and 90 % quantile of those that were found."""
    x, middle, most = (np.asarray(v, float)[:MOST_SIZES] for v in (sizes, delays, late))
    hover = "%{x:.4~g} " + plain(unit) + "<br>%{y:.4~g}"
    pairs = ((middle, theme.category(0), "solid", text(msg("median"))), (most, theme.category(1), "dash", "90 %"))
    traces, ends = [], []
    for values, color, dash, word in pairs:
        known = np.isfinite(values)
        traces.append(line(x[known], values[known], color, name=word, hover=plain(word) + "<br>" + hover, dash=dash))
        if known.any():
            ends.append((float(values[known][-1]), word, color))
    return draw(
        traces if len(x) else [],
        title=title or msg("Rows to the alarm"),
        x=quantity(msg("size in {name}", name=name), unit),
        y=quantity(msg("delay"), text(msg("rows"))),
        theme=theme,
        text=text,
        labels=spread(ends, span_of(middle, most)),
        x_axis={"rangemode": "tozero"},
        y_axis={"rangemode": "tozero"},
        right=130,
        height=300,
    )


def detection_map(
    *,
    sensors: Sequence[str],
    faults: Sequence[str],
    sizes: ArrayLike,
    words: Sequence[Sequence[str]],
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Sensors (a) by kinds of fault (b): the size that is found, (a, b) in standard deviations for the colour, NaN for none.

    `words` (a, b) stand in the cells and say the size in the sensor's unit, or that it is not found.
    """
    a, b = len(sensors), len(faults)
    values = np.asarray(sizes, float).reshape(a, b)
    down, across = [plain(short(name)) for name in sensors], [plain(name) for name in faults]
    shown = [[plain(word) for word in row] for row in words]
    trace: Json = {
        "type": "heatmap",
        "x": list(range(b)),
        "y": list(range(a)),
        "z": values,
        "text": shown,
        "texttemplate": "%{text}",
        "textfont": {"size": 11},
        "customdata": [[f"{left}: {top}" for top in across] for left in down],
        "colorscale": theme.scale,
        "reversescale": True,
        "zmin": 0,
        "zmax": float(np.nanmax(values)) if np.isfinite(values).any() else 1.0,
        "xgap": 2,
        "ygap": 2,
        "colorbar": color_bar(theme, title={"text": "σ"}),
        "showscale": bool(np.isfinite(values).any()),
        "hovertemplate": "%{customdata}<br>%{text}<extra></extra>",
        "hoverongaps": True,
    }
    # A cell without a size has no colour, and Plotly writes nothing into it: its words are labels.
    bare = [
        {"x": j, "y": i, "text": shown[i][j], "showarrow": False, "font": {"color": theme.colors.text, "size": 11}}
        for i in range(a)
        for j in range(b)
        if not np.isfinite(values[i, j])
    ]
    axis: Json = {"showline": False, "ticks": "", "showgrid": False}
    return draw(
        [trace] if a and b else [],
        title=title or msg("Size that is found 80 % of the time"),
        x=msg("fault"),
        y=msg("sensor"),
        theme=theme,
        text=text,
        labels=bare,
        x_axis=axis | {"tickvals": list(range(b)), "ticktext": across, "range": [-0.5, max(b, 1) - 0.5]},
        y_axis=axis | {"tickvals": list(range(a)), "ticktext": down, "range": [max(a, 1) - 0.5, -0.5]},
        right=70,
        height=min(720, 140 + 32 * max(a, 3)),
    )


def _mark(x: float, y: float, words: str, theme: Theme) -> Json:
    return {
        "x": x,
        "y": y,
        "text": plain(words),
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "top",
        "xshift": 5,
        "font": {"color": theme.colors.muted, "size": 11},
    }
