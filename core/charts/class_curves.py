"""Classes judged further: detection errors, lift, and whether probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.charts.classification import Xy, curve_traces, note_at, square
from core.charts.downsample import downsample
from core.charts.figure import Array, Json, Text, draw, line, plain
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

DET_TICKS = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8)
DET_ENDS = (0.0005, 0.9)


def deviates(shares: ArrayLike) -> Array:
    """Normal deviates of shares, those beyond the ends of the axis put on them."""
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(np.asarray(shares, float), *DET_ENDS)))


def det(
    *,
    curve: Xy,
    baseline: Xy | None = None,
    operating_point: tuple[float, float] | None = None,
    name: Message | None = None,
    baseline_name: Message | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Defects missed over good parts rejected on axes of normal deviates. `curve` is (false-positive rate, miss rate), shares.

    `operating_point` is (false-positive rate, miss rate) at the decision limit.
    """
    drawn, other = _deviate_curve(curve), None if baseline is None else _deviate_curve(baseline)
    point = None
    if operating_point is not None:
        at = deviates(operating_point)
        point = (float(at[0]), float(at[1]))
    traces, labels = curve_traces(
        drawn, other, point, name, baseline_name, theme, text, bottom=0.88, side="right", step="linear", hover=""
    )
    ticks = {"tickvals": deviates(DET_TICKS), "ticktext": [f"{100 * s:g} %" for s in DET_TICKS], "tickangle": 0}
    ends = deviates(DET_ENDS)
    axis = {**ticks, "range": [float(ends[0]) - 0.05, float(ends[1]) + 0.05]}
    return draw(
        traces,
        title=title or msg("Detection errors"),
        x=msg("good parts rejected"),
        y=msg("defects missed"),
        theme=theme,
        text=text,
        labels=labels,
        x_axis=axis,
        y_axis=axis,
        right=40,
        height=400,
    )


def lift(
    *,
    curve: Xy,
    baseline: Xy | None = None,
    operating_point: tuple[float, float] | None = None,
    name: Message | None = None,
    baseline_name: Message | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """How many times more defects are among the flagged rows than among all, over the share flagged. `curve` is (share flagged, lift)."""
    traces, labels = curve_traces(
        curve, baseline, operating_point, name, baseline_name, theme, text, bottom=0.88, side="right", step="linear"
    )
    highest = max(
        [
            1.0,
            *(float(np.nanmax(np.asarray(c[1], float))) for c in (curve, baseline) if c is not None and len(np.asarray(c[1]))),
        ]
    )
    guess = {"color": theme.colors.muted, "width": 1, "dash": "dot"}
    return draw(
        traces,
        title=title or msg("Lift"),
        x=msg("rows flagged (share)"),
        y=msg("lift (times the share among all rows)"),
        theme=theme,
        text=text,
        shapes=[{"type": "line", "x0": 0, "x1": 1, "y0": 1, "y1": 1, "line": guess}],
        labels=labels,
        x_axis={"range": [-0.01, 1.02]},
        y_axis={"range": [0, 1.08 * highest]},
        right=40,
        height=400,
    )


def reliability(
    *,
    said: ArrayLike,
    came: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    n: Sequence[int],
    positive: str,
    scaled: Xy | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """How often a class came over what was said of it, shares, a point a bin of (n_bins,) rows `n` with its 95 % interval.

    The dotted diagonal is a probability that means what it says; `scaled` is the same (said, came) at another temperature.
    """
    kept = downsample(np.asarray(came, float))
    x, y, low, high = (np.asarray(values, float)[kept] for values in (said, came, low, high))
    below, above = y - low, high - y
    color = theme.category(0)
    points: Json = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": x,
        "y": y,
        "name": plain(text(msg("as it is"))),
        "marker": {"color": color, "size": 7},
        "line": {"color": color, "width": 1.6},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": above,
            "arrayminus": below,
            "color": color,
            "thickness": 1,
            "width": 3,
        },
        "customdata": np.asarray(n)[kept],
        "hovertemplate": "%{x:.3f} → %{y:.3f} (n = %{customdata:,})<extra></extra>",
    }
    traces = [points] if len(x) else []
    labels = [note_at(0.02, 0.96, "left", text(msg("as it is")), color)]
    if scaled is not None:
        other = theme.category(5)
        at = downsample(np.asarray(scaled[1], float))
        trace = line(
            np.asarray(scaled[0], float)[at],
            np.asarray(scaled[1], float)[at],
            other,
            name=text(msg("scaled")),
            hover="%{x:.3f} → %{y:.3f}",
            dash="dash",
        )
        traces.append({**trace, "mode": "lines+markers"})
        labels.append(note_at(0.02, 0.89, "left", text(msg("at the temperature")), other))
    diagonal = {
        "type": "line",
        "x0": 0,
        "y0": 0,
        "x1": 1,
        "y1": 1,
        "line": {"color": theme.colors.muted, "width": 1, "dash": "dot"},
    }
    return square(
        traces,
        title or msg("Said and came"),
        msg("probability of {name} that was said", name=positive),
        msg("share that came"),
        theme,
        text,
        [diagonal],
        labels,
        _highest(x, high),
    )


def _highest(said: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    """Where the axes end: at 1, or for a rare class, of which nothing above a half is said or possible, a little above its highest."""
    reach = max([*said[np.isfinite(said)], *high[np.isfinite(high)]], default=1.0)
    return 1.0 if reach > 0.5 or reach <= 0 else float(min(1.0, 1.1 * reach))


def _deviate_curve(curve: Xy) -> Xy:
    return deviates(curve[0]), deviates(curve[1])
