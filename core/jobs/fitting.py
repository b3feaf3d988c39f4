"""One family fitted on prepared data, written as an uncalibrated bundle: network → ONNX, baseline → arrays."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from platform import python_version
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import __version__
from core.anomalies.conditional import fit_conditional, levels
from core.anomalies.scoring import calibration_of_levels, level_residuals
from core.errors import TrainingProblem
from core.features import ForecastTarget
from core.features.targets import ClassTarget, LifeTarget, RegressionTarget, Target
from core.jobs.places import full_places
from core.jobs.sources import balanced_places, encoded_targets, network_shape, source_of
from core.messages import msg
from core.models.estimate import is_table, most_shallow, reads_windows
from core.models.folds import group_folds, time_folds
from core.models.own_past_columns import own_past_columns
from core.models.spec import FittedArrays, Question, Shape, Task
from core.models.window_statistics import window_statistics
from core.serving.bundle import Bundle, write_bundle
from core.serving.manifest import ColumnFacts, Manifest
from core.serving.predictors import OnnxNetwork
from core.settings import Settings
from core.training.data import TrainingData
from core.training.events import Emit, Event, StopRequested
from core.training.fit import Trained, fit_network
from core.training.losses import metric_key
from core.training.prepare import Prepared
from core.training.resolve import Resolved
from core.training.tensorboard import with_logs

PARITY = 1e-5
PARITY_WINDOWS = 512
NAMELESS = ("onnx", "surface")  # kinds of detectors that give a score and no part of any column in it


def fit_deep(
    resolved: Resolved,
    prepared: Prepared,
    folder: Path,
    *,
    emit: Emit,
    stop_requested: StopRequested,
    checkpoints: Path | None,
    told_epochs: int | None = None,
    replay: Sequence[float] = (),
) -> tuple[Bundle, Trained]:
    """Train the family of the request and write its bundle; arguments as in `fit_network`.

    Raises:
        TrainingProblem: the loss diverged before a first good epoch.
    """
    places = balanced_places(prepared.train, prepared, resolved)
    data = TrainingData(train=source_of(prepared, places), validation=source_of(prepared, prepared.validation))
    if resolved.fit.tensorboard and checkpoints is not None:
        emit = with_logs(emit, checkpoints.parent / "tensorboard")
    trained = fit_network(
        resolved.spec,
        resolved.model_settings,
        network_shape(prepared),
        cast(Task, resolved.request.task),
        data,
        resolved.fit,
        emit=in_target_units(emit, prepared.target, resolved.request.task),
        stop_requested=stop_requested,
        checkpoints=checkpoints,
        seed=resolved.request.seed,
        told_epochs=told_epochs,
        replay=replay,
    )
    folder.mkdir(parents=True, exist_ok=True)
    difference = _export(trained.model, prepared, folder)
    manifest = base_manifest(resolved, prepared, resolved.spec.key, "network", resolved.model_settings)
    manifest = manifest.model_copy(
        update={
            "training": {
                "epochs": trained.n_epochs,
                "best_epoch": trained.best_epoch,
                "stopped_by": trained.stopped_by,
                "seconds": trained.seconds,
                "parameters": int(trained.model.count_params()),
                "onnx_difference": difference,
                "fit": resolved.fit.model_dump(mode="json"),
                **_way_to_best(trained),
            }
        }
    )
    arrays: dict[str, dict[str, NDArray]] = {}
    if resolved.request.task == "anomaly":
        arrays["calibration.npz"] = _residual_calibration(OnnxNetwork(folder / "model.onnx"), prepared)
    return Bundle(folder, write_bundle(folder, manifest, files={}, arrays=arrays)), trained


def _way_to_best(trained: Trained) -> dict[str, Any]:
    """The learning rates of the epochs up to the best one, and the training loss then; nothing where there was none."""
    history = trained.history[: trained.best_epoch]
    return {"rates": [record["learning_rate"] for record in history], "loss": history[-1]["loss"]} if history else {}


def in_target_units(emit: Emit, target: Target | None, task: str) -> Emit:
    """The same events with the metric in the target's unit, so that it stands beside the baseline's figure."""
    scale = 1.0
    if isinstance(target, RegressionTarget | LifeTarget | ForecastTarget):
        scale = target.cap if isinstance(target, LifeTarget) else target.scale
    key = metric_key(cast(Task, task))

    def told(event: Event) -> None:
        if event.kind != "epoch":
            emit(event)
            return
        values = {**event.values, "metric_key": key}
        for name in ("metric", "val_metric"):
            found = values.get(name)
            values[name] = None if found is None else float(cast(float, found)) * scale
        emit(Event("epoch", values))

    return told


def fit_baseline(resolved: Resolved, prepared: Prepared, spec: Any, settings: Settings, folder: Path) -> Bundle:
    """Fit a shallow family on the same recipe, split and windows (or their statistics) and write its bundle."""
    began = time.monotonic()
    fitted = fit_shallow(resolved, prepared, spec, settings)
    facts = {
        "seconds": round(time.monotonic() - began, 3),
        **fitted.facts,
        **({"notes": [note.to_json() for note in fitted.notes]} if fitted.notes else {}),
    }
    manifest = base_manifest(resolved, prepared, spec.key, fitted.kind, settings).model_copy(update={"training": facts})
    files = {**fitted.files, **({"model.onnx": fitted.onnx} if fitted.onnx else {})}
    arrays = {"model.npz": fitted.arrays} if fitted.arrays else {}
    if resolved.request.task == "anomaly" and fitted.kind in NAMELESS:
        arrays["calibration.npz"] = _conditional(prepared)
    return Bundle(folder, write_bundle(folder, manifest, files=files, arrays=arrays))


def fit_shallow(resolved: Resolved, prepared: Prepared, spec: Any, settings: Settings) -> FittedArrays:
    """A shallow family fitted on the training places of `prepared`."""
    inputs, places = (_windows if reads_windows(spec) else statistics_of)(prepared, prepared.train)
    balanced = balanced_places(places, prepared, resolved)
    if balanced is not places:  # places rise
        inputs, places = inputs[np.searchsorted(places, balanced)], balanced
    targets = encoded_targets(prepared, places)
    targets = None if targets is None else targets.astype(np.float64)
    seed = resolved.request.seed
    if reads_windows(spec):
        task, shape = cast(Task, resolved.request.task), network_shape(prepared)
        return spec.fit_windows(inputs, targets, settings, shape, task, seed)
    if is_table(spec):
        table = np.asarray(inputs, dtype=np.float64)  # as the statistics are
        return spec.fit_table(table, targets, settings, seed, question_of(resolved, prepared, places))
    fitted: FittedArrays = spec.fit(inputs, targets, settings, seed)
    return fitted


def question_of(resolved: Resolved, prepared: Prepared, places: NDArray[np.int64]) -> Question:
    """What a family that answers several tasks is asked, with the parts of its training rows that fit the split."""
    n_classes = len(prepared.target.classes) if isinstance(prepared.target, ClassTarget) else 0
    return Question(cast(Task, resolved.request.task), n_classes, split_folds(resolved, prepared, places))


def split_folds(resolved: Resolved, prepared: Prepared, places: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Whole groups, or stretches of time, as the split has them; None where it is random, unless a row stands twice.

    A split that a column gives is taken as one by group where there is a group, else as one by time.
    """
    rows = prepared.inputs.row_of_window[places]
    method, seed = resolved.split.method, resolved.request.seed
    if method in ("group", "column") and resolved.group is not None:
        codes, _ = pd.factorize(prepared.keys[resolved.group].iloc[rows], use_na_sentinel=False)
        found = group_folds(codes.astype(np.int64), seed)
        if found is not None:
            return found
    if method != "random" and (resolved.time is not None or method != "column"):
        return time_folds(rows if resolved.time is None else prepared.keys[resolved.time].iloc[rows].to_numpy())
    # A row of a rare class that was repeated may not be held back from itself.
    return group_folds(rows, seed) if len(np.unique(rows)) < len(rows) else None


