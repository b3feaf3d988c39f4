"""Charts of several measurements at once: Hotelling's T² and MEWMA.

All columns count, with their covariance; the T²/SPE chart over principal components is `core.spc.multivariate`. Baseline points are
judged by the Phase I limit, because they helped to make the mean and the covariance, all others by the Phase II limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.messages import msg
from core.spc.chart import Chart, Floats, Phases, few_points, fitting, in_stage, numbered
from core.spc.individuals import FEWEST_VALUES, NotDefined
from core.spc.smoothing import smoothed
from core.spc.subgroups import subgroups

ALPHA = 0.0027  # The false alarms of three-sigma limits.
WEIGHT, RUN_LENGTH = 0.1, 370.0
FEWEST_SUBGROUPS = 5
_NODES = 40


@dataclass(frozen=True, slots=True)
class Learned:
    """Mean (p,) and covariance (p, p) of single rows in a stage, from `m` points of `size` rows each."""

    mean: Floats
    covariance: Floats
    m: int
    size: int

    def distances(self, points: Floats) -> Floats:
        """(x − mean)ᵀ covariance⁻¹ (x − mean) of each row of `points` (k, p)."""
        half = np.linalg.solve(np.linalg.cholesky(self.covariance), (points - self.mean).T)
        return (half**2).sum(axis=0)


def t2_limits(m: int, p: int, size: int = 1, alpha: float = ALPHA) -> tuple[float, float]:
    """Upper limits of T² in Phase I and in Phase II, for m points of `size` rows and p columns.

    Single rows: (m − 1)² / m · B(1 − α; p/2, (m − p − 1)/2) and p(m + 1)(m − 1) / (m² − mp) · F(1 − α; p, m − p). Subgroups of n:
    p(m ∓ 1)(n − 1) / (mn − m − p + 1) · F(1 − α; p, mn − m − p + 1), with − in Phase I and + in Phase II.

    Raises:
        ValueError: Fewer points than p + 2 (single rows), no degree of freedom (subgroups), or an alpha that is no share.

    Source: Montgomery (2013), sections 11.3.1 and 11.3.2; NIST/SEMATECH e-Handbook, sections 6.5.4.3.1 to 6.5.4.3.4; Tracy, Young
    and Mason, "Multivariate Control Charts for Individual Observations", Journal of Quality Technology 24 (1992) 88-95.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"the share of false alarms is {alpha}; expected a number between 0 and 1")
    from scipy.stats import beta, f

    freedom = m - p - 1 if size == 1 else m * size - m - p + 1
    if freedom < 1:
        raise ValueError(f"{m} points of {size} rows are too few for {p} columns")
    if size == 1:
        first = (m - 1) ** 2 / m * float(beta.ppf(1 - alpha, p / 2, freedom / 2))
        return first, p * (m + 1) * (m - 1) / (m**2 - m * p) * float(f.ppf(1 - alpha, p, m - p))
    quantile = p * (size - 1) / freedom * float(f.ppf(1 - alpha, p, freedom))
    return (m - 1) * quantile, (m + 1) * quantile


def t2_individuals(table: ArrayLike, of: Phases | None = None, *, alpha: float = ALPHA) -> Chart | NotDefined:
    """T² of single rows: (x − x̄)ᵀ S⁻¹ (x − x̄), with the mean and the covariance (m − 1) of the baseline.

    Args:
        table: (n, p), one row a point; a row with an empty cell gives no point.
        of: Baseline and stages.
        alpha: Share of false alarms of each point, above 0 and below 1.

    Degenerate cases: fewer than 10 complete rows, or fewer than p + 2, in the baseline of a stage; a column that does not spread, or
    that others determine: `NotDefined`.

    Source: Hotelling, "Multivariate Quality Control" (1947); limits as in `t2_limits`.
    """
    x = np.array(table, dtype=np.float64)
    of = fitting(of, len(x))
    learned = learn_stages(of, lambda rows: learn_rows(x[rows]))
    if isinstance(learned, NotDefined):
        return learned
    return _t2_chart(x, of, learned, np.ones(len(x)), alpha)


