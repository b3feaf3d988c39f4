"""The one way from a raw table to windows, for training and for scoring alike: recipe → features → order → windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.recipe import Cleaned, FittedRecipe
from core.features.plan import FeaturePlan
from core.features.windows import Windows, make_windows


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a model sees of a table of n_rows rows.

    `windows` covers the rows that were kept, in group and time order; `row_of_window` is int64 (n_kept,), the row
    number in the table of each of them; `left_out_by` is object (n_rows,): the cleaning step that left a row out,
    or ""; `filled` is bool (n_rows,): an empty cell was filled with the training part's median.
    """

    windows: Windows
    row_of_window: NDArray[np.int64]
    left_out_by: NDArray[np.object_]
    filled: NDArray[np.bool_]
    cleaned: Cleaned


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A fitted recipe, a feature plan and a window width; `group` and `time` give the order of rows."""

    recipe: FittedRecipe
    plan: FeaturePlan
    width: int
    group: str | None = None
    time: str | None = None

    def inputs(self, table: pd.DataFrame, *, in_training: bool = False) -> Inputs:
        """Windows of a raw table. Rows that the recipe leaves out are in no window.

        `in_training` says that it is the table that everything was fitted on; see `FittedRecipe.apply`.
        """
        cleaned = self.recipe.apply(table, in_training=in_training)
        matrix = self.plan.transform(cleaned.table)
        order, groups = row_order(table, self.group, self.time)
        kept = order[~cleaned.left_out[order]]
        codes = None if groups is None else groups[kept]
        return Inputs(
            windows=make_windows(matrix.values[kept], codes, self.width),
            row_of_window=kept,
            left_out_by=np.asarray(cleaned.left_out_by, dtype=object),
            filled=matrix.missing,
            cleaned=cleaned,
        )

    def to_json(self) -> dict[str, object]:
        return {
            "recipe": self.recipe.to_json(),
            "features": self.plan.to_json(),
            "width": self.width,
            "group": self.group,
            "time": self.time,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Pipeline:
        return cls(
            FittedRecipe.from_json(stored["recipe"]),  # type: ignore[arg-type]
            FeaturePlan.from_json(stored["features"]),  # type: ignore[arg-type]
            int(stored["width"]),  # type: ignore[call-overload]
            stored["group"],  # type: ignore[arg-type]
            stored["time"],  # type: ignore[arg-type]
        )


def group_codes(table: pd.DataFrame, group: str | None) -> NDArray[np.int64] | None:
    """A code a row, in order of first appearance; empty cells are a group of their own."""
    if group is None or group not in table.columns:
        return None
    codes, _ = pd.factorize(table[group], use_na_sentinel=False)
    return codes.astype(np.int64)


def row_order(table: pd.DataFrame, group: str | None, time: str | None) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Row positions ordered by group (first appearance), then time, then place in the file; and the group codes."""
    codes = group_codes(table, group)
    keys: list[NDArray] = [np.arange(len(table))]
    if time is not None and time in table.columns:
        keys.append(_sortable(table[time]))
    if codes is not None:
        keys.append(codes)
    return np.lexsort(keys).astype(np.int64), codes


def _sortable(cells: pd.Series) -> NDArray:
    if pd.api.types.is_datetime64_any_dtype(cells):
        return cells.to_numpy().astype("datetime64[us]").astype(np.int64)
    if pd.api.types.is_numeric_dtype(cells):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.zeros(len(cells))
