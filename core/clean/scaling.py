"""Number columns brought to comparable size: (cell - centre) / scale, learned on the training part.

Empty cells stay empty and ±infinity stays infinite. Networks scale their inputs anyway; this is for people who want
the scaled values in the dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, count_changed, finite, nothing_learned, numbers, with_cells
from core.clean.missing import NoSettings
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg
from core.settings import Settings

Method = Literal["standard", "minmax", "robust"]


@dataclass(frozen=True, slots=True)
class FittedScale:
    """Centre and scale a column; None where the training part had no values."""

    key: str
    scales: Mapping[str, tuple[float, float] | None]
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        changed: dict[str, int] = {}
        for name, scale in self.scales.items():
            before = numbers(table, name)
            if scale is None:
                continue
            after = (before - scale[0]) / scale[1]
            n_changed = count_changed(before, after)
            if n_changed:
                cells[name], changed[name] = after, n_changed
        notes = nothing_learned([name for name, scale in self.scales.items() if scale is None])
        return applied(with_cells(table, cells), Change(changed_cells=changed, notes=notes))

    def state(self) -> dict[str, object]:
        return {"scales": {k: None if v is None else list(v) for k, v in self.scales.items()}}

    def learned(self) -> tuple[Message, ...]:
        known = ((name, scale) for name, scale in self.scales.items() if scale is not None)
        return tuple(msg("'{column}': less {centre}, divided by {scale}", column=n, centre=v[0], scale=v[1]) for n, v in known)


def centre_and_scale(values: NDArray[np.float64], method: Method) -> tuple[float, float] | None:
    """What to subtract and divide by, from finite values; None when there are none.

    standard: mean and standard deviation (ddof=0); minmax: minimum and range; robust: median and IQR (linear method).
    A spread of zero, as of one row or a constant column, gives scale 1: the column is only centred.
    """
    if not len(values):
        return None
    if method == "standard":
        centre, scale = float(np.mean(values)), float(np.std(values))
    elif method == "minmax":
        centre, scale = float(np.min(values)), float(np.max(values) - np.min(values))
    else:
        low, centre, high = (float(q) for q in np.quantile(values, (0.25, 0.5, 0.75)))
        scale = high - low
    if not (np.isfinite(centre) and np.isfinite(scale)):
        return None
    rounding = 8 * np.finfo(np.float64).eps * float(np.max(np.abs(values)))
    return centre, scale if scale > rounding else 1.0


@dataclass(frozen=True, slots=True)
class Scale:
    """One way to scale. All missing in training: unchanged, with a note. Applying twice scales twice."""

    key: str
    title: Message
    summary: Message
    method: Method
    settings: type[Settings] = NoSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER) -> FittedScale:
        with np.errstate(over="ignore", invalid="ignore"):
            return FittedScale(self.key, {c.name: centre_and_scale(finite(train.table, c.name), self.method) for c in columns})

    def restore(self, state: Mapping[str, object]) -> FittedScale:
        stored: Mapping[str, list[float] | None] = state["scales"]  # type: ignore[assignment]
        return FittedScale(self.key, {k: None if v is None else (v[0], v[1]) for k, v in stored.items()})


STANDARD_SCALE = Scale(
    "standard_scale",
    msg("Scale to mean 0 and spread 1"),
    msg("Subtracts the training mean and divides by the training standard deviation."),
    "standard",
)
MINMAX_SCALE = Scale(
    "minmax_scale",
    msg("Scale to 0 … 1"),
    msg("The smallest training value becomes 0 and the largest 1; one outlier squeezes all others."),
    "minmax",
)
ROBUST_SCALE = Scale(
    "robust_scale",
    msg("Scale by median and middle half"),
    msg("Subtracts the training median and divides by the width of the middle half; outliers hardly matter."),
    "robust",
)
