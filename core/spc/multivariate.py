"""T² and SPE control charts over many columns: limits from the training part (Phase I), every row judged by them.

The maths is `core.features.pca`; this module adds what a chart needs: rows, names, limits and what lies above them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.features.pca import CONFIDENCE, EXPLAINED_VARIANCE, PcaModel, PcaScores, fit_pca, score_pca


@dataclass(frozen=True, slots=True)
class T2SpeChart:
    """T² and SPE of n rows with their control limits.

    `rows` are dataset row numbers (n,); `t2`, `spe`, `score` (n,) are NaN where a cell is empty; `contributions`
    (n, f) in the order of `columns`, summing to `score` in each row. A row is out when score > 1.
    """

    columns: tuple[str, ...]
    rows: NDArray[np.int64]
    t2: NDArray[np.float64]
    spe: NDArray[np.float64]
    score: NDArray[np.float64]
    contributions: NDArray[np.float64]
    t2_limit: float
    spe_limit: float
    n_components: int
    explained: float
    confidence: float
    n_baseline: int

    @property
    def out(self) -> NDArray[np.bool_]:
        """Rows above either control limit, bool (n,). A row with an empty cell is not judged, so it is never out."""
        return np.nan_to_num(self.score, nan=0.0) > 1.0


def t2_spe_fit(baseline: pd.DataFrame, *, explained: float = EXPLAINED_VARIANCE, confidence: float = CONFIDENCE) -> PcaModel:
    """The plane and the limits of the baseline period: numeric columns, n rows × f columns.

    Raises:
        NotEnoughData: fewer than 3 complete rows, or no variation.
        SettingProblem: a share outside 0 to 1.
    """
    return fit_pca(baseline.to_numpy(np.float64), explained=explained, confidence=confidence)


def t2_spe_scores(model: PcaModel, table: pd.DataFrame) -> PcaScores:
    """Scores of every row of `table`, which has the columns of the baseline in the same order."""
    return score_pca(model, table.to_numpy(np.float64))


def t2_spe_chart(
    table: pd.DataFrame,
    columns: Sequence[str],
    baseline_rows: NDArray[np.int64],
    *,
    explained: float = EXPLAINED_VARIANCE,
    confidence: float = CONFIDENCE,
) -> T2SpeChart:
    """The chart of `columns` over all rows of `table`; only `baseline_rows` (positions in `table`) are fitted on."""
    chosen = table[list(columns)]
    baseline = chosen.iloc[baseline_rows]
    model = t2_spe_fit(baseline, explained=explained, confidence=confidence)
    scores = t2_spe_scores(model, chosen)
    return T2SpeChart(
        columns=tuple(columns),
        rows=chosen.index.to_numpy(np.int64),
        t2=scores.t2,
        spe=scores.spe,
        score=scores.score,
        contributions=scores.contributions,
        t2_limit=model.t2_limit,
        spe_limit=model.spe_limit,
        n_components=len(model.eigenvalues),
        explained=explained,
        confidence=confidence,
        n_baseline=model.n_rows,
    )
