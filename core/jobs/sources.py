"""What a fit reads of prepared data: windows by number, and what is asked of each in the model's own units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.features import ForecastTarget
from core.features.targets import ClassTarget, Target
from core.models.spec import Shape
from core.training.data import Batch, oversampled
from core.training.prepare import Prepared
from core.training.resolve import Resolved


@dataclass(frozen=True, slots=True)
class FollowingTargets:
    """What a forecast is asked for at some places, (n, horizon), worked out when asked for: ten million rows of it would not fit."""

    prepared: Prepared
    places: NDArray[np.int64]

    def __getitem__(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        target, ahead, places = self.prepared.target, self.prepared.following, self.places[index]
        if not isinstance(target, ForecastTarget) or ahead is None:
            raise TypeError("Only a forecast has following values.")
        anchors = target.values_at(self.prepared.inputs.windows, places, target.anchor)
        return target.encode(ahead.batch(places), anchors)


@dataclass(frozen=True, slots=True)
class Source:
    """Windows and targets of some places, drawn by index: what the fit loop reads."""

    prepared: Prepared
    places: NDArray[np.int64]
    targets: NDArray | FollowingTargets | None

    @property
    def n(self) -> int:
        return len(self.places)

    def batch(self, index: NDArray[np.int64]) -> Batch:
        """Windows (b, width, n_features), targets (b,) or (b, n_outputs) or None for an autoencoder, and no weights."""
        windows = self.prepared.inputs.windows.batch(self.places[index])
        return windows, None if self.targets is None else self.targets[index], None


def source_of(prepared: Prepared, places: NDArray[np.int64]) -> Source:
    """Windows and targets of some places for the fit loop."""
    if isinstance(prepared.target, ForecastTarget):
        return Source(prepared, places, FollowingTargets(prepared, places))
    return Source(prepared, places, encoded_targets(prepared, places))


def encoded_targets(prepared: Prepared, places: NDArray[np.int64]) -> NDArray | None:
    """Targets in the network's units, or None for an autoencoder."""
    if prepared.target is None:
        return None
    if isinstance(prepared.target, ForecastTarget):
        return FollowingTargets(prepared, places)[np.arange(len(places))]
    return prepared.target.encode(prepared.truth[prepared.inputs.row_of_window[places]])  # type: ignore[index, arg-type]


def balanced_places(places: NDArray[np.int64], prepared: Prepared, resolved: Resolved) -> NDArray[np.int64]:
    """Training places as they are, or with rare classes repeated where that was asked for: here and nowhere else."""
    if not (resolved.task.oversample and isinstance(prepared.target, ClassTarget)):
        return places
    codes = encoded_targets(prepared, places)
    return places if codes is None else oversampled(places, codes.astype(np.int32), resolved.request.seed)


def network_shape(prepared: Prepared) -> Shape:
    """The shape of the network that fits the prepared windows."""
    target = prepared.target
    n_features = int(prepared.inputs.windows.values.shape[1])
    text = prepared.pipeline.plan.text
    if text is None:
        return Shape(prepared.pipeline.width, n_features, n_outputs(target))
    return Shape(prepared.pipeline.width, n_features, n_outputs(target), text.length, text.n_words)


def n_outputs(target: Target | None) -> int:
    """Outputs of a model: its classes, the values ahead, or one value."""
    if isinstance(target, ForecastTarget):
        return target.horizon
    return len(target.classes) if isinstance(target, ClassTarget) else 1
