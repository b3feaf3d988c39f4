"""What other runs said of an event's rows: shown, never counted before it is confirmed, and never guessed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core import workflows as wf
from core.anomalies.records import AnomalyEvent
from core.errors import NotEnoughData, SettingProblem
from core.training.request import TrainRequest
from tests.pages.finished_runs import work_off
from tests.synthetic import FAULT_ROWS, fault_table

TABLE, HAPPENED = fault_table()
LEAKS = [first for what, first in HAPPENED if what == "leak"]
BUMPS = [first for what, first in HAPPENED if what == "bump"]


def imported(ws: wf.Workspace, table: pd.DataFrame, folder: Path, name: str) -> str:
    path = folder / f"{name}.csv"
    table.to_csv(path, index=False)
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    return dataset.id


def trained(ws: wf.Workspace, dataset: str, first: int = 1500, window: int = 1, **more: object) -> str:
    request = {"dataset_id": dataset, "dataset_version": 1, "task": "anomaly", "target": "label", "time": "when"}
    request |= {"ignore": ["tool", "lot"], "model": "pca_t2_spe", "split": {"method": "first", "first": first}}
    run = wf.start_training(ws, TrainRequest.read({**request, "options": {"window": window}, **more}))
    work_off(ws.store)
    return run.id


def view_of(ws: wf.Workspace, run: str, limit: float | None = None) -> wf.AnomalyView:
    return wf.anomaly_view(ws, wf.open_results(ws, run), limit)


def at(view: wf.AnomalyView, first: int) -> AnomalyEvent:
    """The event in the rows of a fault."""
    return next(e for e in view.events if e.first_row < first + FAULT_ROWS and e.last_row >= first)


@pytest.fixture
def ws(tmp_path: Path) -> wf.Workspace:
    return wf.open_workspace(tmp_path / "home")


@pytest.fixture
def told(ws: wf.Workspace, tmp_path: Path) -> tuple[str, str, str]:
    """A dataset, a run on it in which a leak is closed and a bump is a false alarm, and a run trained after that."""
    dataset = imported(ws, TABLE, tmp_path, "faults")
    old = trained(ws, dataset, name="January")
    view = view_of(ws, old)
    wf.set_verdict(ws, old, at(view, LEAKS[0]), "contained", "smells of oil")
    said = {"cause": "Seal leak", "fix": "new seal", "assigned_to": "Ann"}
    wf.set_verdict(ws, old, at(view_of(ws, old), LEAKS[0]), "closed", "quiet since", **said)
    wf.set_verdict(ws, old, at(view, BUMPS[0]), "false_alarm", "start-up")
    return dataset, old, trained(ws, dataset, window=12, name="February")


def test_an_event_shows_what_an_earlier_run_said_of_its_rows_and_nothing_is_written(
    ws: wf.Workspace, told: tuple[str, str, str]
) -> None:
    _, old, new = told
    view = view_of(ws, new)
    event = at(view, LEAKS[0])
    taken = event.taken_over
    assert taken is not None and (taken.run_id, taken.run_name, taken.dataset_name) == (old, "January", "")
    given = taken.verdict
    assert (given.verdict, given.cause, given.fix, given.assigned_to, given.comment, given.owner) == (
        "closed", "Seal leak", "new seal", "Ann", "quiet since", "local",
    )  # fmt: skip
    assert event.earlier is not None and [v.verdict.comment for v in event.earlier.said] == ["smells of oil", "quiet since"]
    assert event.verdict is None and event.is_open and wf.list_verdicts(ws, new) == ()
    assert at(view, LEAKS[1]).earlier is None, "nothing was said of the second leak"
    assert {e.number for e in view.events if e.taken_over} == {event.number, at(view, BUMPS[0]).number}


def test_what_is_taken_over_counts_for_nothing_before_it_is_confirmed(ws: wf.Workspace, told: tuple[str, str, str]) -> None:
    _, _, new = told
    results = wf.open_results(ws, new)
    assert wf.false_alarms(view_of(ws, new)) == ()
    with pytest.raises(SettingProblem, match="is called a false alarm"):
        wf.preview_false_alarms(results, view_of(ws, new))
    with pytest.raises(NotEnoughData, match="no case"):
        wf.add_challenge(ws, results, wf.ChallengeSettings(name="known", source="events"))
    assert [(c.cause, len(c.cases)) for c in wf.fault_classes(ws, results).causes] == [("Seal leak", 1)], "one event, not two"

    said = wf.confirm_verdict(ws, new, at(view_of(ws, new), LEAKS[0]))
    assert (said.verdict, said.cause, said.fix, said.assigned_to, said.comment) == (
        "closed", "Seal leak", "new seal", "Ann", "quiet since",
    )  # fmt: skip
    wf.confirm_verdict(ws, new, at(view_of(ws, new), BUMPS[0]))
    view = view_of(ws, new)
    assert [e.number for e in wf.false_alarms(view)] == [at(view, BUMPS[0]).number]
    assert not any(e.taken_over for e in view.events) and len(wf.list_verdicts(ws, new)) == 2
    assert [(c.cause, len(c.cases)) for c in wf.fault_classes(ws, results).causes] == [("Seal leak", 1)]
    with pytest.raises(SettingProblem, match="takes no verdict over"):
        wf.confirm_verdict(ws, new, at(view, LEAKS[0]))


def test_another_verdict_keeps_the_cause_that_is_not_said_anew(ws: wf.Workspace, told: tuple[str, str, str]) -> None:
    _, _, new = told
    said = wf.set_verdict(ws, new, at(view_of(ws, new), LEAKS[0]), "assignable_cause", fix="new pump")
    assert (said.verdict, said.cause, said.fix, said.assigned_to) == ("assignable_cause", "Seal leak", "new pump", "Ann")


def test_the_newest_verdict_on_the_same_rows_counts_whichever_run_it_was_given_in(
    ws: wf.Workspace, told: tuple[str, str, str]
) -> None:
    dataset, old, new = told
    wf.set_verdict(ws, new, at(view_of(ws, new), LEAKS[0]), "sensor_fault")
    third = trained(ws, dataset, window=3)
    taken = at(view_of(ws, third), LEAKS[0]).taken_over
    assert taken is not None and (taken.run_id, taken.verdict.verdict) == (new, "sensor_fault")
    wf.delete_run(ws, new)
    taken = at(view_of(ws, third), LEAKS[0]).taken_over
    assert taken is not None and (taken.run_id, taken.verdict.verdict) == (old, "closed"), (
        "of a run that is gone nothing is said"
    )


def test_results_that_stay_open_say_nothing_of_a_run_that_is_gone_or_has_another_name(
    ws: wf.Workspace, told: tuple[str, str, str]
) -> None:
    _, old, new = told
    results = wf.open_results(ws, new)
    taken = at(wf.anomaly_view(ws, results), LEAKS[0]).taken_over
    assert taken is not None and taken.run_name == "January"
    before = wf.verdict_state(ws)
    wf.rename_run(ws, old, "Trial")
    taken = at(wf.anomaly_view(ws, results), LEAKS[0]).taken_over
    assert taken is not None and taken.run_name == "Trial" and wf.verdict_state(ws) != before
    wf.delete_run(ws, old)
    assert at(wf.anomaly_view(ws, results), LEAKS[0]).earlier is None


def test_two_events_in_one_are_said_and_not_guessed(ws: wf.Workspace, told: tuple[str, str, str]) -> None:
    dataset, old, _ = told
    wide = next(  # a limit so low that the first two faults are one event
        view
        for limit in (0.5, 0.2, 0.1, 0.05, 0.02)
        if at(view := view_of(ws, old, limit * view_of(ws, old).threshold.value), LEAKS[0]).last_row >= HAPPENED[1][1]
    )
    big = at(wide, LEAKS[0])
    own = view_of(ws, old)
    second = next(e for e in own.events if e.first_row > LEAKS[0] + FAULT_ROWS and e.last_row <= big.last_row)
    wf.set_verdict(ws, old, second, "false_alarm")
    new = trained(ws, dataset, window=2)
    low = next(
        view
        for share in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
        if at(view := view_of(ws, new, share * view_of(ws, new).threshold.value), LEAKS[0]).last_row >= second.first_row
    )
    event = at(low, LEAKS[0])
    assert event.taken_over is None and event.is_ambiguous and event.earlier is not None
    stories = {one.verdict.verdict for one in event.earlier.newest}
    assert {"closed", "false_alarm"} <= stories
    with pytest.raises(SettingProblem, match=r"takes no verdict over.*different things"):
        wf.confirm_verdict(ws, new, event)


def test_one_event_that_is_several_now_says_so(ws: wf.Workspace, told: tuple[str, str, str]) -> None:
    dataset, old, _ = told
    low = next(
        view
        for share in (0.5, 0.2, 0.1, 0.05, 0.02)
        if at(view := view_of(ws, old, share * view_of(ws, old).threshold.value), LEAKS[1]).last_row
        > LEAKS[1] + FAULT_ROWS + 40
    )
    wf.set_verdict(ws, old, at(low, LEAKS[1]), "contained")
    new = trained(ws, dataset, window=2)
    view = view_of(ws, new)
    event = at(view, LEAKS[1])
    taken = event.taken_over
    assert taken is not None and event.earlier is not None
    over = {e.number for e in view.events if e.first_row <= taken.verdict.last_row and e.last_row >= taken.verdict.first_row}
    assert len(over) > 1 and set(event.earlier.also) == over - {event.number}


def test_a_table_that_goes_on_from_the_first_takes_over_by_time_and_not_by_row_number(
    ws: wf.Workspace, told: tuple[str, str, str], tmp_path: Path
) -> None:
    dataset, old, _ = told
    later = imported(ws, TABLE.iloc[300:], tmp_path, "later")
    new = trained(ws, later, first=1200)
    taken = at(view_of(ws, new), LEAKS[0] - 300).taken_over
    old_event = at(view_of(ws, old), LEAKS[0])
    assert taken is not None and (taken.dataset_name, taken.verdict.verdict) == ("faults", "closed")
    assert (taken.verdict.first_row, taken.verdict.last_row) == (old_event.first_row - 300, old_event.last_row - 300)
    assert wf.fault_classes(ws, wf.open_results(ws, new)).causes == (), "causes are counted on one dataset"


@pytest.mark.parametrize("change", ["other values", "another column"])
def test_a_table_of_another_machine_with_the_same_times_takes_nothing_over(
    ws: wf.Workspace, told: tuple[str, str, str], tmp_path: Path, change: str
) -> None:
    other = TABLE.assign(p1=TABLE["p1"] + 1e-3) if change == "other values" else TABLE.assign(p5=TABLE["p4"])
    new = trained(ws, imported(ws, other, tmp_path, "other"))
    assert at(view_of(ws, new), LEAKS[0]).earlier is None


def test_with_machines_that_take_turns_a_verdict_speaks_of_its_own_machine(ws: wf.Workspace, tmp_path: Path) -> None:
    both = pd.concat([TABLE.assign(machine="a"), TABLE.assign(machine="b")]).sort_values(["when", "machine"], ignore_index=True)
    dataset = imported(ws, both, tmp_path, "both")
    old = trained(ws, dataset, first=3000, group="machine")
    view = view_of(ws, old)
    event = next(e for e in view.events if e.group == "b" and e.first_row >= 2 * LEAKS[0])
    wf.set_verdict(ws, old, event, "contained")
    for first in (0, 400):  # the same table again, and one that begins later
        again = dataset if not first else imported(ws, both.iloc[first:], tmp_path, "cut")
        new = view_of(ws, trained(ws, again, first=3000 - first, window=3, group="machine"))
        taken = [e for e in new.events if e.taken_over]
        assert {e.group for e in taken} == {"b"}
        assert all(e.first_row <= event.last_row - first and e.last_row >= event.first_row - first for e in taken)
