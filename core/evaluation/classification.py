"""How well classes are told apart, from the probability of each class.

One class may be the positive one, the class to catch (a defect, say): a row is called positive when its
probability is > threshold, else it gets the most probable of the other classes. Without a positive class the most
probable class wins; of equal ones the first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.evaluation import curves, flags
from core.evaluation.bootstrap import Resampling, percentile_bounds, resampling, wilson_bounds
from core.evaluation.result import Metric, not_defined
from core.messages import msg

KEYS = ("accuracy", "precision", "recall", "f1", "macro_f1", "roc_auc", "average_precision", "far", "mar")


def classification_metrics(
    truth: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    positive: int | None = None,
    threshold: float = 0.5,
    *,
    n_boot: int = 500,
    seed: int = 0,
    blocks: NDArray[np.generic] | None = None,
    areas: Sequence[Metric] | None = None,
) -> tuple[Metric, ...]:
    """Accuracy, precision, recall, F1, macro F1, ROC AUC, average precision, FAR and MAR, in this order.

    Macro F1 is the mean F1 of the classes that occur in truth or prediction. With a positive class (of two classes
    the second one, if none is named) AUC and average precision are those of its probability; else they are the mean
    over all classes that occur, each against the rest. Intervals are 95 %: Wilson for shares (bootstrap with blocks),
    bootstrap for F1 and areas.

    Args:
        truth: (n_rows,) class numbers 0 … k-1; negative or NaN where unknown.
        probabilities: (n_rows, k); a row with a NaN could not be scored. Such rows are left out; `n` counts the rest.
        classes: the k class names; only their number matters here.
        positive: number of the class to catch.
        areas: AUC and average precision of these rows where they are known already: no threshold changes them, and sorting is slow.

    Degenerate cases: no row: nothing is defined. One class only: AUC and average precision are not. More than two
    classes and no positive one: precision, recall, F1, FAR and MAR are not. The others as in `binary_flag_metrics`.
    """
    codes, p, known = _known_rows(truth, probabilities)
    positive = 1 if positive is None and len(classes) == 2 else positive
    n = len(codes)
    if n == 0:
        reason = msg("There is no row with both a true class and a prediction.")
        return tuple(not_defined(key, 0, reason) for key in KEYS)
    drawn = resampling(n, None if blocks is None else np.asarray(blocks)[known], n_boot, seed)
    predicted = predict_classes(p, positive, threshold)
    found = {
        m.key: m
        for m in (
            *_shares(codes, predicted, len(classes), drawn),
            *(_areas(codes, p, positive, drawn) if areas is None else areas),
        )
    }
    if positive is None:
        reason = msg("There are {k} classes; choose the one to catch.", k=len(classes))
        found |= {key: not_defined(key, n, reason) for key in flags.KEYS}
    else:
        found |= {m.key: m for m in flags.flag_metrics(codes == positive, predicted == positive, drawn)}
    return tuple(found[key] for key in KEYS)


def rarest_class(codes: NDArray[np.int64], n_classes: int) -> int:
    """The number of the class to catch where none was chosen: the rarest of these rows, of equal ones the last in the order.

    What is to be caught (a defect, a failure) is rare as a rule. Rows of code -1 are unknown and not counted; a class that
    does not occur is the rarest.

    Example:
        >>> rarest_class(np.array([0, 0, 1, 1, 2, 2, 2]), 3)
        1
    """
    counts = np.bincount(codes[codes >= 0], minlength=n_classes)
    return int(np.flatnonzero(counts == counts.min())[-1])


def predict_classes(
    probabilities: NDArray[np.float64], positive: int | None = None, threshold: float = 0.5
) -> NDArray[np.int64]:
    """The class number of each row, (n_rows,), by the rule of this module; no NaN may come in."""
    if positive is None:
        return np.asarray(np.argmax(probabilities, axis=1), dtype=np.int64)
    if probabilities.shape[1] == 2:
        return np.where(probabilities[:, positive] > threshold, positive, 1 - positive).astype(np.int64)
    others = probabilities.copy()
    others[:, positive] = -np.inf
    called = np.where(probabilities[:, positive] > threshold, positive, np.argmax(others, axis=1))
    return np.asarray(called, dtype=np.int64)


def confusion(truth: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Rows of each true class (down) by predicted class (across), (n_classes, n_classes); unknown (-1) is left out."""
    known = (truth >= 0) & (predicted >= 0)
    cells = truth[known] * n_classes + predicted[known]
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.int64)


