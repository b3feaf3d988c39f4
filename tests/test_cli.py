"""The command line in real processes: JSON keys, exit codes, and what becomes of tables that cannot be learned from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core import workflows as wf
from core.cli import main
from core.cli.common import figure_lines
from core.evaluation.result import Metric
from core.messages import msg
from tests.command_line import Capture, refused, run_cli
from tests.synthetic import anomaly_table, class_table, life_table, regression_table


@pytest.mark.slow
def test_a_baseline_goes_from_file_to_report(home: Path, tmp_path: Path, write: Any) -> None:
    data = write(regression_table())
    code, imported, _ = run_cli("import", data, home=home)
    assert code == 0 and imported["outcome"] in ("load", "warn")
    assert (imported["rows"], len(imported["columns"]), imported["rejected"]) == (400, 5, [])
    bundle = str(tmp_path / "bundle")
    code, trained, _ = run_cli(
        "train",
        "--data",
        imported["dataset"],
        "--task",
        "regression",
        "--target",
        "y",
        "--model",
        "ridge",
        "--out",
        bundle,
        home=home,
    )
    assert (
        code == 0
        and trained["model"] == "ridge"
        and set(trained) >= {"run", "bundle", "metrics", "baseline", "split", "seconds"}
    )
    assert trained["metrics"]["rmse"] == pytest.approx(0.1, abs=0.03)
    assert trained["split"]["method"] == "time"
    out = str(tmp_path / "scores.csv")
    code, scored, _ = run_cli("score", "--bundle", bundle, "--data", data, "--out", out, home=home)
    assert code == 0 and scored["rows"] == 400
    table = pd.read_csv(out)
    assert list(table.columns) == ["machine", "when", "prediction", "lower", "upper", "why_not"] and len(table) == 400
    code, judged, _ = run_cli("evaluate", "--scores", out, "--truth", f"{data}:y", home=home)
    assert code == 0 and judged["metrics"]["rmse"] == pytest.approx(0.1, abs=0.03)
    report = tmp_path / "r.html"
    code, made, _ = run_cli("report", "--run", bundle, "--out", str(report), home=home)
    assert code == 0 and made["run"] == trained["run"]
    text = report.read_text(encoding="utf-8").lower()
    assert text.startswith("<!doctype html>") and "ridge" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "arguments", "metric"),
    [
        (class_table(), ["--task", "classification", "--target", "result", "--model", "dense"], "roc_auc"),
        (
            anomaly_table(),
            [
                "--task",
                "anomaly",
                "--time",
                "when",
                "--target",
                "label",
                "--model",
                "conv_autoencoder",
                "--set",
                "window=16",
                "--split",
                "first:360",
            ],
            "roc_auc",
        ),
        (
            life_table(),
            ["--task", "rul", "--group", "unit", "--time", "cycle", "--model", "lstm", "--set", "cap=30", "--set", "window=8"],
            "rmse",
        ),
    ],
    ids=["classification", "anomaly", "rul"],
)
def test_networks_train_beside_their_baseline(
    home: Path, tmp_path: Path, write: Any, table: pd.DataFrame, arguments: list[str], metric: str
) -> None:
    data, bundle = write(table), str(tmp_path / "b.zip")
    code, trained, _ = run_cli("train", "--data", data, *arguments, "--preset", "quick", "--out", bundle, home=home)
    assert code == 0, trained
    value, base = trained["metrics"][metric], trained["baseline"]["metrics"][metric]
    assert value is not None and base is not None
    assert value > 0.9 if metric == "roc_auc" else value < 12
    others = trained["baseline"]["others"]
    assert set(others) == ({"isolation_forest"} if "anomaly" in arguments else set())
    assert all(figures[metric] is not None for figures in others.values())
    code, scored, _ = run_cli("score", "--bundle", bundle, "--data", data, "--out", str(tmp_path / "s.csv"), home=home)
    assert code == 0 and scored["rows"] == len(table)


def test_a_line_of_figures_names_every_baseline() -> None:
    def f1(value: float | None) -> dict[str, Metric]:
        return {"f1": Metric("f1", value, 9, why_not=None if value is not None else msg("no fault"))}

    (line,) = figure_lines(f1(0.75), f1(0.5), {"isolation_forest": f1(0.25), "other": f1(None)})
    assert line.split() == ["f1", "0.75", "baseline", "0.5", "isolation_forest", "0.25"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "arguments", "says"),
    [
        ({"y": 4.0}, ["--task", "regression", "--target", "y", "--model", "ridge"], "always 4"),
        ({"y": "text"}, ["--task", "regression", "--target", "y", "--model", "ridge"], "holds texts"),
        ({"y": "same"}, ["--task", "classification", "--target", "y", "--model", "logistic"], "only one class"),
        (
            {"a": None, "b": None, "machine": None},
            ["--task", "regression", "--target", "y", "--model", "ridge"],
            "No column is left",
        ),
    ],
    ids=["constant-target", "text-target", "one-class", "all-missing"],
)
def test_hopeless_columns_are_refused(home: Path, write: Any, change: dict[str, Any], arguments: list[str], says: str) -> None:
    data = write(regression_table().assign(**change))
    code, body, stderr = run_cli("train", "--data", data, *arguments, home=home)
    assert code == 2, body
    assert says in body["what"] and says in stderr


def test_three_rows_are_too_few(home: Path, write: Any) -> None:
    code, body, _ = run_cli(
        "train", "--data", write(regression_table(3)), "--task", "regression", "--target", "y", "--model", "ridge", home=home
    )
    assert code == 2 and "3 rows" in body["what"]


@pytest.mark.slow
def test_a_loss_that_is_not_a_number_says_what_to_do(home: Path, write: Any) -> None:
    data = write(regression_table())
    code, body, _ = run_cli(
        "train", "--data", data, "--task", "regression", "--target", "y", "--model", "dense",
        "--set", "learning_rate=10", "--set", "optimizer=sgd", "--set", "clip_norm=0", home=home,
    )  # fmt: skip
    assert code == 2, body
    assert "not a number" in body["what"] and "learning rate" in body["fix"].lower()


@pytest.mark.slow
def test_a_time_budget_ends_the_training_with_what_it_has(home: Path, write: Any) -> None:
    data = write(regression_table())
    code, trained, _ = run_cli(
        "train", "--data", data, "--task", "regression", "--target", "y", "--model", "dense",
        "--set", "epochs=100000", "--set", "patience=100000", "--budget-minutes", "0.05", home=home,
    )  # fmt: skip
    assert code == 0, trained
    run = wf.get_run(wf.open_workspace(home), trained["run"])
    assert run.summary["trained"]["stopped_by"] == "budget"
    assert trained["metrics"]["rmse"] is not None and run.request.budget_minutes == 0.05
    (note,) = [str(note) for note in run.notes if "budget" in str(note) or "hardly learned" in str(note)]
    epochs = run.summary["trained"]["epochs"]
    assert ("hardly learned" in note) if epochs == 0 else (f"after epoch {epochs}" in note)


def test_unsorted_time_is_ordered_not_refused(home: Path, write: Any) -> None:
    data = write(regression_table().sample(frac=1, random_state=1))
    code, trained, _ = run_cli(
        "train", "--data", data, "--task", "regression", "--target", "y", "--time", "when", "--model", "ridge", home=home
    )
    assert code == 0 and trained["metrics"]["rmse"] == pytest.approx(0.1, abs=0.03)


def test_evaluate_reads_the_truth_as_told(capsys: Capture, home: Path, tmp_path: Path) -> None:
    scores, truth = tmp_path / "s.csv", tmp_path / "t.csv"
    scores.write_text("when,prediction\n2026-04-01 06:00:00,10\n2026-04-02 06:00:00,20\n2026-04-03 06:00:00,30\n")
    truth.write_text("when,width\n01/04/2026 06:00:00,11\n02/04/2026 06:00:00,20\n03/04/2026 06:00:00,28\n")
    given = ("evaluate", "--scores", str(scores), "--truth", f"{truth}:width")
    assert "--set day_first=true" in refused(capsys, *given)["fix"]
    assert main([*given, "--set", "day_first=true", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["mae"] == 1.0
    assert "Did you mean 'day_first'" in refused(capsys, *given, "--set", "dayfirst=true")["fix"]
