"""Words for the options of a widget, made once a run, in the language of that run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def fixed(options: Iterable[Any], word: Callable[[Any], str]) -> Callable[[Any], str]:
    """A `format_func` that looks words up instead of translating when it is called; "–" for what is no option."""
    known = {option: word(option) for option in options}
    return lambda option: known.get(option, "–")
