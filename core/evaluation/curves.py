"""What a score or probability is worth at every threshold: ROC and precision-recall curves and their areas.

A row is flagged when score > threshold. Rows with equal scores are flagged together, so a tie of a good and a bad
row counts half in the area under the ROC curve. Neither curve is interpolated beyond its points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.evaluation.bootstrap import MAX_UNITS, Resampling, percentile_bounds, resampling
from core.evaluation.result import Metric, not_defined
from core.messages import Message, msg

KEYS = ("roc_auc", "average_precision")
_BINS = 500  # for resampling long tables only; curves and plain areas always use every distinct score


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

    def counts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Flagged positive and flagged negative rows at each distinct score."""
        true = np.cumsum(self.is_positive)[self.ends]
        return true, self.ends + 1 - true

    def areas(self) -> tuple[float, float]:
        """Area under the ROC curve and average precision; NaN with one class only."""
        auc, precision = areas(*(np.diff(count, prepend=0.0) for count in self.counts()))
        return float(auc), float(precision)


def areas(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both areas from rows of each class per distinct score, highest first along the last axis.

    NaN where one class has no rows.
    """
    true, false = np.cumsum(positive, axis=-1), np.cumsum(negative, axis=-1)
    n_true, n_false = true[..., -1], false[..., -1]
    flagged = true + false
    precision = np.divide(true, flagged, out=np.zeros_like(true), where=flagged > 0)
    both = (n_true > 0) & (n_false > 0)
    pairs = ((true - positive / 2) * negative).sum(axis=-1)
    auc = np.divide(pairs, n_true * n_false, out=np.full_like(pairs, np.nan), where=both)
    average = np.divide((precision * positive).sum(axis=-1), n_true, out=np.full_like(pairs, np.nan), where=both)
    return auc, average


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


def det_curve(roc: Curve) -> Curve:
    """Detection error trade-off: x = false-positive rate, y = miss rate, from a ROC curve (Martin et al., Eurospeech 1997).

    Drawn on normal-deviate axes, where two normal scores give a straight line and rare errors are seen.
    """
    return roc if not roc.is_defined else Curve(roc.x.copy(), 1 - roc.y, roc.thresholds.copy())


def lift_curve(roc: Curve, share: float) -> Curve:
    """x = share of all rows that are flagged, y = lift: how many times more positive rows are among them than among all.

    Without the point where nothing is flagged, where the lift is not defined.

    Args:
        share: Share of positive rows, above 0.
    """
    if not roc.is_defined:
        return roc
    flagged = share * roc.y + (1 - share) * roc.x
    kept = flagged > 0
    return Curve(flagged[kept], roc.y[kept] / flagged[kept], roc.thresholds[kept])


def ranking_metrics(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    n_boot: int = 500,
    seed: int = 0,
    blocks: NDArray[np.generic] | None = None,
) -> tuple[Metric, ...]:
    """Area under the ROC curve and average precision, in this order, with 95 % bootstrap intervals.

    Average precision is Σ (recall_i - recall_{i-1}) · precision_i over distinct scores, without interpolation.

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
    # Nothing is binned and counted where nothing is drawn: a moved limit asks for the plain areas many times.
    resampled = ranking_resamples(y, s, drawn) if drawn.n_boot else dict.fromkeys(KEYS, np.empty(0))
    return tuple(
        Metric(key, value, len(y), *percentile_bounds(resampled[key]))
        for key, value in zip(KEYS, rank(y, s).areas(), strict=True)
    )


def ranking_resamples(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], drawn: Resampling
) -> dict[str, NDArray[np.float64]]:
    """Resampled values (n_boot,) of both areas, for intervals and paired comparison; no NaN may come in.

    Exact up to 2,000 rows. Beyond, scores are first put into at most 500 bins, which follow the scores of the positive
    rows, and the small difference that this makes to the plain areas is taken back.
    """
    ranking = rank(truth, scores)
    if len(scores) <= MAX_UNITS:
        drawn_rows = drawn.weights()[:, drawn.units[ranking.order]]
        starts = np.r_[0, ranking.ends[:-1] + 1]
        steps = (np.add.reduceat(drawn_rows * w, starts, axis=1) for w in (ranking.is_positive, 1 - ranking.is_positive))
        auc, average = areas(*steps)
        return {"roc_auc": auc, "average_precision": average}
    bins, n_bins = _bins(truth, scores)
    cells, shape = drawn.units * n_bins + bins, (drawn.n_units, n_bins)
    counts = [np.bincount(cells[rows], minlength=shape[0] * n_bins).reshape(shape).astype(float) for rows in (truth, ~truth)]
    weights = drawn.weights()
    resampled, plain = areas(*(weights @ c for c in counts)), areas(*(c.sum(axis=0) for c in counts))
    return {k: np.clip(r - p + exact, 0, 1) for k, r, p, exact in zip(KEYS, resampled, plain, ranking.areas(), strict=True)}


def _bins(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[NDArray[np.int64], int]:
    """The bin of each row, 0 for the highest scores, and how many bins there are."""
    levels = np.linspace(0, 1, _BINS // 2)
    edges = np.unique(np.r_[np.quantile(scores[truth], levels, method="lower"), np.quantile(scores, levels, method="lower")])
    return len(edges) - np.searchsorted(edges, scores, side="right"), len(edges) + 1


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
