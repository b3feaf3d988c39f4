"""The draft of a recipe: what is being tried out before it is applied, with undo and redo that survive a refresh."""

from __future__ import annotations

import streamlit as st

from core import workflows as wf
from core.clean import Recipe, RecipeStep
from core.data.dataset import Dataset
from pages.components import state


class Draft:
    """The working recipe of a dataset and the versions around it, kept in the store."""

    def __init__(self, dataset_id: str) -> None:
        self._dataset_id = dataset_id
        self._history = wf.get_draft(state.workspace(), dataset_id)

    @property
    def recipe(self) -> Recipe:
        """The recipe as it stands."""
        return self._history.recipe

    @property
    def version(self) -> int:
        """Counts the changes of this session; part of widget keys, so that a popover closes once its work is done."""
        return int(st.session_state.get(f"_recipe.{self._dataset_id}.version", 0))

    @property
    def can_undo(self) -> bool:
        """Whether there is a version before this one."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether a version was undone that can come back."""
        return self._history.can_redo

    def saved(self) -> Recipe:
        """The recipe that was applied last, or the empty one."""
        return wf.get_recipe(state.workspace(), self._dataset_id)

    def put(self, recipe: Recipe) -> None:
        """Make this the working recipe; `undo` brings the one before back."""
        self._keep(self._history.put(recipe))

    def undo(self) -> None:
        """Go back one version."""
        self._keep(self._history.undo())

    def redo(self) -> None:
        """Take back the last undo."""
        self._keep(self._history.redo())

    def _keep(self, history: wf.History) -> None:
        if history != self._history:
            self._history = history
            wf.save_draft(state.workspace(), self._dataset_id, history)
            st.session_state[f"_recipe.{self._dataset_id}.version"] = self.version + 1

    def add(self, step: RecipeStep) -> None:
        """One more step at the end."""
        self.put(self.recipe.with_step(step))

    def replace(self, index: int, step: RecipeStep) -> None:
        """Another step in that place."""
        self.put(self.recipe.replaced(index, step))

    def change(self, index: int, what: str) -> None:
        """Move a step "up" or "down", "duplicate" or "remove" it, or "switch" it off or on."""
        changed = {
            "up": lambda: self.recipe.moved(index, index - 1),
            "down": lambda: self.recipe.moved(index, index + 1),
            "duplicate": lambda: self.recipe.duplicated(index),
            "switch": lambda: self.recipe.switched(index),
            "remove": lambda: self.recipe.without(index),
        }
        self.put(changed[what]())


def changed_cells(dataset: Dataset, recipe: Recipe, max_rows: int) -> wf.CellChanges:
    """The list of changed cells of the rows tried out; made once for a recipe and kept without a copy."""
    home = str(state.workspace().home)
    return _changed_cells(home, dataset.id, dataset.version, wf.recipe_json(recipe), max_rows)


@st.cache_resource(max_entries=2, show_spinner=False)
def _changed_cells(home: str, dataset_id: str, version: int, recipe: str, max_rows: int) -> wf.CellChanges:
    dataset = wf.open_dataset(state.workspace(), dataset_id, version)
    return wf.list_changes(dataset, wf.read_recipe(recipe.encode()), max_rows=max_rows)
