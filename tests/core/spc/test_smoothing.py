"""The recursion of EWMA and the two tests of shape, against SciPy's own, which they replace for the time that it takes to read."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.signal import lfilter
from scipy.stats import kurtosistest, skewtest

from core.spc.shape_tests import kurtosis_z, skewness_z
from core.spc.smoothing import smoothed


@pytest.mark.parametrize("weight", [0.01, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("shape", [(1,), (500,), (500, 3)])
def test_smoothing_is_the_first_order_filter(weight: float, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(3).normal(1e4, 1.0, shape)
    assert_allclose(smoothed(values, weight), lfilter([weight], [1, weight - 1], values, axis=0), rtol=1e-12)


def test_nothing_is_smoothed_to_nothing() -> None:
    assert smoothed(np.zeros(0), 0.2).shape == (0,)
    assert smoothed(np.zeros((0, 2)), 0.2).shape == (0, 2)


@pytest.mark.parametrize("draw", ["normal", "exponential", "uniform", "standard_cauchy"])
@pytest.mark.parametrize("n", [20, 21, 100, 5000])
def test_shapes_are_told_as_scipy_does(draw: str, n: int) -> None:
    values = getattr(np.random.default_rng(n), draw)(size=n)
    assert skewness_z(values) == pytest.approx(float(skewtest(values).statistic), rel=1e-9, abs=1e-9)
    assert kurtosis_z(values) == pytest.approx(float(kurtosistest(values).statistic), rel=1e-9, abs=1e-9)


def test_the_kurtosis_of_twenty_steps_is_the_published_figure() -> None:
    # SciPy's documentation of kurtosistest: -1.7058 for 0 to 19.
    assert kurtosis_z(np.arange(20.0)) == pytest.approx(-1.7058104152122062)
    assert skewness_z(np.arange(20.0)) == pytest.approx(0.0, abs=1e-12)


def test_few_or_equal_values_have_no_shape() -> None:
    for values in (np.arange(19.0), np.ones(50), np.zeros(0)):
        assert math.isnan(skewness_z(values)) and math.isnan(kurtosis_z(values))
