"""Limits by a rule, calibration and the timeline of a real classification: chosen on the validation part, counted on the test part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.errors import NotEnoughData, SettingProblem
from core.evaluation.decision_limits import flag_counts
from core.training.request import TrainRequest
from core.workflows.class_rows import class_rows
from tests.pages.finished_runs import work_off


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> wf.Results:
    """2,000 rows a minute apart, 8 % fail; logistic regression beside its baseline."""
    folder = tmp_path_factory.mktemp("classes")
    rng = np.random.default_rng(5)
    n = 2000
    x = rng.normal(size=(n, 3))
    fail = rng.random(n) < 1 / (1 + np.exp(3.2 - 1.6 * x[:, 0]))
    table = pd.DataFrame(x, columns=["a", "b", "c"])
    table.insert(0, "when", pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n), unit="min"))
    table["result"] = np.where(fail, "fail", "pass")
    table.to_csv(folder / "table.csv", index=False)
    ws = wf.open_workspace(folder / "home")
    dataset = wf.import_file(ws, folder / "table.csv").dataset
    assert dataset is not None
    asked = {"task": "classification", "target": "result", "time": "when", "model": "gradient_boosting"}
    run = wf.start_training(ws, TrainRequest.read({"dataset_id": dataset.id, "dataset_version": 1, **asked}), token="x")
    work_off(ws.store)
    assert wf.get_run(ws, run.id).state == "succeeded", wf.get_run(ws, run.id).problem
    return wf.open_results(ws, run.id)


@pytest.mark.parametrize(
    "settings",
    [
        {"rule": "cost", "missed": 20.0, "rejected": 1.0},
        {"rule": "rejected", "most_rejected": 0.05},
        {"rule": "caught", "least_caught": 0.8},
    ],
)
def test_a_rule_holds_on_the_validation_part_and_is_counted_on_the_test_part(
    results: wf.Results, settings: dict[str, object]
) -> None:
    given = wf.LimitSettings.read(settings)
    view = wf.limit_view(results, given)
    held, test = (class_rows(results, part) for part in ("validation", "test"))
    assert view.limit is not None and view.chosen.counts is not None
    assert flag_counts(held.is_bad, held.chance, view.limit) == view.chosen.counts
    assert view.test == flag_counts(test.is_bad, test.chance, view.limit)
    assert view.own == flag_counts(test.is_bad, test.chance, results.manifest.decision)
    if given.rule == "rejected":
        assert view.chosen.counts.rejected_share <= 0.05
    if given.rule == "caught":
        assert view.chosen.counts.caught_share >= 0.8
    if given.rule == "cost":
        here, own, _, nothing = view.costs
        assert here == pytest.approx(1000 * (20 * view.test.missed + view.test.rejected) / view.test.n)
        assert nothing == pytest.approx(1000 * 20 * int(test.is_bad.sum()) / len(test.rows))
        assert own > 0
    # The screen at this limit shows the same counts.
    shown = wf.classification_view(results, "test", view.positive, view.limit)
    place = shown.classes.index(view.positive)
    assert int(shown.confusion[place, place]) == view.test.caught
    assert int(shown.confusion[1 - place, place]) == view.test.rejected


def test_what_no_limit_can_promise_says_how_many_rows_are_missing(results: wf.Results) -> None:
    view = wf.limit_view(results, wf.LimitSettings(rule="rejected", most_rejected=0.001, confident=True))
    assert view.limit is None and view.test is None
    assert "2995 good held-out rows" in str(view.headline).replace(",", "")  # ln .05 / ln .999


def test_mcnemar_counts_rows_where_model_and_baseline_differ(results: wf.Results) -> None:
    view = wf.classification_view(results)
    rows = results.part_rows("test")
    truth = results.scores["truth"].astype(str).to_numpy()[rows]
    ours = results.scores["prediction"].astype(str).to_numpy()[rows] == truth
    theirs = results.baseline_scores["prediction"].astype(str).to_numpy()[rows] == truth
    assert view.paired is not None
    assert (view.paired.first_only, view.paired.second_only) == (int((ours & ~theirs).sum()), int((theirs & ~ours).sum()))


def test_a_moved_limit_gives_what_was_given_before_curves_were_kept(results: wf.Results) -> None:
    from core.evaluation import classification_metrics, per_class, roc_curve

    given = class_rows(results, "test")
    view = wf.classification_view(results, threshold=0.2)
    whole = classification_metrics(given.truth, given.probabilities, given.classes, given.place, 0.2, n_boot=0)
    assert [(m.key, m.value) for m in view.metrics[:-1]] == [(m.key, m.value) for m in whole]
    stored = results.run.metrics
    moved = {m.key: m for m in view.metrics}
    for key in ("roc_auc", "average_precision", "unknown_fraction"):  # no limit changes them: they keep their intervals
        assert moved[key] == stored[key]
    assert view.paired is None  # chosen while the test part was looked at
    pd.testing.assert_frame_equal(view.per_class, per_class(given.truth, given.probabilities, given.classes, given.place, 0.2))
    assert view.roc.y.tolist() == roc_curve(given.is_bad, given.chance).y.tolist()
    fpr, tpr = view.operating_point
    at = int(np.flatnonzero(view.roc.thresholds <= 0.2)[0])  # the highest limit that flags the same rows
    assert (fpr, tpr) == (view.roc.x[at], view.roc.y[at])


def test_a_limit_moved_by_nothing_has_the_stored_figures_with_their_intervals(results: wf.Results) -> None:
    """Intervals at a moved limit are drawn in the same stretches of time as those of the run's own limit."""
    own = wf.classification_view(results)
    moved = wf.classification_view(results, threshold=own.threshold * (1 + 1e-12))
    assert (moved.confusion == own.confusion).all() and moved.threshold != own.threshold
    stored, found = ({m.key: (m.value, m.low, m.high, m.n) for m in view.metrics} for view in (own, moved))
    for key in ("f1", "precision", "recall", "far", "accuracy", "macro_f1"):
        assert found[key] == pytest.approx(stored[key]), key
        assert None not in found[key]


