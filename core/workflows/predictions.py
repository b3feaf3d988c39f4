"""What the Predictions screen shows of a run: regression and remaining life, classification at a movable threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.evaluation import (
    Curve,
    Metric,
    classification_metrics,
    compare_with_baseline,
    confusion,
    measured_coverage,
    metric_info,
    paired_differences,
    per_class,
    predict_classes,
)
from core.evaluation.paired_classes import McNemar, mcnemar
from core.messages import Message, msg
from core.models import model_by_key
from core.serving.manifest import IntervalFacts
from core.workflows.class_rows import ClassRows, ClassRule, check_task, class_probabilities, class_rows, class_rule
from core.workflows.results import Results, remembered
from core.workflows.unit_words import unit_words

PART_TITLES: Mapping[str, Message] = {
    "train": msg("training part"),
    "validation": msg("validation part"),
    "test": msg("test part"),
    "gap": msg("gap"),
    "all": msg("all rows"),
}
WORST_ROWS = 20
UNMOVED = ("roc_auc", "average_precision", "unknown_fraction")
COVERAGE_SLACK = 0.05  # how far below its promise the coverage may lie before a warning: some of it is chance


@dataclass(frozen=True, slots=True)
class RegressionView:
    """Predicted values of one part. Arrays are (n,), n = rows of the part, in file order; NaN where unknown.

    `residuals` are measured less predicted, here and wherever a residual is shown; `worst` has them as `residual`.
    `coverage` is the share of these rows whose true value lies in the interval, None where the run has no interval.
    """

    part: str
    metrics: tuple[Metric, ...]
    baseline_metrics: Mapping[str, Metric]
    unit: str
    rows: NDArray[np.int64]
    times: NDArray
    groups: NDArray | None
    truth: NDArray[np.float64]
    prediction: NDArray[np.float64]
    lower: NDArray[np.float64] | None
    upper: NDArray[np.float64] | None
    interval: IntervalFacts | None
    coverage: Metric | None
    residuals: NDArray[np.float64]
    worst: pd.DataFrame
    limits: tuple[float | None, float | None, float | None]
    verdict: Message
    cap: float | None

    @property
    def falls_short(self) -> bool:
        """Whether clearly fewer rows lie inside the interval than it promises."""
        if self.interval is None or self.coverage is None or self.coverage.value is None:
            return False
        return self.coverage.value < 1 - self.interval.alpha - COVERAGE_SLACK


@dataclass(frozen=True, slots=True)
class ClassificationView:
    """Predicted classes of one part at a threshold.

    `confusion` is (k, k), true class down, predicted across. `operating_point` is (false-positive rate, recall),
    `pr_point` (recall, precision) at the threshold, NaN where not defined. Curves are for `positive` against the rest.
    With `is_argmax` no threshold decides: the most probable of more than two classes is called. `paired` is McNemar's test of the model at its
    own limit against the baseline at its own, right or wrong row by row; None at a limit that was moved. `baseline_caught` is the recall of the baseline
    at the limit where it rejects as many good rows as the model here, or just fewer; None without a limit or a baseline's curve.
    """

    part: str
    n: int
    classes: tuple[str, ...]
    positive: str
    threshold: float
    default_threshold: float | None
    is_argmax: bool
    metrics: tuple[Metric, ...]
    baseline_metrics: Mapping[str, Metric]
    per_class: pd.DataFrame
    confusion: NDArray[np.int64]
    roc: Curve
    pr: Curve
    baseline_roc: Curve | None
    baseline_pr: Curve | None
    operating_point: tuple[float, float]
    pr_point: tuple[float, float]
    verdict: Message
    paired: McNemar | None = None
    baseline_caught: float | None = None

    @property
    def decided_at(self) -> float | None:
        """The limit that decides, or None where the most probable class is called."""
        return None if self.is_argmax else self.threshold


def regression_view(results: Results, part: str = "test") -> RegressionView:
    """Values, residuals and figures of one part; the verdict compares with the baseline on the test part.

    Raises:
        SettingProblem: the run predicts no value, or there is no such part.
    """
    check_task(results, ("regression", "rul"))
    rows = results.part_rows(part)
    truth, prediction = results.numbers("truth", rows), results.numbers("prediction", rows)
    residuals = truth - prediction
    bands = [results.numbers(c, rows) if c in results.columns else None for c in ("lower", "upper")]
    furthest = np.argsort(-np.nan_to_num(np.abs(residuals), nan=-1.0), kind="stable")[:WORST_ROWS]
    column = None if results.manifest.target_column is None else results.dataset.column(results.manifest.target_column)
    cap = (results.manifest.target or {}).get("cap")
    return RegressionView(
        part=part,
        metrics=tuple(results.run.metrics.values()) if part == "test" else _value_metrics(truth, prediction),
        baseline_metrics=results.run.baseline_metrics,
        unit=results.unit,
        rows=rows,
        times=results.positions(rows),
        groups=results.groups(rows),
        truth=truth,
        prediction=prediction,
        lower=bands[0],
        upper=bands[1],
        interval=results.manifest.interval,
        coverage=None if bands[0] is None or bands[1] is None else measured_coverage(truth, bands[0], bands[1]),
        residuals=residuals,
        worst=results.cells(results.columns, rows[furthest]).assign(residual=residuals[furthest]),
        limits=(None, None, None) if column is None else (column.lower_limit, column.nominal, column.upper_limit),
        verdict=remembered(results, "value_verdict", lambda: value_verdict(results)),
        cap=None if cap is None else float(cap),
    )


def classification_view(
    results: Results, part: str = "test", positive: str | None = None, threshold: float | None = None
) -> ClassificationView:
    """Classes, curves and figures of one part at a threshold on the probability of `positive`.

    Raises:
        SettingProblem: the run predicts no class, or there is no such class or part.
    """
    rule = class_rule(results.manifest, positive, threshold)
    given = class_rows(results, part, rule.positive)
    predicted = predict_classes(given.probabilities, rule.place, rule.threshold)
    counts = confusion(given.truth, predicted, len(given.classes))
    caught = int(counts[given.place, given.place])
    bad, flagged = int(counts[given.place].sum()), int(counts[:, given.place].sum())
    return ClassificationView(
        part=part,
        n=len(given.rows),
        classes=given.classes,
        positive=given.positive,
        threshold=rule.threshold,
        default_threshold=results.manifest.decision,
        is_argmax=rule.place is None,
        metrics=_class_metrics(results, part, rule, given),
        baseline_metrics=_baseline_metrics(results, part, class_rule(results.manifest, given.positive), given),
        per_class=per_class(given.truth, given.probabilities, given.classes, rule.place, rule.threshold, aucs=given.aucs),
        confusion=counts,
        roc=given.roc,
        pr=given.pr,
        baseline_roc=given.baseline_roc,
        baseline_pr=given.baseline_pr,
        operating_point=(_ratio(flagged - caught, len(given.rows) - bad), _ratio(caught, bad)),
        pr_point=(_ratio(caught, bad), _ratio(caught, flagged)),
        verdict=remembered(results, "class_verdict", lambda: class_verdict(results)),
        # At a limit that was moved while the test part was looked at, a test on the test part would say too much.
        paired=None
        if given.baseline_right is None or not rule.is_stored
        else mcnemar((predicted == given.truth)[given.baseline_scored], given.baseline_right[given.baseline_scored]),
        baseline_caught=None
        if rule.place is None or bad == len(given.rows)
        else _caught_at(given.baseline_roc, (flagged - caught) / (len(given.rows) - bad)),
    )


def value_verdict(results: Results) -> Message:
    """One sentence: the error on the test part beside the baseline's, and whether the difference is more than chance."""
    run = results.run
    model, base = run.metrics.get("rmse"), run.baseline_metrics.get("rmse")
    if model is None or base is None or results.baseline_scores is None or not (model.is_defined and base.is_defined):
        return _plain(model, unit_words(results.unit))
    rows = results.part_rows("test")
    truth, ours = results.numbers("truth", rows), results.numbers("prediction", rows)
    theirs = results.baseline_scores["prediction"].to_numpy(dtype=np.float64)[rows]
    differences = paired_differences("rmse", truth, ours, theirs, seed=run.request.seed, blocks=results.blocks(rows))
    found = compare_with_baseline(
        model,
        base,
        differences,
        baseline_title=model_by_key(run.baseline).title,
        part=part_words(results),
        unit=unit_words(results.unit),
    )
    return found.message


