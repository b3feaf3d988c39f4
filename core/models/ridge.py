"""Ridge regression: linear regression that shrinks its weights; the strength is found by leaving one row out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.spec import Engine, FittedArrays, Role, Task
from core.models.standardised import standardise
from core.settings import Settings, setting

STRENGTHS = np.logspace(-3, 4, 15)


class RidgeSettings(Settings):
    """How hard weights are shrunk."""

    alpha: float | None = setting(
        None, title="Shrinkage", help="Penalty on the squared weights; empty: found by leaving one row out.", ge=0, le=1e9
    )


@dataclass(frozen=True, slots=True)
class Ridge:
    """Ridge regression on standardised inputs. Source of the closed leave-one-out error: Golub, Heath, Wahba (1979)."""

    key: str = "ridge"
    title: Message = msg("Ridge regression")
    summary: Message = msg("A straight line with shrunken weights: steady even when sensors say nearly the same.")
    source: str = "Hoerl, Kennard (1970), Technometrics 12(1)"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("regression", "rul", "forecast")
    windowed: bool = False
    settings: type[Settings] = RidgeSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: RidgeSettings, seed: int
    ) -> FittedArrays:
        """Weights (d, k) and bias (k,) for inputs (n, d) and targets (n,) or (n, k), n ≥ 2. `seed` is not used.

        Weights are Vᵀ-rotated least squares, each direction shrunk by s² / (s² + alpha) with s its singular value.
        """
        standard = standardise(inputs, smallest=2)
        wanted = np.asarray(targets, dtype=np.float64).reshape(len(inputs), -1)
        centre = wanted.mean(axis=0)
        left, sizes, right = np.linalg.svd(standard.values, full_matrices=False)
        along = left.T @ (wanted - centre)
        alpha = _best_strength(left, sizes, wanted - centre, along) if settings.alpha is None else settings.alpha
        shrunk = np.divide(sizes, sizes**2 + alpha, out=np.zeros_like(sizes), where=sizes > sizes.max(initial=0.0) * 1e-12)
        weights, bias = standard.unscaled(right.T @ (shrunk[:, None] * along), centre)
        return FittedArrays("linear", {"weights": weights, "bias": bias})


def _best_strength(
    left: NDArray[np.float64], sizes: NDArray[np.float64], wanted: NDArray[np.float64], along: NDArray[np.float64]
) -> float:
    """The strength with the smallest leave-one-out error: residual ÷ (1 − leverage), the mean's leverage 1/n included."""
    squares, errors = left**2, []
    for alpha in STRENGTHS:
        kept = sizes**2 / (sizes**2 + alpha)
        leverage = squares @ kept + 1 / len(left)
        residual = wanted - left @ (kept[:, None] * along)
        errors.append(float(np.mean((residual / np.maximum(1 - leverage, 1e-9)[:, None]) ** 2)))
    return float(STRENGTHS[int(np.argmin(errors))])


SPEC = Ridge()
