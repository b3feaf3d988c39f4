"""Reliability, Brier score, calibration error and temperature, against hand figures, scikit-learn and simulations of known truth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from core.evaluation.calibration import at_temperature, calibration, fit_temperature, log_loss, temperature_gain


def test_figures_by_hand() -> None:
    # Two bins of ten rows: ten say .2 and 3 come, ten say .7 and 6 come. ECE = (10 · .1 + 10 · .1) / 20.
    p = np.r_[np.full(10, 0.2), np.full(10, 0.7)]
    y = np.r_[np.arange(10) < 3, np.arange(10) < 6]
    found = calibration(y, p, n_bins=2)
    assert [(b.n, b.said, b.came) for b in found.bins] == [(10, pytest.approx(0.2), 0.3), (10, pytest.approx(0.7), 0.6)]
    assert found.ece.value == pytest.approx(0.1)
    assert found.brier.value == pytest.approx(brier_score_loss(y, p))
    assert found.brier_of_share == pytest.approx(0.45 * 0.55)


@pytest.mark.parametrize("n", [300, 30_000])
def test_calibrated_probabilities_are_called_off_as_seldom_as_promised(n: int) -> None:
    """Truth drawn from the probabilities: at most about one in twenty is called off (60 draws, binomial bound at 99.9 %)."""
    rng = np.random.default_rng(1)
    off = 0
    for seed in range(60):
        p = rng.beta(0.5, 3, n)
        found = calibration(rng.random(n) < p, p, n_boot=0, seed=seed)
        off += found.is_off is True
    assert off <= 10


def test_overconfident_probabilities_are_called_off_and_the_interval_holds_the_truth() -> None:
    rng = np.random.default_rng(2)
    logit = rng.normal(0, 1, 4000)
    y = rng.random(4000) < 1 / (1 + np.exp(-logit))
    said = 1 / (1 + np.exp(-3 * logit))
    found = calibration(y, said)
    assert found.is_off is True
    true_error = np.abs(said - 1 / (1 + np.exp(-logit))).mean()
    assert found.ece.low is not None and found.ece.high is not None and found.ece.value is not None
    assert found.ece.low < found.ece.value < found.ece.high
    assert found.ece.low - 0.01 < true_error < found.ece.high + 0.02  # bins can only hide some of it


def test_equal_probabilities_stay_in_one_bin_and_few_rows_make_few_bins() -> None:
    p = np.r_[np.zeros(90), np.linspace(0.1, 1, 10)]
    found = calibration(p > 0.5, p)
    assert found.bins[0].n == 90
    assert len(calibration(np.arange(25) < 5, np.linspace(0, 1, 25)).bins) == 2


def test_bins_of_a_rare_class_lie_where_its_probabilities_are_told_apart() -> None:
    """2 % of 5,000 rows: bins of equally many rows would leave one for everything above 5 %."""
    rng = np.random.default_rng(6)
    p = rng.beta(0.12, 5.0, 5000)
    found = calibration(rng.random(5000) < p, p, n_boot=0)
    above = [b for b in found.bins if b.said > 0.05]
    assert len(above) >= 6
    assert sum(b.n for b in found.bins) == 5000 and min(b.n for b in found.bins) >= 10
    told = [float((p * (1 - p))[(p >= b.low) & (p <= b.high)].sum()) for b in above]
    assert max(told) < 3 * min(told)  # about equally much in each


def test_bins_of_evenly_spread_probabilities_have_about_equally_many_rows() -> None:
    p = np.random.default_rng(7).uniform(0.45, 0.55, 1500)
    sizes = [b.n for b in calibration(p > 0.5, p, n_boot=0).bins]
    assert len(sizes) == 15 and max(sizes) - min(sizes) <= 4


def test_without_rows_nothing_is_defined() -> None:
    found = calibration(np.zeros(2, bool), np.full(2, np.nan))
    assert found.brier.value is None
    assert "no row" in str(found.brier.why_not)
    assert found.is_off is None


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_them_is_found(true_temperature: float) -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, (20_000, 4))
    true = at_temperature(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 1.0)
    y = (rng.random(len(true))[:, None] > np.cumsum(true, axis=1)).sum(axis=1)
    said = at_temperature(true, 1 / true_temperature)  # sharpened or flattened by what has to be undone
    found = fit_temperature(y, said)
    assert found.value == pytest.approx(true_temperature, rel=0.05)
    # What is below 1e-12 counts as 1e-12, which 1 / 2.5 of its logarithm makes 2e-5.
    np.testing.assert_allclose(at_temperature(said, true_temperature), true, atol=2e-5)
    assert found.log_loss_after == pytest.approx(log_loss(y, at_temperature(said, found.value or 1)), abs=1e-9)


def test_log_loss_equals_scikit_learn_and_leaves_unknown_rows_out() -> None:
    rng = np.random.default_rng(5)
    p = rng.dirichlet(np.ones(3), 50)
    y = rng.integers(0, 3, 50)
    assert log_loss(y, p) == pytest.approx(sklearn_log_loss(y, p, labels=[0, 1, 2]))
    y[:10] = -1
    assert log_loss(y, p) == pytest.approx(sklearn_log_loss(y[10:], p[10:], labels=[0, 1, 2]))


def test_a_probability_of_nothing_costs_much_but_not_without_end() -> None:
    found = fit_temperature(np.r_[np.zeros(60, int), 1], np.tile([1.0, 0.0], (61, 1)))
    assert found.value is not None
    assert found.value > 1
    assert np.isfinite(found.log_loss_after)


def test_too_few_rows_have_no_temperature() -> None:
    found = fit_temperature(np.arange(49) % 2, np.full((49, 2), 0.5))
    assert found.value is None
    assert "50" in str(found.why_not)


def test_outcomes_that_come_in_blocks_are_not_called_off_for_it() -> None:
    """Calibrated, but all 50 rows of a block come out alike: at most about one in twenty is called off with blocks, nearly all without."""
    rng = np.random.default_rng(7)
    blocks = np.repeat(np.arange(60), 50)
    together = apart = 0
    for seed in range(40):
        level = rng.beta(1, 4, 60)[blocks]
        y = (rng.random(60) < level[::50])[blocks]
        together += calibration(y, level, n_boot=1, seed=seed, blocks=blocks).is_off is True
        apart += calibration(y, level, n_boot=0, seed=seed).is_off is True
    assert together <= 8
    assert apart >= 35


def _calls(seed: int, n: int, sure: float) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes of three classes, and their true probabilities sharpened (`sure` above 1) or flattened."""
    rng = np.random.default_rng(seed)
    true = at_temperature(rng.dirichlet([1, 1, 1], n), 0.5)
    return (true.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1), at_temperature(true, 1 / sure)


