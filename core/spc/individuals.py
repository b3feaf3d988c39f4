"""Chart of individuals: limits from the average moving range, and Nelson's rules 1 to 4.

For one value a moment, in order of time. It draws nothing and chooses no baseline period: the caller hands in the
rows from which the limits come. Rules 5 to 8, subgroups and other charts are not here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.messages import Message, msg

# Mean range of two standard normal values, `core.spc.constants.d2(2)`; tables print 1.128.
D2_OF_TWO = float(2 / np.sqrt(np.pi))
SIGMAS = 3.0
SAME_SIDE, IN_A_ROW, ALTERNATING = 9, 6, 14
FEWEST_VALUES = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a chart of individuals, in the column's unit; `n` values gave them.

    `sigma` is the short-term standard deviation, the average moving range divided by d₂.
    """

    centre: float
    sigma: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True, slots=True)
class NotDefined:
    """A figure that these values do not give, with the reason."""

    reason: Message


def individuals_limits(values: ArrayLike) -> Limits | NotDefined:
    """Centre line and 3 σ limits of a chart of individuals.

    mean ± 3 · MR̄ / d₂, where MR̄ is the mean of |xᵢ − xᵢ₋₁| over neighbours that are both there and d₂ = 2 / √π
    = 1.1284.

    Args:
        values: (n,) in order, column unit, NaN where empty.

    Degenerate cases: fewer than 10 values, or values that never change from row to row: `NotDefined`.

    Source: Montgomery, Introduction to Statistical Quality Control (7th ed., 2013), eq. 6.33; ISO 7870-2:2023.

    Example:
        >>> limits = individuals_limits([10, 12, 11, 13, 10, 12, 11, 13, 10, 12])  # moving ranges 2 1 2 3 2 1 2 3 2
        >>> round(limits.centre, 3), round(limits.sigma, 4), round(limits.upper, 4)
        (11.4, 1.7725, 16.7174)
    """
    x = np.asarray(values, dtype=np.float64)
    known = np.isfinite(x)
    n = int(known.sum())
    if n < FEWEST_VALUES:
        return NotDefined(msg("control limits need at least {n} values, and there are {m}", n=FEWEST_VALUES, m=n))
    ranges = np.abs(np.diff(x))
    ranges = ranges[np.isfinite(ranges)]
    sigma = float(ranges.mean()) / D2_OF_TWO if len(ranges) else 0.0
    centre = float(x[known].mean())
    if sigma <= 8 * np.finfo(np.float64).eps * abs(centre):
        return NotDefined(msg("the values of the baseline period never change from one row to the next"))
    return Limits(centre, sigma, centre - SIGMAS * sigma, centre + SIGMAS * sigma, n)


def nelson_rules(values: ArrayLike, limits: Limits) -> NDArray[np.bool_]:
    """Where each of Nelson's rules 1 to 4 signals, (4, n) bool, first row rule 1.

    1: a value outside the limits. 2: the ninth and each further value in a row on one side of the centre line. 3: the
    sixth and each further value of a steady rise or fall. 4: the fourteenth and each further value of a run that goes
    up and down in turn. A pattern is marked from the row that completes it. Empty rows (NaN) are passed over, so that
    neighbours across a gap count as neighbours; a value on the centre line is on neither side, equal neighbours
    neither rise nor fall.

    Cost: a few passes over the values, linear in n.

    Source: Nelson, "The Shewhart Control Chart: Tests for Special Causes", Journal of Quality Technology 16 (1984) 237-239.

    Example:
        >>> rules = nelson_rules([0, 1, 2, 3, 4, 5, 0, 9], Limits(2.0, 2.0, -4.0, 8.0, 20))
        >>> [np.flatnonzero(rule).tolist() for rule in rules]
        [[7], [], [5], []]
    """
    x = np.asarray(values, dtype=np.float64)
    at = np.flatnonzero(np.isfinite(x))
    v = x[at]
    found = np.zeros((4, len(x)), dtype=np.bool_)
    if not len(v):
        return found
    found[0, at] = (v < limits.lower) | (v > limits.upper)
    side = np.sign(v - limits.centre).astype(np.int8)
    found[1, at] = np.abs(_sum_of_last(side, SAME_SIDE)) == SAME_SIDE
    way = np.sign(np.diff(v)).astype(np.int8)
    found[2, at[1:]] = np.abs(_sum_of_last(way, IN_A_ROW - 1)) == IN_A_ROW - 1
    turns = np.zeros(len(way), dtype=np.int8)
    turns[1:] = way[1:] * way[:-1] == -1
    # 14 values are 13 steps, of which 12 turn against the one before.
    found[3, at[1:]] = _sum_of_last(turns, ALTERNATING - 2) == ALTERNATING - 2
    return found


def _sum_of_last(codes: NDArray[np.int8], k: int) -> NDArray[np.int32]:
    """The sum of the last k codes at each place, (n,); 0 where there are fewer. k times ±1 means k equal ones in a row."""
    sums = np.cumsum(codes, dtype=np.int32)
    found = np.zeros(len(codes), dtype=np.int32)
    if len(codes) >= k:
        found[k - 1 :] = sums[k - 1 :]
        found[k:] -= sums[:-k]
    return found
