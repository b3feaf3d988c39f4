"""A report says settings by their titles, in its language: over every cleaning step, model and setting of a training."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from core.clean import STEPS, RecipeStep
from core.languages import text_in
from core.models import MODELS
from core.report import Fact, RecipeLine
from core.report.html import _environment
from core.settings import Settings
from core.training.settings import FitSettings
from core.training.task_settings import TaskSettings
from core.workflows.recipe_text import step_settings
from core.workflows.setting_words import _plain, setting_title, value_words
from tests.contracts.test_cleaning_steps import CHOSEN

OWNERS: dict[str, type[Settings]] = {
    **{f"step {step.key}": step.settings for step in STEPS},
    **{f"model {spec.key}": spec.settings for spec in MODELS},
    "fit": FitSettings,
    "task": TaskSettings,
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NAMES = frozenset(["Adam", "AdamW", "SGD", "RMSprop", "tf-idf"])  # the same in every language


@pytest.mark.parametrize("owner", OWNERS.values(), ids=list(OWNERS))
def test_every_setting_has_a_title_in_both_languages(owner: type[Settings]) -> None:
    zh, en = text_in("zh"), text_in("en")
    for name, field in owner.model_fields.items():
        title = setting_title(field)
        assert field.title, f"{owner.__name__}.{name} has no title"
        assert en(title) != name
        assert CHINESE.search(zh(title)), f"{owner.__name__}.{name}: {zh(title)}"


def choices(kind: Any) -> list[str]:
    """The words that a setting offers, also within lists and records."""
    plain = _plain(kind)
    if isinstance(plain, type) and issubclass(plain, Settings):
        return [c for f in plain.model_fields.values() for c in choices(f.annotation)]
    arguments = get_args(plain)
    if arguments and all(isinstance(a, str) for a in arguments):
        return list(arguments)
    return choices(arguments[0]) if arguments else []


@pytest.mark.parametrize("owner", OWNERS.values(), ids=list(OWNERS))
def test_every_choice_is_said_in_words(owner: type[Settings]) -> None:
    zh = text_in("zh")
    for name, field in owner.model_fields.items():
        kind = _plain(field.annotation)
        for choice in choices(field.annotation):
            if kind is not None and get_args(kind) and isinstance(get_args(kind)[0], str):
                value: Any = choice
            elif "operator" in str(kind) or hasattr(get_args(kind)[0], "model_fields"):
                value = [{"column": "", "operator": choice}]
            else:
                value = [choice]
            said = value_words(field, value)
            words = said if isinstance(said, str) else zh(said)  # type: ignore[arg-type]
            assert "_" not in words, f"{name}: {words}"
            assert CHINESE.search(words) or words in NAMES or not re.search(r"[a-z]{3,}", words), (
                f"{owner.__name__}.{name}: {words}"
            )


CASES = [(step.key, settings) for step in STEPS for settings in ({}, *CHOSEN.get(step.key, []))]


@pytest.mark.parametrize(("key", "settings"), CASES, ids=[f"{key}-{i}" for i, (key, _) in enumerate(CASES)])
def test_the_recipe_of_a_report_shows_no_key_of_a_setting(key: str, settings: dict[str, object]) -> None:
    step = next(step for step in STEPS if step.key == key)
    line = RecipeLine(step.title, settings=tuple(Fact(n, v) for n, v in step_settings(RecipeStep(key=key, settings=settings))))
    shown = "{% for fact in line.settings %}{{ fact.name }} = {{ fact.value | free }}; {% endfor %}"
    for code in ("en", "zh"):
        words = _environment(text_in(code)).from_string(shown).render(line=line)
        assert not re.findall(r"[a-z]+_[a-z_]+", words), words
        assert not [name for name in step.settings.model_fields if re.search(rf"(^|; ){name} = ", words)], words
        assert "{" not in words and "&#39;" not in words, words


def test_a_condition_is_said_by_its_values_and_empty_values_as_none() -> None:
    conditions = [{"column": "pressure", "operator": "at_least", "value": "50"}, {"column": "note", "operator": "is_empty"}]
    told = step_settings(RecipeStep(key="filter_rows", settings={"conditions": conditions}))
    said = {str(name): str(value) for name, value in told}
    assert said["Conditions"] == "pressure at least 50, note is empty"
    assert text_in("zh")({str(n): v for n, v in told}["Conditions"]).startswith("pressure ")  # type: ignore[arg-type]
    assert {str(n): str(v) for n, v in step_settings(RecipeStep(key="exclude_periods"))} == {"Periods": "none"}
    assert {str(n): str(v) for n, v in step_settings(RecipeStep(key="rolling"))}["Statistics"] == "mean, sd"
