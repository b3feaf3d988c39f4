"""MiniRocket: some two thousand random patterns measured in each window, and a straight line on what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingProblem
from core.messages import Message, msg, msg_n
from core.models import logistic
from core.models.held_out_ridge import PARTS, STRENGTHS, fit_held_out_ridge
from core.models.random_kernels import LENGTH, POSITIONS, fit_kernels, kernel_features, spread_dilations
from core.models.spec import Engine, Estimate, FittedArrays, Question, Role, Shape, Task
from core.settings import Settings, setting

MOST_CELLS = 40_000_000  # windows · features that are held at once, as float32: 160 MB
# Measured on one core of a server CPU: sums and comparisons of the features, and multiply-adds of the fit, a second.
CELLS_A_SECOND = 1.5e9
MULTIPLY_ADDS_A_SECOND = 12e9


class MiniRocketSettings(Settings):
    """How many patterns, and how hard the weights of what they find are shrunk."""

    features: int = setting(
        2000, title="Patterns", help="Random patterns that are measured in each window, in multiples of 84.", ge=84, le=4032
    )
    alpha: float | None = setting(
        None, title="Shrinkage", help="Penalty on the squared weights; empty: found on held-back stretches.", ge=0, le=1e9
    )
    class_weights: bool = setting(False, title="Class weights", help="Let rare classes count as much as common ones.")


@dataclass(frozen=True, slots=True)
class MiniRocket:
    """Shares of rows that random dilated kernels mark → ridge regression; for classes, its held-out scores → logistic.

    The paper has 10,000 features and tens of thousands of short series; a fifth of them is the default, which a few
    thousand windows carry. They are not scaled: all are shares of rows, and one that is hardly ever above zero must not
    count for more because of it.
    """

    key: str = "minirocket"
    title: Message = msg("MiniRocket (random patterns)")
    summary: Message = msg("Thousands of random patterns and a straight line: sees the order of rows, fitted in seconds.")
    source: str = "Dempster, Schmidt, Webb (2021), KDD, arXiv:2012.08791"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = True
    settings: type[Settings] = MiniRocketSettings
    smallest_rows: int = LENGTH

    def fit_windows(
        self,
        windows: NDArray[np.floating],
        targets: NDArray[np.float64] | None,
        settings: MiniRocketSettings,
        shape: Shape,
        task: Task,
        seed: int,
    ) -> FittedArrays:
        """Kernels, weights (d, k) and bias (k,) for windows (n, rows ≥ 9, n_features) in their order, n ≥ 2.

        Targets are (n,) or (n, n_outputs), for a classification codes (n,) from 0 to n_outputs − 1; a class without rows
        gets a bias that makes its probability vanish. Of more windows than the memory holds, evenly spread ones are taken.

        Raises:
            SettingProblem: the window is too short for a kernel.
            NotEnoughData: fewer than 2 windows, or only one class among them.
        """
        if shape.window_rows < LENGTH:
            raise SettingProblem(
                msg_n("The window has {n} row.", "The window has {n} rows.", shape.window_rows),
                msg("{model} needs at least {smallest}.", model=self.title, smallest=LENGTH),
                msg("Set a longer window, or choose another model."),
                window=shape.window_rows,
                smallest=LENGTH,
            )
        wanted = np.asarray(targets, dtype=np.float64)
        most = max(2, MOST_CELLS // settings.features)
        if len(windows) > most:
            taken = np.linspace(0, len(windows) - 1, most).astype(np.int64)
            windows, wanted = windows[taken], wanted[taken]
        kernels = fit_kernels(windows, settings.features, seed)
        features = kernel_features(kernels, windows)
        if task == "classification":
            weights, bias = _class_head(features, wanted, settings, shape.n_outputs, seed)
        else:
            found = fit_held_out_ridge(features, wanted.reshape(len(windows), -1), settings.alpha)
            weights, bias = found.weights, found.bias
        kind: Literal["minirocket", "minirocket_classes"] = "minirocket_classes" if task == "classification" else "minirocket"
        return FittedArrays(kind, {**kernels.to_arrays(), "weights": weights, "bias": bias})

    def fit_estimate(self, settings: MiniRocketSettings, shape: Shape, n_windows: int) -> Estimate:
        """Weights of the straight line, bytes at the peak and seconds of the whole fit."""
        rows, n = max(shape.window_rows, LENGTH), min(n_windows, max(2, MOST_CELLS // settings.features))
        dilations, counts = spread_dilations(rows, settings.features)
        features = len(POSITIONS) * int(counts.sum())
        sums = len(POSITIONS) * len(dilations) * (LENGTH + 3 + min(shape.n_features, 3)) + features
        squares = min(n, features) * features * (n + len(STRENGTHS) * PARTS * min(n, features) / 3)
        seconds = 0.2 + n * rows * sums / CELLS_A_SECOND + squares / MULTIPLY_ADDS_A_SECOND
        memory = 150 * 2**20 + 4 * n * (rows * shape.n_features + 4 * features) + 8 * (PARTS + 3) * features**2
        return Estimate((features + 1) * shape.n_outputs, memory, seconds)


def _class_head(
    features: NDArray[np.float32], targets: NDArray[np.float64], settings: MiniRocketSettings, n_classes: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and bias whose softmax is the probability of each class.

    Ridge regression on one column a class gives scores but no probabilities. How sure a score makes one of its class is
    learned by a logistic regression from the held-out scores; the two straight lines one after the other are one.
    """
    codes = targets.ravel().astype(np.int64)
    found = fit_held_out_ridge(features, np.eye(n_classes)[codes], settings.alpha)
    choice = logistic.LogisticSettings(strength=1.0, class_weights=settings.class_weights)
    question = Question("classification", n_classes)
    turned = logistic.SPEC.fit_table(found.held_out, codes.astype(np.float64), choice, seed, question).arrays
    return found.weights @ turned["weights"], found.bias @ turned["weights"] + turned["bias"]


SPEC = MiniRocket()
