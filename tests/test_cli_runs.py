"""The verbs that need a run, with shallow models: the job is done in this process by the code that workers run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.cli import main
from core.data.demos import injection_moulding, inspection
from core.store import open_store
from tests.command_line import Capture, called
from tests.pages.finished_runs import work_off
from tests.synthetic import anomaly_table, life_table, regression_table

Cli = Callable[..., dict[str, Any]]


@pytest.fixture
def cli(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Cli:
    """Runs a verb in this process and gives its JSON, after checking the exit code."""
    monkeypatch.setattr("core.jobs.wait_for_job", lambda store, job_id, **_: work_off(store))

    return partial(called, capsys)


def saved(table: pd.DataFrame, folder: Path) -> str:
    table.to_csv(folder / "data.csv", index=False)
    return str(folder / "data.csv")


def lots_table() -> pd.DataFrame:
    """400 rows in 20 lots of 20, and a column that says the part of each row: 200, 80 and 120."""
    parts = np.repeat(["train", "validation", "test"], [200, 80, 120])
    return regression_table().assign(lot=[f"L{i // 20:02d}" for i in range(400)], part=parts)


BASE = ("--task", "regression", "--target", "y", "--model", "ridge")


def test_a_split_by_a_column_has_the_parts_that_it_says(cli: Cli, tmp_path: Path) -> None:
    data = saved(lots_table(), tmp_path)
    trained = cli("train", "--data", data, *BASE, "--ignore", "lot", "--split", "column:part")
    assert trained["split"]["method"] == "column"
    results = wf.open_results(wf.open_workspace(), trained["run"])
    assert np.bincount(results.scores["part"], minlength=3).tolist() == [200, 80, 120]


def test_a_split_by_group_keeps_each_lot_on_one_side(cli: Cli, tmp_path: Path) -> None:
    data = saved(lots_table(), tmp_path)
    trained = cli("train", "--data", data, *BASE, "--ignore", "part", "--group", "lot", "--split", "group")
    assert trained["split"]["method"] == "group"
    scores = wf.open_results(wf.open_workspace(), trained["run"]).scores
    assert (scores.groupby("lot")["part"].nunique() == 1).all() and set(scores["part"]) == {0, 1, 2}


def test_a_random_split_is_named_and_repeated_by_its_seed(cli: Cli, tmp_path: Path) -> None:
    data = saved(lots_table().drop(columns="part"), tmp_path)
    dataset = cli("import", data)["dataset"]
    parts = []
    for seed in ("3", "3", "4"):
        trained = cli("train", "--data", dataset, *BASE, "--split", "random", "--seed", seed)
        assert trained["split"]["method"] == "random"
        assert any("The split is random" in note for note in trained["notes"])
        parts.append(wf.open_results(wf.open_workspace(), trained["run"]).scores["part"].tolist())
    assert parts[0] == parts[1] != parts[2]


def test_a_split_without_its_column_is_refused(cli: Cli, tmp_path: Path) -> None:
    data = saved(lots_table(), tmp_path)
    assert "no column 'prat'" in cli("train", "--data", data, *BASE, "--split", "column:prat", code=2)["what"]
    assert cli("train", "--data", data, *BASE, "--budget-minutes", "0", code=2)["expected"] == "Expected: more than 0."


def test_a_report_is_written_as_html_and_refused_as_pdf(cli: Cli, tmp_path: Path) -> None:
    run = cli("train", "--data", saved(regression_table(), tmp_path), *BASE, "--name", "Widths of May")["run"]
    refused = cli("report", "--run", run, "--out", str(tmp_path / "x.pdf"), code=2)
    assert (refused["what"], refused["expected"]) == ("The report was asked for as 'x.pdf'.", "This version writes HTML.")
    assert not (tmp_path / "x.pdf").exists() and wf.list_reports(wf.open_workspace()) == ()
    cli("report", "--run", run, "--out", str(tmp_path / "x.html"), "--language", "zh")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "Widths of May" in text and 'lang="zh' in text


def test_scores_of_an_anomaly_model_have_its_columns(cli: Cli, tmp_path: Path) -> None:
    table = anomaly_table()
    data, bundle, out = saved(table, tmp_path), str(tmp_path / "b"), tmp_path / "s.csv"
    given = ("--task", "anomaly", "--time", "when", "--target", "label", "--model", "isolation_forest", "--split", "first:360")
    cli("train", "--data", data, *given, "--out", bundle)
    assert cli("score", "--bundle", bundle, "--data", data, "--out", str(out))["rows"] == 600
    scores = pd.read_csv(out)
    assert list(scores.columns) == ["when", "score", "flag", "why_not"]
    assert pd.to_datetime(scores["when"]).tolist() == table["when"].tolist()
    assert set(scores["flag"].dropna().unique()) <= {0, 1} and scores.loc[480:, "flag"].mean() > 0.9
    judged = cli("evaluate", "--scores", str(out), "--truth", f"{data}:label")
    assert judged["metrics"]["recall"] > 0.9 and judged["metrics"]["far"] < 0.1


def test_scores_of_remaining_life_have_a_row_for_every_row(cli: Cli, tmp_path: Path) -> None:
    table = life_table()
    data, bundle, out = saved(table, tmp_path), str(tmp_path / "b"), tmp_path / "s.csv"
    given = ("--task", "rul", "--group", "unit", "--time", "cycle", "--model", "ridge", "--set", "cap=30", "--set", "window=8")
    cli("train", "--data", data, *given, "--out", bundle)
    cli("score", "--bundle", bundle, "--data", data, "--out", str(out))
    scores = pd.read_csv(out)
    assert list(scores.columns) == ["unit", "cycle", "prediction", "lower", "upper", "why_not"]
    assert len(scores) == len(table) and scores["prediction"].notna().all()
    # The first 7 rows of a machine have no full window of 8 rows.
    assert scores.groupby("unit")["why_not"].apply(lambda cells: cells.notna().sum()).tolist() == [7] * 12
    truth = tmp_path / "truth.csv"
    truth.write_text("unit,rul\n" + "".join(f"{unit},0\n" for unit in range(1, 13)))
    last = scores.groupby("unit")["prediction"].last()
    judged = cli("evaluate", "--scores", str(out), "--truth", f"{truth}:rul")
    assert judged["metrics"]["mae"] == pytest.approx(last.abs().mean()) and judged["rows"] == 12


def test_the_demo_job_imports_its_table_and_queues_its_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.jobs.processes import host_name
    from core.jobs.worker import run_job

    store = open_store(home)
    ws = wf.Workspace(store)
    wf.ensure_demos(ws)
    jobs = {job.params["demo"]: job for job in store.list_jobs(("queued",))}
    job = jobs["injection_moulding"]
    store.claim_next("short", host=host_name(), limit=1, only={job.id})
    run_job(store, job.id, 1)
    assert store.get_job(job.id).state == "succeeded"
    (dataset,) = wf.list_datasets(ws)
    demo = injection_moulding.DEMO
    assert dataset.n_rows == len(demo.make(7)) and [c.role for c in dataset.columns] == [c.role for c in demo.columns]
    (run,) = wf.list_runs(ws)
    assert (run.is_demo, run.state, run.model, run.request.target) == (True, "queued", "dense", "width_A")
    card = next(card for card in wf.demo_cards(ws) if card.key == "injection_moulding")
    assert (card.state, card.run_id, card.dataset_id) == ("waiting", run.id, dataset.id)


def test_the_verb_demo_makes_what_home_shows(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = replace(inspection.DEMO, request={**inspection.DEMO.request, "model": "logistic"})
    monkeypatch.setattr("core.workflows.demos.DEMOS", (quick,))
    monkeypatch.setattr("core.workflows.demos.demo_by_key", lambda _: quick)
    made = cli("demo")
    (card,) = wf.demo_cards(wf.open_workspace())
    assert made["demos"] == [{"key": "inspection", "state": "ready", "run": card.run_id, "dataset": card.dataset_id}]
    assert card.headline is not None and "ROC" in str(card.headline)
    assert cli("demo") == made
    assert len(wf.list_runs(wf.open_workspace())) == 1


def test_a_column_that_may_give_the_answer_away_is_named_by_train(
    home: Path, tmp_path: Path, capsys: Capture, cli: Cli
) -> None:
    table = regression_table(300).drop(columns="machine")
    table["gage_inch"] = table["y"] / 25.4
    data = saved(table, tmp_path)
    found = cli("train", "--data", data, "--task", "regression", "--target", "y", "--model", "ridge")
    (warning,) = found["warnings"]
    assert warning.startswith("'gage_inch' may give the answer away: its correlation with the target is 1")
    clean = cli("train", "--data", data, "--task", "regression", "--target", "y", "--model", "ridge", "--ignore", "gage_inch")
    assert clean["warnings"] == []


def test_a_fleet_is_told_by_a_run_and_without_one(cli: Cli, tmp_path: Path, capsys: Capture) -> None:
    given = ("--task", "rul", "--group", "unit", "--time", "cycle", "--model", "ridge", "--set", "cap=40", "--set", "window=5")
    run = cli("train", "--data", saved(life_table(20), tmp_path), *given)["run"]
    whole = life_table(8, seed=9)
    service, truth, out = tmp_path / "service.csv", tmp_path / "truth.csv", tmp_path / "fleet.csv"
    whole[whole["cycle"] <= 35].to_csv(service, index=False)
    left = whole.groupby("unit")["cycle"].max() - 35
    left.rename("left").reset_index().to_csv(truth, index=False)
    fleet = cli("fleet", run, "--data", str(service), "--within", "12", "--truth", f"{truth}:left", "--out", str(out))
    assert fleet["lives"]["units"] == 28 and fleet["lives"]["running"] == 8 and fleet["within"] == 12
    assert [u["age"] for u in fleet["units"]] == [35] * 8
    assert fleet["judged"]["rows"] == 8 and fleet["judged"]["came"] == int((left <= 12).sum())
    assert [p["to"] for p in fleet["plan"]] == [12, 24, 36]
    table = pd.read_csv(out)
    assert table["unit"].tolist() == [float(u["unit"]) for u in fleet["units"]] and (table["within"] == 12).all()
    cli("report", "--run", run, "--out", str(tmp_path / "fleet.html"), "--fleet", str(service))
    assert "Units in service" in (tmp_path / "fleet.html").read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["fleet", run, "--data", str(service), "--within", "12"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(fleet["headline"]) and "Weibull shape" in said and "chances on held-out units: Brier" in said
    alone = cli("fleet", "--data", str(service), "--group", "unit", "--time", "cycle")
    assert alone["run"] is None and alone["lives"]["failed"] == 8 and alone["expected"] is None
    running = cli("fleet", "--data", str(service), "--group", "unit", "--time", "cycle", "--failed", "running")
    assert running["lives"]["shape"]["value"] is None and "at least 2 failures" in running["lives"]["shape"]["why_not"]


def test_a_fleet_that_cannot_be_told_says_why(cli: Cli, tmp_path: Path) -> None:
    data = saved(life_table(4), tmp_path)
    assert cli("fleet", code=2)["what"] == "Neither a run nor data was given."
    assert "no run and no bundle 'nope'" in cli("fleet", "nope", code=2)["what"]
    named = ("fleet", "--data", data, "--group", "unit", "--time", "cycle")
    assert "one of 'auto', 'ended', 'running'" in cli(*named, "--failed", "sometimes", code=2)["expected"]
    assert cli(*named, "--failed", "column:nope", code=2)["what"] == "There is no column 'nope'."
    assert cli(*named, "--truth", "x.csv:rul", code=2)["what"] == "--truth was given without a run."
    assert cli(*named, "--within", "-3", code=2)["expected"] == "Expected: more than 0."
    value = cli("train", "--data", saved(regression_table(), tmp_path), *BASE)["run"]
    assert "answers another question" in cli("fleet", value, code=2)["what"]
