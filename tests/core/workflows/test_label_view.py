"""Likely wrong labels of a run: held-out rows only, asked blindly, answers appended, agreement and the file with new labels."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.errors import SettingProblem
from core.messages import msg
from core.spc.individuals import NotDefined
from core.spc.kappa import Kappa
from core.training.request import TrainRequest
from core.workflows.workspace import Workspace
from tests.pages.finished_runs import work_off
from tests.synthetic import class_table

FLIPPED = 7


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return wf.open_workspace(tmp_path_factory.mktemp("labels") / "home")


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return class_table(900)


@pytest.fixture(scope="module")
def results(ws: Workspace, truth: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> wf.Results:
    """A run on a table in which clear rows of "pass" are labelled "fail", every seventh row of all."""
    folder = tmp_path_factory.mktemp("data")
    clear = (np.arange(900) % FLIPPED == 0) & ((truth["a"] + truth["b"]).to_numpy() < 0)
    truth.assign(result=np.where(clear, "fail", truth["result"])).to_csv(folder / "data.csv", index=False)
    dataset = wf.import_file(ws, folder / "data.csv").dataset
    assert dataset is not None
    given = {"dataset_id": dataset.id, "dataset_version": 1, "name": "run", "options": {}, "task": "classification"}
    run = wf.start_training(ws, TrainRequest.read({**given, "model": "logistic", "target": "result"}))
    work_off(ws.store)
    return wf.open_results(ws, run.id)


def test_flipped_labels_of_held_out_rows_are_listed(results: wf.Results, truth: pd.DataFrame) -> None:
    view = wf.label_view(results)
    assert (results.parts[view.rows] != 0).all() and sum(view.part_counts.values()) == len(view.rows)
    wrong = {row for row in view.rows.tolist() if results.cells(["truth"])["truth"][row] != truth["result"][row]}
    listed = {p.row for p in view.problems}
    assert len(wrong) > 5 and len(wrong & listed) / len(wrong) > 0.9
    first = view.problems[0]
    assert (first.label, first.suggested) == ("fail", "pass") and first.margin == min(p.margin for p in view.problems)
    assert "labels are likely wrong" in str(view.headline) and "not fitted on" in str(view.notes[0])


def test_the_queue_is_blind_and_answers_are_appended(
    ws: Workspace, results: wf.Results, truth: pd.DataFrame, tmp_path: Path
) -> None:
    view = wf.label_view(results)
    given = wf.LabelSettings(most=8)
    before = wf.relabelling(ws, results, view, given)
    suspected = {p.row for p in view.problems[:8]}
    assert len(before.queue) == 16 and len(suspected & set(before.queue)) == 8 and before.waiting == before.queue
    assert before.queue == wf.relabelling(ws, results, view, given).queue and before.confirmed[0] is None
    with pytest.raises(SettingProblem, match="class is 'scrap'"):
        wf.answer_row(ws, view, before.queue[0], "scrap", by="Mei")
    with pytest.raises(SettingProblem, match="was not judged"):
        wf.answer_row(ws, view, int(results.part_rows("train")[0]), "pass", by="Mei")
    wf.answer_row(ws, view, before.queue[0], "fail", by="Mei")
    for row in before.queue:  # the first once more, rightly now: the later answer counts
        wf.answer_row(ws, view, row, str(truth["result"][row]), by="Mei")
    after = wf.relabelling(ws, results, view, given)
    assert after.waiting == () and len(ws.store.list_relabels(view.run_id)) == 17
    truly = {row: str(truth["result"][row]) for row in before.queue}
    labels = {row: str(results.cells(["truth"])["truth"][row]) for row in before.queue}
    assert after.suspected == (
        8 - sum(truly[r] == labels[r] for r in suspected),
        sum(truly[r] == labels[r] for r in suspected),
        8,
    )
    assert after.unsuspected == (sum(truly[r] == labels[r] for r in before.queue if r not in suspected), 8)
    agree = np.mean([truly[r] == labels[r] for r in before.queue])
    chance = sum(
        np.mean([truly[r] == c for r in before.queue]) * np.mean([labels[r] == c for r in before.queue]) for c in view.classes
    )
    assert isinstance(after.kappa, Kappa) and after.kappa.value == pytest.approx((agree - chance) / (1 - chance))

    changed = wf.export_relabelled(ws, results, view, tmp_path / "new.csv")
    table = pd.read_csv(tmp_path / "new.csv")
    assert changed == sum(truly[r] != labels[r] for r in before.queue) == int((table["result"] != table["result_before"]).sum())
    assert all(table["result"][row] == answer for row, answer in truly.items()) and len(table) == 900


def test_a_row_is_shown_with_its_neighbours_and_without_its_label(results: wf.Results) -> None:
    shown = wf.row_with_neighbours(results, 100)
    assert shown.index.tolist() == list(range(97, 104)) and shown.columns.tolist() == ["a", "b"]
    assert wf.row_with_neighbours(results, 0).index.tolist() == [0, 1, 2, 3]


def test_the_last_answer_is_taken_back_by_an_entry_of_its_own(ws: Workspace, results: wf.Results, tmp_path: Path) -> None:
    """On a run of its own, so that no other answer stands."""
    run = wf.start_training(ws, results.run.request.with_values(name="undo"))
    work_off(ws.store)
    own = wf.open_results(ws, run.id)
    view = wf.label_view(own)
    with pytest.raises(SettingProblem, match="No answer stands"):
        wf.undo_answer(ws, view)
    first, second = (problem.row for problem in view.problems[:2])
    for row, answer in ((first, "pass"), (second, "fail"), (first, "fail")):
        wf.answer_row(ws, view, row, answer, by="Ann")
    assert wf.undo_answer(ws, view, by="Ben") == first
    people = wf.relabelling(ws, own, view)
    assert people.answers == {first: "pass", second: "fail"}, "the earlier answer of the row stands again"
    assert wf.undo_answer(ws, view) == second, "the newest that still stands"
    people = wf.relabelling(ws, own, view)
    assert people.answers == {first: "pass"} and second in people.waiting
    kept = ws.store.list_relabels(run.id)
    assert [(a["answer"], a["by"], a.get("undoes")) for a in kept] == [
        ("pass", "Ann", None), ("fail", "Ann", None), ("fail", "Ann", None), ("", "Ben", 3), ("", "local", 2),
    ]  # fmt: skip
    wf.answer_row(ws, view, second, "pass", by="Ann")
    people = wf.relabelling(ws, own, view)
    assert people.answers[second] == "pass" and people.seen == {first, second}
    assert people.suspected[2] == 0, "who answers again has seen the label"
    assert wf.export_relabelled(ws, own, view, tmp_path / "new.csv") == 2, "the table takes every answer that stands"


def test_a_column_of_ones_own_with_the_name_of_the_former_labels_survives(ws: Workspace, tmp_path: Path) -> None:
    class_table().assign(result_before=np.arange(len(class_table())) % 5).to_csv(tmp_path / "own.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "own.csv").dataset
    assert dataset is not None
    given = {"dataset_id": dataset.id, "dataset_version": 1, "name": "own", "options": {}, "task": "classification"}
    run = wf.start_training(ws, TrainRequest.read({**given, "model": "logistic", "target": "result"}))
    work_off(ws.store)
    results = wf.open_results(ws, run.id)
    wf.export_relabelled(ws, results, wf.label_view(results), tmp_path / "new.csv")
    written = pd.read_csv(tmp_path / "new.csv")
    assert written["result_before"].tolist() == [i % 5 for i in range(len(written))]
    assert written["result_before_"].tolist() == written["result"].tolist() == class_table()["result"].tolist()


def test_why_so_many_rows_are_asked_about_is_said(ws: Workspace, results: wf.Results) -> None:
    view = wf.label_view(results)
    n = len(view.problems)
    assert 5 < n < 50
    people = wf.relabelling(ws, results, view)
    assert (
        str(people.sentence)
        == f"{2 * n} rows are asked about: {n} suspected of {n} that were found, and {n} unsuspected between"
    )
    few = wf.relabelling(ws, results, view, wf.LabelSettings(most=3, controls=False))
    assert str(few.sentence) == f"3 rows are asked about: 3 suspected of {n} that were found, and 0 unsuspected between"


def test_answers_go_with_their_dataset(ws: Workspace, results: wf.Results) -> None:
    view = wf.label_view(results)
    wf.answer_row(ws, view, int(view.rows[0]), "pass", by="Ann")
    wf.delete_with_everything(ws, results.run.dataset_id)
    assert ws.store.list_relabels(view.run_id) == ()


def test_what_no_answer_changes_is_found_once(ws: Workspace, results: wf.Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rerun of the screen reads the newest answers and no column of the scores."""
    view = wf.label_view(results)
    before = wf.relabelling(ws, results, view)
    monkeypatch.setattr(import_module("core.workflows.label_view"), "label_problems", lambda *given: pytest.fail("found again"))
    monkeypatch.setattr(wf.Results, "cells", lambda *given: pytest.fail("read again"))
    assert wf.label_view(results) is view
    row = before.waiting[0]
    label = view.label_of(row)
    assert label is not None and view.label_of(-1) is None and view.label_of(10**6) is None
    wf.answer_row(ws, view, row, label, by="Ann")
    after = wf.relabelling(ws, results, view)
    assert after.queue == before.queue and after.answers[row] == label
    asked = wf.relabelling(ws, results, view, wf.LabelSettings(seed=8))
    assert set(asked.queue) != set(before.queue) or asked.queue != before.queue


@pytest.mark.parametrize(
    ("answered", "confirmed", "said"),
    [
        (0, 0, "no suspicion is answered yet"),
        # Wilson's interval of a half by hand, 1/2 ± z √(1/(4n) + z²/(4n²)) / (1 + z²/n): ± 0.405 for n = 2, ± 0.263 for n = 10.
        (2, 1, "1 of 2 answered suspicions confirmed, 95 % interval 9% to 91%: too few below 10"),
        (10, 5, "5 of 10 answered suspicions confirmed, 95 % interval 24% to 76%"),
    ],
)
def test_how_many_suspicions_were_right_is_told_by_counts(answered: int, confirmed: int, said: str) -> None:
    empty = wf.Relabelling((), 0, 0, {}, frozenset(), (confirmed, answered - confirmed, answered), (0, 0), NotDefined(msg("x")))
    assert str(empty.told) == said and empty.is_few is (answered < 10)
