"""`python -m core score-chart` and `alarm-budget`: the same figures as the workflow, as JSON and as text, and refusals."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core import workflows as wf
from core.cli import main
from tests.command_line import Capture, called, refused
from tests.pages.finished_runs import work_off
from tests.synthetic import anomaly_table


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> str:
    monkeypatch.setattr("core.jobs.wait_for_job", lambda store, job_id, **_: work_off(store))
    anomaly_table(2000, 1800).to_csv(tmp_path / "data.csv", index=False)
    given = ("--task", "anomaly", "--time", "when", "--target", "label", "--model", "pca_t2_spe", "--split", "first:1000")
    return str(called(capsys, "train", "--data", str(tmp_path / "data.csv"), *given)["run"])


def test_chart_and_budget_of_a_run(run: str, capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "chart.csv"
    found = called(capsys, "score-chart", "--run", run, "--set", "rate=0.01", "--out", str(out))
    view = wf.score_chart_view(wf.open_results(wf.open_workspace(), run), wf.ScoreChartSettings(rate=0.01))
    assert found["headline"] == str(view.headline) and found["method"] == view.found.method
    assert found["charts"][0]["outside"] == int(view.signals.sum()) > 150
    assert found["charts"][0]["upper"] == pytest.approx(view.found.chart.upper[-1]) and found["charts"][0]["lower"] is None
    assert found["charts"][0]["rows"][0] == int(view.rows[view.signals][0])
    assert len(pd.read_csv(out)) == len(view.rows)

    budget = called(capsys, "alarm-budget", "--run", run, "--set", "rate=0.02", "--set", "k=2", "--set", "n=3")
    assert (budget["chosen"]["k"], budget["chosen"]["n"]) == (2, 3) and len(budget["beside"]) == 2
    assert budget["chosen"]["on_events"]["n"] == 1

    assert main(["score-chart", "--run", run]) == 0
    said = capsys.readouterr().out
    assert "Not in control" in said and "anomaly score" in said and "outside at row" in said
    assert main(["alarm-budget", "--run", run]) == 0
    said = capsys.readouterr().out
    assert "2 a week" in said and "1 of 1" in said and "3 of 5" in said and "with 95 %" in said


def test_what_cannot_be_is_refused_in_one_sentence(run: str, capsys: Capture) -> None:
    assert "no run and no bundle" in refused(capsys, "score-chart", "--run", "nothing")["what"]
    assert "at 3 of 2 scores" in refused(capsys, "alarm-budget", "--run", run, "--set", "k=3", "--set", "n=2")["what"]
    assert "both given" in refused(capsys, "score-chart", "--run", run, "--set", "rate=0.1", "--set", "per_week=2")["what"]
    assert "setting is 'cake'" in refused(capsys, "alarm-budget", "--run", run, "--set", "cake=1")["what"]
