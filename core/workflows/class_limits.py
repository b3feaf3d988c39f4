"""A decision limit by cost, by good parts rejected or by defects caught: chosen on the validation part, measured on the test part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingProblem
from core.evaluation.decision_limits import (
    FlagCounts,
    LimitChoice,
    flag_counts,
    limit_by_caught,
    limit_by_cost,
    limit_by_rejected,
)
from core.messages import Message, msg
from core.settings import Settings, setting
from core.workflows.class_rows import ClassRows, class_rows
from core.workflows.results import Results


class LimitSettings(Settings):
    """What the decision limit shall keep."""

    rule: Literal["cost", "rejected", "caught"] = setting(
        "cost",
        title="Limit by",
        help="cost: what wrong rows cost together; rejected: good parts rejected at most; caught: defects caught at least.",
        expert=False,
    )
    missed: float = setting(1.0, title="Cost of a missed defect", help="In any unit.", ge=0, expert=False)
    rejected: float = setting(1.0, title="Cost of a rejected good part", help="In the same unit.", ge=0, expert=False)
    most_rejected: float = setting(
        0.01, title="Good parts rejected at most", help="Share of the good parts.", gt=0, lt=1, expert=False
    )
    least_caught: float = setting(0.95, title="Defects caught at least", help="Share of the defects.", gt=0, le=1, expert=False)
    confident: bool = setting(
        False,
        title="With 95 % confidence",
        help="The share is kept with 95 % confidence for new rows like the held-out ones, not only in the held-out rows. Not for costs.",
        expert=False,
    )


@dataclass(frozen=True, slots=True)
class LimitView:
    """The limit that a rule asks for, and what it gives.

    `chosen` is on the validation part, where it was chosen; `test` and `own` are the test part at this limit and at the run's own
    (`own_limit`; the most probable class, flagged, where the run has none), `baseline` the baseline at the limit that the same rule gives it. `costs` are
    per 1,000 rows of the test part in the unit of the settings: at this limit, at the run's own, by the baseline, and of flagging nothing.
    """

    settings: LimitSettings
    positive: str
    limit: float | None
    chosen: LimitChoice
    test: FlagCounts | None
    own: FlagCounts
    own_limit: float | None
    baseline: FlagCounts | None
    baseline_limit: float | None
    costs: tuple[float | None, float, float | None, float]

    @property
    def headline(self) -> Message:
        if self.limit is None or self.test is None:
            return msg("No limit keeps this: {reason}", reason=self.chosen.why_not)
        told: dict[str, str | float] = {"limit": round(self.limit, 4), "positive": self.positive}
        return msg(
            "At {limit}, {caught} of {bad} rows of '{positive}' are caught and {rejected} of {good} others rejected (test part)",
            caught=self.test.caught,
            bad=self.test.caught + self.test.missed,
            rejected=self.test.rejected,
            good=self.test.rejected + self.test.passed,
            **told,
        )

    @property
    def is_kept(self) -> bool | None:
        """Whether the rule holds on the test part too, where chance explains the rest: None for costs or without rows."""
        test, given = self.test, self.settings
        if test is None or given.rule == "cost":
            return None
        if given.rule == "rejected":
            low = test.rejected_bounds[0]
            return None if low is None else low <= given.most_rejected
        high = test.caught_bounds[1]
        return None if high is None else high >= given.least_caught


def limit_view(results: Results, settings: LimitSettings | None = None, positive: str | None = None) -> LimitView:
    """The decision limit for a rule.

    Raises:
        SettingProblem: the run predicts no class, there is no such class, or both costs are 0.
    """
    given = settings or LimitSettings()
    if given.rule == "cost" and not given.missed and not given.rejected:
        raise SettingProblem(
            msg("Both costs are 0."),
            msg("Expected a cost of a missed defect or of a rejected good part."),
            msg("Give one of them."),
        )
    held, test = (class_rows(results, part, positive) for part in ("validation", "test"))
    chosen = _choice(given, held.is_bad, held.chance)
    theirs = None if held.baseline is None else _choice(given, held.is_bad, held.baseline[:, held.place])
    at_limit = None if chosen.limit is None else flag_counts(test.is_bad, test.chance, chosen.limit)
    own = _own(results, test)
    base = None
    if theirs is not None and theirs.limit is not None and test.baseline is not None:
        base = flag_counts(test.is_bad, test.baseline[:, test.place], theirs.limit)
    n_bad = int(test.is_bad.sum())
    nothing = FlagCounts(0, n_bad, 0, len(test.rows) - n_bad)
    return LimitView(
        settings=given,
        positive=test.positive,
        limit=chosen.limit,
        chosen=chosen,
        test=at_limit,
        own=own,
        own_limit=results.manifest.decision if test.positive == results.manifest.positive else None,
        baseline=base,
        baseline_limit=None if theirs is None else theirs.limit,
        costs=(_cost(at_limit, given), _cost(own, given) or 0.0, _cost(base, given), _cost(nothing, given) or 0.0),
    )


def _choice(given: LimitSettings, bad: NDArray[np.bool_], scores: NDArray[np.float64]) -> LimitChoice:
    if given.rule == "cost":
        return limit_by_cost(bad, scores, given.missed, given.rejected)
    if given.rule == "rejected":
        return limit_by_rejected(bad, scores, given.most_rejected, is_confident=given.confident)
    return limit_by_caught(bad, scores, given.least_caught, is_confident=given.confident)


def _own(results: Results, test: ClassRows) -> FlagCounts:
    """What the run's own rule gives for the class to catch."""
    own = results.manifest.decision
    if own is not None and test.positive == results.manifest.positive:
        return flag_counts(test.is_bad, test.chance, own)
    flagged = test.probabilities.argmax(axis=1) == test.place
    return flag_counts(test.is_bad, flagged.astype(np.float64), 0.5)


def _cost(counts: FlagCounts | None, given: LimitSettings) -> float | None:
    return None if counts is None or not counts.n else 1000 * counts.cost(given.missed, given.rejected) / counts.n
