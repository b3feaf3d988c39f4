"""Bag of words: which words a remark has, without their order, and a straight line. The yardstick of the text networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData, SettingProblem
from core.messages import Message, msg
from core.models.bags import fit_terms
from core.models.spec import Engine, Estimate, FittedArrays, Role, Shape, Task
from core.settings import Settings, setting

CLASS_STRENGTHS = (1.0, 10.0, 100.0)
VALUE_SHRINKAGES = (0.1, 1.0, 10.0)
HELD_BACK = 5  # every fifth row judges the strength
FEWEST_FOR_CHOICE = 50
SECONDS_A_TERM = 6e-7  # measured on one core: a pass over a term of a remark, for a class
PASSES = 120


class BagSettings(Settings):
    """How hard the weights of words are shrunk, and how rare classes count."""

    strength: float | None = setting(
        None,
        title="Freedom",
        help="Inverse of the shrinkage of the weights; smaller is smoother. Empty: found on a held-back fifth of the rows.",
        gt=0,
        le=1e6,
    )
    class_weights: bool = setting(False, title="Class weights", help="Let rare classes count as much as common ones.")


@dataclass(frozen=True, slots=True)
class BagOfWords:
    """tf-idf of words and of pairs of neighbouring words, beside the other columns → logistic or ridge regression."""

    key: str = "bag_of_words"
    title: Message = msg("Bag of words")
    summary: Message = msg(
        "Counts words and pairs of words of a remark, and a straight line: often as good as a network, in seconds."
    )
    source: str = "Salton, Buckley (1988), Information Processing & Management 24(5); Wang, Manning (2012), ACL"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("regression", "classification")
    windowed: bool = False
    settings: type[Settings] = BagSettings
    smallest_rows: int = 1
    reads_text: bool = True

    def fit_windows(
        self,
        windows: NDArray[np.floating],
        targets: NDArray[np.float64] | None,
        settings: BagSettings,
        shape: Shape,
        task: Task,
        seed: int,
    ) -> FittedArrays:
        """The arrays of `core.models.bags` from windows (n, rows, n_features) and targets (n,) or class codes, n ≥ 2.

        A class without rows gets a bias that makes its probability vanish. `seed` is not used.

        Raises:
            SettingProblem: the windows have no token numbers.
            NotEnoughData: only one class among the rows.
        """
        if not shape.n_tokens:
            raise SettingProblem(
                msg("There is no text to read."),
                msg("{model} reads a column of free text.", model=self.title),
                msg("Name the column with the setting 'text_column', or choose another model."),
            )
        terms = fit_terms(windows, shape.n_tokens, shape.n_words)
        inputs = terms.matrix(windows)
        wanted = np.asarray(targets, dtype=np.float64).ravel()
        fit = _class_line if task == "classification" else _value_line
        weights, bias = fit(inputs, wanted, settings, shape.n_outputs)
        is_classes = np.array(float(task == "classification"))
        return FittedArrays("bag_of_words", {**terms.to_arrays(), "weights": weights, "bias": bias, "is_classes": is_classes})

    def fit_estimate(self, settings: BagSettings, shape: Shape, n_windows: int) -> Estimate:
        """Weights, bytes at the peak and seconds of the whole fit; pairs of words are taken as twice as many as words."""
        per_remark = 2 * max(1, shape.n_tokens) + shape.n_others
        n_terms = 3 * max(1, shape.n_words) + shape.n_others
        seconds = 0.3 + (1 + len(CLASS_STRENGTHS)) * PASSES * SECONDS_A_TERM / 60 * n_windows * per_remark * shape.n_outputs
        return Estimate(n_terms * shape.n_outputs, 200 * 2**20 + 60 * n_windows * per_remark + 8 * n_terms, seconds)


Line = tuple[NDArray[np.float64], NDArray[np.float64]]


def _class_line(inputs: Any, wanted: NDArray[np.float64], settings: BagSettings, n_classes: int) -> Line:
    """Weights (d, k) and bias (k,) whose softmax is the probability of each class."""
    codes = wanted.astype(np.int64)
    if len(np.unique(codes)) < 2:
        raise NotEnoughData(
            msg("The training part holds only one class."),
            msg("A classification needs rows of at least two classes."),
            msg("Split in another way, or add rows of the other class."),
        )
    judged = np.arange(len(codes)) % HELD_BACK == HELD_BACK - 1

    def loss(strength: float) -> float:
        model = _logistic(inputs[~judged], codes[~judged], strength, settings)
        chances = np.full((int(judged.sum()), n_classes), 1e-6)
        chances[:, model.classes_] = np.maximum(model.predict_proba(inputs[judged]), 1e-6)
        return float(-np.log(chances[np.arange(len(chances)), codes[judged]]).mean())

    can_choose = len(codes) >= FEWEST_FOR_CHOICE and len(np.unique(codes[~judged])) > 1
    strength = settings.strength or (min(CLASS_STRENGTHS, key=loss) if can_choose else CLASS_STRENGTHS[1])
    model = _logistic(inputs, codes, strength, settings)
    weights, bias = np.zeros((inputs.shape[1], n_classes)), np.full(n_classes, -1e30)
    if len(model.classes_) == 2:  # one row, the log odds of the second
        weights[:, model.classes_[1]], bias[model.classes_] = model.coef_[0], [0.0, model.intercept_[0]]
    else:
        weights[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
    return weights, bias


def _logistic(inputs: Any, codes: NDArray[np.int64], strength: float, settings: BagSettings) -> Any:
    from sklearn.linear_model import LogisticRegression

    weight = "balanced" if settings.class_weights else None
    return LogisticRegression(C=strength, class_weight=weight, max_iter=1000).fit(inputs, codes)


def _value_line(inputs: Any, wanted: NDArray[np.float64], settings: BagSettings, n_outputs: int) -> Line:
    """Weights (d, 1) and bias (1,) of ridge regression."""
    judged = np.arange(len(wanted)) % HELD_BACK == HELD_BACK - 1

    def loss(shrinkage: float) -> float:
        model = _ridge(inputs[~judged], wanted[~judged], shrinkage)
        return float(((model.predict(inputs[judged]) - wanted[judged]) ** 2).mean())

    shrinkage = VALUE_SHRINKAGES[1]
    if settings.strength is not None:
        shrinkage = 1 / settings.strength
    elif len(wanted) >= FEWEST_FOR_CHOICE:
        shrinkage = min(VALUE_SHRINKAGES, key=loss)
    model = _ridge(inputs, wanted, shrinkage)
    return model.coef_.reshape(-1, n_outputs), np.atleast_1d(model.intercept_)


def _ridge(inputs: Any, wanted: NDArray[np.float64], shrinkage: float) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=shrinkage, solver="sparse_cg", tol=1e-6).fit(inputs, wanted)


SPEC = BagOfWords()
