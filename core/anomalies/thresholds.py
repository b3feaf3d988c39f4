"""Which score is too high: a threshold chosen from a false-alarm budget on held-out normal rows.

Split conformal (Vovk, Gammerman & Shafer 2005; Laxhammar & Falkman 2015): with n exchangeable normal scores the
k-th smallest, k = ⌈(n + 1)(1 − rate)⌉, is exceeded by a new normal score with probability at most `rate`, whatever
the distribution. The smallest rate that can be promised is therefore 1/(n + 1), at the largest calibration score.

Scores of neighbouring windows share rows and are not exchangeable, so blocks are: `width_rows` neighbouring scores
are one block, a block's score is its largest, and the rate counts blocks. A disturbance that makes all windows over
it exceed the threshold is one false alarm, not `width_rows` of them.

A budget of 2 false alarms a week at one row a second needs 10,000 blocks, days of normal rows; the largest of a dozen
blocks would be exceeded several times an hour. Where the budget cannot be promised, the threshold is therefore raised
from the largest score to where a Gumbel distribution of the block maxima puts the budget (Gumbel 1958; Coles 2001,
An Introduction to Statistical Modeling of Extreme Values, chapter 3; fitted by moments). That is an estimate and is
called one; the promise stays 1/(n + 1), which a higher threshold keeps as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData, SettingProblem
from core.messages import Message, msg, msg_n

Policy = Literal["per_week", "rate"]
Promise = Literal["per_week", "rate", "smallest_rate"]

SECONDS_A_WEEK = 604_800.0
FALSE_ALARMS_A_WEEK = 2.0
RATE_WITHOUT_TIMES = 1e-4
"""Share of blocks that the estimate aims at where rows cannot be turned into weeks: about 2 a week at a row a second."""
FEWEST_BLOCKS = 4
"""Below this many block maxima no distribution is fitted to them."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A cut on scores: a row is flagged when score > `value`.

    `rate` is the share of normal blocks (rows, where `width_rows` was 1) that is promised to be flagged at most; `n`
    the number of calibration blocks behind it. `promise` says what was promised: the weekly budget, the rate asked
    for, or only the smallest rate that n blocks can promise. `missing_rows` is how many more normal rows the budget
    needs (0 when it is kept, or when it cannot be known). `is_estimated` tells that `value` lies above the largest
    calibration score, where the budget is expected to be kept but not promised.
    """

    value: float
    rate: float
    n: int
    policy: Policy
    promise: Promise
    notes: tuple[Message, ...] = ()
    missing_rows: int = 0
    is_estimated: bool = False

    def flags(self, scores: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """Which scores are above the threshold, bool, same shape. A score that is NaN is not flagged."""
        return np.nan_to_num(np.asarray(scores, np.float64), nan=-np.inf) > self.value

    def to_json(self) -> dict[str, object]:
        """The form that a manifest stores."""
        return {
            "value": self.value,
            "rate": self.rate,
            "n": self.n,
            "policy": self.policy,
            "promise": self.promise,
            "notes": [note.to_json() for note in self.notes],
            "missing_rows": self.missing_rows,
            "is_estimated": self.is_estimated,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Threshold:
        """The threshold that `to_json` wrote."""
        return cls(
            float(stored["value"]),
            float(stored["rate"]),
            int(stored["n"]),
            stored["policy"],
            stored["promise"],
            tuple(Message.from_json(note) for note in stored.get("notes", ())),
            int(stored.get("missing_rows", 0)),
            bool(stored.get("is_estimated", False)),
        )


def choose_threshold(
    calibration_scores: NDArray[np.floating[Any]],
    *,
    rate: float | None = None,
    per_week: float | None = None,
    period_seconds: float | None = None,
    width_rows: int = 1,
    baseline_scores: NDArray[np.floating[Any]] | None = None,
    extrapolate: bool = True,
) -> Threshold:
    """The threshold that keeps a false-alarm budget on normal rows.

    Args:
        calibration_scores: Scores of held-out normal rows in time order, (n,). NaN are left out.
        rate: Share of normal blocks that may be flagged, 0 to 1. When given it is used instead of the weekly budget.
        per_week: False alarms allowed in a week; 2 when neither is given.
        period_seconds: Seconds from one row to the next; None where the table has no times.
        width_rows: Rows a window spans; neighbouring scores inside it count as one.
        baseline_scores: Scores of all normal rows, training part included, in time order. Only the estimate uses
            them: a dozen blocks of the validation part are few to fit a distribution to.
        extrapolate: Raise the threshold to the estimate where the budget cannot be promised; without it the
            threshold is then the largest calibration score.

    Raises:
        NotEnoughData: no calibration score at all.
        SettingProblem: a rate outside 0 to 1, or a budget or period that is not positive.
    """
    _check(rate, per_week, period_seconds, width_rows)
    blocks = block_maxima(calibration_scores, width_rows)
    n = len(blocks)
    policy: Policy = "rate" if rate is not None else "per_week"
    wanted = (
        rate
        if rate is not None
        else _weekly_rate(FALSE_ALARMS_A_WEEK if per_week is None else per_week, period_seconds, width_rows)
    )
    if wanted is not None and wanted * (n + 1) >= 1 - 1e-12:
        k = conformal_rank(n, wanted)
        value = float(blocks[k - 1]) if k >= 1 else float(np.nextafter(blocks[0], -np.inf))
        return Threshold(value, wanted, n, policy, policy)
    aim = RATE_WITHOUT_TIMES if wanted is None else wanted
    largest = float(blocks[-1])
    value = (
        max(largest, estimate_tail(calibration_scores if baseline_scores is None else baseline_scores, aim, width_rows))
        if extrapolate
        else largest
    )
    missing = 0 if wanted is None else (math.ceil(1 / wanted - 1e-9) - 1 - n) * width_rows
    raised = value > largest
    return Threshold(
        value, 1 / (n + 1), n, policy, "smallest_rate", _notes(policy, wanted, n, missing, raised), missing, raised
    )


def estimate_tail(scores: NDArray[np.floating[Any]], rate: float, width_rows: int = 1) -> float:
    """The score that a share `rate` of blocks is expected to exceed, by a Gumbel distribution of block maxima.

    μ − β ln(−ln(1 − rate)) with β = s √6 ÷ π and μ = mean − 0.5772 β of the block maxima. Fewer than 4 blocks, or
    blocks that are all alike, say nothing about a tail: then the largest score is returned.
    """
    blocks = block_maxima(scores, width_rows)
    if len(blocks) < FEWEST_BLOCKS:
        return float(blocks[-1])
    beta = float(blocks.std(ddof=1)) * math.sqrt(6) / math.pi
    return float(blocks.mean()) - np.euler_gamma * beta - beta * math.log(-math.log1p(-rate))


def conformal_rank(n: int, rate: float) -> int:
    """k = ⌈(n + 1)(1 − rate)⌉: the rank, counted from 1, of the calibration score that becomes the threshold."""
    return min(math.ceil((n + 1) * (1 - rate) - 1e-9), n)


def block_maxima(scores: NDArray[np.floating[Any]], width_rows: int) -> NDArray[np.float64]:
    """The largest score of each block of `width_rows` neighbouring scores, ascending. NaN are left out first.

    Scores that are left over at the end belong to the last block, so that no high score is lost and no block is
    shorter than the others: a short one is exceeded more often than it promises. With fewer scores than one block
    there is one block.

    Raises:
        NotEnoughData: no score is left.
    """
    kept = np.asarray(scores, np.float64)
    kept = kept[~np.isnan(kept)]
    if not len(kept):
        raise NotEnoughData(
            msg("There is no normal row to choose the decision limit on."),
            msg("At least one scored row outside the training rows is needed."),
            msg("Choose a larger validation part."),
        )
    starts = np.arange(max(1, len(kept) // width_rows)) * width_rows
    return np.sort(np.maximum.reduceat(kept, starts))


def _weekly_rate(per_week: float, period_seconds: float | None, width_rows: int) -> float | None:
    """The budget as a share of blocks; None where rows cannot be turned into weeks."""
    if period_seconds is None:
        return None
    return min(per_week * period_seconds * width_rows / SECONDS_A_WEEK, 0.5)


def _notes(policy: Policy, wanted: float | None, n: int, missing: int, raised: bool) -> tuple[Message, ...]:
    """Why there is no promise, what is missing, what is promised instead, and whether the value is an estimate."""
    notes = []
    if wanted is None:
        notes.append(msg("There is no time column, so false alarms a week cannot be promised."))
    elif policy == "per_week":
        notes.append(msg("There are too few normal rows to promise a number of false alarms a week."))
    else:
        notes.append(msg("There are too few normal rows to promise a rate of {rate} %.", rate=100 * wanted))
    if missing:
        notes.append(msg_n("{n} more normal row is needed.", "{n} more normal rows are needed.", missing))
    notes.append(msg("What can be promised: at most {rate} % of normal windows are flagged.", rate=100 / (n + 1)))
    if raised:
        notes.append(
            msg("The decision limit is an estimate above the highest normal score, so that the budget can be expected to hold.")
        )
    return tuple(notes)


def _check(rate: float | None, per_week: float | None, period_seconds: float | None, width_rows: int) -> None:
    if rate is not None and not 0 < rate < 1:
        raise _problem("rate", rate, msg("Expected a share between 0 and 1."))
    for name, value in (("per_week", per_week), ("period_seconds", period_seconds), ("width_rows", width_rows)):
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise _problem(name, value, msg("Expected a number above 0."))


def _problem(name: str, value: float, expected: Message) -> SettingProblem:
    return SettingProblem(
        msg("{name} is {value}.", name=name, value=value),
        expected,
        msg("Change '{name}' and try again.", name=name),
        name=name,
        value=value,
    )
