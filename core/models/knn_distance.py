"""Nearest-neighbour distance: a row is odd when nothing like it was seen in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.novelty import kept_estimate, most_rows_setting, scale_arrays, standard_rows
from core.models.spec import Engine, Estimate, FittedArrays, Role, Shape, Task
from core.settings import Settings, setting


class KnnDistanceSettings(Settings):
    """How many neighbours are looked at, and how their distances become one."""

    neighbours: int = setting(5, title="Neighbours", help="Training rows that a row is compared with.", ge=1, le=1000)
    distance: Literal["farthest", "mean"] = setting(
        "farthest", title="Distance", help="The distance to the farthest of these neighbours, or the mean of all."
    )
    most_rows: int = most_rows_setting(3_000)


@dataclass(frozen=True, slots=True)
class KnnDistance:
    """Standardised training rows as they are; the distance of a row to the nearest of them."""

    key: str = "knn_distance"
    title: Message = msg("Distance to the nearest neighbours")
    summary: Message = msg("What was never seen like this is odd: no assumption on shape, strong when normal has many faces.")
    source: str = "Ramaswamy, Rastogi, Shim (2000), SIGMOD; Angiulli, Pizzuti (2002), PKDD"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = False
    settings: type[Settings] = KnnDistanceSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: KnnDistanceSettings, seed: int
    ) -> FittedArrays:
        """Rows (m, d), mean and scale (d,); see `core.models.detectors.neighbour_scores`. `targets` and `seed` are not used.

        Raises:
            NotEnoughData: fewer than 10 rows.
        """
        standard, notes = standard_rows(inputs, settings.most_rows, self.title)
        arrays = {
            **scale_arrays(standard),
            "rows": standard.values,
            "neighbours": np.array(float(settings.neighbours)),
            "is_mean": np.array(float(settings.distance == "mean")),
        }
        return FittedArrays("neighbour_distance", arrays, notes=notes)

    def fit_estimate(self, settings: KnnDistanceSettings, shape: Shape, n_windows: int) -> Estimate:
        return kept_estimate(shape, n_windows, settings.most_rows, kept_a_row=1, operations_a_pair=0)


SPEC = KnnDistance()
