"""From a cleaned table to what a model sees: scaled features, windows, encoded targets, and the way back to rows."""

from core.features.forecast_target import ForecastTarget
from core.features.pipeline import Inputs, Pipeline
from core.features.plan import FeatureMatrix, FeaturePlan, fit_features
from core.features.targets import ClassTarget, LifeTarget, RegressionTarget, Target, fit_target
from core.features.windows import Windows, make_windows

__all__ = [
    "ClassTarget",
    "FeatureMatrix",
    "FeaturePlan",
    "ForecastTarget",
    "Inputs",
    "LifeTarget",
    "Pipeline",
    "RegressionTarget",
    "Target",
    "Windows",
    "fit_features",
    "fit_target",
    "make_windows",
]
