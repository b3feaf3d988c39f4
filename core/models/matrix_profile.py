"""Matrix profile: a stretch of a signal is odd when no stretch of the training part has its shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.novelty import BASE_BYTES, SMALLEST, most_rows_setting
from core.models.shapes import unit_shapes
from core.models.spec import Engine, Estimate, FittedArrays, Role, Shape, Task
from core.models.tables import require_rows, thinned_note, thinned_rows
from core.settings import Settings

MOST_CELLS = 4_000_000  # of float64, 32 MB


class MatrixProfileSettings(Settings):
    """How much of the training part is compared with; the window says how long a shape is."""

    most_rows: int = most_rows_setting(10_000)


@dataclass(frozen=True, slots=True)
class MatrixProfile:
    """Each window, each sensor at mean 0 and standard deviation 1, against every training window (an AB-join).

    The window ends at the row that it scores, so that only rows up to now are looked at.
    """

    key: str = "matrix_profile"
    title: Message = msg("Matrix profile")
    summary: Message = msg("For one signal with repeating shapes: compares shape only, so level and size do not count.")
    source: str = "Yeh et al. (2016), ICDM, Matrix Profile I; Yeh et al. (2017), ICDM, Matrix Profile VI"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = True
    settings: type[Settings] = MatrixProfileSettings
    smallest_rows: int = 4

    def fit_windows(
        self,
        windows: NDArray[np.floating],
        targets: NDArray[np.float64] | None,
        settings: MatrixProfileSettings,
        shape: Shape,
        task: Task,
        seed: int,
    ) -> FittedArrays:
        """Shapes (n_features, m, window_rows) of the training windows; see `core.models.shapes`. Nothing else is used.

        Raises:
            NotEnoughData: fewer than 10 windows.
        """
        require_rows(windows, SMALLEST, self.title)
        kept = thinned_rows(len(windows), _most(settings, shape))
        arrays = {"shapes": unit_shapes(windows[kept])}
        return FittedArrays("matrix_profile", arrays, notes=thinned_note(self.title, len(kept), len(windows)))

    def fit_estimate(self, settings: MatrixProfileSettings, shape: Shape, n_windows: int) -> Estimate:
        cells = shape.window_rows * shape.n_features
        values = min(_most(settings, shape), n_windows) * cells
        return Estimate(values, BASE_BYTES + 4 * n_windows * cells + 32 * values, 0.2 + n_windows * cells / 5e7)


def _most(settings: MatrixProfileSettings, shape: Shape) -> int:
    return max(100, min(settings.most_rows, MOST_CELLS // (shape.window_rows * shape.n_features)))


SPEC = MatrixProfile()
