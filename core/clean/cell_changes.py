"""Every cell that a recipe changed: row, column, value before and after, and the step that changed it.

Cells are found step by step, so that a cell that two steps change stands there twice, and their number is the sum of
what the steps count. Nothing is copied until a part of the list is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.fitted_recipe import FittedRecipe

COLUMNS = ("row", "column", "before", "after", "step")


@dataclass(frozen=True, slots=True)
class _Block:
    """The cells of one column that one step changed. `rows` are places in the table; `step` is the step's number."""

    step: int
    column: str
    rows: NDArray[np.int64]
    before: pd.Series
    after: pd.Series

    def part(self, start: int, stop: int) -> pd.DataFrame:
        places = self.rows[start:stop]
        return pd.DataFrame(
            {
                "row": self.before.index[places],
                "column": self.column,
                "before": self.before.iloc[places].to_numpy(dtype=object),
                "after": self.after.iloc[places].to_numpy(dtype=object),
                "step": self.step,
            }
        )


@dataclass(frozen=True, slots=True)
class CellChanges:
    """The changed cells in order of step, column and row."""

    blocks: tuple[_Block, ...]

    @property
    def n(self) -> int:
        return sum(len(block.rows) for block in self.blocks)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns with a changed cell, once each."""
        return tuple(dict.fromkeys(block.column for block in self.blocks))

    def of(self, *, column: str | None = None, step: int | None = None) -> CellChanges:
        """Only the cells of one column, of one step by its number, or of both."""
        kept = (b for b in self.blocks if column in (None, b.column) and step in (None, b.step))
        return CellChanges(tuple(kept))

    def part(self, start: int, stop: int) -> pd.DataFrame:
        """Cells `start` (inclusive) to `stop` (exclusive) with the columns row, column, before, after, step."""
        parts, offset = [], 0
        for block in self.blocks:
            first, last = max(start - offset, 0), min(stop - offset, len(block.rows))
            if first < last:
                parts.append(block.part(first, last))
            offset += len(block.rows)
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def find_changes(
    recipe: FittedRecipe, table: pd.DataFrame, numbers: Sequence[int] = (), *, in_training: bool = False
) -> CellChanges:
    """Apply a fitted recipe to a table and remember which cells each step changed.

    Columns that a step adds or removes have no cell before or after.

    Args:
        numbers: What each fitted step is called, such as its place in a recipe with steps that are switched off; else
            they are counted from 1.
        in_training: As for `FittedRecipe.apply`.
    """
    blocks = []
    for number, done in zip(
        numbers or range(1, len(recipe.steps) + 1), recipe.walk(table, in_training=in_training), strict=True
    ):
        for name in done.applied.change.changed_cells:
            before, after = done.before[name], done.applied.table[name]
            rows = np.flatnonzero(_differ(before, after))
            blocks.append(_Block(number, name, rows, before, after))
    return CellChanges(tuple(blocks))


def _differ(before: pd.Series, after: pd.Series) -> NDArray[np.bool_]:
    """Where two columns hold something else; empty equals empty."""
    both_empty = before.isna().to_numpy() & after.isna().to_numpy()
    same = np.asarray((before == after).fillna(False), dtype=np.bool_)
    return np.asarray(~same & ~both_empty)
