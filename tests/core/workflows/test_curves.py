"""Curves of a job that was started more than once."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.store import EventRow, Store, open_store
from core.training.events import Event
from core.workflows.curves import CurveReader, curves_of, progress_of

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def _events(*rows: tuple[int, str, dict[str, Any]]) -> list[EventRow]:
    return [EventRow(i, "job", attempt, WHEN, kind, values) for i, (attempt, kind, values) in enumerate(rows, start=1)]


def _epoch(attempt: int, epoch: int, loss: float) -> tuple[int, str, dict[str, Any]]:
    values = {"epoch": epoch, "epochs": 10, "loss": loss, "best_epoch": epoch, "seconds": 1.0, "metric_key": "mae"}
    return attempt, "epoch", values


def _batch(attempt: int, epoch: int, loss: float) -> tuple[int, str, dict[str, Any]]:
    return attempt, "batch", {"epoch": epoch, "fraction": 0.5, "loss": loss}


def test_an_attempt_that_begins_anew_leaves_nothing_of_the_one_before() -> None:
    first = [_epoch(1, e, 9.0) for e in (1, 2, 3, 4)] + [_batch(1, 5, 9.0)]
    curves = curves_of(_events(*first, _batch(2, 1, 5.0), _epoch(2, 1, 4.0)), "running")
    assert curves.epochs.tolist() == [1] and curves.loss.tolist() == [4.0]
    assert (curves.best_epoch, curves.seconds_left) == (1, 9.0)
    assert curves.batch_x.tolist() == [0.5] and curves.batch_loss.tolist() == [5.0]


def test_an_attempt_that_goes_on_keeps_what_came_before_its_first_epoch() -> None:
    first = [_epoch(1, 1, 9.0), _epoch(1, 2, 8.0), _batch(1, 3, 7.5), _epoch(1, 3, 7.0), _batch(1, 4, 6.9)]
    late = _epoch(1, 4, 99.0)
    curves = curves_of(_events(*first, _batch(2, 3, 7.2), late, _epoch(2, 3, 6.0)), "running")
    assert curves.epochs.tolist() == [1, 2, 3] and curves.loss.tolist() == [9.0, 8.0, 6.0]
    assert np.all(np.diff(curves.batch_x) > 0) and curves.batch_x.tolist() == [2.5]


def test_events_read_in_parts_give_the_same_curves_as_all_at_once() -> None:
    rows = [_epoch(1, 1, 9.0), _batch(1, 2, 8.5), _epoch(1, 2, 8.0), _batch(2, 2, 7.2), _epoch(1, 3, 99.0), _epoch(2, 2, 6.0)]
    reader = CurveReader()
    for event in _events(*rows):
        reader.add([event])
    assert reader.last_seq == 6
    curves = reader.curves("running")
    assert curves.epochs.tolist() == [1, 2] and curves.loss.tolist() == [9.0, 6.0]
    assert curves.batch_x.tolist() == [1.5] and curves.batch_loss.tolist() == [7.2]


def test_rates_and_the_length_of_the_gradient_stand_beside_the_losses() -> None:
    said = {"learning_rate": 0.25, "gradient_norm": 3.0}
    told = [(1, kind, {**values, **said}) for _, kind, values in (_batch(1, 1, 9.0), _epoch(1, 1, 8.0))]
    curves = curves_of(_events(*told, _batch(1, 2, 7.0), _epoch(1, 2, 6.0)), "running")
    for found in (curves.learning_rate, curves.batch_learning_rate):
        assert found[0] == 0.25 and np.isnan(found[1]), "an older run did not tell them"
    assert curves.gradient_norm[0] == curves.batch_gradient_norm[0] == 3.0


EPOCHS, PER_EPOCH = 30_000, 4


@pytest.fixture(scope="module")
def long_training(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    """A job that has told 150,000 events: of each epoch four losses within it and the epoch itself, loss 1 / epoch."""
    store = open_store(tmp_path_factory.mktemp("long") / "home")
    job, _ = store.submit_job("selftest", lane="long", params={})
    events = []
    for epoch in range(1, EPOCHS + 1):
        events += [Event("batch", {"epoch": epoch, "fraction": k / 4, "loss": 1 / epoch}) for k in range(PER_EPOCH)]
        events.append(Event("epoch", {"epoch": epoch, "epochs": 40_000, "loss": 1 / epoch, "seconds": 1.0}))
    store.append_events(job.id, events)
    return store, job.id


def test_a_curve_of_150000_events_ends_at_the_newest(long_training: tuple[Store, str]) -> None:
    store, job_id = long_training
    reader = CurveReader()
    while events := store.events_after(job_id, reader.last_seq):
        reader.add(events)
    curves = reader.curves("running")
    assert (len(curves.epochs), curves.epochs[-1], curves.loss[-1]) == (30_000, 30_000.0, 1 / 30_000)
    assert 20_000 // 2 < len(curves.batch_x) <= 20_000 and curves.batch_x[-1] == 29_999 + 3 / 4
    assert curves.seconds_left == 10_000.0

    store.append_events(job_id, [Event("epoch", {"epoch": 30_001, "epochs": 40_000, "loss": 0.5, "seconds": 1.0})])
    (newest,) = store.events_after(job_id, reader.last_seq)
    reader.add([newest])
    assert reader.curves("running").loss[-1] == 0.5


def test_the_last_epoch_is_found_behind_any_number_of_events(long_training: tuple[Store, str]) -> None:
    store, job_id = long_training
    last = store.last_event(job_id, "epoch")
    assert last is not None and last.values["epoch"] >= EPOCHS
    assert store.last_event(job_id, "note") is None
    store.append_events(job_id, [Event("epoch", {"epoch": 7, "loss": 1.0})], attempt=2)
    store.append_events(job_id, [Event("epoch", {"epoch": 31_000, "loss": 1.0})], attempt=1)
    last = store.last_event(job_id, "epoch")
    assert last is not None and (last.attempt, last.values["epoch"]) == (2, 7)


def test_a_resumed_training_knows_its_last_told_epoch_behind_any_number_of_events(tmp_path: Path) -> None:
    from core.jobs.context import JobContext
    from core.jobs.train_job import _told_epochs

    store = open_store(tmp_path / "home")
    job, _ = store.submit_job("selftest", lane="long", params={})
    assert _told_epochs(JobContext(store, job)) == 0
    store.append_events(job.id, [Event("batch", {"epoch": 1, "fraction": 0.5, "loss": 1.0})] * 10_001)
    store.append_events(job.id, [Event("epoch", {"epoch": n, "loss": 1.0}) for n in (1, 2, 3)])
    assert _told_epochs(JobContext(store, job)) == 3


def test_progress_is_known_within_a_long_epoch(tmp_path: Path) -> None:
    store = open_store(tmp_path / "home")
    job, _ = store.submit_job("selftest", lane="long", params={})
    store.append_events(job.id, [Event("epoch", {"epoch": 2, "epochs": 8, "loss": 1.0, "seconds": 30.0})])
    store.append_events(job.id, [Event("batch", {"epoch": 3, "fraction": k / 200, "loss": 1.0}) for k in range(100)])
    running = store.claim_next("long", host="here", limit=1)
    assert running is not None
    assert progress_of(store, running) == (0.25, 180.0)  # 2 of 8 epochs, 6 more of 30 s


def test_a_long_stage_before_any_epoch_has_its_share(tmp_path: Path) -> None:
    store = open_store(tmp_path / "home")
    job, _ = store.submit_job("selftest", lane="long", params={})
    store.append_events(job.id, [Event("stage", {"name": "preparing", "done": 0, "of": 4})])
    running = store.claim_next("long", host="here", limit=1)
    assert running is not None and progress_of(store, running) == (None, None)
    told = [Event("progress", {"stage": "preparing", "fraction": k / 200}) for k in range(101)]
    store.append_events(job.id, told)
    assert progress_of(store, running) == (0.125, None)  # half of the first of four stages
    store.append_events(job.id, [Event("stage", {"name": "baseline", "done": 1, "of": 4})])
    assert progress_of(store, running) == (None, None)  # the new stage has not told anything yet
