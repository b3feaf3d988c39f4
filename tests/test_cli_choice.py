"""The command line: `train` with the automatic choice, `search` and `study`, as people and as scripts call them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.cli import main
from tests.command_line import Capture, called
from tests.core.jobs.test_auto import bent_table


@pytest.fixture
def table(home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "parts.csv"
    bent_table(150).to_csv(path, index=False)
    return path


def test_train_says_what_it_tried_and_its_bundle_scores(table: Path, tmp_path: Path, capsys: Capture) -> None:
    words = ("--data", str(table), "--task", "regression", "--target", "y", "--budget-minutes", "2")
    answer = called(capsys, "train", *words, "--out", str(tmp_path / "b.zip"))
    tried = {c["model"]: c for c in answer["choice"]["candidates"]}
    assert answer["model"] in {*tried, "ensemble"} and tried["ridge"]["state"] == "done" and tried["dense"]["why"]
    assert answer["choice"]["sentences"] and sum(c["share"] for c in tried.values()) == pytest.approx(1)
    scored = called(
        capsys, "score", "--bundle", str(tmp_path / "b.zip"), "--data", str(table), "--out", str(tmp_path / "s.csv")
    )
    assert scored["rows"] == 150 and pd.read_csv(tmp_path / "s.csv")["prediction"].notna().all()
    called(capsys, "report", "--run", answer["run"], "--out", str(tmp_path / "r.html"))
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Why this model" in page and "Gradient boosting" in page


def test_people_read_why_in_sentences(table: Path, capsys: Capture) -> None:
    assert main(["train", "--data", str(table), "--task", "regression", "--target", "y", "--budget-minutes", "2"]) == 0
    told = capsys.readouterr()
    assert "validation" in told.out and "Nearest neighbours: tried" in told.out and "too few for a network" in told.out
    assert "2/5 gradient_boosting: done" in told.err


def test_search_keeps_a_trial_of_the_family(table: Path, capsys: Capture) -> None:
    words = ("--data", str(table), "--task", "regression", "--target", "y", "--model", "random_forest")
    answer = called(capsys, "search", *words, "--budget-minutes", "0.2", "--set", "trees=10")
    assert answer["model"] == "random_forest" and len(answer["choice"]["candidates"]) > 1
    assert any("leaf_rows" in c["settings"] for c in answer["choice"]["candidates"])
    assert main(["search", "--data", str(table), "--task", "regression", "--target", "y"]) == 2
    assert "one family" in capsys.readouterr().err


def test_study_answers_with_cells_spread_and_sentences(table: Path, capsys: Capture) -> None:
    words = ("--data", str(table), "--task", "regression", "--target", "y", "--model", "ridge")
    answer = called(capsys, "study", "cross-validate", *words, "--folds", "3")
    assert len(answer["cells"]) == 3 and answer["spread"]["rmse"]["n"] == 3 and answer["metric"] == "rmse"
    assert main(["study", "optimism", *words]) == 2
    assert "neither a time nor a group" in capsys.readouterr().err
    assert main(["study", "cross-validate", *words, "--folds", "1"]) == 2
