"""A dataset: an immutable handle on a Parquet file plus what each column means.

The table itself stays on disk; callers read the columns and rows they need. A changed role, unit or limit makes a
new version of the same dataset with the same Parquet file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from core.errors import unknown_choice, unknown_column

if TYPE_CHECKING:  # Half a second of every child that reads a file, and it needs only what a column is.
    import pandas as pd
    import pyarrow as pa

    from core.data.rows import Rows

IN_MEMORY_CELLS = 10_000_000
"""A table with at most so many cells is read whole."""

Kind = Literal["number", "text", "time"]
Role = Literal["time", "group", "target", "sensor", "ignore"]
KINDS: tuple[str, ...] = get_args(Kind)
ROLES: tuple[str, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it holds, what it is for, its unit and the customer's specification limits.

    `kind` is how the cells were read: number (float64, NaN where empty), text, or time (datetime64[us], UTC-naive
    local time as written in the file). A cycle counter may have the role "time" and the kind "number".
    """

    name: str
    kind: Kind
    role: Role = "sensor"
    unit: str = ""
    lower_limit: float | None = None
    nominal: float | None = None
    upper_limit: float | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A version of an uploaded table. `sha256` is the hash of the Parquet file."""

    id: str
    version: int
    name: str
    path: Path
    n_rows: int
    columns: tuple[Column, ...]
    sha256: str

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            DataProblem: there is none; the error names the closest.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise unknown_column(name, [c.name for c in self.columns])

    def with_role(self, role: Role) -> tuple[Column, ...]:
        """The columns that have this role, in table order."""
        if role not in ROLES:
            raise unknown_choice("role", role, ROLES)
        return tuple(c for c in self.columns if c.role == role)

    def with_columns(self, columns: Sequence[Column]) -> Dataset:
        """A copy whose columns have other roles, units or limits; the version is not counted up here."""
        return replace(self, columns=tuple(columns))

    def table(self, columns: Sequence[str] | None = None, start: int = 0, stop: int | None = None) -> pd.DataFrame:
        """Rows `start` (inclusive) to `stop` (exclusive) of some columns, index = row number in the dataset.

        Numbers are float64, text is str with NaN where empty, times are datetime64[us].
        """
        import pandas as pd
        import pyarrow.parquet as pq

        names = [c.name for c in self.columns] if columns is None else list(columns)
        for name in names:
            self.column(name)
        stop = self.n_rows if stop is None else min(stop, self.n_rows)
        whole = start == 0 and stop == self.n_rows
        arrow = pq.read_table(self.path, columns=names) if whole else _slice(self.path, names, start, stop)
        table = arrow.to_pandas()[names]
        table.index = pd.RangeIndex(start, start + len(table), name="row")
        return table

    def rows(self, columns: Sequence[str] | None = None) -> Rows:
        """Some columns to be read in parts; a table of at most 10 million cells is read now and stays in memory."""
        from core.data.rows import FrameRows, ParquetRows

        names = [c.name for c in self.columns] if columns is None else list(columns)
        if self.n_rows * len(names) <= IN_MEMORY_CELLS:
            return FrameRows(self.table(names))
        for name in names:
            self.column(name)
        return ParquetRows(dict.fromkeys(names, self.path))


def _slice(path: Path, names: list[str], start: int, stop: int) -> pa.Table:
    """Only the row groups that overlap the rows asked for."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    taken, offset, first = [], 0, None
    for group in range(file.num_row_groups):
        n = file.metadata.row_group(group).num_rows
        if offset < stop and offset + n > start:
            first = offset if first is None else first
            taken.append(group)
        offset += n
    if not taken:
        return file.schema_arrow.empty_table().select(names)
    return file.read_row_groups(taken, columns=names).slice(start - (first or 0), max(0, stop - start))
