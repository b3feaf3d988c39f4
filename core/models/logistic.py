"""Logistic regression: the simplest model that gives class probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData
from core.messages import Message, msg
from core.models.folds import last_fold, random_folds
from core.models.spec import Engine, Estimate, FittedArrays, Question, Role, Shape, Task
from core.models.standardised import standardise
from core.models.tables import balanced_weights, class_count, n_statistics, thinned_rows
from core.settings import Settings, setting

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
USUAL = 1.0
JUDGED_ROWS = 5_000
SMALLEST_HELD = 10
CELLS_A_SECOND = 5e6  # values × classes, for all passes of a fit


class LogisticSettings(Settings):
    """Shrinkage, and how rare classes count."""

    strength: float | None = setting(
        None,
        title="Freedom",
        help="Inverse of the shrinkage of the weights; smaller is smoother. Empty: 0.1, 1, 10 or 100, found on rows held back.",
        gt=0,
        le=1e6,
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

    def fit_table(
        self,
        inputs: NDArray[np.float64],
        targets: NDArray[np.float64] | None,
        settings: LogisticSettings,
        seed: int,
        question: Question,
    ) -> FittedArrays:
        """Weights (d, k) and bias (k,) for inputs (n, d) and class codes (n,) from 0 to k − 1; softmax gives probabilities.

        Raises:
            NotEnoughData: only one class among the training rows.
        """
        codes = np.asarray(targets).ravel().astype(np.int64)
        if len(np.unique(codes)) < 2:
            raise NotEnoughData(
                msg("The training part holds only one class."),
                msg("A classification needs rows of at least two classes."),
                msg("Split in another way, or add rows of the other class."),
            )
        standard = standardise(inputs, smallest=2)
        strength = settings.strength or _best_strength(standard.values, codes, settings.class_weights, seed, question.folds)
        model = _fitted(standard.values, codes, strength, settings.class_weights)
        coefficients, intercept = _per_class(model.coef_, model.intercept_)
        weights, bias = standard.unscaled(coefficients.T, intercept)
        n_classes = class_count(codes, question.n_classes)
        return FittedArrays(
            "logistic", _for_all_classes(weights, bias, model.classes_, n_classes), facts={"strength": strength}
        )

    def fit_estimate(self, settings: LogisticSettings, shape: Shape, n_windows: int) -> Estimate:
        """Weights of every class; time as if a fit took some hundred passes, and one for each strength on the rows that judge."""
        columns, n_classes = n_statistics(shape), max(2, shape.n_outputs)
        tried = 0 if settings.strength is not None else len(STRENGTHS) * min(n_windows, JUDGED_ROWS)
        seconds = 0.2 + (n_windows + tried) * columns * n_classes / CELLS_A_SECOND
        return Estimate((columns + 1) * n_classes, 150 * 2**20 + 8 * 4 * n_windows * columns, seconds)


def _fitted(values: NDArray[np.float64], codes: NDArray[np.int64], strength: float, class_weights: bool) -> Any:
    from sklearn.linear_model import LogisticRegression

    weight = "balanced" if class_weights else None
    return LogisticRegression(C=strength, class_weight=weight, max_iter=1000).fit(values, codes)


def _best_strength(
    values: NDArray[np.float64], codes: NDArray[np.int64], class_weights: bool, seed: int, folds: NDArray[np.int64] | None
) -> float:
    """The strength with the smallest cross-entropy on the last part of at most 5,000 rows; 1 where that part cannot judge.

    It cannot with fewer than 10 rows, or where the other parts lack one of its classes.
    """
    if folds is None or len(np.unique(folds)) < 2:
        folds = random_folds(len(codes), seed, codes)
    kept = thinned_rows(len(codes), JUDGED_ROWS, codes)
    values, codes, held = values[kept], codes[kept], last_fold(folds[kept])
    learned = np.unique(codes[~held])
    if held.sum() < SMALLEST_HELD or len(learned) < 2 or not np.isin(codes[held], learned).all():
        return USUAL
    losses = []
    place = np.searchsorted(learned, codes[held])
    weights = balanced_weights(place) if class_weights else np.ones(len(place))
    for strength in STRENGTHS:
        chances = _fitted(values[~held], codes[~held], strength, class_weights).predict_proba(values[held])
        losses.append(float(np.average(-np.log(np.maximum(chances[np.arange(len(place)), place], 1e-12)), weights=weights)))
    return STRENGTHS[int(np.argmin(losses))]


def _per_class(
    coefficients: NDArray[np.float64], intercept: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two classes come as one row (log odds of the second); as two rows, the first is zero."""
    if len(coefficients) > 1:
        return coefficients, intercept
    return np.vstack([np.zeros_like(coefficients), coefficients]), np.concatenate([[0.0], intercept])


def _for_all_classes(
    weights: NDArray[np.float64], bias: NDArray[np.float64], present: NDArray[np.int64], n_classes: int
) -> dict[str, NDArray[np.float64]]:
    """A class code without training rows gets weight 0 and a bias that makes its probability vanish."""
    all_weights, all_bias = np.zeros((len(weights), n_classes)), np.full(n_classes, -1e30)
    all_weights[:, present], all_bias[present] = weights, bias
    return {"weights": all_weights, "bias": all_bias}


SPEC = Logistic()
