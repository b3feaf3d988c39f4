"""Which family first, and why, in words: a documented rule on question, size and order of the rows.

Rule: below 200 training rows, and for a forecast, a straight-line model; remaining life → LSTM over the last 30 rows; anomalies →
distance to the nearest neighbours; a value or class from a table → dense network, with a text family beside it where there is free text. The alternatives say when they are the better choice. Nothing is tried here: no test part is read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.messages import Message, msg

FEW_ROWS = 200


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A model key, the reason, and other keys with theirs."""

    model: str
    reason: Message
    alternatives: tuple[tuple[str, Message], ...]


def recommend_model(task: str, *, n_rows: int, has_order: bool, has_text: bool = False) -> Recommendation:
    """The family to start with. `has_order` says that rows follow each other in time, `has_text` that a column is free text."""
    if task == "anomaly":
        return _anomaly(n_rows, has_order)
    if task == "rul":
        return Recommendation(
            "lstm",
            msg("Wear shows in how the sensors move over the last cycles; an LSTM reads them in order."),
            (
                ("cnn", msg("Trains faster; good when short patterns matter more than the long trend.")),
                ("gru", msg("A lighter LSTM; often as good with less data.")),
                ("gradient_boosting", msg("Many small trees on window statistics: strong without a network, in a minute.")),
                ("ridge", msg("A straight line on window statistics: the yardstick, trained in seconds.")),
            ),
        )
    if task == "forecast":
        return Recommendation(
            "ridge",
            msg("A straight line through the series' own past: hard to beat on a short series, fitted in seconds."),
            (
                ("gru", msg("Follows how the last rows went; for series that bend, with thousands of rows.")),
                ("cnn", msg("Trains faster; good when short patterns matter more than the long trend.")),
                ("gradient_boosting", msg("Many small trees on the last rows: for series that jump between states.")),
                ("season_ago", msg("The same hour yesterday or last week: what every forecast has to beat.")),
            ),
        )
    found = _table(task, n_rows, has_order)
    return replace(found, alternatives=(*_texts(n_rows), *found.alternatives)) if has_text else found


def _texts(n_rows: int) -> tuple[tuple[str, Message], ...]:
    """What reads the remarks of a table: the network from 200 rows on, the bag of words always."""
    bag = ("bag_of_words", msg("If the remarks matter: which words they have, in seconds."))
    return (bag,) if n_rows < FEW_ROWS else (("text_gru", msg("If the remarks matter: reads them word by word.")), bag)


def _anomaly(n_rows: int, has_order: bool) -> Recommendation:
    yardstick = (
        ("pca_t2_spe", msg("The control chart for many sensors at once; often enough, and easy to explain.")),
        ("isolation_forest", msg("Finds odd combinations without assuming straight-line relations.")),
    )
    if n_rows < FEW_ROWS:
        return Recommendation(
            "pca_t2_spe",
            msg("With {n} rows a control chart on principal components is all that the data can carry.", n=n_rows),
            (("dense_autoencoder", msg("Worth a try when more rows are there.")), yardstick[1]),
        )
    if not has_order:
        return Recommendation(
            "knn_distance",
            msg("The rows have no order in time: each is compared with the normal rows that are most like it."),
            (("dense_autoencoder", msg("Learns how the sensors go together; better with many rows.")), *yardstick),
        )
    return Recommendation(
        "knn_distance",
        msg("The last rows are compared with the normal stretches that are most like them; fitted in seconds."),
        (
            ("conv_autoencoder", msg("A network: learns what normal stretches look like; for shapes that vary a lot.")),
            ("lstm_autoencoder", msg("Slower; for slow processes with long memory.")),
            *yardstick,
        ),
    )


def _table(task: str, n_rows: int, has_order: bool) -> Recommendation:
    baseline = "ridge" if task == "regression" else "logistic"
    line = msg("A straight-line model: the yardstick, trained in seconds and easy to explain.")
    if n_rows < FEW_ROWS:
        return Recommendation(
            baseline,
            msg("With {n} rows a straight-line model is safer than a network.", n=n_rows),
            (("dense", msg("Worth a try when more rows are there.")),),
        )
    trees = (
        "gradient_boosting",
        msg("Many small trees, each correcting the ones before: often the best on a table, in a minute."),
    )
    sequence = (
        ("cnn", msg("If the rows before matter: looks at the last rows for short patterns.")),
        ("lstm", msg("If the rows before matter: follows slow changes over the last rows.")),
    )
    return Recommendation(
        "dense",
        msg("Each row is a part with its own settings; a dense network finds curved and combined effects."),
        (trees, (baseline, line), *(sequence if has_order else ())),
    )
