"""Several questions asked at once: p values that stay honest together."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Adjusted p values in the order given; None, where nothing was tested, stays None and does not count.

    The chance that any of the questions is answered yes where all answers are no stays below the level that the adjusted values are
    held against, however the questions hang together. Holm, Scandinavian Journal of Statistics 6 (1979) 65-70.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    told = sorted((value, place) for place, value in enumerate(p) if value is not None)
    found: list[float | None] = [None] * len(p)
    largest = 0.0
    for rank, (value, place) in enumerate(told):
        largest = max(largest, min(1.0, value * (len(told) - rank)))
        found[place] = largest
    return found
