"""A fit that was killed goes on at its next epoch and ends with the very weights of one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

WORKER = Path(__file__).with_name("resume_worker.py")
ROOT = Path(__file__).parents[3]


def _start(folder: Path, name: str, pause: float = 0.0) -> subprocess.Popen[bytes]:
    arguments = [str(folder / name), str(folder / f"{name}.jsonl"), str(folder / f"{name}.npz"), str(pause)]
    return subprocess.Popen([sys.executable, str(WORKER), *arguments], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def _events(folder: Path, name: str) -> list[dict]:
    path = folder / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _epochs(folder: Path, name: str) -> list[int]:
    return [e["epoch"] for e in _events(folder, name) if e["kind"] == "epoch"]


@pytest.mark.slow
def test_after_sigkill_the_events_go_on_and_the_weights_are_bit_equal(tmp_path: Path) -> None:
    straight = _start(tmp_path, "straight")
    killed = _start(tmp_path, "killed", pause=0.4)
    deadline = time.monotonic() + 180
    while len(_epochs(tmp_path, "killed")) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait(10) == -signal.SIGKILL
    assert straight.wait(180) == 0
    before = _epochs(tmp_path, "killed")
    assert not (tmp_path / "killed.npz").exists()

    assert _start(tmp_path, "killed").wait(180) == 0
    after = _epochs(tmp_path, "killed")[len(before) :]
    # The kill came between the event of the last epoch and its checkpoint, so that at most this epoch is repeated.
    assert after[0] in (before[-1], before[-1] + 1)
    assert after == list(range(after[0], _epochs(tmp_path, "straight")[-1] + 1))
    assert any("goes on after epoch" in e["message"]["id"] for e in _events(tmp_path, "killed") if e["kind"] == "note")

    with np.load(tmp_path / "straight.npz") as wanted, np.load(tmp_path / "killed.npz") as given:
        assert wanted.files == given.files
        for name in wanted.files:
            assert np.array_equal(wanted[name], given[name]), name
    losses = {e["epoch"]: (e["loss"], e["val_loss"]) for e in _events(tmp_path, "straight") if e["kind"] == "epoch"}
    for event in _events(tmp_path, "killed"):
        if event["kind"] == "epoch":
            assert (event["loss"], event["val_loss"]) == losses[event["epoch"]]
