"""The example of a bundle: a few raw rows of the training part and what the bundle says of them, for a check after a move."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from core.data.rows import take_rows
from core.errors import Problem
from core.serving.bundle import Bundle
from core.training.prepare import Prepared

EXAMPLE_ROWS = 8


def example(bundle: Bundle, prepared: Prepared) -> bytes:
    """A few raw rows of the training part and what the bundle says of them, for a check after a move.

    Free text that the model does not read is not among them: its column is left out, or its cells are empty where a step
    of the recipe has to find the column. Only where a step takes from it what the answer rests on does it stay.
    """
    places = prepared.train[: max(EXAMPLE_ROWS, prepared.pipeline.width + 4)]
    rows = np.sort(prepared.inputs.row_of_window[places])
    needed = [*bundle.pipeline.plan.columns, *bundle.manifest.key_columns]
    present = set(prepared.rows.names)
    recipe_columns = [c.name for c in bundle.manifest.columns if c.name in present and c.role == "sensor"]
    names = list(dict.fromkeys([*bundle.manifest.key_columns, *recipe_columns, *(n for n in needed if n in present)]))
    table = take_rows(prepared.rows, rows, names).reset_index(drop=True)
    expected = bundle.score(table)
    for name in unread_texts(bundle, prepared):
        table = _without_text(bundle, table, name, expected)
    content = {
        "rows": json.loads(table.to_json(orient="split", date_format="iso", double_precision=15)),
        "expected": json.loads(expected.to_json(orient="split", double_precision=15)),
    }
    return json.dumps(content).encode()


def _without_text(bundle: Bundle, table: pd.DataFrame, name: str, expected: pd.DataFrame) -> pd.DataFrame:
    """The rows without a column of text, or with its cells empty, whichever gives the same answer; else as they are."""
    for other in (table.drop(columns=name), table.assign(**{name: pd.Series([None] * len(table), dtype=table[name].dtype)})):
        try:
            given = bundle.score(other)
        except Problem:  # a step looks for the column
            continue
        if given.equals(expected):
            return other
    return table


def unread_texts(bundle: Bundle, prepared: Prepared) -> tuple[str, ...]:
    """Text columns with too many texts for categories that the model does not read."""
    plan = bundle.pipeline.plan.columns
    texts = [c.name for c in bundle.manifest.columns if c.kind == "text" and c.role == "sensor" and c.name not in plan]
    return tuple(name for name in texts if name in prepared.rows.names)
