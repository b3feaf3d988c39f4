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

from core.anomalies.conditional import Conditional, levels
from core.anomalies.scoring import ScoreCalibration, score_reconstruction
from core.data.room import Room
from core.data.rows import FrameRows, MappedRows, Rows
from core.errors import DataProblem
from core.features import ForecastTarget, Inputs
from core.features.targets import ClassTarget, class_texts
from core.features.texts import UNKNOWN
from core.messages import Message, msg, msg_n
from core.serving.forecasts import forecast_columns, one_step, series_notes
from core.serving.raw import ALL, Places, RawScores, why_not
from core.watching import Watch, part_of, unwatched

if TYPE_CHECKING:
    from core.serving.bundle import Bundle

CHUNK_ROWS = 2048
HEAD_ROWS = 1_000
MOST_LOOKED_AT, MANY_UNKNOWN = 10_000, 0.3
NONE_OF_KNOWN = "none_of_known"


@dataclass(frozen=True, slots=True)
class Scored:
    """`table` has one row an input row; `contributions` is float32 (n_rows, n_columns) for anomalies, else None.

    `sensor_names` names the columns of `contributions`; `notes` says what was odd about the input.
    """

    table: pd.DataFrame
    contributions: NDArray[np.float32] | None
    sensor_names: tuple[str, ...]
    notes: tuple[Message, ...] = ()


def check_columns(bundle: Bundle, rows: Rows) -> None:
    """The table has what the model needs, as numbers where numbers are needed.

    Raises:
        DataProblem: columns are missing, or texts stand where the model was trained on numbers.
    """
    needed = {c.name: c for c in bundle.manifest.columns if c.name in bundle.pipeline.plan.columns}
    absent = [name for name in (*needed, *bundle.manifest.key_columns) if name not in rows.names]
    if absent:
        raise DataProblem(
            msg("The table lacks {columns}.", columns=", ".join(dict.fromkeys(absent))),
            msg("The model was trained with {columns}.", columns=", ".join(needed)),
            msg("Add the columns or rename yours to match."),
        )
    head = rows.read(list(needed), 0, HEAD_ROWS)
    texts = [n for n, c in needed.items() if c.kind == "number" and not pd.api.types.is_numeric_dtype(head[n])]
    if texts:
        example = str(next(iter(head[texts[0]].dropna().astype("str")), ""))
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


def raw_scores(bundle: Bundle, rows: Rows, room: Room, watch: Watch = unwatched) -> RawScores:
    """The model's outputs for each row of a raw table, in chunks, before thresholds and intervals."""
    given = MappedRows(rows, lambda table: kinds_as_trained(bundle, table))
    table: Rows = FrameRows(given.read()) if isinstance(rows, FrameRows) else given
    check_columns(bundle, table)
    inputs = bundle.pipeline.inputs(table, room, watch=part_of(watch, 0, 0.3))
    return scores_of_inputs(bundle, inputs, room, part_of(watch, 0.3, 1))


def scores_of_inputs(
    bundle: Bundle,
    inputs: Inputs,
    room: Room,
    watch: Watch = unwatched,
    *,
    places: NDArray[np.int64] | None = None,
    onto: RawScores | None = None,
) -> RawScores:
    """The same for a table whose windows are there: those that the bundle's own pipeline made of it.

    Args:
        places: The windows to score; None for all. Rows of the others stay as `onto` has them, NaN without it.
        onto: Earlier scores of the same inputs by a model of the same outputs; its arrays are written to and handed on, for
            a second copy of ten million rows is what a large table has no room for.
    """
    wanted = np.arange(len(inputs.windows)) if places is None else places
    n_columns = len(bundle.pipeline.plan.columns)
    known = bundle.known_rows
    outputs, contributions, distance = (None, None, None) if onto is None else (onto.outputs, onto.contributions, onto.distance)
    if distance is None and known is not None:
        distance = room.array((inputs.n_rows,), np.float64, np.nan)
    for start in range(0, len(wanted), CHUNK_ROWS):
        some = wanted[start : start + CHUNK_ROWS]
        windows = inputs.windows.batch(some)
        out, parts = model_outputs(bundle, windows)
        rows = inputs.row_of_window[some]
        if outputs is None:
            outputs = room.array((inputs.n_rows, out.shape[1]), np.float64, np.nan)
            contributions = None if parts is None else room.array((inputs.n_rows, n_columns), np.float32, np.nan)
        outputs[rows] = out
        if distance is not None and known is not None:
            distance[rows] = known.distance(windows[:, :, bundle.pipeline.plan.n_tokens :])
        if contributions is not None and parts is not None:
            contributions[rows] = parts
        watch(start / len(wanted))
    if outputs is None:
        width = bundle.target.horizon if isinstance(bundle.target, ForecastTarget) else 1
        outputs = np.full((inputs.n_rows, width), np.nan)
    steps = one_step(inputs, outputs) if bundle.manifest.task == "forecast" else None
    return RawScores(inputs, outputs, contributions, distance, steps)


def score_table(bundle: Bundle, table: pd.DataFrame) -> Scored:
    """The output rows of a table; columns as the task has them (see `DESIGN` of the command line)."""
    raw = raw_scores(bundle, FrameRows(table), Room())
    contributions = None if raw.contributions is None else raw.contributions[:]
    return Scored(decide(bundle, raw), contributions, bundle.pipeline.plan.columns, input_notes(bundle, raw))


