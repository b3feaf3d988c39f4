"""How long units last: the survival curve with its band, the Weibull plot that judges a fit, and the plan of what falls due."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.charts.downsample import MAX_POINTS, downsample
from core.charts.figure import Json, Text, band, draw, line, marks, plain, quantity
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

PERCENTS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 70.0, 90.0, 99.0, 99.9)
Points = tuple[ArrayLike, ArrayLike]
Band = tuple[ArrayLike, ArrayLike, ArrayLike]
Array = NDArray[np.float64]


def survival_chart(
    *,
    ages: ArrayLike,
    survival: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    running: Points = ((), ()),
    fitted: Points | None = None,
    median: float | None = None,
    unit: str = "",
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Share of units (n,) that still run from each age on, as steps, with its 95 % band; shares from 0 to 1.

    `running` are (ages, shares) of units that still run, drawn as ticks on the curve; `fitted` is a smooth curve beside it;
    `median` is the age that half reach.
    """
    at, share, below, above = (np.asarray(v, float) for v in (ages, survival, low, high))
    kept = downsample(share, MAX_POINTS // 2 - 1)
    x, y = _steps(at[kept], 100 * share[kept], 100.0)
    color = theme.category(0)
    below, above = (_steps(at[kept], 100 * b[kept], np.nan)[1] for b in (below, above))
    traces = band(x, below, above, theme.clear(color))
    said = [msg("solid: seen, with its 95 % band")]
    if fitted is not None:
        smooth = 100 * np.asarray(fitted[1], float)
        some = downsample(smooth)
        traces.append(line(np.asarray(fitted[0], float)[some], smooth[some], theme.category(5), dash="dash"))
        said.append(msg("dashed: Weibull"))
    hover = "%{x:.4~g} " + plain(unit) + "<br>%{y:.1f} %"
    traces.append(line(x, y, color, hover=hover, width=1.8) | {"mode": "lines"})
    ticks, where = (np.asarray(v, float)[:MAX_POINTS] for v in running)
    if len(ticks):
        words = plain(text(msg("still runs"))) + "<br>%{x:.4~g} " + plain(unit)
        traces.append(marks(ticks, 100 * where, theme.colors.text, hover=words, symbol="line-ns-open", size=8))
        said.append(msg("ticks: units that still run"))
    shapes: list[Json] = []
    labels = [_corner(" · ".join(plain(text(m)) for m in said), theme)]
    if median is not None and np.isfinite(median):
        shape, label = _half(float(median), unit, theme, text)
        shapes, labels = [*shapes, *shape], [*labels, label]
    return draw(
        traces,
        title=title or msg("Share of units that still run"),
        x=quantity(msg("age"), unit),
        y=quantity(msg("still running"), "%"),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=labels,
        x_axis={"rangemode": "tozero"},
        y_axis={"range": [0, 103]},
        right=40,
        height=380,
    )


def weibull_plot(
    *,
    ages: ArrayLike,
    failed: ArrayLike,
    fitted: Points | None = None,
    bounds: Band | None = None,
    unit: str = "",
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Failures (n,) on paper on which a Weibull distribution is a straight line: share failed (0 to 1) over the age.

    `fitted` is (ages, shares) of the fit, `bounds` (shares, low ages, high ages) its 95 % band. Points that bend away from the
    line speak against it.
    """
    at, share = np.asarray(ages, float), np.asarray(failed, float)
    drawn = np.flatnonzero((at > 0) & (share > 0) & (share < 1))
    drawn = drawn[downsample(at[drawn])]
    color = theme.category(0)
    traces: list[Json] = []
    if bounds is not None:
        height, low, high = (np.asarray(v, float) for v in bounds)
        outline = np.concatenate([low, high[::-1]])
        edge: Json = {
            "type": "scatter",
            "mode": "lines",
            "line": {"width": 0, "color": theme.clear(color)},
            "hoverinfo": "skip",
        }
        around = edge | {"x": outline, "y": _paper(np.concatenate([height, height[::-1]]))}
        traces.append(around | {"fill": "toself", "fillcolor": theme.clear(color)})
    if fitted is not None:
        traces.append(line(np.asarray(fitted[0], float), _paper(fitted[1]), theme.colors.text, dash="dash"))
    hover = "%{x:.4~g} " + plain(unit) + "<br>%{customdata:.1f} %"
    traces.append(marks(at[drawn], _paper(share[drawn]), color, hover=hover, customdata=100 * share[drawn]))
    said = msg("dots: failures · dashed: fit with its 95 % band") if fitted is not None else msg("dots: failures")
    least, most = (float(share[drawn].min()), float(share[drawn].max())) if len(drawn) else (0.01, 0.99)
    shown = [p for p in PERCENTS if min(0.01, least / 3) <= p / 100 <= max(0.99, most)]
    return draw(
        traces,
        title=title or msg("Weibull plot"),
        x=quantity(msg("age"), unit),
        y=quantity(msg("share failed"), "%"),
        theme=theme,
        text=text,
        labels=[_corner(plain(text(said)), theme)],
        x_axis={"type": "log", "showgrid": True, **_log_ticks(at[drawn])},
        y_axis={"tickvals": _paper(np.array(shown) / 100).tolist(), "ticktext": [f"{p:g}" for p in shown]},
        right=40,
        height=380,
    )


def due_chart(
    *,
    ends: ArrayLike,
    due: ArrayLike,
    expected: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    unit: str = "",
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Units that fall due in periods that end at `ends` (n,), as bars, and the failures to expect up to there with an interval."""
    end, count, line_y = (np.asarray(v, float) for v in (ends, due, expected))
    begin = np.concatenate([[0.0], end[:-1]]) if len(end) else end
    names = [f"{a:g} – {b:g}" for a, b in zip(begin, end, strict=True)]
    bars: Json = {
        "type": "bar",
        "x": (begin + end) / 2,
        "y": count,
        "width": 0.8 * (end - begin),
        "marker": {"color": theme.category(0)},
        "customdata": names,
        "text": [f"{c:g}" for c in count],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{customdata} " + plain(unit) + ": %{y}<extra></extra>",
    }
    spread = {
        "type": "data",
        "symmetric": False,
        "array": np.asarray(high, float) - line_y,
        "arrayminus": line_y - np.asarray(low, float),
        "color": theme.category(5),
        "thickness": 1.2,
    }
    words = plain(text(msg("expected up to here"))) + ": %{y:.1f}"
    curve = line(end, line_y, theme.category(5), hover=words, width=1.5) | {"error_y": spread}
    has_any = len(end) and (np.nansum(count) or np.nansum(line_y))
    return draw(
        [bars, curve] if has_any else [],
        title=title or msg("When units are due"),
        x=quantity(msg("from now"), unit),
        y=msg("units"),
        theme=theme,
        text=text,
        labels=[_corner(plain(text(msg("bars: due in the period · line: failures expected up to there, with 95 %"))), theme)],
        x_axis={"tickvals": np.concatenate([[0.0], end]).tolist()},
        y_axis={"rangemode": "tozero"},
        right=40,
        height=380,
    )


def _steps(x: Array, y: Array, first: float) -> tuple[Array, Array]:
    """A step curve from 0 on as points: `first` up to the first x, each y from its x on."""
    if not len(x):
        return x, y
    return np.concatenate([[0.0], np.repeat(x, 2)]), np.repeat(np.concatenate([[first], y]), 2)[:-1]


def _paper(share: ArrayLike) -> Array:
    """The height of a share on Weibull paper: log(-log(1 - share))."""
    return np.asarray(np.log(-np.log1p(-np.asarray(share, float))))


def _log_ticks(ages: Array) -> Json:
    """Ticks at numbers that people say, more of them where the ages span less than a decade; Plotly's own where there is no age."""
    if not len(ages):
        return {}
    low, high = float(np.log10(ages.min())), float(np.log10(ages.max()))
    digits = (1, 2, 5) if high - low > 1 else (1, 1.5, 2, 3, 4, 5, 7)
    values = [d * 10.0**power for power in range(int(np.floor(low)) - 1, int(np.ceil(high)) + 2) for d in digits]
    return {"tickvals": values, "ticktext": [f"{v:g}" for v in values]}


def _corner(words: str, theme: Theme) -> Json:
    place = {"x": 1, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "bottom", "showarrow": False}
    return place | {"text": words, "font": {"color": theme.colors.muted, "size": 11}}


def _half(median: float, unit: str, theme: Theme, text: Text) -> tuple[list[Json], Json]:
    """Lines from one half of the units to the age that they reach, with its label."""
    style = {"color": theme.colors.muted, "width": 1, "dash": "dot"}
    across: Json = {"type": "line", "x0": 0, "x1": median, "y0": 50, "y1": 50, "line": style}
    down: Json = {"type": "line", "x0": median, "x1": median, "y0": 0, "y1": 50, "line": style}
    words = plain(text(msg("half last {age} {unit}", age=median, unit=unit)))
    label: Json = {"x": median, "y": 4, "xanchor": "left", "xshift": 6, "showarrow": False, "text": words}
    return [across, down], label | {"font": {"color": theme.colors.muted, "size": 11}}
