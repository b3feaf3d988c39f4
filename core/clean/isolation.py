"""Outlying rows by an isolation forest, replayed in NumPy from arrays.

A row that few random cuts separate from the rest is odd in combination, even when each cell is inside its own
limits. scikit-learn grows the trees in `fit`; applying needs NumPy only.
Source: Liu, Ting, Zhou, "Isolation Forest", ICDM 2008.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import names_of, numbers
from core.clean.row_outliers import (
    ROW_ACTION_HELP,
    RowAction,
    completed,
    mark_rows,
    nothing_marked,
    threshold_at,
    training_values,
)
from core.clean.step import FILE_ORDER, Applied, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg
from core.settings import Settings, setting

LEAF = -1
_CHUNK = 512  # rows whose walk through all trees stays in the processor's cache


class IsolationSettings(Settings):
    """How many rows may be marked, and how the forest is grown."""

    share: float = setting(
        0.01, title="Share of rows", help="At most this share of training rows is marked as odd.", gt=0, le=0.5, expert=False
    )
    action: RowAction = setting("flag", title="What to do", help=ROW_ACTION_HELP, expert=False)
    n_trees: int = setting(100, title="Trees", help="More trees give steadier scores and take longer.", ge=10, le=500)
    rows_per_tree: int = setting(
        256, title="Rows a tree", help="Training rows drawn for each tree.", unit="rows", ge=8, le=4096
    )
    seed: int = setting(7, title="Seed", help="Same seed and same rows give the same forest.", ge=0, le=2**31 - 1)


@dataclass(frozen=True, slots=True)
class _Walk:
    """A forest in which leaves lead to themselves, so that all rows can take the same number of steps."""

    feature: NDArray[np.int32]
    cut: NDArray[np.float64]
    child: NDArray[np.int32]
    depth: int


@dataclass(frozen=True, slots=True)
class Forest:
    """All trees one after another. `feature` is LEAF at leaves; `value` is the cut there, or a leaf's path length.

    `roots` (n_trees,) and `left`, `right` (n_nodes,) are places in the flat arrays. A row goes left when its float32
    cell is ≤ the cut. `usual_path` is the mean path length of an unsuccessful search, c(ψ) of the paper.
    """

    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    value: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    usual_path: float

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """2^(-mean path length / c(ψ)) for each row of (n_rows, n_features): higher = odder, 0 to 1."""
        walk = self._walk()
        length = np.concatenate([self._lengths(values[i : i + _CHUNK], walk) for i in range(0, max(len(values), 1), _CHUNK)])
        return 2.0 ** (-length / (len(self.roots) * self.usual_path))

    def _lengths(self, values: NDArray[np.float64], walk: _Walk) -> NDArray[np.float64]:
        """Sum of path lengths over all trees, (n_rows,): every tree takes every row one level down at a time."""
        cells = values.astype(np.float32).ravel()
        row = np.arange(len(values), dtype=np.int32) * values.shape[1]
        node = np.repeat(self.roots.astype(np.int32)[:, None], len(values), axis=1)
        for _ in range(walk.depth):
            goes_right = cells.take(walk.feature.take(node) + row) > walk.cut.take(node)
            node = walk.child.take(2 * node + goes_right)
        return np.asarray(self.value.take(node).sum(axis=0))

    def _walk(self) -> _Walk:
        is_leaf = self.feature == LEAF
        child = np.column_stack([self.left, self.right]).astype(np.int32)
        child[is_leaf] = np.flatnonzero(is_leaf)[:, None]
        depth, level = 0, self.roots
        while not is_leaf[level].all():
            level, depth = np.unique(child[level]), depth + 1
        feature = np.where(is_leaf, 0, self.feature).astype(np.int32)
        return _Walk(feature, np.where(is_leaf, np.inf, self.value), child.ravel(), depth)


@dataclass(frozen=True, slots=True)
class FittedIsolation:
    """A forest with its threshold: a row is odd when score > threshold. No forest: nothing is marked, with a note."""

    columns: tuple[str, ...]
    medians: tuple[float, ...]
    forest: Forest | None
    threshold: float
    action: RowAction
    key: str = "isolation_outliers"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        values = {name: numbers(table, name) for name in self.columns}
        if self.forest is None:
            return nothing_marked(table, self.action)
        return mark_rows(table, self.action, values, self.forest.scores(completed(values, self.medians)) > self.threshold)

    def state(self) -> dict[str, object]:
        return {
            "columns": list(self.columns),
            "medians": list(self.medians),
            "forest": None if self.forest is None else _forest_state(self.forest),
            "threshold": self.threshold,
            "action": self.action,
        }


@dataclass(frozen=True, slots=True)
class IsolationOutliers:
    """Odd rows over several columns.

    Empty cells count as the training median, so a row without any value scores like the middle of the data. Needs
    two training rows and a column that varies; else nothing is marked, with a note. Clipping is not offered: a forest
    has no limit a column to clip to.
    """

    title: Message
    summary: Message
    key: str = "isolation_outliers"
    settings: type[Settings] = IsolationSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedIsolation:
        chosen = IsolationSettings.model_validate(settings.model_dump())
        medians, inputs = training_values(train, columns)
        if len(inputs) < 2 or not (np.ptp(inputs, axis=0) > 0).any():
            return FittedIsolation(names_of(columns), medians, None, 1.0, chosen.action)
        forest = grow_forest(inputs, chosen)
        threshold = threshold_at(forest.scores(inputs), chosen.share)
        return FittedIsolation(names_of(columns), medians, forest, threshold, chosen.action)

    def restore(self, state: Mapping[str, object]) -> FittedIsolation:
        s: Mapping[str, Any] = state
        forest = None if s["forest"] is None else _read_forest(s["forest"])
        return FittedIsolation(tuple(s["columns"]), tuple(s["medians"]), forest, s["threshold"], s["action"])


def grow_forest(values: NDArray[np.float64], settings: IsolationSettings) -> Forest:
    """Grow the trees with scikit-learn on (n_rows, n_features) finite values and flatten them."""
    from sklearn.ensemble import IsolationForest

    n_drawn = min(settings.rows_per_tree, len(values))
    grown = IsolationForest(n_estimators=settings.n_trees, max_samples=n_drawn, random_state=settings.seed).fit(
        values.astype(np.float32)
    )
    trees = [e.tree_ for e in grown.estimators_]
    roots = np.cumsum([0, *(t.node_count for t in trees)])[:-1]
    return Forest(
        roots=roots.astype(np.int64),
        feature=np.concatenate([np.where(t.children_left < 0, LEAF, t.feature) for t in trees]).astype(np.int64),
        value=np.concatenate([np.where(t.children_left < 0, _path_lengths(t), t.threshold) for t in trees]),
        left=np.concatenate([t.children_left + r for t, r in zip(trees, roots, strict=True)]).astype(np.int64),
        right=np.concatenate([t.children_right + r for t, r in zip(trees, roots, strict=True)]).astype(np.int64),
        usual_path=float(usual_path(np.array([n_drawn]))[0]),
    )


def usual_path(n: NDArray[np.int64]) -> NDArray[np.float64]:
    """c(n) = 2 (ln(n-1) + γ) - 2 (n-1) / n; 0 for one row and 1 for two (Liu et al. 2008, equation 1)."""
    many = np.maximum(n, 3)
    length = 2 * (np.log(many - 1.0) + np.euler_gamma) - 2 * (many - 1.0) / many
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, length))


def _path_lengths(tree: Any) -> NDArray[np.float64]:
    """Cuts from the root to each node, plus c(rows in the node)."""
    depth = np.zeros(tree.node_count)
    for node in range(tree.node_count):  # a child always stands after its parent
        if tree.children_left[node] >= 0:
            depth[[tree.children_left[node], tree.children_right[node]]] = depth[node] + 1
    return depth + usual_path(tree.n_node_samples)


def _forest_state(forest: Forest) -> dict[str, object]:
    arrays = {name: getattr(forest, name).tolist() for name in ("roots", "feature", "value", "left", "right")}
    return {**arrays, "usual_path": forest.usual_path}


def _read_forest(state: Mapping[str, Any]) -> Forest:
    places = {name: np.asarray(state[name], dtype=np.int64) for name in ("roots", "feature", "left", "right")}
    return Forest(**places, value=np.asarray(state["value"], dtype=np.float64), usual_path=float(state["usual_path"]))


ISOLATION_OUTLIERS = IsolationOutliers(
    msg("Odd rows by isolation forest"),
    msg("Marks rows whose combination of values is unusual, even when each value alone looks normal."),
)
