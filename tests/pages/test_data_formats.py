"""Data: workbooks, Parquet, archives and several files at once, from the upload to the dataset."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from tests.pages.giving import give_all
from tests.stored import NOTHING, stored

Open = Callable[..., AppTest]


def workbook(sheets: Mapping[str, list[list[Any]]]) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content)
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for n, row in enumerate(rows):
            sheet.write_row(n, 0, row)
    book.close()
    return content.getvalue()


def archive(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files.items():
            made.writestr(name, text)
    return content.getvalue()


def table(*columns: str, n: int = 30, plus: int = 0) -> str:
    return ",".join(columns) + "\n" + "".join(",".join(str(plus + k + i) for i in range(len(columns))) + "\n" for k in range(n))


def uploaded(open_app: Open, *files: tuple[str, bytes]) -> AppTest:
    app = open_app("prepare/data.py")
    give_all(app, files)
    assert not app.exception
    return app


def stored_table(app: AppTest) -> wf.Dataset:
    app.button(key="import_file").click().run(timeout=60)
    assert not app.exception and not app.error
    return wf.list_datasets(wf.open_workspace())[0]


def test_a_workbook_asks_for_its_sheet_and_shows_the_chosen_one(open_app: Open) -> None:
    rows = [["part", "width [mm]"], *([k, 47.9 + k / 100] for k in range(20))]
    app = uploaded(open_app, ("line 3.xlsx", workbook({"Notes": [["a", "b"], [1, 2], [3, 4]], "Parts": rows})))
    assert app.button(key="import_file").disabled
    app.radio(key="read.question.sheet.0").set_value(1).run(timeout=60)
    assert app.selectbox(key="read.sheet").value == "Parts"
    assert app.dataframe[0].value.iloc[1].tolist() == ["1", "47.91"]
    assert not [s for s in app.selectbox if s.key == "read.delimiter"]
    dataset = stored_table(app)
    assert (dataset.name, dataset.n_rows, [c.name for c in dataset.columns]) == ("line 3", 20, ["part", "width [mm]"])


def test_corrections_of_one_sheet_do_not_reach_the_next(open_app: Open) -> None:
    rows = [["Line 3, week 12"], [], ["lot", "p", "t", "ok"], *([f"L{k}", k + 0.5, 20 + k, "yes"] for k in range(20))]
    app = uploaded(open_app, ("a.xlsx", workbook({"Notes": [["a", "b"], [1, 2], [3, 4]], "Parts": rows})))
    assert app.number_input(key="read.preamble_rows").value == 0
    app.radio(key="read.question.sheet.0").set_value(1).run(timeout=60)
    assert app.number_input(key="read.preamble_rows").value == 2
    app.toggle(key="read.units_row").set_value(True).run(timeout=60)
    assert app.toggle(key="read.units_row").value
    app.toggle(key="read.units_row").set_value(False).run(timeout=60)
    assert [c.name for c in stored_table(app).columns] == ["lot", "p", "t", "ok"]


def test_the_header_of_a_sheet_can_be_corrected(open_app: Open) -> None:
    app = uploaded(open_app, ("a.xlsx", workbook({"S": [["a", "b"], *([k, k * 2] for k in range(9))]})))
    app.toggle(key="read.header").set_value(False).run(timeout=60)
    assert app.dataframe[0].value.iloc[0].tolist() == ["a", "b"]
    assert not app.exception


def test_a_parquet_file_keeps_its_schema(open_app: Open) -> None:
    content = io.BytesIO()
    pq.write_table(pa.table({"p": [1.5, 2.5, 3.5], "lot": ["A", "B", "A"]}), content)
    app = uploaded(open_app, ("plant.parquet", content.getvalue()))
    assert [toggle.key for toggle in app.toggle] == ["read.form"]
    assert [c.kind for c in stored_table(app).columns] == ["number", "text"]


def test_an_archive_offers_its_tables_and_all_of_them(open_app: Open) -> None:
    files = ("may.zip", archive({"2.csv": table("p", "u"), "10.csv": table("p", "u", plus=100)}))
    app = uploaded(open_app, files)
    assert app.button(key="import_file").disabled
    app.radio(key="read.question.member.0").set_value(2).run(timeout=60)
    assert not app.exception and app.metric[0].value == "60"
    dataset = stored_table(app)
    assert dataset.n_rows == 60
    assert set(dataset.table(["file"])["file"]) == {"2", "10"}


def test_several_files_are_shown_as_one_table_before_they_are_stored(open_app: Open, own_store: Path) -> None:
    app = uploaded(open_app, ("10.csv", table("p", "u").encode()), ("2.csv", table("u", "p", n=5).encode()))
    assert app.title[0].value.startswith("Check the table of 35 rows from 2 files")
    assert app.dataframe[0].value.iloc[0].tolist() == ["2", "0", "1"]  # The columns as in the first file.
    assert all(file.startswith("tmp/") for file in stored(own_store)["files"])
    assert wf.list_datasets(wf.open_workspace()) == ()
    dataset = stored_table(app)
    assert [(c.name, c.role) for c in dataset.columns][0] == ("file", "group")
    assert dataset.n_rows == 35
    assert "_workplace" not in app.session_state and not list((own_store / "tmp").iterdir())


def test_files_can_be_joined_and_what_has_no_partner_is_shown(open_app: Open) -> None:
    parts = "part,p\n" + "".join(f"A{k},{k}.5\n" for k in range(10))
    tests = "part,q\n" + "".join(f"A{k},{k}.25\n" for k in range(4, 16))
    app = uploaded(open_app, ("1 parts.csv", parts.encode()), ("2 tests.csv", tests.encode()))
    app.radio(key="together.combine").set_value("join").run(timeout=60)
    assert not app.exception
    assert [m.value for m in app.metric] == ["10", "3", "4"]
    assert app.metric[2].delta == "6 rows of it left out"
    assert stored_table(app).n_rows == 10


def test_the_nearest_time_is_joined_within_a_machine_where_it_is_asked(open_app: Open) -> None:
    machines = ["M1", "M2"] * 10
    a = "machine,time,p\n" + "".join(f"{m},2024-01-01 00:00:{k:02d},{k}\n" for k, m in enumerate(machines))
    b = "machine,time,q\n" + "".join(f"{m},2024-01-01 00:00:{k:02d}.4,{k}\n" for k, m in enumerate(reversed(machines)))
    app = uploaded(open_app, ("a.csv", a.encode()), ("b.csv", b.encode()))
    app.radio(key="together.combine").set_value("join").run(timeout=60)
    app.text_input(key="together.key").set_value("time").run(timeout=60)
    app.number_input(key="together.tolerance").set_value(0.5).run(timeout=60)
    assert app.button(key="import_file").disabled
    app.radio(key="together.question.within.0").set_value(0).run(timeout=60)
    assert app.text_input(key="together.within").value == "machine"
    assert [m.value for m in app.metric] == ["20", "4", "20"]  # The nearest row is always of the other machine.
    app.text_input(key="together.within").set_value("*").run(timeout=60)
    assert [m.value for m in app.metric] == ["20", "5", "0"]
    assert stored_table(app).n_rows == 20


def test_totals_of_one_of_several_files_are_answered_for_all(open_app: Open) -> None:
    rows = "part,n\n" + "".join(f"p{k},{k}\n" for k in range(20))
    app = uploaded(open_app, ("a.csv", rows.encode()), ("b.csv", (rows + "Total,191\n").encode()))
    assert app.button(key="import_file").disabled
    app.radio(key="together.question.last_line.0").set_value(0).run(timeout=60)
    assert stored_table(app).n_rows == 40


def test_differing_columns_are_asked_for(open_app: Open) -> None:
    app = uploaded(open_app, ("a.csv", table("p", "u").encode()), ("b.csv", table("p", "v").encode()))
    app.radio(key="together.combine").set_value("stack").run(timeout=60)  # join stands first: 1 of 3 columns is shared
    assert app.button(key="import_file").disabled
    app.radio(key="together.question.columns.0").set_value(1).run(timeout=60)
    assert [c.name for c in stored_table(app).columns] == ["file", "p"]


def test_an_answer_about_one_file_holds_for_all(open_app: Open) -> None:
    numbers = "n;p\n" + "".join(f"{k};1,{k:03d}\n" for k in range(100, 130))
    app = uploaded(open_app, ("a.csv", numbers.encode()), ("b.csv", numbers.encode()))
    app.radio(key="together.question.decimal.0").set_value(0).run(timeout=60)
    dataset = stored_table(app)
    assert dataset.table(["p"])["p"].max() == pytest.approx(1.129)


def test_wide_files_become_cycles_and_steps(open_app: Open) -> None:
    sensor = "".join("\t".join(str(c * 10 + s + 0.5) for s in range(6)) + "\n" for c in range(8))
    app = uploaded(open_app, ("PS1.txt", sensor.encode()), ("TS1.txt", sensor.encode()))
    app.radio(key="together.combine").set_value("wide").run(timeout=60)
    assert not app.exception
    dataset = stored_table(app)
    assert dataset.n_rows == 48
    assert [(c.name, c.role) for c in dataset.columns] == [
        ("cycle", "group"),
        ("step", "time"),
        ("PS1", "sensor"),
        ("TS1", "sensor"),
    ]


def test_one_wide_file_is_turned_and_shown_before_it_is_stored(open_app: Open) -> None:
    header = "part,lot," + ",".join(f"force_{s}" for s in range(6))
    rows = "".join(f"A{c},L1," + ",".join(str(c * 10 + s + 0.5) for s in range(6)) + "\n" for c in range(8))
    app = uploaded(open_app, ("press.csv", f"{header}\n{rows}".encode()))
    assert app.toggle(key="read.form").value is False and app.dataframe[0].value.shape[1] == 8
    app.toggle(key="read.form").set_value(True).run(timeout=60)
    assert not app.exception and app.title[0].value.startswith("Check the table of 48 rows from 'press")
    assert app.dataframe[0].value.iloc[1].tolist() == ["A0", "1", "1.5", "L1"]
    app.toggle(key="read.form").set_value(False).run(timeout=60)
    assert app.dataframe[0].value.shape[1] == 8
    app.toggle(key="read.form").set_value(True).run(timeout=60)
    dataset = stored_table(app)
    assert (dataset.name, dataset.n_rows) == ("press", 48)
    roles = [("part", "group"), ("step", "time"), ("force", "sensor"), ("lot", "ignore")]
    assert [(c.name, c.role) for c in dataset.columns] == roles


def test_numbered_columns_are_asked_about_and_nothing_is_turned_unasked(open_app: Open) -> None:
    header = "part," + ",".join(f"t{k}" for k in range(1, 41))
    rows = "".join(f"A{c}," + ",".join(str((c * 7 + s * 3) % 23 + 0.5) for s in range(40)) + "\n" for c in range(30))
    app = uploaded(open_app, ("press.csv", f"{header}\n{rows}".encode()))
    assert app.toggle(key="read.form").value is False and not app.button(key="import_file").disabled
    asked = [m.value.replace("\\", "") for m in app.markdown]
    assert any(line.startswith("Columns 't1' to 't40' are numbered: are they time steps") for line in asked)
    app.button(key="keep_wide").click().run(timeout=60)
    assert not [b for b in app.button if b.key == "turn_wide"]
    again = uploaded(open_app, ("press.csv", f"{header}\n{rows}".encode()))
    again.button(key="turn_wide").click().run(timeout=60)
    assert again.toggle(key="read.form").value is True
    assert stored_table(again).n_rows == 1_200


def test_files_with_mostly_different_columns_are_joined_first(open_app: Open) -> None:
    same = uploaded(open_app, ("a.csv", table("p", "u", "v").encode()), ("b.csv", table("p", "u", "w").encode()))
    assert same.radio(key="together.combine").value == "stack"  # 2 of 4 columns are shared
    app = uploaded(open_app, ("a.csv", table("part", "u", "v").encode()), ("b.csv", table("part", "x", "y", "z").encode()))
    assert app.radio(key="together.combine").value == "join"
    assert app.radio(key="together.combine").options[0] == "side by side"
    assert [c.name for c in stored_table(app).columns] == ["part", "u", "v", "x", "y", "z"]


def test_a_wide_file_of_numbers_with_a_decimal_comma_is_corrected_and_turned(open_app: Open) -> None:
    rows = "".join(";".join(f"{c},{s}25" for s in range(5)) + "\n" for c in range(7))
    app = uploaded(open_app, ("PS1.txt", rows.encode()))
    app.toggle(key="read.form").set_value(True).run(timeout=60)
    assert not app.exception
    assert app.selectbox(key="read.decimal").value == ","
    dataset = stored_table(app)
    assert dataset.n_rows == 35 and dataset.table(["PS1"])["PS1"].max() == 6.425


def test_a_file_that_is_not_wide_says_so_and_goes_back(open_app: Open) -> None:
    app = uploaded(open_app, ("a.csv", table("p", "u").encode()))
    app.toggle(key="read.form").set_value(True).run(timeout=60)
    assert not app.exception and "at least 3" in app.error[0].value and app.button(key="import_file").disabled
    app.toggle(key="read.form").set_value(False).run(timeout=60)
    assert stored_table(app).n_rows == 30


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("old.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel file"),
        ("z.zip", archive({"../evil.csv": table("a", "b")}), "leads out of the folder"),
        ("cut.parquet", b"PAR1" + bytes(100), "damaged or cut off"),
    ],
)
def test_what_cannot_be_read_is_refused_in_place(
    open_app: Open, own_store: Path, name: str, content: bytes, words: str
) -> None:
    app = uploaded(open_app, (name, content))
    (shown,) = app.error
    said = shown.value.replace("\\", "")
    assert words in said and name in said
    assert app.button(key="import_file").disabled
    app.button(key="drop_file").click().run(timeout=60)
    assert stored(own_store) == NOTHING


def test_files_that_do_not_go_together_say_why(open_app: Open) -> None:
    app = uploaded(open_app, ("a.csv", table("p", "u").encode()), ("b.csv", table("x", "y").encode()))
    assert "no column in common" in app.error[0].value
    assert app.title[0].value == "2 files do not go together yet"
