"""A recipe seen on its data before it is applied, and kept with its dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean import Change, Recipe, fit_recipe
from core.data.dataset import Column, Dataset
from core.data.split import SplitSettings, default_split, make_split
from core.features.targets import class_texts
from core.training.resolve import FEWEST_GROUPS
from core.workflows.workspace import Workspace

HISTOGRAM_BINS = 40


@dataclass(frozen=True, slots=True)
class RecipePreview:
    """One column before and after a recipe; arrays are (n,), n = rows looked at, in file order.

    `times` are datetimes or row numbers; histograms are (edges, counts) or None for a column of texts. `changes` has
    one entry a step and counts all columns.
    """

    column: str
    unit: str
    rows: NDArray[np.int64]
    times: NDArray
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    changed: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    left_out: NDArray[np.bool_]
    changes: tuple[Change, ...]
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
    columns = [c for c in dataset.columns if c.role != "ignore" or c.name == column]
    table = dataset.table([c.name for c in columns], 0, max_rows)
    roles = {role: next((c.name for c in columns if c.role == role), None) for role in ("time", "group", "target")}
    settings = split or _default_split(columns, table)
    made = make_split(table, settings, task="regression", gap_rows=0, seed=7, **roles)
    cleaned = fit_recipe(recipe, made.train_part(table), columns).apply(table, in_training=True)
    before = _numbers(table[column])
    after = _numbers(cleaned.table[column]) if column in cleaned.table else np.full(len(table), np.nan)
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    time = roles["time"]
    return RecipePreview(
        column=column,
        unit=shown.unit,
        rows=table.index.to_numpy(),
        times=table.index.to_numpy() if time is None else table[time].to_numpy(),
        before=before,
        after=after,
        changed=~same,
        flagged=np.asarray(cleaned.flagged_cells.get(column, np.zeros(len(table), dtype=bool))),
        left_out=cleaned.left_out,
        changes=cleaned.changes,
        parts=made.parts,
        histogram_before=_histogram(before),
        histogram_after=_histogram(after),
    )


def _default_split(columns: Sequence[Column], table: pd.DataFrame) -> SplitSettings:
    """The rule of a training: fewer than five groups are strata and not lots, then it goes by time or at random."""
    settings, _ = default_split(columns, "regression")
    if settings.method != "group":
        return settings
    group = next(c.name for c in columns if c.role == "group")
    few = table[group].nunique() < FEWEST_GROUPS
    return default_split([c for c in columns if c.role != "group"], "regression")[0] if few else settings


def get_recipe(ws: Workspace, dataset_id: str) -> Recipe:
    """The working recipe of a dataset; empty when none was saved."""
    stored = ws.store.get_recipe(dataset_id)
    return Recipe.read(stored or {})


def save_recipe(ws: Workspace, dataset_id: str, recipe: Recipe) -> None:
    """Keep a recipe as the working recipe of a dataset."""
    ws.store.save_recipe(dataset_id, recipe.model_dump(mode="json"))


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
    counts, edges = np.histogram(known, bins=HISTOGRAM_BINS)
    return edges, counts