def test_a_temperature_is_a_clear_gain_only_where_probabilities_are_off() -> None:
    """Right ones gain nothing by chance: the lower bound is above 0 in 5 of 100 at most. Twice as sure ones gain, and by the loss they lose."""
    right = [temperature_gain(*_calls(seed, 300, 1.0)) for seed in range(100)]
    assert sum(g.is_clear for g in right) <= 5
    truth, said = _calls(1, 2000, 2.0)
    found = temperature_gain(truth, said)
    assert found.is_clear and found.n == found.n_units == 2000 and found.why_not is None
    undone = log_loss(truth, said) - log_loss(truth, at_temperature(said, 2.0))
    assert found.mean == pytest.approx(undone, abs=0.005)


def test_a_gain_needs_blocks_and_rows_enough_and_says_which_are_missing() -> None:
    truth, said = _calls(2, 60, 2.0)
    found = temperature_gain(truth[:55], said[:55])
    assert found.mean is None and not found.is_clear
    assert str(found.why_not).startswith("the 55 validation rows are too few"), "four fifths of 55 rows are fewer than 50"
    many = _calls(3, 20_000, 2.0)
    for n_lots, words in ((4, "from 4 groups, and 5"), (1, "from 1 group, and 5")):
        few = temperature_gain(*many, blocks=np.repeat(np.arange(n_lots), 20_000 // n_lots))
        assert few.low is None and not few.is_clear and few.n_units == n_lots
        assert str(few.why_not).startswith("the 20,000 validation rows come " + words), "lots are too few, not rows"
    enough = temperature_gain(*many, blocks=np.repeat(np.arange(8), 2_500))
    assert enough.is_clear and enough.n_units == 8 and enough.why_not is None


def test_a_gain_needs_two_classes_outside_of_each_fifth() -> None:
    """The second class lies in one of ten lots: without the fifth that holds it there is nothing to fit."""
    lots, truth = np.repeat(np.arange(10), 100), np.zeros(1_000, int)
    truth[:50] = 1
    said = np.tile([0.9, 0.1], (1_000, 1))
    found = temperature_gain(truth, said, blocks=lots)
    assert found.mean is None and "one class is left" in str(found.why_not) and "too few" not in str(found.why_not)


def test_a_gain_that_does_not_vary_says_so() -> None:
    """Said is one half, whatever the temperature: each draw gives no change at all."""
    found = temperature_gain(np.arange(200) % 2, np.full((200, 2), 0.5))
    assert found.mean == pytest.approx(0, abs=1e-12) and found.low is None
    assert "the same change of the log loss each time" in str(found.why_not)
