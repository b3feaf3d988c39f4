"""What would have brought another result: "within the limits if pressure were 4.1 bar", or honestly that nothing found does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import SettingProblem, unknown_choice
from core.explain.columns import Floats, Predict, Reach, Windows
from core.explain.counterfactual import Counterfactual, Search, find_counterfactual
from core.features.targets import ClassTarget
from core.messages import Message, msg
from core.serving.bundle import Bundle
from core.serving.explained import Output, all_outputs
from core.workflows.explaining import Explainer, Said, what_is_said

TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted: the limits of a value, a class, or a score at or below `high`. `words` says it: "within 3 to 5 bar"."""

    words: Message
    low: float | None = None
    high: float | None = None
    klass: str | None = None


@dataclass(frozen=True, slots=True)
class CounterfactualView:
    """The answer for one row. `outputs` are what the model says after each of `search.singles`, or after the pair."""

    row: int
    said: Said
    goal: Goal
    output: float
    search: Search
    headline: Message
    adjustable: tuple[str, ...]
    reach: Reach


def goal_of(
    explainer: Explainer,
    *,
    low: float | None = None,
    high: float | None = None,
    klass: str | None = None,
    limit: float | None = None,
    row: int | None = None,
) -> Goal:
    """The goal of a run's rows: by default the target's specification limits, a class, or the decision limit.

    The class is, of a `row`, its own where another was called; else the first that is not the one to catch, or the one to catch where that is
    what the row was called.

    Args:
        low, high: Of a value; either may be open.
        klass: The class that is wanted.
        limit: Of an anomaly score.

    Raises:
        SettingProblem: no such class; no limits are known for a value, or the lower one is not below the upper one.
    """
    results, target = explainer.results, explainer.bundle.target
    if isinstance(target, ClassTarget):
        chosen = klass or _wanted_class(explainer, target.classes, row)
        if chosen not in target.classes:
            raise unknown_choice("class", chosen, target.classes)
        return Goal(msg("'{name}'", name=chosen), klass=chosen)
    if target is None:
        used = explainer.bundle.threshold.value if limit is None else limit
        return Goal(msg("below the decision limit {limit}", limit=f"{used:.4g}"), high=used)
    column = results.dataset.column(results.manifest.target_column) if results.manifest.target_column else None
    if low is None and high is None and column is not None:
        low, high = column.lower_limit, column.upper_limit
    if low is None and high is None:
        raise SettingProblem(
            msg("No limits are known for the predicted value."),
            msg("Expected a lower or an upper limit that the value should keep."),
            msg("Give a limit here, or specification limits on the Data screen."),
        )
    if low is not None and high is not None and not low < high:
        raise SettingProblem(
            msg("The limits are {low} and {high}.", low=low, high=high),
            msg("Expected a lower limit below the upper one."),
            msg("Swap them."),
        )
    return Goal(_within(low, high, results.unit), low, high)


def _wanted_class(explainer: Explainer, classes: Sequence[str], row: int | None) -> str:
    results = explainer.results
    first = sorted(classes, key=lambda name: name == results.manifest.positive)  # the one to catch last
    if row is None or not {"truth", "prediction"} <= set(results.columns):
        return first[0]
    cells = results.cells(["truth", "prediction"], np.array([row])).iloc[0]
    truth, called = str(cells["truth"]), str(cells["prediction"])
    if truth in classes and truth != called:
        return truth
    return next((name for name in first if name != called), first[0])


def row_counterfactual(
    explainer: Explainer, row: int, goal: Goal, *, adjustable: Sequence[str] = (), reach: Reach | None = None
) -> CounterfactualView:
    """The nearest change of one column, else of two, that brings a row to the goal.

    Args:
        adjustable: Columns that may be changed; by default all that hold numbers.
        reach: What a change moves, see `InputColumn.moved`. By default the whole window; for an anomaly whichever is nearer of
            that and the rows in which the column was outside its normal band.

    Raises:
        SettingProblem: no such row or column, or it holds no numbers.
    """
    window, said = explainer.window(row), what_is_said(explainer, goal.klass)
    columns = [explainer.number_column(name) for name in adjustable or explainer.numbers]
    gap = _gap(explainer.bundle, said, goal)
    tried: tuple[Reach, ...] = (
        ("window",) if explainer.bundle.target is not None or window.shape[1] == 1 else ("window", "outside")
    )
    found = {one: find_counterfactual(gap, window, columns, reach=one) for one in ((reach,) if reach else tried)}
    used = min(found, key=lambda one: _nearness(found[one]))
    search = found[used]
    output = float(Output(explainer.bundle, said.place)(window)[0])
    headline = change_sentence(goal, search)
    return CounterfactualView(row, said, goal, output, search, headline, tuple(c.name for c in columns), used)


