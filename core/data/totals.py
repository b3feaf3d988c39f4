"""Rows of totals at the end of a table ("Total,,1234.5"): found by their word, believed by their numbers.

A row is left out where its word is followed by numbers that the rows above give. Where the word is there and the numbers do
not follow from the rows, both readings are asked about. The same word further up makes it an ordinary value of its column.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

import duckdb

from core.data.findings import Finding
from core.data.lines import Record, Splitter, split_records
from core.data.options import LineCount, ReadOptions
from core.data.scanning import Scan
from core.data.staging import CleanCsv, number_sql, text_literal
from core.messages import Message, msg, msg_n

TAIL_BYTES = 64 << 10
MAX_ROWS = 10
MAX_COLUMNS = 2_000
_AT_ONCE = 50
_LOOKED_AT = 40
_FEWEST = 2  # Of one row, every figure is the row itself.
_FIGURES: dict[str, tuple[Message, str]] = {
    "sum": (msg("sum"), "fsum({n})"),
    "mean": (msg("mean"), "favg({n})"),
    "minimum": (msg("minimum"), "min({n})"),
    "maximum": (msg("maximum"), "max({n})"),
    "count": (msg("count"), "CAST(count({n}) AS DOUBLE)"),
    "deviation": (msg("standard deviation"), "stddev_samp({n})"),
    "deviation_whole": (msg("standard deviation"), "stddev_pop({n})"),
    "median": (msg("median"), "median({n})"),
    "range": (msg("range"), "max({n}) - min({n})"),
}
_WORDS = {
    "sum": "total|totals|grand total|total sum|sum|sums|sub total|subtotal|合计|总计|总和|小计|共计|累计|汇总|合計|總計|summe|gesamt|"
    "gesamtsumme|insgesamt|somme|total général|suma|totale|somma|totaal",
    "mean": "average|averages|avg|avg.|mean|mean value|平均|平均值|均值|平均數|mittelwert|mittel|durchschnitt|moyenne|promedio|media|"
    "gemiddelde",
    "minimum": "min|minimum|最小|最小值",
    "maximum": "max|maximum|最大|最大值",
    "count": "count|counts|anzahl|计数|个数|总数",
    "deviation": "std|std.|stdev|std dev|std. dev.|stddev|sd|sigma|standard deviation|标准差|标准偏差|standardabweichung",
    "median": "median|中位数|中值",
    "range": "range|spread|极差|spannweite",
}
_FIGURE_OF = {word: figure for figure, words in _WORDS.items() for word in words.split("|")}
_ASKED = ("sum", "mean")  # The other words are too often an ordinary value ("max", "count") to ask about each.
_SHOWN = 60
_MARKS = " \t\u00a0:：.=*#-–—"


@dataclass(frozen=True, slots=True)
class Totals:
    """The last rows of a table that begin with the word of a total.

    `figures` names each row's figure (a key of `_FIGURES`), `certain` says that their numbers follow from the rows above.
    """

    figures: tuple[str, ...]
    word: str
    certain: bool


def figure_of(cells: Sequence[str], decimal: str = ".") -> str | None:
    """Which figure a row gives by the word in its first filled cell that is no number; None where it is no such row.

    Example:
        >>> figure_of(["Total:", "", "1,234.5"]), figure_of(["", "合计", "7"]), figure_of(["Total", "", ""])
        ('sum', 'sum', None)
    """
    word = word_of(cells, decimal)
    if word is None or not any(_values(c, decimal) for c in cells):
        return None
    return _FIGURE_OF.get(_bare(word))


def word_of(cells: Sequence[str], decimal: str) -> str | None:
    """The first filled cell that is no number."""
    return next((c for c in cells if c.strip() and not _values(c, decimal)), None)


def last_totals(rows: Sequence[Sequence[str]], decimal: str) -> int:
    """How many of the last rows begin with the word of a total: the first thing to look for, in the last lines of a file.

    At most 10; rows of nothing but empty cells between them count too.
    """
    n = 0
    for place, cells in enumerate(reversed(rows), start=1):
        if place > MAX_ROWS or len(cells) > MAX_COLUMNS:
            return n
        if figure_of(cells, decimal) is not None:
            n = place
        elif any(c.strip() for c in cells):
            return n
    return n


def may_end_with_totals(tail: bytes, splitter: Splitter, decimal: str) -> bool:
    """Whether the last bytes of a file (UTF-8, `TAIL_BYTES` of them or all) may end with rows of totals, without the table.

    For a reader of whole files that has no clean file to cut: it leaves such a file to the careful way. Narrower lines at the
    end are notes below the table, and rows of empty cells the space above them.
    """
    lines = [line for line in tail.decode("utf-8", "replace").replace("\r", "\n").split("\n") if line.strip()][-_LOOKED_AT:]
    rows = [cells for line in lines if isinstance(cells := splitter.split(line), list)]
    return any(figure_of(cells, decimal) is not None for cells in rows)


def judge_totals(
    connection: duckdb.DuckDBPyConnection,
    above: str,
    number: Callable[[int], str],
    text: Callable[[int], str],
    rows: Sequence[Sequence[str]],
    decimal: str,
) -> Totals | None:
    """Whether the last rows of a table are totals of the rows above them; the part that needs the whole table.

    Args:
        connection: DuckDB.
        above: A relation for FROM with the rows above, and only those (without the rows that are judged).
        number: The SQL expression of a column (0-based) as DOUBLE, NULL where it is none.
        text: The SQL expression of a column as text.
        rows: The cells of the rows that `last_totals` counted, as written.
        decimal: The decimal mark.

    Returns:
        None where they are ordinary rows: such a word is also further up in its column, or only words that may well be values
        stand there without fitting numbers. Less than two rows above make nothing certain.
    """
    named = [(row, figure) for row in rows if (figure := figure_of(row, decimal)) is not None]
    words = {cells.index(word) for cells, _ in named if (word := word_of(cells, decimal)) is not None}
    if not named or _is_ordinary(connection, above, [text(i) for i in sorted(words)], len(named)):
        return None
    wanted = sorted({i for cells, _ in named for i, c in enumerate(cells) if _values(c, decimal)})
    figures = tuple(figure for _, figure in named)
    facts = _figures(connection, above, {i: number(i) for i in wanted}, with_median="median" in figures)
    fits = [_fits(cells, facts, decimal) for cells, _ in named]
    if not all(fits) and not set(figures) & set(_ASKED):
        return None
    return Totals(figures, str(word_of(named[0][0], decimal)).strip(), all(fits))


def _is_ordinary(connection: duckdb.DuckDBPyConnection, above: str, columns: Sequence[str], n_named: int) -> bool:
    """Whether such words are also further up in these columns, or make the whole table: one of statistics."""
    known = ", ".join(text_literal(w) for w in sorted(_FIGURE_OF))
    found = " OR ".join(f"lower(trim(CAST({c} AS VARCHAR), {text_literal(_MARKS)})) IN ({known})" for c in columns)
    row = connection.execute(f"SELECT count(*), count(*) FILTER ({found}) FROM {above}").fetchone()
    n_above, n_same = row or (0, 0)
    return bool(n_same) or (not n_above and n_named > 1)


def _figures(
    connection: duckdb.DuckDBPyConnection, above: str, columns: dict[int, str], *, with_median: bool
) -> dict[int, dict[str, float]]:
    """The figures of some columns by name; a column with less than two numbers has none.

    A median holds its whole column in memory, so that it is taken only where one is named, column by column.
    """
    found = {}
    plain = {name: sql for name, (_, sql) in _FIGURES.items() if name != "median"}
    for part in (list(columns)[start : start + _AT_ONCE] for start in range(0, len(columns), _AT_ONCE)):
        finite = ", ".join(f"CASE WHEN isfinite({columns[i]}) THEN {columns[i]} END AS n{i}" for i in part)
        asked = ", ".join(sql.format(n=f"n{i}") for i in part for sql in plain.values())
        row = connection.execute(f"SELECT {asked} FROM (SELECT {finite} FROM {above})").fetchone() or ()
        for k, i in enumerate(part):
            values = dict(zip(plain, row[k * len(plain) : (k + 1) * len(plain)], strict=True))
            if values["count"] >= _FEWEST:
                found[i] = {name: float(v) for name, v in values.items() if v is not None and math.isfinite(v)}
    for i in found if with_median else ():
        middle = connection.execute(f"SELECT median({columns[i]}) FROM {above}").fetchone()
        found[i] |= {"median": float(middle[0])} if middle and middle[0] is not None else {}
    return found


def _fits(cells: Sequence[str], facts: dict[int, dict[str, float]], decimal: str) -> bool:
    """Whether every number of a row is one of the figures of its column; a column without numbers tells nothing."""
    told = [(readings, facts[i]) for i, c in enumerate(cells) if (readings := _values(c, decimal)) and i in facts]
    return bool(told) and all(
        any(_equals(value, name, found, n=figures["count"]) for value in readings for name, found in figures.items())
        for readings, figures in told
    )


def _equals(value: Decimal, name: str, found: float, n: float) -> bool:
    """Equality within rounding: half a unit of the last digit written, and where there are decimals, what rounding of the
    rows themselves adds to a sum of n (a standard deviation of 0.29 units each, taken 3.5 times) or to a mean (half a unit)."""
    exponent = int(value.as_tuple().exponent)
    unit = 10.0**exponent
    own = 0.0 if exponent >= 0 else math.sqrt(n) * unit if name == "sum" else 0.5 * unit
    return abs(float(value) - found) <= 0.5 * unit + own + 1e-9 * abs(found)


def _values(cell: str, decimal: str) -> tuple[Decimal, ...]:
    """The numbers that a cell may be: with the file's decimal mark, else with the other one; nothing where it is none."""
    text = cell.strip().strip("$€£¥%").replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace("'", "")
    if not text or not any(c.isdigit() for c in text):
        return ()
    other = "." if decimal == "," else ","
    spellings = (text.replace(other, "").replace(decimal, "."), text.replace(decimal, "").replace(other, "."))
    found = []
    for spelling in spellings:
        try:
            value = Decimal(spelling)
        except InvalidOperation:
            continue
        if value.is_finite() and value not in found and abs(int(value.as_tuple().exponent)) < 300:
            found.append(value)
    return tuple(found)


