"""Judging: metrics with intervals, curves, prediction intervals, and the comparison with the baseline."""

from core.evaluation.bootstrap import time_blocks
from core.evaluation.catalogue import MAIN_METRICS, METRICS, MetricInfo, main_first, metric_info
from core.evaluation.classification import classification_metrics, confusion, per_class, predict_classes, rarest_class
from core.evaluation.conformal import Interval, measured_coverage, split_conformal
from core.evaluation.curves import Curve, pr_curve, ranking_metrics, roc_curve
from core.evaluation.events import event_recall, usual_period, vus_pr
from core.evaluation.flags import binary_flag_metrics
from core.evaluation.forecast import StepFigures, forecast_metrics, naive_scale, step_figures
from core.evaluation.life import phm08_score
from core.evaluation.regression import regression_metrics
from core.evaluation.result import Metric, not_defined
from core.evaluation.verdict import Comparison, compare_with_baseline, paired_differences

__all__ = [
    "MAIN_METRICS",
    "METRICS",
    "Comparison",
    "Curve",
    "Interval",
    "Metric",
    "MetricInfo",
    "StepFigures",
    "binary_flag_metrics",
    "classification_metrics",
    "compare_with_baseline",
    "confusion",
    "event_recall",
    "forecast_metrics",
    "main_first",
    "measured_coverage",
    "metric_info",
    "naive_scale",
    "not_defined",
    "paired_differences",
    "per_class",
    "phm08_score",
    "pr_curve",
    "predict_classes",
    "ranking_metrics",
    "rarest_class",
    "regression_metrics",
    "roc_curve",
    "split_conformal",
    "step_figures",
    "time_blocks",
    "usual_period",
    "vus_pr",
]
