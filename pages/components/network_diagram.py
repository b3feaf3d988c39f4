"""The layers of a network as a diagram: boxes in the order of the forward pass, with shapes, weights and short cuts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.charts.theme import FONT, Palette
from core.messages import Message, msg
from pages.components import charts, layout, numbers
from pages.components.text import say, t, tn

# What such a layer does is said by the box before it: a diagram of forty boxes says less than one of ten.
FOLDED = frozenset(
    {"Dropout", "SpatialDropout1D", "Activation", "ReLU", "BatchNormalization", "LayerNormalization", "ZeroPadding1D",
     "Cropping1D", "GaussianNoise", "Reshape"}
)  # fmt: skip
MOST_IN_A_ROW = 8  # more would become too small to read: they stand below each other, and the diagram scrolls
TALLEST = 420
KINDS: Mapping[str, Message] = {
    "InputLayer": msg("window"),
    "Dense": msg("dense"),
    "Conv1D": msg("convolution"),
    "Conv1DTranspose": msg("convolution, widening"),
    "LSTM": msg("LSTM memory"),
    "GRU": msg("GRU memory"),
    "SimpleRNN": msg("simple memory"),
    "Bidirectional": msg("memory, both directions"),
    "MultiHeadAttention": msg("attention"),
    "Add": msg("sum"),
    "Concatenate": msg("side by side"),
    "Flatten": msg("rows side by side"),
    "RepeatVector": msg("repeated for each row"),
    "GlobalAveragePooling1D": msg("mean over the window"),
    "GlobalMaxPooling1D": msg("largest of the window"),
    "MaxPooling1D": msg("largest of neighbours"),
    "UpSampling1D": msg("each row twice"),
}


@dataclass
class Box:
    """One box of the diagram: a layer and what was folded into it."""

    name: str
    kind: str
    shape: Sequence[int | None]
    weights: int
    inputs: list[str] = field(default_factory=list)


def boxes(layers: Sequence[Mapping[str, Any]]) -> list[Box]:
    """The boxes of the layers of an event "network"; a folded layer's weights count for the box before it."""
    stands_for: dict[str, str] = {}
    found: dict[str, Box] = {}
    for layer in layers:
        before = list(dict.fromkeys(stands_for[name] for name in layer["inputs"] if name in stands_for))
        if layer["kind"] in FOLDED and len(before) == 1:
            stands_for[layer["name"]] = before[0]
            found[before[0]].weights += int(layer["weights"])
            continue
        stands_for[layer["name"]] = layer["name"]
        found[layer["name"]] = Box(layer["name"], layer["kind"], layer["shape"], int(layer["weights"]), before)
    return list(found.values())


def show(network: Mapping[str, Any] | None) -> None:
    """The diagram behind a line that says how large the network is; nothing before the worker has built it."""
    if not network:
        return
    made = boxes(network["layers"])
    n = int(network["weights"])
    title = t("Layers of the network: {n} weights", n=numbers.number(n))
    with st.expander(title, icon=":material/account_tree:", key="network_layers"):
        text, is_long = dot(made, charts.theme().colors), len(made) > MOST_IN_A_ROW
        with st.container(height=TALLEST if is_long else "content", border=False, horizontal_alignment="center"):
            st.graphviz_chart(text, width="content" if is_long else "stretch")
        layout.caption(
            tn("{n} layer", "{n} layers", len(network["layers"])),
            t("normalisation, dropout and padding are counted with the box before them"),
        )


def dot(made: Sequence[Box], colours: Palette) -> str:
    """The diagram in Graphviz' language; texts are escaped, names of layers become numbers."""
    number = {box.name: place for place, box in enumerate(made)}
    look = f'fontname="{FONT.split(",")[0]}" fontsize=11'
    lines = [
        f'digraph {{ rankdir={"TB" if len(made) > MOST_IN_A_ROW else "LR"}; bgcolor="transparent"; nodesep=0.25; ranksep=0.3;',
        f'node [shape=box style="rounded,filled" fillcolor="{colours.surface}" color="{colours.border}" '
        f'fontcolor="{colours.text}" {look} margin="0.1,0.06"];',
        f'edge [color="{colours.muted}" arrowsize=0.6];',
    ]
    for box in made:
        lines.append(f'n{number[box.name]} [label="{_quoted(_label(box))}"];')
    for box in made:
        lines += [f"n{number[name]} -> n{number[box.name]};" for name in box.inputs]
    return "\n".join([*lines, "}"])


def _label(box: Box) -> str:
    kind = say(KINDS[box.kind]) if box.kind in KINDS else box.kind
    shape = " × ".join("?" if size is None else str(size) for size in box.shape)
    weights = tn("{n} weight", "{n} weights", box.weights) if box.weights else ""
    return "\n".join(part for part in (kind, shape, weights) if part)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
