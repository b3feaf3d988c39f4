"""Run chart: values around their median, and tests of the number of runs. It has no limits and assumes no distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.messages import msg
from core.spc.chart import Chart, Floats, Phases, by_stage, finite, fitting, flat
from core.spc.individuals import FEWEST_VALUES, NotDefined

RunKind = Literal["median", "direction"]


@dataclass(frozen=True, slots=True)
class RunsTest:
    """The number of runs of one kind, `n` the values counted, and what chance lets expect.

    `z` = (runs − expected) / sd; `p_few` and `p_many` are the chances of as few or as many runs, by the normal approximation.
    Few runs about the median are clusters or a shift, many are mixtures; few runs of one direction are trends, many are swings.
    """

    kind: RunKind
    n: int
    runs: int
    longest: int
    expected: float
    sd: float
    z: float
    p_few: float
    p_many: float


@dataclass(frozen=True, slots=True)
class RunChart:
    """The chart (centre line the median of the baseline of each stage, no limits) and its two tests over the baseline."""

    chart: Chart
    median: RunsTest | NotDefined
    direction: RunsTest | NotDefined


def run_chart(values: ArrayLike, of: Phases | None = None) -> RunChart | NotDefined:
    """Run chart of values in order.

    Args:
        values: (n,) column unit, NaN where empty.
        of: Baseline and stages; the median and both tests look at the baseline, and runs end where a stage does.

    Degenerate cases: fewer than 10 values in the baseline of a stage: `NotDefined`. The tests name their own.
    """
    x = finite(values)
    of = fitting(of, len(x))
    known = np.isfinite(x)

    def learn(rows: NDArray[np.bool_]) -> tuple[float, float] | NotDefined:
        used = rows & known
        if int(used.sum()) < FEWEST_VALUES:
            return NotDefined(
                msg("a run chart needs at least {n} values, and there are {m}", n=FEWEST_VALUES, m=int(used.sum()))
            )
        return float(np.median(x[used])), 0.0

    found = by_stage(of, learn)
    if isinstance(found, NotDefined):
        return found
    centre, none = flat(found[0], of), np.full(len(x), np.nan)
    chart = Chart(
        "run", msg("individual value"), x, centre, none, none.copy(), none.copy(), none.copy(), "none", np.ones(len(x)), of
    )
    parts = [stretch_values(x, of, stretch) for stretch in of.stretches]
    about = [np.sign(x[rows] - centre[rows]) for rows in parts]
    steps = [np.sign(np.diff(x[rows])) for rows in parts]
    return RunChart(chart, median_runs([s[s != 0] for s in about]), direction_runs([s[s != 0] for s in steps]))


def stretch_values(x: Floats, of: Phases, stretch: slice) -> NDArray[np.int64]:
    """The places of the known baseline values of a stretch, in order."""
    return np.flatnonzero(np.isfinite(x[stretch]) & of.baseline[stretch]) + stretch.start


def median_runs(sides: list[Floats]) -> RunsTest | NotDefined:
    """Test of the number of runs above and below the median.

    With n₁ values above and n₂ below: expected 2n₁n₂ / n + 1, variance 2n₁n₂(2n₁n₂ − n) / (n²(n − 1)); several stretches are added.

    Args:
        sides: One array a stretch of +1 above and −1 below; values on the median are left out.

    Degenerate cases: fewer than 10 values off the median, or all on one side: `NotDefined`.

    Source: Wald and Wolfowitz, "On a Test Whether Two Samples Are from the Same Population", Annals of Mathematical Statistics 11 (1940)
    147-162; NIST/SEMATECH e-Handbook, section 1.3.5.13.
    """
    expected = variance = 0.0
    for side in sides:
        n, above = float(len(side)), float((side > 0).sum())
        pairs = 2 * above * (n - above)
        if n > 1:
            expected += pairs / n + 1
            variance += pairs * (pairs - n) / (n**2 * (n - 1))
        elif n:
            expected += 1
    return _tested("median", sides, int(sum(len(side) for side in sides)), expected, variance)


def direction_runs(ways: list[Floats]) -> RunsTest | NotDefined:
    """Test of the number of runs up and down.

    With N values, equal neighbours counted once: expected (2N − 1) / 3, variance (16N − 29) / 90; several stretches are added.

    Args:
        ways: One array a stretch of +1 for a rise and −1 for a fall; steps between equal neighbours are left out.

    Degenerate cases: fewer than 10 values: `NotDefined`.

    Source: Wallis and Moore, "A Significance Test for Time Series Analysis", Journal of the American Statistical Association 36 (1941)
    401-409; Bradley, Distribution-Free Statistical Tests (1968), chapter 12.
    """
    counts = [len(way) + 1 for way in ways if len(way)]
    expected = sum((2 * n - 1) / 3 for n in counts)
    variance = sum(max(0.0, (16 * n - 29) / 90) for n in counts)
    return _tested("direction", ways, sum(counts), expected, variance)


def _tested(kind: RunKind, signs: list[Floats], n: int, expected: float, variance: float) -> RunsTest | NotDefined:
    """The test of the runs of equal signs; runs do not reach over the end of an array."""
    if n < FEWEST_VALUES:
        return NotDefined(msg("a test of runs needs at least {n} different values, and there are {m}", n=FEWEST_VALUES, m=n))
    if variance <= 0:
        return NotDefined(msg("all values lie on one side of the median"))
    lengths = np.concatenate([_run_lengths(sign) for sign in signs])
    from scipy.stats import norm

    sd = float(np.sqrt(variance))
    z = (len(lengths) - expected) / sd
    return RunsTest(kind, n, len(lengths), int(lengths.max()), expected, sd, z, float(norm.cdf(z)), float(norm.sf(z)))


def _run_lengths(signs: Floats) -> NDArray[np.int64]:
    """Lengths of the runs of equal signs, in order."""
    if not len(signs):
        return np.zeros(0, np.int64)
    ends = np.flatnonzero(np.diff(signs) != 0) + 1
    return np.diff(np.concatenate([[0], ends, [len(signs)]]))
