"""What a forecast's bundle says: the values after each row of a table, and of each series those after its last row.

Rows are also scored: how far each is from what was forecast for it one step before, in units of the usual residual, so that a
forecast opens on the Anomalies screen as a detector does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.room import blocks
from core.data.rows import Rows
from core.features import ForecastTarget, Inputs
from core.messages import Message, msg
from core.serving.raw import RawScores, why_not

if TYPE_CHECKING:
    from core.data.room import BigArray
    from core.serving.bundle import Bundle
    from core.serving.manifest import Manifest

STEP, PREDICTION = "step", "prediction"


def prediction_names(horizon: int) -> tuple[str, ...]:
    """The columns of the values 1 to `horizon` rows ahead."""
    return tuple(f"{PREDICTION}_{step}" for step in range(1, horizon + 1))


def score_columns(manifest: Manifest) -> tuple[str, ...]:
    """The columns of the next values that `next_values` gives."""
    past = manifest.pipeline["own_past"]
    keys = [manifest.pipeline["group"], manifest.pipeline["time"] if past["step"] is not None else None]
    band = ("lower", "upper") if manifest.bands else ()
    return (*(name for name in keys if name is not None), STEP, PREDICTION, *band, "why_not")


def half_widths(manifest: Manifest) -> NDArray[np.float64] | None:
    """Half widths of the bands, (horizon,), None where there are none."""
    return np.array([band.half_width for band in manifest.bands]) if manifest.bands else None


def one_step(inputs: Inputs, outputs: BigArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What was measured in each row of the table, and what was forecast for it one step before, both (n_rows,), NaN unknown."""
    measured, expected = (np.full(inputs.n_rows, np.nan) for _ in range(2))
    rows, first = inputs.row_of_window, inputs.windows.first_row
    if inputs.own is not None:
        measured[rows] = inputs.own
    if len(rows) > 1:
        goes_on = np.flatnonzero(first[1:] == first[:-1]) + 1
        for start, stop in blocks(len(goes_on)):
            some = goes_on[start:stop]
            expected[rows[some]] = outputs[rows[some - 1], 0]
    return measured, expected


def forecast_columns(bundle: Bundle, raw: RawScores, rows: slice | NDArray[np.int64]) -> dict[str, object]:
    """The values ahead of some rows, what was expected of each, and its score and flag."""
    manifest, outputs = bundle.manifest, raw.outputs[rows]
    columns: dict[str, object] = {name: outputs[:, i] for i, name in enumerate(prediction_names(outputs.shape[1]))}
    if raw.one_step is None:
        return columns
    measured, expected = (values[rows] for values in raw.one_step)
    columns["expected"] = expected
    if manifest.residual_scale is not None:
        scores = np.abs(measured - expected) / manifest.residual_scale
        columns["score"] = scores
        if manifest.threshold is not None:
            columns["flag"] = bundle.threshold.flags(scores) & ~raw.inputs.padded[rows]
    return columns


def next_values(bundle: Bundle, raw: RawScores, rows: Rows) -> pd.DataFrame:
    """The values after the last row of each group, one row a value: group, time, step, prediction, lower, upper, why_not.

    The time is that of the last row and as many usual steps of the training part; without a time column it is left out.
    A group whose last row was left out goes on from the last one that was kept.
    """
    target, past = bundle.target, bundle.pipeline.own_past
    if not isinstance(target, ForecastTarget) or past is None:
        raise TypeError("Only a forecast has next values.")
    kept = raw.inputs.row_of_window
    group, time = bundle.pipeline.group, bundle.pipeline.time
    keys = rows.read([name for name in (group, time) if name is not None])
    codes = np.zeros(len(kept), dtype=np.int64)
    if group is not None:
        codes = pd.factorize(keys[group].iloc[kept], use_na_sentinel=False)[0].astype(np.int64)
    last = kept[np.append(np.flatnonzero(np.diff(codes) != 0), len(codes) - 1)] if len(kept) else kept
    h, widths = target.horizon, half_widths(bundle.manifest)
    steps = np.tile(np.arange(1, h + 1), len(last))
    from_row = np.repeat(last, h)
    found: dict[str, object] = {}
    if group is not None:
        found[group] = keys[group].iloc[from_row].to_numpy()
    if time is not None and past.step is not None:
        found[time] = _later(keys[time].iloc[from_row], steps, past.step)
    values = np.asarray(raw.outputs[last], dtype=np.float64).reshape(-1)
    found |= {STEP: steps, PREDICTION: values}
    if widths is not None:
        half = np.tile(widths, len(last))
        found |= {"lower": values - half, "upper": values + half}
    reasons = why_not(raw, raw.outputs[last], last)
    return pd.DataFrame({**found, "why_not": np.repeat(reasons, h)})


def _later(times: pd.Series, steps: NDArray[np.int64], step: float) -> NDArray:
    """Each time and so many steps; step in seconds for a clock."""
    if pd.api.types.is_datetime64_any_dtype(times):
        moved = np.round(steps * step * 1e6).astype("timedelta64[us]")
        return times.to_numpy().astype("datetime64[us]") + moved
    return times.to_numpy(dtype=np.float64, na_value=np.nan) + steps * step


def series_notes(bundle: Bundle, raw: RawScores) -> list[Message]:
    """What was odd about the series of a table: cells of the column that is forecast that are empty."""
    inputs, notes = raw.inputs, []
    own = inputs.own
    if own is not None and len(own) and not np.isfinite(own).all():
        share = float(100 * np.mean(~np.isfinite(own)))
        column = bundle.pipeline.own_past.column if bundle.pipeline.own_past is not None else ""
        notes.append(
            msg("{share} % of the cells of '{column}' are empty; the value before stands for each.", share=share, column=column)
        )
    return notes
