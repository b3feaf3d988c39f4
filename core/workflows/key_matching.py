"""Key columns of two files made comparable: 7 in one file and "07" in the other name the same part, if only one does.

A column is read as numbers or as texts by what stands in all of its cells, so that the same keys may come as numbers
from one file and as texts from a longer one. Nothing is joined here.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.errors import DataProblem
from core.messages import Message, msg


def comparable_keys(scored: pd.DataFrame, known: pd.DataFrame, keys: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with keys of one kind: where one has numbers and the other texts, both become texts.

    Raises:
        DataProblem: times on one side only, or two texts for a number that occurs.
    """
    for key in keys:
        kinds = {_kind(scored[key]), _kind(known[key])}
        if len(kinds) == 1:
            continue
        if "time" in kinds:
            raise _different_kinds(key, msg("it holds times in one file only"))
        if _kind(scored[key]) == "number":
            scored = scored.assign(**{key: _as_written(scored[key], known[key], key)})
        else:
            known = known.assign(**{key: _as_written(known[key], scored[key], key)})
    return scored, known


def _kind(cells: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(cells):
        return "time"
    return "number" if pd.api.types.is_numeric_dtype(cells) else "text"


def _as_written(numbers: pd.Series, texts: pd.Series, key: str) -> pd.Series:
    """The numbers as the other file writes them; those it does not have as plain digits, which then match nothing."""
    written = pd.Series(texts.dropna().unique(), dtype="object").astype(str)
    values = pd.to_numeric(written.str.strip(), errors="coerce")
    by_number: dict[float, str] = {}
    occurring = set(numbers.dropna())
    for text, value in zip(written, values, strict=True):
        if value in occurring and value in by_number:
            raise _different_kinds(key, msg("'{a}' and '{b}' are the same number", a=by_number[value], b=text))
        by_number[value] = text
    plain = [None if pd.isna(n) else by_number.get(n, repr(float(n))) for n in numbers]
    return pd.Series(plain, index=numbers.index, dtype="str")


def _different_kinds(key: str, reason: Message) -> DataProblem:
    return DataProblem(
        msg("The key '{key}' cannot be compared: {reason}.", key=key, reason=reason),
        msg("Expected the same way of writing it in both files."),
        msg("Write the column alike in both files, or leave it out of the truth."),
    )
