"""EWMA and tabular CUSUM: charts that add up small shifts of the mean.

Their points depend on the ones before, so that of the rules only the limit applies. Both start anew at every stage.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.messages import msg
from core.spc.chart import Chart, Floats, flat
from core.spc.smoothing import smoothed
from core.spc.variables import Process, notes_of

WEIGHT, WIDTH = 0.2, 3.0
INTERVAL, ALLOWANCE = 5.0, 0.5


def ewma_chart(process: Process, *, weight: float = WEIGHT, width: float = WIDTH) -> Chart:
    """Exponentially weighted moving average with limits that are exact for each point.

    zᵢ = λxᵢ + (1 − λ)zᵢ₋₁ from z₀ = centre; limits centre ± L√vᵢ, where vᵢ = λ²σ² / nᵢ + (1 − λ)²vᵢ₋₁. With one size n this is
    σ²/n · λ/(2 − λ) · (1 − (1 − λ)²ⁱ), and soon constant. An empty point is passed over; so is one that was left out, which is drawn
    where the average stood before it.

    Args:
        process: Centre, sigma and sizes, from `individuals`, `subgroup_means` or `given_process`.
        weight: λ, above 0 and at most 1; at 1 the chart is Shewhart's.
        width: L, standard errors from centre to limit.

    Raises:
        ValueError: A weight or width out of range.

    Source: Roberts, "Control Chart Tests Based on Geometric Moving Averages", Technometrics 1 (1959) 239-250; Montgomery (2013), eq. 9.22,
    9.25 and 9.26; NIST/SEMATECH e-Handbook, section 6.3.2.4.

    Example:
        >>> from core.spc.variables import given_process
        >>> chart = ewma_chart(given_process([12.0, 10.0], target=10, sigma=1), weight=0.5)
        >>> chart.points.tolist(), [round(float(u), 4) for u in chart.upper]
        ([11.0, 10.5], [11.5, 11.6771])
    """
    if not 0 < weight <= 1 or not width > 0:
        raise ValueError(
            f"the weight is {weight} and the width {width}; expected a weight above 0 and at most 1, and a width above 0"
        )
    of, x = process.phases, process.points
    centre, sigma = flat(process.centre, of), flat(process.sigma, of)
    points, reach = np.full(len(x), np.nan), np.full(len(x), np.nan)
    error = process.error
    twice = 1 - (1 - weight) ** 2  # the variance decays by (1 − λ)²
    factor = weight**2 / twice
    for stretch in of.stretches:
        at = _summed(process, stretch)
        points[at] = centre[at] + smoothed(x[at] - centre[at], weight)
        reach[at] = width * np.sqrt(factor * smoothed(error[at] ** 2, twice))
        _carry(points, process, stretch, float(centre[stretch.start]) if stretch.stop > stretch.start else 0.0)
        _carry(reach, process, stretch, np.nan)
    return Chart(
        kind="EWMA",
        statistic=msg("exponentially weighted moving average"),
        points=points,
        centre=centre,
        lower=centre - reach,
        upper=centre + reach,
        reach=np.full(len(x), np.nan),
        sigma=sigma,
        method=process.method,
        sizes=process.sizes.copy(),
        phases=of,
        notes=notes_of(process),
        known=process.known,
    )


def cusum_charts(
    process: Process, *, interval: float = INTERVAL, allowance: float = ALLOWANCE, head_start: float = 0.0
) -> tuple[Chart, Chart]:
    """Upper and lower tabular CUSUM, in standard errors of a point.

    With yᵢ = (xᵢ − centre)√nᵢ / σ: C⁺ᵢ = max(0, C⁺ᵢ₋₁ + yᵢ − k) with the limit h, C⁻ᵢ = max(0, C⁻ᵢ₋₁ − yᵢ − k), drawn downwards as −C⁻ with
    the limit −h. Times σ / √n they are in column unit. The sums go on after a signal. An empty point is passed over, and so is one that
    was left out, which is drawn where the sum stood before it.

    Args:
        process: As for `ewma_chart`.
        interval: h, the limit; 4 or 5 is usual.
        allowance: k, half the shift that is to be found, in standard errors.
        head_start: Start of both sums, 0 to h; half of h finds a bad start sooner.

    Raises:
        ValueError: Settings out of range.

    Cost: running sums and running minima, linear. C⁺ᵢ = Sᵢ − min(−head start, S₁ … Sᵢ), where S is the running sum of yᵢ − k.

    Source: Page, "Continuous Inspection Schemes", Biometrika 41 (1954) 100-115; Montgomery (2013), eq. 9.2 and 9.3, section 9.1.4 for the head
    start (Lucas and Crosier 1982), section 9.1.7 for subgroups.

    Example:
        >>> from core.spc.variables import given_process
        >>> upper, lower = cusum_charts(given_process([11.0, 12.0, 8.0], target=10, sigma=1))
        >>> upper.points.tolist(), lower.points.tolist()
        ([0.5, 2.0, 0.0], [0.0, 0.0, -1.5])
    """
    if not interval > 0 or not allowance >= 0 or not 0 <= head_start <= interval:
        raise ValueError(
            f"h is {interval}, k is {allowance} and the head start is {head_start}; expected h above 0, k of 0 or more, "
            "and a head start between 0 and h"
        )
    of, x = process.phases, process.points
    with np.errstate(invalid="ignore", divide="ignore"):
        away = (x - flat(process.centre, of)) / process.error
    up, down = np.full(len(x), np.nan), np.full(len(x), np.nan)
    for stretch in of.stretches:
        at = _summed(process, stretch)
        up[at], down[at] = _sums(away[at] - allowance, head_start), 0.0 - _sums(-away[at] - allowance, head_start)
        _carry(up, process, stretch, head_start)
        _carry(down, process, stretch, -head_start)

    def chart(kind: Literal["CUSUM+", "CUSUM-"], points: Floats) -> Chart:
        limit, none = np.full(len(x), interval), np.full(len(x), np.nan)
        upper = kind == "CUSUM+"
        return Chart(
            kind=kind,
            statistic=msg("upper cumulative sum, in standard errors")
            if upper
            else msg("lower cumulative sum, in standard errors"),
            points=points,
            centre=np.zeros(len(x)),
            lower=none.copy() if upper else -limit,
            upper=limit if upper else none.copy(),
            reach=none,
            sigma=flat(process.sigma, of),
            method=process.method,
            sizes=process.sizes.copy(),
            phases=of,
            notes=notes_of(process),
            known=process.known,
        )

    return chart("CUSUM+", up), chart("CUSUM-", down)


def _summed(process: Process, stretch: slice) -> NDArray[np.int64]:
    """The places of a stretch whose values enter the sum: those with a value and a standard error that were not left out."""
    there = np.isfinite(process.points[stretch]) & np.isfinite(process.error[stretch]) & process.phases.counted[stretch]
    return np.flatnonzero(there) + stretch.start


def _carry(points: Floats, process: Process, stretch: slice, start: float) -> None:
    """Put points that were left out where the sum stood before them, `start` where there was none; in place."""
    left = np.flatnonzero(np.isfinite(process.points[stretch]) & ~process.phases.counted[stretch]) + stretch.start
    if not len(left):
        return
    summed = _summed(process, stretch)
    before = np.searchsorted(summed, left) - 1
    points[left] = np.where(before >= 0, points[summed[np.maximum(before, 0)]], start) if len(summed) else start


def _sums(steps: Floats, start: float) -> Floats:
    """max(0, sum before + step) from `start`, (n,), without a loop."""
    total = np.cumsum(steps)
    # The subtraction leaves a rounding of the running sum where the truth is 0; it never leaves less than 0.
    return total - np.minimum(np.minimum.accumulate(total), -start) if len(total) else total
