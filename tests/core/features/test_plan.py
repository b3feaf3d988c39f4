"""Features are learned from the training part only and come back the same from JSON."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.data.dataset import Column
from core.data.split import TEST, TRAIN, Split, SplitSettings, TrainPart
from core.errors import DataProblem, NotEnoughData
from core.features import FeaturePlan, fit_features
from core.messages import msg

COLUMNS = [Column("a", "number"), Column("kind", "text"), Column("flat", "number"), Column("y", "number", "target")]


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "a": [1.0, 2.0, 3.0, np.nan, 100.0],
            "kind": ["x", "y", "x", None, "z"],
            "flat": [7.0] * 5,
            "y": [1.0, 2.0, 3.0, 4.0, 5.0],
        }
    )


def first_three(data: pd.DataFrame) -> TrainPart:
    """Rows 0 to 2 train, the rest tests."""
    parts = np.where(np.arange(len(data)) < 3, TRAIN, TEST).astype(np.int8)
    return Split(SplitSettings(method="first", first=3), parts, 1, msg("test")).train_part(data)


def fitted() -> FeaturePlan:
    return fit_features(first_three(table()), COLUMNS)


def test_scale_and_fill_come_from_the_training_rows() -> None:
    matrix = fitted().transform(table())
    # training values 1, 2, 3: mean 2, population sd sqrt(2/3), median 2
    assert matrix.names == ("a", "kind=x", "kind=y")
    np.testing.assert_allclose(matrix.values[:, 0], np.array([-1, 0, 1, 0, 98]) / np.sqrt(2 / 3))
    assert matrix.missing.tolist() == [False, False, False, True, False]


def test_an_unknown_category_is_none_of_the_known_ones() -> None:
    matrix = fitted().transform(table())
    raw = matrix.values[:, 1:] * [f.scale for f in fitted().features[1:]] + [f.mean for f in fitted().features[1:]]
    np.testing.assert_allclose(raw, [[1, 0], [0, 1], [1, 0], [0, 0], [0, 0]], atol=1e-12)


def test_a_constant_column_is_left_out_and_named() -> None:
    assert "'flat' is constant" in str(fitted().notes[0])


def test_test_rows_cannot_change_the_fit() -> None:
    before = fitted().to_json()
    data = table()
    data.loc[4, "a"] *= 1e6
    assert fit_features(first_three(data), COLUMNS).to_json() == before


def test_json_round_trip_gives_the_same_features() -> None:
    plan = fitted()
    again = FeaturePlan.from_json(plan.to_json())
    np.testing.assert_array_equal(plan.transform(table()).values, again.transform(table()).values)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataProblem, match="The table lacks kind"):
        fitted().transform(table().drop(columns="kind"))


def test_nothing_to_learn_from_is_refused() -> None:
    data = table()[["flat", "y"]]
    with pytest.raises(NotEnoughData, match="No column is left"):
        fit_features(first_three(data), [Column("flat", "number"), Column("y", "number", "target")])
