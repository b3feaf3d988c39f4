"""Whether a stored column holds remarks: asked of its first filled cells, in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.data.tokens import MOST_CHARACTERS, is_free_text

if TYPE_CHECKING:
    import duckdb

LOOKED_AT = 2_000


def holds_remarks(connection: duckdb.DuckDBPyConnection, source: str, name: str, distinct: int) -> bool:
    """Whether the text column `name` of `source` (a table or a reading function) is free text (`is_free_text`).

    Args:
        distinct: How many different texts the whole column has.
    """
    q = '"' + name.replace('"', '""') + '"'
    query = f"SELECT left({q}, {MOST_CHARACTERS}) FROM {source} WHERE {q} IS NOT NULL LIMIT {LOOKED_AT}"
    return is_free_text([str(row[0]) for row in connection.execute(query).fetchall()], distinct)
