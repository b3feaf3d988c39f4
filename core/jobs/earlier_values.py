"""Which of the two earlier values a forecast is compared with: the better one, chosen on the validation part.

The value one season ago is the stronger yardstick of a series with a strong season, the last value of one that wanders. A weaker
yardstick would flatter every model, and a choice on the test part would be one more that has seen it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from core.messages import Message, msg
from core.models import model_by_key


def better_first(errors: Mapping[str, float | None]) -> tuple[str, ...]:
    """The baselines, the one with the smallest mean absolute error on the validation part first; of equal ones the earlier.

    Without a figure for each of them they stay in their order.

    Example:
        >>> better_first({"season_ago": 2.0, "last_value": 1.5})
        ('last_value', 'season_ago')
    """
    known = {key: error for key, error in errors.items() if error is not None}
    return tuple(errors) if len(known) < len(errors) else tuple(sorted(known, key=lambda key: known[key]))


def why_first(errors: Mapping[str, float | None], unit: str) -> Message | None:
    """Says which of two earlier values the run is compared with, and why; None where there is no choice."""
    first, *others = better_first(errors)
    ours, theirs = errors[first], errors[others[0]] if others else None
    if ours is None or theirs is None:
        return None
    return msg(
        "The forecast is compared with '{first}': of the two earlier values it had the smaller average error on the validation "
        "part ({ours}{unit} against {theirs}{unit} of '{other}').",
        first=model_by_key(first).title,
        other=model_by_key(others[0]).title,
        ours=ours,
        theirs=theirs,
        unit=f" {unit}" if unit else "",
    )


def swap_folders(one: Path, other: Path) -> None:
    """Two folders trade places."""
    waiting = one.with_name(one.name + ".tmp")
    shutil.rmtree(waiting, ignore_errors=True)
    one.rename(waiting)
    other.rename(one)
    waiting.rename(other)
