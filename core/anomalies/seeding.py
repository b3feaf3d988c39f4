"""Faults put into copies of normal rows, with a known place and a known size, to see which of them a detector finds.

Seven kinds, each of one sensor, or of several that a common cause moves together, from the first to the last row of a stretch: a step and a drift (which has its full size in the last row),
a stuck value, a spike of one row, added noise, a lag behind the true value, and a lost correlation, where the sensor goes on to
move as it always did but no longer with the others.

Source: the kinds are those of sensor faults in Balaban, Saxena, Bansal, Goebel and Curran, "Modeling, Detection, and Disambiguation of Sensor
Faults for Aerospace Applications", IEEE Sensors Journal 9 (2009) 1907-1917 (bias, drift, scaling, noise, intermittent dropout).
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.errors import unknown_choice

FaultKind = Literal["step", "drift", "spike", "noise", "lag", "stuck", "lost_correlation"]
FAULTS: tuple[FaultKind, ...] = get_args(FaultKind)
SIZED: frozenset[str] = frozenset({"step", "drift", "spike", "noise", "lag"})
"""Kinds with a size: in the sensor's unit, for a lag in rows. The others have a length only."""
Floats = NDArray[np.float64]


def draw_stretches(
    usable: NDArray[np.bool_], first_row: NDArray[np.integer], *, before: int, length: int, n: int, seed: int, apart: int = 0
) -> NDArray[np.int64]:
    """Where stretches begin, (m,) ascending, m ≤ n: `length` usable rows of one group with `before` rows of it before them.

    They are drawn one after another from all places that are left, so that the set hangs on the seed alone; two of them have at
    least `apart` rows between them. Where no place is left before there are `n`, they are laid side by side from the first place on, and `n`
    of these are drawn; there are fewer where fewer fit.

    Args:
        usable: (n_rows,) rows that may be changed, in order of group and time.
        first_row: (n_rows,) the first row of the group of each.
    """
    n_rows = len(usable)
    last = n_rows - length
    if last < 0 or n < 1:
        return np.zeros(0, np.int64)
    sums = np.concatenate([[0], np.cumsum(usable)])
    starts = np.arange(last + 1)
    free = sums[length:] - sums[: last + 1] == length
    free &= (starts - first_row[: last + 1] >= before) & (first_row[: last + 1] == first_row[length - 1 :])
    places = np.flatnonzero(free)
    found: list[int] = []
    away = length + apart
    rng = np.random.default_rng(seed)
    for place in rng.permutation(places).tolist():
        if not free[place]:
            continue
        found.append(place)
        if len(found) == n:
            break
        free[max(0, place - away + 1) : place + away] = False
    if len(found) < n:
        packed = _side_by_side(places, away)
        found = packed if len(packed) <= n else rng.choice(packed, n, replace=False).tolist()
    return np.array(sorted(found), dtype=np.int64)


def _side_by_side(places: NDArray[np.int64], away: int) -> list[int]:
    """The most of these places (ascending) of which two are at least `away` rows apart: each the first that is free."""
    found: list[int] = []
    at = 0
    while at < len(places):
        found.append(int(places[at]))
        at = int(np.searchsorted(places, found[-1] + away))
    return found


def with_fault(
    kind: FaultKind,
    values: Floats,
    start: int,
    stop: int,
    size: float,
    *,
    seed: tuple[int, ...] = (0,),
    others: Floats | None = None,
    block: int = 1,
) -> Floats:
    """A copy of a sensor's values (n,) with a fault from `start` to `stop` (exclusive).

    - step: + size. drift: + size · (i + 1) / length in the i-th row. spike: + size in the first row only.
    - noise: + size · N(0, 1). With one seed it is the same noise at each size.
    - lag: the value `size` rows earlier, size rounded; rows before the first keep the first.
    - stuck: the value of the row before `start` (of the first row, where there is none before).
    - lost_correlation: blocks of `block` neighbouring values of `others`, drawn with replacement: the same values in the same
      short-term order, at other times.

    Args:
        size: In the unit of `values`; with its sign for step, drift and spike.
        others: (m,) values of the sensor in normal rows, in order; those of the stretch by default.

    Raises:
        SettingProblem: no such kind.

    Example:
        >>> with_fault("drift", np.zeros(5), 1, 5, 4.0).tolist()
        [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    changed = np.array(values, dtype=np.float64)
    length = stop - start
    if kind == "step":
        changed[start:stop] += size
    elif kind == "drift":
        changed[start:stop] += size * np.arange(1, length + 1) / length
    elif kind == "spike":
        changed[start] += size
    elif kind == "noise":
        changed[start:stop] += size * np.random.default_rng(seed).normal(size=length)
    elif kind == "lag":
        changed[start:stop] = values[np.maximum(np.arange(start, stop) - max(0, round(size)), 0)]
    elif kind == "stuck":
        changed[start:stop] = values[max(0, start - 1)]
    elif kind == "lost_correlation":
        changed[start:stop] = _shuffled(values[start:stop] if others is None else others, length, block, seed)
    else:
        raise unknown_choice("kind", kind, FAULTS)
    return changed


def with_common_fault(
    kind: FaultKind,
    values: Floats,
    start: int,
    stop: int,
    sizes: Floats,
    *,
    seed: tuple[int, ...] = (0,),
    others: Floats | None = None,
    block: int = 1,
) -> Floats:
    """A copy of several sensors' values (n, s) with the same fault in the same rows of each, as one cause behind all of them would have it.

    Each sensor changes by its own size (s,) and otherwise alike: all go the same way, noise is the same noise in the scale of each, all lag by
    their rows or stand still from the same row on. A lost correlation draws the same blocks of rows for all, so that these sensors go on
    together, but no longer with the rest.

    Args:
        others: (m, s) values in normal rows, in order; rows with an empty cell are passed over.

    Raises:
        SettingProblem: no such kind.

    Example:
        >>> with_common_fault("step", np.zeros((3, 2)), 1, 3, np.array([1.0, 20.0])).tolist()
        [[0.0, 0.0], [1.0, 20.0], [1.0, 20.0]]
    """
    known = None if others is None else others[np.isfinite(others).all(axis=1)]
    columns = [
        with_fault(
            kind, values[:, j], start, stop, float(sizes[j]), seed=seed, others=None if known is None else known[:, j], block=block
        )
        for j in range(values.shape[1])
    ]  # fmt: skip
    return np.column_stack(columns)


def _shuffled(source: Floats, length: int, block: int, seed: tuple[int, ...]) -> Floats:
    """`length` values from blocks of neighbouring known ones, each block anywhere in `source` (moving blocks, Künsch 1989)."""
    known = source[np.isfinite(source)]
    if not len(known):
        return np.full(length, np.nan)
    block = min(max(1, block), len(known))
    firsts = np.random.default_rng(seed).integers(0, len(known) - block + 1, -(-length // block))
    return np.concatenate([known[first : first + block] for first in firsts])[:length]
