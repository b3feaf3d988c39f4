"""k-means distance: normal rows gather around a few centres, and what is far from all of them is odd."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.novelty import BASE_BYTES, most_rows_setting, scale_arrays, standard_rows
from core.models.spec import Engine, Estimate, FittedArrays, Role, Shape, Task
from core.models.tables import n_statistics
from core.settings import Settings, setting

STARTS = 5
ROUNDS = 30


class KmeansDistanceSettings(Settings):
    """How many centres."""

    centres: int = setting(20, title="Centres", help="Groups that the normal rows are sorted into.", ge=1, le=1000)
    most_rows: int = most_rows_setting(50_000)


@dataclass(frozen=True, slots=True)
class KmeansDistance:
    """Distance of a standardised row to the nearest centre; scikit-learn finds the centres."""

    key: str = "kmeans_distance"
    title: Message = msg("Distance to k-means centres")
    summary: Message = msg("For machines with a few working states: what is far from every state is odd. Small and fast.")
    source: str = "Yairi, Kato, Hori (2001), i-SAIRAS; Lloyd (1982), IEEE Trans. Information Theory 28(2)"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = False
    settings: type[Settings] = KmeansDistanceSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: KmeansDistanceSettings, seed: int
    ) -> FittedArrays:
        """Centres (k, d), mean and scale (d,); see `core.models.detectors.centre_scores`. `targets` is not used.

        Raises:
            NotEnoughData: fewer than 10 rows.
        """
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

        standard, notes = standard_rows(inputs, settings.most_rows, self.title)
        n_different = len(np.unique(standard.values, axis=0))
        count = min(settings.centres, n_different)
        with threadpool_limits(1):  # sums in another order would give other last digits
            model = KMeans(count, n_init=STARTS, random_state=seed).fit(standard.values)
        arrays = {**scale_arrays(standard), "centres": np.asarray(model.cluster_centers_, dtype=np.float64)}
        return FittedArrays("centre_distance", arrays, notes=notes, facts={"centres": count})

    def fit_estimate(self, settings: KmeansDistanceSettings, shape: Shape, n_windows: int) -> Estimate:
        rows, columns = min(settings.most_rows, n_windows), n_statistics(shape)
        seconds = 0.3 + STARTS * ROUNDS * rows * settings.centres * columns / 2e9 + n_windows * columns / 2e7
        return Estimate(settings.centres * columns, BASE_BYTES + 32 * n_windows * columns + 24 * rows * columns, seconds)


SPEC = KmeansDistance()
