"""`python -m core explain`: the same answers as the workflows, as JSON and as text, and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import workflows as wf
from core.cli import main
from tests.command_line import Capture, called, refused
from tests.pages.finished_runs import work_off
from tests.synthetic import anomaly_table, regression_table


@pytest.fixture
def trained(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> dict[str, str]:
    monkeypatch.setattr("core.jobs.wait_for_job", lambda store, job_id, **_: work_off(store))
    anomaly_table(2000, 1800).to_csv(tmp_path / "a.csv", index=False)
    regression_table(900).drop(columns="machine").to_csv(tmp_path / "r.csv", index=False)
    anomaly = ("--task", "anomaly", "--time", "when", "--target", "label", "--model", "pca_t2_spe", "--split", "first:1000")
    value = ("--task", "regression", "--time", "when", "--target", "y", "--model", "ridge", "--set", "window=1")
    return {
        "anomaly": str(called(capsys, "train", "--data", str(tmp_path / "a.csv"), *anomaly)["run"]),
        "value": str(called(capsys, "train", "--data", str(tmp_path / "r.csv"), *value)["run"]),
    }


def test_a_row_an_event_a_column_and_the_whole(trained: dict[str, str], capsys: Capture) -> None:
    ws = wf.open_workspace()
    explainer = wf.open_explainer(ws, wf.open_results(ws, trained["value"]))
    row = called(capsys, "explain", trained["value"], "--row", "7", "--want", ":-100")
    view = wf.row_why(explainer, 7)
    assert row["headline"] == str(view.headline) and row["output"] == pytest.approx(view.output)
    assert [e["column"] for e in row["effects"]] == [e.column for e in view.effects]
    assert row["change"]["ways"] == [] and "No single column that is moved to another value" in row["change"]["headline"]
    changed = called(capsys, "explain", trained["value"], "--row", "7", "--want", f":{view.output - 1}", "--adjust", "a")
    way = changed["change"]["ways"][0]
    assert way["changes"][0]["before"] - way["changes"][0]["after"] == pytest.approx(0.5, abs=0.02), "1 ÷ 2"
    assert way["output"] <= view.output - 1

    curve = called(capsys, "explain", trained["value"], "--column", "a")
    assert curve["method"] == "ale" and len(curve["values"]) == len(curve["effects"]) == len(curve["is_guess"]) == 21
    whole = called(capsys, "explain", trained["value"], "--global")
    assert whole["columns"][0]["columns"] == ["a"] and whole["measure"] == "growth of RMSE"

    event = called(capsys, "explain", trained["anomaly"], "--event", "1")
    found = wf.anomaly_view(ws, wf.open_results(ws, trained["anomaly"]))
    assert event["sentence"].startswith("p2 +") and event["limit"] == pytest.approx(float(found.threshold.value))
    assert event["change"]["ways"][0]["output"] <= event["limit"]


def test_as_text(trained: dict[str, str], capsys: Capture) -> None:
    assert main(["explain", trained["anomaly"], "--event", "1"]) == 0
    said = capsys.readouterr().out
    assert "sigma for" in said and "below the decision limit" in said and "rows outside" in said
    assert main(["explain", trained["value"]]) == 0
    said = capsys.readouterr().out
    assert "The model lives most on a" in said and "repeats" in said
    assert main(["explain", trained["value"], "--column", "b", "--method", "pdp"]) == 0
    assert "change of predicted y" in capsys.readouterr().out


def test_what_cannot_be_is_refused_in_one_sentence(trained: dict[str, str], capsys: Capture) -> None:
    value, anomaly = trained["value"], trained["anomaly"]
    assert "is none: use covering" in refused(capsys, "explain", value, "--row", "7", "--method", "gradients")["what"]
    assert "no row 90,000" in refused(capsys, "explain", value, "--row", "90000")["what"]
    assert "no event 99" in refused(capsys, "explain", anomaly, "--event", "99")["what"]
    assert "--row, --event were given" in refused(capsys, "explain", value, "--row", "1", "--event", "1")["what"]
    assert "--want was given 'low'" in refused(capsys, "explain", value, "--row", "1", "--want", "low")["what"]
    assert "another question" in refused(capsys, "explain", value, "--event", "1")["what"]
    assert "no run and no bundle" in refused(capsys, "explain", "nothing")["what"]