def test_the_timeline_counts_stretches_of_flags(results: wf.Results) -> None:
    line = wf.class_timeline(results, "test", threshold=0.1)
    assert (np.diff(line.times) > np.timedelta64(0)).all()
    assert line.flags.tolist() == (line.chance > 0.1).tolist()
    stretches = "".join("x" if flag else " " for flag in line.flags).split()
    assert line.alarms == len(stretches) > 0


def test_calibration_is_of_the_test_part_with_the_temperature_of_the_validation_part(
    results: wf.Results, tmp_path: Path
) -> None:
    from core.evaluation.calibration import fit_temperature

    view = wf.calibration_view(results)
    held, test = (class_rows(results, part) for part in ("validation", "test"))
    assert view.plain.brier.value == pytest.approx(float(((test.chance - test.is_bad) ** 2).mean()))
    assert view.temperature.value == fit_temperature(held.truth, held.probabilities).value
    assert view.temperature.value is not None
    assert view.is_offered == (view.scaled is not None) == (view.gain.low is not None and view.gain.low > 0)
    if not view.is_offered:
        with pytest.raises(NotEnoughData, match="No temperature is offered"):
            wf.export_calibrated(results, tmp_path / "warm.csv")


def test_a_temperature_that_helps_held_out_rows_is_offered_and_exported(
    results: wf.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gain that is clear, as a far too sure model has it, and one that is not, whatever the temperature."""
    import core.workflows.calibration as calibrating
    from core.evaluation.calibration import TemperatureGain, at_temperature

    monkeypatch.setattr(calibrating, "temperature_gain", lambda *_, **__: TemperatureGain(0.02, 0.01, 0.03, 100, 100))
    view, test = wf.calibration_view(results), class_rows(results, "test")
    assert view.scaled is not None and view.temperature.value is not None and view.is_offered
    assert "−0.02 (95 %: −0.03 to −0.01" in str(view.temperature_words)
    warm = at_temperature(test.probabilities, view.temperature.value)[:, test.place]
    assert view.scaled.brier.value == pytest.approx(float(((warm - test.is_bad) ** 2).mean()))
    wf.export_calibrated(results, tmp_path / "warm.csv")
    written = pd.read_csv(tmp_path / "warm.csv")
    assert written[f"probability_{test.positive}"].to_numpy()[test.rows] == pytest.approx(warm)
    assert written["prediction"].tolist() == results.scores["prediction"].astype(str).tolist()
    monkeypatch.setattr(calibrating, "temperature_gain", lambda *_, **__: TemperatureGain(0.02, -0.001, 0.03, 100, 100))
    unclear = wf.calibration_view(results)
    assert unclear.scaled is None and unclear.log_loss[1] is None and not unclear.is_offered
    assert str(unclear.temperature_words).startswith("No temperature is offered")


def test_lots_that_are_too_few_are_not_called_rows_that_are_too_few() -> None:
    """20,000 rows of four lots, far too sure: what is missing is lots, in both languages."""
    from core.evaluation.calibration import at_temperature, fit_temperature, temperature_gain
    from core.languages import text_in
    from core.workflows.calibration import temperature_words

    rng = np.random.default_rng(1)
    true = rng.dirichlet([1, 1], 20_000)
    truth, said = (rng.random(20_000) < true[:, 1]).astype(int), at_temperature(true, 0.5)
    words = temperature_words(
        fit_temperature(truth, said), temperature_gain(truth, said, blocks=np.repeat(np.arange(4), 5_000))
    )
    assert str(words) == (
        "No temperature is offered: the 20,000 validation rows come from 4 groups, and 5 are needed to tell whether it would help."
    )
    assert "20,000 个验证行只来自 4 个组" in text_in("zh")(words)


def test_another_class_has_figures_of_its_own_and_an_unknown_one_is_refused(results: wf.Results) -> None:
    assert wf.limit_view(results, positive="pass").positive == "pass"
    assert wf.calibration_view(results, "pass").positive == "pass"
    with pytest.raises(SettingProblem, match="broken"):
        wf.limit_view(results, positive="broken")


def test_the_report_says_what_the_views_say(results: wf.Results) -> None:
    from core.workflows.report_facts import report_facts

    ws = wf.open_workspace(results.folder.parents[2])
    facts = report_facts(ws, results, str)
    said = {str(fact.name): str(fact.value) for fact in facts.judged}
    assert said["Calibration"] == str(wf.calibration_view(results).headline)
    assert said["Where it errs"] == str(wf.worst_strata(results).headline)
    assert "McNemar" in said["Against the baseline"]
