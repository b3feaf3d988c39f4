"""Two models that call the same rows: McNemar's test on the rows where one is right and the other wrong.

Sources: McNemar, Psychometrika 12, 1947; Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13:91, 2013, who recommend
the mid-P version: the exact test is too careful. Equations 1 (exact) and 2 (mid-P) of their supplement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class McNemar:
    """`first_only` rows the first model alone calls right, `second_only` the second alone; `p` is the two-sided mid-P value.

    `p` is 1 where the two never differ.
    """

    n: int
    both_right: int
    first_only: int
    second_only: int
    both_wrong: int
    p: float

    @property
    def is_clear(self) -> bool:
        return self.p < SIGNIFICANT


def mcnemar(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> McNemar:
    """The test on (n,) right or wrong of two models on the same rows. Rows count as independent of each other."""
    both = int((first_right & second_right).sum())
    first, second = int(first_right.sum()) - both, int(second_right.sum()) - both
    n = len(first_right)
    return McNemar(n, both, first, second, n - both - first - second, mid_p(first, second))


def mid_p(first: int, second: int) -> float:
    """Two-sided mid-P value of so many rows for each of two models, of which half are expected for each.

    Example:
        >>> round(mid_p(1, 7), 4)
        0.0391
    """
    from scipy.special import bdtr

    n, fewer = first + second, min(first, second)
    if n == 0:
        return 1.0
    up_to = float(bdtr(fewer, n, 0.5))
    at = up_to - (float(bdtr(fewer - 1, n, 0.5)) if fewer else 0.0)
    return 1 - at / 2 if first == second else 2 * up_to - at
