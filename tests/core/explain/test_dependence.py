"""ALE and partial dependence: the line of a linear model, the product of an interaction, and the guard where no rows are."""

from __future__ import annotations

import numpy as np
import pytest

from core.anomalies.conditional import fit_conditional
from core.explain.columns import InputColumn, Move
from core.explain.dependence import accumulated_effects, partial_dependence
from tests.core.explain.linear import COLUMNS, predict, windows

A, B = (InputColumn(name, (i,), (0.0,), "", Move(0.0, 1.0)) for i, name in enumerate("ab"))


@pytest.mark.parametrize("draw", [accumulated_effects, partial_dependence])
@pytest.mark.parametrize(("reach", "slope"), [("window", 3.0), ("last", 2.0)])
def test_a_linear_model_gives_its_line(draw, reach: str, slope: float) -> None:
    """Moving the whole window moves both cells (1 + 2 a feature unit), the last row its own (2); a unit of the column is half of one."""
    given = windows(500)
    found = draw(predict, given, COLUMNS[0], reach=reach)
    np.testing.assert_allclose(np.diff(found.effects), slope / 2 * np.diff(found.values), atol=1e-4)
    at_rows = np.interp(COLUMNS[0].values(given)[:, -1], found.values, found.effects)
    assert at_rows.mean() == pytest.approx(0, abs=0.05), "centred over the rows"
    assert abs(draw(predict, given, COLUMNS[1]).effects).max() < 1e-5, "a column that is not used"


def correlated(n: int = 4000):
    """b follows a closely: b = a + noise of 0.05, a uniform from 0 to 1."""
    rng = np.random.default_rng(4)
    a = rng.uniform(0, 1, n)
    return np.column_stack([a, a + rng.normal(0, 0.05, n)])[:, None, :].astype(np.float32)


def test_with_correlated_columns_ale_keeps_to_the_data_where_partial_dependence_does_not() -> None:
    """f = a + 100 · max(0, a − b − 0.5): the second term is 0 wherever there are rows. ALE of a is a line of slope 1."""

    def f(some):
        a, b = some[:, -1, 0].astype(float), some[:, -1, 1].astype(float)
        return a + 100 * np.maximum(0, a - b - 0.5)

    given = correlated()
    ale = accumulated_effects(f, given, A)
    np.testing.assert_allclose(np.diff(ale.effects), np.diff(ale.values), atol=1e-4)
    pdp = partial_dependence(f, given, A, fit_conditional(given[:, -1]))
    assert pdp.effects[-1] - pdp.effects[0] > 10, "the mean over rows that never were"
    assert pdp.is_thin[0] and pdp.is_thin[-1], "and it is marked as a guess"
    middle = len(pdp.values) // 2
    assert pdp.support[middle] > pdp.support[0] and pdp.support[0] < 0.5


def test_ale_of_a_product_of_independent_columns_is_published() -> None:
    """f = a · b with independent a, b: the effect of a is E[b] · (a − E[a]) (Apley & Zhu 2020, section 2)."""
    rng = np.random.default_rng(6)
    given = np.column_stack([rng.uniform(0, 1, 6000), rng.uniform(1, 3, 6000)])[:, None, :].astype(np.float32)
    found = accumulated_effects(lambda some: (some[:, -1, 0] * some[:, -1, 1]).astype(float), given, A)
    np.testing.assert_allclose(found.effects, 2 * (found.values - 0.5), atol=0.03)


def test_places_with_few_rows_are_thin() -> None:
    a = np.concatenate([np.linspace(0, 1, 300), [10.0, 11.0]])
    given = np.column_stack([a, a])[:, None, :].astype(np.float32)
    found = partial_dependence(lambda some: some[:, -1, 0].astype(float), given, A)
    assert not found.is_thin[0] and found.is_thin[5:].all()
    assert accumulated_effects(lambda some: some[:, -1, 0].astype(float), given[:40], A, bins=20).is_thin.all()


def test_a_column_that_stands_still_is_one_place() -> None:
    given = np.ones((30, 1, 2), dtype=np.float32)
    for found in (accumulated_effects(predict, given, B), partial_dependence(predict, given, B)):
        assert found.effects.tolist() == [0.0] and found.values.tolist() == [1.0] and not found.is_thin[0]
