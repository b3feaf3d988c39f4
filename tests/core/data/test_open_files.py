"""What a file leaves open is asked with both readings; what was repaired or left out is counted and named by line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from core.data.options import Question, Reading, ReadOptions
from core.data.places import first_bytes
from core.data.reading import read_file
from core.errors import DataProblem


def read(folder: Path, content: str | bytes, options: ReadOptions | None = None) -> tuple[Reading, pd.DataFrame]:
    path = folder / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    reading = read_file(path, folder / "a.parquet", options)
    assert reading.lines.holds
    return reading, pd.read_parquet(folder / "a.parquet")


def only_question(reading: Reading) -> Question:
    (question,) = reading.questions
    assert reading.outcome == "ask" and len(question.options) >= 2
    return question


def codes(reading: Reading) -> set[str]:
    return {f.code for f in reading.findings}


def said(reading: Reading, code: str) -> str:
    return str(next(f.message for f in reading.findings if f.code == code))


def test_comment_lines_hold_no_data_and_are_counted(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "# press 4, exported by hand\nt,v\n1,20\n# changed the tool, twice\n2,21\n3,22 # hot\n")
    assert table["v"].tolist() == [20, 21, 22]
    assert (reading.lines.comment, reading.lines.accepted, reading.outcome) == (2, 3, "warn")
    assert "6" in said(reading, "comment_behind")


def test_two_delimiters_that_cut_equally_well_are_asked_about(tmp_path: Path) -> None:
    question = only_question(read(tmp_path, "h1,h2;h3\n1,2;3\n")[0])
    assert question.code == "delimiter"
    names = {o.delimiter: list(read(tmp_path, "h1,h2;h3\n1,2;3\n", o)[1].columns) for o, _ in question.options}
    assert names == {";": ["h1,h2", "h3"], ",": ["h1", "h2;h3"]}


def test_backslashes_and_quotes_that_are_not_doubled_lose_nothing(tmp_path: Path) -> None:
    reading, table = read(tmp_path, 'n,note\n1,"say \\"hi\\", then go"\n2,"plain"\n')
    assert table["note"].tolist() == ['say "hi", then go', "plain"]
    reading, table = read(tmp_path, 'n,note\n1,"the "old" one"\n2,"plain"\n3,"x"\n')
    assert table["note"].tolist() == ['the "old" one', "plain", "x"]
    assert [r.line for r in reading.repaired] == [2] and reading.outcome == "warn"


def test_a_header_that_comes_again_is_asked_about(tmp_path: Path) -> None:
    text = "a,b\n1,2\n3,4\na,b\n5,6\n"
    question = only_question(read(tmp_path, text)[0])
    assert question.code == "last_line"
    first, all_of_it = (o for o, _ in question.options)
    reading, table = read(tmp_path, text, first)
    assert table["a"].tolist() == [1, 3] and reading.lines.rejected == 2 and reading.outcome == "warn"
    reading, table = read(tmp_path, text, all_of_it)
    assert table["a"].tolist() == [1, 3, 5] and [r.line for r in reading.rejected] == [4]


def test_more_cells_than_names_are_never_shifted(tmp_path: Path) -> None:
    text = "one,two\n7,1,2\n8,1,2\n9,1,2\n"
    question = only_question(read(tmp_path, text)[0])
    assert question.code == "unnamed"
    columns = {o.unnamed: list(read(tmp_path, text, o)[1].columns) for o, _ in question.options}
    assert columns == {"last": ["one", "two", "column_3"], "first": ["column_1", "one", "two"]}


def test_signs_are_numbers_only_where_somebody_says_so(tmp_path: Path) -> None:
    text = 'id,amount,share\nA,"$1,234.56",10%\nB,"($7,890.00)",3.5%\nC,-$12.34,0%\n'
    question = only_question(read(tmp_path, text)[0])
    assert question.code == "signs"
    as_numbers, as_texts = (o for o, _ in question.options)
    reading, table = read(tmp_path, text, as_numbers)
    assert table["amount"].tolist() == [1234.56, -7890.0, -12.34] and table["share"].tolist() == [10, 3.5, 0]
    assert [c.unit for c in reading.columns] == ["", "$", "%"]
    assert read(tmp_path, text, as_texts)[1]["share"].tolist() == ["10%", "3.5%", "0%"]


def test_one_zone_keeps_local_time_and_several_become_utc(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "t,v\n2024-03-31 01:30:00+01:00,1\n2024-03-31 01:40:00+01:00,2\n")
    assert table["t"].tolist() == [datetime(2024, 3, 31, 1, 30), datetime(2024, 3, 31, 1, 40)]
    assert "+01:00" in said(reading, "time_zone") and reading.outcome == "load"
    reading, table = read(
        tmp_path, "t,v\n2024-03-31 01:30:00+01:00,1\n2024-03-31 03:30:00+02:00,2\n2024-03-31 05:15:00-0330,3\n"
    )
    assert table["t"].tolist() == [datetime(2024, 3, 31, 0, 30), datetime(2024, 3, 31, 1, 30), datetime(2024, 3, 31, 8, 45)]
    assert "UTC" in said(reading, "time_zones") and reading.outcome == "warn"


def test_dates_of_several_spellings_are_asked_about_and_named(tmp_path: Path) -> None:
    text = "n,day\n1,2024-03-08\n2,2024-03-09\n3,03/10/2024\n4,2024-03-11\n"
    reading, _ = read(tmp_path, text)
    assert only_question(reading).code == "day_first" and "4" in said(reading, "mixed_dates")
    third = {o.day_first: read(tmp_path, text, o)[1]["day"].tolist()[2] for o, _ in reading.questions[0].options}
    assert third == {True: datetime(2024, 10, 3), False: datetime(2024, 3, 10)}


@pytest.mark.parametrize(
    ("cells", "code"), [(["12,5", "145,00", "5.25", "1,5"], "decimal"), (["5,5", "5,5", "5.555", "7,1"], "thousands")]
)
def test_decimal_marks_that_do_not_agree_are_asked_about(tmp_path: Path, cells: list[str], code: str) -> None:
    reading, _ = read(tmp_path, "n;v\n" + "".join(f"{i};{c}\n" for i, c in enumerate(cells)))
    assert only_question(reading).code == code


def test_header_names_over_two_rows_are_joined(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "inlet,,outlet,\ntemp,flow,temp,flow\n20,1.5,40,1.4\n21,1.6,41,1.5\n22,1.7,42,1.6\n")
    assert list(table.columns) == ["inlet temp", "inlet flow", "outlet temp", "outlet flow"]
    assert reading.lines.header == 2 and "header_rows" in codes(reading) and len(table) == 3


def test_zero_characters_are_left_out_and_counted(tmp_path: Path) -> None:
    reading, table = read(tmp_path, b"a,b,c\n\x001,2,3\n4,5,6\n7,8,9\n")
    assert table["a"].tolist() == [1, 4, 7]
    assert said(reading, "zero_characters").startswith("1 zero character")


def test_an_encoding_that_bytes_do_not_tell_is_asked_about(tmp_path: Path) -> None:
    text = "名前,年齢\n" + "".join(
        f"{name},{age}\n" for name, age in (("たなか", 31), ("すずき", 42), ("さとう", 27), ("やまだ", 55))
    )
    question = only_question(read(tmp_path, text.encode("cp932"))[0])
    assert question.code == "encoding"
    right = next(o for o, _ in question.options if o.encoding == "cp932")
    reading, table = read(tmp_path, text.encode("cp932"), right)
    assert list(table.columns) == ["名前", "年齢"] and reading.outcome == "warn"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_is_found_by_its_first_byte(tmp_path: Path, encoding: str, end: str) -> None:
    lines = ["名称,值", "一,1", "二,2,多", "三,3"]
    path = tmp_path / "a.csv"
    path.write_bytes(end.join(lines).encode(encoding))
    places = first_bytes(path, encoding, [1, 3, 4, 9])
    bare = encoding.removesuffix("-sig") if encoding != "utf-16" else "utf-16-le"
    for number in (1, 3, 4):
        assert path.read_bytes()[places[number] :].startswith(lines[number - 1].encode(bare))
    assert set(places) == {1, 3, 4}


def test_a_line_is_found_behind_the_mark_of_utf_16_in_either_order_of_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xfe\xff" + "ab\r\n1\r\n2".encode("utf-16-be"))
    assert first_bytes(path, "utf-16", [1, 2, 3]) == {1: 2, 2: 10, 3: 16}


def test_a_file_cut_off_within_a_character_has_its_lines_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("a,b\n1,2\n3,4\r".encode("utf-16-le") + b"\x31")
    assert first_bytes(path, "utf-16-le", [2, 3, 4]) == {2: 8, 3: 16, 4: 24}


@pytest.mark.parametrize("odd", ["110\x1e", "²"])
def test_digits_that_are_no_whole_number_are_no_step_of_a_header(tmp_path: Path, odd: str) -> None:
    """A control character counts as a space to one function and not to the other; a raised two is a digit and no number."""
    reading, table = read(tmp_path, f"Year,100,{odd},120\npress,5.1,7.2,6.3\nsaw,6.4,5.5,8.6\n")
    assert len(table) in (2, 3) and reading.outcome in ("load", "warn", "ask")


def test_a_header_over_columns_without_values_and_no_row_is_read(tmp_path: Path) -> None:
    """A table without rows has no statistics in its footer."""
    reading, table = read(tmp_path, ",,,,A,,,-,,1564{6,,l,+,,")
    assert reading.n_rows == 0 and len(table) == 0


@pytest.mark.parametrize(("content", "is_table"), [(b"\x1f", True), (b"\x1c", False)])
def test_one_control_character_is_a_name_or_nothing_and_no_fault(tmp_path: Path, content: bytes, is_table: bool) -> None:
    """The file separator ends a line for some functions; the sample then holds no record at all."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    if is_table:
        assert read_file(path, tmp_path / "a.parquet").n_rows == 0
    else:
        with pytest.raises(DataProblem, match="has no table in it"):
            read_file(path, tmp_path / "a.parquet")


def test_a_time_before_the_year_one_and_a_column_named_as_the_row_number_are_read(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "when,file_row_number\n" + "2024-01-01,1\n" * 50 + "-2024-01-01,2\n")
    assert reading.n_rows == 51 and len(table.columns) == 2
    assert [c.name for c in reading.columns] == ["when", "file_row_number_2"]
