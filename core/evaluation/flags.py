"""How good flags are: what was caught, what was missed, how many good rows were rejected.

Row by row, without point adjustment: a flag anywhere in an event does not count for the whole event.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.evaluation.bootstrap import Bounds, Resampling, percentile_bounds, resampling, wilson_bounds
from core.evaluation.result import Metric, not_defined
from core.messages import Message, msg

KEYS = ("f1", "precision", "recall", "far", "mar")


def binary_flag_metrics(
    truth: ArrayLike,
    flags: ArrayLike,
    *,
    n_boot: int = 500,
    seed: int = 0,
    blocks: NDArray[np.generic] | None = None,
) -> tuple[Metric, ...]:
    """F1, precision, recall, false-alarm rate and missed-alarm rate, in this order, with 95 % intervals.

    With tp, fp, fn, tn rows: f1 = 2tp/(2tp+fp+fn), precision = tp/(tp+fp), recall = tp/(tp+fn), far = fp/(fp+tn),
    mar = fn/(tp+fn). Shares have Wilson intervals, or bootstrap ones when blocks are given; F1 has a bootstrap one.

    Args:
        truth: (n_rows,) True or 1 for bad rows; NaN where unknown.
        flags: (n_rows,) True or 1 where flagged; NaN where the row could not be scored. Rows with a NaN are left out.

    Degenerate cases: no row: nothing is defined. Nothing bad and nothing flagged: f1 is not defined. Nothing
    flagged: precision is not defined. Nothing bad: recall and mar are not. Nothing good: far is not.
    """
    y, f = np.asarray(truth, dtype=np.float64), np.asarray(flags, dtype=np.float64)
    known = ~(np.isnan(y) | np.isnan(f))
    bad, flagged, n = y[known] > 0, f[known] > 0, int(known.sum())
    drawn = resampling(n, None if blocks is None else np.asarray(blocks)[known], n_boot, seed)
    return flag_metrics(bad, flagged, drawn)


def flag_metrics(bad: NDArray[np.bool_], flagged: NDArray[np.bool_], drawn: Resampling) -> tuple[Metric, ...]:
    """The five metrics on rows that are all known."""
    cells = _cells(bad, flagged)
    parts = _parts(cells.sum(axis=0, keepdims=True))
    resampled = _ratios(_parts(drawn.sums(cells)))
    reasons = _reasons(len(bad))
    metrics = []
    for key in KEYS:
        hits, of = float(parts[key][0][0]), float(parts[key][1][0])
        if of == 0:
            metrics.append(not_defined(key, len(bad), reasons[key]))
            continue
        metrics.append(Metric(key, hits / of, len(bad), *_bounds(key, hits, of, resampled[key], drawn)))
    return tuple(metrics)


def flag_resamples(bad: NDArray[np.bool_], flagged: NDArray[np.bool_], drawn: Resampling) -> dict[str, NDArray[np.float64]]:
    """Resampled values (n_boot,) of each metric, NaN where not defined, for paired comparison."""
    return _ratios(_parts(drawn.sums(_cells(bad, flagged))))


def _cells(bad: NDArray[np.bool_], flagged: NDArray[np.bool_]) -> NDArray[np.float64]:
    """One column each for tp, fp, fn, tn."""
    return np.column_stack([bad & flagged, ~bad & flagged, bad & ~flagged, ~bad & ~flagged]).astype(np.float64)


def _parts(sums: NDArray[np.float64]) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Numerator and denominator of each metric."""
    tp, fp, fn, tn = sums.T
    return {
        "f1": (2 * tp, 2 * tp + fp + fn),
        "precision": (tp, tp + fp),
        "recall": (tp, tp + fn),
        "far": (fp, fp + tn),
        "mar": (fn, tp + fn),
    }


def _ratios(parts: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    return {k: np.divide(a, b, out=np.full_like(a, np.nan), where=b > 0) for k, (a, b) in parts.items()}


def _bounds(key: str, hits: float, of: float, resampled: NDArray[np.float64], drawn: Resampling) -> Bounds:
    return percentile_bounds(resampled) if key == "f1" or drawn.is_blocked else wilson_bounds(hits, of)


def _reasons(n: int) -> dict[str, Message]:
    if n == 0:
        return dict.fromkeys(KEYS, msg("There is no row with both a true class and a flag."))
    return {
        "f1": msg("There is nothing to catch and nothing was flagged."),
        "precision": msg("Nothing was flagged."),
        "recall": msg("There is nothing to catch in these rows."),
        "far": msg("There is no good row."),
        "mar": msg("There is nothing to catch in these rows."),
    }
