"""From windows and their reconstruction to one score a row and each sensor's part in it, in NumPy.

A window ends at the row it scores, so nothing later is used: the score can be computed live. All that is learned is
in `ScoreCalibration`, a few arrays that a bundle carries; scoring has no state from one window to the next.

The score follows the multivariate EWMA chart (Lowry, Woodall, Champ & Rigdon 1992, Technometrics 34(1)): residuals
x − x̂ are averaged over the window with weights that fade by (1 − λ) a row into the past. A lasting shift of a fraction
of a sensor's noise adds up, while noise averages out. Each sensor's average is then divided by its *normal reach*:

    reach² = mean of the squared average + 8 × mean squared step between neighbouring eighths of the normal rows

The second term leaves room for a level that wanders, as that of a slow sensor (a temperature) does: n autocorrelated
rows do not bound where it goes next, and a random walk that makes one such step an eighth is √8 steps away after
another period as long as the one seen. In a sensor whose level stands still the steps are the sampling noise of the
parts' means; all such sensors widen by the same factor, which the threshold, chosen on the same scores, takes back.
The row's score is the largest distance of any sensor, in reaches, so that many quiet sensors cannot hide one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData
from core.messages import msg

Floats = NDArray[np.float64]

FADE = 0.2
"""λ of the average, the usual choice for EWMA charts (0.05 to 0.25): the last 10 rows carry nine tenths of the weight."""
BLOCKS = 8
"""Parts of the normal rows whose levels are compared; also how many steps the level may wander."""
SMALLEST_SHARE = 1e-6
"""A reach below this share of the largest is rounding; the sensor is given this share."""


@dataclass(frozen=True, slots=True)
class ScoreCalibration:
    """What normal residuals look like, for f sensors.

    `reach` (f,) in the unit of the residuals (scaled features); `fade` is λ, 0 to 1; `n_rows` how many normal rows it
    was learned from.
    """

    reach: Floats
    fade: float
    n_rows: int

    def to_arrays(self) -> dict[str, Floats]:
        """Named arrays for npz."""
        return {
            "reach": self.reach,
            "fade": np.asarray(self.fade, np.float64),
            "n_rows": np.asarray(self.n_rows, np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> ScoreCalibration:
        """The calibration that `to_arrays` wrote."""
        return cls(np.asarray(arrays["reach"], np.float64), float(arrays["fade"]), int(arrays["n_rows"]))


def fit_calibration(
    windows: NDArray[np.floating[Any]], reconstruction: NDArray[np.floating[Any]], *, fade: float = FADE
) -> ScoreCalibration:
    """Learn each sensor's reach from normal windows in time order, (n, width, f) both.

    Give the training part, so that the rows from which the threshold is chosen are as new to the reach as rows to come;
    without padded windows, whose average is that of one repeated row and far noisier than the rest.

    Raises:
        NotEnoughData: fewer than 2 windows that are finite.
    """
    return calibration_of_levels(level_residuals(windows, reconstruction, fade), fade=fade)


def calibration_of_levels(levels: Floats, *, fade: float = FADE) -> ScoreCalibration:
    """The same from level residuals (n, f) that were computed in chunks with `level_residuals`.

    Raises:
        NotEnoughData: fewer than 2 rows that are finite.
    """
    known = levels[np.isfinite(levels).all(axis=1)]
    n = len(known)
    if n < 2:
        raise NotEnoughData(
            msg("Only {n} normal rows could be scored.", n=n),
            msg("At least 2 are needed to know what is normal."),
            msg("Choose a larger training part."),
        )
    means = np.stack([part.mean(axis=0) for part in np.array_split(known, min(BLOCKS, n))])
    wander = BLOCKS * np.mean(np.diff(means, axis=0) ** 2, axis=0)
    reach = np.sqrt(np.mean(known**2, axis=0) + wander)
    largest = float(reach.max())
    return ScoreCalibration(np.maximum(reach, SMALLEST_SHARE * largest) if largest > 0 else np.ones_like(reach), fade, n)


def level_residuals(
    windows: NDArray[np.floating[Any]], reconstruction: NDArray[np.floating[Any]], fade: float = FADE
) -> Floats:
    """Weighted mean residual of each window and sensor: (n, width, f) → (n, f). The last row weighs most.

    Weights are (1 − fade)^age, divided by their sum; age 0 is the window's last row.
    """
    width = windows.shape[1]
    weights = (1 - fade) ** np.arange(width - 1, -1, -1, dtype=np.float64)
    residual = np.asarray(windows, np.float64) - np.asarray(reconstruction, np.float64)
    return np.einsum("nwf,w->nf", residual, weights / weights.sum())


def score_reconstruction(
    windows: NDArray[np.floating[Any]], reconstruction: NDArray[np.floating[Any]], calibration: ScoreCalibration
) -> tuple[Floats, Floats]:
    """Score (n,) of each window's last row, and the part of each sensor in it, (n, f).

    The score is the distance of the sensor that went furthest, in reaches: 1 is one reach. Parts are squared distances in reaches: never negative, in no unit; their shares are what counts.
    A window that is not finite scores NaN.
    """
    distance = np.abs(level_residuals(windows, reconstruction, calibration.fade)) / calibration.reach
    return distance.max(axis=1), distance**2
