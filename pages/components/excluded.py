"""The periods that a run or a recipe leaves out, for ribbons and captions."""

from __future__ import annotations

from typing import Any

from core import workflows as wf
from core.clean import Recipe
from core.errors import Problem
from pages.components.text import tn

Stretch = tuple[Any, Any, str]


def of_recipe(recipe: Recipe) -> list[Stretch]:
    """As charts want them: from, to, reason."""
    return [(p.start, p.stop, p.reason) for p in wf.periods_of(recipe)]


def of_run(run: wf.Run) -> list[Stretch]:
    """The periods of the recipe with which a run was trained."""
    try:
        return of_recipe(Recipe.read(run.request.recipe))
    except Problem:
        return []


def words(run: wf.Run) -> str:
    """How many periods were left out, for a caption; "" where there are none."""
    n = len(of_run(run))
    return tn("{n} period left out", "{n} periods left out", n) if n else ""
