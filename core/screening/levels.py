"""Lasting changes in a sequence: level shifts, drift, and changes of its noise, found on the means of equal blocks.

Binary segmentation (Scott & Knott, Biometrics 30 (1974) 507; Vostrikova 1981) of at most 100 block means with the CUSUM
statistic, whose scale comes from differences of blocks a few places apart (robust to the shifts themselves). What
it finds is tested again against the long-run variance of what is left, so that a slow but stationary sensor is not
called shifted. Not for columns of a few values, and not for rows without an order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_BLOCKS, FEWEST_BLOCKS, FEWEST_ROWS = 100, 12, 10
SHORTEST = 0.05  # of all blocks: a shorter stretch is an event and no lasting change
CLEAR, STANDS = 6.0, 5.0  # CUSUM bars before and after looking at what is left, in standard errors
LARGE = 1.0  # a shift, in standard deviations of the rows around their level
DRIFTED = 1.5  # a drift from first to last block, in the same
STEADY = 0.6  # Kendall's tau of the block means with their order
NOISIER = 2.0  # ratio of noise before and after
MAD_TO_SD = 1.4826


@dataclass(frozen=True, slots=True)
class Shift:
    """The level changes at `position` from `before` to `after`."""

    position: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Levels:
    """What became of a level. `edges` (k + 1,) part the rows into stretches of one level; `sd` is the spread around it.

    `drift` is the change from first to last block where it is steady, else None; then `shifts` is empty.
    """

    shifts: tuple[Shift, ...] = ()
    drift: float | None = None
    sd: float = 0.0


@dataclass(frozen=True, slots=True)
class Blocks:
    """Equal stretches of a sequence: `edges` (k + 1,), mean, spread around it and mean step between neighbours (k,)."""

    edges: NDArray[np.int64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    step: NDArray[np.float64]


def blocks_of(values: NDArray[np.float64]) -> Blocks | None:
    """The blocks of a sequence (n,), NaN where empty; None when there are too few rows for 12 blocks of 10 rows.

    A block without two values has NaN.
    """
    n = len(values)
    k = min(MOST_BLOCKS, n // FEWEST_ROWS)
    if k < FEWEST_BLOCKS:
        return None
    edges = np.linspace(0, n, k + 1).astype(np.int64)
    known = np.isfinite(values)
    if not known.any():
        return None
    middle = float(np.mean(values[known][:: max(1, n // 10_000)]))
    filled = np.where(known, values - middle, 0.0)
    count = np.add.reduceat(known, edges[:-1], dtype=np.float64)
    steps = np.zeros(n)
    np.abs(filled[1:] - filled[:-1], out=steps[1:])
    both = known.copy()
    both[1:] &= known[:-1]
    both[edges[:-1]] = False
    steps[~both] = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(filled, edges[:-1]) / count
        step = np.add.reduceat(steps, edges[:-1]) / np.add.reduceat(both, edges[:-1], dtype=np.float64)
        filled *= filled
        sd = np.sqrt(np.maximum(np.add.reduceat(filled, edges[:-1]) / count - mean**2, 0))
    few = count < 2
    mean[few], sd[few] = np.nan, np.nan
    return Blocks(edges, mean + middle, sd, step)


def find_levels(values: NDArray[np.float64], blocks: Blocks) -> Levels:
    """Shifts and drift of a sequence (n,). Gaps take no part; a sequence that never varies has none."""
    there = np.flatnonzero(np.isfinite(blocks.mean))
    means = blocks.mean[there]
    if len(means) < FEWEST_BLOCKS:
        return Levels()
    noise = _robust_scale(means)
    within = float(np.sqrt(np.nanmedian(blocks.sd**2)))
    sd = float(np.hypot(within, noise))
    if sd <= 1e-12 * float(np.max(np.abs(means), initial=0.0)):
        return Levels()
    standing = [c[1] for c in _stands(means, _segment(means, noise)) if _jump(means, c) >= LARGE * sd]
    # Once the small steps are taken out, those left are judged against wider neighbours.
    cuts = [c[1] for c in _neighbours(means, standing) if _jump(means, c) >= LARGE * sd]
    slope = _drift(means, noise, sd)
    if slope is not None and (not cuts or _line_fits_better(means, cuts[:2])):
        return Levels(drift=slope, sd=sd)
    shifts = []
    for left, cut, right in _neighbours(means, cuts):
        position = _refine(values, blocks.edges, there, cut)
        shifts.append(Shift(position, float(np.median(means[left:cut])), float(np.median(means[cut:right]))))
    return Levels(tuple(shifts), None, sd)


def find_noise_changes(blocks: Blocks) -> tuple[tuple[int, float], ...]:
    """Where the noise becomes at least twice as large or half as small and stays so: (position, ratio after to before)."""
    there = np.flatnonzero(np.isfinite(blocks.step) & (blocks.step > 0))
    if len(there) < max(FEWEST_BLOCKS, 0.9 * len(blocks.step)):
        return ()
    logs = np.log(blocks.step[there])
    cuts = _stands(logs, _segment(logs, max(_robust_scale(logs), 0.02)))
    found = _neighbours(logs, [c[1] for c in cuts if _jump(logs, c) >= np.log(NOISIER)])
    return tuple(
        (int(blocks.edges[there[cut]]), float(np.exp(np.median(logs[cut:right]) - np.median(logs[left:cut]))))
        for left, cut, right in found
        if _jump(logs, (left, cut, right)) >= np.log(NOISIER)
    )


Cut = tuple[int, int, int]


def _robust_scale(means: NDArray[np.float64]) -> float:
    """Standard deviation of the block means around their level, from differences 1, 2 and 4 blocks apart."""
    found = [float(np.median(np.abs(means[lag:] - means[:-lag]))) * MAD_TO_SD / np.sqrt(2) for lag in (1, 2, 4)]
    return max(found)


def _segment(means: NDArray[np.float64], noise: float) -> list[Cut]:
    """Cuts (start, cut, end) of binary segmentation, the clearest of each stretch first."""
    shortest = max(3, round(SHORTEST * len(means)))
    found: list[Cut] = []
    waiting = [(0, len(means))]
    while waiting:
        a, b = waiting.pop()
        k = np.arange(shortest, b - a - shortest + 1)
        if not len(k):
            continue
        sums = np.cumsum(means[a:b])
        left, right = sums[k - 1] / k, (sums[-1] - sums[k - 1]) / (b - a - k)
        cusum = np.abs(left - right) * np.sqrt(k * (b - a - k) / (b - a))
        best = int(np.argmax(cusum))
        if cusum[best] > CLEAR * noise and cusum[best] > 0:
            cut = a + int(k[best])
            found.append((a, cut, b))
            waiting += [(a, cut), (cut, b)]
    return found


def _stands(means: NDArray[np.float64], cuts: list[Cut]) -> list[Cut]:
    """The cuts that are clear against the long-run variance of what is left around the levels."""
    if not cuts:
        return []
    edges = sorted({0, len(means), *(cut for _, cut, _ in cuts)})
    left = np.concatenate([means[a:b] - means[a:b].mean() for a, b in zip(edges[:-1], edges[1:], strict=True)])
    error = _long_run_sd(left, len(edges) - 1)
    return [
        (a, cut, b)
        for a, cut, b in _neighbours(means, [c[1] for c in cuts])
        if _jump(means, (a, cut, b)) > STANDS * error * np.sqrt((b - a) / ((cut - a) * (b - cut)))
    ]


def _long_run_sd(left: NDArray[np.float64], n_fitted: int) -> float:
    """Standard deviation of an independent series whose mean is as uncertain as that of the residuals `left` (n,).

    sd · sqrt((1 + ρ) / (1 − ρ)) with ρ the lag-1 correlation, as of an AR(1) process; taking out k numbers pulls ρ down by
    about k / n, which is given back.
    """
    n = len(left)
    squares = float(np.sum(left**2))
    lagged = float(np.sum(left[1:] * left[:-1])) / max(squares, 1e-300)
    rho = min(0.95, max(0.0, lagged + (n_fitted + 1) / n))
    return float(np.sqrt(squares / max(1, n - n_fitted) * (1 + rho) / (1 - rho)))


def _neighbours(means: NDArray[np.float64], cuts: list[int]) -> list[Cut]:
    """Each cut with the ends of the stretches on both sides, in order."""
    edges = [0, *sorted(cuts), len(means)]
    return list(zip(edges[:-2], edges[1:-1], edges[2:], strict=True))


def _jump(means: NDArray[np.float64], cut: Cut) -> float:
    left, at, right = cut
    return float(abs(np.median(means[left:at]) - np.median(means[at:right])))


def _drift(means: NDArray[np.float64], noise: float, sd: float) -> float | None:
    """Theil-Sen change from first to last block (Sen 1968), where Kendall's tau says that it is steady; else None."""
    n = len(means)
    i, j = np.triu_indices(n, 1)
    rises = means[j] - means[i]
    total = float(np.median(rises / (j - i))) * (n - 1)
    tau = float(np.mean(np.sign(rises)))
    if abs(tau) < STEADY or abs(total) < DRIFTED * sd:
        return None
    x = np.arange(n)
    left = means - np.polyval(np.polyfit(x, means, 1), x)
    # The rise of a fitted line over n equally spaced values has the standard error of one value times sqrt(12 / n).
    reach = np.sqrt(12 / n)
    return total if abs(total) > max(CLEAR * noise, STANDS * _long_run_sd(left, 2)) * reach else None


def _line_fits_better(means: NDArray[np.float64], cuts: list[int]) -> bool:
    """Whether a straight line leaves less than the steps at these cuts do."""
    edges = [0, *sorted(cuts), len(means)]
    steps = sum(float(np.sum((means[a:b] - means[a:b].mean()) ** 2)) for a, b in zip(edges[:-1], edges[1:], strict=True))
    x = np.arange(len(means))
    line = float(np.sum((means - np.polyval(np.polyfit(x, means, 1), x)) ** 2))
    return line < steps


def _refine(values: NDArray[np.float64], edges: NDArray[np.int64], there: NDArray[np.int64], cut: int) -> int:
    """The row at which the level changes, within two blocks of the cut: the largest CUSUM of the rows there."""
    a, b = int(edges[there[max(0, cut - 2)]]), int(edges[there[min(len(there) - 1, cut + 1)] + 1])
    rows = a + np.flatnonzero(np.isfinite(values[a:b]))
    near = values[rows]
    low, high = np.quantile(near, (0.02, 0.98))
    sums = np.cumsum(np.clip(near, low, high) - np.clip(near, low, high).mean())
    return int(rows[min(len(rows) - 1, int(np.argmax(np.abs(sums[:-1]))) + 1)])