def per_class(
    truth: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    positive: int | None = None,
    threshold: float = 0.5,
    *,
    aucs: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """One row a class: class, n (true rows), n_predicted, precision, recall, f1, roc_auc (against the rest).

    `aucs` (k,) are the last column where they are known already.

    NaN means not defined: precision of a class never predicted, recall of one that does not occur, F1 of one with
    neither, AUC with one class only.
    """
    codes, p, _ = _known_rows(truth, probabilities)
    table = confusion(codes, predict_classes(p, positive, threshold), len(classes)).astype(np.float64)
    hits, n, n_predicted = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    ratio = {
        "precision": _ratio(hits, n_predicted),
        "recall": _ratio(hits, n),
        "f1": _ratio(2 * hits, n + n_predicted),
        "roc_auc": np.array([_one_auc(codes == k, p[:, k]) for k in range(len(classes))]) if aucs is None else aucs,
    }
    return pd.DataFrame({"class": list(classes), "n": n.astype(np.int64), "n_predicted": n_predicted.astype(np.int64), **ratio})


def class_resamples(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int, drawn: Resampling
) -> dict[str, NDArray[np.float64]]:
    """Resampled accuracy and macro F1, for intervals and paired comparison."""
    hit = truth == predicted
    each = np.arange(n_classes)
    columns = [(truth[:, None] == each) & hit[:, None], truth[:, None] == each, predicted[:, None] == each]
    sums = drawn.sums(np.hstack(columns).astype(np.float64))
    hits, n, n_predicted = np.split(sums, 3, axis=1)
    f1 = _ratio(2 * hits, n + n_predicted)
    occurs = ~np.isnan(f1)
    macro = np.where(occurs, f1, 0).sum(axis=1) / np.maximum(occurs.sum(axis=1), 1)
    return {"accuracy": hits.sum(axis=1) / np.maximum(n.sum(axis=1), 1), "macro_f1": macro}


def _shares(truth: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int, drawn: Resampling) -> tuple[Metric, Metric]:
    table = confusion(truth, predicted, n_classes).astype(np.float64)
    resampled = class_resamples(truth, predicted, n_classes, drawn) if drawn.n_boot else dict.fromkeys(KEYS, np.empty(0))
    n, hits = len(truth), float(np.trace(table))
    f1 = _ratio(2 * np.diag(table), table.sum(axis=0) + table.sum(axis=1))
    bounds = percentile_bounds(resampled["accuracy"]) if drawn.is_blocked else wilson_bounds(hits, n)
    return (
        Metric("accuracy", hits / n, n, *bounds),
        Metric("macro_f1", float(np.nanmean(f1)), n, *percentile_bounds(resampled["macro_f1"])),
    )


def _areas(truth: NDArray[np.int64], p: NDArray[np.float64], positive: int | None, drawn: Resampling) -> tuple[Metric, ...]:
    wanted = [k for k in range(p.shape[1]) if np.any(truth == k)] if positive is None else [positive]
    n, n_positive = len(truth), int(np.count_nonzero(truth == wanted[0]))
    if n_positive in (0, n):
        reason = msg("All rows belong to one class, so nothing can be told apart.")
        return tuple(not_defined(key, n, reason) for key in curves.KEYS)
    values = np.array([curves.rank(truth == k, p[:, k]).areas() for k in wanted]).mean(axis=0)
    resampled = [curves.ranking_resamples(truth == k, p[:, k], drawn) for k in wanted]
    bounds = [percentile_bounds(np.mean([r[key] for r in resampled], axis=0)) for key in curves.KEYS]
    return tuple(Metric(key, float(v), n, *b) for key, v, b in zip(curves.KEYS, values, bounds, strict=True))


def _one_auc(is_class: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    return curves.rank(is_class, scores).areas()[0] if len(scores) else np.nan


def _ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(a, b, out=np.full_like(a, np.nan), where=b > 0)


def _known_rows(truth: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    raw, p = np.asarray(truth, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    known = (np.nan_to_num(raw, nan=-1.0) >= 0) & ~np.isnan(p).any(axis=1)
    return raw[known].astype(np.int64), p[known], known
