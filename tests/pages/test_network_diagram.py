"""The diagram of a network: layers that only shape or steady values are folded, short cuts stay, no weight is lost."""

from __future__ import annotations

from typing import Any

from core.charts import LIGHT
from pages.components.network_diagram import boxes, dot


def layer(name: str, kind: str, weights: int, *inputs: str) -> dict[str, Any]:
    return {"name": name, "kind": kind, "shape": [30, 8], "weights": weights, "inputs": list(inputs)}


RESIDUAL = [
    layer("windows", "InputLayer", 0),
    layer("first", "Conv1D", 100, "windows"),
    layer("steady", "BatchNormalization", 32, "first"),
    layer("relu", "ReLU", 0, "steady"),
    layer("second", "Conv1D", 200, "relu"),
    layer("sum", "Add", 0, "second", "relu"),
    layer("out", "Dense", 9, "sum"),
]


def test_folded_layers_count_for_the_box_before_them_and_short_cuts_are_kept() -> None:
    made = {box.name: box for box in boxes(RESIDUAL)}
    assert list(made) == ["windows", "first", "second", "sum", "out"]
    assert made["first"].weights == 132
    assert made["second"].inputs == ["first"] and made["sum"].inputs == ["second", "first"]
    assert sum(box.weights for box in made.values()) == sum(entry["weights"] for entry in RESIDUAL)


def test_the_text_of_the_diagram_has_a_box_a_layer_and_an_arrow_an_input() -> None:
    hostile = [*RESIDUAL, layer('x" shape=star', "Lambda", 0, "out")]
    text = dot(boxes(hostile), LIGHT.colors)
    assert text.count("->") == 6 and text.count("label=") == 6
    assert "star" not in text and 'label="Lambda\\n30 × 8"' in text
