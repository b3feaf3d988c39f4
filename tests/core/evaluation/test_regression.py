"""Errors of predicted numbers, by hand and against scikit-learn."""

import time

import numpy as np
import pytest

from core.evaluation import Metric, regression_metrics, time_blocks


def by_key(*args: object, **kwargs: object) -> dict[str, Metric]:
    return {m.key: m for m in regression_metrics(*args, **kwargs)}  # type: ignore[arg-type]


def test_values_by_hand() -> None:
    found = by_key([2.0, 4.0, 6.0, 8.0], [3.0, 4.0, 6.0, 5.0])
    assert found["rmse"].value == pytest.approx(2.5**0.5)
    assert found["mae"].value == 1.0
    assert found["r2"].value == pytest.approx(1 - 10 / 20)
    assert found["mape"].value == pytest.approx((0.5 + 3 / 8) / 4)
    assert list(found) == ["rmse", "mae", "r2", "mape"]
    assert {m.n for m in found.values()} == {4}


def test_values_equal_those_of_scikit_learn() -> None:
    from sklearn import metrics

    rng = np.random.default_rng(0)
    y = rng.gamma(3.0, size=500) + 1e6
    p = y + rng.normal(size=500)
    found = by_key(y, p)
    assert found["rmse"].value == pytest.approx(metrics.root_mean_squared_error(y, p), rel=1e-10)
    assert found["mae"].value == pytest.approx(metrics.mean_absolute_error(y, p), rel=1e-10)
    assert found["r2"].value == pytest.approx(metrics.r2_score(y, p), rel=1e-9)
    assert found["mape"].value == pytest.approx(metrics.mean_absolute_percentage_error(y, p), rel=1e-9)


def test_the_interval_covers_the_true_error_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for i in range(150):
        y = rng.normal(size=150)
        rmse = regression_metrics(y, y + rng.normal(size=150) * 2.0, n_boot=150, seed=i)[0]
        hits += rmse.low <= 2.0 <= rmse.high  # type: ignore[operator]
    assert 0.88 <= hits / 150 <= 0.99


def test_blocks_widen_the_interval_when_neighbours_share_their_error() -> None:
    rng = np.random.default_rng(2)
    error = np.repeat(rng.normal(size=40), 50)
    y = rng.normal(size=2000)
    alone, together = by_key(y, y + error)["mae"], by_key(y, y + error, blocks=time_blocks(2000, 40))["mae"]
    assert together.high - together.low > 3 * (alone.high - alone.low)  # type: ignore[operator]
    assert together.value == alone.value


def test_the_same_seed_gives_the_same_interval() -> None:
    y, p = np.random.default_rng(3).normal(size=(2, 100))
    assert regression_metrics(y, p, seed=5) == regression_metrics(y, p, seed=5)
    assert regression_metrics(y, p, seed=5) != regression_metrics(y, p, seed=6)


def test_metrics_follow_the_unit() -> None:
    y, p = np.random.default_rng(3).normal(5, 1, size=(2, 100))
    a, b = by_key(y, p), by_key(y * 1000, p * 1000)
    assert b["rmse"].low == pytest.approx(1000 * a["rmse"].low)  # type: ignore[operator]
    for key in ("r2", "mape"):
        assert b[key].value == pytest.approx(a[key].value)


def test_unknown_rows_are_left_out_and_counted() -> None:
    found = by_key([1.0, 2.0, np.nan, 4.0], [1.0, np.nan, 3.0, 6.0])
    assert found["mae"].value == 1.0
    assert found["mae"].n == 2


def test_no_row_leaves_nothing_defined() -> None:
    for found in (by_key([], []), by_key([np.nan], [1.0])):
        assert {m.value for m in found.values()} == {None}
        assert str(found["rmse"].why_not) == "There is no row with both a true value and a prediction."


def test_constant_truth_and_one_row_have_no_r2() -> None:
    found = by_key([0.1 + 0.2, 0.3, 0.3], [1.0, 2.0, 3.0])
    assert found["r2"].value is None
    assert "same in every row" in str(found["r2"].why_not)
    assert found["mae"].is_defined
    assert "two rows" in str(by_key([1.0], [2.0])["r2"].why_not)


def test_a_truth_of_zero_has_no_mape() -> None:
    found = by_key([0.0, 0.0, 1.0], [1.0, 1.0, 1.0])["mape"]
    assert found.value is None
    assert str(found.why_not) == "2 true values are zero; a share of zero is not defined."


def test_an_infinite_prediction_leaves_nothing_defined() -> None:
    assert "infinite" in str(by_key([1.0, 2.0], [1.0, np.inf])["rmse"].why_not)


def test_few_rows_and_a_perfect_model_have_no_interval() -> None:
    assert by_key([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0])["mae"].low is None
    perfect = by_key(np.arange(1.0, 50.0), np.arange(1.0, 50.0))
    assert (perfect["rmse"].value, perfect["rmse"].low) == (0.0, None)


def test_200_000_rows_take_less_than_a_second_of_processor_time() -> None:
    y = np.random.default_rng(0).normal(size=200_000)
    start = time.process_time()
    assert regression_metrics(y, y + 1.0 + y**2)[0].low is not None
    assert time.process_time() - start < 1.0
