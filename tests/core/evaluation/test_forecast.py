"""Figures of a forecast against sums made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation import forecast_metrics, naive_scale, step_figures

TRUTH = np.array([[10.0, 12.0], [12.0, 11.0], [11.0, np.nan]])
SAID = np.array([[11.0, 12.0], [9.0, 13.0], [11.0, 5.0]])
LAST = np.array([9.0, 10.0, 12.0])


def figures(**more: object) -> dict[str, object]:
    given = {"scale": 2.0, "half_widths": np.array([1.0, 1.5]), "n_boot": 0} | more
    return {m.key: m.value for m in forecast_metrics(TRUTH, SAID, LAST, **given)}  # type: ignore[arg-type]


def test_the_figures_over_all_steps() -> None:
    # errors 1, 0, 3, 2, 0; the last value is wrong by 1, 3, 2, 1, 1
    found = figures()
    assert found["mae"] == pytest.approx(6 / 5)
    assert found["rmse"] == pytest.approx(np.sqrt(14 / 5))
    assert found["mase"] == pytest.approx(6 / 5 / 2)
    assert found["skill"] == pytest.approx(1 - 6 / 8)
    assert found["coverage"] == pytest.approx(3 / 5)


def test_each_step_alone() -> None:
    first, second = step_figures(TRUTH, SAID, LAST, scale=2.0, half_widths=np.array([1.0, 1.5]))
    assert (first.step, first.n, first.mae, first.coverage) == (1, 3, pytest.approx(4 / 3), pytest.approx(2 / 3))
    assert (second.step, second.n, second.mae, second.skill) == (2, 2, pytest.approx(1.0), pytest.approx(1 - 2 / 4))
    assert step_figures(TRUTH, SAID, LAST, scale=None)[0].mase is None
    assert step_figures(TRUTH, SAID, LAST, scale=None)[0].coverage is None


def test_the_last_value_itself_has_no_skill_and_rounding_does_not_give_it_one() -> None:
    said = np.repeat(LAST[:, None], 2, axis=1).astype(np.float32) * (1 + 1e-8)
    found = {m.key: m.value for m in forecast_metrics(TRUTH, said, LAST, scale=1.0, n_boot=0)}
    assert found["skill"] == 0.0


def test_what_is_not_defined_says_why() -> None:
    nothing = forecast_metrics(np.full((2, 2), np.nan), np.zeros((2, 2)), np.zeros(2), scale=1.0)
    assert all(m.value is None and m.why_not is not None for m in nothing)
    flat = {m.key: m for m in forecast_metrics(np.ones((3, 1)), np.ones((3, 1)), np.ones(3), scale=None, n_boot=0)}
    assert flat["mase"].why_not is not None and flat["skill"].why_not is not None and flat["mae"].value == 0.0


def test_the_scale_is_the_seasonal_naive_error_within_each_series() -> None:
    # 1, 3, 2, 6 by two rows: |2 − 1|, |6 − 3|; 5, 5, 9: |9 − 5|. None crosses from one series to the next.
    assert naive_scale([np.array([1.0, 3, 2, 6]), np.array([5.0, 5, 9])], 2) == pytest.approx((1 + 3 + 4) / 3)
    assert naive_scale([np.array([1.0, np.nan, 4.0, 6.0])], 1) == pytest.approx(2.0)
    assert naive_scale([np.array([1.0, 1.0])], 1) is None
    assert naive_scale([np.array([1.0])], 1) is None


def test_blocks_widen_the_interval_of_forecasts_that_share_their_truth() -> None:
    rng = np.random.default_rng(1)
    drift = np.repeat(rng.normal(size=20), 30)
    truth = drift[:, None] + np.zeros((600, 3))
    alone = forecast_metrics(truth, np.zeros((600, 3)), np.zeros(600), scale=1.0)[0]
    together = forecast_metrics(truth, np.zeros((600, 3)), np.zeros(600), scale=1.0, blocks=np.repeat(np.arange(20), 30))[0]
    assert alone.high is not None and alone.low is not None and together.high is not None and together.low is not None
    assert together.high - together.low > 2 * (alone.high - alone.low)
