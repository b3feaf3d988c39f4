"""Chances of single units and of a fleet: slow and obvious computations, simulated truth, and cases at the edge."""

import itertools

import numpy as np
import pytest

from core.evaluation.survival import HeldOut, chance_quality, count_by_lives, count_failures, due_times, fit_weibull


def test_the_number_of_failures_is_enumerated() -> None:
    chances = [0.2, 0.5, 0.9, 0.05, 0.7]
    by_number = np.zeros(6)
    for came in itertools.product([0, 1], repeat=5):
        by_number[sum(came)] += np.prod([p if c else 1 - p for p, c in zip(chances, came, strict=True)])
    reached = np.cumsum(by_number)
    found = count_failures([*chances, np.nan])
    assert found.n == 5 and found.expected == pytest.approx(sum(chances))
    assert (found.low, found.high) == (int(np.argmax(reached >= 0.025)), int(np.argmax(reached >= 0.975)))


def test_it_is_the_distribution_of_scipy() -> None:
    from scipy.stats import poisson_binom

    chances = np.random.default_rng(4).uniform(0, 1, 60)
    found = count_failures(chances)
    assert (found.low, found.high) == (poisson_binom.ppf(0.025, chances), poisson_binom.ppf(0.975, chances))


def test_a_large_fleet_has_the_interval_of_its_enumeration() -> None:
    from scipy.stats import binom

    found = count_failures(np.full(2000, 0.1))
    assert abs(found.low - binom.ppf(0.025, 2000, 0.1)) <= 1 and abs(found.high - binom.ppf(0.975, 2000, 0.1)) <= 1


def test_certain_failures_and_no_units() -> None:
    assert (count_failures([1.0, 1.0, 0.0]).low, count_failures([1.0, 1.0, 0.0]).high) == (2, 2)
    assert count_failures([]).n == 0 and count_failures([np.nan]).expected == 0.0


def test_the_interval_by_age_holds_what_comes_about_so_often() -> None:
    # 40 units ran to failure, 30 others run at known ages; the interval has to hold the number that fails within 30.
    rng = np.random.default_rng(2)
    held, only_chance = 0, 0
    for seed in range(200):
        past, ages = 100 * rng.weibull(2.0, 40), rng.uniform(20, 90, 30)
        fit = fit_weibull(past, np.ones(40, dtype=bool))
        lives = 100 * ((ages / 100) ** 2 + rng.exponential(size=30)) ** 0.5  # given that they reached their ages
        came = int((lives <= ages + 30).sum())
        found = count_by_lives(fit, ages, 30, seed)
        assert found is not None and fit.curve is not None
        held += found.low <= came <= found.high
        narrow = count_failures(1 - fit.curve.chance_to_last(ages, 30))
        only_chance += narrow.low <= came <= narrow.high
    assert held >= 183, held  # 190 wanted
    assert held > only_chance, "an interval that forgets how rough the curve is holds less"
    assert count_by_lives(fit_weibull([3.0], [True]), [1.0], 5) is None


def test_when_units_are_due() -> None:
    chances = np.array([[0.4, 0.3, 0.2], [0.9, 0.5, 0.4], [0.9, 0.8, 0.7], [np.nan, np.nan, np.nan]])
    assert due_times(chances, np.array([10.0, 20.0, 30.0])).tolist() == [0, 2, 3, 3]


def test_chances_of_the_model_are_counted_among_the_nearest_errors() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0, 120, 900)
    came = np.maximum(0, predicted + rng.normal(0, 2 + predicted / 6))
    held = HeldOut(predicted, came)
    for at in (0.0, 13.0, 60.0, 119.0, 500.0):
        near = np.argsort(np.abs(predicted - at), kind="stable")[:90]  # a tenth, the slow way
        lives = at + (came - predicted)[near]
        for within in (5.0, 30.0):
            assert held.chance_to_last(at, within)[0, 0] == pytest.approx((np.count_nonzero(lives > within) + 0.5) / 91)
    assert np.isnan(held.chance_to_last(np.nan, 5.0)).all()
    assert held.chance_to_last([1.0, 2.0], [3.0, 4.0, 5.0]).shape == (2, 3)


