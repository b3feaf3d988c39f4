"""Stratification: a column of numbers by the machine, lot or shift that made it, and whether one of them differs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.data.holm import holm
from core.messages import msg
from core.spc.chart import finite, numbered
from core.spc.individuals import NotDefined

SIGNIFICANT = 0.01
FEWEST_IN_STRATUM = 2


@dataclass(frozen=True, slots=True)
class Stratum:
    """One category: `sd` (n − 1) is None for one value, `outside` the share beyond the specification limits, None without one.

    `difference` is its mean less the mean of all other rows, in column unit, `effect` the same in standard deviations within strata, and `p` says
    how likely so large a difference is by chance (Welch's t, times the number of strata after Holm); None where it cannot be told.
    """

    label: str
    n: int
    mean: float
    sd: float | None
    median: float
    outside: float | None
    difference: float
    effect: float | None
    p: float | None


@dataclass(frozen=True, slots=True)
class Strata:
    """k strata, the one that differs most clearly first.

    `f`, `anova_p`: one-way analysis of variance; `kruskal_p`: Kruskal-Wallis by ranks, for skewed values. `eta2` is the share of the variance that
    lies between strata, 0 to 1; `by_chance` what it would be on average if they did not differ.
    """

    strata: tuple[Stratum, ...]
    n: int
    f: float | None
    anova_p: float | None
    kruskal_p: float | None
    eta2: float
    by_chance: float

    @property
    def differs(self) -> bool:
        """Both tests find a difference at 1 %."""
        return all(p is not None and p < SIGNIFICANT for p in (self.anova_p, self.kruskal_p))

    @property
    def beyond_chance(self) -> float:
        """`eta2` less what chance gives, 0 at least: what ranks columns with few and with many strata fairly (ε², Kelley 1935)."""
        return max(0.0, (self.eta2 - self.by_chance) / (1 - self.by_chance)) if self.by_chance < 1 else 0.0


def strata(values: ArrayLike, labels: ArrayLike, lower: float | None = None, upper: float | None = None) -> Strata | NotDefined:
    """A column by category.

    η² = SS between / SS total. Strata are sorted by the p-value of their difference from all other rows, the smallest first; of equal ones by
    the share outside the limits, then by the size of the difference.

    Args:
        values: (n,) column unit, NaN where empty; those rows are left out.
        labels: (n,) the category of each row.
        lower, upper: Specification limits, column unit.

    Degenerate cases: fewer than two strata of two or more values, or values that do not spread: `NotDefined`. No spread within
    strata: η² is 1, F and its p-value are None.

    Source: Fisher, Statistical Methods for Research Workers (1925), for η² and F; Kruskal and Wallis, Journal of the American Statistical
    Association 47 (1952) 583-621; Welch, Biometrika 34 (1947) 28-35; Holm, Scandinavian Journal of Statistics 6 (1979) 65-70.
    """
    from scipy.stats import f as f_distribution
    from scipy.stats import kruskal

    x = finite(values)
    names_of_rows = np.asarray(labels)
    known = np.isfinite(x)
    x, (codes, names) = x[known], numbered(names_of_rows[known])
    n, k = len(x), len(names)
    counts = np.bincount(codes, minlength=k)
    if (counts >= FEWEST_IN_STRATUM).sum() < 2:
        return NotDefined(msg("two or more strata with two or more values each are needed"))
    centre = float(x.mean())
    rest = x - centre
    total = float((rest**2).sum())
    if total <= n * (8 * np.finfo(np.float64).eps * abs(centre)) ** 2:
        return NotDefined(msg("the values do not spread"))
    means = np.bincount(codes, weights=rest, minlength=k) / counts
    within = float(((rest - means[codes]) ** 2).sum())
    between = max(0.0, total - within)
    f = anova_p = None
    if within > 1e-12 * total and n > k:
        f = (between / (k - 1)) / (within / (n - k))
        anova_p = float(f_distribution.sf(f, k - 1, n - k))
    groups = [x[codes == j] for j in range(k)]
    kruskal_p = float(kruskal(*groups).pvalue)
    spread = float(np.sqrt(within / (n - k))) if n > k and within > 1e-12 * total else None
    raw = [_stratum(str(names[j]), group, x[codes != j], spread, (lower, upper)) for j, group in enumerate(groups)]
    adjusted = holm([s.p for s in raw])
    found = [_with_p(s, p) for s, p in zip(raw, adjusted, strict=True)]
    found.sort(key=lambda s: (2.0 if s.p is None else s.p, -(s.outside or 0.0), -abs(s.difference)))
    return Strata(tuple(found), n, f, anova_p, kruskal_p, between / total, (k - 1) / (n - 1))


def _stratum(
    label: str, own: NDArray, others: NDArray, spread: float | None, limits: tuple[float | None, float | None]
) -> Stratum:
    from scipy.stats import t

    lower, upper = limits
    outside: float | None = None
    if lower is not None or upper is not None:
        beyond = np.zeros(len(own), bool) if lower is None else own < lower
        outside = float((beyond if upper is None else beyond | (own > upper)).mean())
    difference = float(own.mean() - others.mean())
    p: float | None = None
    if len(own) > 1 and len(others) > 1:
        a, b = float(own.var(ddof=1)) / len(own), float(others.var(ddof=1)) / len(others)
        if a + b > 0:
            freedom = (a + b) ** 2 / (a**2 / (len(own) - 1) + b**2 / (len(others) - 1))
            p = float(2 * t.sf(abs(difference) / np.sqrt(a + b), freedom))
    return Stratum(
        label=label,
        n=len(own),
        mean=float(own.mean()),
        sd=float(own.std(ddof=1)) if len(own) > 1 else None,
        median=float(np.median(own)),
        outside=outside,
        difference=difference,
        effect=None if spread is None else difference / spread,
        p=p,
    )


def _with_p(stratum: Stratum, p: float | None) -> Stratum:
    return replace(stratum, p=p)
