"""Columns that may give the answer away, told in the training part before anything is trained; see `core.screening.leaks`."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pandas as pd

from core.data.split import TRAIN, Split
from core.features.targets import class_texts
from core.messages import Message, msg
from core.screening.leaks import Leak, class_leak, value_leak
from core.training.resolve import Resolved

READ_ROWS, MOST_ROWS = 100_000, 20_000
MOST_NAMED = 5


def find_leaks(split: Split, resolved: Resolved) -> tuple[Leak, ...]:
    """At most five columns; none for a question without a target to be given away. Only training rows are read."""
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
        found = (class_leak(column, table[column.name], np.asarray(different), codes) for column in columns)
    else:
        found = (value_leak(column, table[column.name], table[target]) for column in columns)
    return tuple(islice((leak for leak in found if leak is not None), MOST_NAMED))


def leak_note(leak: Leak) -> Message:
    """A leak as a question of time, for a person who can answer it."""
    return msg(
        "'{column}' may give the answer away: {words}. If it is written down with the result or after it, set its role to 'ignore'.",
        column=leak.column,
        words=leak.words,
    )
