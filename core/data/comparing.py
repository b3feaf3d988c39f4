"""Two tables side by side: which columns came, went or mean something else, and whose values are spread otherwise.

Up to 1,000 values a side a test decides (Kolmogorov-Smirnov for numbers, chi-squared for texts) at 5 % after Holm's correction
(Holm, 1979) over all tested columns. Above, every small difference is significant, so that a distance decides: the Wasserstein
distance in standard deviations of the first table, or the Jensen-Shannon distance (base 2) of texts, from 0.1 on. The population
stability index (Siddiqi, 2006: sum of (b - a) ln(b / a) over the tenths of the first table) is given beside both. With fewer than
30 values on a side nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Column, Dataset
from core.data.holm import holm

Verdict = Literal["alike", "shifted", "cannot_tell", "not_compared"]
SMALLEST, TESTED_UP_TO, LARGEST_SAMPLE = 30, 1_000, 200_000
ALPHA, LEAST_DISTANCE = 0.05, 0.1
TENTHS, SMALLEST_SHARE, MOST_TEXTS = 10, 1e-4, 50
FACTS = ("kind", "role", "unit", "lower_limit", "nominal", "upper_limit")


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column in both tables. `facts` are (name, first, second) of what is said of it and differs.

    `n` and `missing` (shares) and `middle` (medians, None for texts) are of the first and the second table. `distance` is in
    standard deviations of the first table (numbers) or 0 to 1 (texts); `p` is after Holm's correction, None where no test was made.
    """

    name: str
    kind: str
    facts: tuple[tuple[str, str, str], ...]
    n: tuple[int, int]
    missing: tuple[float, float]
    middle: tuple[float | None, float | None]
    distance: float | None
    psi: float | None
    p: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs. `is_same_table` says that both have the same cells, and only what columns mean may differ."""

    n_rows: tuple[int, int]
    is_same_table: bool
    added: tuple[str, ...]
    removed: tuple[str, ...]
    columns: tuple[ColumnChange, ...]

    @property
    def shifted(self) -> tuple[ColumnChange, ...]:
        return tuple(c for c in self.columns if c.verdict == "shifted")

    @property
    def renamed_facts(self) -> tuple[ColumnChange, ...]:
        """Columns of which something else is said."""
        return tuple(c for c in self.columns if c.facts)


def compare(first: Dataset, second: Dataset) -> Comparison:
    """Compare two datasets column by column; a column of more than 200,000 rows by every k-th row."""
    names = [c.name for c in first.columns]
    others = {c.name: c for c in second.columns}
    same = first.sha256 == second.sha256 and bool(first.sha256)
    changes = [_change(first, second, c, others[c.name], same) for c in first.columns if c.name in others]
    return Comparison(
        n_rows=(first.n_rows, second.n_rows),
        is_same_table=same,
        added=tuple(c.name for c in second.columns if c.name not in names),
        removed=tuple(name for name in names if name not in others),
        columns=_decided(changes),
    )


def _change(first: Dataset, second: Dataset, a: Column, b: Column, same: bool) -> ColumnChange:
    facts = tuple((f, _word(getattr(a, f)), _word(getattr(b, f))) for f in FACTS if getattr(a, f) != getattr(b, f))
    cells = (_cells(first, a.name), _cells(second, b.name))
    kind = a.kind if a.kind == b.kind else "text"
    known = tuple(c.dropna() for c in cells)
    n, missing = tuple(len(k) for k in known), tuple(float(c.isna().mean()) if len(c) else 0.0 for c in cells)
    change = ColumnChange(a.name, kind, facts, n, missing, (None, None), None, None, None, "not_compared")  # type: ignore[arg-type]
    if same or a.kind != b.kind or kind == "time":
        return replace(change, verdict="alike") if same else change
    if kind == "number":
        values = tuple(k.to_numpy(dtype=np.float64) for k in known)
        change = replace(change, middle=tuple(float(np.median(v)) if len(v) else None for v in values))  # type: ignore[arg-type]
    if min(n) < SMALLEST:
        return replace(change, verdict="cannot_tell")
    if kind == "number":
        return _numbers(change, *values)
    return _texts(change, *(k.astype("str") for k in known))


def _cells(dataset: Dataset, name: str) -> pd.Series:
    cells = dataset.table([name])[name]
    return cells.iloc[:: -(-len(cells) // LARGEST_SAMPLE)] if len(cells) > LARGEST_SAMPLE else cells


def _numbers(change: ColumnChange, a: NDArray[np.float64], b: NDArray[np.float64]) -> ColumnChange:
    from scipy.stats import ks_2samp, wasserstein_distance

    spread = float(np.std(a, ddof=1))
    apart = float(wasserstein_distance(a, b))
    distance = apart / spread if spread > 0 else (0.0 if apart == 0 else np.inf)
    p = float(ks_2samp(a, b).pvalue) if max(len(a), len(b)) <= TESTED_UP_TO else None
    edges = np.unique(np.quantile(a, np.linspace(0, 1, TENTHS + 1)[1:-1]))
    shares = [np.bincount(np.searchsorted(edges, v, side="left"), minlength=len(edges) + 1) / len(v) for v in (a, b)]
    return replace(change, distance=distance, p=p, psi=stability_index(*shares))


def _texts(change: ColumnChange, a: pd.Series, b: pd.Series) -> ColumnChange:
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import chi2_contingency

    kept = (a.value_counts().add(b.value_counts(), fill_value=0)).nlargest(MOST_TEXTS).index
    counts = np.array([[*(np.count_nonzero(s == k) for k in kept), np.count_nonzero(~s.isin(kept))] for s in (a, b)])
    counts = counts[:, counts.sum(axis=0) > 0]
    shares = counts / counts.sum(axis=1, keepdims=True)
    p = None
    if max(len(a), len(b)) <= TESTED_UP_TO:
        p = float(chi2_contingency(counts).pvalue) if counts.shape[1] > 1 else 1.0
    return replace(change, distance=float(jensenshannon(*shares, base=2)), p=p, psi=stability_index(*shares))


def stability_index(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Population stability index of two distributions (k,) that sum to 1; empty places count as 0.0001.

    Example:
        >>> round(stability_index(np.array([0.5, 0.5]), np.array([0.4, 0.6])), 4)
        0.0405
    """
    low, high = np.maximum(a, SMALLEST_SHARE), np.maximum(b, SMALLEST_SHARE)
    return float(np.sum((high - low) * np.log(high / low)))


def _decided(changes: Sequence[ColumnChange]) -> tuple[ColumnChange, ...]:
    decided = []
    for change, p in zip(changes, holm([c.p for c in changes]), strict=True):
        if p is not None:
            change = replace(change, p=p, verdict="shifted" if p < ALPHA else "alike")
        elif change.distance is not None:
            change = replace(change, verdict="shifted" if change.distance >= LEAST_DISTANCE else "alike")
        decided.append(change)
    return tuple(decided)


def _word(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