def test_few_held_out_units_make_the_number_less_sure() -> None:
    # 12 units held out, each with an error of its own for all of its rows; 60 others of the same kind run.
    rng = np.random.default_rng(6)
    held, only_chance = 0, 0
    for seed in range(150):
        units = np.repeat(np.arange(12), 40)
        predicted = np.tile(np.linspace(5, 80, 40), 12)
        came = np.maximum(0, predicted + rng.normal(0, 15, 12)[units])
        now = rng.uniform(5, 80, 60)
        failed = int((np.maximum(0, now + rng.normal(0, 15, 60)) <= 30).sum())
        known = HeldOut(predicted, came, units)
        chance = 1 - known.chance_to_last(now, 30.0)[:, 0]
        found = count_failures(chance, 1 - known.drawn_chances(now, 30.0, seed=seed)[:, :, 0])
        held += found.low <= failed <= found.high
        narrow = count_failures(chance)
        only_chance += narrow.low <= failed <= narrow.high
        assert found.expected == narrow.expected
    assert held >= 135 > only_chance, (held, only_chance)  # 142 wanted; as single rows they look far surer than they are


def test_chances_drawn_with_every_unit_once_are_the_chances() -> None:
    rng = np.random.default_rng(7)
    known = HeldOut(rng.uniform(0, 100, 300), rng.uniform(0, 100, 300), np.repeat(np.arange(30), 10))
    drawn = known.drawn_chances([20.0, 70.0], [10.0, 40.0], draws=3000)
    np.testing.assert_allclose(drawn.mean(axis=0), known.chance_to_last([20.0, 70.0], [10.0, 40.0]), atol=0.01)
    assert known.n_units == 30 and HeldOut([1.0, 2.0], [1.0, 2.0]).n_units == 2 and HeldOut([], []).n_units == 0


def test_with_few_held_out_rows_there_is_no_chance() -> None:
    held = HeldOut(np.r_[np.arange(19.0), np.nan], np.zeros(20))
    assert held.n == 19 and not held.is_enough and np.isnan(held.chance_to_last(5.0, 5.0)).all()
    enough = HeldOut(np.arange(20.0), np.arange(20.0))
    assert enough.is_enough and enough.chance_to_last(5.0, 4.0)[0, 0] == pytest.approx(20.5 / 21)


def test_chances_are_as_good_as_they_say() -> None:
    rng = np.random.default_rng(3)
    health, new = rng.uniform(0, 100, 4000), rng.uniform(0, 100, 4000)

    def life(x: np.ndarray) -> np.ndarray:
        return np.maximum(0, x + rng.normal(0, 1 + x / 5))

    chance = 1 - HeldOut(health, life(health)).chance_to_last(new, 30.0)[:, 0]
    found = chance_quality(chance, life(new) <= 30)
    assert found.expected == pytest.approx(found.came, abs=60)
    for _, _, n, foretold, share in found.bins:
        assert share == pytest.approx(foretold, abs=0.03 + 3 * np.sqrt(foretold * (1 - foretold) / n))


def test_the_brier_score_and_its_bins_by_hand() -> None:
    found = chance_quality([0.0, 0.1, 1.0, 0.5, 0.3, np.nan], [0, 0, 1, 1, np.nan, 1])
    assert found.brier.value == pytest.approx((0 + 0.01 + 0 + 0.25) / 4)
    assert (found.n, found.came, found.expected, found.brier_of_share) == (4, 2, pytest.approx(1.6), 0.25)
    assert [(b[0], b[2], b[4]) for b in found.bins] == [(0.0, 1, 0.0), (0.05, 1, 0.0), (0.4, 1, 1.0), (0.95, 1, 1.0)]
    assert found.brier.low is None, "four rows say nothing of the spread"
    assert chance_quality([], []).brier.value is None
    units = np.repeat(np.arange(20), 5)
    again = chance_quality(np.linspace(0, 1, 100), np.linspace(0, 1, 100) > 0.5, units)
    assert again.n_units == 20 and again.brier.low < again.brier.value < again.brier.high  # type: ignore[operator]
