"""Where arrays go that are one entry a row wide and deep: into memory where they are small, else into a file that is mapped.

A mapped file's pages count as memory of the process only while they are mapped in, so they are put down again after every
64 MB that were touched (`madvise`, Linux and macOS; Windows trims its working set itself). The system keeps them in its cache.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

IN_MEMORY_BYTES = 100_000_000
_TOUCHED_BYTES = 64 << 20
_FAULT_BYTES = 64 << 10  # what Linux maps in around one touched place
_PLACES_AT_ONCE = _TOUCHED_BYTES // _FAULT_BYTES


class BigArray(Protocol):
    """What is used of an array that may lie in a file: its shape, entries read, entries written."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any) -> Any: ...

    def __setitem__(self, index: Any, values: Any) -> None: ...


class MappedArray:
    """An array in a file. What is read of it is a copy, so that pages can be put down."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        size = max(1, int(np.prod(shape)) * np.dtype(dtype).itemsize)
        with path.open("w+b") as file:
            _claim(file, size)
            self._map = mmap.mmap(file.fileno(), size)
        self._values = np.frombuffer(self._map, dtype=dtype, count=int(np.prod(shape))).reshape(shape)
        self._touched = 0

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._values.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._values.dtype

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        if isinstance(index, np.ndarray) and index.dtype != np.bool_ and len(index) > _PLACES_AT_ONCE:
            return self._scattered(index)
        found = np.array(self._values[index])
        self._touch(found.nbytes, index)
        return found

    def _scattered(self, index: NDArray[np.integer]) -> NDArray[Any]:
        """Many places in parts: each may map in pages around it, and all of them at once would be the whole file."""
        found = np.empty((*index.shape, *self._values.shape[1:]), dtype=self._values.dtype)
        for start in range(0, len(index), _PLACES_AT_ONCE):
            some = slice(start, start + _PLACES_AT_ONCE)
            found[some] = self._values[index[some]]
            self._touch(found[some].nbytes, index[some])
        return found

    def __setitem__(self, index: Any, values: Any) -> None:
        self._values[index] = values
        self._touch(np.asarray(values).nbytes, index)

    def _touch(self, n_bytes: int, index: Any) -> None:
        first = index[0] if isinstance(index, tuple) else index
        n_places = first.shape[0] if isinstance(first, np.ndarray) and first.dtype != np.bool_ else 0
        self._touched += max(n_bytes, min(n_places * _FAULT_BYTES, self._values.nbytes))
        if self._touched > _TOUCHED_BYTES and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._touched = 0


class ColumnsBehind:
    """The columns behind the first `skipped` of an array (n, k) in a file: read row by row, never copied as a whole."""

    def __init__(self, base: BigArray, skipped: int) -> None:
        self._base, self._skipped = base, skipped

    @property
    def shape(self) -> tuple[int, ...]:
        n, k = self._base.shape
        return n, k - self._skipped

    def __len__(self) -> int:
        return len(self._base)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Whole rows by number, slice or mask."""
        return np.asarray(self._base[index])[..., self._skipped :]

    def __setitem__(self, index: Any, values: Any) -> None:
        raise TypeError("The columns behind others are only read.")


def _claim(file: BinaryIO, size: int) -> None:
    """Take the room on the disk now: a mapped file on a full disk would end the process, not raise."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        file.truncate(size)


class Room:
    """A folder for what is too big for memory, for as long as one job or one file takes; without a folder all is in memory."""

    def __init__(self, folder: Path | None = None, most_bytes: int = IN_MEMORY_BYTES) -> None:
        self.folder, self._most, self._taken = folder, most_bytes, 0

    def array(self, shape: tuple[int, ...], dtype: DTypeLike, fill: float | None = None) -> BigArray:
        """An array of that shape, each entry `fill`; not filled where `fill` is None."""
        if self.folder is None or int(np.prod(shape)) * np.dtype(dtype).itemsize <= self._most:
            return np.empty(shape, dtype) if fill is None else np.full(shape, fill, dtype)
        made = MappedArray(self.file(".bin"), shape, dtype)
        for start, stop in blocks(len(made)) if fill is not None else ():
            made[start:stop] = np.full((stop - start, *shape[1:]), fill, dtype)
        return made

    def file(self, ending: str) -> Path:
        """A new name in the folder."""
        if self.folder is None:
            raise AssertionError("a room without a folder has no files")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._taken += 1
        return self.folder / f"part-{self._taken}{ending}"


def blocks(n: int, size: int = 100_000) -> Iterator[tuple[int, int]]:
    """Ends of blocks of `size` that cover 0 to n."""
    for start in range(0, n, size):
        yield start, min(start + size, n)


def save_array(path: Path, values: BigArray) -> None:
    """An array as .npy, in blocks."""
    dtype = values[0:0].dtype
    with path.open("wb") as out:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": tuple(values.shape)}
        np.lib.format.write_array_header_1_0(out, header)
        for start, stop in blocks(len(values)):
            out.write(np.ascontiguousarray(values[start:stop]).tobytes())
