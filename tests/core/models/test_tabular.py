"""The tabular network: it follows a wave that a straight line cannot, and sees a window as six statistics a feature."""

from __future__ import annotations

import numpy as np
import pytest

from core.models import Shape, model_by_key
from core.training.data import ArraySource, TrainingData
from core.training.fit import fit_network
from core.training.settings import FitSettings

pytestmark = pytest.mark.slow


def test_a_wave_that_no_line_follows_is_learned() -> None:
    spec, rng = model_by_key("tabular"), np.random.default_rng(0)
    rows = rng.normal(size=(800, 1, 3)).astype(np.float32)
    wave = np.sin(3 * rows[:, 0, 0])[:, None].astype(np.float32)
    parts = TrainingData(ArraySource(rows[:500], wave[:500]), ArraySource(rows[500:600], wave[500:600]))
    trained = fit_network(
        spec,
        spec.settings.read({"units": 32, "layers": 2}),
        Shape(1, 3, 1),
        "regression",
        parts,
        FitSettings(epochs=12, batch_size=32, learning_rate=0.01),
        emit=lambda _: None,
        stop_requested=lambda: False,
        checkpoints=None,
        seed=1,
    )
    error = trained.model.predict_on_batch(rows[600:]) - wave[600:]
    line, *_ = np.linalg.lstsq(np.c_[np.ones(500), rows[:500, 0]], wave[:500], rcond=None)
    straight = np.c_[np.ones(200), rows[600:, 0]] @ line - wave[600:]
    assert np.sqrt((error**2).mean()) < 0.5 * np.sqrt((straight**2).mean())


def test_a_window_is_seen_as_six_statistics_in_the_units_of_the_feature() -> None:
    import keras

    from core.models.tabular import _statistics

    windows = keras.Input((5, 1))
    found = keras.Model(windows, _statistics(windows, Shape(5, 1, 1))).predict_on_batch(
        np.array([[[1.0], [3.0], [100.0], [7.0], [9.0]], [[2.0]] * 5], dtype=np.float32)
    )
    # mean 24; squares of the distances 529 + 441 + 5776 + 289 + 225 = 7260, a fifth is 1452; halves 2 and 8
    assert found[0] == pytest.approx([24, 1452**0.5, 1, 100, 9, 6], rel=1e-5)
    assert found[1] == pytest.approx([2, 0, 2, 2, 2, 0], abs=1e-5)
