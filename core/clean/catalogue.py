"""All cleaning steps, in menu order. A new step is one line here."""

from __future__ import annotations

from core.clean.columns.calendar import CALENDAR
from core.clean.columns.categories import FREQUENCY_ENCODE, GROUP_RARE, ORDINAL_ENCODE
from core.clean.columns.components import BOTTLENECK_FEATURES, PCA_FEATURES
from core.clean.columns.filters import FILTER_ROWS
from core.clean.columns.lags import DIFFERENCE, LAG
from core.clean.columns.rolling import ROLLING
from core.clean.columns.selection import DROP_CONSTANT, DROP_CORRELATED, KEEP_INFORMATIVE, KEEP_USEFUL
from core.clean.columns.spectral import SPECTRAL
from core.clean.columns.targets import TARGET_ENCODE
from core.clean.columns.text import TEXT_FEATURES
from core.clean.columns.types import RENAME, TO_NUMBER
from core.clean.columns.units import CONVERT_UNIT
from core.clean.correction import CORRECT_STRETCH
from core.clean.density import DBSCAN_OUTLIERS, KNN_OUTLIERS, LOF_OUTLIERS
from core.clean.distribution import ECOD_OUTLIERS, ELLIPSE_OUTLIERS
from core.clean.encoding import ONE_HOT
from core.clean.fixed_limits import FIXED_LIMITS
from core.clean.hampel import HAMPEL_OUTLIERS
from core.clean.interpolation import SPLINE_FILL, TIME_FILL
from core.clean.isolation import ISOLATION_OUTLIERS
from core.clean.iterative import ITERATIVE_FILL
from core.clean.knn_fill import KNN_FILL
from core.clean.level import SUBTRACT_LEVEL
from core.clean.missing import CONSTANT_FILL, DROP_MISSING, MEAN_FILL, MEDIAN_FILL, MODE_FILL
from core.clean.neighbours import LINEAR_FILL, NEXT_FILL, PREVIOUS_FILL
from core.clean.outliers import IQR_OUTLIERS, MAD_OUTLIERS, ZSCORE_OUTLIERS
from core.clean.periods import EXCLUDE_PERIODS
from core.clean.power import BOX_COX, YEO_JOHNSON
from core.clean.repeated import REPEATED_TO_MISSING
from core.clean.scaling import MINMAX_SCALE, ROBUST_SCALE, STANDARD_SCALE
from core.clean.step import CleaningStep
from core.clean.whole_columns import DROP_SPARSE, MISSING_INDICATOR
from core.errors import unknown_choice

STEPS: tuple[CleaningStep, ...] = (
    MEDIAN_FILL,
    MEAN_FILL,
    MODE_FILL,
    PREVIOUS_FILL,
    NEXT_FILL,
    LINEAR_FILL,
    TIME_FILL,
    SPLINE_FILL,
    KNN_FILL,
    ITERATIVE_FILL,
    CONSTANT_FILL,
    MISSING_INDICATOR,
    DROP_MISSING,
    EXCLUDE_PERIODS,
    DROP_SPARSE,
    REPEATED_TO_MISSING,
    CORRECT_STRETCH,
    SUBTRACT_LEVEL,
    FIXED_LIMITS,
    IQR_OUTLIERS,
    ZSCORE_OUTLIERS,
    MAD_OUTLIERS,
    HAMPEL_OUTLIERS,
    ISOLATION_OUTLIERS,
    LOF_OUTLIERS,
    KNN_OUTLIERS,
    DBSCAN_OUTLIERS,
    ECOD_OUTLIERS,
    ELLIPSE_OUTLIERS,
    STANDARD_SCALE,
    MINMAX_SCALE,
    ROBUST_SCALE,
    BOX_COX,
    YEO_JOHNSON,
    ONE_HOT,
    ORDINAL_ENCODE,
    FREQUENCY_ENCODE,
    TARGET_ENCODE,
    GROUP_RARE,
    FILTER_ROWS,
    TO_NUMBER,
    CONVERT_UNIT,
    RENAME,
    LAG,
    DIFFERENCE,
    ROLLING,
    SPECTRAL,
    CALENDAR,
    TEXT_FEATURES,
    PCA_FEATURES,
    BOTTLENECK_FEATURES,
    DROP_CONSTANT,
    DROP_CORRELATED,
    KEEP_INFORMATIVE,
    KEEP_USEFUL,
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
