"""How far a unit has come from its own start: each sensor against the unit's first rows, and the unit's age.

Machines of one kind leave the plant a little different, and what wears shows against the machine's own first readings
more clearly than against the fleet's mean. So each number gets a second feature, its difference from the mean of the
unit's first rows, and the unit gets an age. Both look back only: a row's features never use a later row.

A setting and not the default: what it gained and did not gain is in docs/decisions.md. A history that does not begin at
the unit's start gives an age and a start that are not the unit's, which `begins_late` finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.room import BigArray, Room, blocks

FIRST_ROWS = 20
LATE_SHARE = 0.25  # of the usual life: a history that begins this much later than those of the training part


@dataclass(frozen=True, slots=True)
class OwnStart:
    """What was learned of it on the training part.

    `places` (d,) are the features that are compared, `scale` (d,) the standard deviation of their differences,
    `age_mean` and `age_scale` those of the age, in the time column's unit, `latest` the largest time at which a unit
    of the training part begins and `usual_life` the median length of their histories.
    """

    places: tuple[int, ...]
    scale: tuple[float, ...]
    age_mean: float
    age_scale: float
    latest: float
    usual_life: float

    @property
    def n_more(self) -> int:
        """How many features it adds."""
        return len(self.places) + 1

    def extended(self, values: BigArray, first_row: NDArray[np.integer], times: NDArray[np.float64], room: Room) -> BigArray:
        """The features (n, f) with d differences and the age behind them, (n, f + d + 1) float32.

        Args:
            values: Scaled features in group and time order.
            first_row: (n,), the first row of the unit that a row belongs to.
            times: (n,), the time column in its unit, or the number of the row where it has no numbers.
        """
        n, f = values.shape
        found = room.array((n, f + self.n_more), np.float32)
        for some, start in _with_start(values, first_row, self.places):
            mine = values[some]
            found[some] = np.column_stack(
                [
                    mine,
                    (mine[:, list(self.places)] - start) / np.array(self.scale),
                    (_ages(first_row, times, some) - self.age_mean) / self.age_scale,
                ]
            )
        return found

    def begins_late(self, first_row: NDArray[np.integer], times: NDArray[np.float64]) -> int:
        """How many units have a history that begins clearly later than those of the training part."""
        begins = times[np.unique(first_row)] if len(times) else times
        return int(np.count_nonzero(begins > self.latest + LATE_SHARE * self.usual_life))

    def to_json(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> OwnStart:
        numbers = {k: float(stored[k]) for k in ("age_mean", "age_scale", "latest", "usual_life")}  # type: ignore[arg-type]
        places, scale = tuple(stored["places"]), tuple(stored["scale"])  # type: ignore[arg-type, var-annotated]
        return cls(places, scale, **numbers)


def fit_own_start(
    values: BigArray,
    first_row: NDArray[np.integer],
    times: NDArray[np.float64],
    is_train: NDArray[np.bool_],
    places: tuple[int, ...],
) -> OwnStart:
    """Scales from the rows of the training part; arguments as `OwnStart.extended`, `is_train` (n,).

    A difference that never moves gets scale 1.
    """
    n, total, squares, ages = 0, np.zeros(len(places)), np.zeros(len(places)), []
    for some, start in _with_start(values, first_row, places):
        mine = is_train[some]
        difference = (values[some][:, list(places)] - start)[mine].astype(np.float64)
        n, total, squares = n + len(difference), total + difference.sum(axis=0), squares + (difference**2).sum(axis=0)
        ages.append(_ages(first_row, times, some)[mine])
    spread = np.sqrt(np.maximum(squares / max(1, n) - (total / max(1, n)) ** 2, 0.0))
    age = np.concatenate(ages) if ages else np.zeros(0)  # finite, see `_ages`
    units = np.unique(first_row[is_train])
    lives = times[_last_of(first_row, units)] - times[units] if len(units) else np.zeros(1)
    return OwnStart(
        places,
        tuple(float(s) if s > 1e-9 else 1.0 for s in spread),
        float(age.mean()) if age.size else 0.0,
        float(age.std()) or 1.0 if age.size else 1.0,
        _finite(np.max, times[units]),
        _finite(np.median, lives),
    )


def _finite(of: Callable[[NDArray[np.float64]], np.floating], values: NDArray[np.float64]) -> float:
    """A figure of the values that are there; 0 where none is. Times may be empty cells."""
    known = values[np.isfinite(values)]
    return float(of(known)) if known.size else 0.0


def _last_of(first_row: NDArray[np.integer], units: NDArray[np.integer]) -> NDArray[np.int64]:
    """The last row of each unit, by its first."""
    return (np.searchsorted(first_row, units, side="right") - 1).astype(np.int64)


def _ages(first_row: NDArray[np.integer], times: NDArray[np.float64], some: slice) -> NDArray[np.float64]:
    ages = times[some] - times[first_row[some]]
    return np.where(np.isfinite(ages), ages, 0.0)


def _with_start(
    values: BigArray, first_row: NDArray[np.integer], places: tuple[int, ...]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Stretches of rows, and for each the mean of the unit's first rows up to that row, (rows, d).

    The first `FIRST_ROWS` rows of a unit are compared with those of them that were there already.
    """
    columns = list(places)
    for begin, stop in blocks(len(first_row)):
        some = slice(begin, stop)
        firsts = np.unique(first_row[some])
        start = np.empty((stop - begin, len(columns)))
        for first in firsts:
            end = int(np.searchsorted(first_row, first, side="right"))
            head = values[int(first) : min(int(first) + FIRST_ROWS, end)][:, columns].astype(np.float64)
            means = np.cumsum(head, axis=0) / np.arange(1, len(head) + 1)[:, None]
            rows = np.arange(max(begin, int(first)), min(stop, end))
            start[rows - begin] = means[np.minimum(rows - int(first), len(head) - 1)]
        yield some, start
