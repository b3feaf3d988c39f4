"""Whether a probability means what it says: of the rows that get 80 %, 80 % should be of the class.

Sources: Brier, Monthly Weather Review 78, 1950; Murphy, J. Applied Meteorology 12, 1973 (what a Brier score is made of); Naeini,
Cooper and Hauskrecht, AAAI 2015 (expected calibration error); Guo et al., ICML 2017 (temperature scaling).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import LEAST_UNITS, Resampling, percentile_bounds, resampling, wilson_bounds
from core.evaluation.result import Metric, not_defined
from core.messages import Message, msg, msg_n

N_BINS = 15
FEWEST_IN_BIN = 10
ALL_ROWS = 0.25  # how much the number of rows counts beside what they tell, when bins are cut
FEWEST_ROWS = 50  # fewer held-out rows say nothing of a temperature
SMALLEST = 1e-12  # a probability of 0 has no logarithm; what a float32 network gives as 0 may be any value below 1e-38
FOLDS = 5
COOLEST, HOTTEST = 0.05, 20.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows whose probability lies in [low, high]: how many, what was said in the mean, and how often it came, with a 95 % interval."""

    low: float
    high: float
    n: int
    said: float
    came: float
    came_low: float
    came_high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The calibration of one class's probability.

    `brier` is the mean squared difference between probability and outcome; `brier_of_share` is that of saying the share of the class
    each time. `ece` is the mean distance between what bins say and what came, weighed by rows; `by_chance` is the `ece` that a perfectly
    calibrated model would show on so many rows (mean and 95 % quantile of simulations), because no finite sample gives 0.
    """

    bins: tuple[Bin, ...]
    brier: Metric
    brier_of_share: float
    ece: Metric
    by_chance: tuple[float, float]

    @property
    def is_off(self) -> bool | None:
        """Whether the probabilities are off by more than chance explains; None where it cannot be told."""
        return None if self.ece.value is None else self.ece.value > self.by_chance[1]


def calibration(
    truth: NDArray[np.bool_],
    probability: NDArray[np.float64],
    *,
    n_bins: int = N_BINS,
    n_boot: int = 500,
    seed: int = 0,
    blocks: NDArray[np.generic] | None = None,
) -> Calibration:
    """Reliability of one class's probability in bins that tell about equally much; rows with a NaN probability are left out.

    What a row tells is p(1 − p), the variance of its outcome: of a rare class nearly all rows say next to nothing, and bins of equally many rows
    would put all that matters into one. Where all probabilities are alike in that, bins have equally many rows.

    Args:
        truth: (n,) True where the row is of the class.
        probability: (n,) what the model said, 0 to 1.
        n_bins: About so many; equal probabilities stay together, and a bin has at least 10 rows, or blocks.
        blocks: (n,) what is drawn together for the intervals of the two figures.

    Degenerate cases: no row: nothing is defined. One class only: defined, `brier_of_share` is 0.
    """
    known = ~np.isnan(probability)
    y, p = truth[known], probability[known]
    n = len(y)
    if n == 0:
        reason = msg("There is no row with both a true class and a probability.")
        return Calibration(
            (), not_defined("brier", 0, reason), float("nan"), not_defined("ece", 0, reason), (float("nan"),) * 2
        )
    drawn = resampling(n, None if blocks is None else np.asarray(blocks)[known], n_boot, seed)
    place = _bin_of(p, max(1, min(n_bins, n // FEWEST_IN_BIN)), None if blocks is None else drawn.units)
    k = int(place.max()) + 1
    squares = (p - y) ** 2
    ece, resampled, brier_drawn = _ece(y, p, place, k), np.empty(0), np.empty(0)
    if drawn.n_boot:
        weights = drawn.weights()
        n_rows = weights @ np.bincount(drawn.units, minlength=drawn.n_units)
        brier_drawn = weights @ np.bincount(drawn.units, weights=squares, minlength=drawn.n_units) / n_rows
        gaps = np.bincount(drawn.units * k + place, weights=y - p, minlength=drawn.n_units * k).reshape(drawn.n_units, k)
        resampled = np.abs(weights @ gaps).sum(axis=1) / n_rows
    share = float(y.mean())
    # Resampling adds its own noise to every bin, so that the percentile interval of the error would lie too high: it is mirrored.
    low, high = percentile_bounds(resampled)
    bounds = (None, None) if low is None or high is None else (max(0.0, min(ece, 2 * ece - high)), max(ece, 2 * ece - low))
    return Calibration(
        bins=tuple(_bin(y[place == i], p[place == i]) for i in range(k)),
        brier=Metric("brier", float(squares.mean()), n, *percentile_bounds(brier_drawn)),
        brier_of_share=share * (1 - share),
        ece=Metric("ece", ece, n, *bounds),
        by_chance=_by_chance(p, place, k, seed) if blocks is None else _by_blocks(y - p, place, k, drawn, seed),
    )


@dataclass(frozen=True, slots=True)
class Temperature:
    """A temperature that divides the logarithms of probabilities; above 1 makes them less sure. Fitted on `n` rows.

    `value` is None exactly when `why_not` says why.
    """

    value: float | None
    n: int
    log_loss_before: float
    log_loss_after: float
    why_not: Message | None = None


def fit_temperature(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Temperature:
    """The temperature with the smallest mean negative log-likelihood on held-out rows (Guo et al. 2017, sec. 4.2).

    Works on any model's probabilities: their logarithms are its logits but for a constant a row. The loss is convex in 1 / T.

    Args:
        truth: (n,) class numbers, negative where unknown.
        probabilities: (n, k); rows with NaN are left out.

    Degenerate cases: fewer than 50 rows, or one class only: none, with the reason.
    """
    from scipy.optimize import minimize_scalar

    known = (truth >= 0) & np.isfinite(probabilities).all(axis=1)
    y, logs = truth[known], np.log(np.maximum(probabilities[known], SMALLEST))
    n, before = len(y), float("nan")
    if n:
        before = _log_loss(y, logs)
    if n < FEWEST_ROWS or len(np.unique(y)) < 2:
        reason = msg("A temperature needs {needed} held-out rows of two classes; there are {n}.", needed=FEWEST_ROWS, n=n)
        return Temperature(None, n, before, before, reason)
    ends = (np.log(1 / HOTTEST), np.log(1 / COOLEST))
    found = minimize_scalar(lambda log_b: _log_loss(y, logs * np.exp(log_b)), bounds=ends, method="bounded")
    return Temperature(float(np.exp(-found.x)), n, before, float(found.fun))


@dataclass(frozen=True, slots=True)
class TemperatureGain:
    """What a temperature takes off the log loss of rows that it was not fitted on, in the mean over `n` rows, with a 95 % interval.

    Positive is better. Rows are drawn as `n_units` units: single rows, groups or stretches of time. Where it cannot be told whether the
    gain is more than chance gives, the bounds are None and `why_not` says why; `mean` is None where there is no gain at all.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    n_units: int
    why_not: Message | None = None

    @property
    def is_clear(self) -> bool:
        """Whether it makes the log loss better by more than chance."""
        return self.low is not None and self.low > 0


