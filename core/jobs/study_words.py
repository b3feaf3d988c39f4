"""What the cells of a study say: spread, paired differences with their intervals, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import Problem
from core.evaluation import METRICS, paired_differences
from core.evaluation.bootstrap import percentile_bounds
from core.messages import Message, msg
from core.models import model_by_key

SMALL_GAIN = 0.02  # of the error: less than this is not worth collecting data for
CLEAR_FACTOR = 1.1


@dataclass(frozen=True, slots=True)
class Cell:
    """One training of a study. `metrics` as a manifest has them; `rows` truth and prediction of its test rows."""

    label: Message
    model: str
    metrics: Mapping[str, Any] = field(default_factory=dict)
    n_train: int = 0
    seconds: float = 0.0
    rows: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    problem: Problem | None = None

    @property
    def is_measured(self) -> bool:
        return bool(self.metrics)

    def main_figure(self, task: str) -> float | None:
        found = self.metrics.get(main_key(task))
        return None if found is None else found["value"]


@dataclass(frozen=True, slots=True)
class Study:
    """All cells of a study. `reason` says how their splits were made."""

    method: str
    task: str
    reason: Message
    cells: tuple[Cell, ...]

    @property
    def measured(self) -> tuple[Cell, ...]:
        return tuple(c for c in self.cells if c.is_measured)


def main_key(task: str) -> str:
    """The metric of a study's sentences: one that is defined for every row and class, and can be paired."""
    return "macro_f1" if task == "classification" else "rmse"


def conclude(study: Study) -> dict[str, Any]:
    """The stored result: cells, spread and sentences, as JSON."""
    words = {
        "cross_validate": _spread_sentences,
        "seeds": _spread_sentences,
        "learning_curve": _curve_sentences,
        "worth": _worth_sentences,
        "optimism": _optimism_sentences,
    }[study.method]
    sentences = words(study) if len(study.measured) > 1 else (msg("Only one training was measured: nothing can be compared."),)
    return {
        "task": study.task,
        "metric": main_key(study.task),
        "reason": study.reason.to_json(),
        "cells": [
            {
                "label": c.label.to_json(),
                "model": c.model,
                "metrics": dict(c.metrics),
                "n_train": c.n_train,
                "seconds": c.seconds,
                "why_not": None if c.problem is None else c.problem.what.to_json(),
            }
            for c in study.cells
        ],
        "spread": {key: spread(values) for key, values in _values(study).items()},
        "sentences": [s.to_json() for s in sentences],
    }


def _values(study: Study) -> dict[str, list[float]]:
    """The values of each metric over the cells that have it."""
    found: dict[str, list[float]] = {}
    for cell in study.measured:
        for key, metric in cell.metrics.items():
            if metric["value"] is not None:
                found.setdefault(key, []).append(float(metric["value"]))
    return found


def spread(values: list[float]) -> dict[str, float | int | None]:
    """Mean, standard deviation (n − 1), smallest and largest of some values; no deviation of a single one."""
    array = np.asarray(values, dtype=np.float64)
    deviation = float(array.std(ddof=1)) if len(array) > 1 else None
    return {"mean": float(array.mean()), "sd": deviation, "min": float(array.min()), "max": float(array.max()), "n": len(array)}


def _spread_sentences(study: Study) -> tuple[Message, ...]:
    key = main_key(study.task)
    found = spread(_values(study)[key])
    facts = {"metric": METRICS[key].title, **found}
    if study.method == "seeds":
        first = msg("Over {n} seeds {metric} is {mean} ± {sd}, from {min} to {max}.", **facts)
        second = msg(
            "A difference between two runs that is smaller than about {twice} may come from the seed alone.",
            twice=2 * (found["sd"] or 0),
        )
        return first, second
    return (msg("Over {n} folds {metric} is {mean} ± {sd}, from {min} to {max}.", **facts),)


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the second of two cells is, in the metric's unit, on the same test rows, with a 95 % interval."""

    gain: float
    low: float | None
    high: float | None
    n: int

    @property
    def is_better(self) -> bool:
        return self.low is not None and self.low > 0

    @property
    def is_worse(self) -> bool:
        return self.high is not None and self.high < 0


def difference(first: Cell, second: Cell, task: str, seed: int = 0) -> Difference:
    """The gain of `second` over `first`, > 0 where it is better, from paired resampling of their common test rows."""
    key = main_key(task)
    common = np.intersect1d(first.rows["row"], second.rows["row"])
    at = [np.searchsorted(c.rows["row"], common) for c in (first, second)]
    truth = first.rows["truth"][at[0]]
    said = [c.rows["prediction"][place] for c, place in zip((first, second), at, strict=True)]
    sign = 1.0 if METRICS[key].higher_is_better else -1.0
    drawn = sign * paired_differences(key, truth, said[1], said[0], seed=seed, blocks=first.rows["block"][at[0]])
    low, high = percentile_bounds(drawn) if len(drawn) else (None, None)
    figures = [c.metrics[key]["value"] for c in (first, second)]
    return Difference(sign * (figures[1] - figures[0]), low, high, len(common))


