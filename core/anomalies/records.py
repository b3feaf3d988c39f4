"""What a person reviews: events, the sensors that take part in them, and verdicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

import pandas as pd

VerdictKind = Literal["open", "contained", "assignable_cause", "false_alarm", "sensor_fault", "closed"]
VERDICTS: tuple[VerdictKind, ...] = get_args(VerdictKind)
NEEDS_CAUSE: tuple[VerdictKind, ...] = ("assignable_cause", "closed")
"""States that are not taken without a cause; events in them are the cases of that cause."""
REAL: tuple[VerdictKind, ...] = ("contained", *NEEDS_CAUSE)
"""States of events that a person called real: something was wrong with the process."""
BAD: tuple[VerdictKind, ...] = (*REAL, "sensor_fault")
"""States of events whose rows are not normal, whatever was wrong."""


@dataclass(frozen=True, slots=True)
class SensorShare:
    """One sensor's part in an event.

    `share` is its part of the event's contributions, 0 to 1. `deviation` is how far it went from the centre of its
    normal band, signed, in column units; None where it is not known (no band, or no value in the event).
    """

    column: str
    share: float
    deviation: float | None = None
    unit: str = ""
    normal_low: float | None = None
    normal_high: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person says of rows `first_row` to `last_row` (both included). `created` is aware UTC.

    `owner` said it; `assigned_to` works on it. `cause` and `fix` are what was found and what was done about it, "" where not said.
    """

    first_row: int
    last_row: int
    verdict: VerdictKind
    comment: str
    owner: str
    created: datetime
    cause: str = ""
    fix: str = ""
    assigned_to: str = ""

    @property
    def is_real(self) -> bool:
        """Whether it says that something was wrong with the process."""
        return self.verdict in REAL

    @property
    def is_bad(self) -> bool:
        """Whether it says that the rows are not normal."""
        return self.verdict in BAD


@dataclass(frozen=True, slots=True)
class AnomalyEvent:
    """Joined flags. `number` 1 is the most severe.

    `first_row`, `last_row` (the lowest and the highest, both included; rows of other groups may lie between) and
    `peak_row` are dataset row numbers; `began` and `ended` the first and last time, or row numbers where there is no time. `n_rows` counts the flagged rows. `peak` is
    the highest score; `severity` is peak ÷ threshold, or None where the threshold is not above 0.
    """

    number: int
    first_row: int
    last_row: int
    peak_row: int
    began: pd.Timestamp | float | int
    ended: pd.Timestamp | float | int
    n_rows: int
    peak: float
    severity: float | None
    sensors: tuple[SensorShare, ...] = ()
    verdict: Verdict | None = None
    group: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nothing was said of it yet, or that it is open."""
        return self.verdict is None or self.verdict.verdict == "open"

    @property
    def is_real(self) -> bool:
        """Whether a person called it real."""
        return self.verdict is not None and self.verdict.is_real

    def with_sensors(self, sensors: tuple[SensorShare, ...]) -> AnomalyEvent:
        """A copy that names its sensors."""
        return replace(self, sensors=sensors)

    def with_verdict(self, verdict: Verdict | None) -> AnomalyEvent:
        """A copy that carries a verdict."""
        return replace(self, verdict=verdict)
