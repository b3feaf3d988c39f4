"""How often a control chart calls a stable process out of control, and how often it sees one that is not.

Independent normal values; charts with limits from all their points; the verdict of the chart (every rule of the book) and that before capability
(the rules that tell of changes). Out of control are: one point three sigma off, twenty points 1.5 sigma off, the second half 1.5 sigma off.
Run: `python -m benchmarks.stable_verdicts [draws]`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from core.spc.individuals import NotDefined
from core.spc.rules import BOOKS, RuleBook
from core.spc.stability import judge_stability
from core.spc.subgroups import subgroups_of_size
from core.spc.variables import individuals_charts, mean_and_range_charts

POINTS = (25, 100, 1_000, 5_000)
POINT, STEP, LENGTH = 3.0, 1.5, 20


def stable(n: int) -> np.ndarray:
    """Shift of each of n points, in standard errors of a point."""
    return np.zeros(n)


def one_point(n: int) -> np.ndarray:
    return POINT * (np.arange(n) == n // 2)


def a_step(n: int) -> np.ndarray:
    first = (n - LENGTH) // 2
    return STEP * ((np.arange(n) >= first) & (np.arange(n) < first + LENGTH))


def second_half(n: int) -> np.ndarray:
    return STEP * (np.arange(n) >= n // 2)


def shares(shift: np.ndarray, book: RuleBook, size: int, draws: int, seed: int) -> tuple[float, float]:
    """The share of charts called out of control: by every rule of the book, and by those that tell of changes."""
    rng = np.random.default_rng(seed)
    found = np.zeros((draws, 2))
    for i in range(draws):
        values = rng.normal(0, 1, (len(shift), size)) + (shift / np.sqrt(size))[:, None]
        charts = (
            individuals_charts(values.ravel()) if size == 1 else mean_and_range_charts(subgroups_of_size(values.ravel(), size))
        )
        assert not isinstance(charts, NotDefined)
        found[i] = [not judge_stability(charts, book, every_rule=every).is_stable for every in (True, False)]
    return float(found[:, 0].mean()), float(found[:, 1].mean())


def main(draws: int = 2_000) -> None:
    cases: tuple[Callable[[int], np.ndarray], ...] = (stable, one_point, a_step, second_half)
    print(f"{draws} draws each; chart / before capability, % called out of control")
    print(f"{'':34}" + "".join(f"{n:>16,}" for n in POINTS))
    for size in (1, 2, 5):
        for book in BOOKS:
            for case in cases:
                found = [shares(case(n), book, size, draws, n) for n in POINTS]
                words = "".join(f"{100 * a:>9.1f} / {100 * b:4.1f}" for a, b in found)
                print(f"{book.key:17} {size}  {case.__name__:13} {words}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
