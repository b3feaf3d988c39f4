"""A family fitted once more on other rows of the prepared table, only to hear what it says of rows that it has not seen.

Nothing is written: folds, repeated seeds and learning curves need outputs and no bundle.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from core.jobs.fitting import fit_shallow
from core.jobs.sources import balanced_places, n_outputs, network_shape, source_of
from core.models.spec import Task
from core.serving.predictors import Predictor, predictor_of
from core.training.data import TrainingData
from core.training.events import Emit, Event, StopRequested
from core.training.prepare import Prepared
from core.training.resolve import Resolved
from core.watching import Stopped

CHUNK = 2048
STOPPING_SHARE = 0.15  # of a network's training rows, where no others may end its training


class OverTime(Exception):
    """The time that was given ended before the work did; what was there before stays."""


class KerasPredictor:
    """A trained Keras model as a predictor: (n, width, n_features) → (n, k)."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(self._model.predict_on_batch(windows), dtype=np.float64)


def predicted(predictor: Predictor, prepared: Prepared, places: NDArray[np.int64]) -> NDArray[np.float64]:
    """The outputs (n, k) of the windows at these places."""
    windows, k = prepared.inputs.windows, n_outputs(prepared.target)
    parts = [predictor.predict(windows.batch(places[i : i + CHUNK])).reshape(-1, k) for i in range(0, len(places), CHUNK)]
    return np.concatenate(parts) if parts else np.empty((0, k))


def refitted(
    resolved: Resolved,
    prepared: Prepared,
    train: NDArray[np.int64],
    stopping: NDArray[np.int64],
    *,
    seconds: float | None = None,
    emit: Emit | None = None,
    stop_requested: StopRequested = lambda: False,
) -> Predictor:
    """A predictor fitted on the places `train`; a network's training ends by its loss on the places `stopping`.

    A shallow family has no use for `stopping` and is fitted on both.

    Raises:
        Stopped: a stop was asked for.
        Problem: it cannot be fitted on these rows.
    """
    if stop_requested():
        raise Stopped
    if resolved.spec.role != "network":
        part = replace(prepared, train=np.sort(np.concatenate([train, stopping])))
        return predictor_of(fit_shallow(resolved, part, resolved.spec, resolved.model_settings), prepared.target)
    from core.training.fit import fit_network

    places = balanced_places(np.sort(train), prepared, resolved)
    fit = resolved.fit if seconds is None else resolved.fit.with_values(budget_minutes=max(0.02, seconds / 60))
    trained = fit_network(
        resolved.spec,
        resolved.model_settings,
        network_shape(prepared),
        cast(Task, resolved.request.task),
        TrainingData(train=source_of(prepared, places), validation=source_of(prepared, stopping)),
        fit,
        emit=emit or _silent,
        stop_requested=stop_requested,
        checkpoints=None,
        seed=resolved.request.seed,
    )
    if trained.stopped_by == "user":
        raise Stopped
    return KerasPredictor(trained.model)


def release_networks() -> None:
    """Let go of what Keras and TensorFlow keep of networks that nobody uses any more: a search fits a hundred of them."""
    import gc

    import keras

    keras.backend.clear_session()
    gc.collect()


def _silent(event: Event) -> None:
    """Nobody follows the curve of a refit."""


def fold_outputs(
    resolved: Resolved,
    prepared: Prepared,
    places: NDArray[np.int64],
    folds: NDArray[np.int64],
    *,
    seconds: float | None = None,
    stop_requested: StopRequested = lambda: False,
) -> NDArray[np.float64]:
    """Outputs (n, k) of each place by a model that was fitted without its fold.

    A network's training ends by the loss on the next fold, so that the rows that judge it have no part in it.

    Args:
        folds: The number of the fold of each place, from 0.
        seconds: That all fits together may take; what a network's fit may take at most is what is left of it.

    Raises:
        OverTime: the seconds were used up before the last fold.
        Stopped: a stop was asked for.
    """
    outputs = np.full((len(places), n_outputs(prepared.target)), np.nan)
    numbers = np.unique(folds)
    ends = None if seconds is None else time.monotonic() + seconds
    for i, fold in enumerate(numbers):
        left = None if ends is None else ends - time.monotonic()
        if left is not None and left <= 0:
            raise OverTime
        following = numbers[(i + 1) % len(numbers)]
        train, stopping = places[(folds != fold) & (folds != following)], places[folds == following]
        predictor = refitted(resolved, prepared, train, stopping, seconds=left, stop_requested=stop_requested)
        outputs[folds == fold] = predicted(predictor, prepared, places[folds == fold])
        if resolved.spec.role == "network":
            del predictor
            release_networks()
    return outputs
