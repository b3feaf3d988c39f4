"""A bundle as `core.explain` sees it: its columns in a window, and one output of it in a unit that a person knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.data.room import Room
from core.explain.columns import Difference, Floats, InputColumn, Move, Straightened, Windows
from core.features import ForecastTarget, Inputs
from core.features.plan import Feature
from core.features.targets import ClassTarget
from core.features.texts import EMPTY
from core.serving.scoring import model_outputs

if TYPE_CHECKING:
    from core.serving.bundle import Bundle

CHUNK = 2048


@dataclass(frozen=True)
class Output:
    """One number of a bundle's answer: the value, the probability of class number `place`, the score, or the value `place` steps on.

    Called with windows (n, rows, f) it gives (n,).
    """

    bundle: Bundle
    place: int = 0

    def __call__(self, windows: Windows) -> Floats:
        parts = [self._some(windows[i : i + CHUNK]) for i in range(0, len(windows), CHUNK)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _some(self, windows: Windows) -> Floats:
        return all_outputs(self.bundle, windows)[:, self.place]


def all_outputs(bundle: Bundle, windows: Windows) -> Floats:
    """What a bundle says of windows (n, rows, f) in its own units: the value (n, 1), probabilities (n, k), the score (n, 1) or
    the next values (n, horizon)."""
    outputs, target = model_outputs(bundle, windows)[0], bundle.target
    if target is None or isinstance(target, ClassTarget | ForecastTarget):
        return outputs.reshape(len(windows), -1)
    return target.decode(outputs[:, :1].astype(np.float32))


def input_columns(bundle: Bundle) -> tuple[InputColumn, ...]:
    """The columns of a bundle's windows in the order of its plan; a unit's age, where it is given, comes last."""
    plan, own_start, past = bundle.pipeline.plan, bundle.pipeline.own_start, bundle.pipeline.own_past
    facts = {column.name: column for column in bundle.manifest.columns}
    found = []
    for name in plan.columns:
        features = [(i + plan.n_tokens, f) for i, f in enumerate(plan.features) if f.column == name]
        places = [place for place, _ in features]
        cover = [0.0] * len(places)
        move = _move(features)
        if plan.text is not None and plan.text.column == name:
            places = [*range(plan.n_tokens), *places]
            cover = [*([0.0] * (plan.n_tokens - 1)), float(EMPTY), *cover]
        if own_start is not None:
            more = [
                Difference(plan.n_values + i, of, own_start.scale[i])
                for i, of in enumerate(own_start.places)
                if of in places and of >= plan.n_tokens
            ]
            places, cover = [*places, *(d.place for d in more)], [*cover, *([0.0] * len(more))]
            move = None if move is None else Move(move.mean, move.scale, move.straightened, tuple(more))
        if past is not None and past.has_season_feature and name == past.column:
            places, cover = [*places, plan.n_values], [*cover, 0.0]
        own = facts.get(name)
        low, high = _both(None if own is None else (own.minimum, own.maximum))
        band = _both(None if own is None else (own.low, own.high))
        unit = "" if own is None else own.unit
        found.append(InputColumn(name, tuple(places), tuple(cover), unit, move, low, high, band))
    if own_start is not None:
        found.append(InputColumn(bundle.pipeline.time or "age", (plan.n_values + len(own_start.places),), (0.0,)))
    return tuple(found)


def whole_inputs(bundle: Bundle, dataset: Dataset, room: Room) -> Inputs:
    """The windows of the table that a bundle was made from, as its training had them."""
    known = {column.name for column in bundle.manifest.columns}
    rows = dataset.rows([column.name for column in dataset.columns if column.name in known])
    return bundle.pipeline.inputs(rows, room, in_training=True)


def place_of_rows(inputs: Inputs) -> NDArray[np.int64]:
    """The window of each row of the table, (n_rows,); -1 where the row has none."""
    found = np.full(inputs.n_rows, -1, dtype=np.int64)
    found[inputs.row_of_window] = np.arange(len(inputs.row_of_window))
    return found


def _both(values: tuple[float | None, float | None] | None) -> tuple[float, float]:
    """Two numbers, NaN where one of them is unknown."""
    if values is None or values[0] is None or values[1] is None:
        return float("nan"), float("nan")
    return float(values[0]), float(values[1])


def _move(features: list[tuple[int, Feature]]) -> Move | None:
    """How the number moves; None for categories and text."""
    plain = [(place, f) for place, f in features if f.category is None]
    if not plain:
        return None
    first = plain[0][1]
    more = tuple(Straightened(place, f.power, f.mean, f.scale) for place, f in plain[1:] if f.power is not None)
    return Move(first.mean, first.scale, more)
