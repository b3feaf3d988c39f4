"""PCA with Hotelling's T² and SPE (Q): multivariate control charts as an anomaly model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.features.pca import fit_pca
from core.messages import Message, msg
from core.models.spec import Engine, FittedArrays, Role, Task
from core.settings import Settings, setting


class PcaSettings(Settings):
    """How many directions are kept, and how often a healthy row may lie beyond a control limit."""

    explained_fraction: float = setting(
        0.9, title="Explained share", help="Directions are kept until they explain this share of the variance.", gt=0, lt=1
    )
    false_alarm_rate: float = setting(
        0.01, title="False-alarm rate", help="Share of healthy rows beyond each control limit.", gt=0, lt=0.5
    )


@dataclass(frozen=True, slots=True)
class PcaT2Spe:
    """T² watches movement within the kept directions, SPE what leaves them."""

    key: str = "pca_t2_spe"
    title: Message = msg("PCA control chart (T² and SPE)")
    summary: Message = msg("The multivariate control chart: fitted in a second, and names the sensors that moved.")
    source: str = "Jackson, Mudholkar (1979), Technometrics 21(3); MacGregor, Kourti (1995), Control Eng. Practice 3(3)"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = False
    settings: type[Settings] = PcaSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: PcaSettings, seed: int
    ) -> FittedArrays:
        """The arrays of `core.features.pca.PcaModel` for inputs (n, d), n ≥ 3. `targets` and `seed` are not used.

        Raises:
            NotEnoughData: fewer than 3 complete rows, or no variation at all.
        """
        model = fit_pca(inputs, explained=settings.explained_fraction, confidence=1 - settings.false_alarm_rate)
        return FittedArrays("pca", model.to_arrays())


SPEC = PcaT2Spe()
