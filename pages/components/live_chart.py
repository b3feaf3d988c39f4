"""The curves of a training in Vega: new points are swapped into the chart that is there, so it keeps its zoom.

Everything that changes while a run lives is data, never specification: the best epoch is a row of the table, and so is
the end of the epoch axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from core.workflows.training import Curves

MAX_POINTS = 1_500
Y_AXIS = 44
HORIZONS = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000)


def horizon(n_epochs: float, planned: int | None) -> float:
    """Where the epoch axis ends: it grows in steps of 1-2-5, never beyond what is planned and never below what is there."""
    wanted = max(n_epochs + 1, HORIZONS[0])
    step = next((h for h in HORIZONS if h >= wanted), wanted)
    return max(n_epochs, min(step, planned) if planned else step)


def curve_frame(curves: Curves, *, metric: bool, end: float) -> pd.DataFrame:
    """Long table of one panel: x (epochs), y, kind (training, validation, batch, best, end). NaN and Inf are left out.

    Of a curve with more than `MAX_POINTS` every k-th point is drawn, and the last.
    """
    pairs: dict[str, tuple[ArrayLike, ArrayLike]] = (
        {"training": (curves.epochs, curves.metric), "validation": (curves.epochs, curves.val_metric)}
        if metric
        else {
            "batch": (curves.batch_x, curves.batch_loss),
            "training": (curves.epochs, curves.loss),
            "validation": (curves.epochs, curves.val_loss),
        }
    )
    parts = [_part(kind, *_thinned(x, y)) for kind, (x, y) in pairs.items()]
    parts.append(pd.DataFrame({"x": [float(end)], "y": [np.nan], "kind": ["end"]}))
    if curves.best_epoch is not None:
        parts.append(pd.DataFrame({"x": [float(curves.best_epoch)], "y": [np.nan], "kind": ["best"]}))
    return pd.concat(parts, ignore_index=True)


def curve_chart(
    frame: pd.DataFrame,
    words: Mapping[str, str],
    palette: Mapping[str, str],
    *,
    title: str,
    log: bool,
    is_last: bool = True,
    height: int,
) -> alt.LayerChart:
    """One panel; `words` name kinds and axis. The last panel carries the axis title, the others name the best epoch."""
    zoom = alt.selection_interval(name="zoom", bind="scales")
    x = alt.X(
        "x:Q",
        title=words["epoch"] if is_last else None,
        scale=alt.Scale(domainMin=0, nice=False),
        axis=alt.Axis(tickMinStep=1, grid=False),
    )
    y = alt.Y(
        "y:Q",
        title=title,
        scale=alt.Scale(type="log" if log else "linear", zero=False),
        axis=alt.Axis(format="~g", tickCount=5, minExtent=Y_AXIS, maxExtent=Y_AXIS),
    )
    tips = [alt.Tooltip("x:Q", title=words["epoch"], format=".4~g"), alt.Tooltip("y:Q", title=title, format=".4~g")]
    base = alt.Chart(frame)
    layers = []
    for kind in ("batch", "training", "validation"):
        of_kind = base.transform_filter(f"datum.kind == '{kind}'").encode(x=x, y=y)
        thin = kind == "batch"
        line = of_kind.mark_line(color=palette[kind], strokeWidth=1 if thin else 2, opacity=0.55 if thin else 1.0, clip=True)
        layers.append(line)
        if not thin:
            layers.append(of_kind.mark_point(color=palette[kind], filled=True, size=26, clip=True).encode(tooltip=tips))
            layers.append(_end_label(of_kind, words[kind], palette[kind], above=kind == "validation"))
    layers.append(base.transform_filter("datum.kind == 'end'").encode(x=x).mark_rule(opacity=0))
    layers.extend(_best_layers(base, x, words["best"] if not is_last else "", palette["best"]))
    layers[0] = layers[0].add_params(zoom)
    return alt.layer(*layers).properties(height=height, padding={"left": 4, "right": 64, "top": 4, "bottom": 4})


def _end_label(of_kind: alt.Chart, word: str, colour: str, *, above: bool) -> alt.Chart:
    last = of_kind.transform_window(rank="rank()", sort=[alt.SortField("x", order="descending")]).transform_filter(
        "datum.rank == 1"
    )
    return last.mark_text(align="left", dx=8, dy=-7 if above else 8, color=colour, clip=False).encode(text=alt.value(word))


def _best_layers(base: alt.Chart, x: alt.X, word: str, colour: str) -> list[alt.Chart]:
    best = base.transform_filter("datum.kind == 'best'").encode(x=x)
    rule = best.mark_rule(strokeDash=[4, 3], color=colour, clip=True)
    if not word:
        return [rule]
    label = best.transform_calculate(label=f"'{word} ' + datum.x").mark_text(
        align="right", baseline="top", dx=-4, y=2, color=colour
    )
    return [rule, label.encode(text="label:N", y=alt.value(2))]


def _thinned(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(xs) <= MAX_POINTS or len(xs) != len(ys):
        return xs, ys
    # Always with the newest point, where the line has its name.
    kept = np.unique(np.append(np.arange(0, len(xs), -(-len(xs) // MAX_POINTS)), len(xs) - 1))
    return xs[kept], ys[kept]


def _part(kind: str, x: ArrayLike, y: ArrayLike) -> pd.DataFrame:
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float) if y is not None else np.empty(0)
    if len(xs) != len(ys):
        xs = ys = np.empty(0)
    kept = np.isfinite(ys)
    return pd.DataFrame({"x": xs[kept], "y": ys[kept], "kind": kind})
