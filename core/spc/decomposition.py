"""Which columns make a point of a T² or MEWMA chart large."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.spc.chart import Floats, Phases, fitting
from core.spc.individuals import NotDefined
from core.spc.vectors import complete, learn_rows, learn_stages, weighted_vectors


def t2_drops(
    table: ArrayLike, of: Phases | None = None, *, rows: NDArray[np.int64] | None = None, weight: float = 1.0
) -> Floats | NotDefined:
    """By how much T² falls when a column is left out: T² − T²₍ⱼ₎ = ((S⁻¹ d)ⱼ)² / (S⁻¹)ⱼⱼ, d = x − x̄.

    Large for a column that alone is far out and for one that does not fit the others. The drops do not sum to T², because
    columns that say the same share what they say.

    Args:
        table: (n, p), single rows.
        of: Baseline and stages, as for the chart.
        rows: The rows (k,) that are wanted, ascending; all if not given.
        weight: λ of a MEWMA chart, whose weighted vectors are then taken instead of the rows; 1 is T² itself.

    Returns:
        (k, p), never negative, NaN for a row with an empty cell.

    Degenerate cases: as in `t2_individuals`.

    Source: Mason, Tracy & Young, "Decomposition of T² for Multivariate Control Chart Interpretation", Journal of Quality Technology
    27 (1995) 99-108: the conditional terms T²ⱼ·(all others).

    Example:
        >>> x = np.array([[0, 0], [1, 1], [2, 2.5], [3, 3], [4, 3.5], [5, 5], [6, 6.5], [7, 7], [8, 7.5], [9, 9], [4, 9.0]])
        >>> drops = t2_drops(x)
        >>> bool(drops[10].min() > 3 * drops[:10].max()), drops.shape
        (True, (11, 2))
    """
    x = np.array(table, dtype=np.float64)
    of = fitting(of, len(x))
    learned = learn_stages(of, lambda known: learn_rows(x[known]))
    if isinstance(learned, NotDefined):
        return learned
    whole = complete(x)
    wanted = np.arange(len(x)) if rows is None else np.asarray(rows, dtype=np.int64)
    found = np.full((len(wanted), x.shape[1]), np.nan)
    for stretch in of.stretches:
        at = np.flatnonzero(whole[stretch]) + stretch.start
        here = np.isin(wanted, at)
        if not here.any():
            continue
        fit = learned[int(of.stage[at[0]])]
        away, scale = x[at] - fit.mean, 1.0
        if weight < 1.0:
            away = weighted_vectors(away, weight)
            scale = weight / (2 - weight)
        inverse = np.linalg.inv(fit.covariance)
        place = np.searchsorted(at, wanted[here])
        found[here] = (away[place] @ inverse) ** 2 / np.diag(inverse) / scale
    return found
