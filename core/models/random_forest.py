"""Random forest: the mean of many trees, each grown on other rows and asking other columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.spec import Engine, Estimate, FittedArrays, Question, Role, Shape, Task
from core.models.tables import class_codes, class_count, n_statistics, require_rows, values_of
from core.models.tree_ensemble import branches, ensemble_model, joined, leaf_weights
from core.settings import Settings, setting

SMALLEST = 8
THREADS = 2
MANY_ROWS = 2000
CUTS_A_SECOND = 1.2e6
NODE_BYTES = 600


class RandomForestSettings(Settings):
    """Number and size of the trees."""

    trees: int = setting(100, title="Trees", help="More trees give steadier scores and take longer.", ge=10, le=2000)
    leaf_rows: int = setting(
        3, title="Rows in a leaf", help="A tree makes no cut that leaves fewer training rows.", unit="rows", ge=1, le=10_000
    )
    rows_per_tree: int = setting(
        10_000,
        title="Rows a tree",
        help="Training rows drawn for each tree; a larger number makes a larger file.",
        unit="rows",
        ge=8,
        le=100_000,
    )
    columns_share: float | None = setting(
        None,
        title="Share of columns",
        help="Columns tried at each cut; empty: a third for a value, the square root of their number for a class.",
        gt=0,
        le=1,
    )
    class_weights: bool = setting(False, title="Class weights", help="Let rare classes count as much as common ones.")


@dataclass(frozen=True, slots=True)
class RandomForest:
    """scikit-learn grows the trees, ONNX replays them: the mean leaf, or the mean share of each class."""

    key: str = "random_forest"
    title: Message = msg("Random forest")
    summary: Message = msg(
        "Many trees that vote: finds curved and combined effects, with little to choose; never extrapolates."
    )
    source: str = "Breiman (2001), Machine Learning 45(1)"
    role: Role = "baseline"
    engine: Engine = "onnx"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul")
    windowed: bool = False
    settings: type[Settings] = RandomForestSettings
    smallest_rows: int = 1

    def fit_table(
        self,
        inputs: NDArray[np.float64],
        targets: NDArray[np.float64] | None,
        settings: RandomForestSettings,
        seed: int,
        question: Question,
    ) -> FittedArrays:
        """ONNX bytes for inputs (n, d) and targets (n,), n ≥ 8: "windows" (n, d) → "score" (n, 1) or probabilities (n, k).

        Raises:
            NotEnoughData: fewer than 8 rows, or one class only.
        """
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        require_rows(inputs, SMALLEST, self.title)
        common: dict[str, Any] = {
            "n_estimators": settings.trees,
            "min_samples_leaf": settings.leaf_rows,
            "max_samples": min(settings.rows_per_tree, len(inputs)),
            "random_state": seed,
            "n_jobs": THREADS if len(inputs) >= MANY_ROWS else 1,
        }
        values = inputs.astype(np.float32)
        if question.is_classes:
            codes = class_codes(targets)
            weight = "balanced" if settings.class_weights else None
            columns = settings.columns_share or "sqrt"
            forest = RandomForestClassifier(max_features=columns, class_weight=weight, **common).fit(values, codes)
            return FittedArrays("onnx", {}, _as_onnx(forest, values.shape[1], class_count(codes, question.n_classes)))
        columns = settings.columns_share or 1 / 3
        forest = RandomForestRegressor(max_features=columns, **common).fit(values, values_of(targets))
        return FittedArrays("onnx", {}, _as_onnx(forest, values.shape[1], 1))

    def fit_estimate(self, settings: RandomForestSettings, shape: Shape, n_windows: int) -> Estimate:
        """Nodes of all trees, and the time of sorting the tried columns level by level."""
        rows, columns = max(2, min(settings.rows_per_tree, n_windows)), n_statistics(shape)
        nodes = settings.trees * max(1, 2 * rows // (2 * settings.leaf_rows))
        tried = max(1, columns * (settings.columns_share or 1 / 3))
        seconds = 0.5 + settings.trees * rows * tried * math.log2(rows) ** 1.5 / CUTS_A_SECOND / 60
        return Estimate(nodes, 150 * 2**20 + 12 * n_windows * columns + NODE_BYTES * nodes, seconds)


def _as_onnx(forest: Any, n_features: int, n_targets: int) -> bytes:
    """The mean over trees of a leaf's value, or of its share of each class; classes without rows have none."""
    codes = getattr(forest, "classes_", np.zeros(1)).astype(np.int64)
    trees = []
    for number, grown in enumerate(forest.estimators_):
        tree = grown.tree_
        leaves = np.flatnonzero(tree.children_left < 0)
        values = tree.value[leaves, 0, :]
        if n_targets > 1:
            values = values / values.sum(axis=1, keepdims=True)
        at, column = np.nonzero(values) if n_targets > 1 else (np.arange(len(leaves)), np.zeros(len(leaves), dtype=np.int64))
        trees.append(joined(branches(tree, number), leaf_weights(number, leaves[at], codes[column], values[at, column])))
    return ensemble_model(trees, n_features, n_targets, is_mean=True)


SPEC = RandomForest()
