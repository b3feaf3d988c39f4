"""Whether a training fits into the memory that is left, asked before it starts; where it does not, what would help."""

from __future__ import annotations

import os
from collections.abc import Callable

from core.errors import SettingProblem
from core.messages import Message, msg
from core.models import Estimate

SMALLEST_BATCH = 16


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
