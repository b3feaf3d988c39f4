"""Several detectors as one: each says how rare its score was in training, and the mean or the highest of these counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models import copod, ecod, kmeans_distance, knn_distance, lof, pca
from core.models.detectors import detector_scores
from core.models.novelty import SMALLEST
from core.models.rarity import rarity_arrays
from core.models.spec import Engine, Estimate, FittedArrays, Role, Shape, Task
from core.models.tables import require_rows
from core.settings import Settings, setting

PARTS = 3
FEWEST_HELD_BACK = 60


class CombinedSettings(Settings):
    """Which detectors are asked, and how their answers become one."""

    rule: Literal["mean", "maximum"] = setting(
        "mean",
        title="Rule",
        help="The mean of the members' ranks: what most of them find odd. The maximum: what any of them finds odd.",
    )
    pca_t2_spe: bool = setting(True, title="PCA control chart", help="Ask the PCA control chart (T² and SPE).")
    knn_distance: bool = setting(True, title="Nearest neighbours", help="Ask the distance to the nearest neighbours.")
    kmeans_distance: bool = setting(False, title="k-means", help="Ask the distance to k-means centres.")
    ecod: bool = setting(False, title="ECOD", help="Ask the tail probabilities (ECOD).")
    copod: bool = setting(False, title="COPOD", help="Ask the copula tails (COPOD).")
    lof: bool = setting(False, title="LOF", help="Ask the local outlier factor.")


MEMBERS: dict[str, Any] = {
    spec.key: spec for spec in (pca.SPEC, knn_distance.SPEC, kmeans_distance.SPEC, ecod.SPEC, copod.SPEC, lof.SPEC)
}


@dataclass(frozen=True, slots=True)
class Combined:
    """Members with their default settings on the same rows.

    A member's score becomes −ln of the share of training scores at least as high (`core.models.rarity`), so that
    members are comparable whatever their unit. The training scores are those of each third of the rows from a fit on
    the other two: a detector that remembers its rows finds none of them odd.
    """

    key: str = "combined"
    title: Message = msg("Several detectors combined")
    summary: Message = msg("Asks several detectors at once and goes by rank: steadier than any of them alone.")
    source: str = "Aggarwal, Sathe (2015), SIGKDD Explorations 17(1); Fisher (1932), Statistical Methods, section 21.1"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = False
    settings: type[Settings] = CombinedSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: CombinedSettings, seed: int
    ) -> FittedArrays:
        """The members' arrays, named "member.array", beside what turns their scores into ranks. `targets` is not used.

        With no member chosen the PCA control chart is asked.

        Raises:
            NotEnoughData: fewer than 10 rows, or no variation at all.
        """
        require_rows(inputs, SMALLEST, self.title)
        arrays: dict[str, NDArray[np.float64]] = {"is_maximum": np.array(float(settings.rule == "maximum"))}
        notes: list[Message] = []
        for spec in chosen(settings):
            fitted = spec.fit(inputs, None, spec.settings(), seed)
            rarity = rarity_arrays(_held_back_scores(spec, fitted, inputs, seed))
            arrays |= {f"{spec.key}.{name}": values for name, values in {**fitted.arrays, **rarity}.items()}
            notes.extend(fitted.notes)
        return FittedArrays("combined", arrays, notes=tuple(notes))

    def fit_estimate(self, settings: CombinedSettings, shape: Shape, n_windows: int) -> Estimate:
        """The members' estimates added up; each is fitted once on all rows and three times on two thirds."""
        from core.models.estimate import estimate

        found = [estimate(spec, spec.settings(), shape, n_windows) for spec in chosen(settings)]
        return Estimate(
            sum(e.n_parameters for e in found),
            max(e.memory_bytes for e in found) + 8 * sum(e.n_parameters for e in found),
            sum(3 * e.epoch_seconds for e in found),
        )


def chosen(settings: CombinedSettings) -> tuple[Any, ...]:
    """The members that the settings ask, at least one."""
    return tuple(spec for key, spec in MEMBERS.items() if getattr(settings, key)) or (pca.SPEC,)


def _held_back_scores(spec: Any, fitted: FittedArrays, inputs: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Scores (n,) of all rows, each third from a fit on the others; from the fit itself where the rows are too few."""
    if len(inputs) < FEWEST_HELD_BACK:
        return detector_scores(fitted.kind, fitted.arrays, inputs)[:, 0]
    scores = np.empty(len(inputs))
    for part in np.array_split(np.arange(len(inputs)), PARTS):
        others = np.delete(inputs, part, axis=0)
        found = spec.fit(others, None, spec.settings(), seed)
        scores[part] = detector_scores(found.kind, found.arrays, inputs[part])[:, 0]
    return scores


SPEC = Combined()