def rewrite(bundle: Bundle, manifest: Manifest, files: dict[str, bytes] | None = None) -> Bundle:
    """The same bundle with another manifest and more files."""
    return Bundle(bundle.folder, write_bundle(bundle.folder, manifest, files=files or {}, arrays={}))


def base_manifest(resolved: Resolved, prepared: Prepared, model: str, predictor: str, settings: Settings) -> Manifest:
    """What is known of a model before it was judged."""
    dataset, split = resolved.dataset, prepared.split
    keys = tuple(name for name in (resolved.group, resolved.time) if name is not None)
    return Manifest(
        task=resolved.request.task,
        model=model,
        predictor=predictor,
        settings=settings.model_dump(mode="json"),
        pipeline=prepared.pipeline.to_json(),
        target=None if prepared.target is None else prepared.target.to_json(),
        target_column=resolved.target,
        key_columns=keys,
        columns=column_facts(resolved, prepared),
        dataset={
            "id": dataset.id,
            "version": dataset.version,
            "name": dataset.name,
            "rows": dataset.n_rows,
            "sha256": dataset.sha256,
        },
        split={
            "method": split.settings.method,
            "settings": split.settings.model_dump(mode="json"),
            "counts": split.counts(),
            "seed": split.seed,
            "reason": resolved.split_reason.to_json(),
        },
        seed=resolved.request.seed,
        request=resolved.request.model_dump(mode="json"),
        versions=versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def column_facts(resolved: Resolved, prepared: Prepared) -> tuple[ColumnFacts, ...]:
    """Every column that is not ignored, with its range and normal band (0.5–99.5 %) in the training part.

    The range is that of cleaned values, which new rows are compared with once they are cleaned too. The band is drawn
    beside values as measured, in their own unit, so it comes from these, without the cells that cleaning took away.
    """
    facts = []
    cleaned = prepared.inputs.cleaned.rows
    for column in resolved.dataset.columns:
        if column.role == "ignore":
            continue
        values: dict[str, Any] = {"name": column.name, "kind": column.kind, "role": column.role, "unit": column.unit}
        values |= {"lower_limit": column.lower_limit, "nominal": column.nominal, "upper_limit": column.upper_limit}
        if column.kind == "number" and column.name in cleaned.names:
            train = prepared.split.train_part(cleaned.read([column.name])).table[column.name]
            cells = train.to_numpy(dtype=np.float64, na_value=np.nan)
            is_known = np.isfinite(cells)
            known = cells[is_known]
            values["missing_fraction"] = float(1 - known.size / max(1, cells.size))
            del train, cells
            if known.size:
                values |= {"minimum": float(known.min()), "maximum": float(known.max())}
                measured = prepared.split.train_part(prepared.rows.read([column.name])).table[column.name]
                raw = measured.to_numpy(dtype=np.float64, na_value=np.nan)
                seen = raw[np.isfinite(raw) & is_known]
                del measured, raw  # one column of ten million rows at a time
                low, high = np.quantile(seen if seen.size else known, [0.005, 0.995], overwrite_input=True)
                values |= {"low": float(low), "high": float(high)}
        facts.append(ColumnFacts(**values))
    return tuple(facts)


def versions() -> dict[str, str]:
    """Versions that a result depends on."""
    from importlib.metadata import version

    names = ("tensorflow-cpu", "tensorflow", "keras", "onnxruntime", "scikit-learn", "lightgbm", "numpy", "pandas")
    found = {"andon": __version__, "python": python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except ModuleNotFoundError:  # only one of the two TensorFlow packages is installed
            continue
    return found


def _export(model: Any, prepared: Prepared, folder: Path) -> float:
    """Write model.keras and model.onnx; the largest difference of the two relative to the output's scale.

    Raises:
        TrainingProblem: they differ by more than 1e-5 of the output's scale.
    """
    from core.training.export import export_onnx

    model.save(folder / "model.keras")
    export_onnx(model, folder / "model.onnx")
    places = thinned(prepared.train, PARITY_WINDOWS)
    windows = prepared.inputs.windows.batch(places)
    expected = np.asarray(model.predict_on_batch(windows), dtype=np.float64)
    found = OnnxNetwork(folder / "model.onnx").predict(windows)
    difference = float(np.abs(found - expected).max() / max(1e-12, np.abs(expected).max()))
    if not difference <= PARITY:
        raise TrainingProblem(
            msg(
                "The exported model differs from the trained one by {difference} of the output's scale.", difference=difference
            ),
            msg("At most {limit} is allowed.", limit=PARITY),
            msg("Train again with another family or seed, and report this."),
        )
    return difference


def _residual_calibration(network: OnnxNetwork, prepared: Prepared) -> dict[str, NDArray]:
    """The arrays that turn residuals into scores, from at most 50,000 windows of the training part.

    Not of the validation part: the threshold is promised on scores to which it must be as new as rows to come.
    """
    places = thinned(full_places(prepared, np.sort(prepared.train)), 50_000)
    levels = []
    for start in range(0, len(places), 2048):
        windows = prepared.inputs.windows.batch(places[start : start + 2048])
        levels.append(level_residuals(windows, network.predict(windows)))
    return dict(calibration_of_levels(np.concatenate(levels)).to_arrays())


def _conditional(prepared: Prepared) -> dict[str, NDArray]:
    """What the features' levels expect of each other, from at most 50,000 windows of the training part."""
    places = thinned(full_places(prepared, np.sort(prepared.train)), 50_000)
    found = [levels(prepared.inputs.windows.batch(places[i : i + 2048])) for i in range(0, len(places), 2048)]
    width = int(prepared.inputs.windows.values.shape[1])
    return dict(fit_conditional(np.concatenate(found) if found else np.empty((0, width))).to_arrays())


def statistics_of(
    prepared: Prepared, places: NDArray[np.int64], chunk: int = 4096
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Window statistics, or for a forecast its own past, (n, d) of evenly spread places, as many as a shallow fit has the memory for, and these places."""
    windows = prepared.inputs.windows
    width, shape = _columns(prepared, windows.batch(places[:1])).shape[1], network_shape(prepared)
    if isinstance(prepared.target, ForecastTarget):
        shape = Shape(1, width, shape.n_outputs)
    taken = thinned(places, most_shallow(shape, len(places)))
    found = np.empty((len(taken), width))
    for start in range(0, len(taken), chunk):
        found[start : start + chunk] = _columns(prepared, windows.batch(taken[start : start + chunk]))
    return found, taken


def _columns(prepared: Prepared, windows: NDArray[np.float32]) -> NDArray[np.float64]:
    """What a family of tables sees of windows: their statistics, or for a forecast the target's own past."""
    target = prepared.target
    if isinstance(target, ForecastTarget):
        return own_past_columns(windows, target.horizon, target.has_season_feature)
    return window_statistics(windows)


def _windows(prepared: Prepared, places: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Windows (n, width, n_features) of evenly spread places, as many as a shallow fit has the memory for, and these places."""
    windows = prepared.inputs.windows
    taken = thinned(places, most_shallow(network_shape(prepared), len(places), whole_windows=True))
    return windows.batch(taken), taken


def thinned(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most `most` places, evenly spread."""
    if len(places) <= most:
        return places
    return places[np.linspace(0, len(places) - 1, most).astype(np.int64)]
