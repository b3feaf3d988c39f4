"""What a cumulative sum says of a shift once it signals: since when, and to which mean.

The sum was last 0 just before the shift, by its own reckoning; how far it has risen since says how far the mean has moved. Both are estimates:
a small shift is dated by chance, and the new mean is too far out on average, because the sum is read where it happens to be high.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.spc.chart import CUSTOMARY_POINTS, Chart
from core.spc.rules import ZERO, Signal
from core.spc.variables import Process


@dataclass(frozen=True, slots=True)
class CusumShift:
    """A shift that a cumulative sum signals; places are 0-based points of the chart.

    `signal` is the first point beyond the limit, `start` the first point after the sum was last 0, so that the shift began between the point
    before `start` and `start`. `end` is the last point before the sum is 0 again, or before its stage ends, which is `goes_on`; `length` are the
    points with a value from `start` to `end`. `count` is Montgomery's N⁺ or N⁻: those from `start` to `signal`, both counted. `mean` is the
    estimated new mean, `centre` the one before, column unit.
    """

    signal: int
    start: int
    count: int
    mean: float
    centre: float
    end: int
    length: int
    goes_on: bool

    @property
    def is_up(self) -> bool:
        return self.mean > self.centre

    @property
    def is_rough(self) -> bool:
        """Whether the new mean comes from so few points that it is a rough estimate: as few as give provisional limits."""
        return self.count < CUSTOMARY_POINTS


def cusum_shifts(
    process: Process, charts: Sequence[Chart], found: Sequence[Sequence[Signal]], allowance: float
) -> tuple[CusumShift, ...]:
    """The shifts that two cumulative sums signal, in the order of their signals.

    Upper: μ̂ = μ₀ + (k + C⁺ᵢ / N⁺) · σ/√n, at the point i of the signal; lower: μ̂ = μ₀ − (k + C⁻ᵢ / N⁻) · σ/√n. Where sizes differ, σ/√n is the mean of
    those from `start` to `signal`.

    Args:
        process: What the sums were made of.
        charts: The upper and the lower sum, from `cusum_charts`.
        found: Their signals, one sequence a chart.
        allowance: k, standard errors.

    Source: Montgomery (2013), chapter 9, the tabular CUSUM with its counters N⁺ and N⁻ (example 9.1 is among the published examples).

    Example:
        >>> from core.spc.rules import rule_book, signals
        >>> from core.spc.variables import given_process
        >>> from core.spc.weighted import cusum_charts
        >>> process = given_process([10.0, 13.0, 13.0, 13.0], target=10, sigma=1)
        >>> sums = cusum_charts(process)  # upper: 0, 2.5, 5, 7.5
        >>> shift, = cusum_shifts(process, sums, [signals(c, rule_book("nelson")) for c in sums], 0.5)
        >>> shift.signal, shift.start, shift.count, shift.mean, shift.goes_on
        (3, 1, 3, 13.0, True)
    """
    shifts = [
        _dated(process, chart, int(at), allowance)
        for chart, of_chart in zip(charts, found, strict=True)
        for signal in of_chart
        for at in np.flatnonzero(signal.found)
    ]
    return tuple(sorted(shifts, key=lambda shift: shift.signal))


def _dated(process: Process, chart: Chart, at: int, allowance: float) -> CusumShift:
    """The shift behind the signal at a point."""
    of = process.phases
    stretch = int(np.searchsorted(of.bounds, at, side="right")) - 1
    begin, stop = int(of.bounds[stretch]), int(of.bounds[stretch + 1])
    counted = np.flatnonzero(chart.judged[begin : at + 1]) + begin
    zeros = np.flatnonzero(np.abs(chart.points[counted]) <= ZERO)
    run = counted[int(zeros[-1]) + 1 :] if len(zeros) else counted
    centre = float(process.centre[0] if len(process.centre) == 1 else process.centre[of.stage[at]])
    moved = (allowance + abs(float(chart.points[at])) / len(run)) * float(process.error[run].mean())
    after = np.flatnonzero(chart.judged[at:stop]) + at
    back = np.flatnonzero(np.abs(chart.points[after]) <= ZERO)
    rest = after[: int(back[0])] if len(back) else after
    mean = centre + (moved if chart.kind == "CUSUM+" else -moved)
    return CusumShift(at, int(run[0]), len(run), mean, centre, int(rest[-1]), len(run) + len(rest) - 1, not len(back))
