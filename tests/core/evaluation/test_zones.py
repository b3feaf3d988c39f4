"""Zones and foretold capability: by hand, and their promises on simulated parts of which the true value is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.evaluation.zones import (
    ACCEPT,
    MEASURE,
    REJECT,
    Limits,
    NoZones,
    Zones,
    count_zones,
    make_zones,
    predicted_ppk,
    zone_of,
)


def test_zones_by_hand() -> None:
    """Errors -5 … 4 with a risk of 1 in 5.5: k = 9 of 10, so that the truth lies at most 3 above and 4 below."""
    found = make_zones(np.arange(-5.0, 5.0), Limits(0.0, 100.0), risk=2 / 11)
    assert isinstance(found, Zones)
    assert (found.above, found.below, found.n) == (3.0, 4.0, 10)
    assert (found.accept.lower, found.accept.upper) == (4.0, 97.0)
    assert (found.reject.lower, found.reject.upper) == (-3.0, 104.0)
    places = zone_of(found, np.array([-3.1, -3.0, 3.9, 4.0, 97.0, 97.1, 104.0, 104.1, np.nan]))
    assert places.tolist() == [REJECT, MEASURE, MEASURE, ACCEPT, ACCEPT, MEASURE, MEASURE, REJECT, MEASURE]
    counts = count_zones(found, np.array([-1.0, 50.0, 101.0, np.nan]), np.array([5.0, 50.0, 110.0, 50.0]))
    assert counts.n.tolist() == [2, 0, 1]
    assert (counts.wrong(ACCEPT), counts.wrong(REJECT)) == (1, 0)


def test_one_limit_makes_one_side() -> None:
    found = make_zones(np.linspace(-1, 1, 99), Limits(None, 10.0), risk=0.05)
    assert isinstance(found, Zones)
    assert found.accept.lower is None
    assert zone_of(found, np.array([-1e9, 12.0])).tolist() == [ACCEPT, REJECT]


def test_too_few_rows_and_no_limit_say_why() -> None:
    few = make_zones(np.zeros(18), Limits(0.0, None), risk=0.05)
    assert isinstance(few, NoZones)
    assert "needs 19 held-out rows; there are 18" in str(few.reason)
    assert isinstance(make_zones(np.zeros(99), Limits(None, None), risk=0.05), NoZones)
    assert "there are 0" in str(getattr(make_zones(np.full(3, np.nan), Limits(0.0, None), risk=0.05), "reason", ""))


def test_limits_that_are_too_close_accept_nothing() -> None:
    found = make_zones(np.linspace(-5, 5, 99), Limits(-1.0, 1.0), risk=0.05)
    assert isinstance(found, Zones)
    assert found.accepts_none
    assert not (zone_of(found, np.linspace(-20, 20, 401)) == ACCEPT).any()


@pytest.mark.parametrize("skewed", [False, True])
def test_the_risk_is_kept_on_new_parts(skewed: bool) -> None:
    """Over 400 calibrations of 200 rows the mean share of accepted-though-outside and rejected-though-inside is at most the risk a side."""
    rng = np.random.default_rng(8)
    limits, wrong = Limits(-1.5, 1.5), []
    for _ in range(400):
        errors = rng.exponential(0.5, 200) - 0.5 if skewed else rng.normal(0, 0.5, 200)
        zones = make_zones(errors, limits, risk=0.05)
        assert isinstance(zones, Zones)
        prediction = rng.normal(0, 1.2, 500)
        truth = prediction + (rng.exponential(0.5, 500) - 0.5 if skewed else rng.normal(0, 0.5, 500))
        place = zone_of(zones, prediction)
        for side in (truth > 1.5, truth < -1.5):
            wrong.append(((place == ACCEPT) & side).mean())
        above, below = (place == REJECT) & (prediction > 1.5), (place == REJECT) & (prediction < -1.5)
        wrong += [(above & (truth <= 1.5)).mean(), (below & (truth >= -1.5)).mean()]
    for kind in range(4):
        assert np.mean(wrong[kind::4]) <= 0.05


def test_a_known_gage_narrows_the_zone_and_the_promise_holds_for_the_true_value() -> None:
    """Errors of model (σ .4) and gage (σ .3) are measured together; with the gage known the truth keeps its risk and fewer parts are measured."""
    rng = np.random.default_rng(9)
    limits, wrong, measured = Limits(None, 1.0), [], []
    for _ in range(300):
        errors = rng.normal(0, 0.4, 400) + rng.normal(0, 0.3, 400)
        zones, plain = (make_zones(errors, limits, 0.05, g) for g in (0.3, None))
        assert isinstance(zones, Zones) and isinstance(plain, Zones)
        assert zones.above < plain.above
        prediction = rng.normal(0.3, 0.8, 500)
        truth = prediction + rng.normal(0, 0.4, 500)
        place = zone_of(zones, prediction)
        wrong.append(((place == ACCEPT) & (truth > 1.0)).mean())
        measured.append((place == MEASURE).mean() - (zone_of(plain, prediction) == MEASURE).mean())
    assert np.mean(wrong) <= 0.05
    assert np.mean(measured) < 0


def test_a_gage_as_wide_as_the_errors_says_so() -> None:
    found = make_zones(np.random.default_rng(0).normal(0, 0.1, 99), Limits(0.0, 1.0), 0.05, gage_sigma=0.5)
    assert isinstance(found, NoZones)
    assert "nearly all of the spread" in str(found.reason)


def test_foretold_capability_by_hand() -> None:
    """Predictions 4 … 6 (variance 1) with errors of variance 3: σ = 2, the mean 5 is 6 from the nearer limit: Ppk = 1."""
    spread = math.sqrt(1.5)  # three errors -a, 0, a have the variance a²
    found = predicted_ppk(
        truth=np.array([3.0, 5.0, 7.0]),
        predictions=np.array([4.0, 5.0, 6.0]),
        errors=np.array([-math.sqrt(3.0), 0.0, math.sqrt(3.0)]),
        limits=Limits(-1.0, 12.0),
    )
    assert spread > 0
    assert found.predictions_alone == pytest.approx(2.0)
    assert found.predicted == pytest.approx(1.0)
    assert found.measured == pytest.approx(1.0)


def test_foretold_capability_is_unbiased_where_predictions_alone_promise_too_much() -> None:
    rng = np.random.default_rng(3)
    signal, error = rng.normal(10, 1, 20_000), rng.normal(0.2, 1, 20_000)
    found = predicted_ppk(signal + error, signal, error[:5000], Limits(6.0, 14.0))
    truth = (14 - 10.2) / (3 * math.sqrt(2))
    assert found.predicted == pytest.approx(truth, rel=0.03)
    assert found.measured == pytest.approx(truth, rel=0.03)
    assert found.predictions_alone is not None and found.predictions_alone > 1.3 * truth
    low, high = found.predicted_bounds
    assert low is not None and high is not None and low < (found.predicted or 0) < high


def test_the_interval_of_a_foretold_capability_holds_the_truth_with_few_errors_too() -> None:
    """Truth = prediction + error, both normal. With errors taken as known, seven of ten intervals miss it."""
    truth, rng, held = (14 - 10.0) / (3 * math.sqrt(2)), np.random.default_rng(8), []
    for i in range(200):
        signal, error = rng.normal(10, 1, 2000), rng.normal(0, 1, 100)
        low, high = predicted_ppk(np.full(2000, np.nan), signal, error, Limits(6.0, 14.0), seed=i).predicted_bounds
        assert low is not None and high is not None
        held.append(low <= truth <= high)
    assert (
        np.mean(held) >= 0.88
    )  # 92 % in 600 of them: a percentile interval of a variance is a little narrow; 200 vary by 4 points


def test_few_errors_give_no_interval() -> None:
    found = predicted_ppk(np.arange(50.0), np.arange(50.0), np.array([-1.0, 1.0]), Limits(0.0, 60.0))
    assert found.predicted is not None and found.predicted_bounds == (None, None)
    assert found.measured_bounds[0] is not None


def test_without_spread_there_is_no_capability() -> None:
    found = predicted_ppk(np.full(5, 2.0), np.full(5, 2.0), np.zeros(0), Limits(0.0, 4.0))
    assert found.measured is None
    assert found.predicted is None
