"""A recipe kept with its dataset: applied, worked on with undo, used on other data, written as a cleaned table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.clean import CellChanges, Change, Cleaned, FittedRecipe, History, Recipe, find_changes
from core.clean.encoding import free_name
from core.data.dataset import Dataset
from core.data.split import SplitSettings
from core.errors import DataProblem, Problem, SettingProblem
from core.messages import msg
from core.workflows.cleaning import fit_on_training
from core.workflows.csv_out import without_formula, write_csv
from core.workflows.scoring import resolve_bundle
from core.workflows.workspace import Workspace

MAX_BYTES = 1_000_000
TRY_OUT_ROWS = 100_000


def get_recipe(ws: Workspace, dataset_id: str) -> Recipe:
    """The applied recipe of a dataset, which the next training uses; empty when none was saved."""
    stored = ws.store.get_recipe(dataset_id)
    return Recipe.read(stored or {})


def save_recipe(ws: Workspace, dataset_id: str, recipe: Recipe) -> None:
    """Keep a recipe as the applied recipe of a dataset."""
    ws.store.save_recipe(dataset_id, recipe.to_json())


def get_draft(ws: Workspace, dataset_id: str) -> History:
    """The recipe that is being worked on, with undo and redo; without one, the applied recipe.

    A draft that this version cannot read (made by a later one) is passed over.
    """
    stored = ws.store.get_draft(dataset_id)
    if stored is not None:
        try:
            return History.read(stored)
        except Problem:
            pass
    return History.of(get_recipe(ws, dataset_id))


def save_draft(ws: Workspace, dataset_id: str, draft: History) -> None:
    """Keep the working recipe with its history, so that a refresh loses nothing; it goes with its dataset.

    Raises:
        StoreProblem: the dataset is deleted.
    """
    ws.store.set_draft(dataset_id, draft.to_json())


def use_recipe(ws: Workspace, recipe: Recipe, dataset: Dataset, max_rows: int = TRY_OUT_ROWS) -> tuple[Change, ...]:
    """Apply a recipe of another dataset to this one: try it out on its first rows, then keep it as its applied recipe.

    Raises:
        DataProblem: this dataset lacks a column that the recipe names, or it holds something else; nothing was kept.
        SettingProblem: a step refuses a column.
    """
    made = fit_on_training(dataset, recipe, None, max_rows)
    changes = made.fitted.apply(made.table, in_training=True).changes
    save_recipe(ws, dataset.id, recipe)
    save_draft(ws, dataset.id, get_draft(ws, dataset.id).put(recipe))
    return changes


def read_recipe(raw: bytes) -> Recipe:
    """A recipe from a file, of this version or an earlier one.

    Raises:
        DataProblem: the file is no JSON object, or too large.
        SettingProblem: it names a step or setting that does not exist.
    """
    wrong = DataProblem(
        msg("The file is not a recipe."),
        msg("Expected a recipe saved as JSON: by 'Save recipe as file' on the Clean screen, or by 'propose --out'."),
        msg("Choose such a file."),
    )
    if len(raw) > MAX_BYTES:
        raise wrong
    try:
        values = json.loads(raw.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise wrong from error
    if not isinstance(values, dict):
        raise wrong
    return Recipe.read(values)


def recipe_json(recipe: Recipe) -> str:
    """The file that `read_recipe` reads."""
    return json.dumps(recipe.to_json(), indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class CleanedFile:
    """What cleaning a dataset gave: rows in and out, changed cells, rows left out, and the changes a step."""

    rows: int
    changed_cells: int
    left_out_rows: int
    changes: tuple[Change, ...]
    fitted: FittedRecipe
    out: Path


def clean_dataset(
    dataset: Dataset,
    recipe: Recipe | FittedRecipe,
    out: Path,
    *,
    split: SplitSettings | None = None,
    changes_out: Path | None = None,
) -> CleanedFile:
    """Write the cleaned table as CSV, one row an input row, in order; on wish every changed cell as a second CSV.

    A recipe is fitted on the training part of the dataset; a fitted one, from a bundle, is replayed as it is. Rows are
    never removed: where a step leaves rows out, the column `left_out_by` names it; `real_event` is 1 where one labels a row.

    Raises:
        DataProblem: the recipe needs a column that is not there, or holds something else.
        SettingProblem: a step refuses a column.
    """
    if isinstance(recipe, Recipe):
        made = fit_on_training(dataset, recipe, split)
        fitted, table, numbers = made.fitted, made.table, recipe.active_numbers
    else:
        fitted, table, numbers = recipe, dataset.table(), ()
    fresh = isinstance(recipe, Recipe)  # a recipe from elsewhere has not learned from these rows
    cleaned = fitted.apply(table, in_training=fresh)
    write_csv(_with_marks(cleaned, dataset), out)
    if changes_out is not None:
        write_changes(find_changes(fitted, table, numbers, in_training=fresh), changes_out)
    n_changed = sum(change.n_changed for change in cleaned.changes)
    return CleanedFile(len(table), n_changed, int(cleaned.left_out.sum()), cleaned.changes, fitted, out)


def _with_marks(cleaned: Cleaned, dataset: Dataset) -> pd.DataFrame:
    """The cleaned table, ignored columns as they were, and the marks of rows where there are any."""
    table = cleaned.table
    ignored = [c.name for c in dataset.columns if c.role == "ignore" and c.name not in table.columns]
    if ignored:
        table = pd.concat([table, dataset.table(ignored)], axis=1)
    taken = {str(name) for name in table.columns}
    marks: dict[str, object] = {}
    if cleaned.left_out.any():
        marks[free_name("left_out_by", taken)] = cleaned.left_out_by
    if cleaned.real_event is not None:
        marks[free_name("real_event", taken)] = cleaned.real_event
    if cleaned.flagged_cells:
        marks[free_name("outlier_in", taken)] = _flagged_names(cleaned)
    return table.assign(**marks)


def _flagged_names(cleaned: Cleaned) -> np.ndarray:
    """For each row the columns whose cell is flagged, with semicolons between them."""
    names = np.full(len(cleaned.table), "", dtype=object)
    for name, mask in cleaned.flagged_cells.items():
        names[mask] = [f"{old}; {name}" if old else name for old in names[mask]]
    return names


def write_changes(changes: CellChanges, out: Path, *, formula_safe: bool = False) -> None:
    """Every changed cell as CSV: row, column, before, after, number of the step.

    Values are written as texts, as a column may hold either; `formula_safe` puts ' before texts that a spreadsheet would
    run, and leaves negative numbers alone.
    """
    table = changes.part(0, changes.n)
    written = {name: _texts(table[name], formula_safe) for name in ("column", "before", "after")}
    write_csv(table.assign(**written), out)


def _texts(cells: pd.Series, formula_safe: bool) -> pd.Series:
    """Numbers in the shortest form that reads back the same, empty cells empty."""
    texts = [None if pd.isna(v) else without_formula(v) if formula_safe and isinstance(v, str) else str(v) for v in cells]
    return pd.Series(texts, index=cells.index, dtype=object)


def recipe_from(source: str, ws: Workspace | None = None) -> Recipe | FittedRecipe:
    """A recipe from a JSON file, or the fitted one of a bundle or run.

    Raises:
        SettingProblem: the file cannot be read as a recipe.
        DataProblem: it is neither a recipe nor a bundle.
    """
    path = Path(source)
    if path.is_dir() or path.suffix == ".zip" or (not path.exists() and path.suffix != ".json"):
        return resolve_bundle(ws, source).pipeline.recipe
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SettingProblem(
            msg("The recipe '{path}' could not be read.", path=path.name),
            msg('Expected a JSON file with "version" and "steps".'),
            msg("Make one with 'propose --data FILE --out RECIPE', or save one on the Clean screen, and give its path."),
        ) from error
    return read_recipe(raw)
