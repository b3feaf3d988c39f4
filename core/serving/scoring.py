"""Scores of a raw table: the one path that training, pages and the command line take, so that their figures agree.

Each input row gives one output row, in order. A row that could not be scored, or only on a padded window or with
filled cells, says so in `why_not`. A padded window is never flagged: it repeats one row, whose noise no average takes away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.scoring import ScoreCalibration, score_reconstruction
from core.errors import DataProblem
from core.features import Inputs
from core.features.targets import ClassTarget, class_texts, target_from_json
from core.messages import Message, msg

if TYPE_CHECKING:
    from core.serving.bundle import Bundle

CHUNK_ROWS = 2048
PADDED = "padded window"
FILLED = "empty cell filled"


@dataclass(frozen=True, slots=True)
class Scored:
    """`table` has one row an input row; `contributions` is float32 (n_rows, n_columns) for anomalies, else None.

    `sensor_names` names the columns of `contributions`; `notes` says what was odd about the input.
    """

    table: pd.DataFrame
    contributions: NDArray[np.float32] | None
    sensor_names: tuple[str, ...]
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class RawScores:
    """Outputs before the decision: one row an input row, NaN where it was left out."""

    inputs: Inputs
    outputs: NDArray[np.float64]
    contributions: NDArray[np.float32] | None


def check_columns(bundle: Bundle, table: pd.DataFrame) -> None:
    """The table has what the model needs, as numbers where numbers are needed.

    Raises:
        DataProblem: columns are missing, or texts stand where the model was trained on numbers.
    """
    needed = {c.name: c for c in bundle.manifest.columns if c.name in bundle.pipeline.plan.columns}
    absent = [name for name in (*needed, *bundle.manifest.key_columns) if name not in table.columns]
    if absent:
        raise DataProblem(
            msg("The table lacks {columns}.", columns=", ".join(dict.fromkeys(absent))),
            msg("The model was trained with {columns}.", columns=", ".join(needed)),
            msg("Add the columns or rename yours to match."),
        )
    texts = [n for n, c in needed.items() if c.kind == "number" and not pd.api.types.is_numeric_dtype(table[n])]
    if texts:
        example = str(next(iter(table[texts[0]].dropna().astype("str")), ""))
        raise DataProblem(
            msg("Column '{column}' holds texts such as '{example}'.", column=texts[0], example=example),
            msg("The model was trained on numbers there."),
            msg("Check the decimal mark and the column."),
        )


def kinds_as_trained(bundle: Bundle, table: pd.DataFrame) -> pd.DataFrame:
    """The table with numbers as texts where the model learned texts; the table that comes in is not changed.

    A text column of which a file shows only digits ("1", "2" and never "X") is read as numbers; compared as they are
    with the texts of the training part, all its cells would count as unknown.
    """
    read_as_numbers = [
        c.name
        for c in bundle.manifest.columns
        if c.kind == "text" and c.name in table.columns and pd.api.types.is_numeric_dtype(table[c.name])
    ]
    return table.assign(
        **{name: pd.Series(class_texts(table[name]), index=table.index, dtype="str") for name in read_as_numbers}
    )


def raw_scores(bundle: Bundle, table: pd.DataFrame) -> RawScores:
    """The model's outputs for each row, in chunks, before thresholds and intervals."""
    table = kinds_as_trained(bundle, table)
    check_columns(bundle, table)
    inputs = bundle.pipeline.inputs(table)
    n_columns = len(bundle.pipeline.plan.columns)
    outputs = contributions = None
    for start in range(0, len(inputs.windows), CHUNK_ROWS):
        places = np.arange(start, min(start + CHUNK_ROWS, len(inputs.windows)))
        out, parts = _predict(bundle, inputs.windows.batch(places))
        rows = inputs.row_of_window[places]
        if outputs is None:
            outputs = np.full((len(table), out.shape[1]), np.nan)
            contributions = None if parts is None else np.full((len(table), n_columns), np.nan, dtype=np.float32)
        outputs[rows] = out
        if contributions is not None and parts is not None:
            contributions[rows] = parts
    if outputs is None:
        outputs = np.full((len(table), 1), np.nan)
    return RawScores(inputs, outputs, contributions)


def score_table(bundle: Bundle, table: pd.DataFrame) -> Scored:
    """The output rows of a table; columns as the task has them (see `DESIGN` of the command line)."""
    raw = raw_scores(bundle, table)
    return Scored(decide(bundle, raw), raw.contributions, bundle.pipeline.plan.columns, _notes(bundle, raw))


def decide(bundle: Bundle, raw: RawScores) -> pd.DataFrame:
    """Predictions, intervals, probabilities, scores and flags from raw outputs; padded windows have a score but no flag.

    Where a step of the recipe labels rows as a real event, the column `real_event` carries the label into judging.
    """
    manifest = bundle.manifest
    out: dict[str, object] = {}
    if manifest.task == "classification":
        out = _class_columns(bundle, raw.outputs)
    elif manifest.task == "anomaly":
        scores = raw.outputs[:, 0]
        out = {"score": scores, "flag": bundle.threshold.flags(scores) & ~_padded(raw)}
    else:
        out = _value_columns(bundle, raw.outputs)
    events = raw.inputs.cleaned.real_event
    labels = {} if events is None else {"real_event": events}
    return pd.DataFrame({**out, **labels, "why_not": why_not(raw)})


