"""What single cells and short runs of a number column give away: codes, stuck values, spikes, clipping.

All work on one column (n,) in order, float64, NaN where empty, and give positions in that order. None of them knows
roles, times or words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

FEWEST_CODES = 3
CODE_GAP, PLAIN_CODE_GAP = 0.5, 1.0  # how far from the rest, in widths of the rest's middle 99 %
FEW_VALUES = 10
_KNOWN_CODES = frozenset([-999.25, 8888, 9998, 32767, -32768, 65535, 2147483647, -2147483648, 1e30, -1e30, -1.0, 0.0])
_PLAIN_CODES = frozenset([0.0, -1.0])

STUCK_CHANCE, STUCK_TIMES, FEWEST_STUCK = 1e-6, 3.0, 10
MOST_STUCK_SHARE, MOST_SAME, COMMON = 0.01, 3, 0.02

SPIKE_SD, HOLLOW_SD = 8.0, 5.0
MOST_SPIKES, SPIKE_ROWS, ALONE_TIMES = 0.01, 2, 4.0
MOST_RANKED = 1_000_000  # of longer columns that many cells say how they spread

CLIP_SHARE, MOST_CLIPPED, CLIP_TIMES, FEWEST_CLIPPED = 0.002, 0.5, 4.0, 10
NATURAL_ENDS = frozenset([0.0, 1.0, 100.0])
MOST_NATURAL = 0.98


@dataclass(frozen=True, slots=True)
class Run:
    """Positions `first` to `last`, both included, that hold `value`."""

    first: int
    last: int
    value: float

    @property
    def length(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Code:
    """A value that stands for "missing": `n` cells hold it, all others lie between `low` and `high`."""

    value: float
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Clipped:
    """`n` cells stand exactly at the largest (`is_upper`) or smallest value."""

    value: float
    n: int
    is_upper: bool


def true_runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return edges[::2], edges[1::2] - edges[::2]


def has_few_values(values: Numbers, limit: int = FEW_VALUES) -> bool:
    """Whether at most `limit` different values were seen in 10,000 cells spread over the column."""
    known = values[:: max(1, len(values) // 10_000)]
    return len(np.unique(known[np.isfinite(known)])) <= limit


def find_codes(values: Numbers) -> tuple[Code, ...]:
    """Disguised missing codes at the ends of a column: a code-like value, often, far from everything else.

    Code-like: only nines (999, -9999, 999.9), limits of integer types, -999.25, ±1e30, and -1 or 0 in a column of many
    values. At least 3 cells hold it; from its nearest neighbour it is at least half (−1 and 0: once) the width that the
    middle 99 % of the rest has. More than 95 % of one value is no code but a column that hardly varies.
    """
    rest = values[np.isfinite(values)]
    found: list[Code] = []
    n = len(rest)
    looking = True
    while looking and len(found) < 4 and len(rest) > FEWEST_CODES:
        looking = False
        for value in (float(rest.min()), float(rest.max())):
            code = _code(rest, value) if is_code_like(value) else None
            if code is not None and code.n <= 0.95 * n:
                found.append(code)
                rest = rest[rest != value]
                looking = True
                break
    return tuple(found)


def is_code_like(value: float) -> bool:
    """Whether people write this number for "no value"."""
    digits = f"{abs(value):.10g}".replace(".", "")
    return value in _KNOWN_CODES or (len(digits) >= 2 and set(digits) == {"9"})


def _code(cells: Numbers, value: float) -> Code | None:
    others = cells[cells != value]
    n = len(cells) - len(others)
    if n < FEWEST_CODES or not len(others):
        return None
    low, high = float(others.min()), float(others.max())
    gap = low - value if value < low else value - high
    is_plain = value in _PLAIN_CODES
    if has_few_values(others, 7) and (is_plain or abs(value) < 10 * max(abs(low), abs(high))):
        return None
    a, b = np.quantile(others, (0.005, 0.995))
    width = float(b - a)
    if is_plain and width <= 0:
        return None
    return Code(value, n, low, high) if gap > 0 and gap >= (PLAIN_CODE_GAP if is_plain else CODE_GAP) * width else None


def find_stuck(values: Numbers, starts: NDArray[np.int64], *, has_time: bool = True) -> tuple[Run, ...]:
    """Runs of one value far longer than this column's own resolution makes likely, longest first.

    A geometric law with the mean length of all other runs says how long a run may be at a chance of 1e-6 in the whole
    column; a stuck run is longer than that, at least 3 times as long as any run that is not, and at least 10 rows.
    A value that comes back in more than 3 such runs is a state (standstill, night) and not stuck. More than 1 % of
    such runs is how the column is. Columns of few values are not looked at by the caller.

    Args:
        starts: Positions at which a new group begins; no run reaches across.
        has_time: Whether a clock orders the rows. If not, the file may be sorted by anything, and a value that more than
            2 % of the other rows hold too is a common value and not stuck.
    """
    n = len(values)
    if n < 2 * FEWEST_STUCK:
        return ()
    first, length = run_lengths(values, starts)
    if int(length.max()) < FEWEST_STUCK:
        return ()
    candidates = np.zeros(len(length), dtype=np.bool_)
    while True:
        others = length[~candidates]
        if not len(others):
            return ()
        mean = float(others.mean())
        bar = FEWEST_STUCK if mean <= 1 else max(FEWEST_STUCK, np.log(STUCK_CHANCE / n) / np.log1p(-1 / mean))
        grown = length > bar
        if not (grown & ~candidates).any():
            break
        candidates |= grown
        if candidates.sum() > max(MOST_SAME, MOST_STUCK_SHARE * len(length)):
            return ()
    ordinary = int(length[~candidates].max(initial=1))
    long = np.flatnonzero(candidates & (length >= STUCK_TIMES * ordinary))
    held, times = np.unique(values[first[long]], return_counts=True)
    states = held[times > MOST_SAME]
    if not has_time:
        states = np.append(states, [v for v in held if _share_elsewhere(values, float(v), length[long].sum()) > COMMON])
    runs = [Run(int(first[i]), int(first[i] + length[i] - 1), float(values[first[i]])) for i in long]
    return tuple(sorted((r for r in runs if r.value not in states), key=lambda r: -r.length))


def run_lengths(values: Numbers, starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First position and length of each run of equal cells; an empty cell is a run of its own, and no run crosses `starts`."""
    n = len(values)
    change = np.empty(n, dtype=np.bool_)
    change[:1] = True
    np.not_equal(values[1:], values[:-1], out=change[1:])
    change[starts[starts < n]] = True
    first: NDArray[Any] = np.flatnonzero(change).astype(np.int32 if n < 2**31 else np.int64)  # half the memory
    return first, np.diff(first, append=first.dtype.type(n))


