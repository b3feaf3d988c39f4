"""Missing cells of one column: how many, scattered or in blocks, the longest gap, and which columns share it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Column
from core.messages import Message, msg, msg_n
from core.screening.fixes import NO_ENDS, Ends, Gap, empty_ends, fill
from core.screening.order import RowOrder
from core.screening.records import Fix, Reason, Severity, ignore
from core.screening.values import true_runs

LITTLE, MUCH, HOPELESS = 0.01, 0.3, 0.6
LONG_GAP = 0.05
IN_BLOCKS = 0.5  # gaps per gap that as many cells missing by chance would make


@dataclass(frozen=True, slots=True)
class Gaps:
    """`n` missing cells in `n_gaps` gaps; the longest has `longest` rows from position `first`, the shortest `shortest`. `key` is equal for equal patterns.

    `ends`: whether a group begins and whether one ends with a gap.
    """

    n: int
    n_gaps: int
    longest: int
    first: int
    in_blocks: bool
    key: bytes
    ends: Ends = NO_ENDS
    shortest: int = 0


NO_GAPS = Gaps(0, 0, 0, 0, False, b"")


def find_gaps(empty: NDArray[np.bool_], groups: NDArray[np.int64]) -> Gaps:
    """The gaps of a column (n,). In blocks: less than half the gaps that as many cells missing at random would make.

    Args:
        groups: Positions at which a new group begins, 0 among them.
    """
    n = int(np.count_nonzero(empty))
    if n == 0:
        return NO_GAPS
    starts, lengths = true_runs(empty)
    longest = int(np.argmax(lengths))
    by_chance = n * (1 - n / len(empty))
    key = hashlib.blake2b(np.packbits(empty).tobytes(), digest_size=16).digest()
    return Gaps(
        n,
        len(starts),
        int(lengths[longest]),
        int(starts[longest]),
        len(starts) < IN_BLOCKS * by_chance,
        key,
        empty_ends(empty, groups),
        int(lengths.min()),
    )


def missing_reason(column: Column, gaps: Gaps, rows: RowOrder, together: Sequence[str]) -> Reason | None:
    """What to say of a column's gaps; None where nothing is missing.

    Below 1 % and without a gap over 5 % of all rows it is only to know; from 30 % on the column is graded C; from 60 % on
    leaving it out is proposed instead of filling. A target is never filled.
    """
    if gaps.n == 0:
        return None
    if gaps.n == rows.n:
        fix = ignore(column.role in ("time", "group", "target"))
        return Reason("all_missing", "stop", msg("it has no values"), column.name, (), fix)
    share = gaps.n / rows.n
    severity: Severity = "stop" if share >= MUCH else "warn" if share >= LITTLE or gaps.longest > LONG_GAP * rows.n else "info"
    words = _words(gaps, rows, share)
    if together:
        others = msg("together with '{other}'", other=together[0])
        if len(together) > 1:
            others = msg_n(
                "together with '{other}' and {n} more column",
                "together with '{other}' and {n} more columns",
                len(together) - 1,
                other=together[0],
            )
        words = msg("{words}, {others}", words=words, others=others)
    places = (rows.place(gaps.first, gaps.first + gaps.longest - 1),)
    return Reason("missing", severity, words, column.name, places, _fix(column, share, rows, gaps))


def _words(gaps: Gaps, rows: RowOrder, share: float) -> Message:
    percent = percent_text(share)
    if gaps.n_gaps > 1 and not gaps.in_blocks and gaps.longest <= 5:
        return msg("{percent} missing, scattered", percent=percent)
    last = gaps.first + gaps.longest - 1
    length, start = rows.length(gaps.first, last), rows.since(gaps.first)
    if gaps.n_gaps == 1:
        return msg("{percent} missing: one gap of {length} from {start}", percent=percent, length=length, start=start)
    return msg(
        "{percent} missing in {n} gaps, the longest {length} from {start}",
        percent=percent,
        n=gaps.n_gaps,
        length=length,
        start=start,
    )


def _fix(column: Column, share: float, rows: RowOrder, gaps: Gaps) -> Fix | None:
    if column.role != "sensor" or column.kind == "time":
        return None
    if share >= HOPELESS:
        return ignore()
    return fill(column.name, column.kind, Gap(rows.has_neighbours, gaps.longest, gaps.ends, gaps.shortest, rows.interval))


def percent_text(share: float) -> str:
    """A share of 0 to 1 as "31 %", "1.8 %" or "< 0.1 %"."""
    value = 100 * share
    return "< 0.1 %" if 0 < value < 0.1 else f"{value:.1f} %" if value < 10 else f"{value:.0f} %"