def class_verdict(results: Results) -> Message:
    """One sentence: ROC AUC on the test part beside the baseline's (macro F1 for more than two classes)."""
    run = results.run
    classes = tuple((results.manifest.target or {})["classes"])
    key = "roc_auc" if len(classes) == 2 else "macro_f1"
    model, base = run.metrics.get(key), run.baseline_metrics.get(key)
    if model is None or base is None or not (model.is_defined and base.is_defined):
        return _plain(model, "")
    rows = results.part_rows("test")
    truth, ours, theirs = class_probabilities(results, rows, classes)
    if theirs is None:
        return _plain(model, "")
    if len(classes) == 2:
        place = classes.index(results.manifest.positive or classes[-1])
        labels = np.where(truth < 0, np.nan, (truth == place).astype(np.float64))
        ours, theirs = ours[:, place], theirs[:, place]
    else:
        labels = np.where(truth < 0, np.nan, truth.astype(np.float64))
        ours, theirs = (np.where(np.isfinite(p).all(axis=1), np.argmax(p, axis=1), np.nan) for p in (ours, theirs))
    blocks = results.blocks(rows)
    differences = paired_differences(key, labels, ours, theirs, seed=run.request.seed, blocks=blocks)
    found = compare_with_baseline(
        model, base, differences, baseline_title=model_by_key(run.baseline).title, part=part_words(results)
    )
    return found.message


