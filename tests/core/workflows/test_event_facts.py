"""Events of a table whose faults are known: onset, lead, similar events, where they are and are not, and what verdicts lead to."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from core import workflows as wf
from core.anomalies.records import AnomalyEvent
from core.data.split import GAP, TEST, TRAIN
from core.errors import NotEnoughData, SettingProblem
from core.evaluation.event_scores import EventScores
from core.training.request import TrainRequest
from core.workflows.report_facts import report_facts
from tests.pages.finished_runs import work_off
from tests.synthetic import FAULT_ROWS, fault_table

TABLE, HAPPENED = fault_table()


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> wf.Workspace:
    return wf.open_workspace(tmp_path_factory.mktemp("events") / "home")


@pytest.fixture(scope="module")
def runs(ws: wf.Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """Two runs of one dataset, by their window."""
    path = tmp_path_factory.mktemp("csv") / "faults.csv"
    TABLE.to_csv(path, index=False)
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    found = {}
    for window in (1, 12):
        request = {"dataset_id": dataset.id, "dataset_version": 1, "task": "anomaly", "target": "label", "time": "when"}
        request |= {"ignore": ["tool", "lot"], "model": "pca_t2_spe", "split": {"method": "first", "first": 1500}}
        run = wf.start_training(ws, TrainRequest.read({**request, "options": {"window": window}}))
        work_off(ws.store)
        found[window] = run.id
    return found


def what_of(event: AnomalyEvent) -> str:
    """What happened in the rows of an event; "" for a false alarm."""
    return next((w for w, first in HAPPENED if event.first_row < first + FAULT_ROWS + 12 and event.last_row >= first), "")


def first_of(event: AnomalyEvent) -> int:
    return next(a for _, a in HAPPENED if event.first_row < a + FAULT_ROWS + 12 and event.last_row >= a)


@pytest.mark.parametrize(("window", "within"), [(1, 2), (12, 4)])
def test_onsets_are_those_that_were_planted(ws: wf.Workspace, runs: dict[int, str], window: int, within: int) -> None:
    results = wf.open_results(ws, runs[window])
    view = wf.anomaly_view(ws, results)
    errors = []
    for event in view.events:
        if not what_of(event):
            continue
        facts = wf.event_facts(results, view, event)
        assert facts.began is not None, facts.onset.why_not
        errors.append(facts.began.row - first_of(event))
        assert facts.began.row <= event.first_row
        assert facts.n_rows == event.last_row - facts.began.row + 1
        assert facts.seconds == 60 * (facts.n_rows - 1), "a row a minute"
    assert len(errors) == 13 and np.median(np.abs(errors)) <= within


def test_the_sensor_that_changes_first_leads(ws: wf.Workspace, runs: dict[int, str]) -> None:
    results = wf.open_results(ws, runs[1])
    view = wf.anomaly_view(ws, results)
    after = []
    for event in (e for e in view.events if what_of(e) == "leak"):
        facts = wf.event_facts(results, view, event)
        assert facts.order.reference == facts.order.first == facts.onset.leading == "p1"
        second = next(f for f in facts.order.followers if f.column == "p2")  # the model gives it hardly a part
        if isinstance(second.lag, wf.Lag):
            assert second.lag.low <= 10 <= second.lag.high and second.lag.differs
            after.append(second.lag.rows)
    assert len(after) >= 4 and abs(np.median(after) - 10) <= 2


def test_similar_events_have_the_same_cause_and_bring_what_was_said(ws: wf.Workspace, runs: dict[int, str]) -> None:
    results = wf.open_results(ws, runs[1])
    view = wf.anomaly_view(ws, results)
    other = wf.open_results(ws, runs[12])
    for event in wf.anomaly_view(ws, other).events:
        if what_of(event):
            wf.set_verdict(ws, runs[12], event, "closed", cause=what_of(event), fix=f"fixed {what_of(event)}")
    past = wf.past_events(ws, results, view.events)
    for event in view.events:
        found = wf.similar_events(past, results.run.id, event)
        assert all(s.past.number != event.number for s in found.found)
        if not what_of(event):
            continue
        elsewhere = [s.past for s in found.found if s.past.run_id == runs[12]]
        assert {p.verdict.cause for p in elsewhere if p.verdict is not None} <= {what_of(event)}
        assert [p.verdict.cause for p in found.same if p.verdict is not None] == [what_of(event)], "itself, in the other run"
        assert {p.verdict.fix for p in elsewhere if p.verdict is not None} <= {f"fixed {what_of(event)}"}
        assert not any(p.first_row <= event.last_row and p.last_row >= event.first_row for p in elsewhere), "itself"
        own = [e for e in view.events if e.number in {s.past.number for s in found.found}]
        assert {what_of(e) for e in own} <= {what_of(event)} and found.found


def test_where_leaks_are_and_are_not(ws: wf.Workspace, runs: dict[int, str]) -> None:
    results = wf.open_results(ws, runs[1])
    view = wf.anomaly_view(ws, results)
    leaks = [e for e in view.events if what_of(e) == "leak"]
    alone = wf.event_facts(results, view, leaks[0])
    assert alone.tested == ("tool", "lot", wf.SHIFT) and "label" not in alone.tested
    assert not any(line.stands_out for line in alone.lines), "one event lies in one stretch of a tool"
    together = wf.event_facts(results, view, leaks[0], wf.EventSettings(compared="similar"), alike=leaks[1:])
    tool = together.lines[0]
    assert (tool.column, tool.value, tool.share, tool.stretches) == ("tool", "T3", 1.0, len(leaks))
    assert tool.p is not None and tool.p < 0.1
    first = first_of(leaks[0])
    lots = {f"L{row // 50:03d}" for row in range(first, first + FAULT_ROWS)}
    assert {s.value for s in alone.suspects} >= lots and {s.column for s in alone.suspects} == {"lot"}


@pytest.mark.parametrize(
    ("column", "is_left_out"), [("fault_name", True), ("spindle", False), ("lot_id", False)], ids=lambda given: str(given)
)
def test_a_column_that_agrees_with_the_label_is_left_out_by_its_name_only(
    ws: wf.Workspace, runs: dict[int, str], monkeypatch: pytest.MonkeyPatch, column: str, is_left_out: bool
) -> None:
    """The same cells three times: the name of the fault says nothing new, a spindle or a lot that made every faulty row is the cause."""
    results = wf.open_results(ws, runs[1])
    view = wf.anomaly_view(ws, results)
    module = import_module("core.workflows.event_facts")
    own, label = module._categories, results.dataset.table(["label"])["label"].to_numpy()
    named = {column: np.where(label > 0, "S2", "S1")}
    monkeypatch.setattr(
        module, "_categories", lambda r, rows: own(r, rows) | {name: cells[rows] for name, cells in named.items()}
    )
    leaks = [e for e in view.events if what_of(e) == "leak"]
    facts = wf.event_facts(results, view, leaks[0], wf.EventSettings(compared="similar"), alike=leaks[1:])
    assert facts.lines and (facts.truths, facts.agreeing) == (((column,), ()) if is_left_out else ((), (column,)))
    lines = {line.value: line for line in facts.lines if line.column == column}
    assert (column in facts.tested) != is_left_out and bool(lines) != is_left_out
    if not is_left_out:
        assert lines["S2"].share > 0.9 and lines["S2"].stands_out and lines["S2"].is_more


def test_a_group_that_agrees_with_the_label_stays(
    ws: wf.Workspace, runs: dict[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run grouped by a column that is called a class: a group is a thing of the plant."""
    results = wf.open_results(ws, runs[1])
    view = wf.anomaly_view(ws, results)
    module = import_module("core.workflows.event_facts")
    label = results.dataset.table(["label"])["label"].to_numpy()
    monkeypatch.setattr(module, "_categories", lambda _, rows: {"class": np.where(label > 0, "B", "A")[rows]})
    assert wf.event_facts(results, view, view.events[0]).truths == ("class",)
    monkeypatch.setattr(wf.Results, "group", "class")
    monkeypatch.setattr(wf.Results, "group_names", None)
    monkeypatch.setattr(module, "_suspects", lambda *_: ())
    facts = wf.event_facts(results, view, view.events[0])
    assert facts.truths == () and facts.agreeing == ("class",) and "class" in facts.tested


