"""A unit's chance to last, from what a model predicted for units that it had not learned from and what came; and how good
such chances are.

Source: Vovk, Petej, Nouretdinov, Manokhin & Gammerman, "Computationally efficient versions of conformal predictive
distributions", Neurocomputing 397, 2020 (split conformal predictive distributions); taken near the prediction, because a
remaining life is easier to tell at its end than at its beginning. Brier, Monthly Weather Review 78, 1950.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.evaluation.bootstrap import percentile_bounds, resampling
from core.evaluation.result import Metric, not_defined
from core.messages import msg

NEAR_SHARE, LEAST_NEAR, LEAST_ROWS, DRAWS = 0.1, 50, 20, 200
EDGES = np.array([0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0])


MOST_HELD_OUT = 20_000  # rows, evenly spread: more say the same, and each unit's chance reads a tenth of them 200 times


class HeldOut:
    """Predictions of held-out rows (n,) and the remaining life that came (n,), the same unit; rows with a NaN are left out, and of
    more than 20,000 rows evenly spread ones are kept.

    `units` (n,) says which rows are of one unit and resemble each other; without them each row stands for itself.
    """

    def __init__(self, prediction: ArrayLike, truth: ArrayLike, units: ArrayLike | None = None) -> None:
        predicted, came = np.asarray(prediction, dtype=np.float64), np.asarray(truth, dtype=np.float64)
        known = np.isfinite(predicted) & np.isfinite(came)
        rows = np.flatnonzero(known)
        if len(rows) > MOST_HELD_OUT:
            rows = rows[np.linspace(0, len(rows) - 1, MOST_HELD_OUT).astype(np.int64)]
        rows = rows[np.argsort(predicted[rows], kind="stable")]
        self._predicted, self._error = predicted[rows], (came - predicted)[rows]
        names = np.arange(len(known)) if units is None else np.asarray(units)
        self._units = np.unique(names[rows], return_inverse=True)[1] if len(rows) else np.zeros(0, dtype=np.int64)

    @property
    def n(self) -> int:
        return len(self._predicted)

    @property
    def n_units(self) -> int:
        return int(self._units.max()) + 1 if self.n else 0

    @property
    def is_enough(self) -> bool:
        return self.n >= LEAST_ROWS

    def chance_to_last(self, prediction: ArrayLike, within: ArrayLike) -> NDArray[np.float64]:
        """Chances (n, m) that units with these predictions (n,) last to these horizons (m,).

        It is the share of errors that would leave more than the horizon, (number + 1/2)/(k + 1), among the k held-out rows
        whose predictions are nearest: a tenth of them, at least 50. NaN for a prediction that is NaN; all NaN where fewer
        than 20 rows are held out.
        """
        return self._chances(prediction, within, np.ones((1, max(1, self.n_units))))[0]

    def drawn_chances(
        self, prediction: ArrayLike, within: ArrayLike, *, draws: int = DRAWS, seed: int = 0
    ) -> NDArray[np.float64]:
        """The same (draws, n, m) for units held out that are drawn anew, with replacement: how far the chances might be off
        because few units were there to learn them from."""
        drawn = np.random.default_rng(seed).multinomial(
            self.n_units, np.full(max(1, self.n_units), 1 / max(1, self.n_units)), draws
        )
        return self._chances(prediction, within, drawn.astype(np.float64))

    def _chances(self, prediction: ArrayLike, within: ArrayLike, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Chances (draws, n, m) where each held-out unit counts by its weight, (draws, n_units)."""
        predicted, horizon = np.atleast_1d(np.asarray(prediction, float)), np.atleast_1d(np.asarray(within, float))
        found = np.full((len(weights), len(predicted), len(horizon)), np.nan)
        if not self.is_enough:
            return found
        k = min(self.n, max(LEAST_NEAR, round(NEAR_SHARE * self.n)))
        for row in np.flatnonzero(np.isfinite(predicted)):
            near = self._near(predicted[row], k)
            lasts = (predicted[row] + self._error[near])[:, None] > horizon[None, :]
            each = weights[:, self._units[near]]
            found[:, row] = (each @ lasts + 0.5) / (each.sum(axis=1, keepdims=True) + 1)
        return found

    def _near(self, at: float, k: int) -> slice:
        """The k places of the sorted predictions that are nearest to a value."""
        low, high = 0, self.n - k
        while low < high:  # the first start from which moving on brings no nearer one
            middle = (low + high) // 2
            if at - self._predicted[middle] > self._predicted[middle + k] - at:
                low = middle + 1
            else:
                high = middle
        return slice(low, low + k)


@dataclass(frozen=True, slots=True)
class ChanceQuality:
    """Chances of a failure against what came, on `n` rows of `n_units` units.

    `brier` is the mean squared difference between chance and outcome: 0 is perfect, and what always says the share that came
    has `brier_of_share`. `expected` failures were foretold, `came` came. `bins` are (from, to, rows, mean chance, share that came).
    """

    brier: Metric
    brier_of_share: float
    expected: float
    came: int
    n: int
    n_units: int
    bins: tuple[tuple[float, float, int, float, float], ...]


def chance_quality(
    chance: ArrayLike, came: ArrayLike, units: ArrayLike | None = None, *, n_boot: int = 200, seed: int = 0
) -> ChanceQuality:
    """Judge chances of a failure.

    Args:
        chance: (n,) foretold chance from 0 to 1; NaN is left out.
        came: (n,) 1 failed, 0 lasted, NaN unknown: left out.
        units: (n,) unit of each row; rows of a unit are resampled together for the interval of the Brier score.

    Degenerate cases: no row: the Brier score is not defined; fewer than 5 units: no interval.
    """
    foretold, outcome = np.asarray(chance, dtype=np.float64), np.asarray(came, dtype=np.float64)
    known = np.isfinite(foretold) & np.isfinite(outcome)
    foretold, outcome = foretold[known], outcome[known]
    blocks = None if units is None else np.asarray(units)[known]
    n = len(foretold)
    if not n:
        nothing = not_defined("brier", 0, msg("There is no row whose outcome is known."))
        return ChanceQuality(nothing, float("nan"), 0.0, 0, 0, 0, ())
    squares = (foretold - outcome) ** 2
    again = resampling(n, blocks, n_boot, seed)
    low: float | None = None
    high: float | None = None
    if again.n_boot:
        sums = again.sums(np.column_stack([squares, np.ones(n)]))
        low, high = percentile_bounds(sums[:, 0] / sums[:, 1])
    share = float(outcome.mean())
    places = np.clip(np.searchsorted(EDGES, foretold, side="right") - 1, 0, len(EDGES) - 2)
    bins = tuple(
        (float(EDGES[b]), float(EDGES[b + 1]), int(mine.sum()), float(foretold[mine].mean()), float(outcome[mine].mean()))
        for b in range(len(EDGES) - 1)
        if (mine := places == b).any()
    )
    return ChanceQuality(
        brier=Metric("brier", float(squares.mean()), n, low, high),
        brier_of_share=share * (1 - share),
        expected=float(foretold.sum()),
        came=int(outcome.sum()),
        n=n,
        n_units=n if blocks is None else len(np.unique(blocks)),
        bins=bins,
    )
