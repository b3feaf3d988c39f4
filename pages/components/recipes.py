"""The draft of a recipe in this session: what is being tried out, with undo, before it is applied."""

from __future__ import annotations

import json

import streamlit as st

from core import workflows as wf
from core.clean import Recipe, RecipeStep
from core.errors import DataProblem
from core.messages import msg
from pages.components import state

MAX_BYTES = 1_000_000
_UNDO = 50


class Draft:
    """The working recipe of a dataset and the versions before it."""

    def __init__(self, dataset_id: str) -> None:
        self._dataset_id = dataset_id
        self._key = f"_recipe.{dataset_id}"
        if self._key not in st.session_state:
            st.session_state[self._key] = [self.saved()]

    @property
    def recipe(self) -> Recipe:
        """The recipe as it stands."""
        versions: list[Recipe] = st.session_state[self._key]
        return versions[-1]

    @property
    def version(self) -> int:
        """Counts the changes of this session; part of widget keys, so that a popover closes once its work is done."""
        return int(st.session_state.get(f"{self._key}.version", 0))

    @property
    def can_undo(self) -> bool:
        """Whether there is a version before this one."""
        return len(st.session_state[self._key]) > 1

    def saved(self) -> Recipe:
        """The recipe that was applied last, or the empty one."""
        return wf.get_recipe(state.workspace(), self._dataset_id)

    def put(self, recipe: Recipe) -> None:
        """Make this the working recipe; `undo` brings the one before back."""
        if recipe != self.recipe:
            st.session_state[self._key] = [*st.session_state[self._key], recipe][-_UNDO:]
            self._count_up()

    def undo(self) -> None:
        """Go back one version."""
        if self.can_undo:
            st.session_state[self._key] = st.session_state[self._key][:-1]
            self._count_up()

    def _count_up(self) -> None:
        st.session_state[f"{self._key}.version"] = self.version + 1

    def add(self, step: RecipeStep) -> None:
        """One more step at the end."""
        self.put(self.recipe.with_step(step))

    def replace(self, index: int, step: RecipeStep) -> None:
        """Another step in that place."""
        last = len(self.recipe.steps)
        self.put(self.recipe.with_step(step).moved(last, index).without(index + 1))

    def move(self, index: int, by: int) -> None:
        """The step `by` places down (or up, negative)."""
        self.put(self.recipe.moved(index, index + by))

    def remove(self, index: int) -> None:
        """The recipe without that step."""
        self.put(self.recipe.without(index))


def read_json(raw: bytes) -> Recipe:
    """A recipe from a file that somebody uploads.

    Raises:
        DataProblem: the file is no JSON object, or too large.
        SettingProblem: it names a step or setting that does not exist.
    """
    wrong = DataProblem(
        msg("The file is not a recipe."),
        msg("Expected a JSON file that this screen has saved."),
        msg("Choose a file that was saved with 'Save recipe as file'."),
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


def to_json(recipe: Recipe) -> str:
    """The file that `read_json` reads."""
    return json.dumps(recipe.to_json(), indent=2, ensure_ascii=False) + "\n"
