"""ROC and precision-recall curves, by hand and against scikit-learn."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.evaluation import pr_curve, ranking_metrics, roc_curve
from core.evaluation.bootstrap import resampling
from core.evaluation.curves import ranking_resamples

TRUTH, SCORES = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]


def tied(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.3
    return truth, np.round(rng.normal(size=n) + truth, 1)


def test_the_textbook_case_by_hand() -> None:
    auc, ap = ranking_metrics(TRUTH, SCORES)
    assert auc.value == pytest.approx(0.75)
    assert ap.value == pytest.approx(0.5 * 1.0 + 0.5 * 2 / 3)
    curve = roc_curve(TRUTH, SCORES)
    assert curve.x.tolist() == [0.0, 0.0, 0.5, 0.5, 1.0]
    assert curve.y.tolist() == [0.0, 0.5, 0.5, 1.0, 1.0]


@pytest.mark.parametrize("seed", range(5))
def test_curves_and_areas_equal_those_of_scikit_learn_with_ties(seed: int) -> None:
    from sklearn import metrics

    truth, scores = tied(seed)
    roc, pr = roc_curve(truth, scores), pr_curve(truth, scores)
    x, y, _ = metrics.roc_curve(truth, scores, drop_intermediate=False)
    np.testing.assert_allclose(roc.x, x, atol=1e-12)
    np.testing.assert_allclose(roc.y, y, atol=1e-12)
    precision, recall, _ = metrics.precision_recall_curve(truth, scores)
    np.testing.assert_allclose(pr.x, recall[:-1][::-1], atol=1e-12)
    np.testing.assert_allclose(pr.y, precision[:-1][::-1], atol=1e-12)
    auc, ap = ranking_metrics(truth, scores, n_boot=50)
    assert auc.value == pytest.approx(metrics.roc_auc_score(truth, scores), abs=1e-12)
    assert ap.value == pytest.approx(metrics.average_precision_score(truth, scores), abs=1e-12)


def test_each_point_is_what_score_above_threshold_gives() -> None:
    truth, scores = tied(9)
    for curve, denominator in ((roc_curve(truth, scores), ~truth), (pr_curve(truth, scores), truth)):
        for x, threshold in zip(curve.x, curve.thresholds, strict=True):
            assert x == pytest.approx(np.mean(scores[denominator] > threshold))


def test_a_tie_of_good_and_bad_counts_half() -> None:
    assert ranking_metrics([0, 1], [0.5, 0.5])[0].value == 0.5
    auc, ap = ranking_metrics([0, 1, 0, 1], [1.0] * 4)
    assert (auc.value, ap.value) == (0.5, 0.5)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=40))
def test_order_and_scale_do_not_matter_and_turning_scores_turns_the_area(rows: list[tuple[bool, int]]) -> None:
    truth, scores = np.array([t for t, _ in rows]), np.array([float(s) for _, s in rows])
    if truth.all() or not truth.any():
        return
    area = ranking_metrics(truth, scores, n_boot=0)[0].value
    assert ranking_metrics(truth[::-1], np.exp(scores)[::-1], n_boot=0)[0].value == pytest.approx(area)
    assert ranking_metrics(truth, -scores, n_boot=0)[0].value == pytest.approx(1 - area)  # type: ignore[operator]


@pytest.mark.parametrize("truth", [[1, 1], [0, 0]])
def test_one_class_has_no_area_and_no_curve(truth: list[int]) -> None:
    auc, ap = ranking_metrics(truth, [0.1, 0.2])
    assert auc.value is None and ap.value is None
    assert str(auc.why_not) == "All rows belong to one class, so nothing can be told apart."
    assert not roc_curve(truth, [0.1, 0.2]).is_defined
    assert len(pr_curve(truth, [0.1, 0.2]).x) == 0


def test_rows_without_truth_or_score_are_left_out() -> None:
    auc, _ = ranking_metrics([0, 0, 1, 1, np.nan, 1], [*SCORES, 0.9, np.nan])
    assert (auc.value, auc.n) == (pytest.approx(0.75), 4)
    assert "no row" in str(ranking_metrics([], [])[0].why_not)


def test_the_interval_agrees_with_the_standard_error_of_hanley_and_mcneil() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(600) % 3 == 0
    scores = rng.normal(size=600) + truth
    auc = ranking_metrics(truth, scores)[0]
    a, n, m = float(auc.value), 200, 400  # type: ignore[arg-type]
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    error = np.sqrt((a * (1 - a) + (n - 1) * (q1 - a * a) + (m - 1) * (q2 - a * a)) / (n * m))
    assert auc.high - auc.low == pytest.approx(2 * 1.96 * error, rel=0.15)  # type: ignore[operator]


def test_curves_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        roc_curve(TRUTH, SCORES).x[0] = 1.0


def test_resampling_in_bins_equals_resampling_every_score() -> None:
    from sklearn import metrics

    rng = np.random.default_rng(0)
    truth = rng.random(5000) < 0.05
    scores = rng.normal(size=5000) + 2 * truth
    drawn = resampling(5000, None, 40, seed=0)
    found = ranking_resamples(truth, scores, drawn)
    for key, score in (("roc_auc", metrics.roc_auc_score), ("average_precision", metrics.average_precision_score)):
        slow = np.array([score(truth, scores, sample_weight=w[drawn.units]) for w in drawn.weights()])
        np.testing.assert_allclose(found[key], slow, rtol=0, atol=0.15 * slow.std())


def test_resampling_a_short_table_is_exact_with_ties_and_blocks() -> None:
    from sklearn import metrics

    truth, scores = tied(4)
    drawn = resampling(300, np.arange(300) // 10, 20, seed=1)
    found = ranking_resamples(truth, scores, drawn)["roc_auc"]
    slow = [metrics.roc_auc_score(truth, scores, sample_weight=w[drawn.units]) for w in drawn.weights()]
    np.testing.assert_allclose(found, slow, atol=1e-12)


def test_200_000_rows_take_less_than_three_seconds_of_processor_time() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(200_000) < 0.03
    start = time.process_time()
    assert ranking_metrics(truth, rng.normal(size=200_000) + truth)[0].low is not None
    assert time.process_time() - start < 3.0
