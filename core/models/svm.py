"""Support vector machine with an RBF kernel: a smooth surface held by the rows that matter."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.folds import random_folds
from core.models.nearest import squared_distances
from core.models.spec import Engine, Estimate, FittedArrays, Question, Role, Shape, Task
from core.models.standardised import standardise
from core.models.tables import class_codes, class_count, n_statistics, require_rows, thinned_note, thinned_rows, values_of
from core.settings import Settings, setting

SMALLEST = 10
PENALTIES = (1.0, 10.0, 100.0)
REACHES = (0.25, 1.0)
JUDGED_ROWS = 1500
MOST_STEPS = 100_000
NO_PROBABILITY = -1e30


class SvmSettings(Settings):
    """How closely the surface follows the rows."""

    penalty: float | None = setting(
        None,
        title="Penalty",
        help="What a row off the surface costs; larger follows the rows more closely. Empty: 1, 10 or 100, found on rows held back.",
        gt=0,
        le=1e6,
    )
    reach: float | None = setting(
        None,
        title="Reach",
        help="Gamma of the kernel exp(−gamma · distance²) on standardised columns; empty: 1 ÷ number of columns or a quarter of it, "
        "found on rows held back.",
        gt=0,
        le=1e3,
    )
    tube: float = setting(
        0.1,
        title="Tube",
        help="Errors below this cost nothing, in standard deviations of the target (values only).",
        ge=0,
        le=10,
    )
    most_rows: int = setting(
        4000,
        title="Rows used",
        help="Training rows used, evenly spread; time grows with their square.",
        unit="rows",
        ge=100,
        le=20_000,
    )
    class_weights: bool = setting(False, title="Class weights", help="Let rare classes count as much as common ones.")


class Choice(NamedTuple):
    """Penalty of a row off the surface, and gamma of the kernel."""

    penalty: float
    reach: float


@dataclass(frozen=True, slots=True)
class Svm:
    """scikit-learn (libsvm) finds the support vectors, NumPy replays them.

    Each class is told from the others by one machine (two classes: one machine). Probabilities are a softmax of a linear
    function of its scores, fitted on scores of rows that the machine had not seen (Platt 1999, five parts).
    """

    key: str = "svm"
    title: Message = msg("Support vector machine")
    summary: Message = msg("A smooth curved surface for some hundred to some thousand rows; slow beyond that.")
    source: str = "Cortes, Vapnik (1995), Machine Learning 20; Smola, Schölkopf (2004), Statistics and Computing 14"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul")
    windowed: bool = False
    settings: type[Settings] = SvmSettings
    smallest_rows: int = 1

    def fit_table(
        self,
        inputs: NDArray[np.float64],
        targets: NDArray[np.float64] | None,
        settings: SvmSettings,
        seed: int,
        question: Question,
    ) -> FittedArrays:
        """Support vectors (m, d), their coefficients (m, s), and the way from s scores to outputs; see `KernelModel`.

        Raises:
            NotEnoughData: fewer than 10 rows, or one class only.
        """
        require_rows(inputs, SMALLEST, self.title)
        codes = class_codes(targets) if question.is_classes else None
        kept = thinned_rows(len(inputs), settings.most_rows, codes)
        standard = standardise(inputs[kept], smallest=SMALLEST)
        if codes is None:
            machine: _Values | _Classes = _Values(values_of(targets)[kept], settings.tube)
        else:
            machine = _Classes(codes[kept], class_count(codes, question.n_classes), settings.class_weights)
        folds = None if question.folds is None else question.folds[kept]
        if folds is None or len(np.unique(folds)) < 2:
            folds = random_folds(len(kept), seed, None if codes is None else codes[kept])
        choice = _best_choice(machine, standard.values, folds, _choices(settings, standard.values.shape[1]))
        everyone = np.arange(len(kept))
        weights, bias = (
            machine.outputs()
            if isinstance(machine, _Values)
            else machine.outputs(_unseen_scores(machine, standard.values, folds, everyone, choice), everyone)
        )
        coefficients, intercept = machine.fit(standard.values, everyone, choice)
        supporting = np.flatnonzero(np.any(coefficients != 0, axis=1))
        arrays = {
            "support": standard.values[supporting],
            "coefficients": coefficients[supporting],
            "intercept": intercept,
            "reach": np.array(choice.reach),
            "mean": standard.mean,
            "scale": standard.reach,
            "weights": weights,
            "bias": bias,
            "is_classes": np.array(float(question.is_classes)),
        }
        notes = thinned_note(self.title, len(kept), len(inputs))
        return FittedArrays(
            "kernel",
            arrays,
            notes=notes,
            facts={"penalty": choice.penalty, "reach": choice.reach, "support_vectors": len(supporting)},
        )

    def fit_estimate(self, settings: SvmSettings, shape: Shape, n_windows: int) -> Estimate:
        """All rows used as support vectors; some forty fits that grow with the square of the rows."""
        rows, columns = min(settings.most_rows, n_windows), n_statistics(shape)
        n_machines = max(1, shape.n_outputs)
        seconds = 0.5 + n_machines * (6 * rows**2 + 30 * min(rows, JUDGED_ROWS) ** 2) * (columns + 20) / 2.5e9
        return Estimate(rows * (columns + n_machines), 350 * 2**20 + 32 * n_windows * columns, seconds)


class _Values:
    """Support vector regression of one target, scaled to standard deviation 1 inside."""

    def __init__(self, values: NDArray[np.float64], tube: float) -> None:
        self.centre, spread = float(values.mean()), float(values.std())
        self.scale = spread if spread > 0 else 1.0
        self.n_scores = 1
        self.values, self.tube = (values - self.centre) / self.scale, tube

    def fit(
        self, rows: NDArray[np.float64], use: NDArray[np.int64], choice: Choice
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coefficients (n, 1), 0 for rows that are not used or do not matter, and intercept (1,)."""
        from sklearn.svm import SVR

        model = SVR(C=choice.penalty, gamma=choice.reach, epsilon=self.tube, max_iter=MOST_STEPS)
        return _solved(model, rows, use, self.values[use])

    def outputs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """From a score to the target's unit."""
        return np.array([[self.scale]]), np.array([self.centre])

    def loss(self, scores: NDArray[np.float64], places: NDArray[np.int64]) -> float:
        """Mean squared error on rows not seen."""
        return float(((scores[:, 0] - self.values[places]) ** 2).mean())