def part_words(results: Results) -> Message:
    """How the test part was taken, in words that stand after "On"."""
    counts = results.manifest.split["counts"]
    share = round(100 * counts["test"] / max(1, sum(counts.values())))
    words = {
        "time": msg("the latest {share} % of the rows", share=share),
        "first": msg("the rows after the first ones ({share} %)", share=share),
        "group": msg("machines or lots that were held back ({share} %)", share=share),
        "column": msg("the rows marked as test ({share} %)", share=share),
    }
    return words.get(results.manifest.split["method"], msg("a random {share} % of the rows", share=share))


def _plain(metric: Metric | None, unit: Message | str) -> Message:
    if metric is None:
        return msg("This run has no figures on a test part.")
    if metric.value is None:
        return msg("There is no figure: {reason}", reason=metric.why_not)
    title = metric_info(metric.key).title
    if not unit:
        return msg("On the test part, {metric} is {value}.", metric=title, value=metric.value)
    return msg("On the test part, {metric} is {value} {unit}.", metric=title, value=metric.value, unit=unit)


def _value_metrics(truth: NDArray[np.float64], prediction: NDArray[np.float64]) -> tuple[Metric, ...]:
    from core.evaluation import regression_metrics

    return regression_metrics(truth, prediction, n_boot=200)


def _class_metrics(results: Results, part: str, rule: ClassRule, given: ClassRows) -> tuple[Metric, ...]:
    if part == "test" and rule.is_stored:
        return tuple(results.run.metrics.values())
    areas = given.areas if rule.place is not None else None
    found = classification_metrics(
        given.truth,
        given.probabilities,
        rule.classes,
        rule.place,
        rule.threshold,
        areas=areas,
        blocks=remembered(results, f"blocks {part}", lambda: results.blocks(given.rows)),
    )
    if part != "test" or rule.positive != results.manifest.positive or results.manifest.decision is None:
        return found
    stored = results.run.metrics  # what no limit changes keeps its interval
    kept = tuple(stored[m.key] if m.key in UNMOVED and m.key in stored else m for m in found)
    return (*kept, *(stored[key] for key in UNMOVED if key in stored and key not in {m.key for m in found}))


def _baseline_metrics(results: Results, part: str, rule: ClassRule, given: ClassRows) -> Mapping[str, Metric]:
    """The baseline's figures on the test part for the class to catch, at its own limit; a moved limit is the model's alone."""
    if given.baseline is None or part != "test" or rule.is_stored:
        return results.run.baseline_metrics
    found = classification_metrics(given.truth, given.baseline, rule.classes, rule.place, rule.threshold, n_boot=0)
    return {metric.key: metric for metric in found}


def _caught_at(roc: Curve | None, rejected: float) -> float | None:
    """The largest recall on a curve where no larger share of good rows is rejected than `rejected`."""
    if roc is None or not roc.is_defined:
        return None
    within = roc.y[roc.x <= rejected + 1e-12]
    return float(within.max()) if len(within) else 0.0


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
