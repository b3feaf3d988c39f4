"""The command line in real processes: JSON keys, exit codes, and one sentence for each bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core import workflows as wf
from core.cli import main
from core.cli.common import figure_lines
from core.evaluation.result import Metric
from core.messages import msg
from tests.stored import NOTHING, stored
from tests.synthetic import anomaly_table, class_table, life_table, regression_table

IMPORT_KEYS = {"outcome", "dataset", "rows", "columns", "findings", "rejected"}


def run_cli(*arguments: str, home: Path) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON on standard output and what stood on standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "core", *arguments, "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "ANDON_HOME": str(home)},
        timeout=240,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What a verb refuses, in this process; exit code 2, the sentence on standard error, only JSON on standard output."""
    assert main([*arguments, "--json"]) == 2
    said = capsys.readouterr()
    body = json.loads(said.out)
    assert set(body) >= {"what", "expected", "fix"}
    assert said.err.strip() == f"{body['what']} {body['expected']} {body['fix']}"
    return body


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    def to_csv(table: pd.DataFrame, name: str = "data.csv") -> str:
        table.to_csv(tmp_path / name, index=False)
        return str(tmp_path / name)

    return to_csv


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
    assert code == 0 and report.read_text(encoding="utf-8").startswith("<!doctype html>") or report.stat().st_size > 10_000


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


def test_unknown_words_name_the_closest(capsys: pytest.CaptureFixture[str], home: Path, write: Any) -> None:
    data = write(regression_table())
    base = ["train", "--data", data, "--target", "y"]
    assert "Did you mean 'regression'" in refused(capsys, *base, "--task", "regresion")["fix"]
    assert "Did you mean 'dense'" in refused(capsys, *base, "--task", "regression", "--model", "dens")["fix"]
    assert "Did you mean 'epochs'" in refused(capsys, *base, "--task", "regression", "--set", "epoch=3")["fix"]
    assert "epochs is '-3'" in refused(capsys, *base, "--task", "regression", "--set", "epochs=-3")["what"]
    assert "no column 'yy'" in refused(capsys, "train", "--data", data, "--task", "regression", "--target", "yy")["what"]
    assert "first:" in " ".join(refused(capsys, *base, "--task", "regression", "--split", "first:x").values())
    assert "--set was given 'epochs'" in refused(capsys, *base, "--task", "regression", "--set", "epochs")["what"]


def test_bad_command_lines_are_problems_too(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert "could not be read" in refused(capsys, "train")["what"]
    assert "could not be read" in refused(capsys, "frobnicate")["what"]
    assert "There is no file 'a.csv'" in refused(capsys, "import", "a.csv", "b.csv")["what"]
    assert refused(capsys, "profile", "nowhere.csv")["outcome"] == "reject"
    assert refused(capsys, "import", "nowhere.csv")["outcome"] == "reject"
    assert "no bundle at" in refused(capsys, "score", "--bundle", "no", "--data", "a.csv", "--out", "b.csv")["what"]
    assert "Expected FILE:COLUMN" in refused(capsys, "evaluate", "--scores", "a.csv", "--truth", "a.csv")["expected"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n\n", "empty"),
        (b'a,b,c\n"1,2,3\n', "quote opens"),
        (b"PK\x03\x04" + bytes(200), "ZIP"),
        (b"\x7fELF" + bytes(200), "program"),
        (bytes(300), ""),
    ],
    ids=["empty", "blank", "open-quote", "zip", "elf", "nul"],
)
def test_what_is_no_table_is_refused(
    capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    before = stored(home)
    body = refused(capsys, "import", str(path))
    assert set(body) >= IMPORT_KEYS and (body["dataset"], body["rows"], body["columns"]) == (None, 0, [])
    assert stored(home)["files"] == before["files"] == [] and NOTHING in (before, stored(home))
    assert says.lower() in " ".join(str(v) for v in body.values()).lower()
    assert body["outcome"] == "reject"


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


def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    capsys: pytest.CaptureFixture[str], home: Path, write: Any, tmp_path: Path
) -> None:
    data = write(regression_table())
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep")
    under_a_file = str(Path(data) / "b")
    train = ("train", "--data", data, "--task", "regression", "--target", "y", "--model", "ridge", "--out")
    for arguments in (
        (*train, str(folder)),
        (*train, under_a_file),
        ("score", "--bundle", "b", "--data", data, "--out", str(folder)),
        ("report", "--run", "r", "--out", under_a_file),
    ):
        assert "cannot be written" in refused(capsys, *arguments)["what"]
    assert (folder / "mine.txt").read_text() == "keep"


def test_a_file_without_scores_is_not_evaluated(capsys: pytest.CaptureFixture[str], home: Path, write: Any) -> None:
    data = write(regression_table())
    assert "holds no scores" in refused(capsys, "evaluate", "--scores", data, "--truth", f"{data}:y")["what"]