def temperature_gain(
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    *,
    blocks: NDArray[np.generic] | None = None,
    n_boot: int = 1000,
    seed: int = 0,
) -> TemperatureGain:
    """Cross-fitted on held-out rows: each fifth of them is judged at the temperature of the other four.

    Args:
        truth: (n,) class numbers, negative where unknown.
        probabilities: (n, k); rows with NaN are left out.
        blocks: (n,) what stays in one fold and is drawn together.

    Degenerate cases, each with its reason: fewer than 5 blocks, or resamples that are all alike: no bounds; a fold without a temperature,
    for want of rows or of a second class: no mean either.

    Source: cross-fitting: Stone, Journal of the Royal Statistical Society B 36 (1974) 111-147; interval: Efron and Tibshirani (1993),
    chapter 13, with the temperatures held as they were fitted.
    """
    known = (truth >= 0) & np.isfinite(probabilities).all(axis=1)
    y, p = truth[known], probabilities[known]
    drawn = resampling(len(y), None if blocks is None else np.asarray(blocks)[known], n_boot, seed)
    fold = np.random.default_rng(seed).permutation(np.arange(drawn.n_units) % FOLDS)[drawn.units]
    gain, n, n_units = np.zeros(len(y)), len(y), drawn.n_units
    few = _few_units(n, n_units) if drawn.is_blocked and n_units < LEAST_UNITS else None
    for k in range(FOLDS):
        own = fold == k
        found = fit_temperature(y[~own], p[~own])
        if found.value is None:
            return TemperatureGain(None, None, None, n, n_units, few or _no_fit(n, found.n))
        gain[own] = _losses(y[own], p[own]) - _losses(y[own], at_temperature(p[own], found.value))
    sums = drawn.sums(np.stack([gain, np.ones(len(y))], axis=1)) if drawn.n_boot else np.empty((0, 2))
    low, high = percentile_bounds(sums[:, 0] / sums[:, 1])
    alike = (
        msg("drawn again, the {n} validation rows give the same change of the log loss each time", n=n) if low is None else None
    )
    return TemperatureGain(float(gain.mean()), low, high, n, n_units, few or alike)


def _few_units(n: int, n_units: int) -> Message:
    return msg_n(
        "the {rows} validation rows come from {n} group, and {needed} are needed to tell whether it would help",
        "the {rows} validation rows come from {n} groups, and {needed} are needed to tell whether it would help",
        n_units,
        rows=n,
        needed=LEAST_UNITS,
    )


