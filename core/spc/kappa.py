"""Agreement beyond chance of ratings in categories: Cohen's and Fleiss' kappa with standard errors, and Kendall's W for ordered ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.messages import msg
from core.spc.individuals import NotDefined

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Kappa:
    """A kappa: 1 is full agreement, 0 what chance gives, below 0 less than that.

    `error` is its standard error, `low` and `high` its interval from that, cut at −1 and 1; all three None where every rating agrees, because
    a sample without a disagreement tells no error. `p` is the two-sided probability of such a kappa by chance alone (its own standard
    error `error_by_chance`).
    """

    value: float
    error: float | None
    low: float | None
    high: float | None
    error_by_chance: float
    p: float


@dataclass(frozen=True, slots=True)
class Concordance:
    """Kendall's W, 0 to 1, of m rankings of n things, with the chi-square test that the rankings have nothing in common."""

    w: float
    chi_square: float
    p: float


def counts_of(codes: ArrayLike, k: int) -> NDArray[np.float64]:
    """How often each of n things got each of k categories, (n, k), from codes (n, m)."""
    ratings = np.asarray(codes, dtype=np.int64)
    return np.stack([(ratings == j).sum(axis=1) for j in range(k)], axis=1).astype(np.float64)


def fleiss_kappa(counts: ArrayLike, confidence: float = CONFIDENCE) -> Kappa | NotDefined:
    """Fleiss' kappa of n things rated m times each, into k categories.

    κ = (P̄ − P_e) / (1 − P_e), P̄ the mean share of agreeing pairs, P_e = Σ p_j². The standard error of the interval is that of a sample
    of things: √(Σ (κ*_i − κ)² / (n (n − 1))), κ*_i = (P_i − P_e) / (1 − P_e) − 2 (1 − κ) (Σ_j p_j n_ij / m − P_e) / (1 − P_e), with n − 1
    degrees of freedom; the one of the test holds if κ is 0. The kappa of one category is that of the counts of it and of all others.

    Args:
        counts: (n, k) how many of the m raters gave each category; each row has the same sum m.

    Degenerate cases: fewer than 2 things or ratings, or one category only: `NotDefined`.

    Raises:
        ValueError: rows with different sums.

    Source: Fleiss, "Measuring Nominal Scale Agreement Among Many Raters", Psychological Bulletin 76 (1971) 378-382; the error by chance:
    Fleiss, Nee, Landis, Psychological Bulletin 86 (1979) 974-977; the other: Gwet, British Journal of Mathematical and
    Statistical Psychology 61 (2008) 29-48, eq. 15 and 16.

    Example:
        >>> round(fleiss_kappa([[3, 0], [0, 3], [2, 1]]).value, 4)  # P̄ = 7/9, P_e = (25 + 16) / 81
        0.55
    """
    table = np.asarray(counts, dtype=np.float64)
    sums = table.sum(axis=1)
    if len(table) and not (sums == sums[0]).all():
        raise ValueError("every thing must be rated equally often")
    n, m = len(table), int(sums[0]) if len(table) else 0
    if n < 2 or m < 2:
        return NotDefined(msg("kappa needs two or more things with two or more ratings each"))
    shares = table.sum(axis=0) / (n * m)
    chance = float((shares**2).sum())
    if np.count_nonzero(shares) < 2:
        return NotDefined(msg("only one category was given, so that agreement cannot be told from chance"))
    pairs = (table * (table - 1)).sum(axis=1) / (m * (m - 1))
    value = float((pairs.mean() - chance) / (1 - chance))
    own = (pairs - chance) / (1 - chance) - 2 * (1 - value) * (table @ shares / m - chance) / (1 - chance)
    error = float(np.sqrt(((own - value) ** 2).sum() / (n * (n - 1))))
    spread = shares * (1 - shares)
    together = float(spread.sum())
    skew = float((spread * (1 - 2 * shares)).sum())
    by_chance = float(np.sqrt(2 / (n * m * (m - 1)) * (together**2 - skew)) / together)
    return _finished(value, error, by_chance, confidence, freedom=n - 1, complete=bool((pairs == 1).all()))


