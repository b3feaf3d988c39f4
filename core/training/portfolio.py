"""Which families the automatic choice tries, and in which order: a documented rule on question, size and order of the rows.

Cheap and strong ones first, so that something good is there whatever the time: the baseline, boosting, forest; then the other
shallow ones; then networks, those first that gain most for their time. Nothing is read but the number of rows; which of them
fit into the minutes is the matter of `core/jobs/slices.py`.

| question | tried, in this order |
|---|---|
| value, class | baseline, gradient boosting, random forest, support vectors (up to 5,000 rows), nearest neighbours (up to 20,000), tabular and dense network (from 200 rows) |
| value, class; rows in order, from 1,000 | the same, then MiniRocket, convolutional and recurrent networks on windows |
| value, class; with a column of free text | the same, and behind the baseline a bag of words; before the other networks a GRU on the words (from 200 rows) and attention (from 10,000) |
| remaining life | baseline, gradient boosting, random forest; GRU, CNN, LSTM, transformer, MiniRocket |
| forecast | one season ago, last value, ridge, gradient boosting; from 200 rows GRU, convolutional, dense network and MiniRocket on windows |
| anomaly | the recommended detector: no labels may be used to choose |
"""

from __future__ import annotations

from dataclasses import dataclass

from core.messages import Message, msg
from core.training.recommend import FEW_ROWS, recommend_model

ORDERED_ROWS = 1_000
KERNEL_ROWS = 5_000
NEIGHBOUR_ROWS = 20_000
ATTENTION_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Keys of families in the order in which they are tried, and those that the rule leaves out, each with the reason."""

    keys: tuple[str, ...]
    left_out: tuple[tuple[str, Message], ...] = ()


def make_portfolio(task: str, *, n_rows: int, has_order: bool, has_text: bool = False) -> Portfolio:
    """The families for a task. `has_order` says that rows follow each other in time, `has_text` that a column is free text."""
    if task == "anomaly":
        return Portfolio((recommend_model(task, n_rows=n_rows, has_order=has_order).model,))
    if task == "forecast":
        return _forecast(n_rows)
    baseline = "logistic" if task == "classification" else "ridge"
    shallow = [baseline, "gradient_boosting", "random_forest"]
    few = msg("{n} rows are too few for a network; from {least} rows on it is tried.", n=n_rows, least=FEW_ROWS)
    if task == "rul":
        networks = ["gru", "cnn", "lstm", "transformer"]
        kept = [*networks, "minirocket"] if n_rows >= FEW_ROWS else []
        return Portfolio((*shallow, *kept), () if kept else tuple((key, few) for key in networks))
    if has_text:
        shallow.insert(1, "bag_of_words")
    left_out: list[tuple[str, Message]] = []
    for key, most in (("svm", KERNEL_ROWS), ("nearest_neighbours", NEIGHBOUR_ROWS)):
        if n_rows <= most:
            shallow.append(key)
        else:
            left_out.append((key, msg("{n} rows are many for it; it is tried up to {most} rows.", n=n_rows, most=most)))
    networks = ["tabular", "dense"] if n_rows >= FEW_ROWS else []
    left_out += [] if networks else [(key, few) for key in ("tabular", "dense")]
    if has_text:  # first: what a remark says is often said nowhere else
        texts = ["text_gru", *(["text_attention"] if n_rows >= ATTENTION_ROWS else [])]
        left_out += [] if networks else [(key, few) for key in texts]
        networks = [*texts, *networks] if networks else []
        if n_rows < ATTENTION_ROWS:
            why = msg("{n} rows are few for it; it is tried from {least} rows on.", n=n_rows, least=ATTENTION_ROWS)
            left_out.append(("text_attention", why))
    if has_order:
        windowed = ["minirocket", "cnn", "gru"]
        if n_rows >= ORDERED_ROWS:
            networks += windowed
        else:
            short = msg(
                "Families that read windows are tried from {least} rows on; there are {n}.", least=ORDERED_ROWS, n=n_rows
            )
            left_out += [(key, short) for key in windowed]
    return Portfolio((*shallow, *networks), tuple(left_out))


def _forecast(n_rows: int) -> Portfolio:
    """Earlier values first: a model that does not beat them is not kept."""
    shallow, networks = ("season_ago", "last_value", "ridge", "gradient_boosting"), ("gru", "cnn", "dense", "minirocket")
    if n_rows >= FEW_ROWS:
        return Portfolio((*shallow, *networks))
    few = msg("{n} rows are too few for a network; from {least} rows on it is tried.", n=n_rows, least=FEW_ROWS)
    return Portfolio(shallow, tuple((key, few) for key in networks))