class _Classes:
    """One machine for two classes, else one for each class that occurs."""

    def __init__(self, codes: NDArray[np.int64], n_classes: int, class_weights: bool) -> None:
        self.codes, self.n_classes = codes, n_classes
        self.weight = "balanced" if class_weights else None
        present = np.unique(codes)
        self.told = present[1:] if len(present) == 2 else present
        self.n_scores = len(self.told)

    def fit(
        self, rows: NDArray[np.float64], use: NDArray[np.int64], choice: Choice
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coefficients (n, s) and intercepts (s,); a class with no row, or only rows, has the constant score −1 or 1."""
        from sklearn.svm import SVC

        coefficients, intercept = np.zeros((len(rows), len(self.told))), np.zeros(len(self.told))
        for i, code in enumerate(self.told):
            is_class = self.codes[use] == code
            if is_class.all() or not is_class.any():
                intercept[i] = 1.0 if is_class.all() else -1.0
                continue
            model = SVC(C=choice.penalty, gamma=choice.reach, class_weight=self.weight, max_iter=MOST_STEPS)
            column, constant = _solved(model, rows, use, is_class)
            coefficients[:, i], intercept[i] = column[:, 0], constant[0]
        return coefficients, intercept

    def outputs(
        self, scores: NDArray[np.float64], places: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights (s, k) and bias (k,) whose softmax gives probabilities; a class without rows gets none."""
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=100.0, class_weight=self.weight, max_iter=1000).fit(scores, self.codes[places])
        weights, bias = np.zeros((scores.shape[1], self.n_classes)), np.full(self.n_classes, NO_PROBABILITY)
        if len(model.classes_) == 2:
            bias[model.classes_[0]] = 0.0
            weights[:, model.classes_[1]], bias[model.classes_[1]] = model.coef_[0], model.intercept_[0]
        else:
            weights[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
        return weights, bias

    def loss(self, scores: NDArray[np.float64], places: NDArray[np.int64]) -> float:
        """Cross-entropy of the probabilities on rows not seen."""
        weights, bias = self.outputs(scores, places)
        logits = scores @ weights + bias
        top = logits.max(axis=1)
        total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        return float((total - logits[np.arange(len(places)), self.codes[places]]).mean())


def _solved(
    model: Any, rows: NDArray[np.float64], use: NDArray[np.int64], wanted: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A machine of libsvm as coefficients (n, 1) of all rows and an intercept (1,)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the limit of steps ends a fit that would improve by less than it costs
        model.fit(rows[use], wanted)
    coefficients = np.zeros((len(rows), 1))
    coefficients[use[model.support_], 0] = model.dual_coef_[0]
    return coefficients, np.asarray(model.intercept_, dtype=np.float64)


def _unseen_scores(
    machine: _Values | _Classes,
    rows: NDArray[np.float64],
    folds: NDArray[np.int64],
    places: NDArray[np.int64],
    choice: Choice,
) -> NDArray[np.float64]:
    """Scores (p, s) of the rows at `places`, each from a machine fitted on the other parts of these rows."""
    scores = np.empty((len(places), machine.n_scores))
    for fold in np.unique(folds[places]):
        is_part = folds[places] == fold
        coefficients, intercept = machine.fit(rows, places[~is_part], choice)
        used = np.flatnonzero(np.any(coefficients != 0, axis=1))
        kernel = np.exp(-choice.reach * squared_distances(rows[places[is_part]], rows[used]))
        scores[is_part] = kernel @ coefficients[used] + intercept
    return scores


def _choices(settings: SvmSettings, n_columns: int) -> tuple[Choice, ...]:
    """Every penalty with every gamma that the settings leave open, smooth surfaces first."""
    penalties = PENALTIES if settings.penalty is None else (settings.penalty,)
    reaches = tuple(r / n_columns for r in REACHES) if settings.reach is None else (settings.reach,)
    return tuple(Choice(penalty, reach) for penalty in penalties for reach in reaches)


def _best_choice(
    machine: _Values | _Classes, rows: NDArray[np.float64], folds: NDArray[np.int64], choices: Sequence[Choice]
) -> Choice:
    """The choice with the smallest loss on rows not seen, from at most 1,500 rows; a tie goes to the first."""
    if len(choices) == 1:
        return choices[0]
    places = thinned_rows(len(rows), JUDGED_ROWS, getattr(machine, "codes", None))
    losses = [machine.loss(_unseen_scores(machine, rows, folds, places, choice), places) for choice in choices]
    return choices[int(np.argmin(losses))]


SPEC = Svm()
