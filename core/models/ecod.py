"""ECOD: how far out in the tails of the training rows each value lies, added up over the columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.novelty import kept_estimate, kept_rows, most_rows_setting
from core.models.spec import Engine, Estimate, FittedArrays, Role, Shape, Task
from core.models.tails import tail_arrays
from core.settings import Settings


class TailSettings(Settings):
    """Nothing to tune; only how many rows are kept."""

    most_rows: int = most_rows_setting(20_000)


@dataclass(frozen=True, slots=True)
class TailProbabilities:
    """Each column on its own: −ln of the share of training values at least as extreme, on the side that counts.

    With `is_copula` it is COPOD (`core/models/copod.py`), which takes the mean of both tails, or the tail on the skewed
    side where that is more extreme.
    """

    key: str = "ecod"
    title: Message = msg("Tail probabilities (ECOD)")
    summary: Message = msg("Nothing to tune: a value far out in its own column counts. Sees no combinations.")
    source: str = "Li, Zhao, Hu, Botta, Ionescu, Chen (2022), IEEE TKDE, arXiv:2201.00382"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = False
    settings: type[Settings] = TailSettings
    smallest_rows: int = 1
    is_copula: bool = False

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: TailSettings, seed: int
    ) -> FittedArrays:
        """Sorted columns and their moments; see `core.models.tails`. `targets` and `seed` are not used.

        Raises:
            NotEnoughData: fewer than 10 rows.
        """
        rows, notes = kept_rows(inputs, settings.most_rows, self.title)
        return FittedArrays("tails", tail_arrays(rows, is_copula=self.is_copula), notes=notes)

    def fit_estimate(self, settings: TailSettings, shape: Shape, n_windows: int) -> Estimate:
        return kept_estimate(shape, n_windows, settings.most_rows, kept_a_row=1, operations_a_pair=0, compares=False)


SPEC = TailProbabilities()