def _bare(word: str) -> str:
    return " ".join(word.strip(_MARKS).casefold().split())


def leave_out_totals(
    connection: duckdb.DuckDBPyConnection, clean: Path, scan: Scan, lines: LineCount, options: ReadOptions
) -> LineCount:
    """Cut rows of totals off the clean file of a scan; the account of lines with them among the rejected.

    Each is rejected with its line and reason. `scan.totals` says what was found, with the line of the first of them; where
    it is not certain, the reader asks, unless `last_line` -1 says so. 0 says that the table goes to the end of the file:
    then nothing is done.
    """
    decimal = options.decimal or "."
    if options.last_line == 0 or scan.rows == 0:
        return lines
    tail = _last_records(clean, scan)
    n = last_totals([r.cells for r in tail], decimal)
    if not n:
        return lines
    cut = [r.cells for r in tail[-n:]]
    end = _cut_off(clean, tail[-n:])
    csv = CleanCsv(clean, scan.delimiter, scan.quote, scan.columns, scan.widest)
    found = judge_totals(
        connection, csv.sql(), lambda i: number_sql(f"c{i}", decimal, options.thousands or ""), lambda i: f"c{i}", cut, decimal
    )
    if found is None or (options.ends_at is not None and not found.certain):
        with clean.open("ab") as file:
            file.write(end)
        return lines
    return _without(clean, scan, lines, tail, n, found)


