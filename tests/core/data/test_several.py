"""Several tables in one file: asked about with every reading, and each reading gives exactly its own table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.data.options import Question, Reading, ReadOptions
from core.data.reading import read_file
from core.data.several import blocks
from core.errors import DataProblem

FIRST = "t,p,q,r\n1,2.5,3,4\n2,2.6,3,5\n3,2.7,4,6\n4,2.8,4,7\n"  # Lines 1 to 5.
LONG = "t,p,q,r\n" + "".join(f"{i},{i}.5,{i % 7},{i % 3}\n" for i in range(5_000))  # Beyond the sample of 3,000 lines.
SECOND = {
    "same width": "a,b,c,d\n9,8,7,1\n8,7,6,1\n",
    "narrower": "a,b,c\n9,8,7\n8,7,6\n",
    "half": "a,b\n9,8\n8,7\n",
    "wider": "a,b,c,d,e\n9,8,7,1,1\n8,7,6,1,1\n",
    "labels": "name,b,c\nx,8,7\ny,7,6\n",
}
GAPS = {"blank": "\n", "commas": ",,,\n", "title": "\nSecond part\n", "none": ""}


def read(folder: Path, content: str, options: ReadOptions | None = None) -> tuple[Reading, pd.DataFrame]:
    path = folder / "a.csv"
    path.write_text(content, encoding="utf-8")
    reading = read_file(path, folder / "a.parquet", options)
    table = pd.read_parquet(folder / "a.parquet")
    assert reading.lines.holds and reading.n_rows == len(table)
    return reading, table


def question(reading: Reading, code: str) -> Question:
    (found,) = reading.questions
    assert (reading.outcome, found.code) == ("ask", code)
    return found


# Beyond the sample, a header of the same width without a gap is told by the findings of its columns, see below.
ASKED = [
    pytest.param(first, kind, gap, id=f"{size}-{kind}-{gap}")
    for size, first in (("small", FIRST), ("beyond the sample", LONG))
    for kind in SECOND
    for gap in GAPS
    if (size, kind, gap) != ("beyond the sample", "same width", "none")
]


@pytest.mark.parametrize(("first", "kind", "gap"), ASKED)
def test_a_table_below_is_asked_about_with_all_readings(tmp_path: Path, first: str, kind: str, gap: str) -> None:
    text = first + GAPS[gap] + SECOND[kind]
    asked = question(read(tmp_path, text)[0], "last_line")
    upper, whole, lower = (o for o, _ in asked.options)
    n_first = first.count("\n") - 1
    reading, table = read(tmp_path, text, upper)
    assert reading.questions == () and list(table.columns) == list("tpqr")
    assert table["t"].tolist() == [float(line.split(",")[0]) for line in first.split("\n")[1:-1]]
    assert table["p"].dtype == float and len(table) == n_first
    reading, table = read(tmp_path, text, lower)
    header, *rows = SECOND[kind].strip().split("\n")
    assert reading.questions == () and list(table.columns) == header.split(",")
    assert table[table.columns[1]].tolist() == [float(r.split(",")[1]) for r in rows]
    assert read(tmp_path, text, whole)[0].questions == ()


def test_names_far_below_in_the_same_width_without_a_gap_are_named_by_line(tmp_path: Path) -> None:
    reading, _ = read(tmp_path, LONG + SECOND["same width"])
    said = [str(f.message) for f in reading.findings if f.code == "not_a_value"]
    assert reading.outcome == "warn" and len(said) == 4 and all("line 5002" in s for s in said)


@pytest.mark.parametrize(
    "text",
    [
        "t,p,q\n1,2,3\n\nERR,ERR,ERR\n2,3,4\n",  # A fault of a device, three times the same word.
        "t,p,q\n1,2,3\n\n2,3,4\n\n3,4,5\n",  # Blank lines between rows.
        "who,what,n\nA,x,1\n\nB,y,2\n\nC,z,3\n",  # Texts and numbers.
        "who,what\nA,x\n\nB,y\n\nC,z\n",  # Texts alone.
        "t,p\n1,2\n2,bad\n3,4\n",  # A word in a column of numbers.
        "t,note,n\n1,ok,2\n,,\nstop,by hand,\n2,ok,3\n",  # No name over the third column.
    ],
)
def test_other_rows_of_words_are_not_asked_about(tmp_path: Path, text: str) -> None:
    assert [q.code for q in read(tmp_path, text)[0].questions] == []


def test_a_small_table_above_the_one_that_was_found_is_asked_about(tmp_path: Path) -> None:
    text = "a,b\n9,8\n8,7\n\n" + FIRST
    lower, upper = (o for o, _ in question(read(tmp_path, text)[0], "preamble_rows").options)
    reading, table = read(tmp_path, text, lower)
    assert list(table.columns) == list("tpqr") and len(table) == 4 and reading.lines.preamble == 3
    reading, table = read(tmp_path, text, upper)
    assert table.to_dict("list") == {"a": [9, 8], "b": [8, 7]} and reading.lines.rejected == 5


def test_facts_above_a_table_are_no_table(tmp_path: Path) -> None:
    text = "Machine,M7\nStart,2024-01-01\nSerial,4711\n\n" + FIRST
    assert read(tmp_path, text)[0].questions == ()


SIDE = "a,b,,c,d,e\n1,2,,x,0.5,2024-01-01\n3,4,,y,0.6,2024-01-02\n5,6,,,,\n"


def test_tables_side_by_side_are_asked_about_and_cut_apart(tmp_path: Path) -> None:
    asked = question(read(tmp_path, SIDE)[0], "cells")
    left, right, both = (o for o, _ in asked.options)
    assert [o.cells for o in (left, right, both)] == ["1-2", "4-6", "1-"]
    reading, table = read(tmp_path, SIDE, left)
    assert table.to_dict("list") == {"a": [1, 3, 5], "b": [2, 4, 6]} and reading.outcome == "load"
    reading, table = read(tmp_path, SIDE, right)
    assert table["c"].tolist() == ["x", "y"] and table["d"].tolist() == [0.5, 0.6]
    assert [c.kind for c in reading.columns] == ["text", "number", "time"]
    # The line that holds only the other table counts as blank, so that every line is accounted for.
    assert (reading.lines.accepted, reading.lines.blank, reading.lines.total) == (2, 1, 4)
    reading, table = read(tmp_path, SIDE, both)
    assert list(table.columns) == list("abcde") and len(table) == 3


def test_an_empty_first_half_between_rows_stays_a_row(tmp_path: Path) -> None:
    text = "a,b,,c,d\n1,2,,3,4\n,,,5,6\n7,8,,9,1\n"
    reading, table = read(tmp_path, text, ReadOptions(cells="1-2"))
    assert len(table) == 3 and table["a"].isna().tolist() == [False, True, False] and reading.outcome == "warn"


def test_a_window_keeps_quotes_line_breaks_notes_and_odd_rows_accounted_for(tmp_path: Path) -> None:
    text = (
        'Report of May\n# by hand\na,b,,"c, long",d\n1,"x\ny",,3,4\n2,z,,"5","6\n"\n3,w,,7\n4,v\n\n'
        "a,b,,c,d\n5,u,,8,9,10\nEnd of report\n"
    )
    for cells in ("1-2", "4-5", "4-", "2-4"):
        reading, _ = read(tmp_path, text, ReadOptions(cells=cells))
        assert reading.lines.total == text.count("\n")
    reading, table = read(tmp_path, text, ReadOptions(cells="4-5", last_line=0))
    assert list(table.columns) == ["c, long", "d"] and table["c, long"].dropna().tolist()[:3] == ["3", "5", "7"]


def test_what_stands_side_by_side_only_with_names_on_both_sides() -> None:
    rows = [["1", "2", "", "3", "4"], ["5", "6", "", "7", "8"]]
    assert blocks(["a", "b", "", "c", "d"], rows, 5) == ((1, 2), (4, 5))
    assert blocks(["a", "b", "gap", "c", "d"], rows, 5) == ()  # The column has a name.
    assert blocks(["a", "b", "", "c", ""], rows, 5) == ()  # One name alone.
    assert blocks(["a", "b", "", "c", "d"], [["1", "2", "x", "3", "4"], *rows], 5) == ()  # It has a cell.
    assert blocks(["", "a", "b", "", "", "c", "d", ""], [["", *"12", "", "", *"34", ""]] * 2, 8) == ((2, 3), (6, 7))


@pytest.mark.parametrize("cells", ["", "0-3", "a-b", "3", "-4"])
def test_cells_are_written_as_first_and_last(cells: str) -> None:
    with pytest.raises(ValueError, match="cells"):
        ReadOptions(cells=cells)


def test_a_window_without_a_table_says_what_to_check(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="7-9"):
        read(tmp_path, SIDE, ReadOptions(cells="7-9"))
