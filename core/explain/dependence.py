"""How an output follows one column: accumulated local effects and partial dependence, with places that are not to be trusted.

Partial dependence (Friedman 2001, Annals of Statistics 29(5), section 8.2) sets the column to a value in all rows and takes the
mean. Where columns hang together that asks the model about rows that never were: high pressure at low speed. Accumulated local
effects (Apley & Zhu 2020, JRSS B 82(4), equations 15 and 16) move each row only to the ends of the small interval that it lies
in, take the mean of these differences, and add them up; they are the default for that reason.

Both are given as differences from their mean over the rows, in the output's unit. A place is *thin* where fewer than `fewest`
training rows lie near, and for partial dependence also where most rows, moved there, would be unlike what their other columns
say of them (`support`). A model has an answer there too; the data have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.anomalies.conditional import Conditional
from core.explain.columns import Floats, InputColumn, Predict, Reach, Windows

Method = Literal["ale", "pdp"]
METHODS: tuple[Method, ...] = ("ale", "pdp")
BINS = 20
FEWEST = 10
FAR = 3.0
"""Standard deviations around what the other columns expect beyond which a moved row is unlike any real one."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """The curve of one column: (g,) values in column units, effects in output units, and what lies behind each place.

    `n_near` counts rows of the sample near each value; `support` (g,) is the share of rows that may be moved there, NaN where
    it was not asked; `is_thin` (g,) marks places where the curve is a guess.
    """

    method: Method
    values: Floats
    effects: Floats
    n_near: NDArray[np.int64]
    support: Floats
    is_thin: NDArray[np.bool_]
    n: int


def accumulated_effects(
    predict: Predict, windows: Windows, column: InputColumn, *, bins: int = BINS, reach: Reach = "window", fewest: int = FEWEST
) -> Dependence:
    """The curve of accumulated local effects over windows (n, rows, f) of the training part.

    Intervals hold equally many rows, between quantiles of the column in the windows' last rows; equal quantiles are one. With
    g edges z₀ … z_K the effect at z_k is the sum of the mean differences of intervals 1 to k, less its mean over the rows,
    which stand at the middle of their interval. A column of one value gives one place with effect 0.
    """
    last = column.values(windows)[:, -1]
    edges = np.unique(np.quantile(last, np.linspace(0, 1, bins + 1)))
    if len(edges) < 2:
        return _one_place("ale", edges, len(last), fewest)
    where = np.clip(np.searchsorted(edges, last, side="left") - 1, 0, len(edges) - 2)
    upper = predict(column.moved(windows, edges[where + 1], reach))
    lower = predict(column.moved(windows, edges[where], reach))
    counts = np.bincount(where, minlength=len(edges) - 1)
    sums = np.bincount(where, weights=upper - lower, minlength=len(edges) - 1)
    steps = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    curve = np.concatenate([[0.0], np.cumsum(steps)])
    curve -= np.sum(counts * (curve[1:] + curve[:-1]) / 2) / counts.sum()
    thin_bin = counts < fewest
    near = np.maximum(np.append(counts, 0), np.append(0, counts)).astype(np.int64)
    is_thin = np.append(thin_bin, True) & np.append(True, thin_bin)
    return Dependence("ale", edges, curve, near, np.full(len(edges), np.nan), is_thin, len(last))


def partial_dependence(
    predict: Predict,
    windows: Windows,
    column: InputColumn,
    conditional: Conditional | None = None,
    *,
    points: int = BINS + 1,
    reach: Reach = "window",
    fewest: int = FEWEST,
    sample: int = 200,
) -> Dependence:
    """Partial dependence at evenly spread values between the smallest and largest of windows (n, rows, f).

    Args:
        conditional: What features expect of each other, for `support`; without it only rows near the value are counted.
        sample: How many of the rows, evenly spread, are set to each value.
    """
    last = column.values(windows)[:, -1]
    grid = np.unique(np.linspace(last.min(), last.max(), points))
    if len(grid) < 2:
        return _one_place("pdp", grid, len(last), fewest)
    some = windows[np.unique(np.linspace(0, len(windows) - 1, min(sample, len(windows))).astype(np.int64))]
    curve = np.array([float(np.mean(predict(column.moved(some, value, reach)))) for value in grid])
    half = (grid[1] - grid[0]) / 2
    ordered = np.sort(last)
    near = np.searchsorted(ordered, grid + half, "right") - np.searchsorted(ordered, grid - half, "left")
    support = np.full(len(grid), np.nan) if conditional is None else _support(some, column, conditional, grid)
    is_thin = (near < fewest) | (support < 0.5)
    own = np.interp(last, grid, curve)
    return Dependence("pdp", grid, curve - own.mean(), near.astype(np.int64), support, is_thin, len(last))


def _support(windows: Windows, column: InputColumn, conditional: Conditional, grid: Floats) -> Floats:
    """The share of rows (g,) whose other columns allow each value: within three of its spreads around what they expect.

    Copies of the column (straightened, from its own start) follow it, so that they are no witnesses: they would expect exactly
    the value that it has.
    """
    move = column.move
    if move is None:
        return np.full(len(grid), np.nan)
    own = [place for place in column.places if place < len(conditional.mean)]
    rows = windows[:, -1, : len(conditional.mean)]
    expected = conditional.expected(rows, own)[:, 0]
    block = np.linalg.inv(conditional.precision[np.ix_(own, own)])
    spread = float(np.sqrt(block[0, 0]))
    scaled = (grid - move.mean) / move.scale
    return np.mean(np.abs(scaled[:, None] - expected[None, :]) <= FAR * spread, axis=1)


def _one_place(method: Method, values: Floats, n: int, fewest: int) -> Dependence:
    g = len(values)
    near = np.full(g, n, dtype=np.int64)
    return Dependence(method, values, np.zeros(g), near, np.full(g, np.nan), near < fewest, n)