def test_of_a_long_table_the_rows_around_the_event_are_compared(
    ws: wf.Workspace, runs: dict[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = wf.open_results(ws, runs[1])
    view = wf.anomaly_view(ws, results)
    event = view.events[0]
    whole = {(x.column, x.value): x.rows for x in wf.event_facts(results, view, event).lines}
    monkeypatch.setattr(import_module("core.workflows.event_facts"), "MOST_ROWS", 600)
    facts = wf.event_facts(results, view, event)
    assert {(x.column, x.value): x.rows for x in facts.lines} == whole
    assert 0 < sum(x.normal_rows for x in facts.lines if x.column == "tool") < 600
    assert "600 rows around the event" in str(facts.note) and facts.suspects


def test_of_a_long_table_the_rows_around_each_event_are_compared(
    ws: wf.Workspace, runs: dict[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaks of tool T3 lie further apart than the rows that are looked at; none of them drops out."""
    results = wf.open_results(ws, runs[1])
    view = wf.anomaly_view(ws, results)
    leaks = [e for e in view.events if what_of(e) == "leak"]
    settings = wf.EventSettings(compared="similar")
    whole = wf.event_facts(results, view, leaks[0], settings, alike=leaks[1:])
    monkeypatch.setattr(import_module("core.workflows.event_facts"), "MOST_ROWS", 600)
    facts = wf.event_facts(results, view, leaks[0], settings, alike=leaks[1:])
    tool = {line.value: line for line in facts.lines if line.column == "tool"}["T3"]
    assert tool.rows == sum(e.n_rows for e in leaks) == {x.value: x for x in whole.lines if x.column == "tool"}["T3"].rows
    assert tool.stretches == len(leaks)
    assert str(facts.note) == f"Compared are {600 // len(leaks)} rows around each of the {len(leaks)} events."


def test_the_report_says_what_was_caught(ws: wf.Workspace, runs: dict[int, str]) -> None:
    results = wf.open_results(ws, runs[1])
    said = {str(fact.name): str(fact.value) for fact in report_facts(ws, results, str).threshold}
    found = wf.event_scores_of(results, wf.anomaly_view(ws, results))
    assert isinstance(found, EventScores)
    assert (
        said["Labelled events caught"] == "10 of 10" and said["False events in normal rows"] == f"{found.n_false} in 2,100 rows"
    )
    assert float(said["False events a day"].split()[0]) == pytest.approx(found.n_false / (2100 / 1440), rel=1e-3)


def test_events_are_counted_on_the_test_part(ws: wf.Workspace, runs: dict[int, str]) -> None:
    results = wf.open_results(ws, runs[1])
    found = wf.event_scores_of(results, wf.anomaly_view(ws, results))
    assert isinstance(found, EventScores)
    faults = [a for w, a in HAPPENED if w != "bump"]
    assert (found.n_events, found.normal_rows) == (len(faults), 2500 - FAULT_ROWS * len(faults))
    assert found.n_caught == len(faults) and found.normal_seconds == 60 * found.normal_rows
    bumps = sum(1 for w, _ in HAPPENED if w == "bump")
    assert found.n_false >= bumps, "a bump is no fault and is flagged"
    none = wf.event_scores_of(results, wf.anomaly_view(ws, results, threshold=1e9))
    assert isinstance(none, EventScores) and (none.n_caught, none.n_false, none.a_shift) == (0, 0, 0.0)


def test_false_alarms_join_the_normal_rows_and_leave_the_test_part(ws: wf.Workspace, runs: dict[int, str]) -> None:
    results = wf.open_results(ws, runs[12])
    view = wf.anomaly_view(ws, results)
    with pytest.raises(SettingProblem, match="No event of the run .* is called a false alarm"):
        wf.preview_false_alarms(results, view)
    bumps = [e for e in view.events if what_of(e) == "bump"]
    for event in view.events:
        what = what_of(event)
        if what == "bump":
            wf.set_verdict(ws, runs[12], event, "false_alarm")
        elif what:
            wf.set_verdict(ws, runs[12], event, "closed", cause=what)
        else:
            wf.set_verdict(ws, runs[12], event, "open")
    view = wf.anomaly_view(ws, results)
    seen = wf.preview_false_alarms(results, view)
    assert len(seen.alarms) == len(bumps) and seen.rows == seen.test_rows == sum(e.last_row - e.first_row + 1 for e in bumps)
    assert seen.limit_then.value >= max(e.peak for e in bumps) > seen.limit
    assert set(seen.alarms) <= set(seen.silent) and seen.silent_false == len(bumps)
    assert seen.silent_real == sum(not e.is_open and e not in seen.alarms for e in seen.silent)
    assert not any("was moved" in str(note) for note in seen.notes), "the rule gives the run's own limit again"

    run = wf.train_with_false_alarms(ws, results, view)
    work_off(ws.store)
    again = wf.open_results(ws, run.id)
    parts = again.parts
    for event in bumps:
        assert (parts[event.first_row : event.last_row + 1] == TRAIN).all()
        near = parts[[*range(event.first_row - 11, event.first_row), *range(event.last_row + 1, event.last_row + 12)]]
        assert (near == GAP).all(), "a window of 12 rows reaches over 11"
    before = results.parts
    assert (parts == TEST).sum() == (before == TEST).sum() - sum(e.last_row - e.first_row + 23 for e in bumps)
    assert (before[parts == TEST] == TEST).all()
    assert again.run.metrics["far"].n < results.run.metrics["far"].n
    effect = wf.real_effect(ws, again)
    assert effect is not None and effect.false_before == len(bumps) and effect.before == results.run.name
    assert effect.real_now <= effect.real_before == 10
    assert wf.real_effect(ws, results) is None
    # Nothing is computed anew until something more is said of the run before.
    assert wf.real_effect(ws, again) is effect
    real = next(e for e in view.events if what_of(e) in ("leak", "clog"))
    wf.set_verdict(ws, runs[12], real, "open")
    told = wf.real_effect(ws, again)
    assert told is not None and (told.real_before, told.open_before) == (9, effect.open_before + 1)
    wf.set_verdict(ws, runs[12], real, "closed", cause=what_of(real))
    assert any("false alarms train as normal rows" in str(note) for note in again.run.notes)


def test_a_classifier_of_causes_needs_five_cases_and_a_second_cause(ws: wf.Workspace, runs: dict[int, str]) -> None:
    results = wf.open_results(ws, runs[1])
    view = wf.anomaly_view(ws, results)
    for event in wf.anomaly_view(ws, wf.open_results(ws, runs[12])).events:
        wf.set_verdict(ws, runs[12], event, "open")  # nothing is known any more
    by_cause = {w: [e for e in view.events if what_of(e) == w] for w in ("leak", "clog")}
    for event in by_cause["leak"][:4]:
        wf.set_verdict(ws, runs[1], event, "assignable_cause", cause="Leak")
    with pytest.raises(NotEnoughData, match="The most frequent cause has 4 cases"):
        wf.train_fault_classes(ws, results, view)
    wf.set_verdict(ws, runs[1], by_cause["leak"][4], "closed", cause=" leak ")  # the same cause in other letters
    assert str(wf.fault_classes(ws, results).why_not).startswith("Only the cause 'Leak' has enough cases")
    for event in by_cause["clog"]:
        wf.set_verdict(ws, runs[1], event, "assignable_cause", cause="clog")
    for event in (e for e in view.events if what_of(e) == "bump"):
        wf.set_verdict(ws, runs[1], event, "false_alarm")
    classes = wf.fault_classes(ws, results)
    assert classes.why_not is None
    assert {c.cause.casefold(): len(c.cases) for c in classes.causes} == {"leak": 5, "clog": 5}

    run = wf.train_fault_classes(ws, results, view, model="logistic")
    work_off(ws.store)
    done = wf.open_results(ws, run.id)
    made = wf.open_dataset(ws, run.dataset_id)
    table = made.table()
    assert {c.name: c.role for c in made.columns if c.role in ("target", "group")} == {"cause": "target", "event": "group"}
    assert "label" not in table, "it would give the cause away"
    faulty = table[table["cause"] != "normal"]
    assert len(faulty) == sum(e.last_row - e.first_row + 1 for events in by_cause.values() for e in events)
    truth = TABLE.set_index("when").loc[table.loc[table["cause"] == "normal", "when"], ["label", "p4"]]
    assert (truth["label"] == 0).all()
    parts = done.parts
    assert all(len(set(parts[rows])) == 1 for rows in table.groupby("event").indices.values()), "no event in two parts"
    assert {c: set(parts[rows]) for c, rows in table.groupby("cause").indices.items()} == {
        c: {0, 1, 2} for c in ("Leak", "clog", "normal")
    }
    assert done.run.metrics["accuracy"].value == pytest.approx(1.0, abs=0.05)
    assert "unknown_fraction" in done.run.metrics
    origin = wf.dataset_origin(ws, made.id)
    assert origin is not None and "2 causes" in str(origin.sentence)


def causes_known(ws: wf.Workspace, run_id: str, view: wf.AnomalyView) -> None:
    for event in view.events:
        if what_of(event) in ("leak", "clog"):
            wf.set_verdict(ws, run_id, event, "assignable_cause", cause=what_of(event))


def test_pressing_the_button_again_trains_again_after_a_failure_or_a_deletion(ws: wf.Workspace, runs: dict[int, str]) -> None:
    results = wf.open_results(ws, runs[1])
    view = wf.anomaly_view(ws, results)
    causes_known(ws, runs[1], view)
    before = len(wf.list_datasets(ws))

    def press() -> wf.Run:
        return wf.train_fault_classes(ws, results, view, model="logistic", token="button")

    first = press()
    assert press().id == first.id and len(wf.list_datasets(ws)) == before + 1, "a double click"
    wf.stop_run(ws, first.id)
    assert wf.get_run(ws, first.id).state == "cancelled"
    second = press()
    assert second.id != first.id and second.is_live
    work_off(ws.store)
    assert press().id == second.id, "it is done"
    wf.delete_run(ws, second.id)
    third = press()
    assert third.id not in (first.id, second.id) and third.is_live
    wf.stop_run(ws, third.id)
    for run in (first, second, third):
        wf.delete_with_everything(ws, run.dataset_id)
    assert press().is_live
    work_off(ws.store)


def test_false_alarms_are_trained_again_after_a_failure(ws: wf.Workspace, runs: dict[int, str]) -> None:
    results = wf.open_results(ws, runs[1])
    event = next(e for e in wf.anomaly_view(ws, results).events if what_of(e) == "bump")
    wf.set_verdict(ws, runs[1], event, "false_alarm")
    view = wf.anomaly_view(ws, results)
    first = wf.train_with_false_alarms(ws, results, view, token="alarms")
    assert wf.train_with_false_alarms(ws, results, view, token="alarms").id == first.id
    wf.stop_run(ws, first.id)
    wf.delete_run(ws, first.id)
    again = wf.train_with_false_alarms(ws, results, view, token="alarms")
    assert again.id != first.id and again.is_live
    wf.stop_run(ws, again.id)


def test_a_refused_classifier_leaves_no_dataset(ws: wf.Workspace, runs: dict[int, str]) -> None:
    results = wf.open_results(ws, runs[1])
    view = wf.anomaly_view(ws, results)
    causes_known(ws, runs[1], view)
    before, files = wf.list_datasets(ws), sorted((ws.home / "data").iterdir())
    with pytest.raises(SettingProblem, match="model is 'no_such_family'"):
        wf.train_fault_classes(ws, results, view, model="no_such_family")
    assert wf.list_datasets(ws) == before and sorted((ws.home / "data").iterdir()) == files


def test_the_history_of_an_event_is_its_own(ws: wf.Workspace, runs: dict[int, str]) -> None:
    results = wf.open_results(ws, runs[1])
    event, other = wf.anomaly_view(ws, results).events[:2]
    before = len(wf.history_of(results, other, wf.list_verdicts(ws, runs[1])))
    wf.set_verdict(ws, runs[1], event, "contained", "stopped line 4", assigned_to="Ann")
    said = wf.history_of(results, event, wf.list_verdicts(ws, runs[1]))
    assert (said[-1].verdict, said[-1].comment, said[-1].assigned_to) == ("contained", "stopped line 4", "Ann")
    assert len(wf.history_of(results, other, wf.list_verdicts(ws, runs[1]))) == before
