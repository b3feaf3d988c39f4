"""Outliers against their own neighbourhood: the Hampel window, for spikes in a signal that drifts.

A cell is an outlier when it lies more than `limit` local spreads from the median of its window; the local spread is
1.4826 times the median absolute deviation within the window (Pearson, "Outliers in process modeling and
identification", IEEE Trans. Control Systems Technology 2002, equation 3). Windows never cross groups; they follow the
time column (the file, where there is none).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import names_of, numbers
from core.clean.neighbours import group_edges, row_order
from core.clean.outliers import ACTION_HELP, Action, marked
from core.clean.step import FILE_ORDER, Applied, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg
from core.settings import Settings, setting

_CHUNK_CELLS = 4_000_000
_SMALLEST_WINDOW = 3


class HampelSettings(Settings):
    """How wide the window is, and how far from its median a cell may lie."""

    half_width: int = setting(
        5,
        title="Half window",
        help="Rows before and after a row that make its window.",
        unit="rows",
        ge=1,
        le=500,
        expert=False,
    )
    limit: float = setting(
        4.0,
        title="Distance",
        help="Local spreads from the window's median that still count as normal.",
        gt=0,
        le=100,
        expert=False,
    )
    causal: bool = setting(
        False,
        title="Look back only",
        help="The window ends at the row itself, as in live scoring; else it looks ahead, and a warning comes later.",
        expert=False,
    )
    floor: float = setting(
        0.5,
        title="Smallest spread",
        help="Share of the usual local spread of the training part below which no window's spread goes, so that a flat "
        "stretch does not make noise an outlier. 0: as published.",
        ge=0,
        le=10,
    )
    action: Action = setting("flag", title="What to do", help=ACTION_HELP, expert=False)


@dataclass(frozen=True, slots=True)
class Local:
    """The window's median and spread (1.4826 MAD) around each row, (n_rows,) each; NaN with fewer than 3 values."""

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]


def local_spread(
    values: NDArray[np.float64],
    order: NDArray[np.int64],
    groups: NDArray[np.int64] | None,
    half_width: int,
    causal: bool,
) -> Local:
    """Median and spread around each row of its window; empty cells and ±infinity take no part.

    Args:
        values: (n_rows,) in the table's order.
        order: (n_rows,) row places, those of one group together and in order of time.
        groups: (n_rows,) group codes in the table's order; None: one group.
    """
    n = len(values)
    first, last = group_edges(n, None if groups is None else groups[order])
    known = np.where(np.isfinite(values), values, np.nan)[order]
    offsets = np.arange(-2 * half_width, 1) if causal else np.arange(-half_width, half_width + 1)
    local = Local(np.full(n, np.nan), np.full(n, np.nan))
    step = max(1, _CHUNK_CELLS // len(offsets))
    for start in range(0, n, step):
        place = np.arange(start, min(start + step, n))
        around = place[:, None] + offsets
        inside = (around >= first[place][:, None]) & (around <= last[place][:, None])
        window = np.where(inside, known[np.clip(around, 0, n - 1)], np.nan)
        centre = _medians(window)
        local.centre[order[place]] = centre
        local.spread[order[place]] = 1.4826 * _medians(np.abs(window - centre[:, None]))
    return local


def _medians(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of the values of each row, without NaN; NaN with fewer than 3 of them."""
    ordered = np.sort(windows, axis=1)  # NaN last
    n = np.count_nonzero(~np.isnan(ordered), axis=1)
    row, last = np.arange(len(ordered)), np.maximum(n - 1, 0)
    middle = (ordered[row, last // 2] + ordered[row, (last + 1) // 2]) / 2
    return np.where(n >= _SMALLEST_WINDOW, middle, np.nan)


@dataclass(frozen=True, slots=True)
class FittedHampel:
    """The smallest spread a column that the training part gave; None where it had no window to learn from."""

    floors: Mapping[str, float | None]
    keys: RowKeys
    half_width: int
    limit: float
    causal: bool
    action: Action
    key: str = "hampel_outliers"
    uses_neighbours: bool = True

    @property
    def reach_rows(self) -> int:
        return 2 * self.half_width + 1

    def apply(self, table: pd.DataFrame) -> Applied:
        order, groups = row_order(table, self.keys)
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        outlying: dict[str, NDArray[np.bool_]] = {}
        for name, floor in self.floors.items():
            values = numbers(table, name)
            if floor is None:
                continue
            local = local_spread(values, order, groups, self.half_width, self.causal)
            reach = self.limit * np.maximum(local.spread, floor)
            outside = np.abs(values - local.centre) > reach
            if outside.any():
                outlying[name] = outside
                clipped = np.clip(values, local.centre - reach, local.centre + reach)
                cells[name] = np.where(outside, clipped if self.action == "clip" else np.nan, values)
        return marked(table, self.action, cells, outlying)

    def state(self) -> dict[str, object]:
        return {
            "columns": dict(self.floors),
            "group": self.keys.group,
            "time": self.keys.time,
            "half_width": self.half_width,
            "limit": self.limit,
            "causal": self.causal,
            "action": self.action,
        }

    def learned(self) -> tuple[Message, ...]:
        known = ((name, floor) for name, floor in self.floors.items() if floor is not None)
        return tuple(msg("the smallest local spread of '{column}' is {spread}", column=n, spread=f) for n, f in known)


@dataclass(frozen=True, slots=True)
class HampelOutliers:
    """Spikes against their neighbourhood.

    A window with fewer than 3 values judges nothing; a column whose training part has no such window is left alone.
    Applied twice it may change more: with a spike gone, its window is narrower.
    """

    title: Message
    summary: Message
    key: str = "hampel_outliers"
    settings: type[Settings] = HampelSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedHampel:
        chosen = HampelSettings.model_validate(settings.model_dump())
        order, groups = row_order(train.table, keys)
        floors: dict[str, float | None] = {}
        for name in names_of(columns):
            values = numbers(train.table, name)
            spread = local_spread(values, order, groups, chosen.half_width, chosen.causal).spread
            known = spread[np.isfinite(spread)]
            floors[name] = chosen.floor * float(np.median(known)) if len(known) else None
        return FittedHampel(floors, keys, chosen.half_width, chosen.limit, chosen.causal, chosen.action)

    def restore(self, state: Mapping[str, object]) -> FittedHampel:
        s: Mapping[str, Any] = state
        keys = RowKeys(s["group"], s["time"])
        return FittedHampel(dict(s["columns"]), keys, s["half_width"], s["limit"], s["causal"], s["action"])


HAMPEL_OUTLIERS = HampelOutliers(
    msg("Spikes by a moving median (Hampel)"),
    msg("Marks cells that jump out of the values just before and after them; a slow drift is no outlier."),
)