def why_not(raw: RawScores) -> NDArray[np.object_]:
    """Per row "" or what stood in the way: left out by a step, padded window, filled cell, no finite output."""
    reasons = np.where(raw.inputs.filled, FILLED, "").astype(object)
    reasons[_padded(raw)] = PADDED
    left_out = raw.inputs.left_out_by != ""
    reasons[left_out] = "left out by " + raw.inputs.left_out_by[left_out].astype(str).astype(object)
    broken = ~np.isfinite(raw.outputs[:, 0]) & ~left_out
    reasons[broken] = "not a finite number"
    return reasons


def _padded(raw: RawScores) -> NDArray[np.bool_]:
    """Per row, (n_rows,): its window repeats the first row of its group, as there are too few before it."""
    padded = np.zeros(len(raw.outputs), dtype=bool)
    padded[raw.inputs.row_of_window] = raw.inputs.windows.is_padded
    return padded


def _predict(bundle: Bundle, windows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
    """Outputs (n, k) and, for anomalies, contributions a table column (n, n_columns)."""
    outputs = bundle.predictor.predict(windows)
    if bundle.manifest.task != "anomaly":
        return outputs.reshape(len(windows), -1), None
    columns = bundle.pipeline.plan.column_of_feature
    if bundle.manifest.predictor == "network":
        calibration = ScoreCalibration.from_arrays(bundle.calibration)
        scores, parts = score_reconstruction(windows, outputs, calibration)
        return scores[:, None], _by_column(parts, columns)
    if outputs.shape[1] == 1:
        return outputs, None
    n_repeats = (outputs.shape[1] - 1) // len(columns)
    return outputs[:, :1], _by_column(outputs[:, 1:], np.tile(columns, n_repeats))


def _by_column(parts: NDArray[np.float64], column_of: NDArray[np.int64]) -> NDArray[np.float32]:
    """Contributions of features summed by table column: (n, n_features) → (n, n_columns)."""
    summed = np.zeros((len(parts), int(column_of.max()) + 1))
    for i, column in enumerate(column_of):
        summed[:, column] += parts[:, i]
    return summed.astype(np.float32)


def _value_columns(bundle: Bundle, outputs: NDArray[np.float64]) -> dict[str, object]:
    manifest = bundle.manifest
    target = target_from_json(manifest.target or {})
    prediction = target.decode(outputs[:, 0])  # type: ignore[union-attr, arg-type]
    if manifest.interval is None:
        return {"prediction": prediction}
    half = manifest.interval.half_width
    lower = np.maximum(prediction - half, 0.0) if manifest.task == "rul" else prediction - half
    return {"prediction": prediction, "lower": lower, "upper": prediction + half}


def _class_columns(bundle: Bundle, outputs: NDArray[np.float64]) -> dict[str, object]:
    manifest = bundle.manifest
    target = target_from_json(manifest.target or {})
    if not isinstance(target, ClassTarget):
        raise TypeError("A classification bundle has a class target.")
    classes = np.array([*target.classes, ""], dtype=object)
    known = np.isfinite(outputs).all(axis=1)
    codes = np.where(known, np.nan_to_num(outputs).argmax(axis=1), len(target.classes))
    if manifest.positive is not None and manifest.decision is not None and len(target.classes) == 2:
        place = target.classes.index(manifest.positive)
        codes = np.where(known, np.where(outputs[:, place] > manifest.decision, place, 1 - place), codes)
    columns: dict[str, object] = {"prediction": classes[codes]}
    for i, name in enumerate(target.classes):
        columns[f"probability_{name}"] = outputs[:, i]
    return columns


def _notes(bundle: Bundle, raw: RawScores) -> tuple[Message, ...]:
    """What was odd about the input: values far outside the training part's range, and empty cells."""
    notes: list[Message] = []
    cleaned = raw.inputs.cleaned.table
    for facts in bundle.manifest.columns:
        if facts.kind != "number" or facts.minimum is None or facts.maximum is None or facts.name not in cleaned:
            continue
        if facts.name not in bundle.pipeline.plan.columns:
            continue
        values = cleaned[facts.name].to_numpy(dtype=np.float64, na_value=np.nan)
        span = facts.maximum - facts.minimum
        outside = (values < facts.minimum - 0.1 * span) | (values > facts.maximum + 0.1 * span)
        if outside.mean() > 0.05:
            share = float(100 * outside.mean())
            notes.append(
                msg("{share} % of '{column}' lie outside the range of the training part.", share=share, column=facts.name)
            )
    return tuple(notes)
