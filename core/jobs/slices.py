"""How much of the time that is left one candidate of an automatic choice gets, and what its training tells on the way.

A network is worth a start only if its slice allows `FEWEST_EPOCHS` epochs. Its slice is an equal part of what is left, or
what it is likely to need, as far as the networks that wait behind it keep their fewest epochs, or half of what is left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.messages import Message, msg, msg_n
from core.training.events import Event

START_SECONDS = 12.0  # a network is built and traced, and TensorFlow loaded for the first
FEWEST_EPOCHS = 8
HOPELESS = 1.5  # times the best model's error: the time is better spent on others
TYPICAL_SHARE = 0.5  # of the planned epochs: patience usually ends a fit early
TRACED_EVENTS = 2  # the first calls of a fit trace: what they take says nothing of the later ones
PACE_SECONDS = 1.5  # the shortest stretch of an epoch that its pace is read from


@dataclass(frozen=True, slots=True)
class Need:
    """Seconds that a candidate is likely to take, the fewest with which it is worth a start, and those of one epoch (0: it has none)."""

    likely: float
    least: float
    epoch: float = 0.0


def network_need(epoch_seconds: float, epochs: int) -> Need:
    """What a network needs whose epochs take so long and that may make so many."""
    likely = START_SECONDS + epoch_seconds * epochs * TYPICAL_SHARE
    return Need(likely, START_SECONDS + epoch_seconds * min(FEWEST_EPOCHS, epochs), epoch_seconds)


def slice_seconds(left: float, likely: float, others: Sequence[Need]) -> float:
    """Seconds for one network, where `others` wait behind it; those that do not fit into what is left do not count.

    Two networks that were trained to their end say more than four that were not: one may take more than an equal part,
    but never the fewest epochs of those behind it, for which at most half of what is left is kept: slow families at the end of
    the list must not take the time of those that stand before them.
    """
    fitting = [other.least for other in others if other.least <= left]
    return max(left / (1 + len(fitting)), min(likely, left - min(sum(fitting), left / 2)))


def too_little_time(need: Need, left: float, epochs: int) -> Message:
    """Why a candidate is left out that does not fit into the seconds left."""
    if need.epoch > 0:
        return msg(
            "Left out for time: by estimate one epoch takes {epoch} s, and the {left} s that were left allow no start of "
            "{start} s and {fewest} epochs. Its minutes went to the others.",
            epoch=need.epoch,
            left=max(0, round(left)),
            start=round(START_SECONDS),
            fewest=min(FEWEST_EPOCHS, epochs),
        )
    return msg(
        "Left out for time: it needs at least {needed} s, and {left} s were left.",
        needed=max(1, round(need.least)),
        left=max(0, round(left)),
    )


def ended_early(n_epochs: int, epoch_seconds: float | None) -> Message:
    """Why the training of a network was ended before its slice was: so slow, or where None so far behind the best model."""
    if epoch_seconds is not None:
        return msg_n(
            "Its training was ended after {n} epoch: one takes about {seconds} s here, and its share of the time would not have "
            "allowed {fewest}. Its minutes went to the others.",
            "Its training was ended after {n} epochs: one takes about {seconds} s here, and its share of the time would not have "
            "allowed {fewest}. Its minutes went to the others.",
            n_epochs,
            seconds=epoch_seconds,
            fewest=FEWEST_EPOCHS,
        )
    return msg_n(
        "Its training was ended after {n} epoch: its error was still more than {times} times that of the best model.",
        "Its training was ended after {n} epochs: its error was still more than {times} times that of the best model.",
        n_epochs,
        times=HOPELESS,
    )


def is_over(began: float, seconds: float) -> bool:
    """Whether so many seconds have passed since a monotonic moment."""
    return time.monotonic() - began > seconds


class Seen:
    """The smallest error that a network's curve has shown, on the validation rows."""

    def __init__(self) -> None:
        self.error, self.epochs = np.inf, 0

    def add(self, values: Mapping[str, Any], *, is_classes: bool) -> None:
        found = values.get("val_loss" if is_classes else "val_metric")
        if found is not None:
            self.error, self.epochs = min(self.error, float(found)), self.epochs + 1

    def is_hopeless(self, lead: float, margin: float = 0.0) -> bool:
        """Whether it is far behind `lead`, the best model's error: by half of it and by `margin`."""
        return self.epochs >= FEWEST_EPOCHS and self.error > HOPELESS * lead + margin


class Pace:
    """Seconds an epoch of a fit that runs, read from its events; None until it can be told."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.done = 0.0  # epochs, with the part of the one that runs
        self.epoch_seconds: float | None = None
        self._events, self._epochs = 0, 0
        self._start: tuple[float, float] | None = None

    def add(self, event: Event) -> None:
        """A batch or an epoch of the fit; other events are not looked at."""
        if event.kind == "epoch":
            self._epochs += 1
            self.done = float(event.values["epoch"])  # type: ignore[arg-type]
            if self._epochs > 1:  # the first one traces
                self._note(float(event.values["seconds"]))  # type: ignore[arg-type]
        elif event.kind == "batch":
            self._events += 1
            self.done = float(event.values["epoch"]) - 1 + float(event.values["fraction"])  # type: ignore[arg-type]
            if self._events == TRACED_EVENTS:
                self._start = (self.clock(), self.done)
            elif self._start is not None and self._epochs == 0:
                seconds, part = self.clock() - self._start[0], self.done - self._start[1]
                if seconds >= PACE_SECONDS and part > 0:
                    self.epoch_seconds = seconds / part

    def _note(self, seconds: float) -> None:
        first = self._epochs == 2 or self.epoch_seconds is None
        self.epoch_seconds = seconds if first else min(seconds, self.epoch_seconds or seconds)

    def is_too_slow(self, spent: float, seconds: float, epochs: int = FEWEST_EPOCHS) -> bool:
        """Whether so many epochs do not fit into `seconds`, of which `spent` are gone."""
        if self.epoch_seconds is None or self.done >= epochs:
            return False
        return spent + (epochs - self.done) * self.epoch_seconds > seconds
