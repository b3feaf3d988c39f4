"""`python -m core limit`, `calibration`, `worst` and `zones`: the same figures as the workflows, as JSON, text and files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from core import workflows as wf
from core.cli import main
from tests.command_line import Capture, called, refused
from tests.pages.finished_runs import work_off
from tests.synthetic import class_table, regression_table


def trained(capsys: Capture, path: Path, table: pd.DataFrame, *given: str) -> str:
    table.to_csv(path, index=False)
    return str(called(capsys, "train", "--data", str(path), *given)["run"])


@pytest.fixture
def runs(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> dict[str, str]:
    monkeypatch.setattr("core.jobs.wait_for_job", lambda store, job_id, **_: work_off(store))
    classes = ("--task", "classification", "--target", "result", "--model", "logistic")
    values = ("--task", "regression", "--target", "y", "--model", "ridge")
    return {
        "classes": trained(capsys, tmp_path / "c.csv", class_table(900), *classes),
        "values": trained(capsys, tmp_path / "v.csv", regression_table(1500), *values),
    }


def test_each_verb_says_what_its_workflow_finds(runs: dict[str, str], capsys: Capture, tmp_path: Path) -> None:
    classes, values = (wf.open_results(wf.open_workspace(), runs[name]) for name in ("classes", "values"))
    found = called(capsys, "limit", "--run", runs["classes"], "--set", "rule=caught", "--set", "least_caught=0.9")
    view = wf.limit_view(classes, wf.LimitSettings(rule="caught", least_caught=0.9))
    assert found["limit"] == view.limit and found["test"]["caught"] == view.test.caught
    found = called(capsys, "calibration", "--run", runs["classes"], "--out", str(tmp_path / "warm.csv"))
    assert found["as_it_is"]["brier"] == wf.calibration_view(classes).plain.brier.value
    assert len(pd.read_csv(tmp_path / "warm.csv")) == 900
    found = called(capsys, "worst", "--run", runs["values"], "--out", str(tmp_path / "strata.csv"))
    assert len(found["strata"]) == len(wf.worst_strata(values).strata) == len(pd.read_csv(tmp_path / "strata.csv"))
    found = called(capsys, "zones", "--run", runs["values"], "--set", "upper=1000", "--set", "risk=0.05")
    assert found["zones"]["accept"]["share"] == 1.0

    for verb, given, words in (
        ("limit", ("classes",), "cost of 1,000 rows"),
        ("limit", ("classes",), "prices: 1 for a missed defect, 1 for a rejected good part"),
        ("costs", ("classes",), "prices of a row, true class down"),
        ("calibration", ("classes",), "temperature"),
        ("worst", ("values",), "stratum"),
        ("zones", ("values", "--set", "upper=1000"), "Ppk: measured"),
    ):
        assert main([verb, "--run", runs[given[0]], *given[1:]]) == 0
        assert words in capsys.readouterr().out
    assert main(["limit", "--run", runs["classes"], "--set", "rule=caught"]) == 0
    said = capsys.readouterr().out
    assert "cost" not in said, "by another rule nobody gave costs"
    assert "asked: at least 0.95 of the defects caught, in the held-out rows; the test part" in said


def test_another_task_and_unknown_classes_are_refused(runs: dict[str, str], capsys: Capture) -> None:
    assert "another question" in refused(capsys, "limit", "--run", runs["values"])["what"]
    assert "another question" in refused(capsys, "zones", "--run", runs["classes"])["what"]
    assert "nobody" in refused(capsys, "calibration", "--run", runs["classes"], "--positive", "nobody")["what"]
    assert "specification limit" in refused(capsys, "zones", "--run", runs["values"])["what"]


def test_a_reader_that_stops_early_is_no_fault() -> None:
    """As in `… | head -1`: the pipe is closed before anything is written."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "core", "validate"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(writing)
    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr and "BrokenPipe" not in ended.stderr
