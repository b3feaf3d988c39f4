"""From raw outputs to a decision and to figures: threshold, interval and decision from held-out rows, then metrics.

Everything that is chosen here is chosen on the validation part; the test part is read once, for the metrics.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.thresholds import choose_threshold
from core.evaluation import (
    Metric,
    binary_flag_metrics,
    classification_metrics,
    event_recall,
    measured_coverage,
    phm08_score,
    ranking_metrics,
    rarest_class,
    regression_metrics,
    split_conformal,
    time_blocks,
    vus_pr,
)
from core.evaluation.bootstrap import LEAST_UNITS
from core.features.pipeline import group_codes, row_order
from core.features.targets import ClassTarget, LifeTarget
from core.jobs import forecast_judging
from core.jobs.places import full_places, period_seconds
from core.messages import Message
from core.serving.manifest import IntervalFacts, Manifest
from core.serving.raw import RawScores
from core.serving.scoring import NONE_OF_KNOWN
from core.training.prepare import Prepared
from core.training.resolve import Resolved

# Scores with an upper bound: the tail of normal rows says nothing about how far a fault goes.
BOUNDED_SCORES = ("isolation_forest", "one_class_svm", "ecod", "copod", "matrix_profile")
NORMAL_WORDS = frozenset(
    {"0", "", "normal", "ok", "good", "pass", "no", "false", "none", "healthy", "正常", "合格", "良品", "否", "无", "无故障"}
)


def calibrated(manifest: Manifest, raw: RawScores, prepared: Prepared, resolved: Resolved) -> Manifest:
    """The manifest with threshold, interval or class decision, chosen on the validation part."""
    task = resolved.request.task
    rows = prepared.inputs.row_of_window[prepared.validation]
    if task == "anomaly":
        return manifest.model_copy(update={"threshold": _threshold(manifest, raw, rows, prepared, resolved)})
    if task == "classification":
        positive, decision = _decision(raw, rows, prepared)
        return manifest.model_copy(update={"positive": positive, "decision": decision})
    if task == "forecast":
        return forecast_judging.calibrated(manifest, raw, prepared, resolved)
    return manifest.model_copy(update={"interval": _interval(raw, rows, prepared, resolved)})


def places_read(prepared: Prepared, resolved: Resolved) -> NDArray[np.bool_]:
    """Which windows `calibrated` reads the outputs of, (n_windows,): all for anomalies, else those held out and, for forecasts,
    those that a residual of the training or validation part comes from, the window itself and the one before it.
    """
    if resolved.request.task == "anomaly":
        return np.ones(len(prepared.inputs.windows), dtype=bool)
    is_read = np.zeros(len(prepared.inputs.windows), dtype=bool)
    is_read[prepared.validation] = True
    if resolved.request.task == "forecast":
        is_read[prepared.train] = True
        is_read[:-1] |= is_read[1:]
    return is_read


def _threshold(
    manifest: Manifest, raw: RawScores, rows: NDArray[np.int64], prepared: Prepared, resolved: Resolved
) -> dict[str, object]:
    normal = full_places(prepared, np.sort(np.concatenate([prepared.train, prepared.validation])))
    threshold = choose_threshold(
        raw.outputs[rows, 0],
        baseline_scores=raw.outputs[prepared.inputs.row_of_window[normal], 0],
        per_week=resolved.task.false_alarms_per_week,
        extrapolate=manifest.model not in BOUNDED_SCORES,
        period_seconds=period_seconds(prepared.keys, resolved.time, prepared.inputs.row_of_window),
        width_rows=resolved.width,
    )
    return threshold.to_json()


def _interval(raw: RawScores, rows: NDArray[np.int64], prepared: Prepared, resolved: Resolved) -> IntervalFacts | None:
    truth = capped_truth(prepared)[rows]
    predicted = prepared.target.decode(raw.outputs[rows, 0])  # type: ignore[union-attr, call-arg, arg-type]
    found = split_conformal(np.abs(truth - predicted), resolved.task.interval_miss_rate)
    if found.half_width is None:
        return None
    return IntervalFacts(half_width=found.half_width, alpha=found.alpha, n=found.n)


def interval_note(prepared: Prepared, resolved: Resolved) -> Message | None:
    """Why there is no prediction interval, where the validation part is too small to promise one."""
    if resolved.request.task not in ("regression", "rul", "forecast"):
        return None
    return split_conformal(np.zeros(len(prepared.validation)), resolved.task.interval_miss_rate).why_not


def capped_truth(prepared: Prepared) -> NDArray[np.float64]:
    """Known values (n_rows,); a remaining life above the cap counts as the cap, as in training."""
    truth = np.asarray(prepared.truth, dtype=np.float64)
    return np.minimum(truth, prepared.target.cap) if isinstance(prepared.target, LifeTarget) else truth


def _decision(raw: RawScores, rows: NDArray[np.int64], prepared: Prepared) -> tuple[str | None, float | None]:
    """The class to catch, the rarest of the training rows; of two classes also its cut, where F1 on the validation part is largest."""
    target = prepared.target
    if not isinstance(target, ClassTarget):
        return None, None
    codes = target.encode(prepared.truth)  # type: ignore[arg-type]
    place = rarest_class(codes[prepared.inputs.row_of_window[prepared.train]], len(target.classes))
    if len(target.classes) != 2:
        return target.classes[place], None
    return target.classes[place], best_f1_cut(codes[rows] == place, raw.outputs[rows, place])


def best_f1_cut(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
    """The cut on a probability that gives the largest F1, midway between neighbouring values; 0.5 without positives.

    Example:
        >>> best_f1_cut(np.array([False, True, True]), np.array([0.2, 0.4, 0.9])).__round__(6)
        0.3
    """
    if not truth.any() or truth.all():
        return 0.5
    order = np.argsort(-probability, kind="stable")
    caught = np.cumsum(truth[order])
    f1 = 2 * caught / (np.arange(1, len(truth) + 1) + truth.sum())
    values = probability[order]
    ends = np.flatnonzero(np.append(np.diff(values) != 0, True))
    best = ends[np.argmax(f1[ends])]
    below = values[best + 1] if best + 1 < len(values) else 0.0
    return float((values[best] + below) / 2)


def label_flags(truth: NDArray[np.object_]) -> NDArray[np.float64]:
    """Labels of an anomaly run as 1 (anomalous), 0 (normal), NaN (unknown)."""
    codes, words = pd.factorize(np.asarray(truth, dtype=object))  # each word is judged once: a million rows have few
    flags = [float(str(word).strip().lower() not in NORMAL_WORDS) for word in words]
    return np.array([*flags, np.nan])[codes]


def part_metrics(
    scored: pd.DataFrame, rows: NDArray[np.int64], prepared: Prepared, resolved: Resolved, manifest: Manifest
) -> tuple[Metric, ...]:
    """The figures of some rows, of which `scored` has the scores. Anomaly runs without labels have the flagged share only."""
    task = resolved.request.task
    if task == "anomaly":
        return _anomaly_metrics(scored, rows, prepared, resolved)
    if task == "classification":
        return _class_metrics(scored, rows, prepared, manifest, row_blocks(rows, prepared, resolved))
    if task == "forecast":
        blocks = row_blocks(rows, prepared, resolved)
        return forecast_judging.metrics(scored, rows, prepared, resolved, manifest, blocks)
    truth = capped_truth(prepared)[rows]
    predicted = scored["prediction"].to_numpy(dtype=np.float64)
    blocks = row_blocks(rows, prepared, resolved)
    found = list(regression_metrics(truth, predicted, seed=resolved.request.seed, blocks=blocks))
    if "lower" in scored:
        found.append(measured_coverage(truth, scored["lower"].to_numpy(), scored["upper"].to_numpy()))
    if task == "rul":
        found.append(phm08_score(truth, predicted))
    return tuple(found)


def resampling_blocks(
    rows: NDArray[np.int64], table: pd.DataFrame, *, group: str | None, time: str | None, method: str
) -> NDArray[np.int64] | None:
    """What is drawn together when an interval is computed: whole groups, else stretches of time, else single rows.

    Neighbouring rows resemble each other, and drawing them one by one would make intervals too narrow. After a split by
    group the groups are the units however few they are: from fewer than five no interval is computed.
    """
    codes = group_codes(table, group)
    if codes is not None and (method == "group" or len(np.unique(codes[rows])) >= LEAST_UNITS):
        return codes[rows]
    if method not in ("time", "first"):
        return None
    place = np.empty(len(table), dtype=np.int64)
    order = row_order(table, None, time)[0]
    place[order] = np.arange(len(order))
    blocks = np.empty(len(rows), dtype=np.int64)
    blocks[np.argsort(place[rows], kind="stable")] = time_blocks(len(rows))
    return blocks


def row_blocks(rows: NDArray[np.int64], prepared: Prepared, resolved: Resolved) -> NDArray[np.int64] | None:
    """`resampling_blocks` of some rows of a run."""
    return resampling_blocks(rows, prepared.keys, group=resolved.group, time=resolved.time, method=resolved.split.method)


def _class_metrics(
    scored: pd.DataFrame, rows: NDArray[np.int64], prepared: Prepared, manifest: Manifest, blocks: NDArray[np.int64] | None
) -> tuple[Metric, ...]:
    target = prepared.target
    if not isinstance(target, ClassTarget):
        raise TypeError("A classification has a class target.")
    probabilities = scored[[f"probability_{c}" for c in target.classes]].to_numpy(dtype=np.float64)
    # Without a cut the most probable class is called: no class decides, and its figures are those of all.
    is_cut = manifest.positive is not None and manifest.decision is not None
    positive = target.classes.index(str(manifest.positive)) if is_cut else None
    codes = target.encode(prepared.truth[rows])  # type: ignore[arg-type, index]
    threshold = 0.5 if manifest.decision is None else manifest.decision
    found = classification_metrics(codes, probabilities, target.classes, positive, threshold, blocks=blocks)
    if NONE_OF_KNOWN not in scored:
        return tuple(found)
    return (*found, Metric("unknown_fraction", float(scored[NONE_OF_KNOWN].mean()), len(scored)))


def _anomaly_metrics(
    scored: pd.DataFrame, rows: NDArray[np.int64], prepared: Prepared, resolved: Resolved
) -> tuple[Metric, ...]:
    flags, scores = scored["flag"].to_numpy(), scored["score"].to_numpy(dtype=np.float64)
    known = np.isfinite(scores)
    share = Metric("flagged_fraction", float(flags[known].mean()) if known.any() else None, int(known.sum()))
    found: list[Metric] = [share] if known.any() else []
    if prepared.truth is None:
        return tuple(found)
    labels = label_flags(prepared.truth[rows])
    known &= np.isfinite(labels)
    truth = labels[known] > 0
    blocks = row_blocks(rows, prepared, resolved)
    blocks = None if blocks is None else blocks[known]
    return (
        *found,
        *binary_flag_metrics(truth, flags[known], blocks=blocks),
        *ranking_metrics(truth, scores[known], blocks=blocks),
        *_metrics_in_time(labels, flags, scores, rows, prepared, resolved),
    )


def _metrics_in_time(
    labels: NDArray[np.float64],
    flags: NDArray[np.bool_],
    scores: NDArray[np.float64],
    rows: NDArray[np.int64],
    prepared: Prepared,
    resolved: Resolved,
) -> tuple[Metric, ...]:
    """What is judged by whole events; nothing where the rows of the part do not follow each other in time."""
    if resolved.split.method == "random" or (resolved.time is None and resolved.split.method not in ("first", "time")):
        return ()
    place = np.empty(len(prepared.keys), dtype=np.int64)
    order, codes = row_order(prepared.keys, resolved.group, resolved.time)
    place[order] = np.arange(len(order))
    in_time = np.argsort(place[rows], kind="stable")
    known = np.where(np.isfinite(scores), labels, np.nan)[in_time]
    groups = None if codes is None else codes[rows][in_time]
    return event_recall(known, flags[in_time], groups=groups), vus_pr(known, scores[in_time], groups=groups)


def metrics_json(metrics: Sequence[Metric]) -> dict[str, dict[str, object]]:
    """Metrics as a manifest stores them."""
    return {
        m.key: {
            "value": m.value,
            "low": m.low,
            "high": m.high,
            "n": m.n,
            "why_not": None if m.why_not is None else m.why_not.to_json(),
        }
        for m in metrics
    }
