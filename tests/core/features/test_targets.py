"""Targets go to the network's units and back, and hopeless ones are refused in one sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import DataProblem, NotEnoughData, SettingProblem
from core.features.targets import (
    ClassTarget,
    LifeTarget,
    RegressionTarget,
    class_texts,
    fit_target,
    remaining_life,
    target_from_json,
)


def test_a_value_survives_the_way_there_and_back() -> None:
    target = fit_target("regression", np.array([1.0, 3.0, np.nan]))
    assert target == RegressionTarget(2.0, 1.0)
    np.testing.assert_allclose(target.decode(target.encode(np.array([5.0, -2.0]))), [5.0, -2.0])


def test_life_is_capped_both_ways() -> None:
    target = LifeTarget(125.0)
    assert target.encode(np.array([200.0, 62.5])).tolist() == [1.0, 0.5]
    assert target.decode(np.array([-0.1, 0.5, 1.3], dtype=np.float32)).tolist() == [0.0, 62.5, 125.0]


def test_remaining_life_counts_to_the_last_row_of_the_group() -> None:
    assert remaining_life(np.array([0, 0, 0, 1, 1]), np.array([1.0, 2, 5, 10, 11])).tolist() == [4, 3, 0, 1, 0]


def test_class_names_are_texts_without_a_needless_decimal_point() -> None:
    assert class_texts(pd.Series([1.0, 0.0, np.nan, 2.5])).tolist() == ["1", "0", None, "2.5"]
    assert class_texts(pd.Series(["ok", None])).tolist() == ["ok", None]


def test_an_unknown_class_has_no_code() -> None:
    target = fit_target("classification", np.array(["b", "a", None], dtype=object))
    assert target == ClassTarget(("a", "b"))
    assert target.encode(np.array(["b", "c", None], dtype=object)).tolist() == [1, -1, -1]


@pytest.mark.parametrize("target", [RegressionTarget(1.5, 2.0), LifeTarget(90.0), ClassTarget(("a", "b"))])
def test_targets_survive_json(target: RegressionTarget | LifeTarget | ClassTarget) -> None:
    assert target_from_json(target.to_json()) == target


def test_a_constant_target_is_refused() -> None:
    with pytest.raises(DataProblem, match="'y' is always 4 in the training part"):
        fit_target("regression", np.array([4.0, 4.0, 4.0]), name="y")


def test_one_class_only_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="only one class in the training part: ok"):
        fit_target("classification", np.array(["ok", "ok"], dtype=object), name="result")


def test_too_many_classes_are_refused() -> None:
    with pytest.raises(DataProblem, match="has 101 different values"):
        fit_target("classification", np.array([str(i) for i in range(101)], dtype=object), name="id")


def test_an_empty_target_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="has 0 known values"):
        fit_target("regression", np.array([np.nan, np.nan]), name="y")


def test_a_cap_of_nothing_is_refused() -> None:
    with pytest.raises(SettingProblem, match="cap is '0"):
        fit_target("rul", np.array([1.0]), cap=0.0)
