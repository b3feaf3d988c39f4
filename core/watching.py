"""How a long work says how far it is, and hears that it should end: one function that it is handed and calls now and then."""

from __future__ import annotations

from collections.abc import Callable

Watch = Callable[[float], None]
"""Told the share that is done, 0 to 1; what it raises (`Stopped`) ends the work, which leaves nothing half done behind."""


class Stopped(Exception):
    """Raised by a `Watch` to end a long work; whoever handed the watch in catches it."""


def unwatched(share: float) -> None:
    """Nobody looks and nobody stops."""


def part_of(watch: Watch, start: float, stop: float) -> Watch:
    """What one stage of a work is given, so that its 0 to 1 is the whole's `start` to `stop`.

    Example:
        >>> told = []
        >>> part_of(told.append, 0.2, 0.6)(0.5)
        >>> told
        [0.4]
    """
    return lambda share: watch(start + share * (stop - start))
