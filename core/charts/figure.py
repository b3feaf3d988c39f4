"""What all charts share: the empty figure in the look of the app, lines, marks, ribbons, direct labels.

Traces are plain SVG scatter, never WebGL: WebGL traces compile code at run time, which the report's content security
policy forbids. User texts are escaped here, because Plotly reads a little HTML in titles and labels.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.charts.theme import FONT, Theme
from core.data.cells import unit_in_name
from core.messages import Message, msg

Text = Callable[[Message], str]
Json = dict[str, Any]
Array = NDArray[Any]

PART_TITLES: Mapping[int, Message] = {0: msg("training"), 1: msg("validation"), 2: msg("test"), 3: msg("gap")}
NARROW = 0.15
MAX_RIBBONS = 40
LONGEST_NAME = 48
TOOLBAR = 18
"""Pixels by which a title stands lower than it had to, so that Plotly's toolbar, which comes with the pointer, is above it and never over it."""
TITLE_TOP = 30
"""Where the title begins, in pixels from the top; the toolbar ends before."""
_TIME_STOPS = [
    {"dtickrange": [None, 1000], "value": "%H:%M:%S.%2f\n%Y-%m-%d"},
    {"dtickrange": [1000, 60_000], "value": "%H:%M:%S\n%Y-%m-%d"},
    {"dtickrange": [60_000, 86_400_000], "value": "%H:%M\n%Y-%m-%d"},
    {"dtickrange": [86_400_000, "M1"], "value": "%m-%d\n%Y"},
    {"dtickrange": ["M1", "M12"], "value": "%Y-%m"},
    {"dtickrange": ["M12", None], "value": "%Y"},
]
_TIME_AXIS: Json = {"tickformatstops": _TIME_STOPS, "hoverformat": "%Y-%m-%d %H:%M:%S"}


def plain(words: str) -> str:
    """Text that Plotly shows as it is: HTML escaped, and no hover placeholder."""
    return html.escape(words, quote=False).replace("%{", "%&#123;")


def row_hover(text: Text, says: str, unit: str = "") -> str:
    """What the pointer shows of a row: its number, the place on the axis and, in Plotly's words, what else is said of it."""
    return text(msg("row {row}", row="%{customdata}")) + "<br>%{x}<br>" + says + " " + plain(unit)


def quantity(name: str | Message, unit: str = "") -> Message:
    """An axis title: the name, shortened, with its unit in brackets, unless the name says it: "Air temperature [K]"."""
    if isinstance(name, str) and unit and unit_in_name(name) == unit:
        unit = ""
    if isinstance(name, str) and len(name) > LONGEST_NAME:
        name = name[: LONGEST_NAME - 1] + "…"
    return msg("{name} ({unit})", name=name, unit=unit) if unit else msg("{name}", name=name)


def is_time(x: Array) -> bool:
    """Whether the values of an axis are times."""
    return bool(np.issubdtype(x.dtype, np.datetime64))


def axis_values(x: ArrayLike | None, n: int) -> Array:
    """Positions on the axis (n,): times, numbers, or row numbers where there are none.

    Whole numbers (of an integer type) are rows of the dataset, 0-based as everywhere in the program. People count from 1, and so does
    the axis; a counter of the user's own is a column of numbers, which are floats.
    """
    return row_numbers(None, n) if x is None else at_axis(np.asarray(x))


def row_numbers(rows: ArrayLike | None, n: int) -> Array:
    """0-based rows of the dataset (n,), by default all, as people count them: from 1."""
    return (np.arange(n) if rows is None else np.asarray(rows)) + 1


def at_axis(value: Any) -> Any:
    """A place, or an array of places, as it stands on the axis: a whole number is a 0-based row."""
    if isinstance(value, np.ndarray):
        return value + 1 if value.dtype.kind in "iu" else value
    return value + 1 if isinstance(value, int | np.integer) and not isinstance(value, bool) else value


def x_title(x: Array, given: Message | None = None) -> Message:
    """What the horizontal axis is called."""
    return given or (msg("time") if is_time(x) else msg("row"))


def by_spread(value: float, spread: float) -> str:
    """A value with as many decimals as show a hundredth of its spread, with a minus sign where it is negative: limits are copied and compared, and lie close together.

    Example:
        >>> by_spread(48.0557, 0.014), by_spread(122.61, 1.25), by_spread(0.0, 0.0)
        ('48.0557', '122.61', '0')
        >>> by_spread(-5.0, 1.7)
        '−5.00'
    """
    if not (np.isfinite(spread) and spread > 0 and np.isfinite(value)):
        return f"{value:.5g}".replace("-", "−")
    places = int(np.clip(2 - np.floor(np.log10(spread)), 0, 12))
    return f"{value:,.{places}f}".replace("-", "−")


