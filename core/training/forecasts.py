"""What a forecast has to settle before it is trained: its columns, its split, its season and its window."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.data.dataset import Dataset
from core.data.split import TRAIN, SplitSettings
from core.data.splitting import MIN_ROWS, make_split
from core.errors import DataProblem, SettingProblem
from core.features.own_past import OwnPast, usual_step
from core.features.pipeline import row_order, time_values
from core.features.season import find_season
from core.messages import msg
from core.training.forecast_length import too_short
from core.training.task_settings import TaskSettings

SHORTEST_WINDOW, LONGEST_WINDOW = 30, 100


def check_forecast(dataset: Dataset, target: str | None, split: SplitSettings) -> str:
    """The column to forecast.

    Raises:
        DataProblem: none is chosen, or it holds no numbers.
        SettingProblem: a split at random, after which rows to come would have been learned from.
    """
    if target is None:
        raise DataProblem(
            msg("No target column is chosen."),
            msg("A forecast needs the column whose next values are asked for."),
            msg("Name it with --target, or give a column the role 'target'."),
        )
    if dataset.column(target).kind != "number":
        example = str(next(iter(dataset.table([target])[target].dropna()), ""))
        raise DataProblem(
            msg("The target '{column}' holds texts such as '{example}'.", column=target, example=example),
            msg("A forecast needs a column of numbers."),
            msg("Choose another target, or predict the class instead."),
        )
    if split.method == "random":
        raise SettingProblem(
            msg("The split of a forecast was to be at random."),
            msg("Rows to come would have been learned from; a forecast is split by time, by group, or by a column."),
            msg("Choose the split by time."),
        )
    return target


def key_columns(*names: str | None) -> list[str]:
    """Names without repeats and without what is not chosen."""
    return list(dict.fromkeys(name for name in names if name is not None))


def own_past(
    dataset: Dataset,
    split: SplitSettings,
    settings: TaskSettings,
    *,
    target: str,
    time: str | None,
    group: str | None,
    seed: int,
) -> OwnPast:
    """Horizon, season and usual step; season and step are read from the training part alone.

    Raises:
        NotEnoughData: the table is too short to be split at all.
    """
    keys = dataset.table(key_columns(target, time, group, split.column))
    if len(keys) < MIN_ROWS:
        raise too_short(TRAIN, 0, settings.horizon, split, len(keys))
    made = make_split(keys, split, task="forecast", time=time, group=group, target=target, seed=seed)
    rows, codes = row_order(keys, group, time)
    rows = rows[made.parts[rows] == TRAIN]
    groups = None if codes is None else codes[rows]
    step, is_regular = (None, False) if time is None else usual_step(time_values(keys[time])[rows], groups)
    past = OwnPast(target, settings.horizon, 1, step, is_regular)
    season = settings.season or find_season(_series(keys, past, rows, groups, time))
    return OwnPast(target, settings.horizon, season, step, is_regular)


def _series(
    keys: pd.DataFrame, past: OwnPast, rows: np.ndarray, groups: np.ndarray | None, time: str | None
) -> list[np.ndarray]:
    """The target of each unbroken series of some rows in order."""
    values = keys[past.column].to_numpy(dtype=np.float64, na_value=np.nan)[rows]
    times = None if time is None else time_values(keys[time])[rows]
    if groups is None and times is None:
        return [values]
    series = past.series(groups, times)
    return np.split(values, np.flatnonzero(np.diff(series)) + 1)


def forecast_width(past: OwnPast, smallest: int) -> int:
    """The window: a season or the rows asked for, whichever is more, from 30 rows on and at most 100 but what is asked for.

    A season that is longer than the window is carried by a feature of its own (`OwnPast`); one within the rows ahead has
    to lie in the window.
    """
    return max(smallest, past.smallest_window, min(max(past.season, SHORTEST_WINDOW), LONGEST_WINDOW))
