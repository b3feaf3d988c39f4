"""Linear regression: the least that a network has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.spec import Engine, FittedArrays, Role, Task
from core.models.standardised import standardise
from core.settings import Settings


class LinearSettings(Settings):
    """Nothing to choose."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Ordinary least squares. Columns that say the same share the weight (least-norm solution)."""

    key: str = "linear"
    title: Message = msg("Linear regression")
    summary: Message = msg("A straight line through the training rows: nothing to choose, easy to explain.")
    source: str = "Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, section 3.2"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("regression", "rul", "forecast")
    windowed: bool = False
    settings: type[Settings] = LinearSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: LinearSettings, seed: int
    ) -> FittedArrays:
        """Weights (d, k) and bias (k,) for inputs (n, d) and targets (n,) or (n, k), n ≥ 2. `seed` is not used."""
        standard = standardise(inputs, smallest=2)
        wanted = np.asarray(targets, dtype=np.float64).reshape(len(inputs), -1)
        centre = wanted.mean(axis=0)
        solution = np.linalg.lstsq(standard.values, wanted - centre, rcond=None)[0]
        weights, bias = standard.unscaled(solution, centre)
        return FittedArrays("linear", {"weights": weights, "bias": bias})


SPEC = Linear()
