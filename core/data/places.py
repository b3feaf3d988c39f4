"""Where lines begin in the bytes of a file, for those who want to look at a rejected row with their own tools."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from core.data.source import BLOCK, open_bytes

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def first_bytes(path: Path, encoding: str, lines: Iterable[int]) -> dict[int, int]:
    """The place of the first byte of some lines in the unpacked file.

    Args:
        lines: 1-based numbers; a line ends with \\n, \\r\\n or \\r.

    Returns:
        0-based places by line. Lines beyond the file are not in it.
    """
    wanted = sorted(set(lines))
    found: dict[int, int] = {}
    number, offset, carried, place = 1, 0, b"", 0
    mark = _mark(path, encoding)
    unit, order = _unit(encoding, mark)
    with open_bytes(path) as file:
        while place < len(wanted) and wanted[place] == 1:
            found[1] = len(mark)
            place += 1
        while place < len(wanted) and (block := file.read(BLOCK)):
            text = carried + block
            # A line end may be parted between two blocks; the last unit waits for what follows it.
            keep = len(text) - (len(text) % unit) - (unit if len(block) == BLOCK else 0)
            text, carried = text[:keep], text[keep:]
            starts = _line_starts(np.frombuffer(text, dtype=order), carried[:unit], order) * unit
            while place < len(wanted) and wanted[place] - number <= len(starts):
                found[wanted[place]] = offset + int(starts[wanted[place] - number - 1])
                place += 1
            number += len(starts)
            offset += len(text)
    return found


def _line_starts(codes: np.ndarray, follows: bytes, order: np.dtype) -> np.ndarray:
    """The places after each line end; `follows` is the unit after the last one."""
    # A file that was cut off may end within a unit.
    is_whole = len(follows) == order.itemsize
    after = np.append(codes[1:], np.frombuffer(follows, dtype=order) if is_whole else np.zeros(1, dtype=order))
    ends = (codes == 10) | ((codes == 13) & (after != 10))
    return np.flatnonzero(ends) + 1


def _unit(encoding: str, mark: bytes) -> tuple[int, np.dtype]:
    """Bytes of the smallest piece of a character, and how they are put together: as the name or the mark says."""
    name = encoding.lower().replace("_", "-")
    order = ">" if name.endswith("be") or mark in (codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE) else "<"
    if name.startswith("utf-16"):
        return 2, np.dtype(f"{order}u2")
    if name.startswith("utf-32"):
        return 4, np.dtype(f"{order}u4")
    return 1, np.dtype(np.uint8)


def _mark(path: Path, encoding: str) -> bytes:
    """The byte order mark, behind which the first line begins."""
    with open_bytes(path) as file:
        head = file.read(4)
    for mark in _MARKS:
        if head.startswith(mark) and (len(mark) != 4 or encoding.lower().startswith("utf-32")):
            return mark
    return b""