def t2_subgroups(
    table: ArrayLike, labels: Sequence[object] | ArrayLike, of: Phases | None = None, *, alpha: float = ALPHA
) -> Chart | NotDefined:
    """T² of subgroup means: n(x̄ᵢ − x̿)ᵀ S̄⁻¹ (x̄ᵢ − x̿), S̄ the mean of the covariances within the subgroups of the baseline.

    Args:
        table: (rows, p); rows with an empty cell are left out.
        labels: (rows,) the subgroup of each row.
        of: Baseline and stages of the m subgroups, in the order in which they first come.
        alpha: As in `t2_individuals`.

    Degenerate cases: subgroups of different sizes, of one row, or fewer than 5 in the baseline of a stage; as in `t2_individuals`.
    """
    x, names = np.array(table, dtype=np.float64), np.asarray(labels)
    whole = complete(x)
    columns = [subgroups(np.where(whole, column, np.nan), names) for column in x.T]
    means, sizes = np.column_stack([c.means for c in columns]), columns[0].sizes
    there = np.unique(sizes[sizes > 0])
    if len(there) != 1 or there[0] < 2:
        return NotDefined(msg("T² of subgroups needs subgroups of one size, of two or more complete rows each"))
    size = int(there[0])
    of = fitting(of, len(sizes))
    covariances = _within(x[whole], numbered(names)[0][whole], len(sizes), size)

    def learn(chosen: NDArray[np.bool_]) -> Learned | NotDefined:
        used = chosen & (sizes > 0)
        m, p = int(used.sum()), x.shape[1]
        if m < FEWEST_SUBGROUPS or m * size - m - p + 1 < 1:
            return NotDefined(
                msg(
                    "control limits need at least {n} subgroups of two or more values, and there are {m}",
                    n=FEWEST_SUBGROUPS,
                    m=m,
                )
            )
        return _invertible(Learned(means[used].mean(axis=0), covariances[used].mean(axis=0), m, size))

    learned = learn_stages(of, learn)
    if isinstance(learned, NotDefined):
        return learned
    return _t2_chart(means, of, learned, sizes.astype(np.float64), alpha)


def mewma_chart(
    table: ArrayLike, of: Phases | None = None, *, weight: float = WEIGHT, run_length: float = RUN_LENGTH, exact: bool = True
) -> Chart | NotDefined:
    """Multivariate EWMA of single rows: Zᵢ = λ(xᵢ − x̄) + (1 − λ)Zᵢ₋₁, plotted as Zᵢᵀ Σ_Z⁻¹ Zᵢ.

    Σ_Z = λ / (2 − λ) · (1 − (1 − λ)²ⁱ) · S if `exact`, else without the bracket. The limit lets the chart without the bracket run
    `run_length` points on average before a false alarm, if mean and covariance are those of the process; with it the first
    points are judged more sharply, and a false alarm comes up to 7 % sooner (simulated for 2 to 5 columns). An empty row is passed over.

    Args:
        table: (n, p), as for `t2_individuals`.
        of: Baseline and stages.
        weight: λ, above 0 and at most 1.
        run_length: Points between false alarms, above 1.

    Degenerate cases: as in `t2_individuals`.

    Source: Lowry, Woodall, Champ and Rigdon, "A Multivariate Exponentially Weighted Moving Average Control Chart", Technometrics 34
    (1992) 46-53; limit as in `mewma_limit`.
    """
    x = np.array(table, dtype=np.float64)
    of = fitting(of, len(x))
    learned = learn_stages(of, lambda rows: learn_rows(x[rows]))
    if isinstance(learned, NotDefined):
        return learned
    points, whole = np.full(len(x), np.nan), complete(x)
    for stretch in of.stretches:
        at = np.flatnonzero(whole[stretch]) + stretch.start
        if len(at):
            fit = learned[int(of.stage[at[0]])]
            z = weighted_vectors(x[at] - fit.mean, weight)
            shrunk = 1 - (1 - weight) ** (2 * np.arange(1, len(at) + 1)) if exact else np.ones(len(at))
            points[at] = fit.distances(z + fit.mean) / (weight / (2 - weight) * shrunk)
    limit = mewma_limit(x.shape[1], weight, run_length)
    return _chart_of_distances("MEWMA", points, np.full(len(x), limit), np.ones(len(x)), of, whole)


def weighted_vectors(deviations: Floats, weight: float) -> Floats:
    """Zᵢ = λ dᵢ + (1 − λ) Zᵢ₋₁ from Z₀ = 0, of deviations (m, p) without empty cells."""
    return smoothed(deviations, weight)


def mewma_run_length(limit: float, p: int, weight: float) -> float:
    """Points on average until a MEWMA chart of p columns gives a false alarm, from Z₀ = 0, with the constant covariance.

    In control the length of Z is a Markov chain: ‖Zᵢ‖² / λ² is noncentral χ² with p degrees of freedom and noncentrality
    ((1 − λ)‖Zᵢ₋₁‖ / λ)². The run length L(r) from length r solves L(r) = 1 + ∫ L(u) f(u | r) du over the lengths below the limit,
    here on 40 or more Gauss-Legendre nodes, four to the width of a step.

    Source: Rigdon, "An Integral Equation for the In-Control Average Run Length of a Multivariate Exponentially Weighted Moving Average
    Control Chart", Journal of Statistical Computation and Simulation 52 (1995) 351-365; nodes: Knoth, "ARL Numerics for MEWMA Charts",
    Journal of Quality Technology 49 (2017) 78-89.
    """
    from scipy.stats import ncx2

    outer = np.sqrt(limit * weight / (2 - weight))
    nodes = max(_NODES, int(4 * outer / weight))
    at, parts = np.polynomial.legendre.leggauss(nodes)
    lengths, parts = outer * (at + 1) / 2, outer * parts / 2
    starts = np.append(lengths, 0.0)
    density = 2 * lengths / weight**2 * ncx2.pdf((lengths / weight) ** 2, p, (((1 - weight) * starts[:, None]) / weight) ** 2)
    moves = density * parts
    runs = np.linalg.solve(np.eye(nodes) - moves[:-1], np.ones(nodes))
    return float(1 + moves[-1] @ runs)


