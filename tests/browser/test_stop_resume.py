"""Trainings that are stopped, killed, started twice, watched twice, or outlive their server: the truth stays on the screen."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from core import workflows as wf
from core.training.request import TrainRequest
from tests.browser import journey
from tests.browser.server import Server, wait_until
from tests.browser.watch import Watch, go, headline, no_traceback, settle
from tests.synthetic import regression_table

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

ENDLESS = 5_000
# What a browser and Streamlit's front end say while their server is away.
AWAY = "disconnected from server|WebSocket|Failed to load resource|Failed to fetch|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|reaching server endpoint|server is not responding"


@contextmanager
def store_of(server: Server) -> Iterator[wf.Workspace]:
    ws = wf.open_workspace(server.home)
    try:
        yield ws
    finally:
        ws.store.engine.dispose()


@pytest.fixture(scope="module")
def dataset(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A table to learn from, brought in by the command line."""
    path = tmp_path_factory.mktemp("data") / "regression.csv"
    regression_table(2_000).to_csv(path, index=False)
    return str(server.cli("import", str(path), "--name", "plates")["dataset"])


@pytest.fixture(autouse=True)
def nothing_runs_on(server: Server) -> Iterator[None]:
    """One test's training does not wait behind another's."""
    yield
    with store_of(server) as ws:
        live = [run.id for run in wf.jobs_overview(ws)]
    for run in live:
        stop(server, run)


def begin(server: Server, dataset: str, name: str) -> str:
    """A training that goes on until somebody ends it; the id of its run."""
    request = TrainRequest.read(
        {
            "dataset_id": dataset,
            "dataset_version": 1,
            "task": "regression",
            "target": "y",
            "model": "dense",
            "preset": "quick",
            "name": name,
            "options": {"epochs": ENDLESS, "patience": ENDLESS, "batch_size": 16},
        }
    )
    with store_of(server) as ws:
        return wf.start_training(ws, request, token=name).id


def run_state(server: Server, run: str) -> str:
    with store_of(server) as ws:
        return wf.get_run(ws, run).state


def stop(server: Server, run: str) -> None:
    with store_of(server) as ws:
        wf.stop_run(ws, run)
    wait_until(lambda: run_state(server, run) not in ("queued", "running"), seconds=40, what="the run to stop")


def worker(server: Server, run: str) -> psutil.Process:
    with store_of(server) as ws:
        job = ws.store.get_run(run).job
    assert job.pid is not None
    return psutil.Process(job.pid)


def open_run(page: Page, server: Server, run: str) -> None:
    go(page, f"{server.url}/train?run={run}&view=watch")


def test_stop_is_heard_at_once_and_keeps_the_best_weights(
    server: Server, dataset: str, page: Page, record_property: Callable[[str, object], None]
) -> None:
    run = begin(server, dataset, "stopped")
    open_run(page, server, run)
    journey.watch_epochs(page, at_least=2)
    began = time.monotonic()
    page.get_by_role("button", name="Stop training").click()
    stopping = page.get_by_text("Stopping. The best weights so far are kept.")
    stopping.or_(page.get_by_text(re.compile("^stopped$"))).first.wait_for(timeout=15_000)
    heard = time.monotonic() - began
    record_property("seconds to acknowledge Stop", round(heard, 2))
    print(f"Stop acknowledged on the screen after {heard:.2f} s")
    journey.wait_for_end(page, seconds=60)
    assert re.match(r"(Stopped after epoch \d+|Trained: )", headline(page)), headline(page)
    assert run_state(server, run) == "cancelled"
    page.locator(".st-key-next_step button").click()
    page.wait_for_url(re.compile("/predictions"))
    settle(page)
    assert "RMSE" in journey.figures(page)
    no_traceback(page)
    assert heard < 6, "2 s are wanted on an idle machine"


