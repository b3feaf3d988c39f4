"""The layers of a built network as plain data, for a diagram and a table: what each does, its output's shape, its weights."""

from __future__ import annotations

from typing import Any


def network_layers(model: Any) -> dict[str, Any]:
    """What the event "network" says of a Keras model.

    Returns:
        "layers": one entry a layer in the order of the forward pass, with "name", "kind" (the layer's class), "shape"
        (of its output without the batch; None where it is free), "weights" (numbers that are fitted or kept), "inputs"
        (names of the layers before it); "weights": all of them.
    """
    layers = [
        {
            "name": layer.name,
            "kind": type(layer).__name__,
            "shape": _shape(layer),
            "weights": int(layer.count_params()),
            "inputs": _inputs(layer),
        }
        for layer in model.layers
    ]
    return {"layers": layers, "weights": int(model.count_params())}


def _shape(layer: Any) -> list[int | None]:
    output = layer.output
    first = output[0] if isinstance(output, list | tuple) else output
    return [None if size is None else int(size) for size in first.shape[1:]]


def _inputs(layer: Any) -> list[str]:
    """Names of the layers whose output this one reads; what lies between (slices, sums as plain operations) is passed over."""
    import keras

    found: list[str] = []
    for node in layer._inbound_nodes:  # Keras 3 has no public way to the graph of a functional model
        for tensor in node.input_tensors:
            before = tensor._keras_history.operation
            names = [before.name] if isinstance(before, keras.layers.Layer) else _inputs(before)
            found += [str(name) for name in names if name not in found and name != layer.name]
    return found
