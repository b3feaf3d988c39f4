"""A large table is screened by a job: the same result, kept in the same place; stopped and begun again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.dataset import Dataset
from core.errors import StoreProblem
from core.jobs.context import JobContext
from core.jobs.processes import host_name
from core.jobs.waiting import wait_for_job
from core.jobs.worker import run_job
from core.screening import screen
from core.store.records import JobRow
from core.training.events import Event
from core.workflows import screening_job
from core.workflows.workspace import Workspace


@pytest.fixture
def ws(home: Path) -> Workspace:
    return wf.open_workspace(home)


@pytest.fixture
def dataset(ws: Workspace, tmp_path: Path) -> Dataset:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({name: rng.normal(50, 2, 500) for name in "abc"})
    table.loc[::50, "b"] = -999.0
    table.to_csv(tmp_path / "data.csv", index=False)
    made = wf.import_file(ws, tmp_path / "data.csv").dataset
    assert made is not None
    return made


def claimed(ws: Workspace, work: wf.ShortWork) -> JobRow:
    job = ws.store.claim_next("short", host=host_name(), limit=9, only={work.job_id})
    assert job is not None
    return job


def test_two_million_cells_are_the_border(dataset: Dataset) -> None:
    assert not wf.is_large(replace(dataset, n_rows=666_666))  # × 3 columns = 1,999,998
    assert wf.is_large(replace(dataset, n_rows=666_667))


def test_a_worker_process_keeps_what_the_direct_way_gives(ws: Workspace, dataset: Dataset) -> None:
    assert wf.find_screening(ws, dataset) is None
    work = wf.start_screening(ws, dataset)
    assert (work.state, work.queue_position, work.total) == ("queued", 1, 0)
    job = wait_for_job(ws.store, work.job_id, timeout=120)
    assert (job.state, job.lane, job.problem) == ("succeeded", "short", None)
    told = [e.values for e in ws.store.events_after(job.id) if e.kind == "progress"]
    assert [(v["done"], v["of"]) for v in told] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert wf.is_screened(ws, dataset.id)
    kept = wf.screen_dataset(ws, dataset.id)
    assert kept.to_json() == screen(dataset).to_json()


def test_asking_twice_gives_one_job_and_progress_is_told(ws: Workspace, dataset: Dataset) -> None:
    work = wf.start_screening(ws, dataset)
    assert wf.start_screening(ws, dataset).job_id == work.job_id
    ctx = JobContext(ws.store, claimed(ws, work))
    ctx.emit(Event("progress", {"stage": "screening", "fraction": 0.5, "done": 2, "of": 4}))
    ctx.close()
    found = wf.find_screening(ws, dataset)
    assert found is not None and (found.state, found.done, found.total) == ("running", 2, 4)


def test_a_stopped_screening_keeps_nothing_and_can_begin_again(ws: Workspace, dataset: Dataset) -> None:
    work = wf.start_screening(ws, dataset)
    claimed(ws, work)
    wf.stop_screening(ws, work.job_id)
    assert run_job(ws.store, work.job_id, 1) == 0
    stopped = wf.find_screening(ws, dataset)
    assert stopped is not None and (stopped.state, stopped.is_live) == ("cancelled", False)
    assert not wf.is_screened(ws, dataset.id)
    again = wf.start_screening(ws, dataset)
    assert (again.job_id, again.state) == (work.job_id, "queued")
    assert ws.store.get_job(again.job_id).attempt == 2


def test_a_result_that_is_gone_is_made_anew(ws: Workspace, dataset: Dataset) -> None:
    work = wf.start_screening(ws, dataset)
    claimed(ws, work)
    assert run_job(ws.store, work.job_id, 1) == 0
    assert wf.is_screened(ws, dataset.id)
    for kept in ws.store.path(dataset.id, "dataset").glob("screening-*"):
        kept.unlink()
    assert wf.find_screening(ws, dataset) is None
    assert wf.start_screening(ws, dataset).job_id != work.job_id


def test_a_dataset_deleted_meanwhile_leaves_no_file_behind(
    ws: Workspace, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = wf.start_screening(ws, dataset)
    ctx = JobContext(ws.store, claimed(ws, work))
    monkeypatch.setattr(ctx, "emit", lambda event: wf.delete_dataset(ws, dataset.id) if event.values["done"] == 3 else None)
    with pytest.raises(StoreProblem, match="There is no dataset"):
        screening_job.run(ctx)
    assert not ws.store.path(dataset.id, "dataset").exists()
