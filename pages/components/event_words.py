"""How events, their moments and verdicts are called on screen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core import workflows as wf
from core.charts.figure import at_axis
from pages.components import numbers
from pages.components.text import say, t


def when(value: Any) -> str:
    """When something happened: a time as the file wrote it, what a counter said, or the number of a row, counted from 1."""
    if isinstance(value, pd.Timestamp | np.datetime64):
        return numbers.moment(pd.Timestamp(value).to_pydatetime())
    return t("row {n}", n=numbers.number(at_axis(value)))


def verdict_word(verdict: str) -> str:
    """A verdict as people say it."""
    return say(wf.VERDICT_TITLES[verdict]) if verdict in wf.VERDICT_TITLES else verdict


def event_name(past: Any) -> str:
    """A past event: its number in this run, or the run that it comes from."""
    return str(past.number) if past.number is not None else past.run_name


def shared(view: Any, facts: Any) -> str:
    """That other events lie in the beginning of one; "" where none does."""
    found = wf.within_beginning(view, facts.event, None if facts.began is None else facts.began.row)
    return "" if found is None else say(found)