def moment(value: Any) -> str:
    """A time, a number or a 0-based row as it stands in a label."""
    if isinstance(value, np.datetime64) or hasattr(value, "isoformat"):
        return str(np.datetime64(value, "m")).replace("T", " ")
    return str(at_axis(value)) if isinstance(value, int | np.integer) else f"{value:g}"


def draw(
    traces: Sequence[Json],
    *,
    title: Message,
    x: Message,
    y: Message,
    theme: Theme,
    text: Text,
    shapes: Sequence[Json] = (),
    labels: Sequence[Json] = (),
    x_axis: Json | None = None,
    y_axis: Json | None = None,
    right: int = 110,
    height: int = 340,
    **layout: Any,
) -> go.Figure:
    """A figure in the look of the app. `right` is the margin in pixels that the labels at the line ends need.

    What is plotted has `height` pixels less the margins; the figure is higher by what the toolbar needs above the title.
    """
    margin: Json = layout.pop("margin", {"l": 64, "r": right, "t": 48, "b": 52})
    c = theme.colors
    axis = {
        "gridcolor": c.border,
        "linecolor": c.muted,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": c.muted,
        "automargin": True,
    }
    empty = not any(len(t.get("x", ())) for t in traces)
    notes = [*labels, *([_nothing(theme, text)] if empty else [])]
    return go.Figure(
        {
            "data": list(traces),
            "layout": {
                "template": "none",
                "title": {
                    "text": plain(text(title)),
                    "font": {"size": 15, "color": c.text},
                    "x": 0,
                    "xref": "paper",
                    "xanchor": "left",
                    "y": 1,
                    "yref": "container",
                    "yanchor": "top",
                    "pad": {"t": TITLE_TOP},
                },
                "font": {"family": FONT, "size": 12, "color": c.muted},
                "paper_bgcolor": c.background,
                "plot_bgcolor": c.background,
                "margin": {**margin, "t": margin["t"] + TOOLBAR},
                "height": height + TOOLBAR,
                "showlegend": False,
                "uirevision": title.id,
                "hoverlabel": {"bgcolor": c.surface, "bordercolor": c.border, "font": {"color": c.text, "family": FONT}},
                "modebar": {"bgcolor": c.background, "color": c.muted, "activecolor": c.primary},
                "xaxis": {
                    **axis,
                    "showgrid": False,
                    "showline": True,
                    "title": {"text": plain(text(x))},
                    **(_TIME_AXIS if _has_times(traces) else {}),
                    **(x_axis or {}),
                },
                "yaxis": {
                    **axis,
                    "showline": True,
                    "title": {"text": plain(text(y)), "standoff": 10},
                    "separatethousands": True,
                    **(y_axis or {}),
                },
                "shapes": list(shapes),
                "annotations": notes,
                **layout,
            },
        }
    )


def line(
    x: Array, y: Array, color: str, *, name: str = "", hover: str = "", dash: str = "solid", width: float = 1.3, **more: Any
) -> Json:
    """A line; with 30 points or fewer its points are marked, so that one point is seen too."""
    trace: Json = {
        "type": "scatter",
        "x": x,
        "y": y,
        "name": plain(name),
        "line": {"color": color, "width": width, "dash": dash},
    }
    few = len(x) <= 30 and dash == "solid"
    trace |= {"mode": "lines+markers", "marker": {"size": 5, "color": color}} if few else {"mode": "lines"}
    return {**trace, **_hover(hover), **more}


def marks(
    x: Array, y: Array, color: str, *, name: str = "", hover: str = "", symbol: str = "circle", size: float = 5, **more: Any
) -> Json:
    """Marks without a line."""
    marker = {"color": color, "size": size, "symbol": symbol}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "name": plain(name),
        "marker": marker,
        **_hover(hover),
        **more,
    }


def flags(x: Array, y: Array, theme: Theme, *, name: str = "", hover: str = "", **more: Any) -> Json:
    """Flagged rows: red diamonds, always on top."""
    return marks(x, y, theme.colors.bad, name=name, hover=hover, symbol="diamond", size=7, **more)


def band(x: Array, low: Array, high: Array, color: str) -> list[Json]:
    """A filled band between two series; rows without both are left out."""
    both = np.isfinite(np.asarray(low, float)) & np.isfinite(np.asarray(high, float))
    edge = {
        "type": "scatter",
        "mode": "lines",
        "x": np.asarray(x)[both],
        "line": {"width": 0, "color": color},
        "hoverinfo": "skip",
    }
    return [{**edge, "y": np.asarray(low)[both]}, {**edge, "y": np.asarray(high)[both], "fill": "tonexty", "fillcolor": color}]


def level(x: Array, value: float, color: str, dash: str = "dash") -> Json:
    """A horizontal line over the whole axis that counts for its range."""
    ends = x[[0, -1]] if len(x) else x[:0]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": np.full(len(ends), value),
        "line": {"color": color, "width": 1.3, "dash": dash},
        "hoverinfo": "skip",
    }