def test_evaluate_reads_the_truth_as_told(capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path) -> None:
    scores, truth = tmp_path / "s.csv", tmp_path / "t.csv"
    scores.write_text("when,prediction\n2026-04-01 06:00:00,10\n2026-04-02 06:00:00,20\n2026-04-03 06:00:00,30\n")
    truth.write_text("when,width\n01/04/2026 06:00:00,11\n02/04/2026 06:00:00,20\n03/04/2026 06:00:00,28\n")
    given = ("evaluate", "--scores", str(scores), "--truth", f"{truth}:width")
    assert "--set day_first=true" in refused(capsys, *given)["fix"]
    assert main([*given, "--set", "day_first=true", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["mae"] == 1.0
    assert "Did you mean 'day_first'" in refused(capsys, *given, "--set", "dayfirst=true")["fix"]


OPEN = "part;width\n" + "".join(f"{i};1,{i}00\n" for i in range(1, 10))


def test_a_question_is_told_with_its_answers(capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    path.write_text(OPEN)
    body = refused(capsys, "import", str(path))
    assert set(body) >= IMPORT_KEYS and (body["outcome"], body["dataset"], body["rows"]) == ("ask", None, 0)
    assert "What is the comma in numbers such as 1,234?" in body["what"]
    (question,) = body["questions"]
    assert [o["set"]["decimal"] for o in question["options"]] == [",", "."]
    assert "--set decimal=, (" in body["fix"] and "--set decimal=. (" in body["fix"]
    assert stored(home) == NOTHING
    assert main(["import", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.strip() == f"{body['what']} {body['expected']} {body['fix']}"
    assert main(["import", str(path), "--set", "decimal=,", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 9


def test_training_on_an_open_file_leads_to_the_import(capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    path.write_text(OPEN)
    body = refused(capsys, "train", "--data", str(path), "--task", "regression", "--target", "width")
    assert "What is the comma" in body["what"] and "Import it first" in body["fix"]


def test_a_table_of_which_nothing_is_left_lists_what_was_rejected(
    capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("a,b,c\n" + "1,2,3,4,5\n4,3,2,1\n" * 6)
    body = refused(capsys, "import", str(path), "--set", "delimiter=,", "--set", "header=true")
    assert body["outcome"] == "reject" and [r["line"] for r in body["rejected"]] == list(range(2, 14))


def test_a_name_of_blanks_keeps_nothing(capsys: pytest.CaptureFixture[str], home: Path, write: Any) -> None:
    data = write(regression_table())
    assert "name is empty" in refused(capsys, "import", data, "--name", " ")["what"]
    assert stored(home) == NOTHING


@pytest.mark.parametrize("verb", ["import", "score"])
def test_unknown_ways_to_read_name_the_closest(
    capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path, write: Any, verb: str
) -> None:
    data = write(regression_table())
    given = {"import": ["import", data], "score": ["score", "--bundle", data, "--data", data, "--out", str(tmp_path / "o.csv")]}
    base = given[verb]
    key = refused(capsys, *base, "--set", "decimals=,")
    assert key["what"] == "setting is 'decimals'." and key["fix"] == "Did you mean 'decimal'?"
    value = refused(capsys, *base, "--set", "decimal=comma")
    assert (value["what"], value["expected"]) == ("decimal is 'comma'.", "Expected: one of '.', ','.")
    assert refused(capsys, *base, "--set", "header=perhaps")["expected"] == "Expected: yes or no (true or false)."
    assert refused(capsys, *base, "--set", "preamble_rows=two")["expected"] == "Expected: a whole number."
    assert not (tmp_path / "o.csv").exists() and stored(home)["files"] == []


def test_a_fault_of_ours_has_a_number_and_its_traceback_only_in_the_log(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("core.workflows.import_file", breaks)
    assert main(["import", "a.csv", "--json"]) == 1
    said = capsys.readouterr()
    body = json.loads(said.out)
    assert set(body) == {"what", "expected", "fix", "error_id"}
    assert said.err.count("\n") == 1 and "secret" not in said.err + said.out and "Traceback" not in said.err + said.out
    assert body["error_id"] in body["what"] and str(home / "logs" / "command-line.log") in said.err
    log = home / "logs" / "command-line.log"
    text = log.read_text()
    assert f"error {body['error_id']}" in text and "RuntimeError: secret detail" in text and "Traceback" in text
    assert os.name == "nt" or log.stat().st_mode & 0o077 == 0
    assert main(["import", "a.csv"]) == 1 and capsys.readouterr().out == ""
    assert log.read_text().startswith(text)


def test_a_fault_without_a_place_for_its_log_still_ends_in_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr("core.workflows.open_workspace", lambda: 1 / 0)
    assert main(["demo", "--json"]) == 1
    said = capsys.readouterr()
    assert "the log could not be written" in said.err and "Traceback" not in said.err
    assert json.loads(said.out)["error_id"]


def test_a_fault_in_the_worker_is_a_fault_here_with_its_number_and_log(
    capsys: pytest.CaptureFixture[str], home: Path, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.jobs.processes import host_name
    from core.jobs.worker import run_job

    def work_off(store: Any, job_id: str, **_: object) -> None:
        store.claim_next("short", host=host_name(), limit=1)
        run_job(store, job_id, 1)

    monkeypatch.setattr("core.jobs.wait_for_job", work_off)
    monkeypatch.setattr("core.jobs.worker.load", lambda _: lambda context: 1 / 0)
    data = write(regression_table())
    assert main(["train", "--data", data, "--task", "regression", "--target", "y", "--model", "ridge", "--json"]) == 1
    said = capsys.readouterr()
    body = json.loads(said.out)
    assert set(body) == {"what", "expected", "fix", "error_id"} and body["error_id"] in said.err
    assert "worker.log" in body["fix"] and "Traceback" not in said.err
    assert not (home / "logs").exists()
