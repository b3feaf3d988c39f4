"""Part numbers that look like powers of ten ("1E5", "12E3"): a column of them is text, or numbers with a word about it.

Only a column all of whose cells are digits, some with an exponent of digits alone, is in doubt. A decimal point or a sign
anywhere in it makes it a measurement ("1.2E-05", "3.0E+5"), which nobody is told of.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.data.column_reading import ColumnReading, Staged
from core.data.findings import Finding
from core.data.roles import words_of
from core.data.staging import Profile, exponent_sql, missing_sql, value_sql
from core.messages import msg_n

_CODE_WORDS = frozenset(
    ["id", "ids", "part", "serial", "code", "codes", "no", "nr", "sku", "article", "item", "lot", "batch", "model", "mpn"]
    + ["ean", "barcode", "artikel", "teil", "charge"]
)
_ENDS = ("nummer", "nr", "kennung")
_CHINESE = ("编号", "编码", "代码", "条码", "料号", "件号", "批号", "批次", "序列号", "型号", "货号", "图号", "物料", "零件")
_AT_ONCE = 200


def names_codes(name: str) -> bool:
    """Whether a column's name says that it holds codes.

    Example:
        >>> [names_codes(n) for n in ("Part-No.", "Teilenummer", "零件编号", "pressure")]
        [True, True, True, False]
    """
    words = words_of(name)
    return bool(set(words) & _CODE_WORDS) or any(w.endswith(_ENDS) for w in words) or any(c in name for c in _CHINESE)


def doubtful_numbers(staged: Staged, columns: Sequence[int]) -> set[int]:
    """Columns staged as numbers that may be such codes, to be staged as text: whole numbers without sign, with a cell
    of that form."""
    found: set[int] = set()
    for part in (columns[start : start + _AT_ONCE] for start in range(0, len(columns), _AT_ONCE)):
        asked = ", ".join(
            f"count(*) FILTER ({exponent_sql(f'x{i}')}), count(*) FILTER (d{i} < 0 OR d{i} != trunc(d{i}))" for i in part
        )
        row = staged.connection.execute(f"SELECT {asked} FROM {staged.table}").fetchone() or ()
        found |= {i for k, i in enumerate(part) if row[2 * k] and not row[2 * k + 1]}
    return found


def code_reading(staged: Staged, column: str, name: str, profile: Profile, sql: str) -> ColumnReading | None:
    """The reading of a column of numbers that may be such codes; None where it is not in doubt.

    Args:
        column: The column of texts.
        sql: The expression of its numbers.
    """
    form = f"regexp_full_match(trim({column}), '[0-9]+') OR {exponent_sql(column)}"
    if staged.count(f"NOT {missing_sql(column)} AND NOT ({form})"):
        return None
    n = staged.count(exponent_sql(column))
    if not n:
        return None
    lines = staged.lines(exponent_sql(column))
    if names_codes(name):
        message = msg_n(
            "Column '{column}' is kept as text: {n} cell is a code that looks like a power of ten (line {lines}).",
            "Column '{column}' is kept as text: {n} cells are codes that look like powers of ten (lines {lines}).",
            n,
            column=name,
            lines=lines,
        )
        text = value_sql(column) if profile.words else column
        return ColumnReading("text", text, profile.filled, (Finding("kept_as_text", message, name, "info"),))
    message = msg_n(
        "{n} cell in '{column}' was read as a power of ten, as 1E5 is (line {lines}). If it is a code, give the column a name"
        " with 'code' in it.",
        "{n} cells in '{column}' were read as powers of ten, as 1E5 is (lines {lines}). If they are codes, give the column a"
        " name with 'code' in it.",
        n,
        column=name,
        lines=lines,
    )
    return ColumnReading("number", sql, profile.numbers, (Finding("powers_of_ten", message, name),))