def end_label(y: float, words: str, color: str, wrap: bool = True) -> Json:
    """A direct label at the right end of a line; `words` are escaped, "\\n" breaks the line."""
    shown = plain(words).replace("\n", "<br>") if wrap else plain(words)
    return {
        "x": 1,
        "xref": "paper",
        "xanchor": "left",
        "xshift": 6,
        "y": y,
        "yref": "y",
        "text": shown,
        "showarrow": False,
        "align": "left",
        "font": {"color": color, "size": 11},
    }


def spread(labels: Sequence[tuple[float, str, str]], span: float) -> list[Json]:
    """End labels (y, words, colour), moved apart to at least 7 % of `span`, the range of the axis."""
    placed: list[Json] = []
    lowest = -np.inf
    for y, words, color in sorted((entry for entry in labels if np.isfinite(entry[0])), key=lambda entry: entry[0]):
        lowest = max(y, lowest + 0.07 * span)
        placed.append(end_label(lowest, words, color))
    return placed


def span_of(*series: ArrayLike) -> float:
    """Largest less smallest finite value of all series; 1 where there is none or they are equal."""
    finite = np.concatenate([np.asarray(s, dtype=float).ravel() for s in series])
    finite = finite[np.isfinite(finite)]
    return float(np.ptp(finite)) or 1.0 if len(finite) else 1.0


def upright(x: Any, words: str, theme: Theme, color: str = "", dash: str = "dot") -> tuple[Json, Json]:
    """A vertical line over the plot with its label at the top: (shape, label)."""
    color, at = color or theme.colors.muted, json_value(x)
    shape = {
        "type": "line",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": color, "width": 1.2, "dash": dash},
    }
    label = {
        "x": at,
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "text": plain(words),
        "showarrow": False,
        "font": {"color": color, "size": 11},
    }
    return shape, label


def ribbons(
    x: Array, parts: ArrayLike | None, theme: Theme, text: Text, titles: Mapping[int, Message]
) -> tuple[list[Json], list[Json]]:
    """Light ribbons behind the plot for the parts of the split: (shapes, labels).

    A split with more than `MAX_RIBBONS` stretches (random, or by many groups) draws none.
    """
    stretches = part_stretches(parts)
    if not len(x) or not stretches or len(stretches) > MAX_RIBBONS:
        return [], []
    shapes, labels, named = [], [], set()
    for code, first, last in stretches:
        left, right = json_value(x[first]), json_value(x[min(last + 1, len(x) - 1)])
        shapes.append(
            {
                "type": "rect",
                "layer": "below",
                "x0": left,
                "x1": right,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "fillcolor": theme.part(code),
                "line": {"width": 0},
            }
        )
        if code not in named and (last - first) >= 0.07 * (len(x) - 1):
            named.add(code)
            # A narrow ribbon's name would run into the next one's; ended at its right edge it runs into the one before,
            # whose name stands at its own left edge.
            is_narrow = first > 0 and (last - first) < NARROW * (len(x) - 1)
            labels.append(
                {
                    "x": right if is_narrow else left,
                    "y": 1,
                    "yref": "paper",
                    "xanchor": "right" if is_narrow else "left",
                    "yanchor": "bottom",
                    "text": plain(text(titles[code])),
                    "showarrow": False,
                    "font": {"color": theme.colors.muted, "size": 11},
                }
            )
    return shapes, labels


def part_stretches(parts: ArrayLike | None) -> list[tuple[int, int, int]]:
    """Runs of equal part codes: (code, first, last), both ends included; none without parts."""
    codes = np.asarray([] if parts is None else parts)
    if not len(codes):
        return []
    starts = np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1])
    stops = np.concatenate([starts[1:] - 1, [len(codes) - 1]])
    return [(int(codes[a]), int(a), int(b)) for a, b in zip(starts[: MAX_RIBBONS + 1], stops[: MAX_RIBBONS + 1], strict=True)]


def _hover(template: str) -> Json:
    return {"hovertemplate": template + "<extra></extra>"} if template else {"hoverinfo": "skip"}


def json_value(value: Any) -> Any:
    """A place on the axis as Plotly takes it."""
    if isinstance(value, np.datetime64) or hasattr(value, "isoformat"):
        return str(np.datetime64(value, "ms"))
    return float(value)


def _has_times(traces: Sequence[Json]) -> bool:
    return any(is_time(np.asarray(trace["x"])) for trace in traces if len(trace.get("x", ())))


def _nothing(theme: Theme, text: Text) -> Json:
    words = plain(text(msg("Nothing to draw: no row has a value.")))
    return {
        "x": 0.5,
        "y": 0.5,
        "xref": "paper",
        "yref": "paper",
        "text": words,
        "showarrow": False,
        "font": {"color": theme.colors.muted, "size": 13},
    }
