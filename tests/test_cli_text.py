"""The command line on a table with remarks: train by name and automatically, score, and what it says of the column."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.cli import main
from tests.command_line import Capture, called
from tests.remarks import chinese, english


@pytest.fixture
def table(home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "parts.csv"
    english(180).to_csv(path, index=False)
    return path


def test_import_names_free_text_and_train_reads_it_without_being_told(table: Path, tmp_path: Path, capsys: Capture) -> None:
    found = called(capsys, "import", str(table))
    assert [(f["code"], f["column"]) for f in found["findings"]] == [("free_text", "Remark")]
    assert {c["name"]: c["role"] for c in found["columns"]}["Remark"] == "sensor"
    words = ("--data", str(table), "--task", "classification", "--target", "class", "--budget-minutes", "2")
    answer = called(capsys, "train", *words, "--out", str(tmp_path / "b.zip"))
    tried = {c["model"]: c for c in answer["choice"]["candidates"]}
    assert tried["bag_of_words"]["state"] == "done" and "too few for a network" in tried["text_gru"]["why"]
    assert answer["model"] == "bag_of_words" and answer["baseline"]["model"] == "logistic"
    assert answer["metrics"]["accuracy"] > 0.9 > answer["baseline"]["metrics"]["accuracy"] + 0.1
    assert any(note.startswith("Text families read 'Remark'") for note in answer["notes"])
    new = tmp_path / "new.csv"
    pd.DataFrame({"Remark": ["line 3: hose 4 is not hot", ""], "pressure": [0, 0], "speed": [0, 0]}).to_csv(new, index=False)
    called(capsys, "score", "--bundle", str(tmp_path / "b.zip"), "--data", str(new), "--out", str(tmp_path / "s.csv"))
    scored = pd.read_csv(tmp_path / "s.csv")
    assert scored["prediction"][0] == "ok" and scored["prediction"].notna().all()
    assert "Remark" not in scored.columns, "scores hold key columns and no remarks"


def test_another_model_says_that_it_does_not_read_the_remarks(table: Path, capsys: Capture) -> None:
    words = ("--data", str(table), "--task", "classification", "--target", "class", "--model", "logistic")
    answer = called(capsys, "train", *words)
    assert "Column 'Remark' is free text: only the text families read it." in answer["notes"]
    assert answer["metrics"]["accuracy"] < 0.75


def test_the_column_is_named_by_a_setting_and_a_wrong_one_is_refused(table: Path, capsys: Capture) -> None:
    words = ("--data", str(table), "--task", "classification", "--target", "class", "--model", "bag_of_words")
    answer = called(capsys, "train", *words, "--set", "text_column=Remark", "--set", "text_tokens=3")
    assert any("longer than 3 words" in note for note in answer["notes"])
    assert answer["metrics"]["accuracy"] < 0.75, "the first three words do not tell"
    assert main(["train", *words, "--set", "text_column=pressure"]) == 2
    assert "holds no texts" in capsys.readouterr().err
    assert main(["train", *words, "--ignore", "Remark"]) == 2
    assert "no column of the table is free text" in capsys.readouterr().err


def test_chinese_remarks_go_the_same_way(home: Path, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "零件.csv"
    chinese(180).rename(columns={"Remark": "备注"}).to_csv(path, index=False, encoding="gb18030")
    words = ("--data", str(path), "--task", "classification", "--target", "class", "--model", "bag_of_words")
    answer = called(capsys, "train", *words, "--out", str(tmp_path / "b.zip"))
    assert answer["metrics"]["accuracy"] > 0.9
    called(capsys, "score", "--bundle", str(tmp_path / "b.zip"), "--data", str(path), "--out", str(tmp_path / "s.csv"))
    assert (pd.read_csv(tmp_path / "s.csv")["prediction"] == chinese(180)["class"]).mean() > 0.95
