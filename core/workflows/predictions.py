"""What the Predictions screen shows of a run: regression and remaining life, classification at a movable threshold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import SettingProblem, unknown_choice
from core.evaluation import (
    Curve,
    Metric,
    classification_metrics,
    compare_with_baseline,
    confusion,
    measured_coverage,
    paired_differences,
    per_class,
    pr_curve,
    predict_classes,
    roc_curve,
)
from core.messages import Message, msg
from core.models import model_by_key
from core.serving.manifest import IntervalFacts, Manifest
from core.workflows.results import Results
from core.workflows.unit_words import unit_words

PART_TITLES: Mapping[str, Message] = {
    "train": msg("training part"),
    "validation": msg("validation part"),
    "test": msg("test part"),
    "gap": msg("gap"),
    "all": msg("all rows"),
}
WORST_ROWS = 20
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
    With `is_argmax` no threshold decides: the most probable of more than two classes is called.
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

    @property
    def decided_at(self) -> float | None:
        """The limit that decides, or None where the most probable class is called."""
        return None if self.is_argmax else self.threshold


@dataclass(frozen=True, slots=True)
class ClassRule:
    """How rows are called: class number `place` where its probability is > `threshold`; the most probable class if None.

    `is_stored` says that this is the run's own rule, whose predictions and figures are stored.
    """

    classes: tuple[str, ...]
    positive: str
    place: int | None
    threshold: float
    is_stored: bool


def class_rule(manifest: Manifest, positive: str | None = None, threshold: float | None = None) -> ClassRule:
    """The rule for a class to catch and a moved limit; None for each means the run's own.

    The run's own class is the rarest of its training rows (`rarest_class`), a run of an earlier version with more than two
    classes keeps the last one.

    Raises:
        SettingProblem: no such class.
    """
    classes = tuple((manifest.target or {})["classes"])
    chosen = positive or manifest.positive or classes[-1]
    if chosen not in classes:
        raise unknown_choice("class", chosen, classes)
    is_own = chosen == manifest.positive and (threshold is None or threshold == manifest.decision)
    cut = threshold if threshold is not None else (manifest.decision if is_own and manifest.decision is not None else 0.5)
    is_argmax = len(classes) > 2 and threshold is None
    return ClassRule(classes, chosen, None if is_argmax else classes.index(chosen), float(cut), is_own or is_argmax)


def regression_view(results: Results, part: str = "test") -> RegressionView:
    """Values, residuals and figures of one part; the verdict compares with the baseline on the test part.

    Raises:
        SettingProblem: the run predicts no value, or there is no such part.
    """
    _check_task(results, ("regression", "rul"))
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
        verdict=_kept(results, value_verdict),
        cap=None if cap is None else float(cap),
    )


def classification_view(
    results: Results, part: str = "test", positive: str | None = None, threshold: float | None = None
) -> ClassificationView:
    """Classes, curves and figures of one part at a threshold on the probability of `positive`.

    Raises:
        SettingProblem: the run predicts no class, or there is no such class or part.
    """
    _check_task(results, ("classification",))
    manifest = results.manifest
    rule = class_rule(manifest, positive, threshold)
    classes, chosen, cut = rule.classes, rule.positive, rule.threshold
    place = classes.index(chosen)
    rows = results.part_rows(part)
    truth, probabilities = _codes_and_probabilities(_class_cells(results, rows, classes), classes)
    other = theirs = None
    if results.baseline_scores is not None:
        theirs = _codes_and_probabilities(results.baseline_scores.iloc[rows], classes)[1]
        other = theirs[:, place]
    known = (truth >= 0) & np.isfinite(probabilities).all(axis=1)
    is_positive, chance = truth[known] == place, probabilities[known, place]
    predicted = predict_classes(probabilities[known], rule.place, cut)
    flagged = predicted == place
    return ClassificationView(
        part=part,
        n=int(known.sum()),
        classes=classes,
        positive=chosen,
        threshold=cut,
        default_threshold=manifest.decision,
        is_argmax=rule.place is None,
        metrics=_class_metrics(results, part, rule, truth, probabilities),
        baseline_metrics=_baseline_metrics(results, part, class_rule(manifest, chosen), truth, theirs),
        per_class=per_class(truth, probabilities, classes, rule.place, cut),
        confusion=confusion(truth[known], predicted, len(classes)),
        roc=roc_curve(is_positive, chance),
        pr=pr_curve(is_positive, chance),
        baseline_roc=None if other is None else roc_curve(is_positive, other[known]),
        baseline_pr=None if other is None else pr_curve(is_positive, other[known]),
        operating_point=(_share(flagged & ~is_positive, ~is_positive), _share(flagged & is_positive, is_positive)),
        pr_point=(_share(flagged & is_positive, is_positive), _share(flagged & is_positive, flagged)),
        verdict=_kept(results, class_verdict),
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
    if model is None or base is None or results.baseline_scores is None or not (model.is_defined and base.is_defined):
        return _plain(model, "")
    rows = results.part_rows("test")
    truth, ours = _codes_and_probabilities(_class_cells(results, rows, classes), classes)
    _, theirs = _codes_and_probabilities(results.baseline_scores.iloc[rows], classes)
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


def _kept(results: Results, judge: Callable[[Results], Message]) -> Message:
    """A verdict, judged once: resampling takes longer than a moved threshold may."""
    if judge.__name__ not in results.kept:
        results.kept[judge.__name__] = judge(results)
    return results.kept[judge.__name__]


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
    return msg("On the test part, {metric} is {value} {unit}.", metric=metric.key, value=metric.value, unit=unit)


def _value_metrics(truth: NDArray[np.float64], prediction: NDArray[np.float64]) -> tuple[Metric, ...]:
    from core.evaluation import regression_metrics

    return regression_metrics(truth, prediction, n_boot=200)


def _class_metrics(
    results: Results, part: str, rule: ClassRule, truth: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> tuple[Metric, ...]:
    if part == "test" and rule.is_stored:
        return tuple(results.run.metrics.values())
    return classification_metrics(truth, probabilities, rule.classes, rule.place, rule.threshold, n_boot=0)


def _baseline_metrics(
    results: Results, part: str, rule: ClassRule, truth: NDArray[np.int64], probabilities: NDArray[np.float64] | None
) -> Mapping[str, Metric]:
    """The baseline's figures on the test part for the class to catch, at its own limit; a moved limit is the model's alone."""
    if probabilities is None or part != "test" or rule.is_stored:
        return results.run.baseline_metrics
    found = classification_metrics(truth, probabilities, rule.classes, rule.place, rule.threshold, n_boot=0)
    return {metric.key: metric for metric in found}


def _class_cells(results: Results, rows: NDArray[np.int64], classes: tuple[str, ...]) -> pd.DataFrame:
    return results.cells(["truth", *(f"probability_{c}" for c in classes)], rows)


def _codes_and_probabilities(scores: pd.DataFrame, classes: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Class codes (n,), -1 unknown, and probabilities (n, k)."""
    codes = pd.Categorical(scores["truth"], categories=list(classes)).codes.astype(np.int64)
    return codes, scores[[f"probability_{c}" for c in classes]].to_numpy(dtype=np.float64)


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    n = int(whole.sum())
    return float(part.sum() / n) if n else float("nan")


def _check_task(results: Results, tasks: tuple[str, ...]) -> None:
    if results.task not in tasks:
        raise SettingProblem(
            msg("The run '{run}' answers another question ({task}).", run=results.run.name, task=results.task),
            msg("This view shows runs of: {tasks}.", tasks=", ".join(tasks)),
            msg("Open another run."),
        )
