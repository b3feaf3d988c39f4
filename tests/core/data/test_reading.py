"""Real files, bad files and random tables through `read_file`: right cells, every line accounted for."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.data.cells import MISSING_WORDS, is_number, is_time
from core.data.reading import Reading, ReadOptions, read_file, sniff
from core.errors import DataProblem, SettingProblem


def read(folder: Path, content: str | bytes, name: str = "a.csv", **options: object) -> tuple[Reading, pd.DataFrame]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    reading = read_file(path, folder / "a.parquet", ReadOptions(**options) if options else None)
    assert reading.lines.holds
    return reading, pd.read_parquet(folder / "a.parquet")


def codes(reading: Reading) -> set[str]:
    return {f.code for f in reading.findings}


def rows(n: int, line: str = "{i},{i}.5") -> str:
    return "\n".join(line.format(i=i) for i in range(1, n + 1)) + "\n"


def test_german_file_with_preamble_and_units_row_in_latin1(tmp_path: Path) -> None:
    text = "Maschine: Presse 4\n\nZeit;Temp;Druck\n;°C;bar\n01.02.2024 08:00;1.234,5;0,75\n01.02.2024 08:01;20,25;-3\n"
    reading, table = read(tmp_path, text.encode("cp1252"))
    assert reading.options.delimiter == ";"
    assert (reading.options.decimal, reading.options.thousands) == (",", ".")
    assert [c.unit for c in reading.columns] == ["", "°C", "bar"]
    assert table["Temp"].tolist() == [1234.5, 20.25]
    assert table["Druck"].tolist() == [0.75, -3.0]
    assert table["Zeit"].tolist() == [pd.Timestamp("2024-02-01 08:00"), pd.Timestamp("2024-02-01 08:01")]
    assert (reading.lines.total, reading.lines.preamble, reading.lines.blank, reading.lines.header) == (6, 1, 1, 2)
    assert {"preamble", "units_row", "encoding"} <= codes(reading)


def test_quoted_line_breaks_are_counted_as_physical_lines(tmp_path: Path) -> None:
    reading, table = read(tmp_path, 'a,note\r\n1,"two\r\nlines"\r\n2,"say ""hi"", ok"\r\n')
    assert table["note"].tolist() == ["two\nlines", 'say "hi", ok']
    assert (reading.lines.total, reading.lines.accepted, reading.n_rows) == (4, 3, 2)


def test_long_rows_are_rejected_and_short_ones_repaired_by_line_and_never_shifted(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8\n9,10,11,12\n13,14,15,\n16,17,18\n19,20,21\n22,23,24\n")
    assert [(r.line, r.byte, r.text) for r in reading.rejected] == [(5, 22, "9,10,11,12")]
    assert [(r.line, r.byte, r.text) for r in reading.repaired] == [(3, 12, "4,5")]
    assert table["a"].tolist() == [1, 4, 6, 13, 16, 19, 22]
    assert table["c"].isna().tolist() == [False, True, False, False, False, False, False]
    assert reading.outcome == "warn"
    assert (reading.lines.rejected, reading.lines.accepted) == (1, 7)


def test_notes_below_the_table_and_a_row_cut_off_by_the_end_of_the_file_are_no_rows(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "a,b,c\n1,2,3\n4,5,6\n7,8,9\nend of shift\n10,1")
    assert [(r.line, str(r.reason)) for r in reading.rejected] == [
        (5, "The row has 1 cell; 3 were expected."),
        (6, "The file ends in the middle of this row."),
    ]
    assert table["a"].tolist() == [1, 4, 7]


def test_rows_without_values_stay_between_rows_and_go_below_them(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "a,b\n1,2\n,\n3,4\n,\n,\n")
    assert table["a"].isna().tolist() == [False, True, False]
    assert [(r.line, r.text) for r in reading.repaired] == [(3, ",")]
    assert (reading.lines.accepted, reading.lines.blank, reading.outcome) == (3, 2, "warn")


def test_a_quote_that_never_closes_spoils_its_own_line_only(tmp_path: Path) -> None:
    reading, table = read(tmp_path, 'a,b\n1,x\n2,"y\n' + "".join(f"{i},z\n" for i in range(3, 3000)))
    assert [r.line for r in reading.rejected] == [3]
    assert "never closes" in str(reading.rejected[0].reason)
    assert len(table) == 2998


def test_a_quote_inside_a_cell_is_an_ordinary_character(tmp_path: Path) -> None:
    reading, table = read(tmp_path, 'a,size\n1,5" pipe\n2,7" pipe\n')
    assert table["size"].tolist() == ['5" pipe', '7" pipe']
    assert not reading.rejected


def test_names_are_made_unique_and_blank_ones_filled(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "x,x,,X,x_2\n1,2,3,4,5\n6,7,8,9,10\n")
    assert list(table.columns) == ["x", "x_3", "column_3", "X_4", "x_2"]
    assert {"duplicate_name", "blank_name"} <= codes(reading)


def test_words_for_missing_count_as_empty_and_are_told(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "a,b\n1,NA\n2,n/a\n3,null\n4,-\n5,None\n6,NaN\n7,\n8,1.5\n")
    assert table["b"].isna().sum() == 7
    (finding,) = [f for f in reading.findings if f.code == "missing_words"]
    assert finding.message.n == 6


def test_codes_and_long_integers_stay_text(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "id,serial,v\n" + "".join(f"00{i},9007199254740993{i},{i}\n" for i in range(1, 6)))
    assert table["id"].iloc[0] == "001"
    assert table["serial"].iloc[0] == "90071992547409931"
    assert table["v"].dtype == np.float64
    assert "kept_as_text" in codes(reading)


def test_marker_words_between_numbers_become_empty_with_a_finding(tmp_path: Path) -> None:
    lines = [f"{i},{i}.25" for i in range(60)] + ["60,Bad Input", "61,ERR"]
    reading, table = read(tmp_path, "i,v\n" + "\n".join(lines) + "\n")
    assert table["v"].isna().sum() == 2
    assert "'Bad Input', 'ERR'" in str(next(f.message for f in reading.findings if f.code == "not_a_value"))


def test_a_column_that_turns_to_text_late_is_kept_as_written(tmp_path: Path) -> None:
    lines = [f"{i},1.50" for i in range(12_000)] + [f"{i},w{i}" for i in range(3_000)]
    reading, table = read(tmp_path, "i,v\n" + "\n".join(lines) + "\n")
    assert table["v"].iloc[0] == "1.50"
    assert table["v"].iloc[-1] == "w2999"
    assert "mixed" in codes(reading)


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("2024-03-14 10:15:16", "2024-03-14 10:15:16"),
        ("2024-03-14T10:15:16.250Z", "2024-03-14 10:15:16.250"),
        ("2024-03-14T10:15:16+01:00", "2024-03-14 10:15:16"),
        ("14.03.2024 10:15", "2024-03-14 10:15"),
        ("14.03.24 10:15:16", "2024-03-14 10:15:16"),
        ("03/14/2024 10:15:16 PM", "2024-03-14 22:15:16"),
        ("14/03/2024", "2024-03-14"),
        ("2024/03/14 10:15:16", "2024-03-14 10:15:16"),
        ("14-Mar-2024 10:15:16", "2024-03-14 10:15:16"),
    ],
)
def test_time_spellings(tmp_path: Path, spelling: str, expected: str) -> None:
    reading, table = read(tmp_path, f"t,v\n{spelling},1\n{spelling},2\n")
    assert reading.columns[0].kind == "time"
    assert str(table["t"].dtype) == "datetime64[us]"
    assert table["t"].iloc[0] == pd.Timestamp(expected)


def test_day_or_month_is_settled_by_order_or_asked(tmp_path: Path) -> None:
    rising = "".join(f"{d:02d}/{m:02d}/2024,1\n" for m in (1, 2, 3) for d in (1, 5, 11))
    reading, table = read(tmp_path, "t,v\n" + rising)
    assert table["t"].is_monotonic_increasing and not reading.questions
    reading, _ = read(tmp_path, "t,v\n03/04/2024,1\n05/06/2024,2\n")
    assert (reading.outcome, [q.code for q in reading.questions]) == ("ask", ["day_first"])
    answer = reading.questions[0].options[1][0]
    again = read_file(tmp_path / "a.csv", tmp_path / "a.parquet", answer)
    assert not again.questions
    assert pd.read_parquet(tmp_path / "a.parquet")["t"].iloc[0] == pd.Timestamp("2024-03-04")


def test_comma_between_three_digits_is_asked_only_where_it_is_open(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "a;b\n1,234;x\n5,678;y\n")
    assert (reading.outcome, [q.code for q in reading.questions]) == ("ask", ["decimal"])
    assert table["a"].tolist() == [1.234, 5.678]
    answer = reading.questions[0].options[1][0]
    assert not read_file(tmp_path / "a.csv", tmp_path / "a.parquet", answer).questions
    assert pd.read_parquet(tmp_path / "a.parquet")["a"].tolist() == [1234.0, 5678.0]
    reading, _ = read(tmp_path, "a;b\n1,234;x\n5,6;y\n")
    assert not reading.questions


def test_no_header_is_asked(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "1,2,3\n4,5,6\n")
    assert [q.code for q in reading.questions] == ["header"]
    assert len(table) == 2 and list(table.columns) == ["column_1", "column_2", "column_3"]
    reading, _ = read(tmp_path, "1,2,3\n4,5,6\n", header=False)
    assert reading.outcome == "load"


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("20.1,3.5\n20.3,3.6\n20.2,3.4\n", False),  # decimals name nothing
        ("2024-01-01 00:00,5\n2024-01-01 00:01,6\n", False),  # neither do times
        ("1,7\n2,9\n3,4\n4,8\n5,1\n", False),  # a count that goes on
        ("Year,2000,2001,2002\nTimber,12,15,11\nSteel,80,71,85\n", True),  # years in steps
        ("part,1001,1002\nA,ok,bad\nB,bad,ok\n", True),  # tags above words
    ],
)
def test_a_first_row_that_can_be_only_one_thing_is_not_asked_about(tmp_path: Path, text: str, header: bool) -> None:
    reading, table = read(tmp_path, text)
    assert not reading.questions
    assert reading.options.header is header
    assert len(table) == text.count("\n") - header


@pytest.mark.parametrize(
    ("content", "name", "match"),
    [
        (b"", "a.csv", "is empty"),
        (b"\n\n \n", "a.csv", "is empty"),
        (b"PK\x03\x04rest", "a.csv", "ZIP or Excel"),
        (b"\x89PNG\r\n\x1a\n", "a.csv", "PNG"),
        (b"PAR1abc", "a.csv", "Parquet"),
        (b"%PDF-1.7", "a.csv", "PDF"),
        (b"\x7fELF\x02\x01", "a.csv", "ELF"),
        (bytes(range(256)) * 20, "a.csv", "binary"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "a.csv", "gzip"),
        (gzip.compress(b"a,b\n1,2\n" * 5000, mtime=0)[:100], "a.csv.gz", "damaged"),
        (gzip.compress(b"PK\x03\x04rest", mtime=0), "a.csv.gz", "ZIP"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence_and_leaves_nothing(
    tmp_path: Path, content: bytes, name: str, match: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataProblem, match=match):
        read_file(tmp_path / name, tmp_path / "out.parquet")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_header_without_rows_is_an_empty_table_that_says_so(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "a,b\n")
    assert (reading.outcome, reading.n_rows, list(table.columns)) == ("warn", 0, ["a", "b"])
    assert "no_rows" in codes(reading) and reading.lines.holds


def test_missing_file_folder_and_unknown_encoding(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="no file 'x.csv'"):
        read_file(tmp_path / "x.csv", tmp_path / "o.parquet")
    with pytest.raises(DataProblem, match="is a folder"):
        read_file(tmp_path, tmp_path / "o.parquet")
    with pytest.raises(SettingProblem, match="utf-99"):
        read(tmp_path, "a,b\n1,2\n", encoding="utf-99")


def test_one_column_all_missing_column_and_three_rows_load_with_findings(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "v\n1\n2\n3\n")
    assert (reading.outcome, len(table)) == ("load", 3) and list(table.columns) == ["v"]
    reading, table = read(tmp_path, "v,w\n1,\n2,\n3,\n")
    assert "all_missing" in codes(reading) and table["w"].isna().all()
    assert {c.name: c.role for c in reading.columns}["w"] == "ignore"


def test_time_not_sorted_is_a_finding(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "t,v\n2024-01-02,1\n2024-01-01,2\n2024-01-03,3\n")
    assert "time_not_sorted" in codes(reading)
    assert table["v"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "gb18030", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    words = ["温度正常", "压力过高报警", "质量检验合格"] if encoding == "gb18030" else ["Tür", "Maß", "Öl"]
    text = "nr,text\n" + "".join(f"{i},{words[i % 3]}\n" for i in range(60))
    reading, table = read(tmp_path, text.encode(encoding))
    assert table["text"].tolist()[:3] == words
    assert reading.columns[0].name == "nr"


def test_row_order_survives_many_row_groups(tmp_path: Path) -> None:
    n = 260_000
    frame = pd.DataFrame({"k": np.arange(n), **{f"s{i}": np.arange(n) % (7 + i) for i in range(4)}, "w": "word"})
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    reading = read_file(path, tmp_path / "a.parquet")
    assert reading.n_rows == n
    assert (np.diff(pd.read_parquet(tmp_path / "a.parquet", columns=["k"])["k"]) == 1).all()


def test_sniff_previews_without_reading_all(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("Torque [Nm]\tTemp (°C)\n1.5\t20\n2.5\t21\n")
    preview = sniff(tmp_path / "a.tsv")
    assert preview.options.delimiter == "\t"
    assert (preview.names, preview.units) == (("Torque [Nm]", "Temp (°C)"), ("Nm", "°C"))
    assert preview.head == (("1.5", "20"), ("2.5", "21"))


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=8).map(
    str.strip
)
NUMBERS = st.floats(-1e6, 1e6).map(lambda v: round(v, 4))


def is_word(text: str) -> bool:
    missing = {w.lower() for w in MISSING_WORDS}
    return text.lower() not in missing and any(c.isalpha() for c in text) and not is_number(text) and not is_time(text)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_random_table_in_a_random_dialect_comes_back_equal(tmp_path: Path, data: st.DataObject) -> None:
    delimiter = data.draw(st.sampled_from([",", ";", "\t", "|"]))
    quote = data.draw(st.sampled_from(['"', "'"]))
    decimal = data.draw(st.sampled_from([".", ","]))
    ends = data.draw(st.sampled_from(["\n", "\r\n"]))
    n = data.draw(st.integers(1, 12))
    numbers = data.draw(st.lists(NUMBERS, min_size=n, max_size=n))
    texts = data.draw(st.lists(st.lists(WORDS, min_size=1, max_size=2).map("\n".join).filter(is_word), min_size=n, max_size=n))
    frame = pd.DataFrame({"value": numbers, "text": texts})
    path = tmp_path / "r.csv"
    frame.to_csv(path, index=False, sep=delimiter, quotechar=quote, decimal=decimal, lineterminator=ends)
    given_options = ReadOptions(delimiter=delimiter, quote=quote, decimal=decimal, thousands="", header=True, units_row=False)
    reading = read_file(path, tmp_path / "r.parquet", given_options)
    back = pd.read_parquet(tmp_path / "r.parquet")
    assert reading.lines.holds and not reading.rejected
    assert back["value"].tolist() == numbers
    assert back["text"].tolist() == texts


@pytest.mark.parametrize(
    ("file", "n_rows", "roles"),
    [
        ("skab/valve1/0.csv", 1147, {"datetime": "time", "anomaly": "target", "changepoint": "ignore"}),
        (
            "ai4i2020/ai4i2020.csv",
            10000,
            {"UDI": "ignore", "Product ID": "ignore", "Machine failure": "target", "Torque [Nm]": "sensor"},
        ),
        ("cmapss_fd001/train_FD001.csv.gz", 20631, {"unit": "group", "cycle": "time", "s_2": "sensor", "s_1": "ignore"}),
        ("steel_energy/Steel_industry_data.csv", 35040, {"date": "time", "Usage_kWh": "sensor"}),
    ],
)
def test_real_files(tmp_path: Path, shared_data: Path, file: str, n_rows: int, roles: dict[str, str]) -> None:
    reading = read_file(shared_data / file, tmp_path / "a.parquet")
    assert reading.n_rows == n_rows == reading.lines.accepted
    found = {c.name: c.role for c in reading.columns}
    assert {name: found[name] for name in roles} == roles
    assert not reading.rejected and not reading.questions
