"""Which epochs an earlier attempt has told of, as whoever reads its events sees it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.jobs.context import JobContext
from core.jobs.train_job import _told_epochs
from core.store import JobRow, Store
from core.training.events import Event

EPOCHS = [Event("epoch", {"epoch": n}) for n in (1, 2, 3)]


def batch(epoch: int) -> Event:
    return Event("batch", {"epoch": epoch, "fraction": 0.5, "loss": 1.0})


@pytest.mark.parametrize(
    ("attempts", "told"),
    [
        ([[]], 0),
        ([[batch(1)]], 0),
        ([[batch(1), *EPOCHS, batch(4)]], 3),
        ([EPOCHS, [batch(2)]], 1),  # the reader forgets epoch 2 and 3 at the first batch of the second attempt
        ([EPOCHS, [batch(2), Event("epoch", {"epoch": 2})]], 2),
    ],
)
def test_told_epochs(store: Store, submit: Callable[..., JobRow], attempts: list[list[Event]], told: int) -> None:
    job = submit()
    for number, events in enumerate(attempts, start=1):
        store.append_events(job.id, events, number)
    assert _told_epochs(JobContext(store, job)) == told
