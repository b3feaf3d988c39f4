"""The rows of one part of a classification as judging needs them: the rule by which rows are called, and what no limit changes.

Reading and sorting a million rows takes a second; a moved limit must not wait for it. So the rows of a part are kept with the open results,
with curves and areas made once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import SettingProblem, unknown_choice
from core.evaluation import Curve, Metric, pr_curve, roc_curve
from core.evaluation.curves import ranking_metrics
from core.messages import msg
from core.serving.manifest import Manifest
from core.workflows.results import Results, remembered


@dataclass(frozen=True, slots=True)
class ClassRule:
    """How rows are called: class number `place` where its probability is > `threshold`; the most probable class if None.

    `is_stored` says that this is the run's own rule, whose predictions and figures are stored.
    """

    classes: tuple[str, ...]
    positive: str
    place: int | None
    threshold: float
    is_stored: bool


def class_rule(manifest: Manifest, positive: str | None = None, threshold: float | None = None) -> ClassRule:
    """The rule for a class to catch and a moved limit; None for each means the run's own.

    The run's own class is the rarest of its training rows (`rarest_class`), a run of an earlier version with more than two
    classes keeps the last one.

    Raises:
        SettingProblem: no such class.
    """
    classes = tuple((manifest.target or {})["classes"])
    chosen = positive or manifest.positive or classes[-1]
    if chosen not in classes:
        raise unknown_choice("class", chosen, classes)
    is_own = chosen == manifest.positive and (threshold is None or threshold == manifest.decision)
    cut = threshold if threshold is not None else (manifest.decision if is_own and manifest.decision is not None else 0.5)
    is_argmax = len(classes) > 2 and threshold is None
    return ClassRule(classes, chosen, None if is_argmax else classes.index(chosen), float(cut), is_own or is_argmax)


@dataclass(frozen=True)
class ClassRows:
    """Scored rows of a known class, in file order.

    `rows` (n,) numbers in the dataset, `truth` (n,) class numbers, `probabilities` and `baseline` (n, k); `baseline_right` (n,) says where the
    baseline called the true class, `baseline_scored` where it called any. Both are None where no baseline stands beside. Curves and areas are for `positive` against the rest.
    """

    classes: tuple[str, ...]
    positive: str
    rows: NDArray[np.int64]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    baseline: NDArray[np.float64] | None
    baseline_right: NDArray[np.bool_] | None
    baseline_scored: NDArray[np.bool_]

    @property
    def place(self) -> int:
        """The number of the class to catch."""
        return self.classes.index(self.positive)

    @cached_property
    def is_bad(self) -> NDArray[np.bool_]:
        """Rows of the class to catch, (n,)."""
        return self.truth == self.place

    @property
    def chance(self) -> NDArray[np.float64]:
        """The probability of the class to catch, (n,)."""
        return self.probabilities[:, self.place]

    @cached_property
    def roc(self) -> Curve:
        return roc_curve(self.is_bad, self.chance)

    @cached_property
    def pr(self) -> Curve:
        return pr_curve(self.is_bad, self.chance)

    @cached_property
    def baseline_roc(self) -> Curve | None:
        return None if self.baseline is None else roc_curve(self.is_bad, self.baseline[:, self.place])

    @cached_property
    def baseline_pr(self) -> Curve | None:
        return None if self.baseline is None else pr_curve(self.is_bad, self.baseline[:, self.place])

    @cached_property
    def areas(self) -> tuple[Metric, ...]:
        """Area under the ROC curve and average precision, without intervals."""
        return ranking_metrics(self.is_bad, self.chance, n_boot=0)

    @cached_property
    def aucs(self) -> NDArray[np.float64]:
        """The area under the ROC curve of each class against the rest, (k,); NaN where not defined."""
        found = [
            self.areas[0].value
            if k == self.place
            else ranking_metrics(self.truth == k, self.probabilities[:, k], n_boot=0)[0].value
            for k in range(len(self.classes))
        ]
        return np.array([np.nan if value is None else value for value in found])


def class_rows(results: Results, part: str, positive: str | None = None) -> ClassRows:
    """The scored rows of a part whose class is known; None for the class means the run's own.

    Raises:
        SettingProblem: the run predicts no class, or there is no such class or part.
    """
    check_task(results, ("classification",))
    rule = class_rule(results.manifest, positive)
    return remembered(results, f"class_rows {part} {rule.positive}", lambda: _read(results, part, rule))


def _read(results: Results, part: str, rule: ClassRule) -> ClassRows:
    rows = results.part_rows(part)
    truth, probabilities, theirs = class_probabilities(results, rows, rule.classes)
    known = (truth >= 0) & np.isfinite(probabilities).all(axis=1)
    beside, right = results.baseline_scores, None
    scored = np.ones(int(known.sum()), dtype=bool)
    if beside is not None and "prediction" in beside.columns:
        called = pd.Categorical(beside["prediction"].iloc[rows].astype("str"), categories=list(rule.classes)).codes
        right, scored = called[known] == truth[known], called[known] >= 0
    return ClassRows(
        classes=rule.classes,
        positive=rule.positive,
        rows=rows[known],
        truth=truth[known],
        probabilities=probabilities[known],
        baseline=None if theirs is None else theirs[known],
        baseline_right=right,
        baseline_scored=scored,
    )


def class_probabilities(
    results: Results, rows: NDArray[np.int64], classes: tuple[str, ...]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64] | None]:
    """True class numbers (n,), -1 unknown, the probabilities (n, k), and the baseline's or None where none stands beside."""
    truth, probabilities = _codes_and_probabilities(
        results.cells(["truth", *(f"probability_{c}" for c in classes)], rows), classes
    )
    beside = results.baseline_scores
    return truth, probabilities, None if beside is None else _codes_and_probabilities(beside.iloc[rows], classes)[1]


def _codes_and_probabilities(scores: pd.DataFrame, classes: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Class codes (n,), -1 unknown, and probabilities (n, k)."""
    codes = pd.Categorical(scores["truth"], categories=list(classes)).codes.astype(np.int64)
    return codes, scores[[f"probability_{c}" for c in classes]].to_numpy(dtype=np.float64)


def check_task(results: Results, tasks: tuple[str, ...]) -> None:
    """The run answers one of the tasks.

    Raises:
        SettingProblem: it answers another question.
    """
    if results.task not in tasks:
        raise SettingProblem(
            msg("The run '{run}' answers another question ({task}).", run=results.run.name, task=results.task),
            msg("This view shows runs of: {tasks}.", tasks=", ".join(tasks)),
            msg("Open another run."),
        )
