"""Whether a stored column holds remarks, and how long they are: asked of its first filled cells, in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.data.tokens import MOST_CHARACTERS, is_free_text, mean_words
from core.messages import Message, msg

if TYPE_CHECKING:
    import duckdb

LOOKED_AT = 2_000


def holds_remarks(connection: duckdb.DuckDBPyConnection, source: str, name: str, distinct: int) -> bool:
    """Whether the text column `name` of `source` (a table or a reading function) is free text (`is_free_text`).

    Args:
        distinct: How many different texts the whole column has.
    """
    return words_of_remarks(connection, source, name, distinct) is not None


def words_of_remarks(connection: duckdb.DuckDBPyConnection, source: str, name: str, distinct: int) -> float | None:
    """The words of a filled cell in the mean, if the column is free text; else None. Arguments as of `holds_remarks`."""
    q = '"' + name.replace('"', '""') + '"'
    query = f"SELECT left({q}, {MOST_CHARACTERS}) FROM {source} WHERE {q} IS NOT NULL LIMIT {LOOKED_AT}"
    texts = [str(row[0]) for row in connection.execute(query).fetchall()]
    return mean_words(texts) if is_free_text(texts, distinct) else None


def remarks_sentence(words: float) -> Message:
    """What a screen says of a column of free text with so many words a row."""
    return msg("free text, about {words} words a row: text families can learn from it", words=round(words))
