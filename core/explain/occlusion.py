"""What each column adds to an output: the output as it is, less the output when nobody knows the column.

Occlusion, as Zeiler & Fergus (2014, ECCV) do it with parts of an image. A column is covered over the whole window, either by
the training part's centre or by what the other columns expect of it. The first asks "what does this column add to an average
row", the second "what does it say that the others do not": two copies of a sensor then add nothing each. Effects of columns
that only count together hide each other, so that they need not add up to the output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from core.anomalies.conditional import Conditional
from core.explain.columns import Floats, InputColumn, Predict, Windows

Cover = Literal["centre", "expected"]
COVERS: tuple[Cover, ...] = ("centre", "expected")


def column_effects(
    predict: Predict, windows: Windows, columns: Sequence[InputColumn], conditional: Conditional | None = None
) -> Floats:
    """Effects (n, c) of c columns on the outputs of windows (n, rows, f), in the output's unit.

    Args:
        conditional: What the features expect of each other; None covers by the training part's centre. It speaks of the first
            features of a row only, those that it was learned of; others are covered by the centre.
    """
    effects = np.zeros((len(windows), len(columns)))
    if not len(windows):
        return effects
    whole = predict(windows)
    for i, column in enumerate(columns):
        effects[:, i] = whole - predict(repaired(windows, column, conditional))
    return effects


def repaired(windows: Windows, column: InputColumn, conditional: Conditional | None) -> Windows:
    """Windows with a column covered; with `conditional`, number columns hold what the others expect of each row.

    A straightened copy and a distance from the unit's start follow the repaired number.
    """
    return repaired_together(windows, [column], conditional)


def repaired_together(windows: Windows, columns: Sequence[InputColumn], conditional: Conditional | None) -> Windows:
    """The same of several columns at once: each holds what the columns outside of the set expect of it."""
    numbers = [(c, c.move) for c in columns if conditional is not None and c.move is not None]
    found = windows
    for column in columns:
        if conditional is None or column.move is None:
            found = column.covered(found)
    if conditional is None or not numbers:
        return found
    n_known = len(conditional.mean)
    own = [[place for place in column.places if place < n_known] for column, _ in numbers]
    expected = conditional.expected(windows[:, :, :n_known], [place for places in own for place in places])
    at = 0
    for (column, move), places in zip(numbers, own, strict=True):
        found = column.holding(found, expected[:, :, at] * move.scale + move.mean)
        at += len(places)
    return found


def shares_of(effects: Floats) -> Floats:
    """Effects (n, c) as shares of what pushes the outputs up, (c,), summing to 1; all 0 where nothing does.

    Rows are first divided by their own sum, as in `core.anomalies.events.sensor_shares`.
    """
    up = np.maximum(np.nan_to_num(effects), 0.0)
    totals = up.sum(axis=1, keepdims=True)
    known = totals[:, 0] > 0
    if not known.any():
        return np.zeros(effects.shape[1])
    found: Floats = (up[known] / totals[known]).mean(axis=0)
    return found
