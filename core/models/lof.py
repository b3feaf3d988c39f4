"""Local outlier factor: a row is odd when its neighbours lie closer together than it lies to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.novelty import kept_estimate, most_rows_setting, scale_arrays, standard_rows
from core.models.spec import Engine, Estimate, FittedArrays, Role, Shape, Task
from core.settings import Settings, setting


class LofSettings(Settings):
    """How many neighbours say what is dense."""

    neighbours: int = setting(20, title="Neighbours", help="Training rows that a row is compared with.", ge=1, le=1000)
    most_rows: int = most_rows_setting(5_000)


@dataclass(frozen=True, slots=True)
class Lof:
    """Scores of new rows only (novelty detection): scikit-learn measures the training rows, NumPy scores."""

    key: str = "lof"
    title: Message = msg("Local outlier factor (LOF)")
    summary: Message = msg("For normal rows that are dense here and sparse there: a small step out of a dense group counts.")
    source: str = "Breunig, Kriegel, Ng, Sander (2000), SIGMOD"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = False
    settings: type[Settings] = LofSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: LofSettings, seed: int
    ) -> FittedArrays:
        """Rows (m, d) with their reach and density (m,); see `core.models.detectors.density_scores`.

        `targets` and `seed` are not used.

        Raises:
            NotEnoughData: fewer than 10 rows.
        """
        from sklearn.neighbors import NearestNeighbors

        standard, notes = standard_rows(inputs, settings.most_rows, self.title)
        count = min(settings.neighbours, len(standard.values) - 1)
        distances, places = NearestNeighbors(n_neighbors=count).fit(standard.values).kneighbors()
        reach = distances[:, -1]
        arrays = {
            **scale_arrays(standard),
            "rows": standard.values,
            "reach": reach,
            "density": 1 / (np.maximum(distances, reach[places]).mean(axis=1) + 1e-10),
            "neighbours": np.array(float(count)),
        }
        return FittedArrays("local_density", arrays, notes=notes)

    def fit_estimate(self, settings: LofSettings, shape: Shape, n_windows: int) -> Estimate:
        return kept_estimate(shape, n_windows, settings.most_rows, kept_a_row=1, operations_a_pair=2)


SPEC = Lof()