def cohen_kappa(table: ArrayLike, confidence: float = CONFIDENCE) -> Kappa | NotDefined:
    """Cohen's kappa of two raters, or of a rater against a standard.

    κ = (p_o − p_e) / (1 − p_e), p_o the share on the diagonal, p_e = Σ p_i. p_.i. Standard errors take the n ratings as independent.

    Args:
        table: (k, k) counts; row the category of the one, column that of the other.

    Degenerate cases: fewer than 2 ratings, or both with the same single category: `NotDefined`.

    Source: Cohen, "A Coefficient of Agreement for Nominal Scales", Educational and Psychological Measurement 20 (1960) 37-46; the
    errors: Fleiss, Cohen, Everitt, Psychological Bulletin 72 (1969) 323-327.

    Example:
        >>> round(cohen_kappa([[20, 5], [10, 15]]).value, 4)  # p_o 0.7, p_e 0.5
        0.4
    """
    counts = np.asarray(table, dtype=np.float64)
    n = float(counts.sum())
    if n < 2:
        return NotDefined(msg("kappa needs two or more ratings"))
    share = counts / n
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    chance, seen = float(rows @ columns), float(np.trace(share))
    if 1 - chance < 1e-12:
        return NotDefined(msg("only one category was given, so that agreement cannot be told from chance"))
    value = (seen - chance) / (1 - chance)
    diagonal = float((np.diag(share) * (1 - (rows + columns) * (1 - value)) ** 2).sum())
    aside = share * (columns[:, None] + rows[None, :]) ** 2
    off = (1 - value) ** 2 * float(aside.sum() - np.trace(aside))
    error = float(np.sqrt(max(0.0, diagonal + off - (value - chance * (1 - value)) ** 2) / n) / (1 - chance))
    under = chance + chance**2 - float((rows * columns * (rows + columns)).sum())
    by_chance = float(np.sqrt(max(0.0, under) / n) / (1 - chance))
    return _finished(value, error, by_chance, confidence, freedom=None, complete=seen > 1 - 1e-12)


def _finished(
    value: float, error: float, by_chance: float, confidence: float, *, freedom: int | None, complete: bool
) -> Kappa | NotDefined:
    """The kappa with its interval, by Student's t where there are degrees of freedom, else by the normal distribution."""
    from scipy.stats import norm, t

    if by_chance <= 0:
        return NotDefined(msg("only one category was given, so that agreement cannot be told from chance"))
    p = float(2 * norm.sf(abs(value) / by_chance))
    if complete or error <= 0:
        return Kappa(value, None, None, None, by_chance, p)
    quantile = norm.ppf((1 + confidence) / 2) if freedom is None else t.ppf((1 + confidence) / 2, freedom)
    reach = float(quantile) * error
    return Kappa(value, error, max(-1.0, value - reach), min(1.0, value + reach), by_chance, p)


def kendall_w(ratings: ArrayLike) -> Concordance | NotDefined:
    """Kendall's coefficient of concordance, corrected for ties.

    W = (12 Σ R_i² − 3 m² n (n + 1)²) / (m² n (n² − 1) − m Σ T), R_i the sum of the mid-ranks of a thing, T = Σ (t³ − t) over the ties of
    a rater; χ² = m (n − 1) W with n − 1 degrees of freedom.

    Args:
        ratings: (n, m) numbers or codes in order, n things, m raters.

    Degenerate cases: fewer than 3 things or 2 raters, or raters that give every thing the same: `NotDefined`.

    Source: Kendall and Babington Smith, Annals of Mathematical Statistics 10 (1939) 275-287; Siegel and Castellan (1988), section 9.6.

    Example:
        >>> kendall_w([[1, 1], [2, 2], [3, 3]]).w
        1.0
    """
    from scipy.stats import chi2, rankdata

    x = np.asarray(ratings, dtype=np.float64)
    n, m = x.shape
    if n < 3 or m < 2:
        return NotDefined(msg("a concordance needs three or more things and two or more raters"))
    ranks = rankdata(x, axis=0)
    ties = 0.0
    for column in x.T:
        _, counts = np.unique(column, return_counts=True)
        ties += float((counts.astype(np.float64) ** 3 - counts).sum())
    below = m**2 * n * (n**2 - 1) - m * ties
    if below <= 0:
        return NotDefined(msg("every thing was rated alike, so that there is no order to compare"))
    w = (12 * float((ranks.sum(axis=1) ** 2).sum()) - 3 * m**2 * n * (n + 1) ** 2) / below
    chi_square = m * (n - 1) * w
    return Concordance(float(w), float(chi_square), float(chi2.sf(chi_square, n - 1)))
