"""What each metric is called, what it means to a quality engineer, and which way is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import unknown_choice
from core.evaluation.result import Metric
from core.messages import Message, msg


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """One metric. `low` and `high` are its bounds, None where open; `higher_is_better` is None where a goal is meant."""

    key: str
    title: Message
    help: Message
    in_target_unit: bool
    higher_is_better: bool | None
    low: float | None
    high: float | None


def _share(key: str, title: Message, help: Message, *, higher: bool | None = True) -> MetricInfo:
    return MetricInfo(key, title, help, False, higher, 0.0, 1.0)


_ALL = (
    MetricInfo(
        "rmse", msg("RMSE"), msg("Typical error in the unit of the target; large errors weigh more."), True, False, 0.0, None
    ),
    MetricInfo("mae", msg("MAE"), msg("Average size of the error in the unit of the target."), True, False, 0.0, None),
    MetricInfo(
        "r2",
        msg("R²"),
        msg("Share of the variation explained: 1 is perfect, 0 no better than the average."),
        False,
        True,
        None,
        1.0,
    ),
    MetricInfo("mape", msg("MAPE"), msg("Average error as a share of the true value."), False, False, 0.0, None),
    MetricInfo(
        "mase",
        msg("MASE"),
        msg(
            "Average error as a share of what repeating the value of one season before is wrong by in the training part; below 1 is better than that."
        ),
        False,
        False,
        0.0,
        None,
    ),
    MetricInfo(
        "skill",
        msg("Skill"),
        msg(
            "By how much the average error is smaller than that of the last value repeated: 1 is perfect, 0 no better, below 0 worse."
        ),
        False,
        True,
        None,
        1.0,
    ),
    _share("accuracy", msg("Accuracy"), msg("Share of rows with the right class. Misleading when defects are rare.")),
    _share("macro_f1", msg("Macro F1"), msg("F1 averaged over classes, rare ones counting as much as common ones.")),
    _share("f1", msg("F1"), msg("One figure for defects caught and correct alarms together: their harmonic mean.")),
    _share("precision", msg("Correct alarms"), msg("Share of the flagged rows that were really bad (precision).")),
    _share("recall", msg("Defects caught"), msg("Share of the bad rows that were flagged (recall).")),
    _share("roc_auc", msg("ROC AUC"), msg("Chance that a bad row scores higher than a good one: 0.5 is guessing, 1 perfect.")),
    _share(
        "average_precision",
        msg("Average precision"),
        msg("Correct alarms averaged over all thresholds; guessing gives the share of bad rows."),
    ),
    _share(
        "far", msg("Good parts rejected"), msg("Share of the good rows that were flagged (false-positive rate)."), higher=False
    ),
    _share("mar", msg("Defects missed"), msg("Share of the bad rows that were not flagged (miss rate)."), higher=False),
    MetricInfo(
        "phm08",
        msg("PHM08 score"),
        msg("Sum of penalties for remaining life; too late costs more than too early."),
        False,
        False,
        0.0,
        None,
    ),
    _share(
        "coverage",
        msg("Coverage"),
        msg("Share of true values inside the prediction interval; it should be near the promised level."),
        higher=None,
    ),
    _share("event_recall", msg("Events caught"), msg("Share of the bad stretches in time with at least one flagged row.")),
    _share(
        "vus_pr",
        msg("VUS-PR"),
        msg(
            "Correct alarms averaged over all thresholds, near misses in time counting in part; guessing gives the share of bad rows."
        ),
    ),
    _share(
        "unknown_fraction",
        msg("None of the known classes"),
        msg("Share of the rows that are unlike every class of the training part."),
        higher=None,
    ),
    _share("flagged_fraction", msg("Rows flagged"), msg("Share of the scored rows above the decision limit."), higher=None),
)
METRICS: dict[str, MetricInfo] = {info.key: info for info in _ALL}

MAIN_METRICS: dict[str, tuple[str, ...]] = {
    "regression": ("rmse", "mae", "r2"),
    "rul": ("rmse", "phm08", "mae"),
    "classification": ("average_precision", "roc_auc", "macro_f1", "f1", "accuracy"),
    "anomaly": ("f1", "far", "mar"),
    "forecast": ("mae", "mase", "skill", "rmse"),
}


def main_first(task: str, metrics: Mapping[str, Metric]) -> list[str]:
    """The keys of a run's metrics, those first by which its task is judged; screens and reports both go by it.

    A metric that is not defined stands behind all that are.
    """
    main = MAIN_METRICS.get(task, ())
    ordered = [*(k for k in main if k in metrics), *(k for k in metrics if k not in main)]
    return sorted(ordered, key=lambda k: not metrics[k].is_defined)


def metric_info(key: str) -> MetricInfo:
    """The metric with that key.

    Raises:
        SettingProblem: there is none; the error lists the keys.
    """
    if key not in METRICS:
        raise unknown_choice("metric", key, METRICS)
    return METRICS[key]
