"""A class without rows to fit keeps its column: outputs have as many columns as the run has classes."""

from __future__ import annotations

import numpy as np

from core.jobs.fitting import all_classes
from core.models.logistic import SPEC, LogisticSettings
from core.serving.predictors import predictor_of


def test_the_last_class_without_rows_has_probability_zero() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 2))
    fitted = SPEC.fit(inputs, (inputs[:, 0] > 0).astype(float), LogisticSettings(), 0)
    whole = all_classes(fitted, 4)
    given = predictor_of(whole).predict(inputs[:, None, :].astype(np.float32))
    assert given.shape == (60, 4)
    np.testing.assert_array_equal(given[:, 2:], 0.0)
    np.testing.assert_allclose(given[:, :2], predictor_of(fitted).predict(inputs[:, None, :].astype(np.float32)))
    assert all_classes(whole, 4) is whole
