"""Why: what moved one row's result, by how much, and what would have brought another. Used by page and command line alike.

An `Explainer` holds a run's windows and predictor, so that one explanation after another costs no second reading. The web process
uses the ONNX predictor; what needs gradients is a job (`core/workflows/explain_work.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from core.anomalies.conditional import Conditional, fit_conditional
from core.data.room import Room
from core.data.split import TRAIN
from core.errors import SettingProblem, unknown_choice
from core.explain.columns import Floats, InputColumn, Windows
from core.explain.occlusion import COVERS, Cover, column_effects
from core.features import ForecastTarget, Inputs
from core.features.targets import ClassTarget
from core.messages import Message, msg
from core.serving import Bundle, load_bundle
from core.serving.explained import Output, input_columns, place_of_rows, whole_inputs
from core.workflows.predictions import class_rule
from core.workflows.results import Results
from core.workflows.score_rows import scored_rows
from core.workflows.workspace import Workspace

MOST_TRAINING = 5_000


@dataclass(frozen=True)
class Explainer:
    """A finished run that answers "why". `columns` are those of its windows; `inputs` its windows; `room` holds what is large."""

    results: Results
    bundle: Bundle
    columns: tuple[InputColumn, ...]
    inputs: Inputs
    room: TemporaryDirectory[str]

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """The window of each row of the table, (n_rows,), -1 where it has none."""
        return place_of_rows(self.inputs)

    def window(self, row: int) -> Windows:
        """The window of one row, (1, width, f).

        Raises:
            SettingProblem: there is no such row, or the model does not see it.
        """
        if not 0 <= row < self.results.n_rows:
            raise SettingProblem(
                msg("There is no row {row}.", row=row),
                msg("Expected a row from 0 to {last}.", last=self.results.n_rows - 1),
                msg("Name a row of the table."),
            )
        if self.places[row] < 0:
            raise SettingProblem(
                msg("Row {row} has no window: the recipe leaves it out.", row=row),
                msg("Expected a row that the model sees."),
                msg("Choose another row."),
            )
        return self.inputs.windows.batch(self.places[[row]])

    def windows(self, rows: NDArray[np.int64]) -> Windows:
        """The windows of those rows that have one, in their order."""
        places = self.places[rows]
        return self.inputs.windows.batch(places[places >= 0])

    @cached_property
    def training(self) -> Windows:
        """Windows of the training part, evenly spread, at most 5,000 and about 20 million cells."""
        rows = self.inputs.row_of_window
        places = np.flatnonzero(self.results.parts[rows] == TRAIN)
        cells = max(1, self.inputs.windows.width * self.inputs.windows.values.shape[1])
        most = max(50, min(MOST_TRAINING, 20_000_000 // cells))
        return self.inputs.windows.batch(evenly(places, most))

    @cached_property
    def conditional(self) -> Conditional | None:
        """What the training rows' features expect of each other; None where a row holds words."""
        plan = self.bundle.pipeline.plan
        return None if plan.n_tokens else fit_conditional(self.training[:, -1, : plan.n_values])

    def column(self, name: str) -> InputColumn:
        """The column of that name.

        Raises:
            SettingProblem: the model does not read it.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise unknown_choice("column", name, [column.name for column in self.columns])

    def number_column(self, name: str) -> InputColumn:
        """The same, where it holds numbers.

        Raises:
            SettingProblem: the model does not read it, or it holds words or categories.
        """
        found = self.column(name)
        if found.move is None:
            raise SettingProblem(
                msg("Column '{column}' holds no numbers.", column=name),
                msg("Expected one of: {columns}.", columns=", ".join(self.numbers)),
                msg("Choose a column of numbers."),
            )
        return found

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns that hold numbers and can be moved."""
        return tuple(column.name for column in self.columns if column.move is not None)


@dataclass(frozen=True, slots=True)
class Said:
    """Which output is explained: its place among the model's outputs, what it is called, its unit, and its class if it is one."""

    place: int
    what: Message
    unit: str
    klass: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnEffect:
    """What one column adds to the output of a row, in its unit; the column's value in the last row, NaN where it holds no number,
    and how far that lies from the training part's mean, in its standard deviations."""

    column: str
    unit: str
    value: float
    sigma: float
    effect: float


@dataclass(frozen=True, slots=True)
class RowWhy:
    """One row's output and what each column adds to it, largest first. `centre` is the output when no column is known, `called` the
    class that the model called, None without one."""

    row: int
    said: Said
    output: float
    centre: float
    cover: Cover
    effects: tuple[ColumnEffect, ...]
    headline: Message
    called: str | None = None

    @property
    def parts(self) -> float:
        """What the columns add one by one, together."""
        return float(sum(one.effect for one in self.effects))

    @property
    def rest(self) -> float:
        """What the parts leave of the distance to an average row: 0 for a model that adds columns up."""
        return self.output - self.centre - self.parts


def rest_words(view: RowWhy) -> Message:
    """Where the rest between the parts and the output comes from."""
    if view.cover == "expected":
        return msg(
            "the rest is what several columns say alike, so that each alone is not missed, and what they add only together"
        )
    return msg("the rest is interaction: what columns add only together, or take back where two say the same")


def open_explainer(ws: Workspace, results: Results) -> Explainer:
    """Everything that explanations of a run need: its windows are made once, which takes as long as scoring without the model."""
    bundle = load_bundle(ws.store.path(results.run.id, "bundle"), check=False)
    room = TemporaryDirectory(prefix="andon-why-", ignore_cleanup_errors=True)
    inputs = whole_inputs(bundle, results.dataset, Room(Path(room.name)))
    return Explainer(results, bundle, input_columns(bundle), inputs, room)


