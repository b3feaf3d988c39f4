"""Where a search looks: ranges around the defaults, read from how settings are declared.

Rule. A number is searched from a quarter of what was asked for to four times it, on a logarithmic scale; a share (bounds within 0
to 1, and not a small step that may not be 0) up to 0.4 to either side; both within their declared bounds. A choice of words is searched over all words. Left alone are
settings that are found by the fit itself (empty by default), switches that change the question (class weights), and those that
only cap time and memory.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from core.settings import Settings, field_bounds
from core.training.settings import FitSettings

FACTOR = 4.0
SHARE_STEP = 0.4
LARGEST_STEP = 0.1
CAPS = ("rounds", "trees", "patience", "most_rows", "rows_per_tree", "features")
FIT_SEARCHED = ("learning_rate", "batch_size")


@dataclass(frozen=True, slots=True)
class Range:
    """Values that a search may take: numbers from `low` to `high`, or the `words`."""

    low: float = 0.0
    high: float = 0.0
    is_whole: bool = False
    is_log: bool = False
    words: tuple[str, ...] = ()


def search_ranges(spec: Any, settings: Settings, fit: FitSettings) -> dict[str, Range]:
    """The ranges of a family's settings around those that were asked for; of a network also those of its fit."""
    found = _ranges(type(settings), settings.model_dump())
    if spec.role == "network":
        chosen = fit.model_dump()
        found |= {name: r for name, r in _ranges(FitSettings, chosen).items() if name in FIT_SEARCHED}
    return found


def _ranges(owner: type[Settings], values: Mapping[str, Any]) -> dict[str, Range]:
    found = {}
    for name, field in owner.model_fields.items():
        made = None if name in CAPS else _range(field, values[name])
        if made is not None:
            found[name] = made
    return found


def _range(field: FieldInfo, value: Any) -> Range | None:
    words = _words(field)
    if words:
        return Range(words=words)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    low, high = field_bounds(field)
    is_open_below = any(getattr(rule, "gt", None) is not None for rule in field.metadata)
    is_step = is_open_below and value <= LARGEST_STEP
    if low is not None and high is not None and low >= 0 and high <= 1 and not is_step:
        bounds = max(low, value - SHARE_STEP, 0.0), min(high, value + SHARE_STEP)
        edge = 0.05  # an open end is never reached, and a share of nothing teaches nothing
        is_open_above = any(getattr(rule, "lt", None) is not None for rule in field.metadata)
        return Range(max(bounds[0], edge if is_open_below else 0.0), min(bounds[1], 1 - edge if is_open_above else 1.0))
    if value <= 0:
        return None
    lowest, highest = value / FACTOR, value * FACTOR
    lowest = lowest if low is None else max(lowest, low)
    highest = highest if high is None else min(highest, high)
    if isinstance(value, int):
        lowest, highest = max(1, round(lowest)), round(highest)
    return Range(lowest, highest, isinstance(value, int), is_log=True) if highest > lowest else None


def _words(field: FieldInfo) -> tuple[str, ...]:
    kind = field.annotation
    if get_origin(kind) in (types.UnionType,):
        return ()
    return tuple(str(w) for w in get_args(kind)) if get_origin(kind) is Literal else ()
