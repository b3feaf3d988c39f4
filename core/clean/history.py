"""A recipe while it is worked on, with the versions before it: what undo and redo walk through, and what a refresh keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from core.clean.recipe import Recipe
from core.settings import Settings

MOST = 50


class History(Settings):
    """Versions of a recipe, oldest first, and which of them is the current one. At most 50; the oldest are forgotten."""

    versions: tuple[Recipe, ...] = (Recipe(),)
    place: int = 0

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """The history that `to_json` wrote; recipes of an earlier version are brought up to date.

        Raises:
            SettingProblem: a recipe that this version cannot read.
        """
        versions = tuple(Recipe.read(v) for v in values.get("versions", ())) or (Recipe(),)
        place = min(max(int(values.get("place", len(versions) - 1)), 0), len(versions) - 1)
        return cls(versions=versions, place=place)

    @classmethod
    def of(cls, recipe: Recipe) -> Self:
        """The history of a recipe that nobody has changed yet."""
        return cls(versions=(recipe,), place=0)

    def to_json(self) -> dict[str, object]:
        """The form that is stored."""
        return self.model_dump(mode="json")

    @property
    def recipe(self) -> Recipe:
        """The recipe as it stands."""
        return self.versions[self.place]

    @property
    def can_undo(self) -> bool:
        return self.place > 0

    @property
    def can_redo(self) -> bool:
        return self.place < len(self.versions) - 1

    def put(self, recipe: Recipe) -> Self:
        """A new current version; what was undone before is gone. The same recipe again changes nothing."""
        if recipe == self.recipe:
            return self
        versions = (*self.versions[: self.place + 1], recipe)[-MOST:]
        return type(self)(versions=versions, place=len(versions) - 1)

    def undo(self) -> Self:
        """One version back, where there is one."""
        return self.model_copy(update={"place": max(self.place - 1, 0)})

    def redo(self) -> Self:
        """One version forward, where there is one."""
        return self.model_copy(update={"place": min(self.place + 1, len(self.versions) - 1)})
