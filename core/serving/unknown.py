"""None of the known classes: rows that are unlike every class of the training part, whatever the model calls them.

A classifier must name one of its classes, and names it with confidence far away from all it has seen. So each row is
also compared with rows of the training part: its distance to the few nearest of them, against that of held-out rows.
Source: Sun, Ming, Zhu, Li (2022), Out-of-distribution detection with deep nearest neighbors, ICML (there on a
network's features, here on the inputs, so that it is the same for every family); the limit is split conformal
(Bates, Candès, Lei, Romano, Sesia (2023), Testing for outliers with conformal p-values, Annals of Statistics 51(1)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation import split_conformal
from core.models.nearest import chunk_rows, nearest
from core.models.window_statistics import window_statistics

NEIGHBOURS = 3
MOST_ROWS = 1_000  # each costs every scored row a comparison
CROWD = 10


@dataclass(frozen=True, slots=True)
class KnownRows:
    """Rows of the training part to compare with.

    A column is bent by asinh((x − centre) / width), centre (d,) its median and width (d,) its quartile range, so that one
    heavy tail does not outweigh all others, and then given scale 1 by mean (d,) and scale (d,). `rows` (m, d) are the
    known rows in that form, `reach` (m,) the usual distance of rows around each of them to their own neighbours.
    """

    centre: NDArray[np.float64]
    width: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    rows: NDArray[np.float64]
    reach: NDArray[np.float64]

    def distance(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Distance (n,) of windows (n, width, f) to what is known, larger for rows that are less alike.

        The mean distance to the three nearest rows, divided by the square root of the reach there: half-way between an
        absolute distance, which overlooks a new kind of row near a crowded class, and one relative to the crowd, which
        takes the rim of a crowded class for something new.
        """
        given = self._bent(window_statistics(windows))
        found, size = np.empty(len(given)), chunk_rows(len(self.rows))
        for start in range(0, len(given), size):
            places, distances = nearest(given[start : start + size], self.rows, NEIGHBOURS)
            found[start : start + size] = distances.mean(axis=1) / np.sqrt(self.reach[places[:, 0]])
        return found

    def _bent(self, statistics: NDArray[np.float64]) -> NDArray[np.float64]:
        return (np.arcsinh((statistics - self.centre) / self.width) - self.mean) / self.scale

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {name: getattr(self, name) for name in _ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[np.float64]]) -> KnownRows:
        return cls(*(arrays[name] for name in _ARRAYS))


_ARRAYS = ("centre", "width", "mean", "scale", "rows", "reach")


def known_rows(statistics: NDArray[np.float64], codes: NDArray[np.int64]) -> KnownRows:
    """The rows to compare with, from window statistics (n, d) of the training part and their class codes (n,), n ≥ 2.

    At most 1,000: of each class as many as of every other, evenly spread, and all of a class that has fewer, so that a
    rare fault is not thinned away. A column that does not vary counts nothing as long as it stays as it is, and much
    once it moves: its width is taken as a thousandth of its size.
    """
    centre = np.median(statistics, axis=0)
    low, high = np.quantile(statistics, [0.25, 0.75], axis=0)
    spread, size = statistics.std(axis=0), np.maximum(np.abs(centre), 1e-3)
    width = np.where(high - low > 1e-12 * size, high - low, np.where(spread > 1e-12 * size, spread, 1e-3 * size))
    bent = np.arcsinh((statistics - centre) / width)
    mean, scale = bent.mean(axis=0), bent.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    rows = ((bent - mean) / scale)[_evenly_by_class(codes)]
    return KnownRows(centre, width, mean, scale, rows, _reach(rows))


def _reach(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean distance (m,) to their nearest others of the ten rows around each row; never below a twentieth of the median."""
    own, around = np.empty(len(rows)), np.empty((len(rows), min(CROWD, len(rows))), dtype=np.int64)
    size = chunk_rows(len(rows))
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        places, distances = nearest(rows[part], rows, max(CROWD, NEIGHBOURS + 1))
        own[part] = distances[:, 1 : NEIGHBOURS + 1].mean(axis=1)  # the nearest is the row itself
        around[part] = places[:, :CROWD]
    reach = own[around].mean(axis=1)
    return np.maximum(reach, max(0.05 * float(np.median(reach)), 1e-6))


def _evenly_by_class(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of at most `MOST_ROWS` rows, the room that a small class leaves shared among the larger ones."""
    classes, counts = np.unique(codes, return_counts=True)
    left, chosen = MOST_ROWS, []
    for place, number in enumerate(np.argsort(counts, kind="stable")):
        share = min(int(counts[number]), left // (len(classes) - place))
        mine = np.flatnonzero(codes == classes[number])
        chosen.append(mine[np.linspace(0, len(mine) - 1, share).astype(np.int64)] if share else mine[:0])
        left -= share
    return np.sort(np.concatenate(chosen))


def unknown_limit(held_out: NDArray[np.float64], miss_rate: float) -> float | None:
    """The distance above which a row is none of the known classes: at most `miss_rate` of rows to come like the held-out ones.

    None where too few rows were held out to promise that.
    """
    return split_conformal(held_out, miss_rate).half_width
