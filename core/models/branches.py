"""The families as a tree: what kind of thing each is, for a person who has to choose one.

`rows` is a rule of thumb and no limit: from about so many training rows on a family of its default size is worth a
try. It grows with the number of values that are fitted; a straight line of a few weights needs tens of rows, a network
of some thousand weights hundreds, one that compares every row of a window with every other thousands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.messages import Message, msg


@dataclass(frozen=True, slots=True)
class Branch:
    """Families of one kind: `rows` maps the key of each to the training rows from which on it is worth a try."""

    key: str
    title: Message
    summary: Message
    rows: Mapping[str, int]


BRANCHES: tuple[Branch, ...] = (
    Branch(
        "repeated",
        msg("What was before"),
        msg("Earlier values repeated: nothing is learned, and every forecast has to beat them."),
        {"last_value": 2, "season_ago": 20},
    ),
    Branch(
        "lines",
        msg("Straight lines"),
        msg("The yardstick of every other model: done in seconds, and each weight can be read."),
        {"linear": 30, "ridge": 20, "logistic": 50},
    ),
    Branch(
        "trees",
        msg("Decision trees"),
        msg("Thresholds and combinations of columns; hardly any preparation, strong on tables."),
        {"random_forest": 100, "gradient_boosting": 200},
    ),
    Branch(
        "likeness",
        msg("Likeness to rows seen before"),
        msg("For small tables of few columns that all matter."),
        {"svm": 100, "nearest_neighbours": 100},
    ),
    Branch(
        "rows",
        msg("Networks for single rows"),
        msg("For parts and batches that stand alone: bent and combined effects of many columns."),
        {"dense": 300, "tabular": 300},
    ),
    Branch(
        "patterns",
        msg("Short patterns in a signal"),
        msg("For vibration, pressure curves and cycles: a shape matters wherever in the window it stands."),
        {"minirocket": 100, "cnn": 500, "resnet": 2_000},
    ),
    Branch(
        "memory",
        msg("Memory over many rows"),
        msg("For wear and drift: what happened earlier in the window counts for what comes."),
        {"rnn": 500, "gru": 500, "lstm": 500, "bigru": 1_000, "bilstm": 1_000, "cnn_lstm": 1_000, "tcn": 1_000},
    ),
    Branch(
        "attention",
        msg("Attention"),
        msg("Every row of the window is compared with every other; needs the most data."),
        {"transformer": 3_000},
    ),
    Branch(
        "remarks",
        msg("Free text"),
        msg("For remarks of inspectors and operators, alone or beside the other columns."),
        {"bag_of_words": 100, "text_gru": 500, "text_attention": 10_000},
    ),
    Branch(
        "odd_rows",
        msg("Odd rows"),
        msg("How far a row lies from the healthy ones; fitted in seconds."),
        {
            "pca_t2_spe": 50,
            "knn_distance": 50,
            "kmeans_distance": 100,
            "isolation_forest": 100,
            "ecod": 100,
            "copod": 100,
            "lof": 200,
            "one_class_svm": 200,
            "matrix_profile": 200,
            "combined": 100,
        },
    ),
    Branch(
        "rebuilding",
        msg("Networks that rebuild the healthy state"),
        msg("What the network cannot rebuild is odd, and its sensors are named."),
        {"dense_autoencoder": 300, "vae": 300, "conv_autoencoder": 500, "lstm_autoencoder": 1_000},
    ),
    Branch(
        "forecasting",
        msg("Networks that foretell the next row"),
        msg("What comes otherwise than the rows before let expect is odd; for signals with a rhythm."),
        {"cnn_forecaster": 500, "lstm_forecaster": 1_000},
    ),
)
