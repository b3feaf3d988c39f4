"""How far a long reading is, told at each per cent and not at each block."""

from __future__ import annotations

from collections.abc import Callable


class Steps:
    """Turns bytes read into the share of the work that is done.

    Args:
        told: Gets the share; None where nobody asks.
        size: Bytes of the file. A packed file gives more of them than it has; the share then stays at its end.
    """

    def __init__(self, told: Callable[[float], None] | None, size: int) -> None:
        self._told, self._size, self._last = told, max(1, size), -1

    def restart(self) -> None:
        """Begin anew: another way of reading the same file follows."""
        self._last = -1

    def finish(self) -> None:
        """All is done."""
        if self._told is not None:
            self._told(1.0)

    def part(self, first: float, last: float) -> Callable[[int], None]:
        """A function that takes the bytes read so far, in a stage that reaches from one share of the work to another."""

        def seen(n_bytes: int) -> None:
            share = first + (last - first) * min(1.0, n_bytes / self._size)
            if self._told is not None and int(100 * share) > self._last:
                self._last = int(100 * share)
                self._told(share)

        return seen
