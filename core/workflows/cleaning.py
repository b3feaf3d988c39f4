"""A recipe seen on its data before it is applied: one column before and after, every changed cell, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean import CellChanges, Change, FittedRecipe, Recipe, find_changes, fit_recipe
from core.data.dataset import Column, Dataset
from core.data.split import Split, SplitSettings, default_split
from core.data.splitting import make_split
from core.features.targets import class_texts
from core.messages import Message
from core.screening.order import order_of_table
from core.training.resolve import FEWEST_GROUPS
from core.workflows.recipe_text import recipe_text
from core.workflows.workspace import Workspace

HISTOGRAM_BINS = 40


@dataclass(frozen=True, slots=True)
class RecipePreview:
    """One column before and after a recipe; arrays are (n,), n = rows looked at, in the order in which the screening draws them:
    by time, or group after group where several machines or lots are mixed.

    `rows` are the dataset's; `along` is where they stand on the axis, times or positions; histograms are (edges, counts) or None for a column of texts. `changes` has
    one entry an enabled step and counts all columns; `real_event` are rows labelled as a real event. `words` is the recipe
    in sentences.
    """

    column: str
    unit: str
    rows: NDArray[np.int64]
    along: NDArray
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    changed: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    left_out: NDArray[np.bool_]
    real_event: NDArray[np.bool_]
    changes: tuple[Change, ...]
    words: tuple[Message, ...]
    parts: NDArray[np.int8]
    histogram_before: tuple[NDArray[np.float64], NDArray[np.int64]] | None
    histogram_after: tuple[NDArray[np.float64], NDArray[np.int64]] | None


def preview_recipe(
    ws: Workspace,
    dataset: Dataset,
    recipe: Recipe,
    split: SplitSettings | None,
    column: str,
    max_rows: int = 200_000,
) -> RecipePreview:
    """Fit the recipe on the training part of the first `max_rows` rows and show what it does to one column.

    Raises:
        SettingProblem: a step refuses a column.
        NotEnoughData: too few rows to split.
    """
    shown = dataset.column(column)
    made = fit_on_training(dataset, recipe, split, max_rows, also=column)
    table, cleaned = made.table, made.fitted.apply(made.table, in_training=True)
    before = _numbers(table[column])
    after = _numbers(cleaned.table[column]) if column in cleaned.table else np.full(len(table), np.nan)
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    order = order_of_table(made.table, made.columns)
    put = order.arranged
    nobody = np.zeros(len(table), dtype=np.bool_)
    return RecipePreview(
        column=column,
        unit=shown.unit,
        rows=put(table.index.to_numpy()),
        along=order.along,
        before=put(before),
        after=put(after),
        changed=put(~same),
        flagged=put(np.asarray(cleaned.flagged_cells.get(column, nobody))),
        left_out=put(cleaned.left_out),
        real_event=put(nobody if cleaned.real_event is None else cleaned.real_event),
        changes=cleaned.changes,
        words=recipe_text(recipe, made.fitted, cleaned.changes),
        parts=put(made.split.parts),
        histogram_before=_histogram(before),
        histogram_after=_histogram(after),
    )


def list_changes(dataset: Dataset, recipe: Recipe, split: SplitSettings | None = None, max_rows: int = 200_000) -> CellChanges:
    """Every cell that the recipe changes in the first `max_rows` rows, step by step."""
    made = fit_on_training(dataset, recipe, split, max_rows)
    return find_changes(made.fitted, made.table, recipe.active_numbers, in_training=True)


def _default_split(columns: Sequence[Column], table: pd.DataFrame) -> SplitSettings:
    """The rule of a training: fewer than five groups are strata and not lots, then it goes by time or at random."""
    settings, _ = default_split(columns, "regression")
    if settings.method != "group":
        return settings
    group = next(c.name for c in columns if c.role == "group")
    few = table[group].nunique() < FEWEST_GROUPS
    return default_split([c for c in columns if c.role != "group"], "regression")[0] if few else settings


@dataclass(frozen=True, slots=True)
class FittedOnTraining:
    """Rows of a dataset, their split, and a recipe fitted on the training part of it."""

    table: pd.DataFrame
    columns: tuple[Column, ...]
    split: Split
    fitted: FittedRecipe


def fit_on_training(
    dataset: Dataset, recipe: Recipe, split: SplitSettings | None, max_rows: int | None = None, *, also: str | None = None
) -> FittedOnTraining:
    """Fit a recipe on the training part of a dataset, or of its first rows; without a split by the honest rule.

    Args:
        also: A column to read although its role says to ignore it.
    """
    table, columns, made = training_split(dataset, split, max_rows, also=also)
    return FittedOnTraining(table, columns, made, fit_recipe(recipe, made.train_part(table), columns))


def training_split(
    dataset: Dataset, split: SplitSettings | None, max_rows: int | None = None, *, also: str | None = None
) -> tuple[pd.DataFrame, tuple[Column, ...], Split]:
    """The rows of a dataset without ignored columns, its columns, and the parts of these rows."""
    columns = tuple(c for c in dataset.columns if c.role != "ignore" or c.name == also)
    table = dataset.table([c.name for c in columns], 0, max_rows)
    roles = {role: next((c.name for c in columns if c.role == role), None) for role in ("time", "group", "target")}
    settings = split or _default_split(columns, table)
    return table, columns, make_split(table, settings, task="regression", gap_rows=0, seed=7, **roles)


def _numbers(cells: pd.Series) -> NDArray[np.float64]:
    """Numbers as they are; texts as the number of their class, so that a chart can show them."""
    if pd.api.types.is_numeric_dtype(cells):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    codes, _ = pd.factorize(class_texts(cells), sort=False)
    return np.where(codes < 0, np.nan, codes).astype(np.float64)


def _histogram(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    known = values[np.isfinite(values)]
    if known.size == 0:
        return None
    # Values that differ in their last digits alone have no room for 40 bins.
    has_room = np.ptp(known) > 2 * HISTOGRAM_BINS * np.spacing(np.abs(known).max())
    counts, edges = np.histogram(known, bins=HISTOGRAM_BINS if has_room or np.ptp(known) == 0 else 1)
    return edges, counts
