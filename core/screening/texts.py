"""Text columns and columns that only name rows: many values, one value, a serial number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Column
from core.data.free_text import remarks_sentence, words_of_remarks
from core.data.roles import MOST_CATEGORIES
from core.messages import msg
from core.screening.order import quoted
from core.screening.records import ClassCount, Reason, ignore

ID_SHARE = 0.95
FEWEST_ROWS = 10
SHOWN_CLASSES = 12


def text_reasons(column: Column, distinct: int, filled: int, n_rows: int, words: float | None = None) -> list[Reason]:
    """One value only, different in nearly every row, or more than 50 values; of free text, of `words` a row in the mean, the
    last two are as they should be, and it is told that it is free text.
    """
    if column.role not in ("sensor", "target") or n_rows < FEWEST_ROWS:
        return []
    fix = ignore(column.role == "target")
    if distinct == 1 and filled > 1:
        return [Reason("constant", "stop", msg("it is the same in every row"), column.name, (), fix)]
    if words is not None:
        return [Reason("free_text", "info", remarks_sentence(words), column.name)]
    if distinct >= ID_SHARE * filled and filled >= FEWEST_ROWS:
        message = msg("different in nearly every row ({distinct} values), like a serial number", distinct=distinct)
        return [Reason("id_like", "stop", message, column.name, (), fix)]
    if distinct > MOST_CATEGORIES:
        message = msg("{distinct} different texts: each would become a column of its own", distinct=distinct)
        return [Reason("many_values", "warn", message, column.name, (), fix)]
    return []


def free_texts(
    connection: duckdb.DuckDBPyConnection, source: str, columns: Sequence[Column], distinct: Mapping[str, int]
) -> dict[str, float]:
    """The text columns among the sensors that hold remarks, each with its words a row in the mean."""
    asked = [c.name for c in columns if c.kind == "text" and c.role == "sensor" and distinct[c.name] > 1]
    found = {name: words_of_remarks(connection, source, name, distinct[name]) for name in asked}
    return {name: words for name, words in found.items() if words is not None}


def counter_reason(column: Column, values: NDArray[np.float64], distinct: int) -> Reason | None:
    """A number that only counts the rows: whole, different in every row, always one step on in the order of the file."""
    if column.role != "sensor" or len(values) < FEWEST_ROWS or distinct < ID_SHARE * len(values):
        return None
    if not bool(np.isfinite(values[[0, -1]]).all()) or abs(values[-1] - values[0]) != len(values) - 1:
        return None
    if not bool((np.diff(values) == np.sign(values[-1] - values[0])).all()):
        return None
    return Reason("id_like", "stop", msg("it counts the rows, like a serial number"), column.name, (), ignore())


def frequent_texts(
    connection: duckdb.DuckDBPyConnection, source: str, names: Sequence[str]
) -> dict[str, tuple[ClassCount, ...]]:
    """The most frequent texts of some columns."""
    found = {}
    for name in names:
        q = quoted(name)
        query = (
            f"SELECT CAST({q} AS VARCHAR) AS value, count(*) AS n FROM {source} WHERE {q} IS NOT NULL"
            f" GROUP BY value ORDER BY n DESC, value LIMIT {SHOWN_CLASSES}"
        )
        found[name] = tuple(ClassCount(str(value), int(n)) for value, n in connection.execute(query).fetchall())
    return found
