"""Pareto: hand-counted categories, costs, ties, the share that is met exactly, and what has none."""

from __future__ import annotations

import numpy as np
import pytest

from core.spc.individuals import NotDefined
from core.spc.pareto import Pareto, pareto


def found(*given: object, **settings: object) -> Pareto:
    result = pareto(*given, **settings)  # type: ignore[arg-type]
    assert isinstance(result, Pareto)
    return result


def test_costs_can_turn_the_order_of_counts() -> None:
    labels, costs = ["scratch"] * 3 + ["crack"], [1.0, 1.0, 1.0, 50.0]
    assert found(labels).categories == ("scratch", "crack")
    by_cost = found(labels, costs)
    assert by_cost.categories == ("crack", "scratch") and by_cost.counts.tolist() == [1, 3]
    np.testing.assert_allclose(by_cost.cumulative, [50 / 53, 1.0])
    assert by_cost.n_few == 1 and by_cost.reached == pytest.approx(50 / 53)


def test_a_share_that_is_met_exactly_needs_no_further_category() -> None:
    # 7 + 1 of 10 are 80 %, and 0.7 + 0.1 is less than 0.8 in binary.
    assert found(list("aaaaaaabcd")).n_few == 2
    assert found(list("aaaaaaabcd"), share=0.81).n_few == 3
    assert found(list("aaaaaaabcd"), share=1.0).n_few == 4


def test_equal_categories_keep_the_order_of_the_table() -> None:
    assert found(list("zzyyxx")).categories == ("z", "y", "x")


def test_few_of_many_is_a_third_at_most() -> None:
    assert found(["a"] * 80 + list("bcdefghij")).is_few
    assert not found(list("abcabcabc")).is_few


def test_weights_and_labels_stay_as_they_were() -> None:
    weights = np.array([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        found(["a", "b"], weights).weights[0] = 9
    assert weights.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("labels", "weights", "says"), [([], None, "no rows"), (["a", "b"], [0.0, 0.0], "above 0")])
def test_nothing_to_weigh_is_not_defined(labels: list[str], weights: list[float] | None, says: str) -> None:
    result = pareto(labels, weights)
    assert isinstance(result, NotDefined)
    assert says in str(result.reason)


@pytest.mark.parametrize("weight", [-1.0, np.nan])
def test_a_negative_or_missing_weight_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        pareto(["a", "b"], [1.0, weight])
