"""Units that the product names itself, in the reader's language. A unit of the data stands as it was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.messages import Message, msg

OURS: Mapping[str, Message] = {"cycles": msg("cycles"), "rows": msg("rows")}  # what lives are counted in without another unit


def unit_words(unit: str) -> Message | str:
    """A unit as the value of a message: "cycles" and "rows" are translated, any other is not."""
    return OURS.get(unit, unit)


def spoken_unit(unit: str, text: Callable[[Message], str]) -> str:
    """The same as finished text, for axes and figures."""
    return text(OURS[unit]) if unit in OURS else unit
