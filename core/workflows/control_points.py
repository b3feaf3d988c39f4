"""How rows become the points of a control chart: subgroups, baseline and stages, and the times along the axis."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.errors import SettingProblem
from core.messages import msg
from core.spc.changes import lasting_shifts
from core.spc.chart import Phases, numbered, phases
from core.spc.subgroups import Subgroups, subgroups, subgroups_of_size
from core.workflows.control_settings import ControlSettings


def points_of(
    table: pd.DataFrame, values: NDArray[np.float64], settings: ControlSettings
) -> tuple[Subgroups | None, NDArray[np.int64], NDArray[np.int64]]:
    """The subgroups, None for single values; the place in `table` at which each point ends; and the point of each row of `table`."""
    n = len(values)
    if settings.subgroup_column is not None:
        labels = table[settings.subgroup_column].astype("str").to_numpy()
        codes, names = numbered(labels)
        ends = np.zeros(len(names), np.int64)
        ends[codes] = np.arange(n)  # the last of each label stays
        return subgroups(values, labels), ends, codes
    size = settings.subgroup or 1
    if size == 1 and settings.chart not in ("Xbar-R", "Xbar-S"):
        return None, np.arange(n), np.arange(n)
    ends = np.minimum(np.arange(size - 1, n + size - 1, size), n - 1)
    return subgroups_of_size(values, size), ends, np.arange(n) // size


def phases_of(table: pd.DataFrame, ends: NDArray[np.int64], points: NDArray[np.float64], settings: ControlSettings) -> Phases:
    """Baseline and stages of the points that end at these places of the table."""
    n = len(ends)
    has_baseline = settings.baseline is not None or settings.baseline_start > 1
    if settings.is_known and (has_baseline or settings.stage_column is not None or settings.shifts):
        raise SettingProblem(
            msg("Centre and sigma are both known, and a baseline or stages came too."),
            msg("Limits that are given are not learned from any points."),
            msg("Leave out the baseline and the stages, or one of known_centre and known_sigma."),
        )
    if sum([has_baseline, settings.stage_column is not None, settings.shifts]) > 1:
        raise SettingProblem(
            msg("A baseline, a column of stages and stages from shifts exclude each other; more than one came."),
            msg("The points of one stage cannot give the limits of another."),
            msg("Leave out all but one of them."),
        )
    if settings.stage_column is not None:
        return phases(n, None, table[settings.stage_column].astype("str").to_numpy()[ends])
    if settings.shifts:
        stages = np.searchsorted(lasting_shifts(points), np.arange(n), side="right") + 1
        return phases(n, None, stages) if stages.max(initial=1) > 1 else phases(n)
    return baseline_phases(n, settings.baseline_start, settings.baseline)


def baseline_phases(n: int, start: int, count: int | None) -> Phases:
    """Phases of n points whose baseline has `count` points from point `start` on (1-based), all the rest without `count`.

    Raises:
        SettingProblem: it begins behind the last point.
    """
    if start > max(n, 1):
        raise SettingProblem(
            msg("The baseline begins at point {first}, and there are {n}.", first=start, n=n),
            msg("The baseline lies within the points of the chart."),
            msg("Begin it at an earlier point."),
        )
    if count is not None and start - 1 + count > n:
        raise SettingProblem(
            msg("The baseline has points {first} to {last}, and there are {n}.", first=start, last=start - 1 + count, n=n),
            msg("The baseline lies within the points of the chart."),
            msg("Make it shorter, or begin it at an earlier point."),
        )
    place = np.arange(n) - (start - 1)
    last = n if count is None else count
    return phases(n, (place >= 0) & (place < last)) if start > 1 or count is not None else phases(n)


def stamps_of(table: pd.DataFrame, time: str | None, ends: NDArray[np.int64]) -> NDArray[np.generic] | None:
    """The time of each point, empty ones too, or None without a column of times."""
    return None if time is None else table[time].iloc[ends].to_numpy()


def order_by(dataset: Dataset) -> tuple[str | None, str | None]:
    """The columns by which rows are put in order: group and time.

    A clock orders all machines together, as they ran. A counter, such as a cycle, begins anew with each unit: there units follow each other, or
    the first cycle of all would come before the second of any, and a moving range would be that between units.
    """
    time = next(iter(dataset.with_role("time")), None)
    group = next((c.name for c in dataset.with_role("group")), None)
    return (group if time is not None and time.kind == "number" else None), (None if time is None else time.name)


def axis_times(table: pd.DataFrame, time: str | None, ends: NDArray[np.int64]) -> NDArray[np.generic] | None:
    """The time of each point, or None where there is no column of times, one is empty, or they do not ascend, as of subgroups that interleave."""
    if time is None or table[time].iloc[ends].isna().any():
        return None
    values = table[time].iloc[ends]
    found = values.to_numpy(dtype="datetime64[ms]") if values.dtype.kind == "M" else values.to_numpy(dtype=np.float64)
    return found if (found[1:] >= found[:-1]).all() else None
