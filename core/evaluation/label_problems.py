"""Which labels are likely wrong: confident learning on probabilities of rows that the model had not seen.

A row is counted for class j when its probability of j is at least what rows labelled j have on average; where several classes qualify, for the one
with the highest probability. The counts of labelled i, counted for j, are the confident joint; scaled to the number of rows of each label they
estimate how many rows labelled i are j in truth. A row that is counted for another class than its label is a likely problem.

Source: Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", Journal of Artificial Intelligence Research 70
(2021) 1373-1411: thresholds and confident joint eq. 1 and 2, estimate of the joint eq. 3; ranks by self-confidence and normalised margin, section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelProblems:
    """Likely label problems of n rows and k classes.

    `thresholds` (k,) are the average probability of class j in rows labelled j, NaN without one. `joint` int64 (k, k) is the confident joint, given
    label down, counted class across; `estimated` (k, k) the rows of each pair, estimated, with the rows of each label as sums of its lines.
    `counted` int64 (n,) is the class that a row is counted for, −1 for none. `self_confidence` (n,) is the probability of the row's own label, `margin` (n,)
    that less the highest of the other classes, −1 to 1. `order` (m,) are the places of the likely problems, the smallest margin first.
    """

    thresholds: Floats
    joint: NDArray[np.int64]
    estimated: Floats
    counted: NDArray[np.int64]
    self_confidence: Floats
    margin: Floats
    order: NDArray[np.int64]

    @property
    def share(self) -> float:
        """The estimated share of labels that are wrong; NaN without a row."""
        total = float(self.estimated.sum())
        return float((total - np.trace(self.estimated)) / total) if total else float("nan")


def label_problems(labels: ArrayLike, probabilities: ArrayLike) -> LabelProblems:
    """Find likely label problems.

    Args:
        labels: (n,) class numbers 0 … k−1.
        probabilities: (n, k) of rows that the model was not fitted on.

    Degenerate cases: a class without a row has no threshold, and no row is counted for it. A label of which no row is counted keeps its rows as they
    are in the estimate. No row: everything is empty.

    Example:
        >>> found = label_problems([0, 0, 1, 1], [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.95, 0.05]])
        >>> found.thresholds.round(3).tolist(), found.joint.tolist(), found.order.tolist()
        ([0.85, 0.475], [[1, 0], [1, 1]], [3])
    """
    y, p = np.asarray(labels, np.int64), np.asarray(probabilities, np.float64)
    n, k = p.shape
    rows = np.arange(n)
    sizes = np.bincount(y, minlength=k).astype(np.float64)
    own = p[rows, y]
    sums = np.bincount(y, weights=own, minlength=k)
    thresholds = np.divide(sums, sizes, out=np.full(k, np.nan), where=sizes > 0)
    qualifies = p >= np.where(np.isnan(thresholds), np.inf, thresholds) - 1e-12
    counted = np.where(qualifies.any(axis=1), np.where(qualifies, p, -np.inf).argmax(axis=1), -1) if k else np.full(n, -1)
    joint = np.zeros((k, k), np.int64)
    known = counted >= 0
    np.add.at(joint, (y[known], counted[known]), 1)
    others = p.copy()
    others[rows, y] = -np.inf
    margin = own - others.max(axis=1) if k > 1 else own.copy()
    wrong = np.flatnonzero(known & (counted != y))
    order = wrong[np.lexsort([own[wrong], margin[wrong]])]
    return LabelProblems(thresholds, joint, _scaled(joint, sizes), counted, own, margin, order)


def _scaled(joint: NDArray[np.int64], sizes: Floats) -> Floats:
    """The confident joint with each line scaled to the rows of its label; a line of zeros stands on its own label."""
    lines = joint.sum(axis=1, keepdims=True)
    shares = np.divide(joint, lines, out=np.eye(len(joint)), where=lines > 0)
    return np.asarray(shares * sizes[:, None])
