"""Missing numbers from the most similar training rows.

The arithmetic is scikit-learn's KNNImputer (Troyanskaya et al., "Missing value estimation methods for DNA
microarrays", Bioinformatics 2001): the distance is over the cells that both rows have, scaled up to all columns; a
missing cell gets the mean of the k nearest rows that have that cell. Columns are brought to mean 0 and spread 1 first, as
the largest would decide alone. The fitted form keeps a bounded draw of training rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.arrays import pack, unpack
from core.clean.cells import applied, names_of, nothing_learned, numbers, with_cells
from core.clean.row_outliers import drawn
from core.clean.scaling import centre_and_scale
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

_CHUNK = 256


class KnnFillSettings(Settings):
    """How many rows a missing cell is filled from."""

    neighbours: int = setting(
        5,
        title="Neighbours",
        help="How many of the most similar training rows are averaged.",
        unit="rows",
        ge=1,
        le=100,
        expert=False,
    )
    rows: int = setting(
        1000,
        title="Reference rows",
        help="Training rows drawn at random to look for similar ones among; they are kept in the model.",
        unit="rows",
        ge=20,
        le=5000,
    )


@dataclass(frozen=True, slots=True)
class FittedKnnFill:
    """Reference rows (n_reference, n_columns), scaled, NaN where empty; `scales` has centre and scale of each column.

    A column without a training value has no scale and stays as it is.
    """

    columns: tuple[str, ...]
    scales: tuple[tuple[float, float] | None, ...]
    reference: NDArray[np.float64]
    k: int
    key: str = "knn_fill"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        names = [n for n, s in zip(self.columns, self.scales, strict=True) if s is not None]
        notes = nothing_learned([n for n in self.columns if n not in names])
        if not names or not len(table):
            return applied(table, Change(notes=notes))
        scaled = np.column_stack(
            [_scaled(table, n, s) for n, s in zip(self.columns, self.scales, strict=True) if s is not None]
        )
        filled = fill_from(scaled, self.reference, self.k)
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        changed: dict[str, int] = {}
        scales = [s for s in self.scales if s is not None]
        for i, name in enumerate(names):
            empty = np.isnan(scaled[:, i])
            if empty.any():
                values = filled[:, i] * scales[i][1] + scales[i][0]
                cells[name], changed[name] = np.where(empty, values, numbers(table, name)), int(empty.sum())
        return applied(with_cells(table, cells), Change(changed_cells=changed, notes=notes))

    def state(self) -> dict[str, object]:
        return {
            "columns": list(self.columns),
            "scales": [None if s is None else list(s) for s in self.scales],
            "reference": pack(self.reference),
            "k": self.k,
        }

    def learned(self) -> tuple[Message, ...]:
        n = len(self.reference)
        return (msg_n("{n} training row to compare with", "{n} training rows to compare with", n),)


def _scaled(table: pd.DataFrame, name: str, scale: tuple[float, float]) -> NDArray[np.float64]:
    values = numbers(table, name)
    return (np.where(np.isfinite(values), values, np.nan) - scale[0]) / scale[1]


def fill_from(values: NDArray[np.float64], reference: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Missing cells as the mean of the k nearest reference rows that have them; (n_rows, n_columns) both.

    Distances are summed column by column, so that no row's answer depends on its chunk. A row that shares no
    cell with any reference row gets the reference's column means, as in scikit-learn.
    """
    filled = values.copy()
    has = ~np.isnan(reference)
    known = np.where(has, reference, 0.0)
    means = known.sum(axis=0) / np.maximum(has.sum(axis=0), 1)
    lacking = np.flatnonzero(np.isnan(values).any(axis=1))
    for start in range(0, len(lacking), _CHUNK):
        rows = lacking[start : start + _CHUNK]
        distance = _distances(values[rows], known, has)
        for column in np.flatnonzero(np.isnan(values[rows]).any(axis=0)):
            mine = np.isnan(values[rows, column])
            donors = np.flatnonzero(has[:, column])
            filled[rows[mine], column] = _mean_of_nearest(
                distance[mine][:, donors], reference[donors, column], k, means[column]
            )
    return filled


def _distances(rows: NDArray[np.float64], known: NDArray[np.float64], has: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Squared distances over shared cells × columns / shared cells, (n_rows, n_reference); NaN without a shared cell."""
    total, shared = np.zeros((len(rows), len(known))), np.zeros((len(rows), len(known)))
    for column in range(rows.shape[1]):
        mine = rows[:, column]
        both = ~np.isnan(mine)[:, None] & has[:, column]
        total += np.where(both, (np.nan_to_num(mine)[:, None] - known[:, column]) ** 2, 0.0)
        shared += both
    return np.divide(total * rows.shape[1], shared, out=np.full(total.shape, np.nan), where=shared > 0)


def _mean_of_nearest(
    distance: NDArray[np.float64], values: NDArray[np.float64], k: int, otherwise: float
) -> NDArray[np.float64]:
    """Mean of the values of the k nearest donors a row, leaving out those at an unknown distance."""
    if not len(values):
        return np.full(len(distance), otherwise)
    far = np.where(np.isnan(distance), np.inf, distance)
    nearest = np.argsort(far, axis=1, kind="stable")[:, :k]
    counts = np.isfinite(np.take_along_axis(far, nearest, 1))
    n = counts.sum(axis=1)
    return np.where(n > 0, (values[nearest] * counts).sum(axis=1) / np.maximum(n, 1), otherwise)


@dataclass(frozen=True, slots=True)
class KnnFill:
    """Fill from similar rows. A column that is all missing in training stays unchanged, with a note."""

    title: Message
    summary: Message
    key: str = "knn_fill"
    settings: type[Settings] = KnnFillSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedKnnFill:
        chosen = KnnFillSettings.model_validate(settings.model_dump())
        names = names_of(columns)
        values = {name: numbers(train.table, name) for name in names}
        scales = tuple(centre_and_scale(v[np.isfinite(v)], "standard") for v in values.values())
        kept = [_scaled(train.table, n, s) for n, s in zip(names, scales, strict=True) if s is not None]
        rows = np.column_stack(kept) if kept else np.empty((len(train.table), 0))
        useful = rows[~np.isnan(rows).all(axis=1)] if rows.shape[1] else rows[:0]
        return FittedKnnFill(names, scales, drawn(useful, chosen.rows), chosen.neighbours)

    def restore(self, state: Mapping[str, object]) -> FittedKnnFill:
        s: Mapping[str, Any] = state
        scales = tuple(None if v is None else (v[0], v[1]) for v in s["scales"])
        return FittedKnnFill(tuple(s["columns"]), scales, unpack(s["reference"]), s["k"])


KNN_FILL = KnnFill(
    msg("Fill from the most similar rows"),
    msg("Empty cells get the average of the training rows that look most alike in the other columns."),
)
