"""A table that is read in parts: some columns, some rows, so that ten million rows need no more memory than a stretch of them.

`FrameRows` is a table in memory, one stretch long; `ParquetRows` lies on disk and is read row group by row group. What works
on `Rows` therefore runs the same code for both, and a small table goes through in one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

STRETCH_ROWS, RELEASE_ROWS = 100_000, 1_000_000
Stretch = tuple[int, int]


class Rows(Protocol):
    """`n_rows` rows of the columns `names`. Numbers are float64, texts str, times datetime64[us], as in `Dataset.table`."""

    @property
    def n_rows(self) -> int: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def read(self, names: Sequence[str] | None = None, start: int = 0, stop: int | None = None) -> pd.DataFrame:
        """Rows `start` (inclusive) to `stop` (exclusive) of some columns (all), index = row number."""
        ...

    def stretches(self) -> Iterator[Stretch]:
        """Ends of the stretches that are read well in one piece, in order, every row once."""
        ...


@dataclass(frozen=True, slots=True)
class FrameRows:
    """A table in memory. Its own index stays when it is read whole."""

    table: pd.DataFrame

    @property
    def n_rows(self) -> int:
        return len(self.table)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(str(name) for name in self.table.columns)

    def read(self, names: Sequence[str] | None = None, start: int = 0, stop: int | None = None) -> pd.DataFrame:
        table = self.table if names is None else self.table[list(names)]
        return table if start == 0 and stop in (None, len(table)) else table.iloc[start:stop]

    def stretches(self) -> Iterator[Stretch]:
        yield 0, len(self.table)


@dataclass(frozen=True)
class ParquetRows:
    """Columns of Parquet files with equally many rows; `files` says where each column lies.

    Stretches are row groups of the first file, joined up to `STRETCH_ROWS`.
    """

    files: Mapping[str, Path]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.files)

    @cached_property
    def n_rows(self) -> int:
        return int(self._ends[next(iter(self.files.values()))][-1]) if self.files else 0

    @cached_property
    def _opened(self) -> dict[Path, pq.ParquetFile]:
        return {path: pq.ParquetFile(path) for path in dict.fromkeys(self.files.values())}

    @cached_property
    def _ends(self) -> dict[Path, NDArray[np.int64]]:
        """The row after each row group of each file, the first 0."""
        found = {}
        for path, file in self._opened.items():
            groups = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
            found[path] = np.cumsum([0, *groups], dtype=np.int64)
        return found

    def read(self, names: Sequence[str] | None = None, start: int = 0, stop: int | None = None) -> pd.DataFrame:
        wanted = list(self.names if names is None else names)
        stop = self.n_rows if stop is None else min(stop, self.n_rows)
        parts = {path: [n for n in wanted if self.files[n] == path] for path in self._opened}
        frames = [self._read(path, own, start, stop) for path, own in parts.items() if own]
        if stop - start > RELEASE_ROWS:
            pa.default_memory_pool().release_unused()
        table = (
            (frames[0] if len(frames) == 1 else pd.concat(frames, axis=1))[wanted]
            if frames
            else pd.DataFrame(index=range(max(0, stop - start)))
        )
        table.index = pd.RangeIndex(start, start + len(table), name="row")
        return table

    def _read(self, path: Path, names: list[str], start: int, stop: int) -> pd.DataFrame:
        ends, file = self._ends[path], self._opened[path]
        first = max(0, int(np.searchsorted(ends, start, side="right")) - 1)
        last = int(np.searchsorted(ends, stop, side="left"))
        groups = list(range(first, min(last, file.num_row_groups))) if stop > start else []
        if not groups:
            return file.schema_arrow.empty_table().select(names).to_pandas()
        offset = int(ends[groups[0]])
        return file.read_row_groups(groups, columns=names).slice(start - offset, stop - start).to_pandas()[names]

    def stretches(self) -> Iterator[Stretch]:
        if not self.files:
            return
        start = 0
        ends = self._ends[next(iter(self.files.values()))]
        for end in map(int, ends[1:]):
            if end - start >= STRETCH_ROWS * 0.9 or end == self.n_rows:
                yield start, end
                start = end

    def close(self) -> None:
        """Let go of the files, so that they can be deleted on every system."""
        for file in self.__dict__.pop("_opened", {}).values():
            file.close()


@dataclass(frozen=True, slots=True)
class MappedRows:
    """Rows of which each part goes through a function that changes cells, not rows or columns, as it is read."""

    rows: Rows
    change: Callable[[pd.DataFrame], pd.DataFrame]

    @property
    def n_rows(self) -> int:
        return self.rows.n_rows

    @property
    def names(self) -> tuple[str, ...]:
        return self.rows.names

    def read(self, names: Sequence[str] | None = None, start: int = 0, stop: int | None = None) -> pd.DataFrame:
        return self.change(self.rows.read(names, start, stop))

    def stretches(self) -> Iterator[Stretch]:
        return self.rows.stretches()


def take_rows(rows: Rows, wanted: NDArray[np.int64], names: Sequence[str] | None = None) -> pd.DataFrame:
    """A few rows by number, ascending; only the stretches that hold one of them are read."""
    parts = []
    for start, stop in rows.stretches():
        inside = wanted[(wanted >= start) & (wanted < stop)]
        if len(inside):
            parts.append(rows.read(names, start, stop).iloc[inside - start])
    return pd.concat(parts) if parts else rows.read(names, 0, 0)


class RowsWriter:
    """Writes tables one below the other into a Parquet file for a while, one row group each; the first says the types."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: pq.ParquetWriter | None = None

    def write(self, table: pd.DataFrame) -> None:
        """Append a table with the columns of the first."""
        arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
        if self._writer is None:
            texts = [field.name for field in arrow.schema if not pa.types.is_floating(field.type)]
            self._writer = pq.ParquetWriter(
                self.path, arrow.schema, compression="lz4", use_dictionary=texts, write_statistics=False
            )
        self._writer.write_table(arrow.cast(self._writer.schema), row_group_size=max(1, len(table)))

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
