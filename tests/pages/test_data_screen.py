"""Data: from an uploaded file to a dataset with roles, and what bad files are answered with."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.data.dataset import Column
from core.errors import Problem, SettingProblem
from core.workflows import apart, importing
from pages.components import column_table, rejected_rows, series_section
from tests.pages.giving import give
from tests.stored import NOTHING, stored

Open = Callable[..., AppTest]
GERMAN = "Zeit;Breite (mm);Los\n" + "".join(f"2026-05-01 06:{i:02d};47,9{i % 10};A{i % 3}\n" for i in range(60))


def uploaded(open_app: Open, content: bytes, name: str = "part.csv") -> AppTest:
    app = open_app("prepare/data.py")
    give(app, content, name)
    assert not app.exception
    return app


def imported(open_app: Open, content: bytes, name: str = "part.csv") -> AppTest:
    app = uploaded(open_app, content, name)
    app.button(key="import_file").click().run()
    assert not app.exception
    return app


def asked(app: AppTest) -> list[str]:
    """The keys of the open questions."""
    return [str(r.key) for r in app.radio if "question" in str(r.key)]


def test_the_empty_screen_asks_for_a_file(open_app: Open) -> None:
    app = open_app("prepare/data.py")
    assert app.title[0].value.startswith("Bring a table")
    assert app.session_state["_ticket"]


def test_the_preview_shows_what_was_found_and_imports_it(open_app: Open) -> None:
    app = uploaded(open_app, GERMAN.encode())
    assert app.selectbox(key="read.delimiter").value == ";"
    assert app.selectbox(key="read.decimal").value == ","
    app.button(key="import_file").click().run()
    dataset = wf.list_datasets(wf.open_workspace())[0]
    assert (dataset.name, dataset.n_rows) == ("part", 60)
    assert dataset.table(["Breite (mm)"])["Breite (mm)"].max() == pytest.approx(47.99)
    assert app.query_params["dataset"] == dataset.id
    assert app.metric[0].value == "60"


def test_what_will_be_rejected_or_asked_is_said_before_the_import(open_app: Open) -> None:
    rows = b"".join(b"%d,%d\n" % (i, i * 2) for i in range(60))
    app = uploaded(open_app, b"a,b\n" + rows + b"1,2,3,4\n" + rows)
    assert "1 line was rejected" in " ".join(m.value for m in (*app.markdown, *app.caption, *app.warning))
    app = uploaded(open_app, b"lot,b\n" + b"L1,2\n" * 60 + b"Total,7\n")
    assert app.button(key="import_file").disabled, "the doubtful total is asked about at once"


def test_a_correction_changes_the_preview(open_app: Open) -> None:
    app = uploaded(open_app, b"a|b,c\n" + b"1|2,3\n" * 20)
    app.selectbox(key="read.delimiter").set_value("|").run()
    assert not app.exception
    assert list(app.dataframe[0].value.columns) == ["0", "1"]
    assert app.dataframe[0].value.iloc[0].tolist() == ["1", "2,3"]


def test_the_encoding_of_a_gz_file_can_be_corrected(open_app: Open) -> None:
    chinese = "时间,温度\n" + "".join(f"2026-05-01 06:{i:02d},2{i % 10}\n" for i in range(60))
    app = uploaded(open_app, gzip.compress(chinese.encode("gb18030")), "温度.csv.gz")
    app.selectbox(key="read.encoding").set_value("gb18030").run()
    app.button(key="import_file").click().run()
    dataset = wf.list_datasets(wf.open_workspace())[0]
    assert dataset.name == "温度"
    assert [c.name for c in dataset.columns] == ["时间", "温度"]
    assert not app.error


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.csv"),
        (b"\n \n\n", "blank.csv"),
        (b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 8, "binary.csv"),
        (b"PK\x03\x04" + b"\0" * 200, "z.csv"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "photo.csv"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 50, mtime=0)[:20], "cut.csv.gz"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_place(open_app: Open, own_store: Path, content: bytes, name: str) -> None:
    app = uploaded(open_app, content, name)
    (shown,) = app.error
    assert name in shown.value.replace("\\", "")
    assert "upload.csv" not in shown.value
    assert app.button(key="import_file").disabled
    assert stored(own_store) == NOTHING


def test_a_name_of_blanks_is_refused_and_nothing_is_kept(open_app: Open, own_store: Path) -> None:
    app = uploaded(open_app, b"a,b\n" + b"1,2\n" * 30)
    app.text_input(key="read.name").set_value("\u202e").run()
    app.button(key="import_file").click().run()
    assert not app.exception
    assert [e.value for e in app.error if "name is empty" in e.value] != []
    assert stored(own_store) == NOTHING


RAGGED = b"a,b\n" + b"1,2\n" * 30 + b"9,8,7,6\n" + b"=3,4,5\n" + b"1,2\n" * 5


def test_rejected_rows_can_be_taken_away_in_any_session(open_app: Open, tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_bytes(RAGGED)
    dataset = wf.import_file(wf.open_workspace(), path).dataset
    assert dataset is not None
    app = open_app("prepare/data.py", dataset=dataset.id)
    (button,) = app.get("download_button")
    assert button.proto.label == "Download rejected rows"
    again = open_app("prepare/data.py", dataset=dataset.id)
    assert len(again.get("download_button")) == 1


def test_the_download_holds_line_reason_and_text_and_runs_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_bytes(RAGGED)
    ws = wf.open_workspace()
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    lines = rejected_rows.csv_text(wf.rejected_rows(ws, dataset.id)).splitlines()
    assert lines[0] == "line,byte,column,reason,text"
    # 1 header and 30 rows stand above the two: 31 lines of 4 bytes.
    assert lines[1].startswith("32,124,") and lines[1].endswith('"9,8,7,6"')
    assert lines[2].startswith("33,132,") and lines[2].endswith('"\'=3,4,5"')


def test_a_header_alone_is_imported_as_a_table_without_rows_and_can_be_read_as_a_row(open_app: Open) -> None:
    app = uploaded(open_app, b"a,b,c\n", "header.csv")
    app.toggle(key="read.header").set_value(False).run()
    assert not app.error and not app.button(key="import_file").disabled
    app.toggle(key="read.header").set_value(True).run()
    app.button(key="import_file").click().run()
    assert not app.exception
    (dataset,) = wf.list_datasets(wf.open_workspace())
    assert (dataset.n_rows, [c.name for c in dataset.columns]) == (0, ["a", "b", "c"])


def test_markdown_in_column_names_stays_text(open_app: Open) -> None:
    evil = "![x](http://evil.example/a.png),**b**,<script>\n" + "1,2,3\n" * 30
    app = imported(open_app, evil.encode())
    assert not app.error
    shown = (
        " ".join(m.value for m in app.markdown) + " ".join(c.value for c in app.caption) + " ".join(m.label for m in app.metric)
    )
    assert "![x](" not in shown
    assert "**b**" not in shown


def test_another_file_can_be_chosen(open_app: Open) -> None:
    app = uploaded(open_app, GERMAN.encode())
    folder = Path(app.session_state["_upload"].path).parent
    app.button(key="drop_file").click().run()
    assert app.title[0].value.startswith("Bring a table")
    assert not folder.exists()


def test_the_upload_leaves_no_copy_behind(open_app: Open) -> None:
    app = uploaded(open_app, GERMAN.encode())
    folder = Path(app.session_state["_upload"].path).parent
    assert folder.stat().st_mode & 0o077 == 0
    app.button(key="import_file").click().run()
    assert not folder.exists()
    assert "_upload" not in app.session_state


def test_a_file_that_was_imported_before_is_named_and_can_be_opened_instead(open_app: Open) -> None:
    imported(open_app, GERMAN.encode())
    (first,) = wf.list_datasets(wf.open_workspace())
    app = open_app("prepare/data.py", dataset=first.id)
    app.button(key="add_file").click().run()
    give(app, GERMAN.encode(), "copy.csv")
    assert not app.exception and "imported before as 'part'" in " ".join(c.value for c in app.caption)
    app.button(key="open_before").click().run()
    assert app.query_params["dataset"] == first.id and len(wf.list_datasets(wf.open_workspace())) == 1


def test_the_original_can_be_read_again_with_other_options(open_app: Open, own_store: Path) -> None:
    app = imported(open_app, GERMAN.encode())
    app = open_app("prepare/data.py", dataset=wf.list_datasets(wf.open_workspace())[0].id)
    app.button(key="read_again").click().run()
    assert not app.exception and app.selectbox(key="read.delimiter").value == ";"
    app.selectbox(key="read.delimiter").set_value(",").run()
    app.button(key="import_file").click().run()
    assert not app.exception
    new, old = wf.list_datasets(wf.open_workspace())
    assert (len(old.columns), len(new.columns)) == (3, 2)
    assert not list((own_store / "tmp").rglob("again-*"))


def test_rename_and_delete(open_app: Open) -> None:
    app = imported(open_app, GERMAN.encode())
    app.switch_page("prepare/data.py").run()
    dataset = wf.list_datasets(wf.open_workspace())[0]
    app.text_input(key=f"rename_{dataset.id}").set_value("Widths of May").run()
    app.button(key="rename_dataset").click().run()
    assert wf.list_datasets(wf.open_workspace())[0].name == "Widths of May"
    app.button(key="delete_dataset").click().run()
    assert wf.list_datasets(wf.open_workspace()) == ()
    assert app.title[0].value.startswith("Bring a table")
    assert "dataset" not in app.query_params


def test_the_table_gives_back_the_columns_it_was_made_from() -> None:
    columns = (
        Column("t", "time", "time"),
        Column("width", "number", "target", "mm", 47.9, 48.0, 48.1),
        Column("lot", "text", "group"),
    )
    found = [
        SimpleNamespace(missing_fraction=0.25, minimum=1.0, maximum=2.0, sparkline=(1.0, 2.0), findings=()) for _ in columns
    ]
    table = column_table.frame(columns, found)
    assert table["missing"].tolist() == [25.0] * 3
    assert tuple(column_table.with_row(c, row) for c, row in zip(columns, table.to_dict("records"), strict=True)) == columns


def test_an_edited_row_changes_role_unit_and_limits_only() -> None:
    old = Column("p", "number")
    row = {"role": "target", "unit": " bar ", "lower": 3.7, "nominal": None, "upper": 4.3}
    assert column_table.with_row(old, row) == Column("p", "number", "target", "bar", 3.7, None, 4.3)
    assert column_table.with_row(old, {**row, "role": "hacker"}).role == "sensor"


def test_texts_that_a_model_learns_from_are_called_a_category_and_no_sensor() -> None:
    material = Column("material", "text")
    summary = [SimpleNamespace(missing_fraction=0.0, minimum=None, maximum=None, sparkline=(), findings=())]
    (row,) = column_table.frame([material], summary).to_dict("records")
    assert row["role"] == "category"
    assert column_table.with_row(material, row) == material
    with pytest.raises(SettingProblem, match="'p' was given the role 'category'"):
        column_table.with_row(Column("p", "number"), row)


def test_data_and_screening_say_the_same_of_a_dataset(open_app: Open, tmp_path: Path) -> None:
    x = np.random.default_rng(1).normal(50, 2, 400)
    x[100:220] = x[100]
    pd.DataFrame({"when": pd.date_range("2026-01-05", periods=400, freq="min"), "x": x}).to_csv(tmp_path / "s.csv", index=False)
    dataset = wf.import_file(wf.open_workspace(), tmp_path / "s.csv").dataset
    assert dataset is not None
    before = open_app("prepare/data.py", dataset=dataset.id)
    assert before.title[0].value == "2 columns are read; the screening grades them"
    screening = open_app("prepare/screening.py", dataset=dataset.id).title[0].value
    assert screening == "1 of 2 columns needs attention before training"
    assert open_app("prepare/data.py", dataset=dataset.id).title[0].value == screening


def test_it_is_said_when_only_the_first_of_very_many_rejected_lines_are_kept(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MAX_REJECTED_KEPT", 1)
    path = tmp_path / "ragged.csv"
    path.write_bytes(RAGGED)
    dataset = wf.import_file(wf.open_workspace(), path).dataset
    assert dataset is not None
    app = open_app("prepare/data.py", dataset=dataset.id)
    assert any("the first 1 of 2 rejected lines" in c.value for c in app.caption)


def test_columns_are_hashed_or_dropped_as_chosen_and_the_trail_tells(open_app: Open, own_store: Path) -> None:
    app = uploaded(open_app, GERMAN.encode())
    app.multiselect(key="read.hash").set_value(["Los"]).run()
    app.multiselect(key="read.drop").set_value(["Breite (mm)"]).run()
    app.button(key="import_file").click().run()
    assert not app.exception
    dataset = wf.list_datasets(wf.open_workspace())[0]
    assert [c.name for c in dataset.columns] == ["Zeit", "Los"]
    assert dataset.table(["Los"])["Los"].str.len().unique().tolist() == [32]
    assert not list((own_store / "data").rglob("source.*"))
    assert wf.list_audit(wf.open_workspace())[0].details == {"rows": 60, "hashed": ["Los"], "dropped": ["Breite (mm)"]}


def test_periods_typed_compared_versions_and_deletion_with_everything(open_app: Open, own_store: Path, tmp_path: Path) -> None:
    path = tmp_path / "part.csv"
    path.write_text(GERMAN, encoding="utf-8")
    ws = wf.open_workspace()
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    changed = [Column("Breite (mm)", "number", "target", "mm")]
    wf.change_columns(ws, dataset.id, changed)
    app = open_app("prepare/data.py", dataset=dataset.id)
    for key in ("over_time", "compared", "trail"):
        app.session_state[key] = True
    app.run()
    assert not app.exception
    assert not app.error
    assert any("The same table; 1 column means something else" in m.value for m in app.markdown)
    said = " ".join(m.value for m in app.markdown)
    assert "goes for good, with 0 runs, 0 reports and 0 jobs" in said
    trail = next(d.value for d in app.dataframe if "hash" in d.value.columns)
    assert trail["what"].tolist() == ["columns changed", "imported"]
    assert "Copies made outside of Andon still hold it" in said
    app.button(key="delete_everything").click().run()
    assert wf.list_datasets(wf.open_workspace()) == ()
    assert not [p for p in (own_store / "data").rglob("*") if p.is_file()]


@pytest.mark.parametrize(
    "raw",
    [
        b"from,to,reason\n2026-05-01 06:00,2026-05-01 06:30,wash\n",
        "von;bis;Grund\n01.05.2026 06:00;01.05.2026 06:30;wash\n".encode("utf-8-sig"),
        b"\n2026-05-01 06:00\t2026-05-01 06:30\twash\n\n",
    ],
)
def test_a_file_of_periods_is_read_as_people_write_it(raw: bytes) -> None:
    (period,) = series_section.read_file(raw)
    assert period.text == "2026-05-01T06:00:00/2026-05-01T06:30:00 wash"


@pytest.mark.parametrize("raw", [b"", b"from,to\n", b"\xff\x00\x01", b"just words\n"])
def test_a_file_without_periods_is_refused(raw: bytes) -> None:
    with pytest.raises(Problem, match="holds no periods|no period|cannot be read"):
        series_section.read_file(raw)


@pytest.mark.parametrize("is_large", [False, True])
def test_what_only_the_whole_file_leaves_open_is_asked_at_once_or_after_the_first_try(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    """A small file is read whole for its preview; of a large one only the import finds out."""
    rows = "".join(f"p{k},{k}\n" for k in range(40))  # The sum is 780.
    content = f"part,n\n{rows}Total,790\n".encode()
    if is_large:
        monkeypatch.setattr(apart, "IN_PROCESS_BYTES", 10)
    app = imported(open_app, content) if is_large else uploaded(open_app, content)
    assert wf.list_datasets(wf.open_workspace()) == () and app.button(key="import_file").disabled
    app.radio(key="read.question.last_line.0").set_value(0).run()
    assert not asked(app) and not app.button(key="import_file").disabled
    app.button(key="import_file").click().run()
    assert not app.exception
    assert wf.list_datasets(wf.open_workspace())[0].n_rows == 40


def test_an_answer_that_says_what_was_found_anyway_closes_the_question(open_app: Open) -> None:
    app = uploaded(open_app, b"1,2,3\n4,5,6\n")
    app.radio(key="read.question.header.0").set_value(0).run()
    assert not asked(app) and not app.button(key="import_file").disabled
    app.button(key="import_file").click().run()
    assert wf.list_datasets(wf.open_workspace())[0].n_rows == 2


@pytest.mark.parametrize(("answer", "names"), [(0, ["a", "b"]), (1, ["c", "d", "e"]), (2, list("abcde"))])
def test_one_of_the_tables_side_by_side_is_chosen(open_app: Open, answer: int, names: list[str]) -> None:
    rows = "".join(f"{k},{k / 4},,{k},x{k},{k / 8}\n" for k in range(30))
    app = uploaded(open_app, f"a,b,,c,d,e\n{rows}".encode())
    assert app.button(key="import_file").disabled
    app.radio(key="read.question.cells.0").set_value(answer).run()
    assert not asked(app)
    app.button(key="import_file").click().run()
    dataset = wf.list_datasets(wf.open_workspace())[0]
    assert [c.name for c in dataset.columns] == names and dataset.n_rows == 30


def test_the_table_below_another_is_chosen(open_app: Open) -> None:
    upper = "t,p,q\n" + "".join(f"{k},{k / 4},{k}\n" for k in range(30))
    lower = "cycle,mass\n" + "".join(f"{k},{k / 8}\n" for k in range(20))
    app = uploaded(open_app, f"{upper}\n{lower}".encode())
    app.radio(key="read.question.last_line.0").set_value(2).run()
    assert not asked(app) and app.number_input(key="read.preamble_rows").value == 32
    app.button(key="import_file").click().run()
    dataset = wf.list_datasets(wf.open_workspace())[0]
    assert [c.name for c in dataset.columns] == ["cycle", "mass"] and dataset.n_rows == 20
