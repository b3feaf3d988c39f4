"""Are values normal enough for capability? The Anderson-Darling test, and beside it how large the departure is.

A test answers whether a departure can be told from chance, which in thousands of rows it always can; how far the tails move is what
matters for parts per million. So both are told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.features.power import skewness
from core.messages import Message, msg
from core.spc.chart import Floats, spreads
from core.spc.individuals import NotDefined
from core.spc.p_words import p_words

FEWEST_VALUES = 8
LEVEL = 0.05
MANY = 1000
# Cornish and Fisher: skewness S moves the points 3 σ from the mean by (3² − 1)/6 S, excess kurtosis K by (3³ − 9)/24 K. Below these
# two the reach of 3 σ is wrong by at most a tenth from either.
SMALL_SKEWNESS, SMALL_KURTOSIS = 0.2, 0.4


@dataclass(frozen=True, slots=True)
class Normality:
    """A² with its p-value, and the size of the departure.

    `a2` is A², `adjusted` A²(1 + 0.75/n + 2.25/n²); `kurtosis` is the excess over the normal distribution's 3; `correlation` is that
    of the probability plot, 1 for a straight line.
    """

    n: int
    a2: float
    adjusted: float
    p: float
    skewness: float
    kurtosis: float
    correlation: float

    @property
    def is_rejected(self) -> bool:
        """Whether the test tells the values from normal ones at 5 %."""
        return self.p < LEVEL

    @property
    def is_small(self) -> bool:
        """Whether the departure moves the points 3 σ from the mean by a tenth at most."""
        return abs(self.skewness) <= SMALL_SKEWNESS and abs(self.kurtosis) <= SMALL_KURTOSIS

    @property
    def sentence(self) -> Message:
        """What test and size mean together."""
        facts: dict[str, str | float] = {
            "p": p_words(self.p).removeprefix("p "),
            "skew": f"{self.skewness:.4g}".replace("-", "−"),
            "kurtosis": f"{self.kurtosis:.4g}".replace("-", "−"),
        }
        if not self.is_rejected:
            return msg(
                "Nothing speaks against a normal distribution (Anderson-Darling p {p}; skewness {skew}, excess kurtosis {kurtosis}).",
                **facts,
            )
        if self.is_small:
            return msg(
                "The test finds a departure from the normal distribution (Anderson-Darling p {p}), but a small one (skewness {skew}, "
                "excess kurtosis {kurtosis}): with {n} values the test finds any. The normal distribution serves.",
                n=self.n,
                **facts,
            )
        if self.n > MANY:
            return msg(
                "The values are not normal (Anderson-Darling p {p}). With {n} values the test finds any departure, so that its size counts: "
                "skewness {skew} and excess kurtosis {kurtosis} are large enough to move the tails.",
                n=self.n,
                **facts,
            )
        return msg(
            "The values are not normal (Anderson-Darling p {p}; skewness {skew}, excess kurtosis {kurtosis}): indices of the normal "
            "distribution would mislead about the tails.",
            **facts,
        )


def normality(values: Floats) -> Normality | NotDefined:
    """Anderson-Darling test of a normal distribution whose mean and standard deviation are estimated (case 3).

    A² = −n − (1/n) Σ (2i − 1)(ln Φ(zᵢ) + ln(1 − Φ(zₙ₊₁₋ᵢ))), zᵢ = (x₍ᵢ₎ − x̄) / s; p from A² (1 + 0.75/n + 2.25/n²).

    Args:
        values: (n,) none of them empty.

    Degenerate cases: fewer than 8 values, or values without spread: `NotDefined`.

    Source: D'Agostino and Stephens, Goodness-of-Fit Techniques (1986), section 4.8.5 and table 4.9; the plot's correlation: Filliben, "The Probability Plot
    Correlation Coefficient Test for Normality", Technometrics 17 (1975) 111-117, with Blom's positions.
    """
    n = len(values)
    if n < FEWEST_VALUES:
        return NotDefined(msg("a test of the distribution needs at least {n} values, and there are {m}", n=FEWEST_VALUES, m=n))
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    if not spreads(sd, mean):
        return NotDefined(msg("the values do not spread"))
    from scipy.special import log_ndtr

    z = np.sort((values - mean) / sd)
    a2 = anderson_darling(log_ndtr(z), log_ndtr(-z))
    adjusted = a2 * (1 + 0.75 / n + 2.25 / n**2)
    u = z - z.mean()
    kurtosis = float(np.mean((u / u.std()) ** 4)) - 3
    correlation = float(np.corrcoef(z, plotting_scores(n))[0, 1])
    return Normality(n, a2, adjusted, p_value(adjusted), skewness(values), kurtosis, correlation)


def anderson_darling(below: Floats, above: Floats) -> float:
    """A² from ln F and ln(1 − F) of the values in rising order, both (n,)."""
    n = len(below)
    weights = (2 * np.arange(1, n + 1) - 1) / n
    return float(-n - weights @ (below + above[::-1]))


def p_value(adjusted: float) -> float:
    """The chance of so large an adjusted A² among normal values; table 4.9 of D'Agostino and Stephens (1986)."""
    a = adjusted
    if a < 0.2:
        return float(1 - np.exp(-13.436 + 101.14 * a - 223.73 * a**2))
    if a < 0.34:
        return float(1 - np.exp(-8.318 + 42.796 * a - 59.938 * a**2))
    if a < 0.6:
        return float(np.exp(0.9177 - 4.279 * a - 1.38 * a**2))
    # The last parabola turns up again beyond 153; there it is far below what anybody distinguishes.
    return float(np.exp(1.2937 - 5.709 * a + 0.0186 * a**2)) if a < 10 else 0.0


def plotting_scores(n: int) -> Floats:
    """Normal quantiles at Blom's positions (i − 3/8) / (n + 1/4), (n,)."""
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25)), dtype=np.float64)
