"""One step fitted on a table and applied to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import pytest

from core.clean import Cleaned, FittedRecipe, Recipe, RecipeStep, fit_recipe
from core.data.dataset import Column
from core.data.split import TrainPart

Fit = Callable[..., FittedRecipe]
Clean = Callable[..., Cleaned]


@pytest.fixture
def fit() -> Fit:
    """`fit(key, table, columns, settings, n_train, named)` → the fitted recipe."""

    def fitted(
        key: str,
        table: pd.DataFrame,
        columns: Sequence[Column],
        settings: dict[str, object] | None = None,
        n_train: int | None = None,
        named: tuple[str, ...] = (),
    ) -> FittedRecipe:
        recipe = Recipe(steps=(RecipeStep(key=key, settings=settings or {}, columns=named),))
        return fit_recipe(recipe, TrainPart(table.iloc[:n_train], _made_by_split=True), columns)

    return fitted


@pytest.fixture
def clean(fit: Fit) -> Clean:
    """The same, applied to the table it was fitted on."""
    return lambda key, table, *args, **kwargs: fit(key, table, *args, **kwargs).apply(table)
