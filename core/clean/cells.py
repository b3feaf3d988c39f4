"""What all cleaning steps need of a table's cells: numbers out, empty cells found, columns put back, changes counted.

Never changes the table that comes in. Knows nothing of methods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.step import Applied, Change
from core.data.dataset import Column
from core.errors import DataProblem, unknown_column
from core.messages import Message, msg, msg_n


def numbers(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """The cells of a number column, float64 (n_rows,), NaN where empty; read-only.

    Raises:
        DataProblem: the table has no such column, or it holds text. A text column without any entry is all NaN.
    """
    column = _column(table, name)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _floats(column)
    if column.isna().all():
        return np.full(len(column), np.nan)
    raise DataProblem(
        msg("Column '{column}' holds text, for example '{example}'.", column=name, example=str(column.dropna().iloc[0])[:40]),
        msg("The cleaning recipe expects numbers there."),
        msg("Check the decimal mark and the kind of the column."),
        column=name,
    )


def is_empty(table: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Which cells count as missing, (n_rows,): empty ones, and ±infinity in a number column."""
    column = _column(table, name)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return ~np.isfinite(_floats(column))
    return np.asarray(column.isna(), dtype=np.bool_)


def finite(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """The finite numbers of a column in row order, without empty cells and ±infinity; may be empty."""
    values = numbers(table, name)
    return values[np.isfinite(values)]


def with_cells(table: pd.DataFrame, cells: Mapping[str, NDArray[np.float64] | pd.Series]) -> pd.DataFrame:
    """A table whose named columns hold other cells; the one that came in stays as it was."""
    if not cells:
        return table
    result = table.copy(deep=False)
    for name, values in cells.items():
        result[name] = values
    return result


def count_changed(before: NDArray[np.float64], after: NDArray[np.float64]) -> int:
    """How many cells differ; empty equals empty."""
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    return int(np.count_nonzero(~same))


def applied(
    table: pd.DataFrame,
    change: Change,
    *,
    left_out: NDArray[np.bool_] | None = None,
    flagged: NDArray[np.bool_] | None = None,
) -> Applied:
    """The outcome of a step; marks that are not given are False for every row."""
    n = len(table)
    return Applied(
        table,
        np.zeros(n, dtype=np.bool_) if left_out is None else left_out,
        np.zeros(n, dtype=np.bool_) if flagged is None else flagged,
        change,
    )


def names_of(columns: Sequence[Column]) -> tuple[str, ...]:
    """The names of some columns, in their order."""
    return tuple(c.name for c in columns)


def nothing_learned(names: Sequence[str]) -> tuple[Message, ...]:
    """The note that these columns stay as they are for want of training values; none when there is no such column."""
    if not names:
        return ()
    return (
        msg_n(
            "Column {columns} is unchanged: it had no values to learn from.",
            "{n} columns are unchanged, as they had no values to learn from: {columns}.",
            len(names),
            columns=", ".join(f"'{name}'" for name in names),
        ),
    )


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table.columns:
        raise unknown_column(name, [str(c) for c in table.columns])
    return table[name]


def _floats(column: pd.Series) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
