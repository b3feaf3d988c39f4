"""Whether the model was worth it."""

import numpy as np
import pytest

from core.errors import SettingProblem
from core.evaluation import Metric, compare_with_baseline, not_defined, paired_differences, ranking_metrics, regression_metrics
from core.evaluation.verdict import COMPARABLE, Comparison
from core.messages import msg

LATER = msg("the later 20 %")


def compared(key: str, y: np.ndarray, model: np.ndarray, baseline: np.ndarray, unit: str = "") -> Comparison:
    metrics = regression_metrics if key in ("rmse", "mae", "r2") else ranking_metrics
    a, b = ({m.key: m for m in metrics(y, v)}[key] for v in (model, baseline))
    differences = paired_differences(key, y, model, baseline)
    return compare_with_baseline(a, b, differences, baseline_title="Linear", part=LATER, unit=unit)


def test_a_clearly_smaller_error_is_better_and_says_both() -> None:
    rng = np.random.default_rng(0)
    y, e = rng.normal(size=(2, 400))
    found = compared("rmse", y, y + 0.5 * e, y + e, "mm")
    assert found.outcome == "better"
    assert found.gain > 0 and 0 < found.low < found.gain < found.high  # type: ignore[operator]
    assert str(found.message).startswith("On the later 20 % the typical error (RMSE) is 0.")
    assert " mm; Linear: " in str(found.message)
    assert str(found.message).endswith("The model is clearly better than the simple baseline.")


def test_a_clearly_larger_error_sends_people_to_the_baseline() -> None:
    rng = np.random.default_rng(0)
    y, e = rng.normal(size=(2, 400))
    found = compared("r2", y, y + e, y + 0.5 * e)
    assert found.outcome == "worse"
    assert found.gain < 0  # type: ignore[operator]
    assert str(found.message).startswith("On the later 20 %, R² is ")
    assert str(found.message).endswith("The simple baseline is clearly better: use Linear.")


def test_a_figure_of_ranking_speaks_of_the_order_and_not_of_calls() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(600) < 0.3).astype(float)
    good, bad = y + 0.3 * rng.normal(size=600), y + 2 * rng.normal(size=600)
    for ours, theirs, words in (
        (good, bad, "The model puts rows in a clearly better order than the simple baseline."),
        (bad, good, "The simple baseline puts rows in a clearly better order: use Linear."),
    ):
        model, baseline = (next(m for m in ranking_metrics(y, s) if m.key == "roc_auc") for s in (ours, theirs))
        found = compare_with_baseline(
            model, baseline, paired_differences("roc_auc", y, ours, theirs), baseline_title="Linear", part=LATER
        )
        assert str(found.message).endswith(words)


def test_equally_good_models_show_no_clear_difference() -> None:
    rng = np.random.default_rng(0)
    y, e, f = rng.normal(size=(3, 100))
    found = compared("mae", y, y + e, y + f)
    assert found.outcome == "no_clear_difference"
    assert found.low < 0 < found.high  # type: ignore[operator]
    assert "no clear difference" in str(found.message) and "simpler" in str(found.message)
    assert compared("mae", y, y + e, y + e).outcome == "no_clear_difference"


def test_four_lots_are_too_few_to_call_it_chance_or_not() -> None:
    rng = np.random.default_rng(0)
    y, e = rng.normal(size=(2, 400))
    model, baseline = regression_metrics(y, y + 0.2 * e)[0], regression_metrics(y, y + e)[0]
    differences = paired_differences("rmse", y, y + 0.2 * e, y + e, blocks=np.repeat(np.arange(4), 100))
    found = compare_with_baseline(model, baseline, differences, baseline_title="Linear", part=LATER)
    assert found.outcome == "no_interval"
    assert (found.low, found.high) == (None, None) and found.gain > 0  # type: ignore[operator]
    assert "Too few lots" in str(found.message) and "simpler" not in str(found.message)


def test_pairing_sees_a_small_steady_gain_that_separate_intervals_hide() -> None:
    rng = np.random.default_rng(0)
    y, e = rng.normal(size=(2, 200))
    found = compared("rmse", y, y + 0.95 * e, y + e)
    a, b = regression_metrics(y, y + 0.95 * e)[0], regression_metrics(y, y + e)[0]
    assert found.outcome == "better"
    assert a.high > b.low  # type: ignore[operator]


@pytest.mark.parametrize("key", COMPARABLE)
def test_every_comparable_metric_favours_the_better_model(key: str) -> None:
    rng = np.random.default_rng(1)
    truth = (rng.random(600) < 0.4).astype(float)
    noise = rng.normal(size=600)
    good, bad = truth + 0.3 * noise, truth + 1.5 * noise
    if key not in ("rmse", "mae", "r2", "roc_auc", "average_precision"):
        good, bad = (np.round(np.clip(v, 0, 1)) for v in (good, bad))
    sign = -1 if key in ("rmse", "mae", "far", "mar") else 1
    differences = sign * paired_differences(key, truth, good, bad, n_boot=100)
    assert len(differences) == 100
    assert np.mean(differences > 0) > 0.95
    np.testing.assert_allclose(differences, -sign * paired_differences(key, truth, bad, good, n_boot=100))


def test_the_differences_belong_to_the_metric() -> None:
    rng = np.random.default_rng(2)
    y, p, q = rng.normal(size=(3, 300))
    a, b = regression_metrics(y, p)[0].value, regression_metrics(y, q)[0].value
    assert np.mean(paired_differences("rmse", y, p, q, n_boot=2000)) == pytest.approx(a - b, abs=0.02)  # type: ignore[operator]


def test_what_is_not_defined_cannot_be_compared_and_says_why() -> None:
    missing = not_defined("r2", 1, msg("R² needs at least two rows."))
    found = compare_with_baseline(missing, Metric("r2", 0.5, 1), np.empty(0), baseline_title="Linear", part=LATER)
    assert found.outcome == "not_comparable"
    assert found.gain is None
    assert str(found.message) == "The model cannot be compared with the baseline. R² needs at least two rows."


def test_four_rows_are_too_few_as_well() -> None:
    y = np.arange(4.0)
    found = compared("mae", y, y, y + 1.0)
    assert (found.outcome, found.low, found.gain) == ("no_interval", None, 1.0)


def test_rows_unknown_to_either_are_left_out_of_both() -> None:
    y = np.arange(20.0)
    model, baseline = y + 1.0, y + 2.0
    model[3], baseline[4] = np.nan, np.nan
    assert paired_differences("mae", y, model, baseline, n_boot=10).tolist() == [-1.0] * 10


def test_a_metric_without_rows_cannot_be_paired() -> None:
    with pytest.raises(SettingProblem, match="metric is 'phm08'"):
        paired_differences("phm08", [1.0], [1.0], [1.0])
