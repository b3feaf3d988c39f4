"""Pp and Ppk by hand, their intervals against simulation, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from core.spc.capability import Capability, capability
from core.spc.individuals import NotDefined


def spread(mean: float, sd: float, n: int = 100) -> np.ndarray:
    """n values with exactly this mean and standard deviation (n − 1)."""
    half = sd * np.sqrt((n - 1) / n)
    return mean + half * np.where(np.arange(n) % 2, 1.0, -1.0)


def test_indices_by_hand() -> None:
    found = capability(spread(16, 2), 8, 20)
    assert isinstance(found, Capability)
    assert found.pp == pytest.approx(1.0)  # (20 − 8) / 12
    assert found.ppk == pytest.approx(4 / 6)  # the upper limit is 2 standard deviations away
    # Bissell (1990) by hand: 1.95996 · sqrt(1/900 + 0.44444/198) = 0.11351
    assert (found.ppk_low, found.ppk_high) == pytest.approx((0.66667 - 0.11351, 0.66667 + 0.11351), abs=1e-4)


def test_one_limit_counts_one_side() -> None:
    lower, upper = capability(spread(16, 2), 8, None), capability(spread(16, 2), None, 20)
    assert isinstance(lower, Capability) and isinstance(upper, Capability)
    assert (lower.ppk, upper.ppk) == pytest.approx((8 / 6, 4 / 6))
    assert lower.pp is None and upper.pp_high is None


def test_a_mean_outside_is_negative_and_the_rows_outside_are_counted() -> None:
    found = capability(spread(21, 0.5), 8, 20)
    assert isinstance(found, Capability)
    assert found.ppk == pytest.approx(-1 / 1.5)
    assert found.outside == 1.0


def test_intervals_cover_the_truth_as_often_as_they_promise() -> None:
    rng = np.random.default_rng(5)
    samples = [capability(rng.normal(10, 1, 60), 6, 13) for _ in range(2_000)]
    found = [s for s in samples if isinstance(s, Capability)]
    assert len(found) == 2_000
    ppk = np.mean([f.ppk_low <= 1.0 <= f.ppk_high for f in found])
    pp = np.mean([f.pp_low <= 7 / 6 <= f.pp_high for f in found])  # type: ignore[operator]
    assert 0.93 <= ppk <= 0.975
    assert 0.935 <= pp <= 0.965


@pytest.mark.parametrize(
    ("values", "limits", "why"),
    [
        (spread(1, 1), (None, None), "no specification limit"),
        (spread(1, 1, 20), (0, 2), "at least 30"),
        (np.full(50, 3.0), (0, 4), "do not spread"),
        (np.full(50, np.nan), (0, 4), "there are 0"),
    ],
)
def test_what_is_not_defined_says_why(values: np.ndarray, limits: tuple[float | None, float | None], why: str) -> None:
    found = capability(values, *limits)
    assert isinstance(found, NotDefined)
    assert why in str(found.reason)
