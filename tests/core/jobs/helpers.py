"""What the tests of jobs share: waiting with a deadline, and whether a process lives."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from core.jobs import Timing

FAST = Timing(tick=0.05, terminate_after=0.6, kill_after=1.2, stale=2.0, lost=1.5, announce=0.2, settle=0.0)


def wait_until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s")
        time.sleep(0.03)
    return found


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
