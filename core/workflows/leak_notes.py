"""Columns that may give the answer away: seen in the training part before anything is trained, said as a question of time.

A hint and no verdict: a column that alone tells the result is either the best sensor of the plant or was written down
after the result was known. Only the user knows which. Nothing is read but training rows.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Column
from core.data.split import TRAIN, Split
from core.evaluation import ranking_metrics
from core.features.targets import class_texts
from core.messages import Message, msg
from core.training.resolve import Resolved

READ_ROWS, MOST_ROWS = 100_000, 20_000
FEW_VALUES = 20
CHANCE = 1e-6
CLEAR_AUC, CLEAR_CORRELATION = 0.99, 0.999
MOST_NAMED = 5


def leak_notes(split: Split, resolved: Resolved) -> tuple[Message, ...]:
    """At most five notes, one a column; none for a question without a target to be given away.

    Classes: a column of at most 20 values where every row of one value has the same class, and that class is so rare that
    this has a chance below one in a million; or a number with an ROC AUC of at least .99 against one of two classes.
    Values: a number whose correlation with the target is at least .999 either way.
    """
    task, target = resolved.request.task, resolved.target
    if task not in ("classification", "regression") or target is None:
        return ()
    columns = [c for c in resolved.dataset.columns if c.role == "sensor" and c.kind != "time" and c.name != target]
    table = resolved.dataset.table([target, *(c.name for c in columns)], 0, READ_ROWS)
    rows = np.flatnonzero(split.parts[: len(table)] == TRAIN)
    table = table.iloc[rows[:: -(-len(rows) // MOST_ROWS) or 1]]
    table = table[table[target].notna()]
    if len(table) < 2:
        return ()
    if task == "classification":
        codes, different = pd.factorize(class_texts(table[target]), sort=True)
        notes = (_of_class(column, table[column.name], np.asarray(different), codes) for column in columns)
    else:
        notes = (_of_value(column, table[column.name], table[target]) for column in columns)
    return tuple(islice((note for note in notes if note is not None), MOST_NAMED))


def _of_class(column: Column, cells: pd.Series, classes: NDArray, codes: NDArray[np.int64]) -> Message | None:
    values, different = pd.factorize(cells)
    if len(different) <= FEW_VALUES:
        return _by_value(column, class_texts(pd.Series(different)), values, classes, codes)
    numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan) if column.kind == "number" else np.empty(0)
    known = np.isfinite(numbers)
    if len(classes) != 2 or not known.any():
        return None
    area = ranking_metrics(codes[known] == 1, numbers[known], n_boot=0)[0].value
    clear = area is not None and max(area, 1 - area) >= CLEAR_AUC
    return _note(column, msg("it alone tells '{a}' from '{b}'", a=classes[0], b=classes[1])) if clear else None


def _by_value(
    column: Column, names: NDArray[np.object_], values: NDArray[np.int64], classes: NDArray, codes: NDArray[np.int64]
) -> Message | None:
    """The value of the most rows that all have one class, where that can be no chance."""
    counts = np.zeros((len(names), len(classes)), dtype=np.int64)
    np.add.at(counts, (values[values >= 0], codes[values >= 0]), 1)
    share, rows = counts.sum(axis=0) / max(1, counts.sum()), counts.sum(axis=1)
    first = counts.argmax(axis=1)
    chance = share[first] ** rows
    sure = np.flatnonzero((counts.max(axis=1, initial=0) == rows) & (rows > 0) & (share[first] < 0.5) & (chance < CHANCE))
    if not len(sure):
        return None
    most = sure[np.argmax(rows[sure])]
    words = msg(
        "where it is '{value}', all {n} training rows looked at are '{name}'",
        value=str(names[most]),
        n=int(rows[most]),
        name=str(classes[first[most]]),
    )
    return _note(column, words)


def _of_value(column: Column, cells: pd.Series, target: pd.Series) -> Message | None:
    if column.kind != "number":
        return None
    x, y = (c.to_numpy(dtype=np.float64, na_value=np.nan) for c in (cells, target))
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 10 or np.ptp(x[known]) == 0 or np.ptp(y[known]) == 0:
        return None
    together = float(np.corrcoef(x[known], y[known])[0, 1])
    if abs(together) < CLEAR_CORRELATION:
        return None
    return _note(column, msg("its correlation with the target is {value}", value=round(together, 4)))


def _note(column: Column, words: Message) -> Message:
    return msg(
        "'{column}' may give the answer away: {words}. If it is written down with the result or after it, set its role to 'ignore'.",
        column=column.name,
        words=words,
    )
