"""Capability (Cp, Cpk) and performance (Pp, Ppk, Cpm) of normal values, each with its interval, and the parts per million outside.

The names follow ISO 22514-2: capability uses the standard deviation within subgroups and is meant for a stable process; performance
uses that of all values. Whether the process is stable is asked in `core.spc.stability`, other distributions are in `core.spc.percentiles`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.messages import Message, msg
from core.spc.capability import CONFIDENCE
from core.spc.capability_sigma import Spread
from core.spc.individuals import NotDefined

INDEX_PARTS = ("both", "below", "above", "worse", "target")


@dataclass(frozen=True, slots=True)
class Specification:
    """The customer's limits and the target, column unit; None where there is none. Made by `specification`, which checks them."""

    lower: float | None = None
    target: float | None = None
    upper: float | None = None

    @property
    def sides(self) -> int:
        """How many limits there are."""
        return (self.lower is not None) + (self.upper is not None)


@dataclass(frozen=True, slots=True)
class Index:
    """An index with its two-sided interval; no unit. `low` and `high` are None where no interval is known."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Indices:
    """Indices of one standard deviation: Cp, Cpl, Cpu, Cpk within, or Pp, Ppl, Ppu, Ppk and Cpm overall.

    `both` is Cp or Pp, `worse` is Cpk or Ppk. `z_bench` is the quantile of the standard normal distribution beyond which the share
    outside both limits would lie.
    """

    both: Index | NotDefined
    below: Index | NotDefined
    above: Index | NotDefined
    worse: Index | NotDefined
    target: Index | NotDefined
    z_bench: float


@dataclass(frozen=True, slots=True)
class Outside:
    """Parts per million below the lower and above the upper limit, and together; None where there is no such limit."""

    below: float | None
    above: float | None

    @property
    def total(self) -> float:
        return (self.below or 0.0) + (self.above or 0.0)


def specification(lower: float | None, target: float | None, upper: float | None) -> Specification | NotDefined:
    """Limits and target that ascend.

    Degenerate cases: no limit at all, a limit that is no finite number, or an order other than lower < upper with the target between or on
    them: `NotDefined`.
    """
    given = [v for v in (lower, target, upper) if v is not None]
    if lower is None and upper is None:
        return NotDefined(msg("there is no specification limit"))
    if not all(np.isfinite(v) for v in given) or given != sorted(given) or (lower is not None and lower == upper):
        return NotDefined(msg("lower limit, target and upper limit do not ascend"))
    return Specification(lower, target, upper)


def normal_indices(
    mean: float, spread: Spread, n: int, spec: Specification, *, confidence: float = CONFIDENCE, with_target: bool = False
) -> Indices:
    """Indices of normal values by their mean and one standard deviation s with ν degrees of freedom.

    Cp = (USL − LSL) / 6s, interval by νs²/σ² ~ χ²_ν. Cpu = (USL − x̄) / 3s, Cpl = (x̄ − LSL) / 3s, Cpk the smaller; interval
    Cpk ± z √(1 / 9n + Cpk² / 2ν). Cpm = min(USL − T, T − LSL) / 3τ with τ² = s² + (x̄ − T)², which is (USL − LSL) / 6τ for a target in the middle;
    interval by χ² with n(1 + δ²)² / (1 + 2δ²) degrees of freedom, δ = (x̄ − T) / s.

    Args:
        mean: Mean of the values, column unit.
        spread: Their standard deviation, within or overall.
        n: Values behind the mean.
        spec: Limits and target.
        confidence: Of the two-sided intervals, 0 to 1.
        with_target: Whether Cpm is wanted.

    Degenerate cases: with one limit Cp and the index of the other side are `NotDefined`; Cpm without a target is. A mean outside the limits gives a
    negative Cpk.

    Source: Montgomery (2013), eq. 8.4 to 8.9, 8.19 and 8.20; Bissell, "How Reliable is Your Capability Index?", Applied Statistics 39 (1990)
    331-340; Chan, Cheng and Spiring, "A New Measure of Process Capability: Cpm", Journal of Quality Technology 20 (1988) 162-175; Boyles, "The Taguchi
    Capability Index", Journal of Quality Technology 23 (1991) 17-26.

    Example:
        >>> found = normal_indices(16.0, Spread(2.0, 99, "overall", 1.0), 100, Specification(8.0, 14.0, 20.0), with_target=True)
        >>> found.both.value, round(found.worse.value, 4), round(found.target.value, 4)
        (1.0, 0.6667, 0.7071)
    """
    sides = [
        NotDefined(msg("there is no lower specification limit"))
        if spec.lower is None
        else _one_side((mean - spec.lower) / (3 * spread.sigma), n, spread.freedom, confidence),
        NotDefined(msg("there is no upper specification limit"))
        if spec.upper is None
        else _one_side((spec.upper - mean) / (3 * spread.sigma), n, spread.freedom, confidence),
    ]
    expected = normal_outside(mean, spread.sigma, spec)
    return Indices(
        both=_both(spread, spec, confidence),
        below=sides[0],
        above=sides[1],
        worse=worse(sides),
        target=_target(mean, spread, n, spec, confidence)
        if with_target
        else NotDefined(msg("it belongs to all values together")),
        z_bench=bench(expected),
    )


def worse(sides: Iterable[Index | NotDefined]) -> Index | NotDefined:
    """The smaller of the indices of the two sides."""
    known = [side for side in sides if isinstance(side, Index)]
    return min(known, key=lambda side: side.value) if known else NotDefined(msg("there is no specification limit"))


def one_limit() -> NotDefined:
    """Why Cp and Pp are not defined with one limit."""
    return NotDefined(msg("it needs both specification limits, and there is one"))


def normal_outside(mean: float, sigma: float, spec: Specification) -> Outside:
    """Parts per million that a normal distribution has outside the limits."""
    from scipy.special import ndtr

    return Outside(
        None if spec.lower is None else 1e6 * float(ndtr((spec.lower - mean) / sigma)),
        None if spec.upper is None else 1e6 * float(ndtr((mean - spec.upper) / sigma)),
    )


def observed_outside(values: np.ndarray, spec: Specification) -> Outside:
    """Parts per million of the values (n,) that lie outside the limits; a value on a limit is inside."""
    return Outside(
        None if spec.lower is None else 1e6 * float((values < spec.lower).mean()),
        None if spec.upper is None else 1e6 * float((values > spec.upper).mean()),
    )


def bench(expected: Outside) -> float:
    """Z.bench: the standard normal quantile with all that is outside in one tail; infinite where nothing is expected outside."""
    from scipy.special import ndtri

    return -float(ndtri(min(1.0, expected.total / 1e6)))


def _one_side(value: float, n: int, freedom: float, confidence: float) -> Index:
    """An index of one side with Bissell's interval."""
    from scipy.special import ndtri

    reach = float(ndtri(0.5 + confidence / 2)) * float(np.sqrt(1 / (9 * n) + value**2 / (2 * freedom)))
    return Index(value, value - reach, value + reach)


