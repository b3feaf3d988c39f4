"""Skewed number columns bent towards a bell curve, with the exponent learned on the training part.

Box, Cox, "An Analysis of Transformations", JRSS B 1964, for values above 0; Yeo, Johnson, "A New Family of Power
Transformations", Biometrika 2000, for all. SciPy finds the exponent λ by maximum likelihood. Empty cells stay
empty, infinite ones infinite.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, count_changed, finite, numbers, with_cells
from core.clean.missing import NoSettings
from core.clean.row_outliers import drawn
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg, msg_n
from core.settings import Settings

Family: TypeAlias = Literal["box_cox", "yeo_johnson"]
SMALLEST_ROWS = 3
MOST_ROWS = 20_000  # λ hardly moves with more, and the search takes long
_LARGEST_EXPONENT = 20.0


@dataclass(frozen=True, slots=True)
class FittedPower:
    """λ a column; None where it could not be learned."""

    key: str
    family: Family
    exponents: Mapping[str, float | None]
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        changed: dict[str, int] = {}
        emptied = np.zeros(len(table), dtype=np.int64)
        for name, exponent in self.exponents.items():
            before = numbers(table, name)
            if exponent is None:
                continue
            after = transformed(before, exponent, self.family)
            emptied += np.isnan(after) & ~np.isnan(before)
            n_changed = count_changed(before, after)
            if n_changed:
                cells[name], changed[name] = after, n_changed
        notes = self._notes(int(emptied.sum()))
        done = applied(with_cells(table, cells), Change(changed_cells=changed, notes=notes))
        return replace(done, row_notes=((notes[-1], emptied),) if emptied.any() else ())

    def state(self) -> dict[str, object]:
        return {"family": self.family, "exponents": dict(self.exponents)}

    def learned(self) -> tuple[Message, ...]:
        known = ((name, value) for name, value in self.exponents.items() if value is not None)
        return tuple(msg("'{column}': λ = {exponent}", column=n, exponent=v) for n, v in known)

    def _notes(self, emptied: int) -> tuple[Message, ...]:
        notes = []
        unknown = [name for name, exponent in self.exponents.items() if exponent is None]
        if unknown:
            notes.append(
                msg_n(
                    "Column {columns} is unchanged: its training values give no exponent.",
                    "{n} columns are unchanged, as their training values give no exponent: {columns}.",
                    len(unknown),
                    columns=", ".join(f"'{name}'" for name in unknown),
                )
            )
        if emptied:
            notes.append(
                msg_n("{n} cell is 0 or below and became empty.", "{n} cells are 0 or below and became empty.", emptied)
            )
        return tuple(notes)


def transformed(values: NDArray[np.float64], exponent: float, family: Family) -> NDArray[np.float64]:
    """Box-Cox: (x^λ - 1) / λ, ln x for λ = 0, NaN for x ≤ 0. Yeo-Johnson: equation 2.1 of the paper.

    An overflow gives the largest number, so that no infinity appears that was not there; ±infinity stays what it is.
    """
    with np.errstate(all="ignore"):
        made = _box_cox(values, exponent) if family == "box_cox" else _yeo_johnson(values, exponent)
    largest = np.finfo(np.float64).max
    return np.where(np.isinf(values), values, np.clip(made, -largest, largest))


def _box_cox(values: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    positive = np.where(values > 0, values, np.nan)
    return np.log(positive) if exponent == 0 else np.expm1(exponent * np.log(positive)) / exponent


def _yeo_johnson(values: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    up, down = np.log1p(np.maximum(values, 0.0)), np.log1p(np.maximum(-values, 0.0))
    above = up if exponent == 0 else np.expm1(exponent * up) / exponent
    below = -down if exponent == 2 else -np.expm1((2 - exponent) * down) / (2 - exponent)
    return np.where(np.isnan(values), np.nan, np.where(values >= 0, above, below))


def learn_exponent(values: NDArray[np.float64], family: Family) -> float | None:
    """λ by maximum likelihood from finite values.

    None: fewer than 3 values, constant up to rounding, a value ≤ 0 for Box-Cox, or no maximum between -20 and 20.
    """
    from scipy.stats import boxcox_normmax, yeojohnson_normmax

    if len(values) < SMALLEST_ROWS or np.ptp(values) <= 8 * np.finfo(np.float64).eps * float(np.max(np.abs(values))):
        return None
    if family == "box_cox" and values.min() <= 0:
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # the search may look at exponents that overflow
        try:
            found = boxcox_normmax(values, method="mle") if family == "box_cox" else yeojohnson_normmax(values)
        except (ValueError, FloatingPointError):
            return None
    exponent = float(found)
    return exponent if np.isfinite(exponent) and abs(exponent) <= _LARGEST_EXPONENT else None


@dataclass(frozen=True, slots=True)
class PowerTransform:
    """Bend a column. A column that gives no exponent is unchanged, with a note. Applied twice it bends twice."""

    key: str
    title: Message
    summary: Message
    family: Family
    settings: type[Settings] = NoSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER) -> FittedPower:
        values = {c.name: drawn(finite(train.table, c.name), MOST_ROWS) for c in columns}
        return FittedPower(self.key, self.family, {name: learn_exponent(v, self.family) for name, v in values.items()})

    def restore(self, state: Mapping[str, object]) -> FittedPower:
        exponents: Mapping[str, float | None] = state["exponents"]  # type: ignore[assignment]
        return FittedPower(self.key, self.family, dict(exponents))


BOX_COX = PowerTransform(
    "box_cox",
    msg("Make skewed values even (Box-Cox)"),
    msg("Bends values above 0 towards a bell curve. Cells of 0 or below become empty."),
    "box_cox",
)
YEO_JOHNSON = PowerTransform(
    "yeo_johnson",
    msg("Make skewed values even (Yeo-Johnson)"),
    msg("Bends values towards a bell curve, negative ones too."),
    "yeo_johnson",
)
