"""COPOD: the chance of a value at least as extreme in each column, by an empirical copula."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.novelty import kept_estimate, kept_rows, most_rows_setting
from core.models.spec import Engine, Estimate, FittedArrays, Role, Shape, Task
from core.models.tails import tail_arrays
from core.settings import Settings


class CopodSettings(Settings):
    """Nothing to tune; only how many rows are kept."""

    most_rows: int = most_rows_setting(20_000)


@dataclass(frozen=True, slots=True)
class Copod:
    """Each column on its own: the mean of both tails, or the tail on the skewed side where that is more extreme."""

    key: str = "copod"
    title: Message = msg("Copula tails (COPOD)")
    summary: Message = msg("Nothing to tune, like ECOD: both tails of a column count together, which forgives moderate values.")
    source: str = "Li, Zhao, Botta, Ionescu, Hu (2020), ICDM, arXiv:2009.09463"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = False
    settings: type[Settings] = CopodSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: CopodSettings, seed: int
    ) -> FittedArrays:
        """Sorted columns and their moments; see `core.models.tails`. `targets` and `seed` are not used.

        Raises:
            NotEnoughData: fewer than 10 rows.
        """
        rows, notes = kept_rows(inputs, settings.most_rows, self.title)
        return FittedArrays("tails", tail_arrays(rows, is_copula=True), notes=notes)

    def fit_estimate(self, settings: CopodSettings, shape: Shape, n_windows: int) -> Estimate:
        return kept_estimate(shape, n_windows, settings.most_rows, kept_a_row=1, operations_a_pair=0, compares=False)


SPEC = Copod()
