"""A recipe: ordered cleaning steps as the user wrote them. It is what is saved, undone and reordered."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator

from core.clean.catalogue import step_by_key
from core.settings import Settings

VERSION: Literal[2] = 2
_READ_VERSIONS = (1, 2)


class RecipeStep(Settings):
    """One step as chosen. No columns: all sensors that it applies to when the recipe is fitted.

    `id` names the step within its recipe whatever its place; a recipe gives one to a step without. `title` is the user's own
    name for it, `reason` why a proposal has it (a `Message` as JSON). A step that is not `enabled` is kept and not done.
    """

    key: str
    columns: tuple[str, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)
    id: Annotated[str, Field(max_length=40)] = ""
    title: Annotated[str, Field(max_length=120)] = ""
    enabled: bool = True
    reason: dict[str, Any] | None = None

    @field_validator("reason")
    @classmethod
    def _plain_reason(cls, reason: dict[str, Any] | None) -> dict[str, Any] | None:
        """A recipe may come from anybody's file: its reason must be a sentence with named places and plain values."""
        if reason is not None and not _is_plain(reason):
            raise ValueError("no sentence with plain values")
        return reason


class Recipe(Settings):
    """Ordered steps. Its JSON is `{"version": 2, "steps": [{"key", "columns", "settings", "id", "title", "enabled", "reason"}]}`.

    Version 1 had steps of key, columns and settings only; it is read as well.
    """

    version: Literal[2] = VERSION
    steps: tuple[RecipeStep, ...] = ()

    @field_validator("steps")
    @classmethod
    def _named(cls, steps: tuple[RecipeStep, ...]) -> tuple[RecipeStep, ...]:
        """Every step with an id of its own; the first keeps one that occurs twice."""
        taken: set[str] = {step.id for step in steps}
        named, seen = [], set[str]()
        for step in steps:
            if not step.id or step.id in seen:
                step = step.model_copy(update={"id": _free_id(taken)})
            taken.add(step.id)
            seen.add(step.id)
            named.append(step)
        return tuple(named)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """The recipe of that JSON, of this version or an earlier one; an empty mapping is the empty recipe.

        Raises:
            SettingProblem: another version, an unknown step, an unknown setting, or a value outside its range.
        """
        known = values.get("version", VERSION) in _READ_VERSIONS
        recipe = super().read({**values, "version": VERSION} if known else values)
        for step in recipe.steps:
            step_by_key(step.key).settings.read(step.settings)
        return recipe

    @property
    def active(self) -> tuple[RecipeStep, ...]:
        """The steps that are done, in order: one for each step of the fitted recipe."""
        return tuple(step for step in self.steps if step.enabled)

    @property
    def active_numbers(self) -> tuple[int, ...]:
        """The places of the active steps among all steps, counted from 1."""
        return tuple(number for number, step in enumerate(self.steps, start=1) if step.enabled)

    def to_json(self) -> dict[str, object]:
        """The form that is saved."""
        return self.model_dump(mode="json")

    def with_step(self, step: RecipeStep) -> Recipe:
        """A copy with one more step at the end."""
        return self._with((*self.steps, step))

    def without(self, index: int) -> Recipe:
        """A copy without the step at that place (0 = first)."""
        return self._with(self.steps[:index] + self.steps[index + 1 :])

    def replaced(self, index: int, step: RecipeStep) -> Recipe:
        """A copy with another step in that place, under the id of the one that stood there."""
        kept = step.model_copy(update={"id": self.steps[index].id})
        return self._with((*self.steps[:index], kept, *self.steps[index + 1 :]))

    def duplicated(self, index: int) -> Recipe:
        """A copy in which the step at that place stands twice, the second under an id of its own."""
        twin = self.steps[index].model_copy(update={"id": ""})
        return self._with((*self.steps[: index + 1], twin, *self.steps[index + 1 :]))

    def switched(self, index: int) -> Recipe:
        """A copy in which the step at that place is left out, or done again."""
        step = self.steps[index]
        return self.replaced(index, step.model_copy(update={"enabled": not step.enabled}))

    def moved(self, start: int, end: int) -> Recipe:
        """A copy with the step at `start` standing at `end`; an `end` outside the recipe means its first or last place."""
        rest = list(self.steps)
        step = rest.pop(start)
        rest.insert(min(max(end, 0), len(rest)), step)
        return self._with(tuple(rest))

    def _with(self, steps: tuple[RecipeStep, ...]) -> Recipe:
        return Recipe(version=self.version, steps=steps)


def _is_plain(reason: Mapping[str, Any], deepest: int = 12) -> bool:
    """Whether a message as JSON fills places like {name} alone, and with texts, numbers and such messages alone."""
    values, templates = reason.get("values", {}), (reason.get("id"), reason.get("plural", ""))
    if (
        not isinstance(values, dict)
        or not isinstance(reason.get("n", 1), int)
        or not all(isinstance(t, str) for t in templates)
    ):
        return False
    for value in values.values():
        is_message = isinstance(value, dict) and "id" in value and deepest > 0 and _is_plain(value, deepest - 1)
        if not (is_message or value is None or isinstance(value, str | int | float)):
            return False
    try:
        places = [place for template in templates for place in Formatter().parse(str(template))]
    except ValueError:
        return False
    return all(name is None or (name in values and name.isidentifier() and not spec) for _, name, spec, _ in places)


def _free_id(taken: set[str]) -> str:
    """s1, s2, … : the first that no step has."""
    return next(name for number in count(1) if (name := f"s{number}") not in taken)
