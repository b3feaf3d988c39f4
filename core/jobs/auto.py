"""The automatic choice inside a training job: a few families tried within the minutes given, the best or an average kept.

Each candidate gets a slice of the time that is left; one that would not fit into it is left out, with the reason. A finished
candidate lies in the job's folder, so that a job that was stopped or killed goes on behind it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import Problem
from core.jobs.candidates import N_FOLDS, Ground, Kept, Tried, Turn, judge_by_folds, make_ground, try_candidate
from core.jobs.choice import Choice, choice_json, choose
from core.jobs.ensembles import write_choice
from core.jobs.last_fit import Part
from core.jobs.memory_left import memory_left
from core.jobs.refits import OverTime
from core.jobs.slices import (
    FEWEST_EPOCHS,
    START_SECONDS,
    TYPICAL_SHARE,
    Need,
    Pace,
    Seen,
    ended_early,
    is_over,
    network_need,
    slice_seconds,
    too_little_time,
)
from core.jobs.sources import network_shape
from core.messages import Message, msg, msg_n
from core.models import model_by_key
from core.serving.bundle import Bundle, load_bundle
from core.training.events import Event
from core.training.prepare import Prepared
from core.training.resolve import Resolved, cost_of, resolve_candidate
from core.watching import Stopped

if TYPE_CHECKING:
    from core.jobs.context import JobContext

KEPT_BACK = 0.06  # of the time: judging on the test part and writing
KEPT_FOR_LAST = 0.15  # of the time: fitting what was chosen once more on all rows that may teach
FOLD_CANDIDATES = 4  # the best of them are judged once more on folds
SLOW_SHARE = 0.2  # of the time: a shallow family that takes more waits until the networks had theirs
HOPELESS_AFTER = 0.4  # of its slice: before that a network far behind may still catch up
NEAR_LEAD = 1.25  # times the best error: a network that its slice ended there may still win with the time that is left
NEAR_CERTAIN = 0.05  # cross-entropy: below it twice as much says little


@dataclass(frozen=True, slots=True)
class Chosen:
    """The kept model as a bundle that is not calibrated yet, on its own windows, and how it was chosen (JSON).

    `was_stopped`: a person ended it early, and it can go on with the candidates that are left. `parts` are its models,
    `seconds_left` what is left of the time to fit them once more.
    """

    resolved: Resolved
    prepared: Prepared
    bundle: Bundle
    trained: dict[str, Any]
    choice: dict[str, Any]
    was_stopped: bool
    parts: tuple[Part, ...]
    seconds_left: float


def run_auto(ctx: JobContext, auto: Resolved, prepared: Prepared, folder: Path) -> Chosen | None:
    """Try the portfolio and write the kept model's bundle to `folder`; None where a stop came before anything was fitted.

    Raises:
        Problem: no candidate could be fitted; it is what the first one met.
    """
    return _Auto(ctx, auto, prepared).run(folder)


class Trying:
    """Models that are tried one after another within a time, told and kept. The clock goes on where earlier attempts left it."""

    def __init__(self, ctx: JobContext, asked: Resolved, folder: str) -> None:
        self.ctx, self.auto = ctx, asked
        self.kept = Kept(ctx.folder / folder)
        self.budget = 60.0 * (asked.fit.budget_minutes or asked.request.budget_minutes)
        self.problem: Problem | None = None
        self.candidates: list[Tried] = []
        self.ground: Ground
        self.kept_for_last = KEPT_FOR_LAST if asked.task.last_fit and asked.request.task != "anomaly" else 0.0
        self.used, self.began = 0.0, time.monotonic()

    def left(self) -> float:
        """Seconds that may still be spent."""
        share = 1 - KEPT_BACK - self.kept_for_last
        return share * self.budget - self.used - (time.monotonic() - self.began)

    def is_of_these_features(self, earlier: Tried) -> bool:
        """Whether a candidate that an earlier attempt left was fitted on what this one prepares.

        It was not where an update between the two gives columns another form.
        """
        try:
            prepared = self.ground.of(resolve_candidate(self.auto, earlier.model, **earlier.options))
            kept = load_bundle(self.kept.of(earlier.number) / "bundle").manifest.pipeline
        except Problem:
            return False
        return kept["features"] == prepared.pipeline.to_json()["features"]

    def tell(self, tried: Tried, of: int | None = None) -> None:
        """The state of one model as an event."""
        values = {
            "number": tried.number,
            "of": of or len(self.candidates),
            "model": tried.model,
            "state": tried.state,
            "figure": tried.figure,
            "fold_figure": tried.fold_figure,
            "accuracy": tried.accuracy,
            "seconds": round(tried.seconds + tried.fold_seconds, 2),
            "estimate": tried.estimate,
            "why": tried.why,
            "settings": tried.options,
            "used": self.used + time.monotonic() - self.began,
            "budget": self.budget,
            "measure": "cross_entropy" if self.ground.is_classes else "rmse",
        }
        self.ctx.emit(Event("candidate", values))

    def attempt(self, tried: Tried, turn: Turn) -> Tried:
        """One model fitted and judged; a fault of these data with this model is its end and not that of the others."""
        self.tell(replace(tried, state="running"))
        began = time.monotonic()
        try:
            done = try_candidate(self.ground, tried, self.kept, turn)
        except Problem as problem:
            self.problem = self.problem or problem
            why = msg("{what} {expected}", what=problem.what, expected=problem.expected)
            return replace(tried, state="failed", seconds=time.monotonic() - began, why=why.to_json())
        if done.trained.get("stopped_by") == "budget":
            why = msg_n(
                "Its share of the time ended its training after {n} epoch.",
                "Its share of the time ended its training after {n} epochs.",
                int(done.trained["epochs"]),
            )
            return replace(done, why=why.to_json())
        return done

    def written(self, choice: Choice, folder: Path) -> Chosen:
        """The chosen model's bundle."""
        by_number = {t.number: t for t in self.candidates}
        members = [(by_number[n], weight) for n, weight in choice.weights.items()]
        first = max(members, key=lambda m: m[1])[0]
        stored = choice_json(self.ground, self.candidates, choice, self.budget)
        resolved, prepared, bundle, parts = write_choice(self.ground, self.kept, members, folder, stored)
        trained = {**first.trained, "stopped_by": "auto"} if len(members) == 1 else {"stopped_by": "auto", "epochs": 0}
        was_stopped = self.ctx.stop_requested() or any(t.state in ("stopped", "waiting") for t in self.candidates)
        left = self.left() + self.kept_for_last * self.budget
        return Chosen(resolved, prepared, bundle, trained, stored, was_stopped, parts, left)


