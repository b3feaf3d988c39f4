"""Decision trees as ONNX, written by hand: a `TreeEnsembleRegressor` and a few steps after it. Used by all tree families.

A library that compares a float32 value with a float64 cut gives the same answer as ONNX with the cut rounded down to
float32, because no float32 lies between the two. So a tree is the same everywhere, and only sums differ in rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPSET = {"": 17, "ai.onnx.ml": 3}
IR_VERSION = 8
Nodes = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """One ONNX operation after the sum of the trees, which is named "sum"; the last must give "score"."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any] | None = None


def rounded_cuts(cuts: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 values that are not above the cuts."""
    rounded = cuts.astype(np.float32)
    return np.where(rounded > cuts, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def branches(tree: Any, number: int) -> Nodes:
    """The cuts of a scikit-learn tree (`tree_`) as ONNX attributes of tree `number`."""
    is_leaf = tree.children_left < 0
    return tree_nodes(
        number,
        is_leaf,
        np.where(is_leaf, 0, tree.feature),
        np.where(is_leaf, np.float32(0), rounded_cuts(tree.threshold)),
        np.where(is_leaf, 0, tree.children_left),
        np.where(is_leaf, 0, tree.children_right),
    )


def tree_nodes(
    number: int,
    is_leaf: NDArray[np.bool_],
    features: NDArray[np.int64],
    cuts: NDArray[np.float32],
    yes: NDArray[np.int64],
    no: NDArray[np.int64],
) -> Nodes:
    """Nodes of one tree by their number: a value at most the cut goes to `yes`, any other to `no`; the root is node 0."""
    return {
        "nodes_treeids": np.full(len(is_leaf), number),
        "nodes_nodeids": np.arange(len(is_leaf)),
        "nodes_featureids": features,
        "nodes_modes": np.where(is_leaf, "LEAF", "BRANCH_LEQ"),
        "nodes_values": cuts,
        "nodes_truenodeids": yes,
        "nodes_falsenodeids": no,
    }


def leaf_weights(number: int, leaves: NDArray[np.int64], targets: NDArray[np.int64], weights: NDArray[np.float64]) -> Nodes:
    """What a leaf adds to an output of the ensemble: node, output and weight, each (m,); a leaf may have several."""
    return {
        "target_treeids": np.full(len(leaves), number),
        "target_nodeids": leaves,
        "target_ids": targets,
        "target_weights": weights,
    }


def joined(nodes: Nodes, leaves: Nodes) -> Nodes:
    """A whole tree."""
    return {**nodes, **leaves}


def ensemble_model(
    trees: Sequence[Nodes],
    n_features: int,
    n_targets: int,
    *,
    is_mean: bool,
    steps: Sequence[Step] = (),
    constants: Mapping[str, float] | None = None,
    n_outputs: int | None = None,
) -> bytes:
    """ONNX bytes: "windows" float32 (n, n_features) → trees, summed or averaged → steps → "score" float32 (n, n_outputs).

    Without steps the score is the sum itself; `n_outputs` is `n_targets` where it is not given.
    """
    from onnx import TensorProto, checker, helper

    nodes = {name: np.concatenate([tree[name] for tree in trees]).tolist() for name in trees[0]}
    ensemble = helper.make_node(
        "TreeEnsembleRegressor",
        ["windows"],
        ["sum" if steps else "score"],
        domain="ai.onnx.ml",
        n_targets=n_targets,
        aggregate_function="AVERAGE" if is_mean else "SUM",
        **nodes,
    )
    after = [helper.make_node(s.kind, list(s.inputs), [s.output], **(s.attributes or {})) for s in steps]
    graph = helper.make_graph(
        [ensemble, *after],
        "trees",
        [helper.make_tensor_value_info("windows", TensorProto.FLOAT, [None, n_features])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, n_outputs or n_targets])],
        [helper.make_tensor(name, TensorProto.FLOAT, [1], [value]) for name, value in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSET.items()]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="andon")
    checker.check_model(model)
    return bytes(model.SerializeToString())