def _no_fit(n: int, n_others: int) -> Message:
    """Why the other folds, of so many rows, have no temperature."""
    if n_others < FEWEST_ROWS:
        return msg("the {n} validation rows are too few to tell whether it would help", n=n)
    return msg(
        "without a fifth of the {n} validation rows one class is left, so that it cannot be tried on rows that it is not fitted on",
        n=n,
    )


def _losses(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The negative log-likelihood of each row, (n,)."""
    return -np.log(np.maximum(probabilities[np.arange(len(truth)), truth], SMALLEST))


def at_temperature(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Probabilities (n, k) at a temperature: p ** (1 / T), made to sum to 1. The order of classes and, with two, of rows stays."""
    logs = np.log(np.maximum(probabilities, SMALLEST)) / temperature
    raised = np.exp(logs - np.max(logs, axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def log_loss(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Mean negative log-likelihood of the true class; rows of unknown class or with NaN are left out; NaN without rows."""
    known = (truth >= 0) & np.isfinite(probabilities).all(axis=1)
    if not known.any():
        return float("nan")
    return _log_loss(truth[known], np.log(np.maximum(probabilities[known], SMALLEST)))


def _log_loss(truth: NDArray[np.int64], logs: NDArray[np.float64]) -> float:
    highest = logs.max(axis=1)
    total = highest + np.log(np.exp(logs - highest[:, None]).sum(axis=1))
    return float((total - logs[np.arange(len(truth)), truth]).mean())


def _bin_of(p: NDArray[np.float64], n_bins: int, units: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """The bin of each row, 0 for the lowest probabilities; bins that tell about equally much, equal probabilities together."""
    order = np.argsort(p, kind="stable")
    told = (p * (1 - p))[order]
    total = float(told.sum())
    share = np.cumsum((told / total if total else 0.0) + ALL_ROWS / len(p))
    rising = p[order]
    cuts = np.searchsorted(share, share[-1] * np.arange(1, n_bins) / n_bins - 1e-12) + 1
    cuts = cuts[cuts < len(p)]
    after = np.searchsorted(rising, rising[cuts], side="right")  # a cut among equal probabilities leaves them alone in a bin
    within = (rising[cuts - 1] == rising[cuts]) & (after < len(p))
    edges = np.unique(np.r_[rising[cuts], rising[after[within]]])
    place = np.searchsorted(edges, p, side="right")
    k = len(edges) + 1
    alone = place if units is None else np.unique(units * k + place) % k  # rows of a block come out alike and count as one
    return _merged(np.bincount(alone, minlength=k))[place]


def _merged(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The new number of each bin, highest probabilities first filled up to 10 rows, or blocks of them, from the bin below them."""
    number = np.zeros(len(counts), dtype=np.int64)
    own, bins = 0, 0
    for i in range(len(counts) - 1, -1, -1):
        number[i], own = bins, own + int(counts[i])
        if own >= FEWEST_IN_BIN and counts[:i].sum() >= FEWEST_IN_BIN:
            own, bins = 0, bins + 1
    return number.max() - number


def _bin(y: NDArray[np.bool_], p: NDArray[np.float64]) -> Bin:
    low, high = wilson_bounds(int(y.sum()), len(y))
    return Bin(float(p.min()), float(p.max()), len(y), float(p.mean()), float(y.mean()), float(low or 0.0), float(high or 1.0))


def _ece(y: NDArray[np.bool_], p: NDArray[np.float64], place: NDArray[np.int64], k: int) -> float:
    return float(np.abs(np.bincount(place, weights=y - p, minlength=k)).sum() / len(y))


def _by_blocks(
    gaps: NDArray[np.float64], place: NDArray[np.int64], k: int, drawn: Resampling, seed: int, n_draws: int = 200
) -> tuple[float, float]:
    """The same where rows of a block come out alike: what each block is off by in each bin keeps its size and gets its sign by chance."""
    sums = np.bincount(drawn.units * k + place, weights=gaps, minlength=drawn.n_units * k).reshape(drawn.n_units, k)
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (n_draws, drawn.n_units))
    found = np.abs(signs @ sums).sum(axis=1) / len(gaps)
    return float(found.mean()), float(np.quantile(found, 0.95))


def _by_chance(p: NDArray[np.float64], place: NDArray[np.int64], k: int, seed: int, n_draws: int = 200) -> tuple[float, float]:
    """Mean and 95 % quantile of the calibration error of outcomes drawn from the probabilities themselves."""
    rng = np.random.default_rng(seed)
    if len(p) > 20_000:  # sums of many independent outcomes are as good as normal, and far quicker
        spread = np.sqrt(np.bincount(place, weights=p * (1 - p), minlength=k))
        drawn = np.abs(rng.standard_normal((n_draws, k)) * spread).sum(axis=1) / len(p)
    else:
        drawn = np.array([_ece(rng.random(len(p)) < p, p, place, k) for _ in range(n_draws)])
    return float(drawn.mean()), float(np.quantile(drawn, 0.95))
