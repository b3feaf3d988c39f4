"""Lives of units: how long they last, how sure that is, and what it says of those that still run."""

from core.evaluation.survival.chances import ChanceQuality, HeldOut, chance_quality
from core.evaluation.survival.curve import SurvivalCurve, survival_curve
from core.evaluation.survival.lives import Lives, lives_of_units
from core.evaluation.survival.outlook import Count, count_by_lives, count_failures, due_times
from core.evaluation.survival.weibull import Weibull, WeibullFit, fit_weibull, plotting_positions

__all__ = [
    "ChanceQuality",
    "Count",
    "HeldOut",
    "Lives",
    "SurvivalCurve",
    "Weibull",
    "WeibullFit",
    "chance_quality",
    "count_by_lives",
    "count_failures",
    "due_times",
    "fit_weibull",
    "lives_of_units",
    "plotting_positions",
    "survival_curve",
]
