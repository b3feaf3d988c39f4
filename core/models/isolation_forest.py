"""Isolation forest: rows that random cuts part from the rest early are odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData
from core.messages import Message, msg
from core.models.spec import Engine, FittedArrays, Role, Task
from core.settings import Settings, setting

OPSET = {"": 17, "ai.onnx.ml": 3}


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
        from sklearn.ensemble import IsolationForest as Forest

        if len(inputs) < 2:
            raise NotEnoughData(
                msg("The training part has {n} usable rows.", n=len(inputs)),
                msg("The isolation forest needs at least 2."),
                msg("Give more rows, or a smaller test and validation part."),
            )
        drawn = min(settings.rows_per_tree, len(inputs))
        forest = Forest(n_estimators=settings.trees, max_samples=drawn, random_state=seed)
        forest.fit(inputs.astype(np.float32))
        return FittedArrays("onnx", {}, _as_onnx(forest, inputs.shape[1], float(forest.offset_)))


def _as_onnx(forest: Any, n_features: int, offset: float) -> bytes:
    """The forest as ONNX with one output: offset − decision, which is Liu's score s(x)."""
    from onnx import TensorProto, helper
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    model = to_onnx(forest, initial_types=[("windows", FloatTensorType([None, n_features]))], target_opset=OPSET)
    graph = model.graph
    decision = graph.output[1].name
    graph.initializer.append(helper.make_tensor("andon_offset", TensorProto.FLOAT, [1], [-offset]))
    graph.node.append(helper.make_node("Sub", ["andon_offset", decision], ["score"], name="andon_score"))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1]))
    return bytes(model.SerializeToString())


SPEC = IsolationForest()