def what_is_said(explainer: Explainer, klass: str | None = None) -> Said:
    """The output that is meant: a value, a class's probability, a score, or the next value of a forecast.

    Args:
        klass: Of a classification; by default the class to catch, so that "adds" means "speaks for the fault" whatever was called.

    Raises:
        SettingProblem: no such class.
    """
    results, target = explainer.results, explainer.bundle.target
    name = results.manifest.target_column or ""
    if isinstance(target, ClassTarget):
        chosen = klass or class_rule(results.manifest).positive
        if chosen not in target.classes:
            raise unknown_choice("class", chosen, target.classes)
        return Said(target.classes.index(chosen), msg("probability of {name}", name=chosen), "", chosen)
    if target is None:
        return Said(0, msg("anomaly score"), "")
    if isinstance(target, ForecastTarget):
        return Said(0, msg("next value of {name}", name=name), results.unit)
    if results.task == "rul":
        return Said(0, msg("remaining life"), results.unit)
    return Said(0, msg("predicted {name}", name=name), results.unit)


def row_why(explainer: Explainer, row: int, *, klass: str | None = None, cover: Cover = "centre") -> RowWhy:
    """What each column adds to one row's output, by covering one after another.

    Raises:
        SettingProblem: no such row, class or way of covering.
    """
    if cover not in COVERS:
        raise unknown_choice("cover", cover, COVERS)
    if cover == "expected" and explainer.conditional is None:
        raise SettingProblem(
            msg("The model reads words, of which other columns expect nothing."),
            msg("Expected a model of numbers and categories."),
            msg("Cover by the middle of the training part."),
        )
    window, said = explainer.window(row), what_is_said(explainer, klass)
    output = Output(explainer.bundle, said.place)
    conditional = explainer.conditional if cover == "expected" else None
    effects = column_effects(output, window, explainer.columns, conditional)[0]
    now, centre = float(output(window)[0]), float(output(covered(window, explainer.columns))[0])
    found = ranked(explainer.columns, window, effects)
    called = None if said.klass is None else _called(explainer.results, row)
    return RowWhy(row, said, now, centre, cover, found, _row_headline(said, now, centre, found), called)


def covered(windows: Windows, columns: Sequence[InputColumn]) -> Windows:
    """Windows of which nothing is known: each column at the training part's centre."""
    for column in columns:
        windows = column.covered(windows)
    return windows


def ranked(columns: Sequence[InputColumn], window: Windows, effects: Floats) -> tuple[ColumnEffect, ...]:
    """Effects (c,) with the columns' values in the window's last row, largest first."""
    found = []
    for column, effect in zip(columns, effects, strict=True):
        value = float(column.values(window)[0, -1])
        sigma = (value - column.move.mean) / column.move.scale if column.move is not None else float("nan")
        found.append(ColumnEffect(column.name, column.unit, value, sigma, float(effect)))
    return tuple(sorted(found, key=lambda one: (-abs(one.effect), one.column)))


def worst_rows(results: Results, most: int = 20) -> NDArray[np.int64]:
    """Rows of the test part that the model got most wrong, worst first: the largest error, the true class least expected, or the
    highest score."""
    rows = results.part_rows("test")
    if results.task == "anomaly":
        wrong = np.nan_to_num(results.judged[rows], nan=-np.inf)
    elif results.task == "classification":
        wrong = _surprise(results, rows)
    elif results.task == "forecast":
        wrong = np.nan_to_num(results.numbers("score", rows), nan=-np.inf)
    else:
        wrong = np.nan_to_num(np.abs(results.numbers("truth", rows) - results.numbers("prediction", rows)), nan=-np.inf)
    order = np.argsort(-wrong, kind="stable")[:most]
    found: NDArray[np.int64] = rows[order[np.isfinite(wrong[order])]]
    return found


def evenly(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most `most` of the places, evenly spread."""
    return places if len(places) <= most else places[np.linspace(0, len(places) - 1, most).astype(np.int64)]


def _surprise(results: Results, rows: NDArray[np.int64]) -> Floats:
    """How little the true class was expected, 1 − its probability; −∞ where it is unknown."""
    classes = [str(name) for name in (results.manifest.target or {})["classes"]]
    cells = results.cells(["truth", *(f"probability_{name}" for name in classes)], rows)
    chances = cells[[f"probability_{name}" for name in classes]].to_numpy(dtype=np.float64)
    codes = np.array([classes.index(t) if t in classes else -1 for t in cells["truth"].astype("str")])
    found = 1 - chances[np.arange(len(rows)), np.maximum(codes, 0)]
    return np.where((codes >= 0) & np.isfinite(found), found, -np.inf)


def _called(results: Results, row: int) -> str | None:
    found = scored_rows(results, np.array([row]))["prediction"].iloc[0]
    return str(found) if isinstance(found, str) else None


def _row_headline(said: Said, now: float, centre: float, effects: Sequence[ColumnEffect]) -> Message:
    """The largest effect in a sentence."""
    unit = f" {said.unit}" if said.unit else ""
    if not effects or effects[0].effect == 0:
        return msg("No column changes the {what} of this row when it is covered.", what=said.what)
    first = effects[0]
    return msg(
        "{what} is {value}{unit}, for an average row {centre}{unit}; most of it from {column} ({effect}{unit})",
        what=said.what,
        value=f"{now:.5g}",
        centre=f"{centre:.5g}",
        unit=unit,
        column=first.column,
        effect=f"{first.effect:+.3g}",
    )
