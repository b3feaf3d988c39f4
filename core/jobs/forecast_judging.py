"""A forecast judged: bands of each step and the limit of its residuals from the validation part, figures from the test part.

The bands are split-conformal for each step ahead. Forecasts of neighbouring rows share most of their truth, so that n
validation rows say less than n independent ones would: the promised coverage holds for rows exchangeable with those of the
validation part, and a series that drifts, or one whose validation part is short beside its season, can miss it. What is measured on
the test part stands beside the promise, for each step.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.thresholds import choose_threshold
from core.data.split import TRAIN
from core.evaluation import Metric, forecast_metrics, naive_scale, split_conformal, step_figures
from core.features.own_past import Following
from core.jobs.places import full_places, period_seconds
from core.serving.forecasts import half_widths, prediction_names, score_columns
from core.serving.manifest import IntervalFacts, Manifest
from core.serving.raw import RawScores
from core.training.prepare import Prepared
from core.training.resolve import Resolved


def calibrated(manifest: Manifest, raw: RawScores, prepared: Prepared, resolved: Resolved) -> Manifest:
    """The manifest with bands, the spread of residuals one step ahead, and the limit above which one is flagged."""
    places = prepared.validation
    errors = np.abs(_ahead(prepared).batch(places) - raw.outputs[prepared.inputs.row_of_window[places]])
    alpha = resolved.task.interval_miss_rate
    bands = [split_conformal(errors[:, step], alpha) for step in range(errors.shape[1])]
    facts = tuple(IntervalFacts(half_width=b.half_width, alpha=alpha, n=b.n) for b in bands if b.half_width is not None)
    update: dict[str, Any] = {"bands": facts if len(facts) == len(bands) else ()}
    scale = _residual_scale(raw, prepared)
    if scale is not None:
        update |= {"residual_scale": scale, "threshold": _threshold(raw, scale, prepared, resolved)}
    made = manifest.model_copy(update=update)
    return made.model_copy(update={"score_columns": score_columns(made)})


def metrics(
    scored: pd.DataFrame,
    rows: NDArray[np.int64],
    prepared: Prepared,
    resolved: Resolved,
    manifest: Manifest,
    blocks: NDArray[np.int64] | None,
) -> tuple[Metric, ...]:
    """The figures of some rows over all steps ahead."""
    given = _figures_of(scored, rows, prepared, manifest)
    return forecast_metrics(**given, blocks=blocks, seed=resolved.request.seed)


def steps_json(scored: pd.DataFrame, rows: NDArray[np.int64], prepared: Prepared, manifest: Manifest) -> list[dict[str, Any]]:
    """The figures of each step ahead, as a run's summary keeps them."""
    return [asdict(step) for step in step_figures(**_figures_of(scored, rows, prepared, manifest))]


def values_of(
    scored: pd.DataFrame, rows: NDArray[np.int64], prepared: Prepared, blocks: NDArray[np.int64]
) -> dict[str, NDArray]:
    """Truth and prediction of every step of some rows one after another, numbered, with the block of each."""
    ahead, places = _ahead(prepared), _place_of_rows(prepared)[rows]
    truth, h = np.full((len(rows), ahead.horizon), np.nan), ahead.horizon
    truth[places >= 0] = ahead.batch(places[places >= 0])
    return {
        "row": (rows[:, None] * h + np.arange(h)).ravel(),
        "block": np.repeat(blocks, h),
        "truth": truth.ravel(),
        "prediction": scored[list(prediction_names(h))].to_numpy(dtype=np.float64).ravel(),
    }


def _figures_of(scored: pd.DataFrame, rows: NDArray[np.int64], prepared: Prepared, manifest: Manifest) -> dict[str, Any]:
    ahead, places = _ahead(prepared), _place_of_rows(prepared)[rows]
    truth = np.full((len(rows), ahead.horizon), np.nan)
    has_place = places >= 0
    truth[has_place] = ahead.batch(places[has_place])
    last = np.asarray(prepared.truth, dtype=np.float64)[rows]
    truth[~np.isfinite(last)] = np.nan  # a row without its own value has no last value to be compared with
    return {
        "truth": truth,
        "prediction": scored[list(prediction_names(ahead.horizon))].to_numpy(dtype=np.float64),
        "last": last,
        "scale": _naive_scale(prepared),
        "half_widths": half_widths(manifest),
    }


def _ahead(prepared: Prepared) -> Following:
    if prepared.following is None:
        raise TypeError("Only a forecast has following values.")
    return prepared.following


def _place_of_rows(prepared: Prepared) -> NDArray[np.int64]:
    """The place of each row's window, (n_rows,), −1 for rows that were left out."""
    found = np.full(prepared.inputs.n_rows, -1, dtype=np.int64)
    rows = prepared.inputs.row_of_window
    found[rows] = np.arange(len(rows))
    return found


def _naive_scale(prepared: Prepared) -> float | None:
    """What MASE divides by: the seasonal naive error within the series of the training part."""
    past, inputs = prepared.pipeline.own_past, prepared.inputs
    if past is None or inputs.own is None:
        raise TypeError("Only a forecast has a season.")
    is_train = prepared.split.parts[inputs.row_of_window] == TRAIN
    borders = np.flatnonzero((np.diff(inputs.windows.first_row) != 0) | (np.diff(is_train.astype(np.int8)) != 0)) + 1
    parts = zip(np.split(inputs.own, borders), np.split(is_train, borders), strict=True)
    return naive_scale([values for values, train in parts if len(train) and train[0]], past.season)


def _residual_scale(raw: RawScores, prepared: Prepared) -> float | None:
    """The root mean square of residuals one step ahead in the training part; None without one, or where all are 0."""
    if raw.one_step is None:
        return None
    measured, expected = raw.one_step
    rows = prepared.inputs.row_of_window[full_places(prepared, np.sort(prepared.train))]
    residuals = (measured - expected)[rows]
    residuals = residuals[np.isfinite(residuals)]
    found = float(np.sqrt(np.mean(residuals**2))) if residuals.size else 0.0
    return found if found > 0 else None


def _threshold(raw: RawScores, scale: float, prepared: Prepared, resolved: Resolved) -> dict[str, object] | None:
    """The limit on |residual| ÷ scale, from the validation part as that of an anomaly run."""
    if raw.one_step is None:
        return None
    measured, expected = raw.one_step
    scores, rows_of = np.abs(measured - expected) / scale, prepared.inputs.row_of_window
    held = scores[rows_of[prepared.validation]]
    normal = scores[rows_of[full_places(prepared, np.sort(np.concatenate([prepared.train, prepared.validation])))]]
    if not np.isfinite(held).any():
        return None
    threshold = choose_threshold(
        held[np.isfinite(held)],
        baseline_scores=normal[np.isfinite(normal)],
        per_week=resolved.task.false_alarms_per_week,
        extrapolate=True,
        period_seconds=period_seconds(prepared.keys, resolved.time, rows_of),
        width_rows=1,
    )
    return threshold.to_json()
