"""Cells of any kind as labels of categories, and the checks that views of categories share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Column, Dataset
from core.errors import DataProblem, unknown_column
from core.messages import Message, msg


def labels_of(cells: pd.Series) -> NDArray[np.object_]:
    """Labels (n,) as people write them, None where empty: 3.0 is "3", a time "2026-01-31 06:00:00"."""
    codes, names = pd.factorize(cells, use_na_sentinel=True)
    texts = np.array([*(_label(name) for name in names), None], dtype=object)
    return texts[codes]


def _label(name: object) -> str:
    if isinstance(name, float):
        return f"{name:.0f}" if name == round(name) and abs(name) < 1e15 else f"{name:.12g}"
    return str(name)


def column_named(dataset: Dataset, name: str) -> Column:
    """The column of that name.

    Raises:
        DataProblem: there is none.
    """
    by_name: Mapping[str, Column] = {c.name: c for c in dataset.columns}
    if name not in by_name:
        raise unknown_column(name, by_name)
    return by_name[name]


def number_column(dataset: Dataset, name: str, why: Message) -> Column:
    """The column of numbers of that name; `why` says what the numbers are for.

    Raises:
        DataProblem: there is none, or it holds no numbers.
    """
    column = column_named(dataset, name)
    if column.kind != "number":
        raise DataProblem(
            msg("Column '{column}' holds {kind}, not numbers.", column=name, kind=column.kind),
            why,
            msg("Choose a column of numbers."),
        )
    return column


def different(names: Mapping[str, str | None]) -> None:
    """Refuse one column in two places.

    Raises:
        DataProblem: two of them are the same.
    """
    seen: set[str] = set()
    for name in names.values():
        if name is None:
            continue
        if name in seen:
            raise DataProblem(
                msg("Column '{column}' was named twice.", column=name),
                msg("Expected different columns."),
                msg("Choose another column for one of them."),
            )
        seen.add(name)


def percent(share: float) -> str:
    """A share as people read it: one decimal, two below 1 %."""
    return f"{100 * share:.1f}" if share >= 0.01 or share == 0 else f"{100 * share:.2f}"
