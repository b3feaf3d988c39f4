"""Power transforms: SciPy gives the same curve and the same power, units do not matter, and beyond the training part it is a line."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import boxcox, boxcox_normmax, yeojohnson, yeojohnson_normmax

from core.data.dataset import Column
from core.data.split import TRAIN, Split, SplitSettings
from core.features import FeaturePlan
from core.features.plan import plan_features
from core.features.power import PowerTransform, fit_power, skewness
from core.messages import msg


def positive(n: int = 2000) -> np.ndarray:
    return np.random.default_rng(5).lognormal(2.0, 1.0, n)


def both_signs(n: int = 2000) -> np.ndarray:
    return np.random.default_rng(6).exponential(3.0, n) - 2.0


def test_a_positive_column_gets_the_box_cox_transform_of_scipy() -> None:
    values = positive()
    made = fit_power(values)
    assert made is not None and made.kind == "box_cox"
    scaled = values / np.median(values)
    assert made.power == pytest.approx(boxcox_normmax(scaled, method="mle"), abs=1e-3)
    np.testing.assert_allclose(made(values), boxcox(scaled, made.power), rtol=1e-9)


def test_a_column_of_both_signs_gets_the_yeo_johnson_transform_of_scipy() -> None:
    values = both_signs()
    made = fit_power(values)
    assert made is not None and made.kind == "yeo_johnson"
    quarters = np.percentile(values, [25, 75])
    z = (values - np.median(values)) / (quarters[1] - quarters[0])
    assert made.power == pytest.approx(yeojohnson_normmax(z), abs=1e-3)
    np.testing.assert_allclose(made(values), yeojohnson(z, made.power), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("values", [positive(), both_signs()], ids=["positive", "both signs"])
def test_the_unit_of_a_column_does_not_matter(values: np.ndarray) -> None:
    one, other = fit_power(values), fit_power(values * 1e5)
    assert one is not None and other is not None
    np.testing.assert_allclose(one(values), other(values * 1e5), rtol=1e-4, atol=1e-4)
    assert abs(skewness(one(values))) < 0.3 < 1 < abs(skewness(values))


@pytest.mark.parametrize("values", [positive(), both_signs(), -positive()], ids=["positive", "both signs", "negative"])
def test_beyond_the_training_part_it_goes_on_as_a_line_and_never_turns(values: np.ndarray) -> None:
    made = fit_power(values)
    assert made is not None
    reach = values.max() - values.min()
    for end, way in ((values.min(), -1.0), (values.max(), 1.0)):
        steps = made(np.array([end, end + way * reach, end + way * 2 * reach]))
        assert steps[2] - steps[1] == pytest.approx(steps[1] - steps[0], rel=1e-6)
        if not (made.kind == "box_cox" and way < 0):
            near = made(np.array([end - way * 1e-6 * reach, end, end + way * 1e-6 * reach]))
            assert near[2] - near[1] == pytest.approx(near[1] - near[0], rel=1e-2)  # and without a kink
    assert np.all(np.diff(made(np.linspace(values.min() - reach, values.max() + reach, 999))) > 0)
    assert np.isnan(made(np.array([np.nan]))).all()


@pytest.mark.parametrize("smallest", [1e-9, 1e-3])
def test_one_cell_near_zero_throws_no_offset_of_the_sensor_far_away(smallest: float) -> None:
    """New rows of a vibration level that sink a little below zero stay among the values that were seen."""
    values = np.random.default_rng(2).exponential(1.0, 3000) + smallest
    values[7] = smallest
    made = fit_power(values)
    assert made is not None and made.kind == "box_cox"
    known = made(values)
    away = (made(np.array([0.0, -0.02, -0.1])) - known.mean()) / known.std()
    assert np.all(np.diff(away) < 0) and away[-1] > (known.min() - known.mean()) / known.std() - 2


def test_a_logarithm_by_hand() -> None:
    made = PowerTransform("box_cox", 0.0, 2.0, 0.0, 0.5, 8.0)
    np.testing.assert_allclose(made(np.array([2.0, 2 * np.e, 16.0])), [0.0, 1.0, np.log(8)])
    # The chord from z = 0.5 to the median, z = 1, rises by ln 2 over a half: half a width further down it falls by ln 2.
    assert made(np.array([0.0])) == pytest.approx(np.log(0.5) - np.log(2))
    assert made(np.array([20.0])) == pytest.approx(np.log(8) + (10 - 8) / 8)  # above, with the slope 1 / 8 of the curve


@pytest.mark.parametrize(
    "values",
    [np.random.default_rng(0).normal(size=500), np.repeat([0.0, 1.0], [450, 50]), positive(40), np.full(300, 7.0)],
    ids=["not skewed", "two values", "few rows", "constant"],
)
def test_what_needs_none_gets_none(values: np.ndarray) -> None:
    assert fit_power(values) is None


def test_the_plan_gives_a_skewed_column_twice_says_so_and_keeps_it() -> None:
    table = pd.DataFrame({"energy": positive(), "plain": np.random.default_rng(0).normal(size=2000)})
    part = Split(SplitSettings(method="first", first=2000), np.full(2000, TRAIN, np.int8), 1, msg("test")).train_part(table)
    columns = [Column("energy", "number"), Column("plain", "number")]
    straight, plain = (plan_features(lambda column: part, columns, straighten=asked) for asked in (True, False))
    assert "also given straightened: energy." in str(straight.notes[-1]) and not plain.notes
    assert straight.transform(table).names == ("energy", "energy straightened", "plain")
    assert straight.column_of_feature.tolist() == [0, 0, 1] and straight.columns == ("energy", "plain")
    found = straight.transform(table).values
    np.testing.assert_array_equal(found[:, [0, 2]], plain.transform(table).values)
    np.testing.assert_allclose([found.mean(axis=0), found.std(axis=0)], [[0, 0, 0], [1, 1, 1]], atol=1e-9)
    assert abs(skewness(found[:, 1])) < 0.3 and skewness(found[:, 0]) > 1
    again = FeaturePlan.from_json(json.loads(json.dumps(straight.to_json())))
    np.testing.assert_array_equal(found, again.transform(table).values)
