"""Whether a training fits into the memory that is left, asked before it starts; where it does not, what would help."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psutil

from core.errors import SettingProblem
from core.jobs.processes import find_process
from core.messages import Message, msg
from core.models import Estimate
from core.store import Store

CGROUPS = Path("/sys/fs/cgroup")
SMALLEST_BATCH = 16
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


def check_memory(
    estimates: Callable[[int, int, int], Estimate | None], left: int, *, width: int, batch: int, n_rows: int, narrowest: int
) -> None:
    """Refuse a training that would not fit, and name the first smaller choice of each kind that would.

    Args:
        estimates: window rows, batch, training rows → what the training would need; None where that is not known.
        left: Bytes that it may take.
        narrowest: The shortest window that the family can read.

    Raises:
        SettingProblem: it needs more than is left.
    """
    needed = estimates(width, batch, n_rows)
    if needed is None or needed.memory_bytes <= left:
        return

    def fits(*choice: int) -> bool:
        found = estimates(*choice)
        return found is not None and found.memory_bytes <= left

    windows = (w for w in _halves(width, narrowest) if fits(w, batch, n_rows))
    batches = (b for b in _halves(batch, SMALLEST_BATCH) if fits(width, b, n_rows))
    rows = (n for n in _halves(n_rows, 1000) if fits(width, batch, n))
    offers: list[Message] = []
    if (w := next(windows, None)) is not None:
        offers.append(msg("a window of {n} rows", n=w))
    if (b := next(batches, None)) is not None:
        offers.append(msg("a batch of {n} windows", n=b))
    if (n := next(rows, None)) is not None:
        offers.append(msg("{n} training rows", n=n))
    raise SettingProblem(
        msg("This training would need about {need} GB of memory.", need=_gigabytes(needed.memory_bytes)),
        msg("At most {left} GB are left here.", left=_gigabytes(left)),
        _advice(offers),
        needed_bytes=needed.memory_bytes,
        left_bytes=left,
    )


def _halves(value: int, smallest: int) -> list[int]:
    """Half of it, a quarter and so on, none below the smallest."""
    found = []
    while (value := value // 2) >= smallest:
        found.append(value)
    return found


def _gigabytes(n_bytes: int) -> float:
    return round(n_bytes / 1e9, 1)


def _advice(offers: list[Message]) -> Message:
    if not offers:
        return msg("Close other programs, choose a smaller model, or train on a machine with more memory.")
    first, *others = offers
    listed = first
    for other in others:
        listed = msg("{first} or {second}", first=listed, second=other)
    return msg("It would fit with {choices}; or close other programs.", choices=listed)


def is_elsewhere() -> bool:
    """Whether trainings run on other machines, of whose memory nothing is known here."""
    return bool(os.environ.get("ANDON_CLUSTER"))
