"""One pass over the bytes of a delimited file that counts its lines and looks for what a plain typed reader would misread.

Nothing is decoded and nothing is copied: each question is a comparison of a block with one or two bytes, which costs a
tenth of what reading the cells costs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_BLOCK = 256 << 10
_LONGEST = 64 << 10  # One line of each block is kept.
_ZERO, _NINE, _LF, _CR, _UNDERSCORE = 48, 57, 10, 13, 95
_FIRST_ORDINARY = 14  # Below it are line ends, tabs and zero characters.
_EXPONENTS = (69, 101)

Seen = Callable[[int], None]


@dataclass(slots=True)
class ByteFacts:
    """What the bytes of a file are like.

    `lines` are physical lines; the last one needs no line end. `samples` holds one line of each block that has a whole
    one: (its 0-based number, its bytes without the line end). `odd` says what a typed reader would misread, "" for nothing.
    """

    lines: int = 0
    odd: str = ""
    ends_with_cr: bool = False
    samples: list[tuple[int, bytes]] = field(default_factory=list)


def byte_facts(
    path: Path,
    delimiter: str,
    quote: str,
    *,
    typed: Collection[int],
    whole: Collection[int] = (),
    skip: int = 0,
    seen: Seen | None = None,
) -> ByteFacts:
    """Count the lines of a file and look for bytes that need a closer look; stops at the first of them.

    Args:
        path: A file of UTF-8 text that is not packed.
        delimiter: The ASCII character between cells.
        quote: The ASCII character around cells, "" for none.
        typed: The 0-based columns of numbers: in them a leading zero (`007`) or an underscore (`1_000`) is odd.
        whole: Those of them whose sample holds whole numbers only: in them an exponent without a sign (`1E5`) is odd.
        skip: Physical lines above the first row, in which nothing is odd.
        seen: Told the number of bytes so far, now and then; what it raises goes through.

    Returns:
        The facts; `odd` is one of "zero_character", "line_ends", "leading_zero", "underscore", "exponent", "long_line" (64 KB and more)
        or "".
    """
    facts = ByteFacts()
    look = _Look(delimiter, quote, frozenset(typed), frozenset(whole))
    buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    left = place = 0
    with path.open("rb", buffering=0) as file:
        while read := file.readinto(view[left:]):  # type: ignore[attr-defined]  # A raw file has it.
            place += read
            filled = left + read
            cut = buffer.rfind(b"\n", 0, filled) + 1
            if not cut and filled == _BLOCK:
                facts.odd = "long_line"
            elif cut:
                _one_block(buffer, cut, facts, look, skip)
            if facts.odd:
                return facts
            left = filled - cut
            buffer[:left] = buffer[cut:filled]
            if seen is not None:
                seen(place)
    if left:
        _one_block(buffer, left, facts, look, skip)
        facts.lines += 1
    return facts


def _one_block(buffer: bytearray, size: int, facts: ByteFacts, look: _Look, skip: int) -> None:
    """Take the whole lines at the beginning of a buffer."""
    first, n_lines, n_low = facts.lines, look.count(buffer, size, _LF), look.count_below(buffer, size, _FIRST_ORDINARY)
    if first == 0:
        facts.ends_with_cr = n_lines > 0 and buffer.find(b"\r\n", 0, size) >= 0
    if n_low != n_lines:
        facts.odd = _odd_control(buffer, size, look, n_lines if facts.ends_with_cr else 0)
        if facts.odd:
            return
    facts.lines += n_lines
    start = 0
    for _ in range(max(0, min(skip - first, n_lines))):
        start = buffer.index(b"\n", start) + 1
    end = buffer.find(b"\n", start, size)
    if end - start > _LONGEST:
        facts.odd = "long_line"
        return
    if end > start:
        facts.samples.append((max(first, skip), bytes(buffer[start:end]).removesuffix(b"\r")))
    facts.odd = look.odd(buffer, start, size)


def _odd_control(buffer: bytearray, size: int, look: _Look, returns: int) -> str:
    """What is wrong with a block that has other control characters than line feeds: zeros, or not each line (or some)
    with a carriage return before its line feed."""
    if look.count(buffer, size, 0):
        return "zero_character"
    if look.count(buffer, size, _CR) != returns or returns and look.count_pairs(buffer, size, _CR, _LF) != returns:
        return "line_ends"
    return ""


class _Look:
    """Looks for cells of number columns that are more than numbers. The buffers for comparisons are made once: getting
    new ones for each block costs three times what the comparisons cost."""

    def __init__(self, delimiter: str, quote: str, typed: frozenset[int], whole: frozenset[int]) -> None:
        self._delimiter, self._quote, self._typed, self._whole = ord(delimiter), quote.encode(), typed, whole
        self._hits = np.empty(_BLOCK, dtype=np.bool_)

    def count(self, buffer: bytearray, size: int, code: int) -> int:
        """How often a byte occurs."""
        codes = np.frombuffer(buffer, dtype=np.uint8, count=size)
        return int(np.count_nonzero(np.equal(codes, code, out=self._hits[:size])))

    def count_below(self, buffer: bytearray, size: int, code: int) -> int:
        """How many bytes are smaller than one."""
        codes = np.frombuffer(buffer, dtype=np.uint8, count=size)
        return int(np.count_nonzero(np.less(codes, code, out=self._hits[:size])))

    def count_pairs(self, buffer: bytearray, size: int, first: int, second: int) -> int:
        """How often two bytes stand side by side."""
        return sum(len(places) for places in self._pairs(buffer, 0, size, [first], second))

    def odd(self, buffer: bytearray, start: int, stop: int) -> str:
        """What is odd in a part of a buffer that begins with a line."""
        if not self._typed or start == stop:
            return ""
        codes = np.frombuffer(buffer, dtype=np.uint8, count=stop - start, offset=start)
        before = [self._delimiter, *([_LF] if 0 in self._typed else []), *([self._quote[0]] if self._quote else [])]
        starts = [place + 1 for place in self._pairs(buffer, start, stop, before, _ZERO)]
        if 0 in self._typed and codes[0] == _ZERO:
            starts.append(np.zeros(1, dtype=np.int64))
        if self._is_in(codes, np.concatenate(starts) if starts else None, _is_leading, self._typed):
            return "leading_zero"
        if self._any(codes, _UNDERSCORE) and self._is_in(
            codes, np.flatnonzero(codes == _UNDERSCORE), _between_digits, self._typed
        ):
            return "underscore"
        if self._whole and any(self._any(codes, code) for code in _EXPONENTS):
            places = np.flatnonzero((codes == _EXPONENTS[0]) | (codes == _EXPONENTS[1]))
            if self._is_in(codes, places, _between_digits, self._whole):
                return "exponent"
        return ""

    def _any(self, codes: NDArray[np.uint8], code: int) -> bool:
        return bool(np.equal(codes, code, out=self._hits[: len(codes)]).any())

    def _pairs(self, buffer: bytearray, start: int, stop: int, firsts: list[int], second: int) -> list[NDArray[np.int64]]:
        """Where one of some bytes stands before another: two bytes are compared at once, at even and at odd places."""
        found = []
        for shift in (0, 1):
            pairs = np.frombuffer(buffer, dtype="<u2", count=max(0, (stop - start - shift) // 2), offset=start + shift)
            hits = self._hits[: len(pairs)]
            for first in firsts:
                np.equal(pairs, np.uint16(first | second << 8), out=hits)
                if hits.any():
                    found.append(2 * np.flatnonzero(hits) + shift)
        return found

    def _is_in(
        self,
        codes: NDArray[np.uint8],
        places: NDArray[np.int64] | None,
        is_odd: Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.bool_]],
        columns: frozenset[int],
    ) -> bool:
        """Whether an odd place lies in one of some columns."""
        if places is None or not len(places):
            return False
        places = places[is_odd(codes, places)]
        return bool(len(places)) and not columns.isdisjoint(np.unique(self._columns(codes, places)).tolist())

    def _columns(self, codes: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The 0-based columns of some places: delimiters outside quotes since the line began."""
        delimiters = np.flatnonzero(codes == self._delimiter)
        if self._quote:
            quotes = np.flatnonzero(codes == self._quote[0])
            delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
        ends = np.flatnonzero(codes == _LF)
        number = np.searchsorted(ends, places)
        begins = np.concatenate(([0], ends + 1))[number]
        return np.searchsorted(delimiters, places) - np.searchsorted(delimiters, begins)


def _is_leading(codes: NDArray[np.uint8], zeros: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a digit follows a zero that begins a cell."""
    after = codes[np.minimum(zeros + 1, len(codes) - 1)]
    return (after >= _ZERO) & (after <= _NINE) & (zeros + 1 < len(codes))


def _between_digits(codes: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.bool_]:
    inside = (places > 0) & (places < len(codes) - 1)
    before, after = codes[np.maximum(places - 1, 0)], codes[np.minimum(places + 1, len(codes) - 1)]
    digits = (before >= _ZERO) & (before <= _NINE) & (after >= _ZERO) & (after <= _NINE)
    return inside & digits
