"""What a control chart of a column says: its charts, the signals of each, and the finding in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg, msg_n
from core.spc.chart import CUSTOMARY_POINTS, Chart
from core.spc.cusum_shifts import CusumShift
from core.spc.rules import RuleBook, Signal
from core.spc.run_chart import RunsTest
from core.spc.stability import judge_stability
from core.workflows.control_words import odd
from core.workflows.left_out import LeftOut

UNLIKELY = 0.05
"""A chance of as few or as many runs below this is told as a finding."""


@dataclass(frozen=True, slots=True)
class ControlView:
    """Charts of one column, above each other, with the signals of each.

    `rows` (n_points,) is the row of the table at which each point ends, `times` (n_points,) its time, None without a time column.
    `why` says why this chart was taken, None where it was asked for. `shifts` are the points at which a new level begins
    (0-based), whether or not stages were made of them. `tests` are those of a run chart. `left_out` are rows left out with their cause,
    `cusum` what cumulative sums say of the shifts that they signal. `stamps` (n_points,) are the times also where some are empty or they
    do not ascend, so that no axis can be made of them; None without a time column. `target` is the mean, in column unit, from which cumulative sums
    are taken, of the last stage; None on other charts.
    """

    column: str
    unit: str
    charts: tuple[Chart, ...]
    signals: tuple[tuple[Signal, ...], ...]
    book: RuleBook
    rows: NDArray[np.int64]
    name: str
    why: Message | None
    notes: tuple[Message, ...]
    times: NDArray[np.generic] | None = None
    shifts: tuple[int, ...] = ()
    tests: tuple[RunsTest, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    cusum: tuple[CusumShift, ...] = ()
    stamps: NDArray[np.generic] | None = None
    target: float | None = None

    @property
    def marks(self) -> NDArray[np.bool_]:
        """Points that complete a pattern of the book on any of the charts, bool (n_points,)."""
        found = [signal.found for of_chart in self.signals for signal in of_chart]
        return np.logical_or.reduce(found) if found else np.zeros(len(self.rows), np.bool_)

    @property
    def n_out(self) -> int:
        """Points that complete a pattern of the book on any of the charts."""
        return int(self.marks.sum())

    @property
    def headline(self) -> Message:
        """The finding in a sentence."""
        if self.name == "run":
            strange = [t for t in self.tests if min(t.p_few, t.p_many) < UNLIKELY]
            if not strange:
                return msg("'{column}' runs as chance would have it: neither too few runs nor too many", column=self.column)
            return msg(
                "'{column}' does not run as chance would have it: {finding}", column=self.column, finding=odd(strange[0])
            )
        facts: dict[str, str | int | Message] = {
            "column": self.column,
            "n": self.n_out,
            "of": self.n_points,
            "book": self.book.title,
        }
        if self.charts[0].is_sum and self.n_out:
            return msg_n(
                "'{column}' is not in control: the cumulative sums signal {n} shift",
                "'{column}' is not in control: the cumulative sums signal {n} shifts",
                len(self.cusum),
                column=self.column,
            )
        if not self.is_zoned:
            if not self.n_out:
                return msg("'{column}' is in control: no point lies outside the limits", column=self.column)
            return msg("'{column}' is not in control: {n} of {of} points lie outside the limits", **facts)
        if not self.n_out:
            return msg("'{column}' is in control: no point breaks a rule of {book}", column=self.column, book=self.book.title)
        if self.is_chance:
            return msg(
                "'{column}' is in control: {n} of {of} points break a rule of {book}, no more than chance gives", **facts
            )
        return msg("'{column}' is not in control: {n} of {of} points break a rule of {book}", **facts)

    @property
    def shift_words(self) -> Message | None:
        """How often cumulative sums leave 0 and their limits, and for how long at most; None where they do not."""
        if not self.cusum:
            return None
        longest = max(self.cusum, key=lambda shift: shift.length)
        facts: dict[str, str | int] = {
            "points": longest.length,
            "first": int(self.rows[longest.start]) + 1,
            "last": int(self.rows[longest.end]) + 1,
        }
        if len(self.cusum) == 1:
            return msg("The sums leave their limits once: {points} points, from row {first} to row {last}.", **facts)
        up = sum(shift.is_up for shift in self.cusum)
        return msg(
            "The sums leave their limits {n} times, {up} upwards and {down} downwards. The longest excursion has {points} points, from row {first} to row {last}.",
            n=len(self.cusum),
            up=up,
            down=len(self.cusum) - up,
            **facts,
        )

    @property
    def mean_words(self) -> Message:
        """How the new mean of a shift is estimated."""
        return msg(
            "The new mean is estimated at the signal from the n points since the start: target ± (k + C / N) standard errors (Montgomery). "
            "With n below {few} it is rough, and on average too far out.",
            few=CUSTOMARY_POINTS,
        )

    @property
    def counted(self) -> Message | None:
        """Of two charts how many points break a rule on each and on both, so that all counts add up; None where there is one or none."""
        if len(self.charts) < 2 or self.charts[0].is_sum or not self.n_out:
            return None
        level, spread = (np.logical_or.reduce([s.found for s in of_chart]) for of_chart in self.signals)
        return msg(
            "{n} of {of} points break a rule, each counted once: {level} on the chart '{a}', {spread} on the chart '{b}', {both} of these on both.",
            n=self.n_out,
            of=self.n_points,
            level=int(level.sum()),
            spread=int(spread.sum()),
            both=int((level & spread).sum()),
            a=self.charts[0].statistic,
            b=self.charts[1].statistic,
        )

    @property
    def n_points(self) -> int:
        """Points with a value that were not left out."""
        return int(self.charts[0].judged.sum())

    @property
    def is_zoned(self) -> bool:
        """Whether the rules of the book are applied, and not the limits alone."""
        return self.charts[0].zoned

    @property
    def is_chance(self) -> bool:
        """Whether so many signals come of a stable process too: with eight rules most charts of some hundred points have one."""
        return self.is_zoned and judge_stability(self.charts, self.book, every_rule=True).is_stable
