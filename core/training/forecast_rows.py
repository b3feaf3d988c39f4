"""The rows of a forecast: what follows each of them within its part, and the scale of what is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.catalogue import step_by_key
from core.clean.fitted_recipe import FittedRecipe
from core.data.dataset import Column
from core.data.split import TRAIN, Split
from core.errors import DataProblem
from core.features import Inputs, Pipeline
from core.features.forecast_target import OWN, ForecastTarget, unfitted
from core.features.own_past import Following, OwnPast, following
from core.features.pipeline import row_order, time_values
from core.messages import Message, msg
from core.training.forecast_length import longest_series
from core.training.resolve import Resolved

SCALE_PLACES = 50_000
MOST_REPEATED = 0.05  # a double stamp here and there is the clock's


def own_past_first(sensors: list[Column], target: str) -> list[Column]:
    """The columns that feed a forecast: the target itself first, then the others."""
    own = [replace(c, role="sensor") for c in sensors if c.name == target]
    return [*own, *(c for c in sensors if c.name != target)]


def following_rows(inputs: Inputs, split: Split, horizon: int) -> Following:
    """What follows each window's last row, in its series and its part of the split.

    Raises:
        AssertionError: the pipeline is not one of a forecast.
    """
    if inputs.own is None:
        raise AssertionError("a forecast's pipeline keeps the column that is forecast")
    return following(inputs.own, inputs.windows.first_row, split.parts[inputs.row_of_window], horizon)


def whole_rows(ahead: Following, inputs: Inputs) -> NDArray[np.bool_]:
    """Rows of the table (n_rows,) after which all values that are asked for are known."""
    found = np.zeros(inputs.n_rows, dtype=np.bool_)
    found[inputs.row_of_window] = ahead.is_whole
    return found


def whole_in_table(table: pd.DataFrame, split: Split, past: OwnPast, time: str | None, group: str | None) -> NDArray[np.bool_]:
    """The same before anything is prepared, as if no row were left out."""
    rows, first = _series_of(table, past, time, group)
    own = table[past.column].to_numpy(dtype=np.float64, na_value=np.nan)[rows]
    found = np.zeros(len(table), dtype=np.bool_)
    found[rows] = following(own, first, split.parts[rows], past.horizon).is_whole
    return found


def longest_in_table(table: pd.DataFrame, past: OwnPast, time: str | None, group: str | None) -> int:
    """The rows of the longest series without a gap."""
    return longest_series(_series_of(table, past, time, group)[1])


def _series_of(
    table: pd.DataFrame, past: OwnPast, time: str | None, group: str | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows in order of group and time, and the place at which the series of each begins."""
    rows, codes = row_order(table, group, time)
    groups = np.zeros(len(rows), dtype=np.int64) if codes is None else codes[rows]
    series = past.series(groups, None if time is None else time_values(table[time])[rows])
    return rows, np.searchsorted(series, series)


def fit_forecast_target(
    pipeline: Pipeline, inputs: Inputs, split: Split, ahead: Following, resolved: Resolved
) -> ForecastTarget:
    """Anchors and their scale from the training part.

    Raises:
        DataProblem: the target does not vary in the training part.
    """
    past, own = pipeline.own_past, pipeline.plan.features[OWN]
    if past is None or own.column != past.column or own.category is not None:
        raise DataProblem(
            msg("The target '{column}' is constant or empty in the training part.", column=resolved.target or ""),
            msg("Expected a target that varies."),
            msg("Choose another target or another split."),
        )
    target = unfitted(past, resolved.task.anchor, own.mean, own.scale, own.mean)
    is_train = split.parts[inputs.row_of_window] == TRAIN
    places = np.flatnonzero(ahead.is_whole & is_train)
    if len(places) > SCALE_PLACES:
        places = places[np.linspace(0, len(places) - 1, SCALE_PLACES).astype(np.int64)]
    differences = ahead.batch(places) - target.values_at(inputs.windows, places, target.anchor)
    scale = float(np.sqrt(np.mean(differences**2))) if len(places) else 0.0
    return replace(target, scale=scale if scale > 1e-12 * max(own.scale, 1e-300) else own.scale)


def repeated_times(table: pd.DataFrame, time: str | None, group: str | None) -> tuple[Message, ...]:
    """A word on rows that share their time with another row of their series: several series are then taken for one."""
    if time is None or not len(table):
        return ()
    share = float(table.duplicated([name for name in (group, time) if name is not None]).mean())
    if share <= MOST_REPEATED:
        return ()
    return (
        msg(
            "{share} % of the rows have a time that stood before in their series: choose the column that tells the series apart as "
            "group.",
            share=round(100 * share, 1),
        ),
    )


def forecast_notes(past: OwnPast, asked: int | None, time: str | None, recipe: FittedRecipe) -> list[Message]:
    """What has to be known of season and steps, and of cleaning that looks at neighbouring rows."""
    notes = []
    looking = [step_by_key(step.key).title for step in recipe.steps if step.uses_neighbours]
    if looking:
        listed = looking[0]
        for title in looking[1:]:
            listed = msg("{listed}, {step}", listed=listed, step=title)
        notes.append(
            msg(
                "Cleaning steps look at neighbouring rows ({steps}): where they look at later ones, the figures flatter.",
                steps=listed,
            )
        )
    if asked is None and past.season > 1:
        notes.append(
            msg(
                "A season of {n} rows was found in the autocorrelation of the training part; another can be set.", n=past.season
            )
        )
    if asked is None and past.season == 1:
        notes.append(msg("No season was found in the training part; the last value alone is the baseline."))
    if time is not None and not past.is_regular:
        notes.append(
            msg(
                "The steps of '{column}' are not regular: rows are counted, and no gap ends a series. "
                "A table with a regular step can be made on the Clean screen.",
                column=time,
            )
        )
    return notes
