"""Attribute agreement: how far appraisers who sort parts into categories agree with themselves, each other and a standard.

Shares of parts with their exact intervals, kappas overall and for each category, for ordered categories Kendall's W and τ, and against a
standard the misses and false alarms. Weighted kappas are not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.spc.crossed import Crossed
from core.spc.individuals import NotDefined
from core.spc.kappa import CONFIDENCE, Concordance, Kappa, cohen_kappa, counts_of, fleiss_kappa, kendall_w

Codes = NDArray[np.int64]
Verdict = Literal["acceptable", "conditional", "unacceptable"]
GOOD_KAPPA, POOR_KAPPA = 0.75, 0.40
FEWEST_PARTS = 20


@dataclass(frozen=True, slots=True)
class Share:
    """`agreed` of `n`, with the exact two-sided interval of the share."""

    agreed: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.agreed / self.n


@dataclass(frozen=True, slots=True)
class Agreement:
    """One comparison. `who` is the appraiser, or both, or "" for all together.

    `kappas` has one entry a category, in their order. `order` is Kendall's W among ratings, or τ against the standard, None where the
    categories have no order.
    """

    who: str
    parts: Share
    kappa: Kappa | NotDefined
    kappas: tuple[Kappa | NotDefined, ...]
    order: Concordance | NotDefined | float | None = None

    @property
    def verdict(self) -> Verdict | None:
        """AIAG's bounds on kappa: above 0.75 good, below 0.40 poor; None where kappa is not defined."""
        if isinstance(self.kappa, NotDefined):
            return None
        return (
            "acceptable"
            if self.kappa.value > GOOD_KAPPA
            else "conditional"
            if self.kappa.value >= POOR_KAPPA
            else "unacceptable"
        )


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Single ratings against the standard: bad parts that passed (misses) and good ones that did not (false alarms).

    None where the standard has no bad or no good part.
    """

    who: str
    misses: Share | None
    false_alarms: Share | None


@dataclass(frozen=True, slots=True)
class AgreementStudy:
    """The result. `codes` (parts, appraisers, trials) are places in `categories`; `standard` (parts,) likewise, None without one.

    `within` and `against` have one entry an appraiser, `pairs` one a pair; `within` is empty with one trial, `between` None with one
    appraiser, `against`, `all_against` and `mistakes` empty or None without a standard, `mistakes` also without a bad category.
    """

    layout: Crossed
    categories: tuple[str, ...]
    codes: Codes
    standard: Codes | None
    within: tuple[Agreement, ...]
    between: Agreement | None
    pairs: tuple[Agreement, ...]
    against: tuple[Agreement, ...]
    all_against: Agreement | None
    mistakes: tuple[Mistakes, ...]
    notes: tuple[Message, ...]


def proportion(agreed: int, n: int, confidence: float = CONFIDENCE) -> Share:
    """A share with its Clopper-Pearson interval; 0 of n starts at 0, n of n ends at 1.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404-413.

    Example:
        >>> found = proportion(14, 15)
        >>> round(found.low, 4), round(found.high, 4)
        (0.6805, 0.9983)
    """
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = 0.0 if agreed == 0 else float(beta.ppf(tail, agreed, n - agreed + 1))
    high = 1.0 if agreed == n else float(beta.ppf(1 - tail, agreed + 1, n - agreed))
    return Share(agreed, n, low, high)


def agreement_study(
    codes: Codes,
    layout: Crossed,
    categories: Sequence[str],
    *,
    standard: Codes | None = None,
    bad: int | None = None,
    ordered: bool = False,
    confidence: float = CONFIDENCE,
) -> AgreementStudy | NotDefined:
    """Agreement within appraisers, between them, and against a standard.

    A part counts as agreed within an appraiser where all trials are alike, between appraisers where all ratings are, against the standard where
    all ratings equal it. Within and between, kappa is Fleiss'; of pairs of appraisers and against the standard it is Cohen's, of all
    ratings in one table, trial beside trial.

    Args:
        codes: (parts, appraisers, trials) places in `categories`.
        layout: The same shape: names of parts and appraisers.
        categories: k names, from low to high where `ordered`.
        standard: (parts,) places in `categories`.
        bad: The category that means a defect; needed for misses and false alarms.

    Degenerate cases: one appraiser with one trial and no standard: `NotDefined`.

    Source: AIAG, Measurement Systems Analysis, 4th ed. (2010), chapter III, section C (cross-tabs, effectiveness, bounds of kappa).
    """
    p, o, r = codes.shape
    if o == 1 and r == 1 and standard is None:
        return NotDefined(msg("one appraiser rated each part once, and there is no standard: nothing can be compared"))
    k, names = len(categories), layout.operators
    of = _Of(k, ordered, confidence)
    within = tuple(of.among(names[j], codes[:, j, :]) for j in range(o)) if r > 1 else ()
    between = of.among("", codes.reshape(p, o * r)) if o > 1 else None
    pairs = tuple(of.two(f"{names[a]} – {names[b]}", codes[:, a, :], codes[:, b, :]) for a in range(o) for b in range(a + 1, o))
    against: tuple[Agreement, ...] = ()
    all_against: Agreement | None = None
    mistakes: tuple[Mistakes, ...] = ()
    if standard is not None:
        truth = np.repeat(standard[:, None], r, axis=1)
        against = tuple(of.two(names[j], codes[:, j, :], truth) for j in range(o))
        if o > 1:
            all_against = of.two("", codes.reshape(p, o * r), np.repeat(standard[:, None], o * r, axis=1))
        if bad is not None:
            mistakes = tuple(_mistakes(names[j], codes[:, j, :], standard, bad, confidence) for j in range(o))
    notes = _notes(p, o, r, standard, bad)
    return AgreementStudy(
        layout, tuple(categories), codes, standard, within, between, pairs, against, all_against, mistakes, notes
    )


@dataclass(frozen=True, slots=True)
class _Of:
    """What all comparisons of a study share."""

    k: int
    ordered: bool
    confidence: float

    def among(self, who: str, codes: Codes) -> Agreement:
        """All columns of codes (parts, ratings) with each other."""
        alike = int((codes == codes[:, :1]).all(axis=1).sum())
        counts = counts_of(codes, self.k)
        single = [np.stack([counts[:, j], counts.sum(axis=1) - counts[:, j]], axis=1) for j in range(self.k)]
        return Agreement(
            who,
            proportion(alike, len(codes), self.confidence),
            fleiss_kappa(counts, self.confidence),
            tuple(fleiss_kappa(table, self.confidence) for table in single),
            kendall_w(codes) if self.ordered else None,
        )

    def two(self, who: str, one: Codes, other: Codes) -> Agreement:
        """Codes (parts, ratings) with others of the same shape, rating beside rating."""
        alike = int((one == other).all(axis=1).sum())
        table = np.bincount((one * self.k + other).ravel(), minlength=self.k**2).reshape(self.k, self.k)
        return Agreement(
            who,
            proportion(alike, len(one), self.confidence),
            cohen_kappa(table, self.confidence),
            tuple(cohen_kappa(_collapsed(table, j), self.confidence) for j in range(self.k)),
            _tau(one, other) if self.ordered else None,
        )


def _collapsed(table: NDArray, j: int) -> NDArray:
    """One category against all others, (2, 2)."""
    both, row, column = table[j, j], table[j].sum(), table[:, j].sum()
    return np.array([[both, row - both], [column - both, table.sum() - row - column + both]])


def _tau(one: Codes, other: Codes) -> float | NotDefined:
    """Kendall's τ-b of all ratings against their partners."""
    from scipy.stats import kendalltau

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return NotDefined(msg("every thing was rated alike, so that there is no order to compare"))
    return float(kendalltau(one.ravel(), other.ravel()).statistic)


def _mistakes(who: str, codes: Codes, standard: Codes, bad: int, confidence: float) -> Mistakes:
    is_bad, called = standard == bad, codes == bad
    shares = []
    for rows, wrong in ((is_bad, ~called), (~is_bad, called)):
        n = int(rows.sum()) * codes.shape[1]
        shares.append(proportion(int(wrong[rows].sum()), n, confidence) if n else None)
    return Mistakes(who, shares[0], shares[1])


def _notes(p: int, o: int, r: int, standard: Codes | None, bad: int | None) -> tuple[Message, ...]:
    notes: list[Message] = []
    if r == 1:
        notes.append(msg("each appraiser rated each part once: whether they agree with themselves is not known"))
    if o == 1:
        notes.append(msg("one appraiser: whether others would agree is not known"))
    if standard is None:
        notes.append(msg("there is no standard: appraisers who agree may all be wrong"))
    elif bad is None:
        notes.append(msg("which category is bad was not said, so that misses and false alarms are not told"))
    if p < FEWEST_PARTS:
        notes.append(msg("{n} parts make wide intervals; {m} or more are customary", n=p, m=FEWEST_PARTS))
    return tuple(notes)
