"""The largest memory of this process and of those it started, and their processor time, while a block runs.

Wall-clock seconds say little on a machine that is shared; processor seconds (of both cores together) hardly depend on who
else works.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

EVERY_SECONDS = 0.1


@dataclass
class Peak:
    """Seconds and processor seconds of the block, and the largest resident memory by process name, in bytes."""

    seconds: float = 0.0
    processor: dict[int, float] = field(default_factory=dict)
    by_process: dict[str, int] = field(default_factory=dict)

    @property
    def processor_seconds(self) -> float:
        return sum(self.processor.values())

    @property
    def largest(self) -> int:
        return max(self.by_process.values(), default=0)


@contextlib.contextmanager
def measured() -> Iterator[Peak]:
    """Watch a block. On Linux the system's own high-water mark is read, so that nothing between two looks is missed."""
    peak, ended = Peak(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(peak, ended), daemon=True)
    watcher.start()
    began = time.perf_counter()
    try:
        yield peak
    finally:
        peak.seconds = time.perf_counter() - began
        ended.set()
        watcher.join()


def _watch(peak: Peak, ended: threading.Event) -> None:
    this = psutil.Process()
    before = sum(this.cpu_times()[:2])
    is_last = False
    while not is_last:
        is_last = ended.wait(EVERY_SECONDS)
        for process in (this, *this.children(recursive=True)):
            with contextlib.suppress(psutil.Error, OSError):
                name = "itself" if process.pid == this.pid else "worker"
                peak.processor[process.pid] = sum(process.cpu_times()[:2]) - (before if name == "itself" else 0.0)
                peak.by_process[name] = max(peak.by_process.get(name, 0), _high_water(process))


def _high_water(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found:
            return 1024 * int(found[1])
    return int(process.memory_info().rss)
