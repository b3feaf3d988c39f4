"""Which columns lift a point: the drop of T² without a column is that of T² computed anew without it."""

from __future__ import annotations

import numpy as np
import pytest

from core.spc.chart import Chart, phases
from core.spc.decomposition import t2_drops
from core.spc.individuals import NotDefined
from core.spc.vectors import mewma_chart, t2_individuals


def table(n: int = 120, seed: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=n)
    return np.column_stack([base + rng.normal(scale=0.3, size=n), 2 * base + rng.normal(scale=0.3, size=n), rng.normal(size=n)])


def points(found: Chart | NotDefined) -> np.ndarray:
    assert not isinstance(found, NotDefined)
    return found.points


def test_a_drop_is_the_difference_of_two_charts() -> None:
    x, of = table(), phases(120, np.arange(120) < 80)
    drops = t2_drops(x, of)
    assert not isinstance(drops, NotDefined)
    whole = points(t2_individuals(x, of))
    for j in range(3):
        without = points(t2_individuals(np.delete(x, j, axis=1), of))
        np.testing.assert_allclose(drops[:, j], whole - without, rtol=1e-9, atol=1e-9)


def test_the_drops_of_a_weighted_chart_are_those_of_its_vectors() -> None:
    x, of = table(), phases(120, np.arange(120) < 80)
    drops = t2_drops(x, of, weight=0.2)
    assert not isinstance(drops, NotDefined)
    whole = points(mewma_chart(x, of, weight=0.2, exact=False))
    without = points(mewma_chart(np.delete(x, 1, axis=1), of, weight=0.2, exact=False))
    np.testing.assert_allclose(drops[:, 1], whole - without, rtol=1e-8, atol=1e-8)


def test_a_column_that_does_not_fit_the_others_is_named_though_its_value_is_usual() -> None:
    x = table()
    x[100] = [1.5, -3.0, 0.0]  # both within their range, and against each other
    drops = t2_drops(x, phases(120, np.arange(120) < 80), rows=np.array([100]))
    assert not isinstance(drops, NotDefined) and drops.shape == (1, 3)
    assert drops[0, :2].min() > 30 * drops[0, 2]


def test_rows_with_an_empty_cell_have_none_and_a_column_told_by_the_others_is_refused() -> None:
    x = table()
    x[7, 1] = np.nan
    drops = t2_drops(x)
    assert not isinstance(drops, NotDefined) and np.isnan(drops[7]).all() and np.isfinite(np.delete(drops, 7, axis=0)).all()
    assert isinstance(t2_drops(np.column_stack([x[:, 0], 2 * x[:, 0]])), NotDefined)
    with pytest.raises(ValueError, match="phases"):
        t2_drops(x, phases(10))
