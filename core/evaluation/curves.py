"""What a score or probability is worth at every threshold: ROC and precision-recall curves and their areas.

A row is flagged when score > threshold. Rows with equal scores are flagged together, so a tie of a good and a bad
row counts half in the area under the ROC curve. Neither curve is interpolated beyond its points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.evaluation.bootstrap import Resampling, percentile_bounds, resampling
from core.evaluation.result import Metric, not_defined
from core.messages import Message, msg

KEYS = ("roc_auc", "average_precision")


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a curve from the highest threshold to the lowest, all (n_points,); read-only.

    Flagging rows with score > thresholds[i] gives the point (x[i], y[i]). Empty, with a reason, where there is no curve.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    why_not: Message | None = None

    def __post_init__(self) -> None:
        for array in (self.x, self.y, self.thresholds):
            array.setflags(write=False)

    @property
    def is_defined(self) -> bool:
        return self.why_not is None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows from the highest score to the lowest, ready to be weighed again and again.

    `order` (n_rows,) sorts the rows; `ends` (n_distinct,) is the place of the last row of each distinct score;
    `is_positive` is in sorted order, as are the `distinct` scores.
    """

    order: NDArray[np.int64]
    ends: NDArray[np.int64]
    is_positive: NDArray[np.float64]
    distinct: NDArray[np.float64]

    def counts(self, weights: NDArray[np.float64] | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Flagged positive and flagged negative rows at each distinct score; `weights` are in row order."""
        positive = self.is_positive if weights is None else self.is_positive * weights[self.order]
        every = np.ones(len(self.order)) if weights is None else weights[self.order]
        true, flagged = np.cumsum(positive)[self.ends], np.cumsum(every)[self.ends]
        return true, flagged - true

    def areas(self, weights: NDArray[np.float64] | None = None) -> tuple[float, float]:
        """Area under the ROC curve and average precision; NaN where one class has no weight."""
        true, false = self.counts(weights)
        n_true, n_false = true[-1], false[-1]
        if n_true <= 0 or n_false <= 0:
            return np.nan, np.nan
        steps_true, steps_false = np.diff(true, prepend=0.0), np.diff(false, prepend=0.0)
        auc = float(((true - steps_true / 2) * steps_false).sum() / (n_true * n_false))
        flagged = true + false
        precision = np.divide(true, flagged, out=np.zeros_like(true), where=flagged > 0)
        return auc, float((precision * steps_true).sum() / n_true)


def rank(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> Ranking:
    """Sort once; at least one row, no NaN."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    ends = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])
    return Ranking(order, ends, truth[order].astype(np.float64), ordered[ends])


def roc_curve(truth: ArrayLike, scores: ArrayLike) -> Curve:
    """x = false-positive rate, y = recall, one point a distinct score plus the one where nothing is flagged.

    Degenerate cases: fewer than two classes, or no scored row: an empty curve with the reason.
    """
    y, s = _scored(truth, scores)
    reason = _reason(y)
    if reason is not None:
        return _empty(reason)
    ranking = rank(y, s)
    true, false = ranking.counts()
    return Curve(np.r_[0.0, false / false[-1]], np.r_[0.0, true / true[-1]], _thresholds(ranking.distinct))


def pr_curve(truth: ArrayLike, scores: ArrayLike) -> Curve:
    """x = recall, y = precision, one point a distinct score; without a point where nothing is flagged, as precision

    is not defined there. Degenerate cases as in `roc_curve`.
    """
    y, s = _scored(truth, scores)
    reason = _reason(y)
    if reason is not None:
        return _empty(reason)
    ranking = rank(y, s)
    true, false = ranking.counts()
    return Curve(true / true[-1], true / (true + false), _thresholds(ranking.distinct)[1:])


def ranking_metrics(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    n_boot: int = 500,
    seed: int = 0,
    blocks: NDArray[np.generic] | None = None,
) -> tuple[Metric, ...]:
    """Area under the ROC curve and average precision, in this order, with 95 % bootstrap intervals.

    Average precision is Σ (recall_i - recall_{i-1}) · precision_i over distinct scores, without interpolation. On more
    than 80,000 rows fewer resamples are drawn, at least 100.

    Args:
        truth: (n_rows,) True or 1 for bad rows; NaN where unknown.
        scores: (n_rows,) higher = odder; NaN where not scored. Rows with a NaN are left out; `n` counts the rest.

    Degenerate cases: no scored row, or one class only: not defined, with the reason. All scores equal: area 0.5.
    """
    known = _known(truth, scores)
    y, s = np.asarray(truth)[known].astype(np.bool_), np.asarray(scores, dtype=np.float64)[known]
    reason = _reason(y)
    if reason is not None:
        return tuple(not_defined(key, len(y), reason) for key in KEYS)
    drawn = resampling(len(y), None if blocks is None else np.asarray(blocks)[known], n_boot, seed)
    resampled = ranking_resamples(y, s, drawn)
    return tuple(
        Metric(key, value, len(y), *percentile_bounds(resampled[key]))
        for key, value in zip(KEYS, rank(y, s).areas(), strict=True)
    )


def ranking_resamples(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], drawn: Resampling
) -> dict[str, NDArray[np.float64]]:
    """Resampled values of both areas, for intervals and paired comparison; no NaN may come in."""
    ranking = rank(truth, scores)
    areas = [ranking.areas(weights[drawn.units]) for weights in drawn.weights(drawn.n_costly)]
    found = np.array(areas, dtype=np.float64).reshape(len(areas), 2)
    return {"roc_auc": found[:, 0], "average_precision": found[:, 1]}


def _thresholds(distinct: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest score flags nothing; below the lowest score everything is flagged."""
    return np.append(distinct, np.nextafter(distinct[-1], -np.inf))


def _known(truth: ArrayLike, scores: ArrayLike) -> NDArray[np.bool_]:
    return ~(np.isnan(np.asarray(truth, dtype=np.float64)) | np.isnan(np.asarray(scores, dtype=np.float64)))


def _scored(truth: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    known = _known(truth, scores)
    return np.asarray(truth)[known].astype(np.bool_), np.asarray(scores, dtype=np.float64)[known]


def _reason(truth: NDArray[np.bool_]) -> Message | None:
    if not len(truth):
        return msg("There is no row with both a true class and a score.")
    if truth.all() or not truth.any():
        return msg("All rows belong to one class, so nothing can be told apart.")
    return None


def _empty(reason: Message) -> Curve:
    return Curve(np.empty(0), np.empty(0), np.empty(0), reason)
