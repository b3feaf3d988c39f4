"""What a demo project is: a seeded table from a documented model with known truth, and the run to do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from core.data.dataset import Column
from core.messages import Message


@dataclass(frozen=True, slots=True)
class Demo:
    """One demo project.

    `make(seed)` gives the table, one column for each of `columns` in the same order. `request` holds fields of
    `TrainRequest` without the dataset: model, target, time, group, ignore, split, preset, options.
    """

    key: str
    title: Message
    summary: Message
    task: str
    make: Callable[[int], pd.DataFrame]
    columns: tuple[Column, ...]
    request: Mapping[str, Any] = field(default_factory=dict)