def _share_elsewhere(values: Numbers, value: float, n_stuck: int) -> float:
    """Share of the rows outside stuck runs that hold the value; all stuck rows are taken off its count, at worst."""
    return (int(np.count_nonzero(values == value)) - n_stuck) / max(1, len(values) - n_stuck)


def find_spikes(values: Numbers, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of single cells or pairs that leave the course of the column and come back.

    A cell is compared with the median of the five around it (Hampel 1974; Pearson 2002), the spread being that of all such
    differences, so that quiet stretches make no spikes. It must be more than 8 robust standard deviations away. As
    skewed and heavy-tailed columns have such cells too, the spikes must stand apart: more than twice as many beyond 8
    as between 5 and 8, or 4 times as far away as the next; in a column of positive values they must be beyond 5 in logarithms as well. More than 1 % is no spike.

    Args:
        starts: Positions at which a new group begins; within two rows of one there is no course to leave.
    """
    finite = np.isfinite(values)
    v = values if finite.all() else values[finite]
    if len(v) < 20:
        return np.zeros(0, dtype=np.int64)
    away = np.abs(v - _local_median(v))
    beyond = _standing_apart(away, _spread_of(v, away))
    del away
    if beyond.any() and v.min() > 0:
        at = np.flatnonzero(beyond)
        beyond[at] = _away_in_logs(v, at) > HOLLOW_SD
    if not beyond.any() or beyond.sum() > MOST_SPIKES * len(v):
        return np.zeros(0, dtype=np.int64)
    at = np.flatnonzero(beyond) if len(v) == len(values) else np.flatnonzero(finite)[beyond]
    inner = starts[(starts > 0) & (starts < len(values))]
    if not len(inner):
        return at
    nearest = np.minimum(
        np.abs(at - inner[np.clip(np.searchsorted(inner, at), 0, len(inner) - 1)]),
        np.abs(at - inner[np.clip(np.searchsorted(inner, at) - 1, 0, len(inner) - 1)]),
    )
    return at[nearest > SPIKE_ROWS]


def _local_median(v: Numbers) -> Numbers:
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(v, size=2 * SPIKE_ROWS + 1, mode="nearest"))


def _spread_of(v: Numbers, away: Numbers) -> float:
    """A robust standard deviation of how far cells lie from their local median; infinite without spread.

    Not from the median of `away`: a fifth of all cells are their own median and 0 away. 1.645 is the same quantile of |N(0, 1)|.
    """
    some = away[:: max(1, len(away) // MOST_RANKED)]
    scale = float(np.quantile(some, 0.9)) / 1.645
    if scale <= 0:  # more than nine in ten cells equal their neighbours: the usual step between them is the measure
        small = np.sort(some[some > 0])
        scale = float(small[len(small) // 2]) if len(small) >= 20 else 0.0
    return scale if scale > 1e-12 * max(abs(float(v.min())), abs(float(v.max()))) else np.inf


def _away_in_logs(v: Numbers, at: NDArray[np.int64]) -> Numbers:
    """How far cells of a positive column lie from their local median in logarithms, in robust standard deviations."""
    near = np.clip(at[:, None] + np.arange(-SPIKE_ROWS, SPIKE_ROWS + 1), 0, len(v) - 1)
    away = np.abs(np.log(v[at]) - np.median(np.log(v[near]), axis=1))
    step = max(1, len(v) // MOST_RANKED)
    width = len(v) // step if step > 1 else len(v)
    part = np.log(v[(len(v) - width) // 2 : (len(v) + width) // 2])  # the middle stands for very long columns
    return away / _spread_of(part, np.abs(part - _local_median(part)))


def _standing_apart(away: Numbers, scale: float) -> NDArray[np.bool_]:
    """Cells beyond 8 standard deviations, where these are apart from all others."""
    beyond = away > SPIKE_SD * scale
    n = int(np.count_nonzero(beyond))
    between = int(np.count_nonzero(away > HOLLOW_SD * scale)) - n
    if n <= 2 * between:
        far = np.sort(away[away > HOLLOW_SD * scale])[::-1][: int(MOST_SPIKES * len(away)) + 2]
        alone = np.flatnonzero(far[:-1] > ALONE_TIMES * far[1:])
        beyond = away > far[alone[-1] + 1] if len(alone) else np.zeros(len(away), dtype=np.bool_)
    return beyond


def find_clipping(values: Numbers) -> tuple[Clipped, ...]:
    """Ends of the range at which far more cells stand than at any of the five values next to them.

    At least 10 cells and 0.2 to 50 % in at least 3 runs, and more than 4 times as many as at each neighbouring value. At a natural
    end (0, 1, 100) a valve or a share may well stand most of the time, so that up to 98 % count there.
    """
    known = values[np.isfinite(values)]
    found = []
    for is_upper in (False, True):
        if len(known) < 100:
            break
        end = float(known.max() if is_upper else known.min())
        n = int(np.count_nonzero(known == end))
        most = MOST_NATURAL if end in NATURAL_ENDS else MOST_CLIPPED
        if not max(FEWEST_CLIPPED, CLIP_SHARE * len(known)) <= n <= most * len(known):
            continue
        if n > CLIP_TIMES * _most_beside(known, end, is_upper) and len(true_runs(known == end)[0]) >= 3:
            found.append(Clipped(end, n, is_upper))
    return tuple(found)


def _most_beside(known: Numbers, end: float, is_upper: bool) -> int:
    """The largest number of cells at one of the five different values next to the end; all cells when there is none."""
    inside, counts = known[known != end], []
    for _ in range(5):
        if not len(inside):
            break
        value = inside.max() if is_upper else inside.min()
        counts.append(int(np.count_nonzero(inside == value)))
        inside = inside[inside < value] if is_upper else inside[inside > value]
    return max(counts, default=len(known))
