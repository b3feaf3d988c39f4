"""What every family that forecasts promises: as many values as are asked for, from windows, through its predictor."""

from __future__ import annotations

import numpy as np
import pytest

from core.features.forecast_target import ForecastTarget
from core.models import MODELS, Question, Shape, is_table, model_by_key
from core.models.estimate import estimate_forecast, reads_windows
from core.models.own_past_columns import n_own_past_columns, own_past_columns
from core.serving.predictors import predictor_of

H, ROWS = 3, 12
SHALLOW = [spec for spec in MODELS if "forecast" in spec.tasks and spec.role == "baseline"]
TARGET = ForecastTarget(H, "last", 6, True, own_mean=5.0, own_scale=2.0, mean=5.0, scale=1.5)


def series(n: int = 400) -> np.ndarray:
    """Scaled windows (n, ROWS, 3): the target, another column, and the target one season before the furthest row ahead."""
    rng = np.random.default_rng(0)
    own = np.sin(2 * np.pi * np.arange(n + ROWS) / 6) + 0.1 * rng.normal(size=n + ROWS)
    season = np.roll(own, 6 - H)
    values = np.column_stack([own, rng.normal(size=n + ROWS), season]).astype(np.float32)
    at = np.arange(ROWS + 6, n) if n > 100 else np.arange(n)
    return np.stack([values[i - ROWS + 1 : i + 1] for i in at])


def asked(windows: np.ndarray) -> np.ndarray:
    """What follows each window, in the units of the target: the next H values less the last."""
    own = np.concatenate([windows[0, :, 0], windows[1:, -1, 0]])
    starts = np.arange(len(windows)) + ROWS
    last = own[starts - 1]
    found = np.stack([own[np.minimum(starts + k, len(own) - 1)] - last for k in range(H)], axis=1)
    return found * TARGET.own_scale / TARGET.scale


@pytest.mark.parametrize("spec", SHALLOW, ids=lambda s: s.key)
def test_a_shallow_family_gives_every_step_and_learns_a_wave(spec) -> None:  # type: ignore[no-untyped-def]
    windows = series()
    wanted = asked(windows)
    train, test = slice(0, 300), slice(300, -H)
    settings = spec.settings()
    if reads_windows(spec):
        fitted = spec.fit_windows(windows[train], wanted[train], settings, Shape(ROWS, 3, H), "forecast", 1)
    else:
        columns = own_past_columns(windows[train], H, has_season=True)
        if is_table(spec):
            fitted = spec.fit_table(columns, wanted[train], settings, 1, Question("forecast"))
        else:
            fitted = spec.fit(columns, wanted[train], settings, 1)
    said = predictor_of(fitted, TARGET).predict(windows[test])
    assert said.shape == wanted[test].shape
    error = np.abs(said - wanted[test]).mean()
    still = np.abs(wanted[test]).mean()
    assert error == pytest.approx(still) if spec.key == "last_value" else error < 0.35 * still


def test_the_value_of_one_season_ago_is_read_from_the_last_feature() -> None:
    windows = series()[:5]
    fitted = model_by_key("season_ago").fit(np.zeros((2, 1)), None, None, 0)  # type: ignore[union-attr]
    said = predictor_of(fitted, TARGET).predict(windows)
    wanted = (windows[:, -H:, -1] - windows[:, -1:, 0]) * TARGET.own_scale / TARGET.scale
    np.testing.assert_allclose(said, wanted, atol=1e-6)


def test_boosting_of_several_steps_is_a_booster_for_each() -> None:
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(300, 4))
    targets = np.column_stack([inputs[:, 0], -inputs[:, 1], inputs[:, 0] * 2])
    spec, question = model_by_key("gradient_boosting"), Question("forecast", folds=np.arange(300) * 5 // 300)
    fitted = spec.fit_table(inputs, targets, spec.settings(rounds=30), 3, question)  # type: ignore[union-attr]
    import onnxruntime

    session = onnxruntime.InferenceSession(fitted.onnx, providers=["CPUExecutionProvider"])
    said = session.run(None, {"windows": inputs.astype(np.float32)})[0]
    assert said.shape == (300, 3)
    for step in range(3):
        assert np.corrcoef(said[:, step], targets[:, step])[0, 1] > 0.95
    again = spec.fit_table(inputs, targets, spec.settings(rounds=30), 3, question)  # type: ignore[union-attr]
    assert again.onnx == fitted.onnx


def test_the_columns_are_as_many_as_are_counted() -> None:
    windows = np.random.default_rng(0).normal(size=(2, 7, 4))
    for has_season in (False, True):
        for horizon in (3, 9):
            given = own_past_columns(windows, horizon, has_season)
            assert given.shape == (2, n_own_past_columns(7, 4, horizon, has_season))


def test_a_cost_is_known_for_every_family_that_forecasts() -> None:
    for spec in MODELS:
        if "forecast" in spec.tasks:
            found = estimate_forecast(spec, spec.settings(), Shape(96, 4, 24), 20_000, has_season=True)
            assert 0 < found.epoch_seconds < 3_600 and 0 < found.memory_bytes < 3e9, spec.key
