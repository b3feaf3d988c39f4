"""`events`, `verdict`, `verdicts`, `false-alarms` and `fault-classes`: what the workflows say, as JSON and as text, and refusals."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.cli import main
from core.cli.event_words import spoken_time
from tests.command_line import Capture, called, refused
from tests.pages.finished_runs import work_off
from tests.synthetic import FAULT_ROWS, fault_table

TABLE, HAPPENED = fault_table()


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> str:
    monkeypatch.setattr("core.jobs.wait_for_job", lambda store, job_id, **_: work_off(store))
    TABLE.to_csv(tmp_path / "faults.csv", index=False)
    given = ("--task", "anomaly", "--time", "when", "--target", "label", "--ignore", "tool,lot", "--model", "pca_t2_spe")
    data = str(tmp_path / "faults.csv")
    return str(called(capsys, "train", "--data", data, *given, "--split", "first:1500", "--set", "window=1")["run"])


def what_of(event: dict[str, object]) -> str:
    """What happened in the rows of an event; "" for a false alarm."""
    first, last = int(str(event["first_row"])), int(str(event["last_row"]))
    return next((w for w, a in HAPPENED if first < a + FAULT_ROWS and last >= a), "")


def test_from_events_over_verdicts_to_trainings(run: str, capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "events.csv"
    found = called(capsys, "events", run, "--out", str(out))
    assert found["scores"]["events"] == found["scores"]["caught"] == 10
    assert found["scores"]["false_a_day"] == pytest.approx(3 * found["scores"]["false_a_shift"])
    leaks = [e for e in found["events"] if what_of(e) == "leak"]
    assert len(leaks) == 5 and {e["leading"] for e in leaks} == {"p1"}
    assert len(pd.read_csv(out)) == found["n_events"] == len(found["events"])

    one = called(capsys, "events", run, "--event", str(leaks[0]["event"]), "--set", "compared=similar")
    assert one["lead_lag"][0]["column"] == "p1" and {s["event"] for s in one["similar"]} == {e["event"] for e in leaks[1:]}
    assert one["is_is_not"][0]["value"] == "T3" and one["suspects"][0]["column"] == "lot"
    assert main(["events", run, "--event", str(leaks[0]["event"])]) == 0
    said = capsys.readouterr().out
    assert "onset" in said and "similar:" in said and "lot or serial lot L0" in said

    assert "without a cause" in refused(capsys, "verdict", run, str(leaks[0]["event"]), "closed")["what"]
    assert "event is '99'" in refused(capsys, "verdict", run, "99", "open")["what"]
    for event in found["events"]:
        number, what = str(event["event"]), what_of(event)
        if what == "bump":
            called(capsys, "verdict", run, number, "false_alarm", "--comment", "start-up")
        elif what:
            called(capsys, "verdict", run, number, "closed", "--cause", what, "--fix", "new seal", "--to", "Ann")
    history = called(capsys, "verdicts", run)["verdicts"]
    assert len(history) == 13 and history[-1]["by"] == "local"
    assert {(v["state"], v["fix"], v["assigned_to"]) for v in history} == {
        ("closed", "new seal", "Ann"),
        ("false_alarm", "", ""),
    }

    alarms = called(capsys, "false-alarms", run, "--train")
    assert alarms["test_rows"] == 3 * FAULT_ROWS and alarms["limit_then"] > alarms["limit"]
    assert alarms["effect"]["false_before"] == 3 and alarms["effect"]["real_now"] == alarms["effect"]["real_before"] == 10
    faults = called(capsys, "fault-classes", run, "--train", "--model", "logistic")
    assert {c["cause"]: c["cases"] for c in faults["causes"]} == {"leak": 5, "clog": 5}
    assert faults["metrics"]["accuracy"] > 0.9
    assert main(["events", run]) == 0
    assert "caught 10 of 10 events, median delay 0 rows" in capsys.readouterr().out


def test_a_run_without_verdicts(run: str, capsys: Capture) -> None:
    assert called(capsys, "verdicts", run)["verdicts"] == []
    assert "is called a false alarm" in refused(capsys, "false-alarms", run)["what"]
    assert called(capsys, "fault-classes", run)["causes"] == []
    assert "0 cases" in refused(capsys, "fault-classes", run, "--train")["what"]


def test_times_read_alike_and_rows_are_explained(run: str, capsys: Capture) -> None:
    """The onset had a T between date and time and the first flag had none; rows and flagged rows stood for each other."""
    assert main(["events", run]) == 0
    said = capsys.readouterr().out
    assert "T0" not in said and "T1" not in said and "2026-01-0" in said
    assert "rows: from the onset, else the first flag, to the last flag; flagged: those of them above the limit" in said
    assert "median delay 0 rows (0 s)" in said
    found = called(capsys, "events", run)["events"]
    assert all("T" not in e["onset"] for e in found if e["onset"]) and all(e["rows"] >= e["flagged_rows"] for e in found)
    assert main(["events", run, "--event", "1"]) == 0
    said = capsys.readouterr().out
    assert "rows from the onset to the last flag" in said and "(Bonferroni)" in said


def test_runs_are_listed_with_what_judges_them_and_prices_ask_for_a_classification(run: str, capsys: Capture) -> None:
    (found,) = called(capsys, "runs")["runs"]
    assert (found["run"], found["task"], found["model"], found["state"]) == (run, "anomaly", "pca_t2_spe", "succeeded")
    assert found["metric"] == "f1" and 0 < found["value"] <= 1 and called(capsys, "runs", "--dataset", "none")["runs"] == []
    assert main(["runs"]) == 0
    said = capsys.readouterr().out
    assert run in said and f"{found['value']:.4g}" in said and "judged by" in said
    assert "answers another question (anomaly)" in refused(capsys, "costs", "--run", run)["what"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(45.0, "45 s"), (0.5, "0.5 s"), (1_560, "26 min"), (7_860, "2 h 11 min"), (273_600, "3 d 4 h")]
)
def test_a_delay_is_told_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert spoken_time(seconds) == said
