"""Was the model worth it? The model beside the simple baseline, in one sentence that may favour the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import unknown_choice
from core.evaluation import classification, curves, flags, regression
from core.evaluation.bootstrap import NO_BOUNDS, percentile_bounds, resampling
from core.evaluation.catalogue import metric_info
from core.evaluation.result import Metric
from core.messages import Message, msg

Outcome = Literal["better", "no_clear_difference", "worse", "no_interval", "not_comparable"]
COMPARABLE = (
    "rmse",
    "mae",
    "r2",
    "accuracy",
    "macro_f1",
    "f1",
    "precision",
    "recall",
    "far",
    "mar",
    "roc_auc",
    "average_precision",
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The sentence and what it rests on. `gain` > 0: the model is better, in the metric's unit, with a 95 % interval."""

    outcome: Outcome
    message: Message
    gain: float | None = None
    low: float | None = None
    high: float | None = None


def paired_differences(
    key: str,
    truth: ArrayLike,
    model: ArrayLike,
    baseline: ArrayLike,
    *,
    n_boot: int = 500,
    seed: int = 0,
    blocks: NDArray[np.generic] | None = None,
) -> NDArray[np.float64]:
    """Resampled (model - baseline) of one metric, both on the same resampled rows; rows with a NaN are left out.

    Args:
        truth, model, baseline: (n_rows,) numbers and predictions for rmse, mae, r2; class numbers for accuracy and
            macro_f1; 0/1 truth with flags for f1, precision, recall, far, mar, with scores for roc_auc, average_precision.

    Returns:
        (n_boot,) differences, NaN where a resample does not define the metric; empty below 5 rows or blocks.

    Raises:
        SettingProblem: a metric that cannot be compared row by row.
    """
    if key not in COMPARABLE:
        raise unknown_choice("metric", key, COMPARABLE)
    y, a, b = (np.asarray(v, dtype=np.float64) for v in (truth, model, baseline))
    known = ~(np.isnan(y) | np.isnan(a) | np.isnan(b))
    y, a, b = y[known], a[known], b[known]
    drawn = resampling(len(y), None if blocks is None else np.asarray(blocks)[known], n_boot, seed)
    if drawn.n_boot == 0:
        return np.empty(0)
    if key in regression.KEYS:
        first, second = (regression.regression_resamples(y, v, drawn) for v in (a, b))
    elif key in curves.KEYS:
        first, second = (curves.ranking_resamples(y > 0, v, drawn) for v in (a, b))
    elif key in flags.KEYS:
        first, second = (flags.flag_resamples(y > 0, v > 0, drawn) for v in (a, b))
    else:
        codes = np.stack([y, a, b]).astype(np.int64)
        n_classes = int(codes.max()) + 1
        first, second = (classification.class_resamples(codes[0], c, n_classes, drawn) for c in codes[1:])
    return first[key] - second[key]


def compare_with_baseline(
    model: Metric,
    baseline: Metric,
    differences: NDArray[np.float64],
    *,
    baseline_title: Message | str,
    part: Message,
    unit: Message | str = "",
) -> Comparison:
    """The model and the baseline on the same rows, and whether the difference is more than chance.

    Args:
        model, baseline: The same metric of both.
        differences: From `paired_differences`; the outcome is clear when their 95 % interval leaves out 0.
        part: What was judged, such as "the later 20 %".

    Degenerate cases: either metric not defined: not comparable, with the reason. Too few rows, lots or machines for an
    interval: the sentence says so and recommends nothing. No resample differs: no clear difference.
    """
    if model.value is None or baseline.value is None:
        reason = model.why_not or baseline.why_not or msg("a figure is missing")
        return Comparison("not_comparable", msg("The model cannot be compared with the baseline. {reason}", reason=reason))
    info = metric_info(model.key)
    sign = 1.0 if info.higher_is_better else -1.0
    low, high = percentile_bounds(sign * differences) if len(differences) else NO_BOUNDS
    outcome: Outcome = "no_clear_difference" if len(differences) else "no_interval"
    if low is not None and high is not None and (low > 0 or high < 0):
        outcome = "better" if low > 0 else "worse"
    facts = _facts(model, baseline, baseline_title, part, unit)
    sentence = msg("{facts} {advice}", facts=facts, advice=_advice(outcome, baseline_title, model.key in curves.KEYS))
    return Comparison(outcome, sentence, sign * (model.value - baseline.value), low, high)


def _facts(model: Metric, baseline: Metric, baseline_title: Message | str, part: Message, unit: Message | str) -> Message:
    info = metric_info(model.key)
    figures: dict[str, str | float | Message | None] = {
        "part": part,
        "value": model.value,
        "base": baseline.value,
        "baseline": baseline_title,
    }
    if info.in_target_unit and unit:
        return msg(
            "On {part} the typical error ({metric}) is {value} {unit}; {baseline}: {base}.",
            metric=info.title,
            unit=unit,
            **figures,
        )
    if info.in_target_unit:
        return msg("On {part} the typical error ({metric}) is {value}; {baseline}: {base}.", metric=info.title, **figures)
    return msg("On {part}, {metric} is {value}; {baseline}: {base}.", metric=info.title, **figures)


def _advice(outcome: Outcome, baseline_title: Message | str, is_ranking: bool) -> Message:
    """What follows. A figure of ranking says nothing yet of the calls that a decision limit makes of it."""
    if outcome == "better" and is_ranking:
        return msg("The model puts rows in a clearly better order than the simple baseline.")
    if outcome == "better":
        return msg("The model is clearly better than the simple baseline.")
    if outcome == "worse" and is_ranking:
        return msg("The simple baseline puts rows in a clearly better order: use {baseline}.", baseline=baseline_title)
    if outcome == "worse":
        return msg("The simple baseline is clearly better: use {baseline}.", baseline=baseline_title)
    if outcome == "no_interval":
        return msg("Too few lots, machines or rows were held back to say whether the difference is more than chance.")
    return msg("There is no clear difference, it may be chance; {baseline} is simpler.", baseline=baseline_title)
