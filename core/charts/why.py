"""Why a result: what each column adds, how the output follows one column, and which rows of the window counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.downsample import downsample
from core.charts.figure import LONGEST_NAME, Json, Text, draw, line, plain, quantity, span_of, spread, upright
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

MOST_BARS = 20


def effect_bars(
    *,
    names: Sequence[str],
    effects: ArrayLike,
    what: Message | str,
    unit: str = "",
    spreads: ArrayLike | None = None,
    notes: Sequence[str] | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """What each of k columns adds to `what`, (k,) in its unit, in the order given, at most 20: up in one colour, down in another.

    Args:
        spreads: (k,) standard deviations, drawn as whiskers; None without any.
        notes: What hovering a bar says beside its value, such as the column's own value.
    """
    values = np.asarray(effects, float)[:MOST_BARS]
    shown = [_short(name) for name in names[:MOST_BARS]]
    said = [plain(note) for note in (notes or [""] * len(shown))][:MOST_BARS]
    colors = [theme.category(0) if value >= 0 else theme.category(1) for value in values]
    bar: Json = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": _unique(shown),
        "customdata": said,
        "marker": {"color": colors, "line": {"width": 0}},
        "hovertemplate": "%{y}<br>%{x:.4~g} " + plain(unit) + "<br>%{customdata}<extra></extra>",
    }
    if spreads is not None:
        bar["error_x"] = {
            "type": "data",
            "array": np.nan_to_num(np.asarray(spreads, float)[:MOST_BARS]),
            "color": theme.colors.text,
            "thickness": 1.2,
            "width": 4,
        }
    name = what if isinstance(what, Message) else msg("{name}", name=what)
    zero, _ = upright(0, "", theme, dash="solid")
    return draw(
        [bar] if len(values) else [],
        title=title or msg("What each column adds"),
        x=quantity(name, unit),
        y=msg("column"),
        theme=theme,
        text=text,
        shapes=[zero] if len(values) else [],
        x_axis={"showgrid": True},
        y_axis={"autorange": "reversed", "ticks": "", "showgrid": False, "ticklabelstandoff": 6},
        bargap=0.25,
        right=24,
        height=120 + 24 * max(4, len(values)),
    )


def dependence_curve(
    *,
    values: ArrayLike,
    effects: ArrayLike,
    is_thin: ArrayLike,
    n_near: ArrayLike,
    column: str,
    unit: str = "",
    what: Message | str = "",
    what_unit: str = "",
    here: float | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """How an output follows a column: (g,) values and effects; grey and dotted where the data do not carry it.

    Args:
        is_thin: (g,) places where the curve is a guess; `n_near` (g,) how many rows lie near, for hovering.
        here: The value of a row that is looked at, marked by an upright line.
    """
    x, y = np.asarray(values, float), np.asarray(effects, float)
    kept = downsample(y)
    x, y, thin, near = x[kept], y[kept], np.asarray(is_thin, bool)[kept], np.asarray(n_near)[kept]
    hover = "%{x:.5~g} " + plain(unit) + "<br>%{y:.4~g} " + plain(what_unit)
    guessed: Json = line(x, y, theme.colors.muted, name=text(msg("guess")), hover=hover, dash="dot", width=1.6)
    trusted: Json = line(x, np.where(thin, np.nan, y), theme.category(0), name=text(msg("effect")), hover=hover, width=2.2)
    trusted |= {"mode": "lines+markers", "marker": {"color": theme.category(0), "size": 5}, "customdata": near}
    trusted["hovertemplate"] = (
        hover + "<br>" + plain(text(msg("rows near: {n}", n="@"))).replace("@", "%{customdata}") + "<extra></extra>"
    )
    shapes, labels = [], []
    if here is not None and np.isfinite(here):
        shape, label = upright(here, text(msg("this row")), theme)
        shapes, labels = [shape], [label]
    name = what if isinstance(what, Message) else msg("{name}", name=what)
    return draw(
        [guessed, trusted],
        title=title or msg("How the output follows a column"),
        x=quantity(column, unit),
        y=quantity(msg("change of {what}", what=name), what_unit),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=labels,
        right=24,
    )


def parts_over_window(
    *,
    names: Sequence[str],
    parts: ArrayLike,
    what: Message | str,
    unit: str = "",
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """The size of each column's part in each row of a window, (rows, k), oldest row first; the darkest cells count most."""
    values = np.asarray(parts, float).reshape(-1, len(names))[-5_000:]
    rows = len(values)
    shown = _unique([_short(name) for name in names[:MOST_BARS]])
    size = np.abs(values[:, :MOST_BARS]).T
    heat: Json = {
        "type": "heatmap",
        "x": np.arange(1 - rows, 1),
        "y": shown,
        "z": np.where(np.isfinite(size), size, 0.0),
        "customdata": np.where(np.isfinite(size), values[:, :MOST_BARS].T, 0.0),
        "colorscale": theme.scale,
        "zmin": 0,
        "showscale": False,
        "hovertemplate": "%{y}, %{x}<br>%{customdata:.4~g} " + plain(unit) + "<extra></extra>",
    }
    name = what if isinstance(what, Message) else msg("{name}", name=what)
    return draw(
        [heat] if rows and len(names) else [],
        title=title or msg("Where in the window the output comes from: size of the part in {what}", what=name),
        x=msg("rows before this one"),
        y=msg("column"),
        theme=theme,
        text=text,
        y_axis={"autorange": "reversed", "ticks": "", "showgrid": False, "ticklabelstandoff": 6},
        right=24,
        height=130 + 22 * max(4, len(shown)),
    )


def maps_over_window(
    *,
    maps: Mapping[str, ArrayLike],
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """How much each row of a window counts by several maps, each (rows,), oldest first, each shown as a share of its largest."""
    traces: list[Json] = []
    ends, drawn = [], []
    for i, (word, values) in enumerate(maps.items()):
        y = np.asarray(values, float)
        kept = downsample(y)
        x, y = np.arange(1 - len(y), 1)[kept], y[kept]
        color = theme.category(i)
        traces.append(
            line(x, y, color, name=word, hover=plain(word) + "<br>%{x}: %{y:.3~g}", dash=("solid", "dash", "dot")[i % 3])
        )
        drawn.append(y)
        if len(y) and np.isfinite(y[-1]):
            ends.append((float(y[-1]), word[:24], color))
    return draw(
        traces,
        title=title or msg("Which rows of the window counted"),
        x=msg("rows before this one"),
        y=msg("share of the largest"),
        theme=theme,
        text=text,
        labels=spread(ends, span_of(*drawn)) if ends else [],
        y_axis={"rangemode": "tozero"},
        right=170,
        height=280,
    )


def _short(name: str) -> str:
    return plain(name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…")


def _unique(names: Sequence[str]) -> list[str]:
    """Names of which no two are alike: Plotly would draw their bars on each other."""
    found: list[str] = []
    for name in names:
        while name in found:
            name += "\u200b"
        found.append(name)
    return found
