"""`python -m core challenge` and the gate of `score`: what the page says, as JSON and text, with exit code 2 where a case escapes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import workflows as wf
from core.cli import main
from tests.command_line import Capture, called, refused
from tests.pages.finished_runs import work_off
from tests.synthetic import anomaly_table


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> str:
    monkeypatch.setattr("core.jobs.wait_for_job", lambda store, job_id, **_: work_off(store))
    anomaly_table(1600, 1400).to_csv(tmp_path / "data.csv", index=False)
    given = ("--task", "anomaly", "--time", "when", "--target", "label", "--model", "pca_t2_spe", "--split", "first:800")
    return str(called(capsys, "train", "--data", str(tmp_path / "data.csv"), *given)["run"])


def test_add_check_block_and_release(run: str, capsys: Capture, tmp_path: Path) -> None:
    data, out = str(tmp_path / "data.csv"), str(tmp_path / "scores.csv")
    added = called(capsys, "challenge", "add", run, "--name", "rabbits", "--from", "labelled", "--set", "most=3")
    assert added["set"]["n_cases"] == 4 and added["blocks"] is False
    assert called(capsys, "score", "--bundle", run, "--data", data, "--out", out)["rows"] == 1600
    assert called(capsys, "challenge", "list", run)["sets"][0]["name"] == "rabbits"

    bad = called(capsys, "challenge", "add", run, "--name", "hard", "--rows", "900-910", "--expect", "flag", code=2)
    assert bad["blocks"] is True and bad["checks"][1]["failing"][0]["title"] == "rows 900 to 910"
    said = refused(capsys, "score", "--bundle", run, "--data", data, "--out", out)
    assert said["what"] == bad["what"] and "must be flagged" in said["expected"] and "release" in said["fix"]
    # The exported folder of the same run meets the same gate.
    folder = str(wf.open_workspace().store.path(run, "bundle"))
    assert refused(capsys, "score", "--bundle", folder, "--data", data, "--out", out)["what"] == bad["what"]
    assert main(["challenge", "check", run]) == 2
    assert "'hard'" in capsys.readouterr().err

    assert "no name or no reason" in refused(capsys, "challenge", "release", run, "--by", "Mei")["what"]
    released = called(capsys, "challenge", "release", run, "--by", "Mei", "--reason", "trial")
    assert released["checks"][1]["released"] is True and released["blocks"] is False
    assert called(capsys, "score", "--bundle", run, "--data", data, "--out", out)["rows"] == 1600
    assert called(capsys, "challenge", "list", run)["releases"][0]["by"] == "Mei"
    trail = called(capsys, "audit")
    assert [e["action"] for e in trail["entries"]][:4] == ["released", "checked", "checked", "blocked"]  # checked as asked for
    assert json.dumps(trail).count("trial") == 1

    called(capsys, "challenge", "withdraw", run, "--id", bad["set"]["id"], "--by", "Mei", "--reason", "rows were normal")
    listed = called(capsys, "challenge", "list", run)
    assert [s["name"] for s in listed["sets"]] == ["rabbits"]
    assert [(s["name"], s["by"], s["reason"]) for s in listed["withdrawn"]] == [("hard", "Mei", "rows were normal")]
    assert main(["challenge", "list", run]) == 0
    assert "by Mei: rows were normal" in capsys.readouterr().out


def test_what_cannot_be_is_refused(run: str, capsys: Capture) -> None:
    assert "no case to freeze" in refused(capsys, "challenge", "add", run, "--name", "x")["what"]
    assert "has no name" in refused(capsys, "challenge", "add", run, "--rows", "5")["what"]
    assert (
        "no challenge set" in refused(capsys, "challenge", "withdraw", run, "--id", "x", "--by", "a", "--reason", "b")["what"]
    )
    assert main(["challenge", "check", run]) == 0
    assert capsys.readouterr().out.strip() == "There is no challenge set."


def test_scoring_makes_no_store_where_there_is_none(
    run: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(wf.open_workspace().store.path(run, "bundle"))
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "elsewhere"))
    called(capsys, "score", "--bundle", folder, "--data", str(tmp_path / "data.csv"), "--out", str(tmp_path / "s.csv"))
    assert not (tmp_path / "elsewhere").exists()


def test_a_set_is_listed_and_withdrawn_without_a_run(run: str, capsys: Capture, tmp_path: Path) -> None:
    made = called(capsys, "challenge", "add", run, "--name", "rabbits", "--from", "labelled")["set"]
    ws = wf.open_workspace()
    wf.delete_dataset(ws, wf.get_run(ws, run).dataset_id)
    wf.delete_run(ws, run)
    (listed,) = called(capsys, "challenge", "list")["sets"]
    assert (listed["id"], listed["dataset"], listed["dataset_deleted"]) == (made["id"], "data", True)
    assert main(["challenge", "list"]) == 0
    assert capsys.readouterr().out.strip() == f"{made['id']}  rabbits: {made['n_cases']} cases of 'data', which is deleted"
    assert "without a name or a reason" in refused(capsys, "challenge", "withdraw", "--id", made["id"], "--by", "Mei")["what"]
    called(capsys, "challenge", "withdraw", "--id", made["id"], "--by", "Mei", "--reason", "line gone")
    assert called(capsys, "challenge", "list")["sets"] == []
    entry = called(capsys, "audit")["entries"][0]
    assert (entry["action"], entry["details"]["by"], entry["details"]["reason"]) == ("withdrawn", "Mei", "line gone")
    assert "was given no run" in refused(capsys, "challenge", "check")["what"]
