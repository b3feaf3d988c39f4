"""Cleaning: an ordered recipe, fitted on the training part, replayed anywhere."""

from core.clean.catalogue import STEPS, step_by_key
from core.clean.recipe import Cleaned, FittedRecipe, Recipe, RecipeStep, fit_recipe
from core.clean.step import Applied, Change, CleaningStep, FittedStep

__all__ = [
    "STEPS",
    "Applied",
    "Change",
    "Cleaned",
    "CleaningStep",
    "FittedRecipe",
    "FittedStep",
    "Recipe",
    "RecipeStep",
    "fit_recipe",
    "step_by_key",
]