def _cut_off(clean: Path, records: Sequence[Record]) -> bytes:
    """Take the last records off the clean file; their bytes."""
    size = sum(len(r.text.encode("utf-8")) + 1 for r in records)
    with clean.open("r+b") as file:
        file.seek(-size, 2)
        end = file.read()
        file.truncate(file.tell() - size)
    return end


def _last_records(clean: Path, scan: Scan) -> list[Record]:
    """The last records of the clean file; none where they cannot be told for sure."""
    size = clean.stat().st_size
    with clean.open("rb") as file:
        file.seek(max(0, size - TAIL_BYTES))
        text = file.read()
    whole = text if size <= TAIL_BYTES else text[text.find(b"\n") + 1 :]
    lines = whole.decode("utf-8", "replace").split("\n")[:-1]
    if size > TAIL_BYTES and not any(w in whole.decode("utf-8", "replace").casefold() for w in _FIGURE_OF):
        return []
    records = list(split_records(lines, Splitter(scan.delimiter, scan.quote), 1, at_end=True))
    is_sure = all(r.error is None and r.repair is None and len(r.cells) == scan.columns for r in records)
    return records if is_sure else []


def _without(clean: Path, scan: Scan, lines: LineCount, tail: Sequence[Record], n: int, found: Totals) -> LineCount:
    """Account for the last n rows, which are cut off already; rows without values above them are then the space between table and totals."""
    space = 0
    while n + space < len(tail) and not any(c.strip() for c in tail[-n - space - 1].cells):
        space += 1
    cut = tail[-n - space :]
    _cut_off(clean, cut[:space])
    places = [scan.line_of(scan.rows - len(cut) + k) for k in range(len(cut))]
    scan.rows -= len(cut)
    repairs = [r for r in scan.repairs if r.line < places[0]]
    scan.repaired -= len(scan.repairs) - len(repairs)
    scan.repairs[:] = repairs
    rejected = blank = 0
    figures = iter(found.figures)
    for record, line in zip(cut, places, strict=True):
        if not any(c.strip() for c in record.cells):
            blank += record.n_lines
            continue
        rejected += record.n_lines
        scan.reject(line, record.n_lines, _reason(next(figures), found), record.text)
    scan.rejects.sort(key=lambda r: r.line)
    scan.accepted -= rejected + blank
    scan.blank += blank
    scan.totals = (found, places[space])
    return replace(
        lines, accepted=lines.accepted - rejected - blank, rejected=lines.rejected + rejected, blank=lines.blank + blank
    )


def _reason(figure: str, found: Totals) -> Message:
    what = _FIGURES[figure][0]
    if found.certain:
        return msg("The row holds totals of the rows above ({what}).", what=what)
    return msg("The row begins like one of totals ({what}).", what=what)


def totals_findings(scan: Scan) -> list[Finding]:
    """What is said of the rows of totals that were left out."""
    if scan.totals is None:
        return []
    found, line = scan.totals
    message = msg_n(
        "{n} row of totals below the table was left out (line {line}, '{word}').",
        "{n} rows of totals below the table were left out (from line {line}, '{word}').",
        len(found.figures),
        line=line,
        word=found.word[:_SHOWN],
    )
    return [Finding("totals", message)]
