"""What a worker is told of threads: its own number, unless the user said one; never what the server chose for its pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.jobs.processes import worker_environment
from core.serve import ONE_THREAD, OWN_CHOICE
from core.store import open_store


def test_the_servers_one_thread_is_not_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path / "home")
    monkeypatch.setenv(ONE_THREAD, "1")
    assert worker_environment(store, cores=8)[ONE_THREAD] == "1"  # the user's own word
    monkeypatch.setenv(OWN_CHOICE, ONE_THREAD)
    told = worker_environment(store, cores=8)
    assert told[ONE_THREAD] == "7"
    assert OWN_CHOICE not in told
