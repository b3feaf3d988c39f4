"""What a model gives for each row before anything is decided, and what stood in the way of a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.room import BigArray
from core.features import Inputs

Places = slice | NDArray[np.int64]
ALL = slice(None)
PADDED = "padded window"
FILLED = "empty cell filled"


@dataclass(frozen=True, slots=True)
class RawScores:
    """Outputs before the decision: one row an input row, NaN where it was left out.

    `outputs` is float64 (n_rows, k), `contributions` float32 (n_rows, n_columns), `distance` float64 (n_rows,) to the
    nearest known rows of a classification, by all columns but free text, None where it is not asked for; all may lie in files.
    A forecast's outputs are values in the target's unit, `one_step` what was measured and what was expected one step before,
    each (n_rows,).
    """

    inputs: Inputs
    outputs: BigArray
    contributions: BigArray | None
    distance: BigArray | None = None
    one_step: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


def why_not(raw: RawScores, outputs: NDArray[np.float64], rows: Places = ALL) -> NDArray[np.object_]:
    """Per row "" or what stood in the way: left out by a step, padded window, filled cell, no finite output."""
    cleaned = raw.inputs.cleaned
    reasons = np.where(raw.inputs.filled[rows], FILLED, "").astype(object)
    reasons[raw.inputs.padded[rows]] = PADDED
    by = cleaned.left_out_by[rows]
    left_out = by > 0
    reasons[left_out] = np.array([f"left out by {key}" for key in ("", *cleaned.keys)], dtype=object)[by[left_out]]
    reasons[~np.isfinite(outputs[:, 0]) & ~left_out] = "not a finite number"
    return reasons
