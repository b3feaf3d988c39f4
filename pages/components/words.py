"""The words for codes of `core`: tasks, roles, kinds, parts. One place, so that every screen says the same."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from core import workflows as wf
from core.clean.catalogue import STEPS
from core.data.cells import unit_in_name
from pages.components.text import language, say, t, translate


def task_word(task: str) -> str:
    """What a task is called: "regression" → "Predict a value"."""
    return next((say(choice.title) for choice in wf.TASK_CHOICES if choice.key == task), task)


CATEGORY = "category"
LEFT_OUT = "left out by "  # how `core.serving.scoring` begins the remark of a row that a step left out


def shown_role(role: str, kind: str) -> str:
    """The role as it is shown: a column of texts that a model learns from is no sensor but says a category."""
    return CATEGORY if role == "sensor" and kind == "text" else role


def role_word(role: str) -> str:
    """What a column is for."""
    words = {
        "time": t("time"),
        "group": t("group"),
        "target": t("target"),
        "sensor": t("sensor"),
        CATEGORY: t("category"),
        "ignore": t("ignore"),
    }
    return words.get(role, role)


def kind_word(kind: str) -> str:
    """What a column holds."""
    return {"number": t("number"), "text": t("text"), "time": t("time of day or date")}.get(kind, kind)


def part_word(part: str) -> str:
    """The part of the split."""
    words = {"train": t("training"), "validation": t("validation"), "test": t("test"), "gap": t("gap")}
    return words.get(part, part)


def with_unit(name: str, unit: str) -> str:
    """A column with its unit in brackets, unless its name says it already: "Air temperature [K]"."""
    return f"{name} ({unit})" if unit and unit_in_name(name) != unit else name


def unit_word(unit: str) -> str:
    """A unit: one of ours (cycles, rows) in the session's language, one of the data as it was written."""
    return wf.spoken_unit(unit, say)


def refusal_word(reason: str) -> str:
    """What stood in the way of a scored row, as a file of scores has it, in the session's language."""
    words = {
        "padded window": t("window not full yet"),
        "empty cell filled": t("empty cell filled"),
        "not a finite number": t("not a finite number"),
    }
    if reason.startswith(LEFT_OUT):
        return t("left out by {step}", step=_step_word(reason.removeprefix(LEFT_OUT)))
    return words.get(reason, reason)


def with_refusals(reasons: pd.Series) -> pd.Series:
    """A column of such remarks in the session's language; each different one is worded once."""
    said = {reason: refusal_word(str(reason)) for reason in reasons.dropna().unique()}
    return reasons.map(said)


def _step_word(key: str) -> str:
    """The title of a cleaning step; a key that no step has any more stands as it is."""
    return next((say(step.title) for step in STEPS if step.key == key), key)


def project_name(name: str, longest: int = 0) -> str:
    """A dataset's or run's name as it was given; the names of the demo projects in the session's language.

    With `longest` a longer name is cut there and ends in "…".
    """
    shown = translate(language(), name) if name in _demo_names() else name
    return shown if not longest or len(shown) <= longest else f"{shown[: longest - 1].rstrip()}…"


@lru_cache(maxsize=1)
def _demo_names() -> frozenset[str]:
    from core.data.demos import DEMOS

    return frozenset(str(demo.title) for demo in DEMOS)
