"""Curves of a job that was started more than once."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from core.store import EventRow
from core.workflows.curves import curves_of

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
