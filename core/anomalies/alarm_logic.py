"""When scores become an alarm: k of the last n above the limit, then quiet for some rows; a limit for the whole of it, and what it buys.

k of the last n scores are above a limit exactly when the k-th largest of them is: that is the statistic, and the limit is one on it. After an alarm
the next h rows give none. A false alarm is an alarm in normal rows, and the rate is alarms a row.

Statistics of neighbouring rows share scores, and scores may hang together by themselves. They are therefore cut into blocks of
b = max(n, h + 1, memory) rows, where the memory is Politis and White's block length; the largest statistic of a block is its score, and the
limit is a rank of these scores for the rate b · rate (`core.anomalies.promises`). Where h + 1 is b, a block holds one alarm at most,
and the promise counts alarms; where h is shorter, alarms within b rows count as one.

Source: k of n: Klein, "Two Alternatives to the Shewhart X̄ Control Chart", Journal of Quality Technology 32 (2000) 427-431; blocks:
`core.anomalies.thresholds`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.anomalies.promises import Promise, RankLimit, fewest_scores, rank_limit
from core.errors import SettingProblem
from core.messages import Message, msg, msg_n
from core.spc.chart import Floats, Phases, phases
from core.spc.serial import block_length, laid_out

STEPS, SEED, DRAWS = 200, 7, 500


@dataclass(frozen=True, slots=True)
class AlarmLogic:
    """Alarm when `k` of the last `n` scores are above the limit; then none for `hold_off` rows.

    Raises:
        SettingProblem: k below 1 or above n, or a negative hold-off.
    """

    k: int = 1
    n: int = 1
    hold_off: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n or self.hold_off < 0:
            raise SettingProblem(
                msg("The alarm is asked for at {k} of {n} scores with {h} quiet rows.", k=self.k, n=self.n, h=self.hold_off),
                msg("Expected k from 1 to n, and 0 or more quiet rows."),
                msg("Change k, n or hold_off and try again."),
            )

    def statistic(self, scores: Floats, of: Phases | None = None) -> Floats:
        """The k-th largest of the last n scores of each row, (n_rows,): an alarm is due when it is above the limit.

        A score that is NaN is above no limit, so that it only takes a place among the last n. NaN for the first n − 1 rows of a stretch,
        and where fewer than k of the last n are known.

        Example:
            >>> AlarmLogic(2, 3).statistic(np.array([5.0, 1.0, 4.0, 9.0, 2.0])).tolist()
            [nan, nan, 4.0, 4.0, 4.0]
        """
        x = np.asarray(scores, np.float64)
        found = np.full(len(x), np.nan)
        for part in (phases(len(x)) if of is None else of).stretches:
            own = np.nan_to_num(x[part], nan=-np.inf)
            if len(own) < self.n:
                continue
            last = np.lib.stride_tricks.sliding_window_view(own, self.n)
            kth = own if self.n == 1 else np.partition(last, self.n - self.k, axis=1)[:, self.n - self.k]
            found[part.start + self.n - 1 : part.stop] = np.where(np.isneginf(kth), np.nan, kth)
        return found

    def alarms(self, statistic: Floats, limit: float, of: Phases | None = None) -> NDArray[np.int64]:
        """The rows of alarms in order: the first row above the limit, then the first above it after the quiet rows, and so on."""
        found: list[int] = []
        for part in (phases(len(statistic)) if of is None else of).stretches:
            with np.errstate(invalid="ignore"):
                above = np.flatnonzero(statistic[part] > limit) + part.start
            if not self.hold_off:
                found.extend(above.tolist())
                continue
            at = 0
            while at < len(above):
                found.append(int(above[at]))
                at = int(np.searchsorted(above, above[at] + self.hold_off, side="right"))
        return np.array(found, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class AlarmLimit:
    """A limit on the statistic of a logic, with one of the promises.

    `ranks` speaks of blocks of `block` rows, `memory` of which the scores need; `rate` is false alarms a row. `counts_alarms` says
    whether alarms are promised, or runs of them within a block. `missing_rows` are the normal rows that the promise lacks.
    """

    logic: AlarmLogic
    rate: float
    block: int
    memory: int
    ranks: RankLimit

    @property
    def value(self) -> float | None:
        return self.ranks.value

    @property
    def counts_alarms(self) -> bool:
        return self.logic.hold_off + 1 >= self.block

    @property
    def missing_rows(self) -> int:
        return self.ranks.missing * self.block

    @property
    def best_rate(self) -> float:
        """The smallest rate a row that can be promised."""
        return self.ranks.best_rate / self.block

    @property
    def sentence(self) -> Message:
        """What is promised, in rows, or how many normal rows are missing."""
        if self.value is None:
            return msg_n(
                "{n} more normal row is needed to promise it; one false alarm in {rows} rows is the least that can be promised.",
                "{n} more normal rows are needed to promise it; one false alarm in {rows} rows is the least that can be promised.",
                self.missing_rows,
                rows=round(1 / self.best_rate),
            )
        often = round(1 / self.rate)
        if self.ranks.promise == "on_average":
            return msg(
                "At most one false alarm in {rows} rows in the mean over many such limits, each from as many normal rows; a single limit may give more.",
                rows=often,
            )
        return msg("At most one false alarm in {rows} rows with this very limit, said with 95 % confidence.", rows=often)


@dataclass(frozen=True, slots=True)
class Bought:
    """What a limit finds: `n` events or steps, the share of them `caught`, and the rows to the first alarm, middle and 90 %.

    Delays are NaN where nothing was caught.
    """

    n: int
    caught: float
    delay: float
    late: float


def alarm_limit(
    scores: Floats, logic: AlarmLogic, rate: float, promise: Promise, of: Phases | None = None, *, memory: int | None = None
) -> AlarmLimit:
    """The limit at which a logic keeps a rate of false alarms a row, learned from held-out normal scores.

    Args:
        scores: (n,) normal scores in order, NaN where there is none.
        rate: False alarms a row.
        of: Stretches, where the rows are of several machines or lots.
        memory: Rows after which scores have forgotten; found from the scores where it is None.

    Raises:
        SettingProblem: a rate outside 0 to 1.
    """
    of = phases(len(scores)) if of is None else of
    statistic = logic.statistic(np.asarray(scores, np.float64), of)
    memory = memory_of(scores, of) if memory is None else memory
    block = max(logic.n, logic.hold_off + 1, memory)
    largest = block_largest(statistic, block, of)
    return AlarmLimit(
        logic, rate, block, memory, rank_limit(largest, min(rate * block, 0.5) if 0 < rate < 1 else rate, promise)
    )


def memory_of(scores: Floats, of: Phases) -> int:
    """Rows after which scores have forgotten: the longer of the block lengths of the scores and of their distances from the median."""
    x = laid_out(np.asarray(scores, np.float64), of, 100)
    if not np.isfinite(x).any():
        return 1
    return max(block_length(x), block_length(np.abs(x - np.nanmedian(x))))


def block_largest(statistic: Floats, block: int, of: Phases) -> Floats:
    """The largest statistic of each whole block of `block` neighbouring known ones of a stretch; what is left over at an end joins the last.

    A stretch that is shorter than a block gives none: a short block is exceeded less often than the others, and promises too much.
    """
    found: list[float] = []
    for part in of.stretches:
        known = statistic[part][np.isfinite(statistic[part])]
        if len(known) >= block:
            found.extend(np.maximum.reduceat(known, np.arange(len(known) // block) * block).tolist())
    return np.array(found)


def begun(alarms: NDArray[np.int64], block: int, of: Phases) -> NDArray[np.int64]:
    """The alarms (m,) that do not follow another of the same stretch within `block` rows: no machine alarms for the next one."""
    stretch = np.searchsorted(of.bounds, alarms, side="right")
    after = (np.diff(alarms) <= block) & (np.diff(stretch) == 0)
    return alarms[~np.concatenate([[False], after])] if len(alarms) else alarms


def measured_rate(
    scores: Floats, logic: AlarmLogic, limit: float, of: Phases | None = None, *, memory: int = 1, draws: int = DRAWS
) -> tuple[float, float, float]:
    """False alarms a row that a limit gives on normal scores, with the 95 % interval of a block bootstrap: (rate, low, high).

    They are counted as the budget counts them: where the quiet rows are fewer than a block, alarms within a block of each other are one. Blocks of max(n, h + 1, memory) rows are drawn again, 500 times, seeded; the alarms of a block are those that began in it. Where
    there was none in any of b blocks, the upper end is that of Clopper and Pearson for none of b, 1 − 0.025^(1/b), by block length.

    Source: Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of Statistics 17 (1989) 1217-1241.
    """
    x = np.asarray(scores, np.float64)
    of = phases(len(x)) if of is None else of
    block = max(logic.n, logic.hold_off + 1, memory)
    found = logic.alarms(logic.statistic(x, of), limit, of)
    began = np.zeros(len(x))
    began[found if logic.hold_off + 1 >= block else begun(found, block, of)] = 1
    known = np.isfinite(x)
    edges = np.arange(max(1, len(x) // block)) * block
    alarms, rows = np.add.reduceat(began, edges), np.add.reduceat(known.astype(float), edges)
    if not rows.sum():
        return math.nan, math.nan, math.nan
    rng = np.random.default_rng(SEED)
    rates = np.empty(draws)
    for i in range(draws):  # a draw at a time: all at once would take 8 KB a row
        drawn = rng.integers(0, len(edges), len(edges))
        rates[i] = alarms[drawn].sum() / max(rows[drawn].sum(), 1)
    low, high = np.quantile(rates, [0.025, 0.975])
    if not alarms.sum():  # drawing again never finds what was not there: none in so many blocks has this upper bound
        high = (1 - 0.025 ** (1 / max(1, int((rows > 0).sum())))) / block
    return float(alarms.sum() / rows.sum()), float(low), float(high)


def bought_on_events(
    scores: Floats, labels: Floats, logic: AlarmLogic, limit: float, of: Phases | None = None
) -> Bought | None:
    """What a limit finds of labelled events: runs of rows labelled 1, caught by an alarm within them; None without an event.

    An alarm that began before the event and whose quiet rows reach into it is not one of the event: the logic begins anew there, as a person
    who acts on an alarm begins anew.
    """
    x = np.asarray(scores, np.float64)
    of = phases(len(x)) if of is None else of
    statistic = logic.statistic(x, of)
    delays: list[float] = []
    for start, stop in _events(np.asarray(labels, np.float64) == 1, of):
        above = np.flatnonzero(np.nan_to_num(statistic[start:stop], nan=-np.inf) > limit)
        delays.append(float(above[0]) if len(above) else math.inf)
    return _bought(delays)


def bought_on_steps(
    scores: Floats,
    size: float,
    logic: AlarmLogic,
    limit: float,
    of: Phases | None = None,
    *,
    within: int = 50,
    folded: bool = False,
    n_steps: int = STEPS,
    seed: int = SEED,
) -> Bought | None:
    """What a limit finds of a lasting step that is added to normal scores at places drawn by a seed; None where no place has room.

    A place has room where nine tenths of the rows that are looked at have a score.

    Args:
        size: Of the step, in standard deviations of the scores (from the middle half: IQR / 1.349).
        within: Rows after the step in which an alarm counts.
        folded: `scores` are signed, and judged is how far they are from 0, as with residuals.
    """
    x = np.asarray(scores, np.float64)
    of = phases(len(x)) if of is None else of
    known = x[np.isfinite(x)]
    sums = np.concatenate([[0], np.cumsum(np.isfinite(x))])
    length = logic.n - 1 + within
    starts = np.concatenate([np.arange(part.start, part.stop - length + 1) for part in of.stretches] or [np.zeros(0, int)])
    room = starts[sums[starts + length] - sums[starts] >= 0.9 * length] + logic.n - 1
    if not len(room):
        return None
    low, high = np.quantile(known, [0.25, 0.75])
    step = size * (float(high - low) / 1.349 or float(known.std()))
    delays: list[float] = []
    for start in np.random.default_rng(seed).choice(room, n_steps):
        piece = x[start - logic.n + 1 : start + within].copy()
        piece[logic.n - 1 :] += step
        piece = np.abs(piece) if folded else piece
        above = np.flatnonzero(np.nan_to_num(logic.statistic(piece)[logic.n - 1 :], nan=-np.inf) > limit)
        delays.append(float(above[0]) if len(above) else math.inf)
    return _bought(delays)


def rows_needed(logic: AlarmLogic, rate: float, promise: Promise, memory: int) -> int:
    """Normal rows that a promise needs at the least."""
    block = max(logic.n, logic.hold_off + 1, memory)
    return fewest_scores(min(rate * block, 0.5), promise) * block + logic.n - 1


def _events(is_event: NDArray[np.bool_], of: Phases) -> list[tuple[int, int]]:
    """Runs of True within stretches, as (first, last + 1)."""
    found: list[tuple[int, int]] = []
    for part in of.stretches:
        edges = np.flatnonzero(np.diff(np.r_[0, is_event[part].astype(np.int8), 0])) + part.start
        found.extend((int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True))
    return found


def _bought(delays: Sequence[float]) -> Bought | None:
    if not delays:
        return None
    found = np.array(delays)
    caught = found[np.isfinite(found)]
    middle, late = (float(np.quantile(caught, q)) if len(caught) else math.nan for q in (0.5, 0.9))
    return Bought(len(found), len(caught) / len(found), middle, late)