def test_a_killed_worker_is_noticed_and_its_run_goes_on(
    server: Server, dataset: str, page: Page, open_page: Callable[..., Page]
) -> None:
    run = begin(server, dataset, "killed")
    open_run(page, server, run)
    journey.watch_epochs(page, at_least=3)
    overview = open_page()
    go(overview, f"{server.url}/runs")
    overview.get_by_role("heading", level=1, name=re.compile("1 at work")).wait_for()
    with store_of(server) as ws:
        folder = ws.store.path(wf.get_run(ws, run).job_id, "checkpoints")
        # Under its final name: a kill while it is written leaves no checkpoint, and the run then starts anew, as it should.
        done = re.compile(r"epoch_\d+_batch_\d+$")
        wait_until(
            lambda: folder.exists() and any(done.match(p.name) for p in folder.iterdir()),
            seconds=40,
            what="the first checkpoint",
        )
    killed = time.monotonic()
    worker(server, run).kill()
    page.get_by_role("heading", level=1, name=re.compile(r"^Interrupted after epoch \d+")).wait_for(timeout=30_000)
    print(f"'Interrupted' on the screen {time.monotonic() - killed:.1f} s after kill -9")
    # Nobody touches the list of runs, and it tells the truth all the same.
    overview.get_by_role("heading", level=1, name=re.compile("finished$")).wait_for(timeout=30_000)
    overview.close()
    page.get_by_role("button", name="Resume training").click()
    journey.watch_epochs(page, at_least=2)
    with store_of(server) as ws:
        notes = [e.values["message"] for e in wf.read_events(ws, run) if e.kind == "note"]
        went_on = [note["values"]["epoch"] for note in notes if "goes on after epoch" in note["id"]]
        # A checkpoint is at most 10 s old; how many of these tiny epochs that is depends on the machine.
        assert went_on and went_on[-1] >= 1
        epochs = [e.values["epoch"] for e in wf.read_events(ws, run) if e.kind == "epoch"]
    # What the killed worker had no time to tell is told again from its checkpoint.
    assert set(epochs) == set(range(1, max(epochs) + 1))
    stop(server, run)
    no_traceback(page)


def test_a_double_click_starts_one_job_and_a_second_tab_shows_it(
    server: Server, dataset: str, page: Page, open_page: Callable[..., Page]
) -> None:
    with store_of(server) as ws:
        known = {r.id for r in wf.list_runs(ws)}
    go(page, f"{server.url}/train?dataset={dataset}&view=new")
    journey.prepare_training(page, target="y", epochs=ENDLESS, batch=16)
    journey.train_button(page).dblclick()
    wait_until(lambda: journey.is_running(page), seconds=60, what="the run to be shown")
    with store_of(server) as ws:
        new = [r.id for r in wf.list_runs(ws) if r.id not in known]
    assert len(new) == 1
    journey.watch_epochs(page, at_least=1)
    other = open_page()
    go(other, page.url)
    seen = journey.watch_epochs(other, at_least=2)
    assert abs((journey.shown_epoch(page) or 0) - seen[-1].epoch) <= 60
    stop(server, new[0])
    for tab in (page, other):
        journey.wait_for_end(tab, seconds=40)
        no_traceback(tab)
    page.locator(".st-key-to_new button").click()
    journey.train_button(page).wait_for()
    settle(page)
    journey.start_training(page)
    with store_of(server) as ws:
        assert len([r.id for r in wf.list_runs(ws) if r.id not in known]) == 2, "the next training is another one"


def test_a_job_outlives_its_server_and_the_page_finds_it_again(server: Server, dataset: str, page: Page, watch: Watch) -> None:
    watch.allowed.append(AWAY)
    run = begin(server, dataset, "outlives")
    open_run(page, server, run)
    before = journey.watch_epochs(page, at_least=2)[-1].epoch
    process = worker(server, run)
    server.stop()
    assert process.is_running()
    server.start()
    after = wait_until(
        lambda: (journey.shown_epoch(page) or 0) > before and journey.is_running(page) and journey.shown_epoch(page),
        seconds=60,
        what="the page to follow the run again",
    )
    assert after and process.is_running()
    assert worker(server, run).pid == process.pid
    stop(server, run)
    journey.wait_for_end(page, seconds=60)
    no_traceback(page)


def test_a_recording_of_what_runs_left_behind(server: Server) -> None:
    """After all of this every run has ended and no process but the waiting spare worker is there."""
    with store_of(server) as ws:
        assert [r.state for r in wf.list_runs(ws) if r.state in ("queued", "running")] == []
    wait_until(lambda: len(server.workers()) <= 1, seconds=30, what="workers to end")
    assert Path(server.home).is_dir()