def _curve_sentences(study: Study) -> tuple[Message, ...]:
    """Whether more data would help, from what the last doubling of the training part brought."""
    half, whole = study.measured[-2:]
    found, key = difference(half, whole, study.task), main_key(study.task)
    error = abs(float(half.metrics[key]["value"]))
    facts: dict[str, Any] = {"first": half.n_train, "all": whole.n_train, "metric": METRICS[key].title}
    facts |= {"gain": abs(found.gain), "before": half.metrics[key]["value"], "after": whole.metrics[key]["value"]}
    step = msg("From {first} to {all} training rows {metric} went from {before} to {after}", **facts)
    if found.low is None or found.high is None:
        return (msg("{step}. Too few test rows or groups were held back to say whether that is more than chance.", step=step),)
    seen = msg(
        "{step} (better by {gain}, 95 % interval {low} to {high}).", step=step, gain=found.gain, low=found.low, high=found.high
    )
    if found.is_better and found.low > 0:
        more = msg("More data would help: twice as many rows may bring up to about as much again.")
    elif found.high < SMALL_GAIN * error:
        more = msg("More data of this kind would hardly help; other sensors or another model may.")
    else:
        more = msg("Whether more data would help cannot be told from these rows.")
    return more, seen


def _worth_sentences(study: Study) -> tuple[Message, ...]:
    """Is deep learning worth it here? The network against the better of the two others."""
    key = main_key(study.task)
    by_model = {c.model: c for c in study.measured}
    networks = [c for c in by_model.values() if model_by_key(c.model).role == "network"]
    others = [c for c in by_model.values() if c not in networks]
    if not networks or not others:
        return (msg("The network or its rivals could not be trained: nothing can be compared."),)
    deep = networks[0]
    sign = 1.0 if METRICS[key].higher_is_better else -1.0
    rival = max(others, key=lambda c: sign * float(c.metrics[key]["value"]))
    found = difference(rival, deep, study.task)
    figures = {c.model: c.metrics[key]["value"] for c in (deep, rival)}
    facts: dict[str, Any] = {"deep": model_by_key(deep.model).title, "rival": model_by_key(rival.model).title}
    facts |= {"metric": METRICS[key].title, "a": figures[deep.model], "b": figures[rival.model], "n": found.n}
    said = msg("{metric} on {n} test rows: {deep} {a}, {rival} {b}", **facts)
    if found.low is None or found.high is None:
        return (msg("{said}. Too few rows or groups were held back to tell them apart.", said=said),)
    said = msg(
        "{said} (gain {gain}, 95 % interval {low} to {high}).", said=said, gain=found.gain, low=found.low, high=found.high
    )
    if found.is_better:
        return msg("Deep learning is worth it here: {deep} is clearly better than {rival}.", **facts), said
    if found.is_worse:
        return msg("Deep learning is not worth it here: {rival} is clearly better than {deep}.", **facts), said
    simple = msg(
        "Deep learning is not clearly worth it here: {deep} and {rival} may differ by chance, and {rival} is simpler ({fast} s against {slow} s).",
        fast=rival.seconds,
        slow=deep.seconds,
        **facts,
    )
    return simple, said


def _optimism_sentences(study: Study) -> tuple[Message, ...]:
    """How much a split at random flatters, beside the most careful one that the columns allow."""
    key = main_key(study.task)
    rows = study.measured
    careful, random = rows[-1], rows[0]
    info = METRICS[key]
    a, b = float(random.metrics[key]["value"]), float(careful.metrics[key]["value"])
    facts: dict[str, Any] = {"metric": info.title, "a": a, "b": b, "method": careful.label}
    said = msg("{metric} is {a} with a split at random and {b} with one {method}.", **facts)
    worse = (a - b) if info.higher_is_better else (b - a)
    bounds = [c.metrics[key] for c in (random, careful)]
    apart = _are_apart(bounds[0], bounds[1])
    if worse > 0 and apart:
        return msg("A split at random flatters here: believe the figure of the split {method}.", **facts), said
    if worse <= 0:
        return msg("A split at random does not flatter here."), said
    return msg("A split at random may flatter a little; the difference lies within what chance can do."), said


def _are_apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two intervals do not overlap; without intervals, whether the figures differ by a tenth."""
    if None in (one.get("low"), one.get("high"), other.get("low"), other.get("high")):
        low, high = sorted((abs(float(one["value"])), abs(float(other["value"]))))
        return high > CLEAR_FACTOR * low
    return bool(one["high"] < other["low"] or other["high"] < one["low"])
