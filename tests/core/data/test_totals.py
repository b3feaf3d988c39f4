"""Rows of totals below a table: left out where their numbers follow from the rows, asked about where they do not."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from core.data.lines import Splitter
from core.data.options import Question, Reading, ReadOptions
from core.data.reading import read_file
from core.data.totals import figure_of, judge_totals, last_totals, may_end_with_totals

ROWS = "part,w,h\na,1.5,2\nb,2.5,3\nc,3.5,7\n"  # w: sum 7.5, mean 2.5; h: sum 12, mean 4


def read(folder: Path, content: str, options: ReadOptions | None = None) -> tuple[Reading, pd.DataFrame]:
    path = folder / "a.csv"
    path.write_text(content, encoding="utf-8")
    reading = read_file(path, folder / "a.parquet", options)
    table = pd.read_parquet(folder / "a.parquet")
    assert reading.lines.holds and len(table) == reading.n_rows
    return reading, table


def codes(reading: Reading) -> set[str]:
    return {f.code for f in reading.findings}


def question(reading: Reading) -> Question:
    (found,) = reading.questions
    assert reading.outcome == "ask" and found.code == "last_line"
    return found


@pytest.mark.parametrize(
    "last",
    [
        "Total,7.5,12",
        "SUM:,7.5,12",
        "合计,7.5,12",
        "总计,7.50,12.0",
        "Gesamt,8,12",  # Rounded to whole numbers.
        "Average,2.5,4",
        "平均,2.5,4.00",
        "Mittelwert,2.5,4",
        "Min,1.5,2",
        "max,3.5,7",
        "count,3,3",
        "Std dev,1,2.6",  # Sample deviations 1 and 2.6458.
        "Median,2.5,3",
        "Total,7.5,",  # Not every column need be totalled.
        "Total,7.5,4",  # A sum here and a mean there.
    ],
)
def test_a_last_row_whose_numbers_follow_from_the_rows_is_left_out_and_named(tmp_path: Path, last: str) -> None:
    reading, table = read(tmp_path, f"{ROWS}{last}\n")
    assert (reading.outcome, reading.n_rows, reading.lines.rejected, reading.lines.accepted) == ("warn", 3, 1, 3)
    assert table["w"].tolist() == [1.5, 2.5, 3.5]
    (odd,) = reading.rejected
    assert (odd.line, odd.text) == (5, last) and "totals of the rows above" in str(odd.reason)
    said = next(str(f.message) for f in reading.findings if f.code == "totals")
    assert "line 5" in said


def test_several_rows_of_totals_below_a_space_and_above_a_note(tmp_path: Path) -> None:
    text = f"{ROWS},,\nSum,7.5,12\nAverage,2.5,4\n\nExported by Kim\n"
    reading, table = read(tmp_path, text)
    assert table["part"].tolist() == ["a", "b", "c"]
    assert [r.line for r in reading.rejected] == [6, 7, 9]
    lines = reading.lines
    assert (lines.total, lines.header, lines.accepted, lines.rejected, lines.blank) == (9, 1, 3, 3, 2)
    assert not reading.repaired  # The row of commas is the space between table and totals, not a row without values.


def test_a_word_whose_numbers_do_not_add_up_is_asked_about(tmp_path: Path) -> None:
    text = f"{ROWS}Total,7.5,13\n"
    asked = question(read(tmp_path, text)[0])
    out, kept = (o for o, _ in asked.options)
    reading, table = read(tmp_path, text, out)
    assert (reading.outcome, reading.questions, len(table)) == ("warn", (), 3)
    reading, table = read(tmp_path, text, kept)
    assert table["part"].tolist() == ["a", "b", "c", "Total"] and reading.questions == ()


@pytest.mark.parametrize("rows", ["", "a,7.5,12\n"])
def test_without_two_rows_to_check_with_it_is_asked(tmp_path: Path, rows: str) -> None:
    text = f"part,w,h\n{rows}Total,7.5,12\n"
    out, kept = (o for o, _ in question(read(tmp_path, text)[0]).options)
    assert read(tmp_path, text, out)[0].n_rows == rows.count("\n")
    assert read(tmp_path, text, kept)[0].n_rows == rows.count("\n") + 1


def test_last_line_0_keeps_even_certain_totals(tmp_path: Path) -> None:
    reading, table = read(tmp_path, f"{ROWS}Total,7.5,12\n", ReadOptions(last_line=0))
    assert len(table) == 4 and "totals" not in codes(reading)


@pytest.mark.parametrize(
    "text",
    [
        "year,who,n\n1,men,3\n1,women,4\n1,Total,7\n2,men,5\n2,women,6\n2,Total,11\n",  # An ordinary value of its column.
        "name,n\nTotal,3\na,4\nb,5\n",  # In the middle, or at the top.
        "what,a,b\ncount,3,3\nmean,2,3\nmin,1,5\nmax,7,7\n",  # A table of statistics.
        "operator,n\nAnna,1\nEva,2\nMax,9\n",  # A name that reads like a figure and does not fit.
        "word,other\nfirst,x\nTotal,y\n",  # No numbers at all.
        "part,n\na,1\nb,2\nTotal mass,3\n",  # Another word.
    ],
)
def test_an_ordinary_value_is_not_touched(tmp_path: Path, text: str) -> None:
    reading, table = read(tmp_path, text)
    assert len(table) == text.count("\n") - 1 and reading.questions == () and "totals" not in codes(reading)


def test_thousands_marks_that_only_the_totals_have(tmp_path: Path) -> None:
    rows = "".join(f"p{i};{i * 100},5\n" for i in range(1, 9))  # 3600 + 8 * 0.5 = 3604
    reading, table = read(tmp_path, f"part;w\n{rows}Summe;3.604,0\n")
    assert len(table) == 8 and float(table["w"].sum()) == 3604.0 and "totals" in codes(reading)


def test_rows_that_were_rounded_still_add_up_and_others_do_not(tmp_path: Path) -> None:
    exact = np.random.default_rng(4).normal(20, 3, 500)
    rows = "".join(f"p{i},{v:.2f}\n" for i, v in enumerate(exact))
    reading, table = read(tmp_path, f"part,w\n{rows}Total,{exact.sum():.2f}\n")
    assert len(table) == 500 and reading.outcome == "warn"
    off = exact.sum() + 0.01 * 500**0.5 * 2
    assert question(read(tmp_path, f"part,w\n{rows}Total,{off:.2f}\n")[0])


def test_the_end_of_a_file_larger_than_its_last_64_kb(tmp_path: Path) -> None:
    values = np.random.default_rng(5).integers(0, 1000, 20_000)
    rows = "".join(f"2024-01-01 00:00:{i % 60:02d},{v}\n" for i, v in enumerate(values))
    reading, table = read(tmp_path, f"time,n\n{rows}Total,{values.sum()}\n")
    assert len(table) == 20_000 and reading.rejected[0].line == 20_002
    assert {c.name: c.kind for c in reading.columns} == {"time": "time", "n": "number"}


def test_rows_are_named_by_their_own_lines_where_records_span_several(tmp_path: Path) -> None:
    text = 'note,w\n"two\nlines",1\nb,2\n"Total",3\n'
    reading, _ = read(tmp_path, text)
    assert [r.line for r in reading.rejected] == [5] and reading.lines.accepted == 3


def test_last_rows_are_looked_for_without_the_table() -> None:
    assert last_totals([["a", "1"], ["Total", "2"], ["", ""], ["Mean", "3"]], ".") == 3
    assert last_totals([["Total", "2"], ["a", "1"]], ".") == 0
    assert figure_of(["", "12", "Summe", "3,5"], ",") == "sum" and figure_of(["2024-01-01", "Total", "3"]) is None


def test_the_last_bytes_tell_whether_it_is_worth_looking() -> None:
    splitter = Splitter(",", '"')
    assert may_end_with_totals(b"tal,1\nx,2\nTotal,3\n\nExported by Kim\n", splitter, ".")
    assert not may_end_with_totals(b"Total,1\n" + b"x,2\n" * 50, splitter, ".")
    assert not may_end_with_totals(b"", splitter, ".")


def test_the_part_for_the_whole_table_takes_any_relation() -> None:
    table = pd.DataFrame({"label": ["a", "b", "c"], "n": [1.0, 2.0, 4.0]})
    with duckdb.connect() as connection:
        connection.register("above", table)
        judged = [
            judge_totals(connection, "above", lambda i: ["NULL::DOUBLE", "n"][i], lambda i: ["label", "''"][i], [row], ".")
            for row in (["Total", "7"], ["Total", "8"])
        ]
    assert [(t.figures, t.certain) for t in judged if t] == [(("sum",), True), (("sum",), False)]
