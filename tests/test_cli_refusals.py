"""What the command line refuses: one sentence for each bad input, and a number for a fault of ours."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from core.cli import main
from tests.command_line import IMPORT_KEYS, Capture, refused
from tests.pages.finished_runs import work_off
from tests.stored import NOTHING, stored
from tests.synthetic import regression_table


def test_unknown_words_name_the_closest(capsys: Capture, home: Path, write: Any) -> None:
    data = write(regression_table())
    base = ["train", "--data", data, "--target", "y"]
    assert "Did you mean 'regression'" in refused(capsys, *base, "--task", "regresion")["fix"]
    assert "Did you mean 'dense'" in refused(capsys, *base, "--task", "regression", "--model", "dens")["fix"]
    assert "Did you mean 'epochs'" in refused(capsys, *base, "--task", "regression", "--set", "epoch=3")["fix"]
    assert "epochs is '-3'" in refused(capsys, *base, "--task", "regression", "--set", "epochs=-3")["what"]
    assert "no column 'yy'" in refused(capsys, "train", "--data", data, "--task", "regression", "--target", "yy")["what"]
    assert "first:" in " ".join(refused(capsys, *base, "--task", "regression", "--split", "first:x").values())
    assert "--set was given 'epochs'" in refused(capsys, *base, "--task", "regression", "--set", "epochs")["what"]


def test_bad_command_lines_are_problems_too(capsys: Capture, home: Path) -> None:
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
        (bytes(300), "empty"),
    ],
    ids=["empty", "blank", "open-quote", "zip", "elf", "nul"],
)
def test_what_is_no_table_is_refused(capsys: Capture, home: Path, tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    before = stored(home)
    body = refused(capsys, "import", str(path))
    assert set(body) >= IMPORT_KEYS and (body["dataset"], body["rows"], body["columns"]) == (None, 0, [])
    assert stored(home)["files"] == before["files"] == [] and NOTHING in (before, stored(home))
    assert says.lower() in " ".join(str(v) for v in body.values()).lower()
    assert body["outcome"] == "reject"


def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    capsys: Capture, home: Path, write: Any, tmp_path: Path
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


def test_a_file_without_scores_is_not_evaluated(capsys: Capture, home: Path, write: Any) -> None:
    data = write(regression_table())
    assert "holds no scores" in refused(capsys, "evaluate", "--scores", data, "--truth", f"{data}:y")["what"]


OPEN = "part;width\n" + "".join(f"{i};1,{i}00\n" for i in range(1, 10))


def test_a_question_is_told_with_its_answers(capsys: Capture, home: Path, tmp_path: Path) -> None:
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


def test_training_on_an_open_file_leads_to_the_import(capsys: Capture, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    path.write_text(OPEN)
    body = refused(capsys, "train", "--data", str(path), "--task", "regression", "--target", "width")
    assert "What is the comma" in body["what"] and "Import it first" in body["fix"]


def test_a_table_of_which_nothing_is_left_lists_what_was_rejected(capsys: Capture, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("a,b,c\n" + "1,2,3,4,5\n4,3,2,1\n" * 6)
    body = refused(capsys, "import", str(path), "--set", "delimiter=,", "--set", "header=true")
    assert body["outcome"] == "reject" and [r["line"] for r in body["rejected"]] == list(range(2, 14))


def test_a_name_of_blanks_keeps_nothing(capsys: Capture, home: Path, write: Any) -> None:
    data = write(regression_table())
    assert "name is empty" in refused(capsys, "import", data, "--name", " ")["what"]
    assert stored(home) == NOTHING


@pytest.mark.parametrize("verb", ["import", "score"])
def test_unknown_ways_to_read_name_the_closest(capsys: Capture, home: Path, tmp_path: Path, write: Any, verb: str) -> None:
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
    capsys: Capture, home: Path, monkeypatch: pytest.MonkeyPatch
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
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr("core.workflows.open_workspace", lambda: 1 / 0)
    assert main(["demo", "--json"]) == 1
    said = capsys.readouterr()
    assert "the log could not be written" in said.err and "Traceback" not in said.err
    assert json.loads(said.out)["error_id"]


def test_a_fault_in_the_worker_is_a_fault_here_with_its_number_and_log(
    capsys: Capture, home: Path, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.wait_for_job", lambda store, job_id, **_: work_off(store))
    monkeypatch.setattr("core.jobs.worker.load", lambda _: lambda context: 1 / 0)
    data = write(regression_table())
    assert main(["train", "--data", data, "--task", "regression", "--target", "y", "--model", "ridge", "--json"]) == 1
    said = capsys.readouterr()
    body = json.loads(said.out)
    assert set(body) == {"what", "expected", "fix", "error_id"} and body["error_id"] in said.err
    assert "worker.log" in body["fix"] and "Traceback" not in said.err
    assert not (home / "logs").exists()