def change_sentence(goal: Goal, search: Search) -> Message:
    """The answer in a sentence."""
    if search.is_good:
        return msg("It is {goal} already.", goal=goal.words)
    if search.singles:
        first = search.singles[0].changes[0]
        return msg(
            "{goal} if {column} were {after}{unit} instead of {before}{unit}",
            goal=goal.words,
            column=first.column,
            after=f"{first.after:.4g}",
            before=f"{first.before:.4g}",
            unit=_spaced(first.unit),
        )
    if search.pair is not None:
        one, two = search.pair.changes
        return msg(
            "No single column that is moved to another value does it; {goal} if {first} were {first_value}{first_unit} and {second} {second_value}{second_unit}",
            goal=goal.words,
            first=one.column,
            first_value=f"{one.after:.4g}",
            first_unit=_spaced(one.unit),
            second=two.column,
            second_value=f"{two.after:.4g}",
            second_unit=_spaced(two.unit),
        )
    if search.best is None:
        return msg("None of these columns can be changed: their range in the training part is not known.")
    return msg(
        "No single column that is moved to another value within the range of the training part does it, nor any pair that was tried; {column} comes nearest.",
        column=search.best[0],
    )


def outputs_after(explainer: Explainer, row: int, view: CounterfactualView) -> tuple[float, ...]:
    """What the model says after each single change, or after the pair, in the order of the view."""
    window, output = explainer.window(row), Output(explainer.bundle, view.said.place)
    found = view.search.singles or ((view.search.pair,) if view.search.pair is not None else ())
    return tuple(float(output(_changed(explainer, window, one, view.reach))[0]) for one in found)


def _nearness(search: Search) -> tuple[int, float]:
    """What is better first: good already or one column, then two, then none; nearer before farther."""
    nearest = search.nearest
    if search.is_good or nearest is None:
        return (0 if search.is_good else 2), 0.0
    return (0 if search.singles else 1), nearest.distance


def _changed(explainer: Explainer, window: Windows, found: Counterfactual, reach: Reach) -> Windows:
    for change in found.changes:
        window = explainer.column(change.column).moved(window, change.after, reach)
    return window


def _gap(bundle: Bundle, said: Said, goal: Goal) -> Predict:
    """How far outputs are from the goal; at most 0 is there."""
    if goal.klass is not None:
        return _class_gap(bundle, said.place)
    output = Output(bundle, said.place)
    low, high = -np.inf if goal.low is None else goal.low, np.inf if goal.high is None else goal.high

    def gap(windows: Windows) -> Floats:
        found = output(windows)
        return np.maximum(low - found, found - high)

    return gap


def _class_gap(bundle: Bundle, place: int) -> Predict:
    """By the run's own rule: of two classes the decision limit, of more the most probable one."""
    manifest, target = bundle.manifest, bundle.target
    classes = target.classes if isinstance(target, ClassTarget) else ()
    is_cut = len(classes) == 2 and manifest.positive is not None and manifest.decision is not None

    def gap(windows: Windows) -> Floats:
        chances = all_outputs(bundle, windows)
        if is_cut:
            positive = classes.index(str(manifest.positive))
            above = chances[:, positive] - float(manifest.decision or 0.0)
            return TINY - above if place == positive else above
        others = np.delete(chances, place, axis=1).max(axis=1)
        return others - chances[:, place] + TINY

    return gap


def _within(low: float | None, high: float | None, unit: str) -> Message:
    if low is None:
        return msg("at most {high}{unit}", high=f"{high:.4g}", unit=_spaced(unit))
    if high is None:
        return msg("at least {low}{unit}", low=f"{low:.4g}", unit=_spaced(unit))
    return msg("within {low} to {high}{unit}", low=f"{low:.4g}", high=f"{high:.4g}", unit=_spaced(unit))


def _spaced(unit: str) -> str:
    return f" {unit}" if unit else ""