@lru_cache(maxsize=64)
def mewma_limit(p: int, weight: float = WEIGHT, run_length: float = RUN_LENGTH) -> float:
    """The limit h₄ at which a MEWMA chart of p columns gives a false alarm every `run_length` points on average.

    Raises:
        ValueError: A weight outside (0, 1], or a run length of 1 or less.

    Source: Prabhu and Runger, "Designing a Multivariate EWMA Control Chart", Journal of Quality Technology 29 (1997) 8-15.
    """
    if not 0 < weight <= 1 or not run_length > 1:
        raise ValueError(f"the weight is {weight} and the run length {run_length}; expected above 0 to 1, and above 1")
    from scipy.optimize import brentq
    from scipy.stats import chi2

    # Without memory (weight 1) the limit is a quantile of χ²; with memory it is lower.
    top = float(chi2.isf(1 / run_length, p))
    if weight == 1:
        return top
    low, high = np.log(top * 1e-9), np.log(top * 1.01)
    return float(
        np.exp(brentq(lambda h: np.log(mewma_run_length(float(np.exp(h)), p, weight) / run_length), low, high, xtol=1e-8))
    )


def learn_stages(of: Phases, learn: Callable[[NDArray[np.bool_]], Learned | NotDefined]) -> list[Learned] | NotDefined:
    """What each stage learned from its baseline, or why one cannot."""
    found: list[Learned] = []
    for k in range(len(of.labels)):
        one = learn(of.learned_from(k))
        if isinstance(one, NotDefined):
            return in_stage(of, k, one)
        found.append(one)
    return found


def learn_rows(rows: Floats) -> Learned | NotDefined:
    """Mean and covariance of the complete rows (m, p)."""
    whole = rows[complete(rows)]
    m, p = whole.shape
    needed = max(FEWEST_VALUES, p + 2)
    if m < needed:
        return NotDefined(
            msg("the chart needs at least {n} complete rows for {p} columns, and there are {m}", n=needed, p=p, m=m)
        )
    return _invertible(Learned(whole.mean(axis=0), np.atleast_2d(np.cov(whole, rowvar=False)), m, 1))


def _invertible(found: Learned) -> Learned | NotDefined:
    """What was learned, if every column spreads and none is determined by the others."""
    sd = np.sqrt(np.diag(found.covariance))
    if (sd <= 8 * np.finfo(np.float64).eps * np.abs(found.mean)).any():
        return NotDefined(msg("a column does not spread in the baseline period"))
    smallest = float(np.linalg.eigvalsh(found.covariance / np.outer(sd, sd))[0])
    if smallest < 1e-10 * len(sd):
        return NotDefined(msg("a column is determined by the others, so that their covariance has no inverse"))
    return found


def _within(x: Floats, codes: NDArray[np.int64], m: int, size: int) -> Floats:
    """Covariances (size − 1) within each of m subgroups, (m, p, p), from complete rows; zeros where a subgroup is empty."""
    rows = x[np.argsort(codes, kind="stable")].reshape(-1, size, x.shape[1])
    away = rows - rows.mean(axis=1, keepdims=True)
    found = np.zeros((m, x.shape[1], x.shape[1]))
    found[np.unique(codes)] = np.einsum("gip,giq->gpq", away, away) / (size - 1)
    return found


def complete(table: Floats) -> NDArray[np.bool_]:
    """Rows (n,) of a table (n, p) without an empty cell."""
    return np.asarray(np.isfinite(table).all(axis=1), dtype=np.bool_)


def _t2_chart(points: Floats, of: Phases, learned: list[Learned], sizes: Floats, alpha: float) -> Chart:
    """T² of each point (n, p) with the limit of its phase."""
    whole = complete(points)
    t2, upper = np.full(len(points), np.nan), np.full(len(points), np.nan)
    for k, fit in enumerate(learned):
        rows = of.stage == k
        t2[rows & whole] = fit.size * fit.distances(points[rows & whole])
        first, second = t2_limits(fit.m, points.shape[1], fit.size, alpha)
        upper[rows] = np.where(of.baseline[rows], first, second)
    return _chart_of_distances("T2", t2, upper, sizes, of, whole)


def _chart_of_distances(
    kind: Literal["T2", "MEWMA"], points: Floats, upper: Floats, sizes: Floats, of: Phases, whole: NDArray[np.bool_]
) -> Chart:
    """A chart with an upper limit only, and no centre line: the distance is never negative and has no customary middle."""
    names = {
        "T2": msg("Hotelling's T²"),
        "MEWMA": msg("multivariate exponentially weighted moving average"),
    }
    none = np.full(len(points), np.nan)
    return Chart(
        kind=kind,
        statistic=names[kind],
        points=points,
        centre=none,
        lower=none.copy(),
        upper=upper,
        reach=none.copy(),
        sigma=none.copy(),
        method="covariance",
        sizes=sizes,
        phases=of,
        notes=few_points(of, whole),
    )
