"""Logistic regression: the simplest model that gives class probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData
from core.messages import Message, msg
from core.models.spec import Engine, FittedArrays, Role, Task
from core.models.standardised import standardise
from core.settings import Settings, setting


class LogisticSettings(Settings):
    """Shrinkage, and how rare classes count."""

    strength: float = setting(
        1.0, title="Freedom", help="Inverse of the shrinkage of the weights; smaller is smoother.", gt=0, le=1e6
    )
    class_weights: bool = setting(False, title="Class weights", help="Let rare classes count as much as common ones.")


@dataclass(frozen=True, slots=True)
class Logistic:
    """Multinomial logistic regression on standardised inputs; two classes are the same model with two columns."""

    key: str = "logistic"
    title: Message = msg("Logistic regression")
    summary: Message = msg("Class probabilities from a weighted sum: fast, steady, easy to explain.")
    source: str = "Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, section 4.4"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("classification",)
    windowed: bool = False
    settings: type[Settings] = LogisticSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: LogisticSettings, seed: int
    ) -> FittedArrays:
        """Weights (d, k) and bias (k,) for inputs (n, d) and class codes (n,) from 0 to k − 1; softmax gives probabilities.

        Raises:
            NotEnoughData: only one class among the training rows.
        """
        from sklearn.linear_model import LogisticRegression

        codes = np.asarray(targets).ravel().astype(np.int64)
        if len(np.unique(codes)) < 2:
            raise NotEnoughData(
                msg("The training part holds only one class."),
                msg("A classification needs rows of at least two classes."),
                msg("Split in another way, or add rows of the other class."),
            )
        standard = standardise(inputs, smallest=2)
        weight = "balanced" if settings.class_weights else None
        model = LogisticRegression(C=settings.strength, class_weight=weight, max_iter=1000, random_state=seed)
        model.fit(standard.values, codes)
        coefficients, intercept = _per_class(model.coef_, model.intercept_)
        weights, bias = standard.unscaled(coefficients.T, intercept)
        return FittedArrays("logistic", _for_all_classes(weights, bias, model.classes_))


def _per_class(
    coefficients: NDArray[np.float64], intercept: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two classes come as one row (log odds of the second); as two rows, the first is zero."""
    if len(coefficients) > 1:
        return coefficients, intercept
    return np.vstack([np.zeros_like(coefficients), coefficients]), np.concatenate([[0.0], intercept])


def _for_all_classes(
    weights: NDArray[np.float64], bias: NDArray[np.float64], present: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """A class code without training rows gets weight 0 and a bias that makes its probability vanish."""
    n_classes = int(present.max()) + 1
    all_weights, all_bias = np.zeros((len(weights), n_classes)), np.full(n_classes, -1e30)
    all_weights[:, present], all_bias[present] = weights, bias
    return {"weights": all_weights, "bias": all_bias}


SPEC = Logistic()
