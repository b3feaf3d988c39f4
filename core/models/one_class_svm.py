"""One-class support vector machine: a smooth surface around almost all normal rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.novelty import kept_estimate, most_rows_setting, scale_arrays, standard_rows
from core.models.spec import Engine, Estimate, FittedArrays, Role, Shape, Task
from core.settings import Settings, setting


class OneClassSvmSettings(Settings):
    """How tight the surface is."""

    outside: float = setting(
        0.05, title="Share outside", help="About this share of the training rows may lie outside the surface (ν).", gt=0, le=0.9
    )
    reach: float | None = setting(
        None,
        title="Reach",
        help="Gamma of the kernel exp(−gamma · distance²) on standardised columns; empty: 1 ÷ number of columns that vary.",
        gt=0,
        le=1e3,
    )
    most_rows: int = most_rows_setting(5_000)


@dataclass(frozen=True, slots=True)
class OneClassSvm:
    """scikit-learn (libsvm) finds the support vectors, NumPy replays them. Far away every row has the same score."""

    key: str = "one_class_svm"
    title: Message = msg("One-class support vector machine")
    summary: Message = msg("A smooth border around a few thousand normal rows; far outside, all rows look equally odd.")
    source: str = "Schölkopf, Platt, Shawe-Taylor, Smola, Williamson (2001), Neural Computation 13(7)"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = False
    settings: type[Settings] = OneClassSvmSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: OneClassSvmSettings, seed: int
    ) -> FittedArrays:
        """Support vectors (m, d), coefficients (m,) and offset (); see `core.models.detectors.surface_scores`.

        `targets` and `seed` are not used.

        Raises:
            NotEnoughData: fewer than 10 rows.
        """
        from sklearn.svm import OneClassSVM

        standard, notes = standard_rows(inputs, settings.most_rows, self.title)
        n_varying = max(1, int(np.isfinite(standard.reach).sum()))
        reach = 1 / n_varying if settings.reach is None else settings.reach
        model = OneClassSVM(nu=settings.outside, gamma=reach).fit(standard.values)
        arrays = {
            **scale_arrays(standard),
            "support": np.asarray(model.support_vectors_, dtype=np.float64),
            "coefficients": np.asarray(model.dual_coef_[0], dtype=np.float64),
            "offset": np.array(float(-model.intercept_[0])),
            "reach": np.array(float(reach)),
        }
        return FittedArrays("surface", arrays, notes=notes, facts={"support_vectors": len(model.support_)})

    def fit_estimate(self, settings: OneClassSvmSettings, shape: Shape, n_windows: int) -> Estimate:
        return kept_estimate(
            shape, n_windows, settings.most_rows, kept_a_row=settings.outside + 0.05, operations_a_pair=settings.outside + 0.1
        )


SPEC = OneClassSvm()
