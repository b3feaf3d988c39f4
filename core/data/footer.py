"""What the footer of a Parquet file tells of its columns without reading them, and what one column read by itself tells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True)
class Footer:
    """The rows of a table, and by column in its order: filled cells, lowest and highest value.

    `extremes` is None where the footer does not say (a NaN among the values); a column without values has NaN for both.
    Only of numbers (DOUBLE) are extremes told: a time before the year 1 is no Python datetime.
    """

    rows: int
    filled: tuple[int, ...]
    extremes: tuple[tuple[float, float] | None, ...]


def read_footer(table: Path) -> Footer:
    """The footer of a Parquet file whose writer kept statistics, as DuckDB and Arrow do.

    Raises:
        OSError: there is no such file.
    """
    facts = pq.read_metadata(table)
    filled = [0] * facts.num_columns
    extremes: list[tuple[float, float] | None] = [(math.nan, math.nan)] * facts.num_columns
    for group in range(facts.num_row_groups):
        row_group = facts.row_group(group)
        if not row_group.num_rows:
            continue  # Of nothing no statistics are kept.
        for i in range(facts.num_columns):
            held = row_group.column(i).statistics
            if held is None or held.null_count is None:
                raise OSError(f"{table.name} has no statistics")
            n = row_group.num_rows - held.null_count
            filled[i] += n
            if n and row_group.column(i).physical_type == "DOUBLE":
                extremes[i] = _wider(extremes[i], held.min, held.max) if held.has_min_max else None
    return Footer(facts.num_rows, tuple(filled), tuple(extremes))


def steps_back(table: Path, name: str, *, or_equal: bool) -> int:
    """How often a number or time is smaller than the one before it (or equal, if asked), empty cells left out.

    The column is read a row group at a time; a sort, which a window function of SQL needs, takes ten times as long.
    """
    file, found, last = pq.ParquetFile(table), 0, np.empty(0)
    for group in range(file.num_row_groups):
        column = file.read_row_group(group, columns=[name]).column(name).drop_null()
        values = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
        run = np.concatenate([last, values.to_numpy()]) if len(last) else values.to_numpy()
        found += int(np.count_nonzero(run[1:] <= run[:-1] if or_equal else run[1:] < run[:-1]))
        last = run[-1:]
    return found


def _wider(known: tuple[float, float] | None, low: float, high: float) -> tuple[float, float] | None:
    if known is None or not (math.isfinite(low) and math.isfinite(high)):
        return None
    return (low, high) if math.isnan(known[0]) else (min(known[0], low), max(known[1], high))
