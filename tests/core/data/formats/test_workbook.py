"""Workbooks: every cell as it stands in the sheet, every row accounted for, and what a sheet hides is said."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from core.data.formats.sheet_marks import read_marks
from core.errors import DataProblem
from tests.core.data.formats.making import codes, read_any, said, write_workbook

PLAIN = [["lot", "p [bar]", "t"], ["A", 1.5, 20], ["A", 0.1 + 0.2, 21], ["B", -3e-7, 22]]


def test_a_plain_sheet_keeps_its_numbers_to_the_last_digit(tmp_path: Path) -> None:
    _, reading, rows = read_any(write_workbook(tmp_path / "a.xlsx", {"Data": PLAIN}), tmp_path)
    # XlsxWriter writes 16 digits: 0.1 + 0.2 becomes 0.3.
    assert rows == [("A", 1.5, 20.0), ("A", 0.3, 21.0), ("B", -3e-7, 22.0)]
    assert [(c.name, c.kind, c.unit) for c in reading.columns] == [
        ("lot", "text", ""),
        ("p [bar]", "number", "bar"),
        ("t", "number", ""),
    ]
    assert reading.lines.holds and (reading.lines.total, reading.lines.header, reading.lines.accepted) == (4, 1, 3)
    assert reading.outcome == "load"


def test_all_17_digits_are_kept(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"Data": PLAIN})
    patched(path, "xl/worksheets/sheet1.xml", b"<v>0.3</v>", b"<v>0.30000000000000004</v>")
    assert read_any(path, tmp_path)[2][1] == ("A", 0.1 + 0.2, 21.0)


def test_a_workbook_of_another_library_is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in PLAIN:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert read_any(tmp_path / "a.xlsx", tmp_path)[2][2] == ("B", -3e-7, 22.0)


def test_a_table_that_begins_in_the_middle_of_the_sheet(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet = book.add_worksheet()
    for n, row in enumerate([["lot", "p"], ["A", 1.5], ["", 2.5], ["B", 3.5]]):
        sheet.write_row(3 + n, 2, row)
    sheet.merge_range("C5:C6", "A")
    book.close()
    _, reading, rows = read_any(tmp_path / "a.xlsx", tmp_path)
    assert rows == [("A", 1.5), ("A", 2.5), ("B", 3.5)]
    assert (reading.lines.total, reading.lines.blank, reading.lines.accepted) == (7, 3, 3)


def test_content_decides_and_not_the_ending(tmp_path: Path) -> None:
    file = write_workbook(tmp_path / "a.xlsx", {"Data": PLAIN}).rename(tmp_path / "export.csv")
    assert len(read_any(file, tmp_path)[2]) == 3


@pytest.mark.parametrize("system", [False, True], ids=["1900", "1904"])
def test_dates_times_and_durations(tmp_path: Path, system: bool) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx", {"date_1904": system})
    sheet = book.add_worksheet()
    form = {k: book.add_format({"num_format": k}) for k in ("yyyy-mm-dd", "dd.mm.yyyy hh:mm:ss.000", "hh:mm:ss", "[h]:mm:ss")}
    sheet.write_row(0, 0, ["day", "moment", "clock", "lasted", "p"])
    for n in range(1, 4):
        sheet.write_datetime(n, 0, dt.datetime(2024, 2, 26 + n), form["yyyy-mm-dd"])
        sheet.write_datetime(n, 1, dt.datetime(2024, 2, 29, 0, 0, n, 250_000), form["dd.mm.yyyy hh:mm:ss.000"])
        sheet.write_number(n, 2, 0.5 + n / 86_400, form["hh:mm:ss"])
        sheet.write_number(n, 3, 1.25, form["[h]:mm:ss"])
        sheet.write_number(n, 4, n)
    book.close()
    _, reading, rows = read_any(tmp_path / "a.xlsx", tmp_path)
    assert [c.kind for c in reading.columns] == ["time", "time", "text", "text", "number"]
    assert rows[2] == (dt.datetime(2024, 2, 29), dt.datetime(2024, 2, 29, 0, 0, 3, 250_000), "12:00:03", "30:00:00", 3.0)


def test_title_units_blank_rows_and_merged_cells(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet = book.add_worksheet()
    sheet.merge_range("A1:C1", "Line 3, week 12")
    sheet.write_row(2, 0, ["lot", "pressure", "temperature"])
    sheet.write_row(3, 0, ["", "bar", "°C"])
    sheet.merge_range("A5:A7", "L1")
    for n in range(4, 9):
        sheet.write_row(n, 1, [n + 0.5, 20 + n])
    sheet.write(7, 0, "L2")
    sheet.write(8, 0, "L2")
    sheet.write_row(10, 0, ["L3", 9.5, 29])
    book.close()
    _, reading, rows = read_any(tmp_path / "a.xlsx", tmp_path)
    assert [r[0] for r in rows] == ["L1", "L1", "L1", "L2", "L2", "L3"]
    assert [(c.name, c.unit) for c in reading.columns][1:] == [("pressure", "bar"), ("temperature", "°C")]
    lines = reading.lines
    assert lines.holds and (lines.total, lines.preamble, lines.header, lines.blank, lines.accepted) == (11, 1, 2, 2, 6)
    assert said(reading, "merged_cells") == "2 cells below merged ones got their value."


def test_a_title_and_remarks_above_a_wide_table_are_no_header(tmp_path: Path) -> None:
    rows = [["Line 3, week 12"], ["Operator", "Li"], [], ["lot", "p", "t", "speed", "ok"], ["", "bar", "°C", "rpm", ""]]
    rows += [[f"L{n // 5}", n + 0.5, 20 + n, 900 + n, "yes"] for n in range(20)]
    _, reading, found = read_any(write_workbook(tmp_path / "a.xlsx", {"S": rows}), tmp_path)
    assert [(c.name, c.unit) for c in reading.columns][:3] == [("lot", ""), ("p", "bar"), ("t", "°C")]
    assert len(found) == 20 and (reading.lines.preamble, reading.lines.header, reading.lines.blank) == (2, 2, 1)


def test_error_cells_are_empty_and_counted(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet, red = book.add_worksheet(), book.add_format({"bold": True})
    sheet.write_row(0, 0, ["a", "b"])
    for n in range(1, 9):
        sheet.write_row(n, 0, [n, n * 2])
    sheet.write_formula("B3", "=1/0", None, "#DIV/0!")
    sheet.write_blank("C4", None, red)  # An empty cell with a look stands before the error in the XML.
    sheet.write_formula("D4", "=NA()", None, "#N/A")
    sheet.write("D1", "d")
    sheet.write("C1", "c")
    sheet.write_formula("B5", "=A5*2", None, 77)
    book.close()
    _, reading, rows = read_any(tmp_path / "a.xlsx", tmp_path)
    assert rows[1][1] is None and rows[3][1] == 77.0
    assert said(reading, "excel_errors") == "2 cells hold Excel errors (#DIV/0!, #N/A; B3, D4) and count as empty."
    assert reading.outcome == "warn"


def test_formulas_that_were_never_computed_are_said(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    for n in range(2, 7):
        book.active.append([n, f"=A{n}*2"])
    book.save(tmp_path / "a.xlsx")
    assert "5 formulas have no stored value" in said(read_any(tmp_path / "a.xlsx", tmp_path)[1], "formulas_without_value")


def test_an_empty_text_result_is_no_formula_without_value(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a.xlsx", {"S": PLAIN})
    cells = b'<row r="9"><c r="A9" t="str"><f>IF(1,"")</f><v></v></c><c r="B9"><f>1+1</f><v>2</v></c><c r="C9"><f>1+1</f></c></row></sheetData>'
    patched(tmp_path / "a.xlsx", "xl/worksheets/sheet1.xml", b"</sheetData>", cells)
    assert read_marks(tmp_path / "a.xlsx", "S").formulas_without_value == 1


def patched(path: Path, part: str, before: bytes, after: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = parts[part].replace(before, after)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_booleans_texts_with_breaks_and_numbers_as_text(tmp_path: Path) -> None:
    rows = [["#", "ok", "remark\n(free)", "code", "p"]]
    rows += [[n, n % 2 == 0, "first\nsecond", f"00{n}", "1.5"] for n in range(1, 7)]
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    for n, row in enumerate(rows):
        for k, value in enumerate(row):
            (sheet.write_string if isinstance(value, str) else sheet.write)(n, k, value)
    book.close()
    _, reading, found = read_any(path, tmp_path)
    assert [c.name for c in reading.columns] == ["#", "ok", "remark (free)", "code", "p"]
    assert found[0] == (1.0, "FALSE", "first second", "001", 1.5)
    assert said(reading, "text_numbers").startswith("6 numbers are stored as text (columns E)")
    assert said(reading, "line_breaks").startswith("7 cells hold line breaks")
    assert reading.lines.total == 7


def test_a_decimal_comma_in_text_cells_is_read(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"S": [["a", "b"], *([n, f"{n},5"] for n in range(1, 8))]})
    assert read_any(path, tmp_path)[2][2] == (3.0, 3.5)


def test_several_sheets_are_asked_for_and_hidden_ones_named(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    for name in ("First", "Second", "Notes", "Old", "Older"):
        sheet = book.add_worksheet(name)
        if name == "Notes":
            sheet.write("A1", "only a word")
            continue
        for n, row in enumerate([["a", "b"], [1, 2], [3, 4], [5, len(name)]]):
            sheet.write_row(n, 0, row)
    book.get_worksheet_by_name("Old").hide()
    book.get_worksheet_by_name("Older").very_hidden()
    book.add_chartsheet("Chart")
    book.close()
    opened, reading, _ = read_any(path, tmp_path)
    assert reading.outcome == "ask"
    assert [str(label) for _, label in reading.questions[0].options] == ["First", "Second"]
    assert opened.sheets == ("First", "Second", "Notes", "Old", "Older")
    assert said(reading, "hidden_sheets") == "2 hidden sheets were left out: Old, Older."
    for sheet, last in (("second", 6.0), ("Older", 5.0)):
        folder = tmp_path / sheet
        folder.mkdir()
        opened, reading, rows = read_any(path, folder, sheet=sheet)
        assert (reading.outcome, rows[-1][1]) in (("load", last), ("warn", last))
    with pytest.raises(DataProblem, match="There is no sheet 'Secnd' in 'a.xlsx'. It has: First, .* Did you mean 'Second'"):
        read_any(path, tmp_path / "second" / "opened", sheet="Secnd")


def test_hidden_rows_and_columns_are_read_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    for n, row in enumerate([["a", "b", "c"], *([n, n, n] for n in range(1, 9))]):
        sheet.write_row(n, 0, row)
    for n in (2, 5):
        sheet.set_row(n, None, None, {"hidden": True})
    sheet.set_column("B:C", None, None, {"hidden": True})
    book.close()
    _, reading, rows = read_any(path, tmp_path)
    assert len(rows) == 8 and len(rows[0]) == 3
    assert said(reading, "hidden_rows") == "2 hidden rows of the sheet were read too."
    assert said(reading, "hidden_columns") == "2 hidden columns of the sheet were read too."


def test_line_numbers_of_rejected_rows_are_rows_of_the_sheet(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"S": [[], [], ["a", "b"], *([n, n + 0.5] for n in range(20))]})
    reading = read_any(path, tmp_path)[1]
    assert (reading.lines.total, reading.lines.blank, reading.lines.accepted) == (23, 2, 20)


def test_marks_are_found_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("S")
    for n in range(500):
        sheet.write_formula(n, n % 7, "=NA()", None, "#N/A")
    book.close()
    for block in (64, 100, 1_000):
        monkeypatch.setattr("core.data.formats.sheet_marks._BLOCK", block)
        found = read_marks(path, "S")
        assert found.n_errors == 500
        assert found.errors[8].cell == "B9"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is an old Excel file"),
        (b"PK\x03\x04" + bytes(50), "is damaged"),
    ],
)
def test_what_is_no_workbook_is_refused_in_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(DataProblem, match=words):
        read_any(tmp_path / "a.xlsx", tmp_path)


def test_other_spreadsheets_are_named(tmp_path: Path) -> None:
    for name, part, content in (
        ("a.xlsb", "xl/workbook.bin", "x"),
        ("a.ods", "mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
    ):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(part, content)
        (tmp_path / name[2:]).mkdir()
        with pytest.raises(DataProblem, match=r"\(\.(xlsb|ods)\), which is not read. .* save the table as an Excel workbook"):
            read_any(tmp_path / name, tmp_path / name[2:])


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.95, 0.999])
def test_a_workbook_that_is_cut_off_is_refused(tmp_path: Path, kept: float) -> None:
    content = write_workbook(tmp_path / "a.xlsx", {"S": PLAIN * 50}).read_bytes()
    (tmp_path / "b.xlsx").write_bytes(content[: int(kept * len(content))])
    with pytest.raises(DataProblem, match="damaged"):
        read_any(tmp_path / "b.xlsx", tmp_path)


def test_empty_sheets_have_a_sentence(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"S": [], "T": [["one"]]})
    with pytest.raises(DataProblem, match="No sheet of 'a.xlsx' holds a table"):
        read_any(path, tmp_path)
    with pytest.raises(DataProblem, match="The sheet 'S' of 'a.xlsx' is empty"):
        read_any(path, tmp_path / "opened", sheet="S")


def test_a_header_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"S": [["a", "b"]]})
    reading = read_any(path, tmp_path)[1]
    assert (reading.outcome, reading.n_rows, [c.name for c in reading.columns]) == ("warn", 0, ["a", "b"])
    assert "no_rows" in codes(reading)


def test_codes_of_findings_are_stable(tmp_path: Path) -> None:
    assert codes(read_any(write_workbook(tmp_path / "a.xlsx", {"Data": PLAIN}), tmp_path)[1]) <= {"constant", "id_like"}