def decide(bundle: Bundle, raw: RawScores, rows: Places = ALL) -> pd.DataFrame:
    """Predictions, intervals, probabilities, scores and flags of some rows; padded windows have a score but no flag.

    Where a step of the recipe labels rows as a real event, the column `real_event` carries the label into judging.
    """
    manifest, outputs = bundle.manifest, raw.outputs[rows]
    out: dict[str, object] = {}
    if manifest.task == "classification":
        out = _class_columns(bundle, outputs)
        if raw.distance is not None and manifest.unknown is not None and manifest.unknown.limit is not None:
            out[NONE_OF_KNOWN] = raw.distance[rows] > manifest.unknown.limit
    elif manifest.task == "anomaly":
        scores = outputs[:, 0]
        out = {"score": scores, "flag": bundle.threshold.flags(scores) & ~raw.inputs.padded[rows]}
    elif manifest.task == "forecast":
        out = forecast_columns(bundle, raw, rows)
    else:
        out = _value_columns(bundle, outputs)
    events = raw.inputs.cleaned.real_event
    labels = {} if events is None else {"real_event": events[rows]}
    return pd.DataFrame({**out, **labels, "why_not": why_not(raw, outputs, rows)})


def model_outputs(bundle: Bundle, windows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
    """Outputs (n, k) and, for anomalies, contributions a table column (n, n_columns).

    A detector that names no columns gets the distance of each from what the others say (`core.anomalies.conditional`), where its
    bundle holds what that needs.
    """
    outputs = bundle.predictor.predict(windows)
    if isinstance(bundle.target, ForecastTarget):
        return bundle.target.decode(outputs.reshape(len(windows), -1), windows), None
    if bundle.manifest.task != "anomaly":
        return outputs.reshape(len(windows), -1), None
    columns = bundle.pipeline.plan.column_of_feature
    if bundle.manifest.predictor == "network":
        calibration = ScoreCalibration.from_arrays(bundle.calibration)
        scores, parts = score_reconstruction(windows, outputs, calibration)
        return scores[:, None], _by_column(parts, columns)
    if outputs.shape[1] == 1:
        conditional = Conditional.from_arrays(bundle.calibration)
        return outputs, None if conditional is None else _by_column(conditional.parts(levels(windows)), columns)
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
    prediction = bundle.target.decode(outputs[:, 0])  # type: ignore[union-attr, call-arg, arg-type]
    if manifest.interval is None:
        return {"prediction": prediction}
    half = manifest.interval.half_width
    lower = np.maximum(prediction - half, 0.0) if manifest.task == "rul" else prediction - half
    return {"prediction": prediction, "lower": lower, "upper": prediction + half}


def _class_columns(bundle: Bundle, outputs: NDArray[np.float64]) -> dict[str, object]:
    manifest, target = bundle.manifest, bundle.target
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


def input_notes(bundle: Bundle, raw: RawScores) -> tuple[Message, ...]:
    """What was odd about the input: values far outside the training part's range, and empty cells."""
    notes: list[Message] = []
    if raw.distance is not None and bundle.manifest.unknown is not None and bundle.manifest.unknown.limit is not None:
        n = int(np.count_nonzero(raw.distance[:] > bundle.manifest.unknown.limit))
        if n:
            notes.append(
                msg_n(
                    "{n} of {total} rows is unlike every class of the training part; its class is a guess.",
                    "{n} of {total} rows are unlike every class of the training part; their class is a guess.",
                    n,
                    total=raw.inputs.n_rows,
                )
            )
    if raw.inputs.late_units:
        notes.append(
            msg_n(
                "The history of {n} unit begins late: the model expects the unit's first rows, and takes these for a new unit's.",
                "The histories of {n} units begin late: the model expects the units' first rows, and takes these for new units'.",
                raw.inputs.late_units,
            )
        )
    notes.extend(_unknown_words(bundle, raw))
    if bundle.manifest.task == "forecast":
        notes += series_notes(bundle, raw)
    cleaned = raw.inputs.cleaned.rows
    for facts in bundle.manifest.columns:
        if facts.kind != "number" or facts.minimum is None or facts.maximum is None or facts.name not in cleaned.names:
            continue
        if facts.name not in bundle.pipeline.plan.columns:
            continue
        values = cleaned.read([facts.name])[facts.name].to_numpy(dtype=np.float64, na_value=np.nan)
        span = facts.maximum - facts.minimum
        outside = (values < facts.minimum - 0.1 * span) | (values > facts.maximum + 0.1 * span)
        if outside.mean() > 0.05:
            share = float(100 * outside.mean())
            notes.append(
                msg("{share} % of '{column}' lie outside the range of the training part.", share=share, column=facts.name)
            )
    return tuple(notes)


def _unknown_words(bundle: Bundle, raw: RawScores) -> list[Message]:
    """Whether many words of the remarks are ones that the training part did not show, by evenly spread rows."""
    text, values = bundle.pipeline.plan.text, raw.inputs.windows.values
    if text is None or not len(values):
        return []
    places = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_LOOKED_AT)).astype(np.int64))
    numbers = values[places][:, : text.length]
    share = float((numbers == UNKNOWN).sum() / max(1, (numbers > 0).sum()))
    if share <= MANY_UNKNOWN:
        return []
    return [
        msg(
            "{share} % of the words of '{column}' are unknown to the model: the training part did not show them.",
            share=round(100 * share),
            column=text.column,
        )
    ]
