"""The example of a bundle: a few raw rows of the training part and what the bundle says of them, for a check after a move."""

from __future__ import annotations

import json

import numpy as np

from core.data.rows import take_rows
from core.serving.bundle import Bundle
from core.training.prepare import Prepared

EXAMPLE_ROWS = 8


def example(bundle: Bundle, prepared: Prepared) -> bytes:
    """A few raw rows of the training part and what the bundle says of them, for a check after a move.

    Free text that the model does not read is not among them, unless a step of the recipe may need it.
    """
    places = prepared.train[: max(EXAMPLE_ROWS, prepared.pipeline.width + 4)]
    rows = np.sort(prepared.inputs.row_of_window[places])
    needed = [*bundle.pipeline.plan.columns, *bundle.manifest.key_columns]
    present = set(prepared.rows.names)
    unread = () if bundle.pipeline.recipe.steps else unread_texts(bundle, prepared)
    recipe_columns = [
        c.name for c in bundle.manifest.columns if c.name in present and c.role == "sensor" and c.name not in unread
    ]
    names = list(dict.fromkeys([*bundle.manifest.key_columns, *recipe_columns, *(n for n in needed if n in present)]))
    table = take_rows(prepared.rows, rows, names).reset_index(drop=True)
    expected = bundle.score(table)
    content = {
        "rows": json.loads(table.to_json(orient="split", date_format="iso", double_precision=15)),
        "expected": json.loads(expected.to_json(orient="split", double_precision=15)),
    }
    return json.dumps(content).encode()


def unread_texts(bundle: Bundle, prepared: Prepared) -> tuple[str, ...]:
    """Text columns with too many texts for categories that the model does not read."""
    plan = bundle.pipeline.plan.columns
    texts = [c.name for c in bundle.manifest.columns if c.kind == "text" and c.role == "sensor" and c.name not in plan]
    return tuple(name for name in texts if name in prepared.rows.names)
