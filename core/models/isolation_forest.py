"""Isolation forest: rows that random cuts part from the rest early are odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData
from core.messages import Message, msg
from core.models.spec import Engine, FittedArrays, Role, Task
from core.models.tree_ensemble import Nodes, Step, branches, ensemble_model, joined, leaf_weights
from core.settings import Settings, setting


class IsolationForestSettings(Settings):
    """Number of trees and rows a tree."""

    trees: int = setting(200, title="Trees", help="More trees give steadier scores and take longer.", ge=10, le=2000)
    rows_per_tree: int = setting(
        256, title="Rows a tree", help="Training rows drawn for each tree.", unit="rows", ge=2, le=100_000
    )


@dataclass(frozen=True, slots=True)
class IsolationForest:
    """Mean path length over random trees, as a score in (0, 1): above 0.5 is shorter than usual."""

    key: str = "isolation_forest"
    title: Message = msg("Isolation forest")
    summary: Message = msg("Finds single odd rows without any assumption on their shape; sees no order in time.")
    source: str = "Liu, Ting, Zhou (2008), ICDM"
    role: Role = "baseline"
    engine: Engine = "onnx"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = False
    settings: type[Settings] = IsolationForestSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: IsolationForestSettings, seed: int
    ) -> FittedArrays:
        """ONNX bytes for inputs (n, d), n ≥ 2: "windows" float32 (n, d) → "score" float32 (n, 1). `targets` is not used.

        Raises:
            NotEnoughData: fewer than 2 rows.
        """
        from pyod.models.iforest import IForest

        if len(inputs) < 2:
            raise NotEnoughData(
                msg("The training part has {n} usable rows.", n=len(inputs)),
                msg("The isolation forest needs at least 2."),
                msg("Give more rows, or a smaller test and validation part."),
            )
        drawn = min(settings.rows_per_tree, len(inputs))
        detector = IForest(n_estimators=settings.trees, max_samples=drawn, random_state=seed)
        detector.fit(inputs.astype(np.float32))
        return FittedArrays("onnx", {}, _as_onnx(detector.detector_, inputs.shape[1]))


def usual_path(n_rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean path length of an unsuccessful search in a binary tree of n rows: 2 H(n − 1) − 2 (n − 1) / n; 1 row: 0, 2 rows: 1.

    H(i) is taken as ln i + γ. Source: Liu, Ting, Zhou (2008), equation 1.
    """
    n = np.maximum(n_rows, 2.0)
    long = 2 * (np.log(n - 1) + np.euler_gamma) - 2 * (n - 1) / n
    return np.where(n_rows <= 1, 0.0, np.where(n_rows <= 2, 1.0, long))


def _as_onnx(forest: Any, n_features: int) -> bytes:
    """The forest as ONNX: the mean path length h over all trees, then s = 2^(−h / c), c the usual path of a tree's rows."""
    trees = [
        joined(branches(tree.tree_, number), _leaves(tree.tree_, number)) for number, tree in enumerate(forest.estimators_)
    ]
    usual = float(usual_path(np.array(float(forest.max_samples_))))
    steps = [Step("Mul", ("sum", "per_path"), "exponent"), Step("Pow", ("two", "exponent"), "score")]
    return ensemble_model(
        trees, n_features, n_targets=1, is_mean=True, steps=steps, constants={"per_path": -1 / usual, "two": 2.0}
    )


def _leaves(tree: Any, number: int) -> Nodes:
    """What the leaves of a tree weigh: their depth plus the usual path of the rows that ended there."""
    depth = np.zeros(tree.node_count)
    for node in np.flatnonzero(tree.children_left >= 0):
        depth[[tree.children_left[node], tree.children_right[node]]] = depth[node] + 1
    leaves = np.flatnonzero(tree.children_left < 0)
    weights = depth[leaves] + usual_path(tree.n_node_samples[leaves].astype(np.float64))
    return leaf_weights(number, leaves, np.zeros(len(leaves), dtype=np.int64), weights)


SPEC = IsolationForest()
