"""Residuals have one sign, coverage is counted, and the verdict on classes rests on the figure that it names."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.evaluation import classification_metrics
from core.serving.manifest import IntervalFacts
from core.workflows.predictions import class_verdict, classification_view, regression_view

CLASSES = ("bearing", "none", "seal")


class _Stored(SimpleNamespace):
    """Results whose scores are the table `scores`."""

    @property
    def columns(self):
        return tuple(self.scores.columns)

    def cells(self, names, rows=None):
        return self.scores[list(names)] if rows is None else self.scores[list(names)].iloc[rows]

    def numbers(self, name, rows=None):
        return self.cells([name], rows)[name].to_numpy(dtype=float)


def _results(ours, theirs, truth):
    def frame(p):
        names = np.array(CLASSES, dtype=object)[truth]
        return pd.DataFrame({"truth": names, **{f"probability_{c}": p[:, i] for i, c in enumerate(CLASSES)}})

    figures = [{m.key: m for m in classification_metrics(truth, p, CLASSES)} for p in (ours, theirs)]
    run = SimpleNamespace(metrics=figures[0], baseline_metrics=figures[1], baseline="logistic", request=SimpleNamespace(seed=7))
    manifest = SimpleNamespace(
        target={"classes": list(CLASSES)}, positive=None, split={"counts": {"test": len(truth)}, "method": "random"}
    )
    return _Stored(
        run=run,
        manifest=manifest,
        scores=frame(ours),
        baseline_scores=frame(theirs),
        part_rows=lambda part: np.arange(len(truth)),
        blocks=lambda rows: None,
    )


def test_three_classes_are_compared_by_macro_f1_and_not_by_the_last_class_alone():
    # Both tell "seal" equally well; only the model tells the other two apart.
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    seal = np.where(truth == 2, 0.8, 0.1) + rng.uniform(0, 0.1, 300)
    right = np.where(truth == 0, 0.9, 0.1)
    guess = rng.uniform(0.3, 0.7, 300)
    ours, theirs = (np.column_stack([(1 - seal) * s, (1 - seal) * (1 - s), seal]) for s in (right, guess))
    said = str(class_verdict(_results(ours, theirs, truth)))
    assert "Macro F1 is 1;" in said and "clearly better than the simple baseline" in said, said


def _values(truth, prediction, half=None):
    """A run of a value with an interval of ± `half`, all rows in the test part, and no figures to compare."""
    table = {"row": np.arange(len(truth)), "truth": np.array(truth, float), "prediction": np.array(prediction, float)}
    if half is not None:
        table |= {"lower": table["prediction"] - half, "upper": table["prediction"] + half}
    interval = None if half is None else IntervalFacts(half_width=half, alpha=0.1, n=40)
    return _Stored(
        task="regression",
        unit="mm",
        kept={},
        run=SimpleNamespace(metrics={}, baseline_metrics={}, baseline="", name="r"),
        manifest=SimpleNamespace(target_column=None, target=None, interval=interval),
        baseline_scores=None,
        scores=pd.DataFrame(table),
        part_rows=lambda part: np.arange(len(truth)),
        positions=lambda rows: rows,
        groups=lambda rows: None,
    )


def test_a_residual_is_measured_less_predicted_and_the_worst_rows_say_the_same():
    view = regression_view(_values([10.0, 10.0, 10.0, np.nan], [9.0, 12.0, 10.5, 3.0]))
    assert view.residuals[:3].tolist() == [1.0, -2.0, -0.5] and np.isnan(view.residuals[3])
    assert view.worst["row"].tolist() == [1, 0, 2, 3]
    assert view.worst["residual"].tolist()[:3] == [-2.0, 1.0, -0.5]
    assert view.coverage is None and not view.falls_short


def test_coverage_counts_the_ends_of_the_interval_and_leaves_unknown_rows_out():
    # ± 1 around the prediction: 9 and 11 lie on the ends, 11.5 outside, the fourth is not known.
    view = regression_view(_values([9.0, 11.0, 11.5, np.nan], [10.0] * 4, half=1.0))
    assert view.coverage is not None and view.coverage.n == 3 and view.coverage.value == pytest.approx(2 / 3)
    assert view.falls_short  # 67 % of 90 % promised


def test_a_coverage_a_little_below_its_promise_is_chance():
    inside = regression_view(_values([10.0] * 87 + [20.0] * 13, [10.0] * 100, half=1.0))
    assert inside.coverage is not None and inside.coverage.value == pytest.approx(0.87) and not inside.falls_short


def _two_classes(run_figures):
    """Ten rows; the run catches "fail" at a limit of .3. Columns: truth, the model's and the baseline's P(fail)."""
    rows = [("fail", 0.9, 0.9), ("fail", 0.8, 0.35), ("fail", 0.4, 0.1), ("pass", 0.35, 0.6), *[("pass", 0.1, 0.2)] * 6]
    frames = [
        pd.DataFrame({"truth": [r[0] for r in rows], "probability_fail": p, "probability_pass": 1 - p})
        for p in (np.array([r[k] for r in rows]) for k in (1, 2))
    ]
    return _Stored(
        task="classification",
        kept={},
        run=SimpleNamespace(metrics={}, baseline_metrics=run_figures, baseline="logistic", request=SimpleNamespace(seed=7)),
        manifest=SimpleNamespace(
            target={"classes": ["fail", "pass"]},
            positive="fail",
            decision=0.3,
            split={"counts": {"test": 10}, "method": "random"},
        ),
        scores=frames[0],
        baseline_scores=frames[1],
        part_rows=lambda part: np.arange(10),
        blocks=lambda rows: None,
    )


def test_what_the_baseline_would_catch_with_as_many_good_parts_rejected():
    # At .3 the model rejects one good row of seven and catches all three; the baseline's scores of bad rows are .9, .35 and .1, of good ones .6 and .2.
    results = _two_classes({})
    view = classification_view(results)
    assert view.operating_point == (pytest.approx(1 / 7), 1.0) and view.baseline_caught == pytest.approx(2 / 3)
    strict = classification_view(results, threshold=0.7)
    assert strict.operating_point == (0.0, pytest.approx(2 / 3)) and strict.baseline_caught == pytest.approx(1 / 3)


def test_another_class_to_catch_has_a_baseline_of_its_own():
    stored = {}
    results = _two_classes(stored)
    assert classification_view(results).baseline_metrics is stored
    assert classification_view(results, threshold=0.7).baseline_metrics is stored  # a moved limit is the model's alone
    found = classification_view(results, positive="pass").baseline_metrics
    # At .5 the baseline calls "pass" all but rows 0 and 3: 6 of 7 passed ones, and 2 of 3 that failed.
    assert found["recall"].value == pytest.approx(6 / 7)
    assert found["far"].value == pytest.approx(2 / 3)
