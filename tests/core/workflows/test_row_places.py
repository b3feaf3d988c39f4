"""Rows in order of group and time with the first of each group, against a table of ten rows sorted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core import workflows as wf
from core.training.request import TrainRequest
from core.workflows.row_places import RowPlaces, first_places
from tests.pages.finished_runs import work_off


def test_the_first_of_each_stretch() -> None:
    assert first_places(np.array([4, 4, 1, 4]), 4).tolist() == [0, 0, 2, 3]
    assert first_places(None, 3).tolist() == [0, 0, 0]
    assert first_places(np.zeros(0, np.int64), 0).tolist() == [] and first_places(None, 0).tolist() == []


def test_where_a_group_begins_and_ends() -> None:
    places = RowPlaces(np.arange(5), np.arange(5), np.array([0, 0, 2, 2, 2]))
    assert places.begins.tolist() == [True, False, True, False, False] and places.stop.tolist() == [2, 2, 5, 5, 5]
    empty = RowPlaces(*(np.zeros(0, np.int64),) * 3)
    assert empty.stop.tolist() == [] and empty.begins.tolist() == []


def test_a_run_puts_its_rows_in_order(home: Path, tmp_path: Path) -> None:
    """Groups a and b in turn, time falling within each: row 598 is the earliest of a, row 599 of b."""
    ws = wf.open_workspace(home)
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"line": ["a", "b"] * 300, "t": np.arange(600, 0, -1.0), "x": rng.normal(size=600)})
    table.assign(y=table["x"] * 2 + rng.normal(size=600)).to_csv(tmp_path / "data.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "data.csv").dataset
    assert dataset is not None
    asked = {"dataset_id": dataset.id, "dataset_version": 1, "task": "regression", "model": "linear", "target": "y"}
    run = wf.start_training(ws, TrainRequest.read({**asked, "group": "line", "time": "t", "split": {"method": "time"}}))
    work_off(ws.store)
    results = wf.open_results(ws, run.id)
    whole = results.places
    assert whole.rows[:2].tolist() == [598, 596] and whole.rows[300:302].tolist() == [599, 597]
    assert set(whole.first[:300]) == {0} and set(whole.first[300:]) == {300}
    assert results.place_of_row[[598, 599, 0]].tolist() == [0, 300, 299]
    some = results.in_order(np.array([1, 0, 599, 596, 598]))
    assert some.rows.tolist() == [598, 596, 0, 599, 1] and some.order.tolist() == [4, 3, 1, 2, 0]
    assert some.first.tolist() == [0, 0, 0, 3, 3]
