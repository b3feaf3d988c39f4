"""Pareto: categories by what they weigh, the largest first, and how few of them make most of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.messages import msg
from core.spc.chart import Floats, numbered
from core.spc.individuals import NotDefined

SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Pareto:
    """k categories, the heaviest first; of equal ones the one that comes first in the table.

    `weights` (k,) counts or costs, `counts` (k,) rows behind them, `cumulative` (k,) shares 0 to 1 up to and with each. The first `n_few`
    make at least `share` of all.
    """

    categories: tuple[str, ...]
    weights: Floats
    counts: NDArray[np.int64]
    cumulative: Floats
    n_few: int
    share: float

    def __post_init__(self) -> None:
        for array in (self.weights, self.counts, self.cumulative):
            array.flags.writeable = False

    @property
    def reached(self) -> float:
        """The share that the first `n_few` make."""
        return float(self.cumulative[self.n_few - 1])

    @property
    def is_few(self) -> bool:
        """Whether the weight sits on few of many: at most a third of the categories make `share`."""
        return 3 * self.n_few <= len(self.categories)


def pareto(labels: ArrayLike, weights: ArrayLike | None = None, share: float = SHARE) -> Pareto | NotDefined:
    """Categories by their weight.

    Args:
        labels: (n,) the category of each row, none empty.
        weights: (n,) what each row costs, 0 or more; without them each row counts 1.
        share: What "most" means, above 0 and at most 1.

    Degenerate cases: no row, or no weight above 0: `NotDefined`. Categories of weight 0 stay, at the end.

    Raises:
        ValueError: a weight below 0 or missing.

    Source: Juran, Quality Control Handbook (1951): the vital few and the trivial many.

    Example:
        >>> found = pareto(["a", "b", "b", "c", "b", "a"])
        >>> found.categories, found.weights.tolist(), found.n_few
        (('b', 'a', 'c'), [3.0, 2.0, 1.0], 2)
    """
    codes, names = numbered(labels)
    if not len(codes):
        return NotDefined(msg("there are no rows"))
    given = np.ones(len(codes)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not (given >= 0).all():
        raise ValueError("weights must be 0 or more, and none may be missing")
    counts, heavy = np.bincount(codes), np.bincount(codes, weights=given).astype(np.float64)
    total = float(heavy.sum())
    if not total > 0:
        return NotDefined(msg("no category has a weight above 0"))
    order = np.argsort(-heavy, kind="stable")
    cumulative = np.minimum(np.cumsum(heavy[order]) / total, 1.0)
    cumulative[-1] = 1.0
    # A share met but for rounding is met: 0.7 + 0.1 of ten is 0.7999… in binary.
    n_few = int(np.searchsorted(cumulative, share - 1e-12)) + 1
    return Pareto(
        tuple(str(names[i]) for i in order),
        np.asarray(heavy[order], np.float64),
        counts[order].astype(np.int64),
        cumulative,
        n_few,
        float(share),
    )
