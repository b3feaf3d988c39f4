"""Cleaning: an ordered recipe, fitted on the training part, replayed anywhere."""

from core.clean.catalogue import STEPS, step_by_key
from core.clean.cell_changes import CellChanges, find_changes
from core.clean.fitted_recipe import Cleaned, FittedRecipe, fit_recipe
from core.clean.history import History
from core.clean.proposal import propose
from core.clean.recipe import Recipe, RecipeStep
from core.clean.step import Applied, Change, CleaningStep, FittedStep

__all__ = [
    "STEPS",
    "Applied",
    "CellChanges",
    "Change",
    "Cleaned",
    "CleaningStep",
    "FittedRecipe",
    "FittedStep",
    "History",
    "Recipe",
    "RecipeStep",
    "find_changes",
    "fit_recipe",
    "propose",
    "step_by_key",
]