def _is_network(tried: Tried) -> bool:
    return model_by_key(tried.model).role == "network"


class _Auto(Trying):
    """One attempt of an automatic choice."""

    def __init__(self, ctx: JobContext, auto: Resolved, prepared: Prepared) -> None:
        super().__init__(ctx, auto, "auto")
        if auto.portfolio is None:
            raise AssertionError("resolve() gives the model 'auto' a portfolio")
        self.slow: dict[str, float] = {}
        self.given_up: dict[
            int, float | None
        ] = {}  # by number: the seconds an epoch that were too many, None where it was far behind
        self.behind: set[int] = set()  # networks that did not fit into their slice: tried if the others leave enough
        self.candidates = [Tried(i, key, "waiting") for i, key in enumerate(auto.portfolio.keys)]
        widths = [w for w in (self._width(t) for t in self.candidates) if w is not None]
        self.ground = make_ground(auto, prepared, widths)

    def _width(self, tried: Tried) -> int | None:
        try:
            return resolve_candidate(self.auto, tried.model).width
        except Problem:
            return None

    def run(self, folder: Path) -> Chosen | None:
        for tried in self.candidates:
            earlier = self.kept.read(tried.number)
            if earlier is not None and self.is_of_these_features(earlier):
                self.candidates[tried.number] = earlier
                self.used += earlier.seconds + earlier.fold_seconds
            self.tell(self.candidates[tried.number])
        for number in self._order():
            if self.candidates[number].state == "waiting" and not self.ctx.stop_requested():
                self.candidates[number] = self._try(self.candidates[number])
                self.tell(self.candidates[number])
        self._go_on_with_best()
        self._judge_best_by_folds()
        choice = choose(self.ground, self.candidates, self.kept)
        if choice is None:
            if self.problem is not None and not self.ctx.stop_requested():
                raise self.problem
            return None
        return self.written(choice, folder)

    def _order(self) -> Iterator[int]:
        """Numbers in the order of the portfolio; a shallow family that turns out to be slow goes behind the networks, and a
        network whose slice does not allow the fewest epochs behind the others, the quickest of these first.
        """
        waiting = []
        for tried in self.candidates:
            need = self._need(tried) if tried.state == "waiting" and tried.number > 0 else None
            if need is None:
                yield tried.number
            elif not _is_network(tried):
                if need.likely > SLOW_SHARE * self.budget:
                    waiting.append(tried.number)
                else:
                    yield tried.number
            elif self._should_wait(tried, need):
                self.behind.add(tried.number)
            else:
                yield tried.number
        needs = {n: need for n in self.behind if (need := self._need(self.candidates[n])) is not None}
        yield from sorted(self.behind, key=lambda n: needs[n].least if n in needs else np.inf)
        yield from waiting

    def _should_wait(self, tried: Tried, need: Need) -> bool:
        """Whether a network does not fit into its slice while a quicker one waits, for which the time is better spent."""
        others = self._others(tried)
        return need.least > slice_seconds(self.left(), need.likely, others) and any(o.least < need.least for o in others)

    def _others(self, tried: Tried) -> list[Need]:
        """What the networks need that still wait beside it; those that were put behind take something from each other only."""
        waiting = [t for t in self.candidates if t.state == "waiting" and _is_network(t) and t.number != tried.number]
        is_behind = tried.number in self.behind
        needs = [self._need(t) for t in waiting if is_behind or t.number not in self.behind]
        return [need for need in needs if need is not None]

    def _try(self, tried: Tried) -> Tried:
        need, why = self._need(tried), self._why_not(tried)
        tried = replace(tried, estimate=None if need is None else need.likely)
        if why is not None:
            return replace(tried, state="skipped", why=why.to_json())
        done = self.attempt(tried, self._turn(tried, need))
        self._learn_speed(done, tried.estimate)
        if done.number in self.given_up and done.state == "done":
            why = ended_early(int(done.trained["epochs"]), self.given_up[done.number])
            done = replace(done, why=why.to_json())
        if done.state == "done":
            self.kept.write(done)
        return done

    def _go_on_with_best(self) -> None:
        """What is left goes to networks that their slice ended, the best first, unless far behind; to folds where there are some."""
        if self.ground.folds is not None:
            return
        ended = [t for t in self.candidates if t.state == "done" and t.trained.get("stopped_by") == "budget"]
        lead = min((t.figure for t in self.candidates if t.is_usable and t.figure is not None), default=np.inf)
        for tried in sorted(ended, key=lambda t: np.inf if t.figure is None else t.figure):
            epoch_seconds = tried.seconds / max(1, int(tried.trained["epochs"]))
            needed = START_SECONDS + FEWEST_EPOCHS * epoch_seconds
            is_near = tried.figure is not None and tried.figure <= NEAR_LEAD * lead and tried.number not in self.given_up
            if not is_near or needed > self.left() or self.ctx.stop_requested():
                continue
            left = self.left()
            turn = Turn(left, self.ctx.emit, self.ctx.stop_requested, partial(is_over, time.monotonic(), left))
            with self.kept.safe(tried.number) as undo:
                done = self.attempt(replace(tried, why=None), turn)
                if done.state == "failed":  # what it was before is still good
                    undo()
                    done = tried
            if done.state == "stopped":  # its files are new, and so must be what is told of them
                self.kept.write(replace(done, state="done", trained={**done.trained, "stopped_by": "budget"}))
            if done.state == "done":
                self.kept.write(done)
            self.candidates[tried.number] = done
            self.tell(done)

    def _judge_best_by_folds(self) -> None:
        """Where the validation part is small, the time that is left goes into folds for those that look best on it.

        Five fits of one candidate have to fit into what is left; the best come first, the baseline is no rival.
        """
        usable = sorted((t for t in self.candidates if t.state == "done" and t.figure is not None), key=lambda t: t.figure or 0)
        for tried in usable[:FOLD_CANDIDATES] if self.ground.folds is not None else ():
            is_open = tried.fold_figure is None and N_FOLDS * tried.seconds <= self.left()
            if not is_open or self.ctx.stop_requested():
                continue
            turn = Turn(self.left(), self.ctx.emit, self.ctx.stop_requested)
            self.tell(replace(tried, state="running"))
            try:
                judged = judge_by_folds(self.ground, tried, self.kept, turn)
            except (Stopped, Problem, OverTime):
                judged = tried
            else:
                self.kept.write(judged)
            self.candidates[tried.number] = judged
            self.tell(judged)

    def _need(self, tried: Tried) -> Need | None:
        """Seconds that the candidate will take by the plan's estimate and what was measured since; None where it cannot be tried."""
        try:
            resolved = resolve_candidate(self.auto, tried.model)
            prepared = self.ground.of(resolved)
        except Problem:
            return None
        seconds = cost_of(resolved, network_shape(prepared), len(prepared.train)).epoch_seconds
        seconds *= self.slow.get(resolved.spec.role, 1.0)
        return network_need(seconds, resolved.fit.epochs) if _is_network(tried) else Need(seconds, seconds)

    def _why_not(self, tried: Tried) -> Message | None:
        """Why the candidate is left out, if it is; the first one never is for its cost."""
        try:
            resolved = resolve_candidate(self.auto, tried.model)
            prepared = self.ground.of(resolved)
        except Problem as problem:
            return msg("{what} {expected}", what=problem.what, expected=problem.expected)
        need, left, free = self._need(tried), self.left(), memory_left()
        if need is None or tried.number == 0:
            return None
        memory_bytes = cost_of(resolved, network_shape(prepared), len(prepared.train)).memory_bytes
        if memory_bytes > free:
            return msg(
                "Left out for memory: it needs about {needed} MB, and {free} MB are free.",
                needed=round(memory_bytes / 1e6),
                free=round(free / 1e6),
            )
        return None if need.least <= left else too_little_time(need, left, resolved.fit.epochs)

    def _turn(self, tried: Tried, need: Need | None) -> Turn:
        """The slice of a network, and what ends its training before the slice does.

        What it needs is known better with every epoch. One that turns out too slow for its fewest epochs is ended while
        others wait for its minutes.
        """
        left, began = max(1.0, self.left()), time.monotonic()
        epochs = resolve_candidate(self.auto, tried.model).fit.epochs
        likely, least = [0.0 if need is None else need.likely], 0.0 if need is None else need.least
        lead, seen, pace, others = self._lead_error(), Seen(), Pace(time.monotonic), self._others(tried)
        margin = NEAR_CERTAIN if self.ground.is_classes else 0.0
        others_wait = any(t.state == "waiting" and t.number != tried.number for t in self.candidates)
        if self.auto.fit.label_smoothing > 0:  # its curve shows another loss than the candidates are compared by
            lead = np.inf

        def heard(event: Event) -> None:
            pace.add(event)
            if event.kind == "epoch":
                likely[0] = START_SECONDS + TYPICAL_SHARE * epochs * float(event.values["seconds"])  # type: ignore[arg-type]
                seen.add(event.values, is_classes=self.ground.is_classes)
            self.ctx.emit(event)

        def is_due() -> bool:
            spent, share = time.monotonic() - began, max(min(left, least), slice_seconds(left, likely[0], others))
            if others_wait and pace.is_too_slow(spent, share, min(FEWEST_EPOCHS, epochs)):
                self.given_up[tried.number] = pace.epoch_seconds
                return True
            if spent > HOPELESS_AFTER * share and seen.is_hopeless(lead, margin):
                self.given_up[tried.number] = None
                return True
            return spent > share

        return Turn(left, heard, self.ctx.stop_requested, is_due, may_go_on=True)

    def _lead_error(self) -> float:
        """What the curves of networks show, of the best candidate so far: mean absolute error, or cross-entropy."""
        usable = [t for t in self.candidates if t.is_usable and t.figure is not None]
        best = min(usable, key=lambda t: t.figure or np.inf, default=None)
        if best is None or self.ground.is_classes:
            return np.inf if best is None else float(best.figure or np.inf)
        outputs = self.kept.outputs(best.number)
        return np.inf if outputs is None else float(np.sqrt(self.ground.loss(self.ground.rows)(outputs)).mean())

    def _learn_speed(self, done: Tried, seconds: float | None) -> None:
        """How much slower than estimated this machine is today, for what is still to come."""
        epochs, role = int(done.trained.get("epochs", 0)), model_by_key(done.model).role
        if not seconds or not done.is_usable or (role == "network" and not epochs):
            return
        resolved = resolve_candidate(self.auto, done.model)
        planned = resolved.fit.epochs * TYPICAL_SHARE if role == "network" else 1
        spent = max(0.0, done.seconds - START_SECONDS) / max(1, epochs) * planned if role == "network" else done.seconds
        estimated = max(0.5, (seconds - START_SECONDS if role == "network" else seconds) / self.slow.get(role, 1.0))
        self.slow[role] = min(10.0, max(0.2, spent / estimated))


def forget(ctx: JobContext) -> None:
    """Throw away what candidates left in the job's folder, once the run has its results."""
    for name in ("auto", "search"):
        shutil.rmtree(ctx.folder / name, ignore_errors=True)
