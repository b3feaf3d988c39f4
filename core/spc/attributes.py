"""Shewhart charts of counts: p and np for defective units, c and u for defects. Sizes may vary from point to point.

Limits are three standard errors of the binomial or the Poisson distribution; they say nothing where counts spread more than
these distributions let them (many units a point), and they are rough where fewer than about five are expected.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.messages import Message, msg
from core.spc.chart import Chart, Floats, Method, Phases, by_stage, few_points, finite, fitting, flat
from core.spc.constants import SIGMAS
from core.spc.individuals import NotDefined

FEWEST_COUNTS = 5
FEWEST_EXPECTED = 5.0


def defectives_chart(
    counts: ArrayLike, sizes: ArrayLike, of: Phases | None = None, *, kind: Literal["p", "np"] = "p"
) -> Chart | NotDefined:
    """Chart of the share (p) or the number (np) of defective units.

    p̄ = Σ Dᵢ / Σ nᵢ over the baseline; p: p̄ ± 3√(p̄(1 − p̄) / nᵢ), between 0 and 1; np: nᵢp̄ ± 3√(nᵢp̄(1 − p̄)), between 0 and nᵢ.
    `sigma` is √(p̄(1 − p̄)), that of one unit.

    Args:
        counts: (n,) defective units of each point, NaN where empty.
        sizes: (n,) or one number: inspected units of each point.
        of: Baseline and stages.

    Degenerate cases: counts or sizes that are no whole numbers, below 0, or more defective than inspected units; fewer than 5 points
    in the baseline of a stage; none or all units of the baseline defective: `NotDefined`. A point of size 0 is empty.

    Source: Montgomery (2013), sections 7.2.1 (p and np) and 7.2.2 (varying sizes).

    Example:
        >>> chart = defectives_chart([1, 3, 2, 2, 2], 20)
        >>> float(chart.centre[0]), round(float(chart.upper[0]), 4)
        (0.1, 0.3012)
    """
    found = _counted(counts, sizes, whole_sizes=True)
    if isinstance(found, NotDefined):
        return found
    d, n, known = found
    of = fitting(of, len(d))

    def learn(rows: NDArray[np.bool_]) -> tuple[float, float] | NotDefined:
        used = rows & known
        if int(used.sum()) < FEWEST_COUNTS:
            return _too_few(int(used.sum()))
        share = float(d[used].sum() / n[used].sum())
        if not 0 < share < 1:
            return NotDefined(msg("none or all of the inspected units of the baseline period are defective"))
        return share, float(np.sqrt(share * (1 - share)))

    learned = by_stage(of, learn)
    if isinstance(learned, NotDefined):
        return learned
    share, sigma = flat(learned[0], of), flat(learned[1], of)
    expected = np.minimum(share, 1 - share)[known & of.baseline] * n[known & of.baseline]
    notes = (*few_points(of, known), *_few_expected(expected))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(known, n, np.nan)
        if kind == "np":
            return _chart(
                "np", msg("number of defective units"), d, scale * share, np.sqrt(scale) * sigma, scale, sigma, n, of, notes
            )
        one = np.where(known, 1.0, np.nan)
        return _chart("p", msg("share of defective units"), d / scale, share, sigma / np.sqrt(scale), one, sigma, n, of, notes)


def defects_chart(
    counts: ArrayLike, areas: ArrayLike = 1.0, of: Phases | None = None, *, kind: Literal["c", "u"] = "u"
) -> Chart | NotDefined:
    """Chart of the number of defects (c) or of defects per unit of area (u).

    ū = Σ cᵢ / Σ aᵢ over the baseline; u: ū ± 3√(ū / aᵢ), c: aᵢū ± 3√(aᵢū), not below 0. With one area c is the textbook's c̄ ± 3√c̄.
    `sigma` is √ū, that of one unit of area.

    Args:
        counts: (n,) defects of each point, NaN where empty.
        areas: (n,) or one number: the area, length, time or number of units in which they were counted, above 0.
        of: Baseline and stages.

    Degenerate cases: counts that are no whole numbers or below 0, areas below 0; fewer than 5 points in the baseline of a stage;
    a baseline without any defect: `NotDefined`. A point of area 0 is empty.

    Source: Montgomery (2013), section 7.3.1 (c, u, and areas that vary); NIST/SEMATECH e-Handbook, section 6.3.3.1 (c).

    Example:
        >>> chart = defects_chart([4, 5, 3, 4, 4], kind="c")
        >>> float(chart.centre[0]), float(chart.lower[0]), float(chart.upper[0])
        (4.0, 0.0, 10.0)
    """
    found = _counted(counts, areas, whole_sizes=False)
    if isinstance(found, NotDefined):
        return found
    c, a, known = found
    of = fitting(of, len(c))

    def learn(rows: NDArray[np.bool_]) -> tuple[float, float] | NotDefined:
        used = rows & known
        if int(used.sum()) < FEWEST_COUNTS:
            return _too_few(int(used.sum()))
        rate = float(c[used].sum() / a[used].sum())
        if rate <= 0:
            return NotDefined(msg("the baseline period has no defect"))
        return rate, float(np.sqrt(rate))

    learned = by_stage(of, learn)
    if isinstance(learned, NotDefined):
        return learned
    rate, sigma = flat(learned[0], of), flat(learned[1], of)
    notes = (*few_points(of, known), *_few_expected((rate * a)[known & of.baseline]))
    unlimited = np.full(len(c), np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(known, a, np.nan)
        if kind == "c":
            return _chart(
                "c", msg("number of defects"), c, scale * rate, np.sqrt(scale) * sigma, unlimited, sigma, a, of, notes
            )
        return _chart("u", msg("defects per unit"), c / scale, rate, sigma / np.sqrt(scale), unlimited, sigma, a, of, notes)


def _chart(
    kind: Literal["p", "np", "c", "u"],
    statistic: Message,
    points: Floats,
    centre: Floats,
    error: Floats,
    most: Floats,
    sigma: Floats,
    sizes: Floats,
    of: Phases,
    notes: tuple[Message, ...],
) -> Chart:
    """The chart with limits 3 `error` from the centre, cut at 0 and at `most`; all arrays (n,)."""
    method: Method = "binomial" if kind in ("p", "np") else "Poisson"
    reach = SIGMAS * error
    lower, upper = np.maximum(centre - reach, 0.0), np.minimum(centre + reach, most)
    return Chart(kind, statistic, points.copy(), centre, lower, upper, reach, sigma, method, sizes, of, notes)


def _counted(
    counts: ArrayLike, sizes: ArrayLike, *, whole_sizes: bool
) -> tuple[Floats, Floats, NDArray[np.bool_]] | NotDefined:
    """Counts, NaN where there is no size, sizes, and where both are there, all (n,); or why they are none."""
    d = finite(counts)
    n = np.broadcast_to(np.asarray(sizes, dtype=np.float64), d.shape).copy()
    there = np.isfinite(d) & np.isfinite(n)
    if (d[there] < 0).any() or (d[there] % 1 != 0).any():
        return NotDefined(msg("the counts are not all whole numbers of 0 or more"))
    if (n[there] < 0).any() or (whole_sizes and (n[there] % 1 != 0).any()):
        return NotDefined(
            msg("the numbers of inspected units are not all whole numbers of 0 or more")
            if whole_sizes
            else msg("the inspected areas are not all 0 or more")
        )
    if whole_sizes and (d[there] > n[there]).any():
        return NotDefined(msg("there are more defective than inspected units"))
    known = there & (n > 0)
    return np.where(known, d, np.nan), n, known


def _too_few(m: int) -> NotDefined:
    return NotDefined(msg("control limits of counts need at least {n} points, and there are {m}", n=FEWEST_COUNTS, m=m))


def _few_expected(expected: Floats) -> tuple[Message, ...]:
    """A note where the middle point of the baseline expects fewer than 5, so that three sigma are a rough limit."""
    if not len(expected) or float(np.median(expected)) >= FEWEST_EXPECTED:
        return ()
    return (
        msg("only {n} are expected a point, so that the limits are rough; larger samples help", n=float(np.median(expected))),
    )
