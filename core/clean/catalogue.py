"""All cleaning steps, in menu order. A new step is one line here."""

from __future__ import annotations

from core.clean.encoding import ONE_HOT
from core.clean.isolation import ISOLATION_OUTLIERS
from core.clean.missing import CONSTANT_FILL, DROP_MISSING, MEAN_FILL, MEDIAN_FILL
from core.clean.neighbours import LINEAR_FILL, NEXT_FILL, PREVIOUS_FILL
from core.clean.outliers import IQR_OUTLIERS, ZSCORE_OUTLIERS
from core.clean.periods import EXCLUDE_PERIODS
from core.clean.scaling import MINMAX_SCALE, ROBUST_SCALE, STANDARD_SCALE
from core.clean.step import CleaningStep
from core.errors import unknown_choice

STEPS: tuple[CleaningStep, ...] = (
    MEDIAN_FILL,
    MEAN_FILL,
    PREVIOUS_FILL,
    NEXT_FILL,
    LINEAR_FILL,
    CONSTANT_FILL,
    DROP_MISSING,
    EXCLUDE_PERIODS,
    IQR_OUTLIERS,
    ZSCORE_OUTLIERS,
    ISOLATION_OUTLIERS,
    STANDARD_SCALE,
    MINMAX_SCALE,
    ROBUST_SCALE,
    ONE_HOT,
)


def step_by_key(key: str) -> CleaningStep:
    """The step with that key.

    Raises:
        SettingProblem: there is none; the error lists the keys and names the closest.
    """
    for step in STEPS:
        if step.key == key:
            return step
    raise unknown_choice("cleaning step", key, [s.key for s in STEPS])
