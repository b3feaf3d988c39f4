"""The PHM 2008 score, by hand."""

import math

import numpy as np
import pytest

from core.evaluation import phm08_score


def test_late_costs_more_than_early() -> None:
    assert phm08_score([100], [110]).value == pytest.approx(math.e - 1)
    assert phm08_score([100], [87]).value == pytest.approx(math.e - 1)
    assert phm08_score([50, 50, 50], [50, 60, 40]).value == pytest.approx(math.exp(1) - 1 + math.exp(10 / 13) - 1)
    assert phm08_score([10.0, 20.0], [10.0, 20.0]).value == 0.0


def test_unknown_rows_are_left_out() -> None:
    found = phm08_score([100, np.nan, 5], [110, 1, np.nan])
    assert (found.key, found.n) == ("phm08", 1)


def test_no_row_and_an_overflow_are_not_defined() -> None:
    assert "no row" in str(phm08_score([], []).why_not)
    assert phm08_score([0.0], [1e6]).value is None
    assert "no finite value" in str(phm08_score([0.0], [1e6]).why_not)
