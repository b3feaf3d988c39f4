"""Bytes that a new process may take: of the machine, or of the container that it runs in."""

from __future__ import annotations

from pathlib import Path

import psutil

from core.jobs.processes import find_process
from core.store import Store

CGROUPS = Path("/sys/fs/cgroup")
FORMS = (  # limit, use, and what of the use is files that can be let go: version 2, then 1
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def memory_left(store: Store | None = None, cgroups: Path = CGROUPS) -> int:
    """Bytes that a new process may take: what the machine has free, or its cgroup where that is less.

    Trainings of this store that run now are taken for ended: the next one waits for them.
    """
    free = min([int(psutil.virtual_memory().available), *_groups_left(cgroups)])
    return free + sum(_resident(job.pid, job.pid_started) for job in (store.list_jobs(["running"], "long") if store else ()))


def _resident(pid: int | None, started: float | None) -> int:
    process = find_process(pid, started) if pid is not None else None
    try:
        return 0 if process is None else int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _groups_left(root: Path) -> list[int]:
    """What each memory limit has left that is seen from here: of the container, or of a service."""
    folders = [root, root / "memory", *(root / path.strip().lstrip("/") for path in _own_groups())]
    left = []
    for folder in dict.fromkeys(folders):
        for limit, used, files in FORMS:
            found = [_number(folder / limit), _number(folder / used)]
            if found[0] is not None and found[1] is not None:
                left.append(max(0, found[0] - found[1] + _files(folder / "memory.stat", files)))
    return left


def _own_groups() -> list[str]:
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    parts = [line.split(":", 2) for line in lines]
    return [("memory/" if kinds else "") + path for _, kinds, path in parts if kinds == "" or "memory" in kinds.split(",")]


def _number(path: Path) -> int | None:
    """The number in a file; None where there is no such file or no limit ("max")."""
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _files(path: Path, name: str) -> int:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name + " ")), 0)
