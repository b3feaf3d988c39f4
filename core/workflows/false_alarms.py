"""False alarms that train as normal: what it would do to the decision limit, the training itself, and what it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.anomalies.records import AnomalyEvent
from core.anomalies.thresholds import Threshold, choose_threshold
from core.data.known_normal import KnownNormal
from core.data.split import TEST, TRAIN, VALIDATION
from core.errors import Problem, SettingProblem
from core.jobs.judging import BOUNDED_SCORES
from core.messages import Message, msg, msg_n
from core.workflows.alarm_budget import weekly_budget
from core.workflows.anomalies import AnomalyView, anomaly_view
from core.workflows.event_facts import clock_seconds
from core.workflows.records import Run
from core.workflows.results import Results, open_results, remembered
from core.workflows.training import get_run, start_training
from core.workflows.workspace import Workspace

SMALLEST_DIFFERENCE = 1e-6


@dataclass(frozen=True, slots=True)
class FalseAlarmPreview:
    """What would follow if the false alarms of a run counted as normal, by the run's own scores.

    `rows` of `alarms` would join the training part, `test_rows` of them leave the test part. `limit` is the decision limit now, `limit_then` the one chosen
    by the same rule with those rows among the held-out normal ones. `silent` are the events that would be flagged no more: `silent_false` of them
    false alarms, `silent_real` called contained, assignable cause or closed. `labelled` rows of the alarms are labelled as faulty.
    """

    alarms: tuple[AnomalyEvent, ...]
    rows: int
    test_rows: int
    limit: float
    limit_then: Threshold
    silent: tuple[AnomalyEvent, ...]
    silent_false: int
    silent_real: int
    labelled: int
    n_events: int
    notes: tuple[Message, ...]

    @property
    def sentence(self) -> Message:
        """What to expect, in one sentence."""
        return msg_n(
            "With {n} false alarm in the normal set the decision limit would be {then} and no longer {now}, and of {events} past events {silent} would be flagged no more.",
            "With {n} false alarms in the normal set the decision limit would be {then} and no longer {now}, and of {events} past events {silent} would be flagged no more.",
            len(self.alarms),
            then=self.limit_then.value,
            now=self.limit,
            events=self.n_events,
            silent=len(self.silent),
        )


@dataclass(frozen=True, slots=True)
class RealEffect:
    """What a training with false alarms did: events of the run before it by what was said of them, and how many are flagged now."""

    before: str
    limit_before: float
    limit_now: float
    false_before: int
    false_now: int
    real_before: int
    real_now: int
    open_before: int
    open_now: int


def false_alarms(view: AnomalyView) -> tuple[AnomalyEvent, ...]:
    """The events whose newest verdict is "false alarm"."""
    return tuple(e for e in view.events if e.verdict is not None and e.verdict.verdict == "false_alarm")


def preview_false_alarms(results: Results, view: AnomalyView) -> FalseAlarmPreview:
    """What counting the false alarms as normal would do, before anything is trained.

    The limit is chosen anew by the rule of the run, with the scores of these rows among those of the validation part. The model is not
    trained anew here: one that has learned the rows scores them lower, so that the limit of the training will be below the one shown here.

    Raises:
        SettingProblem: no event is called a false alarm, or the run is a forecast.
    """
    alarms = _checked(results, view)
    given = results.ordered
    joins = places_of(results, view, alarms)
    held = (given.parts == VALIDATION) | joins
    normal = held | (given.parts == TRAIN)
    then = _limit(results, held, normal)
    silent = tuple(e for e in view.events if e.peak <= then.value)
    labels = given.labels
    labelled = 0 if labels is None else int((labels[joins] > 0).sum())
    notes = [
        msg(
            "This is counted with the present model. A training learns these rows and scores them lower, so that its limit will probably lie below {then}.",
            then=then.value,
        )
    ]
    own = _limit(results, given.parts == VALIDATION, (given.parts == VALIDATION) | (given.parts == TRAIN))
    if abs(own.value - view.threshold.value) > SMALLEST_DIFFERENCE * max(1.0, abs(own.value)):
        notes.append(msg("The decision limit shown was moved; the run's own is {limit}.", limit=own.value))
    if labelled:
        notes.append(
            msg_n(
                "{n} of these rows is labelled as faulty: check the label or the verdict.",
                "{n} of these rows are labelled as faulty: check the labels or the verdicts.",
                labelled,
            )
        )
    return FalseAlarmPreview(
        alarms=alarms,
        rows=int(joins.sum()),
        test_rows=int((joins & (given.parts == TEST)).sum()),
        limit=float(view.threshold.value),
        limit_then=then,
        silent=silent,
        silent_false=sum(e in alarms for e in silent),
        silent_real=sum(e.is_real for e in silent),
        labelled=labelled,
        n_events=len(view.events),
        notes=tuple(notes),
    )


def train_with_false_alarms(ws: Workspace, results: Results, view: AnomalyView, *, token: str | None = None) -> Run:
    """Train the run's question again with its false alarms among the normal rows, beside those that it had already.

    Raises:
        SettingProblem: no event is called a false alarm, or the run is a forecast.
    """
    alarms = _checked(results, view)
    run = results.run
    known = [KnownNormal(first_row=e.first_row, last_row=e.last_row, group=e.group) for e in alarms]
    request = run.request.with_values(
        known_normal=tuple(dict.fromkeys([*run.request.known_normal, *known])),
        known_normal_of=run.id,
        name=f"{run.name} + {len(alarms)}"[:100],
    )
    return start_training(ws, request, token=token)


def real_effect(ws: Workspace, results: Results) -> RealEffect | None:
    """What the training with false alarms did to the events of the run before; None for a run without them, or if that run is gone.

    It is kept with the open results until something more is said of an event of the run before: verdicts are only ever appended.
    """
    before = results.run.request.known_normal_of
    if before is None:
        return None
    try:
        name = get_run(ws, before).name
    except Problem:  # it was deleted meanwhile
        return None
    n_said = len(ws.store.list_verdicts(before))
    return remembered(results, f"real effect {n_said} {name}", lambda: _real_effect(ws, results, open_results(ws, before)))


def _real_effect(ws: Workspace, results: Results, earlier: Results) -> RealEffect:
    old, now = anomaly_view(ws, earlier), anomaly_view(ws, results)
    flagged = np.zeros(results.n_rows, dtype=bool)
    flagged[now.rows[now.flags]] = True
    kinds = {"false": [0, 0], "real": [0, 0], "open": [0, 0]}
    for event in old.events:
        kind = "open" if event.is_open else "real" if event.is_real else "false"
        kinds[kind][0] += 1
        rows = old.rows[_inside(old, event)]
        kinds[kind][1] += bool(flagged[rows].any())
    return RealEffect(
        earlier.run.name,
        float(old.threshold.value),
        float(now.threshold.value),
        *kinds["false"],
        *kinds["real"],
        *kinds["open"],
    )


def places_of(results: Results, view: AnomalyView, events: Sequence[AnomalyEvent]) -> NDArray[np.bool_]:
    """Which places of the view lie in the events, from their first to their last row, (n_rows,)."""
    found = np.zeros(len(view.rows), dtype=bool)
    for event in events:
        found |= _inside(view, event)
    return found


def _inside(view: AnomalyView, event: AnomalyEvent) -> NDArray[np.bool_]:
    inside = (view.rows >= event.first_row) & (view.rows <= event.last_row)
    if view.groups is not None:
        inside[inside] = view.groups[inside].astype(str) == event.group
    return inside


def _limit(results: Results, held: NDArray[np.bool_], normal: NDArray[np.bool_]) -> Threshold:
    """The limit by the rule of the run, from the held-out places and all normal ones, both in order."""
    judged = results.ordered.judged
    clock = clock_seconds(results.ordered.times) if results.time is not None else None
    steps = np.diff(clock) if clock is not None else np.zeros(0)
    steps = steps[np.isfinite(steps) & (steps > 0)]
    return choose_threshold(
        judged[held],
        baseline_scores=judged[normal],
        per_week=weekly_budget(results.run),
        extrapolate=results.manifest.model not in BOUNDED_SCORES,
        period_seconds=float(np.median(steps)) if len(steps) else None,
        width_rows=int(results.manifest.pipeline["width"]),
    )


def _checked(results: Results, view: AnomalyView) -> tuple[AnomalyEvent, ...]:
    if results.task != "anomaly":
        raise SettingProblem(
            msg("The run '{run}' is a forecast.", run=results.run.name),
            msg("Only a model that learns what is normal can take false alarms as normal rows."),
            msg("Open a run that looks for anomalies."),
        )
    alarms = false_alarms(view)
    if not alarms:
        raise SettingProblem(
            msg("No event of the run '{run}' is called a false alarm.", run=results.run.name),
            msg("Expected at least one event with that verdict."),
            msg("Give the verdict 'false alarm' to the events that were none."),
        )
    return alarms
