"""Nearest neighbours: a new row is what the most similar training rows were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.folds import random_folds
from core.models.nearest import chunk_rows, nearest, weighted_mean
from core.models.spec import Engine, Estimate, FittedArrays, Question, Role, Shape, Task
from core.models.standardised import standardise
from core.models.tables import class_codes, class_count, n_statistics, require_rows, thinned_note, thinned_rows, values_of
from core.settings import Settings, setting

SMALLEST = 5
CANDIDATES = (1, 3, 5, 10, 20, 50)
JUDGED_ROWS = 2000


class NearestNeighboursSettings(Settings):
    """How many neighbours, and how each counts."""

    neighbours: int | None = setting(
        None,
        title="Neighbours",
        help="Training rows that are asked; empty: found on rows held back from the training part.",
        ge=1,
        le=1000,
    )
    weighting: Literal["distance", "same"] = setting(
        "distance", title="Weighting", help="A neighbour counts by 1 ÷ its distance, or all count the same."
    )
    most_rows: int = setting(
        20_000,
        title="Rows kept",
        help="Training rows kept, evenly spread; more make scoring slower.",
        unit="rows",
        ge=100,
        le=200_000,
    )


@dataclass(frozen=True, slots=True)
class NearestNeighbours:
    """Standardised training rows as they are; the mean value or the share of classes among the nearest."""

    key: str = "nearest_neighbours"
    title: Message = msg("Nearest neighbours")
    summary: Message = msg("Answers with the most similar rows seen before: needs few columns that all matter.")
    source: str = "Cover, Hart (1967), IEEE Trans. Information Theory 13(1)"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul")
    windowed: bool = False
    settings: type[Settings] = NearestNeighboursSettings
    smallest_rows: int = 1

    def fit_table(
        self,
        inputs: NDArray[np.float64],
        targets: NDArray[np.float64] | None,
        settings: NearestNeighboursSettings,
        seed: int,
        question: Question,
    ) -> FittedArrays:
        """Rows (m, d), their outputs (m, k) (value, or 1 for the class and 0 for the others), mean and scale (d,).

        Raises:
            NotEnoughData: fewer than 5 rows, or one class only.
        """
        require_rows(inputs, SMALLEST, self.title)
        codes = class_codes(targets) if question.is_classes else None
        outputs = values_of(targets)[:, None] if codes is None else np.eye(class_count(codes, question.n_classes))[codes]
        kept = thinned_rows(len(inputs), settings.most_rows, codes)
        standard = standardise(inputs[kept], smallest=SMALLEST)
        outputs = outputs[kept]
        by_distance, count = settings.weighting == "distance", settings.neighbours
        if count is None:
            folds = question.folds[kept] if question.folds is not None else None
            if folds is None or len(np.unique(folds)) < 2:
                folds = random_folds(len(kept), seed, None if codes is None else codes[kept])
            count = _best_count(standard.values, outputs, folds, by_distance)
        arrays = {
            "rows": standard.values,
            "outputs": outputs,
            "mean": standard.mean,
            "scale": standard.reach,
            "neighbours": np.array(float(count)),
            "by_distance": np.array(float(by_distance)),
        }
        notes = thinned_note(self.title, len(kept), len(inputs))
        return FittedArrays("neighbours", arrays, notes=notes, facts={"neighbours": count})

    def fit_estimate(self, settings: NearestNeighboursSettings, shape: Shape, n_windows: int) -> Estimate:
        """The rows kept; time to compare the judged ones with all others."""
        rows, columns = min(settings.most_rows, n_windows), n_statistics(shape)
        seconds = 0.3 + min(rows, JUDGED_ROWS) * rows * (columns + 20) / 1e9
        return Estimate(rows * (columns + shape.n_outputs), 150 * 2**20 + 32 * rows * columns + 2**27, seconds)


def _best_count(rows: NDArray[np.float64], outputs: NDArray[np.float64], folds: NDArray[np.int64], by_distance: bool) -> int:
    """The number of neighbours with the smallest squared error when each part is answered by the others.

    For classes that is the Brier score. At most 2,000 rows, evenly spread, are asked; a tie goes to the smaller number.
    """
    asked = thinned_rows(len(rows), JUDGED_ROWS)
    errors = np.zeros(len(CANDIDATES))
    for fold in np.unique(folds):
        stored, queries = np.flatnonzero(folds != fold), asked[folds[asked] == fold]
        size = chunk_rows(len(stored))
        for start in range(0, len(queries), size):
            some = queries[start : start + size]
            places, distances = nearest(rows[some], rows[stored], max(CANDIDATES))
            said = outputs[stored[places]]
            for i, count in enumerate(CANDIDATES):
                given = weighted_mean(said[:, :count], distances[:, :count], by_distance)
                errors[i] += float(((given - outputs[some]) ** 2).sum())
    return CANDIDATES[int(errors.argmin())]


SPEC = NearestNeighbours()
