"""Power transforms: a skewed column is also given straightened, so that families that measure distances or weigh columns see its
small values too.

Trees do not care, since the order of the values stays. Vibration energies, particle counts and reactive power spread over several
orders of magnitude; divided by their standard deviation alone, most rows lie on one spot. The plain column stays beside it: where
quantities add up, as in an energy balance, the straightened one alone is worse (docs/decisions.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SKEWED = 1.0
"""Columns whose skewness is beyond this are straightened."""
FEWEST_VALUES = 11
FEWEST_ROWS = 50
FIT_ROWS = 20_000
POWERS: dict[str, tuple[float, float]] = {"box_cox": (-1.0, 2.0), "yeo_johnson": (-2.0, 4.0)}

Kind = Literal["box_cox", "yeo_johnson"]


@dataclass(frozen=True, slots=True)
class PowerTransform:
    """Box and Cox (1964, eq. 1) for columns above zero, Yeo and Johnson (2000, eq. 2.1) for others, on z = (x − centre) ÷ width.

    box_cox: (z^λ − 1) ÷ λ, ln z for λ = 0. yeo_johnson: ((z + 1)^λ − 1) ÷ λ for z ≥ 0, −((1 − z)^(2 − λ) − 1) ÷ (2 − λ) below.
    Centre 0 and the median as width make the first, median and interquartile range the second independent of the column's unit.
    Below `low` and above `high`, the smallest and largest z of the training part, it goes on as a straight line: a power of
    what was never seen would be a guess, and a value of zero or less has none. The line goes on with the curve's slope, but
    below `low` of box_cox with that of the chord from there to the median: near zero the curve is nearly upright, and an offset
    of the sensor would be thrown thousands of standard deviations away.
    """

    kind: Kind
    centre: float
    width: float
    power: float
    low: float
    high: float

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Straightened values, of the same shape; they rise wherever the values rise. NaN stays NaN."""
        z = (np.asarray(values, dtype=np.float64) - self.centre) / self.width
        inside = np.clip(z, self.low, self.high)
        slope = _slope(self.kind, inside, self.power)
        if self.kind == "box_cox" and self.low < 1:
            chord = (0.0 - _box_cox(np.array([self.low]), self.power)[0]) / (1 - self.low)  # the median, z = 1, is at 0
            slope = np.where(z < self.low, chord, slope)
        return _curve(self.kind, inside, self.power) + slope * (z - inside)

    def to_json(self) -> list[str | float]:
        return [self.kind, self.centre, self.width, self.power, self.low, self.high]

    @classmethod
    def from_json(cls, stored: Sequence[object] | None) -> PowerTransform | None:
        return None if stored is None else cls(*stored)  # type: ignore[arg-type]


def fit_power(known: NDArray[np.float64]) -> PowerTransform | None:
    """The transform of a column's known values (n,), its power by maximum likelihood. Of more than 20,000 values every so many speak.

    None where the column is not skewed (|skewness| ≤ 1), has fewer than 50 rows or 11 different values (its steps are classes),
    or is not made straighter by it.
    """
    sample = known[:: max(1, -(-len(known) // FIT_ROWS))]
    if not is_skewed(sample):
        return None
    kind: Kind
    low, high, middle = float(known.min()), float(known.max()), float(np.median(sample))
    if low > 0:
        kind, centre, width = "box_cox", 0.0, middle
    else:
        quarters = np.percentile(sample, [25, 75])
        kind, centre, width = "yeo_johnson", middle, float(quarters[1] - quarters[0]) or float(sample.std())
    from scipy.optimize import minimize_scalar

    z = (sample - centre) / width
    found = minimize_scalar(lambda power: -_likelihood(kind, z, power), bounds=POWERS[kind], method="bounded")
    made = PowerTransform(kind, centre, width, float(found.x), (low - centre) / width, (high - centre) / width)
    return made if abs(skewness(made(sample))) < abs(skewness(sample)) else None


def is_skewed(known: NDArray[np.float64]) -> bool:
    """Whether known values (n,) are so skewed, so many and so different that a transform is worth fitting."""
    return len(known) >= FEWEST_ROWS and abs(skewness(known)) > SKEWED and len(np.unique(known)) >= FEWEST_VALUES


def skewness(values: NDArray[np.float64]) -> float:
    """Third central moment ÷ standard deviation³ (both with n); 0 for a constant column."""
    away = values - values.mean()
    spread = float(away.std())
    return 0.0 if spread == 0 else float(np.mean((away / spread) ** 3))


def _curve(kind: str, z: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    if kind == "box_cox":
        return _box_cox(z, power)
    return np.where(z >= 0, _box_cox(np.maximum(z, 0) + 1, power), -_box_cox(1 - np.minimum(z, 0), 2 - power))


def _box_cox(z: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """(z^λ − 1) ÷ λ without loss of digits near λ = 0, where it is ln z."""
    logs = np.log(z)
    return logs if power == 0 else np.expm1(power * logs) / power


def _slope(kind: str, z: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    if kind == "box_cox":
        return np.asarray(z ** (power - 1))
    return np.where(z >= 0, (np.maximum(z, 0) + 1) ** (power - 1), (1 - np.minimum(z, 0)) ** (1 - power))


def _likelihood(kind: str, z: NDArray[np.float64], power: float) -> float:
    """Log-likelihood of a normal distribution of the transformed values, up to a constant (Yeo, Johnson 2000, eq. 3.1)."""
    spread = float(_curve(kind, z, power).std())
    return float("-inf") if spread <= 0 else -len(z) * np.log(spread) + float(np.log(_slope(kind, z, power)).sum())