def _both(spread: Spread, spec: Specification, confidence: float) -> Index | NotDefined:
    if spec.lower is None or spec.upper is None:
        return one_limit()
    value = (spec.upper - spec.lower) / (6 * spread.sigma)
    # A standard deviation without bias was divided by c₄ of its degrees of freedom; times that it is √(χ²/ν) σ.
    scale = value / (_c4(spread.freedom) if spread.bias == 1.0 else 1.0)
    low, high = _chi(spread.freedom, confidence)
    return Index(value, scale * low, scale * high)


def _target(mean: float, spread: Spread, n: int, spec: Specification, confidence: float) -> Index | NotDefined:
    if spec.target is None:
        return NotDefined(msg("there is no target"))
    nearest = min(
        *([] if spec.upper is None else [spec.upper - spec.target]),
        *([] if spec.lower is None else [spec.target - spec.lower]),
        np.inf,
    )
    off = (mean - spec.target) / spread.sigma
    value = nearest / (3 * spread.sigma * float(np.sqrt(1 + off**2)))
    low, high = _chi(n * (1 + off**2) ** 2 / (1 + 2 * off**2), confidence)
    return Index(value, value * low, value * high)


def _chi(freedom: float, confidence: float) -> tuple[float, float]:
    """√(χ²/ν) at both ends of the interval."""
    from scipy.special import chdtri

    tail = (1 - confidence) / 2
    low, high = (float(np.sqrt(chdtri(freedom, q) / freedom)) for q in (1 - tail, tail))
    return low, high


def _c4(freedom: float) -> float:
    """Mean of √(χ²/ν) for ν that need not be a whole number."""
    from scipy.special import gammaln

    return float(np.sqrt(2 / freedom) * np.exp(gammaln((freedom + 1) / 2) - gammaln(freedom / 2)))


def index_name(part: str, *, within: bool) -> str:
    """The printed name of a part of `Indices`: both, below, above, worse or target."""
    names = {
        "both": ("Cp", "Pp"),
        "below": ("Cpl", "Ppl"),
        "above": ("Cpu", "Ppu"),
        "worse": ("Cpk", "Ppk"),
        "target": ("Cpm", "Cpm"),
    }
    return names[part][0 if within else 1]


def read_index(found: Index | NotDefined) -> tuple[Index | None, Message | None]:
    """The index, or the reason why there is none."""
    return (None, found.reason) if isinstance(found, NotDefined) else (found, None)
