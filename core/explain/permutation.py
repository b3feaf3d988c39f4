"""How much a model's error grows when a column no longer belongs to its rows: permutation importance on later data.

Breiman (2001, Machine Learning 45, section 10) shuffles a column and measures again. Rows of a plant hang together in time, so
whole blocks of neighbouring windows are exchanged: a window keeps the shape of a real one in that column, of another time. The
test part is used, because a column that a model learned by heart is important in the training part only.

Two columns that say the same cover for each other: each alone looks unimportant. Columns whose correlation is above `CORRELATED`
are therefore also shuffled together, all of them with the same blocks.

How sure a figure is has two sides: other shuffles, and other rows. The rows' side is a jackknife over ten stretches of them (Shao and Tu 1995, The
Jackknife and Bootstrap, section 9.2), which keeps neighbours together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.explain.columns import InputColumn, Windows
from core.watching import Watch, unwatched

Outputs = NDArray[np.float64]
CORRELATED = 0.9
REPEATS = 5
STRETCHES = 10
STUDENT_95 = 2.262157  # the 97.5 % quantile of Student's t with 9 degrees of freedom
FEWEST_BLOCKS = 10


@dataclass(frozen=True, slots=True)
class Importance:
    """What the error grows by when some columns are shuffled, in the error's unit, on average over the repeats.

    `mean` near 0, or below, says that the model is no worse without them. `spread` is its standard error, of shuffles and rows together.
    """

    columns: tuple[str, ...]
    mean: float
    spread: float

    @property
    def reach(self) -> float:
        """Half of the 95 % interval."""
        return STUDENT_95 * self.spread


@dataclass(frozen=True, slots=True)
class Importances:
    """All of them, largest first: single columns, then groups that go together.

    `error` is that of the rows as they are; `n` the number of windows, `block` how many neighbours were moved together.
    """

    singles: tuple[Importance, ...]
    groups: tuple[Importance, ...]
    error: float
    n: int
    block: int
    repeats: int


def permutation_importance(
    predict: Callable[[Windows], Outputs],
    error: Callable[[Outputs, NDArray[np.int64]], float],
    windows: Windows,
    columns: Sequence[InputColumn],
    *,
    block: int = 1,
    repeats: int = REPEATS,
    seed: int = 7,
    watch: Watch = unwatched,
) -> Importances:
    """Importance of each column, and of groups of correlated ones.

    Args:
        predict: What the model says of windows (n, rows, f), in order.
        error: The error of what was said at some places (m,) of them; smaller is better.
        windows: Of the test part, in order of time.
        block: How many neighbouring windows are moved together; cut so that there are at least ten blocks.
        repeats: How often each is shuffled.
    """
    rng = np.random.default_rng(seed)
    block = max(1, min(block, len(windows) // FEWEST_BLOCKS))
    orders = [shuffled_blocks(len(windows), block, rng) for _ in range(repeats)]
    said, everywhere = predict(windows), np.arange(len(windows))
    kept = [np.delete(everywhere, stretch) for stretch in np.array_split(everywhere, min(STRETCHES, len(windows)))]
    as_is, without = error(said, everywhere), np.array([error(said, places) for places in kept])
    groups = correlated_groups(windows, columns)
    jobs = [(column,) for column in columns] + [tuple(columns[i] for i in group) for group in groups]
    found = []
    for done, some in enumerate(jobs):
        places = [place for column in some for place in column.places]
        grown, by_rows = [], np.zeros(len(kept))
        for order in orders:
            other = predict(_exchanged(windows, places, order))
            grown.append(error(other, everywhere) - as_is)
            by_rows += (np.array([error(other, at) for at in kept]) - without) / repeats
        found.append(Importance(tuple(c.name for c in some), float(np.mean(grown)), _standard_error(np.array(grown), by_rows)))
        watch((done + 1) / len(jobs))
    singles, together = found[: len(columns)], found[len(columns) :]
    return Importances(_ranked(singles), _ranked(together), as_is, len(windows), block, repeats)


def _standard_error(grown: NDArray[np.float64], by_rows: NDArray[np.float64]) -> float:
    """Of the mean of `grown`, one a shuffle, with the means `by_rows`, one without each stretch of rows."""
    k = len(by_rows)
    of_rows = (k - 1) / k * float(((by_rows - by_rows.mean()) ** 2).sum())
    of_shuffles = float(grown.var(ddof=1)) / len(grown) if len(grown) > 1 else 0.0
    return float(np.sqrt(of_rows + of_shuffles))


def shuffled_blocks(n: int, block: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Places (n,) of windows after blocks of neighbours were exchanged; each place stands once."""
    blocks = np.array_split(np.arange(n), max(1, -(-n // block)))
    return np.concatenate([blocks[i] for i in rng.permutation(len(blocks))]) if n else np.arange(0)


def correlated_groups(windows: Windows, columns: Sequence[InputColumn], limit: float = CORRELATED) -> list[tuple[int, ...]]:
    """Numbers of columns that hang together, by the last rows of windows: linked by |r| > `limit`, directly or through others."""
    numbers = [i for i, column in enumerate(columns) if column.move is not None]
    values = windows[:, -1, [columns[i].places[0] for i in numbers]].astype(np.float64)
    if len(numbers) < 2 or len(values) < 3:
        return []
    spread = values.std(axis=0)
    scaled = np.divide(values - values.mean(axis=0), spread, out=np.zeros_like(values), where=spread > 0)
    linked = np.abs(scaled.T @ scaled / len(values)) > limit
    left, found = set(range(len(numbers))), []
    while left:
        group, waiting = set(), {min(left)}
        while waiting:
            group |= waiting
            waiting = {int(j) for i in waiting for j in np.flatnonzero(linked[i])} - group
        left -= group
        if len(group) > 1:
            found.append(tuple(sorted(numbers[i] for i in group)))
    return found


def _exchanged(windows: Windows, places: Sequence[int], order: NDArray[np.int64]) -> Windows:
    found = windows.copy()
    found[:, :, list(places)] = windows[order][:, :, list(places)]
    return found


def _ranked(found: Sequence[Importance]) -> tuple[Importance, ...]:
    return tuple(sorted(found, key=lambda one: (-one.mean, one.columns)))
