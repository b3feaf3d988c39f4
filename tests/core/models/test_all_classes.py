"""A class without rows to fit keeps its column: outputs have as many columns as the run has classes."""

from __future__ import annotations

import numpy as np

from core.models.logistic import SPEC, LogisticSettings
from core.models.spec import Question
from core.serving.predictors import predictor_of


def test_the_last_class_without_rows_has_probability_zero() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 2))
    codes = (inputs[:, 0] > 0).astype(float)
    whole, two = (SPEC.fit_table(inputs, codes, LogisticSettings(), 0, Question("classification", n)) for n in (4, 2))
    given = predictor_of(whole).predict(inputs[:, None, :].astype(np.float32))
    assert given.shape == (60, 4)
    np.testing.assert_array_equal(given[:, 2:], 0.0)
    np.testing.assert_allclose(given[:, :2], predictor_of(two).predict(inputs[:, None, :].astype(np.float32)))
