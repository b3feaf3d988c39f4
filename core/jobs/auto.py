"""The automatic choice inside a training job: a few families tried within the minutes given, the best or an average kept.

Each candidate gets a slice of the time that is left; one that would not fit into it is left out, with the reason. A finished
candidate lies in the job's folder, so that a job that was stopped or killed goes on behind it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import Problem
from core.jobs.candidates import N_FOLDS, Ground, Kept, Tried, Turn, judge_by_folds, make_ground, try_candidate
from core.jobs.choice import Choice, choose
from core.jobs.ensembles import write_choice
from core.jobs.last_fit import Part
from core.jobs.memory_left import memory_left
from core.jobs.refits import OverTime
from core.jobs.sources import network_shape
from core.messages import Message, msg, msg_n
from core.models import ENSEMBLE_KEY, model_by_key
from core.serving.bundle import Bundle
from core.training.events import Event
from core.training.prepare import Prepared
from core.training.resolve import Resolved, cost_of, resolve_candidate
from core.watching import Stopped

if TYPE_CHECKING:
    from core.jobs.context import JobContext

KEPT_BACK = 0.06  # of the time: judging on the test part and writing
KEPT_FOR_LAST = 0.15  # of the time: fitting what was chosen once more on all rows that may teach
FOLD_CANDIDATES = 4  # the best of them are judged once more on folds
START_SECONDS = 12.0  # a network is built and traced, and TensorFlow loaded for the first
SLOW_SHARE = 0.2  # of the time: a shallow family that takes more waits until the networks had theirs
FEWEST_EPOCHS = 8
HOPELESS, HOPELESS_AFTER = (
    1.5,
    0.4,
)  # times the best model's error after this part of its time: the time is better spent on others
NEAR_CERTAIN = 0.05  # cross-entropy: below it twice as much says little
TYPICAL_SHARE = 0.5  # of the planned epochs: patience usually ends a fit early


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


class _Seen:
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


class _Auto(Trying):
    """One attempt of an automatic choice."""

    def __init__(self, ctx: JobContext, auto: Resolved, prepared: Prepared) -> None:
        super().__init__(ctx, auto, "auto")
        if auto.portfolio is None:
            raise AssertionError("resolve() gives the model 'auto' a portfolio")
        self.slow: dict[str, float] = {}
        self.given_up: set[int] = set()
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
            if earlier is not None:
                self.candidates[tried.number] = earlier
                self.used += earlier.seconds + earlier.fold_seconds
            self.tell(self.candidates[tried.number])
        for number in self._order():
            if self.candidates[number].state == "waiting" and not self.ctx.stop_requested():
                self.candidates[number] = self._try(self.candidates[number])
                self.tell(self.candidates[number])
        self._judge_best_by_folds()
        choice = choose(self.ground, self.candidates, self.kept)
        if choice is None:
            if self.problem is not None and not self.ctx.stop_requested():
                raise self.problem
            return None
        return self.written(choice, folder)

    def _order(self) -> Iterator[int]:
        """Numbers in the order of the portfolio, but a shallow family that turns out to be slow goes behind the networks."""
        waiting = []
        for tried in self.candidates:
            seconds, _ = self._slice(tried) if tried.state == "waiting" else (None, None)
            is_slow = seconds is not None and seconds > SLOW_SHARE * self.budget
            if is_slow and tried.number > 0 and model_by_key(tried.model).role != "network":
                waiting.append(tried.number)
            else:
                yield tried.number
        yield from waiting

    def _try(self, tried: Tried) -> Tried:
        seconds, why = self._slice(tried)
        tried = replace(tried, estimate=seconds)
        if why is not None:
            return replace(tried, state="skipped", why=why.to_json())
        done = self.attempt(tried, self._turn(tried))
        self._learn_speed(done, seconds)
        if done.number in self.given_up and done.state == "done":
            why = msg_n(
                "Its training was ended after {n} epoch: its error was still more than {times} times that of the best model.",
                "Its training was ended after {n} epochs: its error was still more than {times} times that of the best model.",
                int(done.trained["epochs"]),
                times=HOPELESS,
            )
            done = replace(done, why=why.to_json())
        if done.state == "done":
            self.kept.write(done)
        return done

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

    def _slice(self, tried: Tried) -> tuple[float | None, Message | None]:
        """Seconds that the candidate will take by estimate, and why it is left out, if it is."""
        try:
            resolved = resolve_candidate(self.auto, tried.model)
            prepared, left = self.ground.of(resolved), self.left()
        except Problem as problem:
            return None, msg("{what} {expected}", what=problem.what, expected=problem.expected)
        is_network = resolved.spec.role == "network"
        found = cost_of(resolved, network_shape(prepared), len(prepared.train))
        factor = self.slow.get(resolved.spec.role, 1.0)
        if not is_network:
            seconds = factor * found.epoch_seconds
            needed = seconds
        else:
            seconds = START_SECONDS + factor * found.epoch_seconds * resolved.fit.epochs * TYPICAL_SHARE
            needed = START_SECONDS + factor * found.epoch_seconds * FEWEST_EPOCHS
        is_first = tried.number == 0
        free = memory_left()
        if found.memory_bytes > free and not is_first:
            return seconds, msg(
                "Left out for memory: it needs about {needed} MB, and {free} MB are free.",
                needed=round(found.memory_bytes / 1e6),
                free=round(free / 1e6),
            )
        if needed > left and not is_first:
            return seconds, msg(
                "Left out for time: it needs at least {needed} s, and {left} s were left.",
                needed=max(1, round(needed)),
                left=max(0, round(left)),
            )
        return seconds, None

    def _turn(self, tried: Tried) -> Turn:
        """The slice of a network: its part of what is left, or what it is likely to need if that is more.

        What it needs is known better with every epoch. Two networks that were trained to their end say more than four that
        were not.
        """
        behind = [t for t in self.candidates[tried.number :] if model_by_key(t.model).role == "network"]
        left, began = max(1.0, self.left()), time.monotonic()
        planned = TYPICAL_SHARE * resolve_candidate(self.auto, tried.model).fit.epochs
        needed = [tried.estimate or 0.0]
        lead, seen = self._lead_error(), _Seen()
        margin = NEAR_CERTAIN if self.ground.is_classes else 0.0
        if self.auto.fit.label_smoothing > 0:  # its curve shows another loss than the candidates are compared by
            lead = np.inf

        def heard(event: Event) -> None:
            if event.kind == "epoch":
                needed[0] = START_SECONDS + planned * float(event.values["seconds"])  # type: ignore[arg-type]
                seen.add(event.values, is_classes=self.ground.is_classes)
            self.ctx.emit(event)

        def is_due() -> bool:
            spent, share = time.monotonic() - began, max(left / max(1, len(behind)), min(left, needed[0]))
            if spent > HOPELESS_AFTER * share and seen.is_hopeless(lead, margin):
                self.given_up.add(tried.number)
                return True
            return spent > share

        return Turn(left, heard, self.ctx.stop_requested, is_due)

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


def choice_json(ground: Ground, tried: Sequence[Tried], choice: Choice, budget: float) -> dict[str, Any]:
    """How the model was chosen, as the run's summary and the manifest keep it."""
    left_out = ground.auto.portfolio.left_out if ground.auto.portfolio is not None else ()
    rows: list[Mapping[str, Any]] = [
        {
            "model": t.model,
            "state": t.state,
            "figure": t.figure,
            "fold_figure": t.fold_figure,
            "accuracy": t.accuracy,
            "seconds": round(t.seconds + t.fold_seconds, 2),
            "share": choice.weights.get(t.number, 0.0),
            "why": t.why,
            "settings": t.options,
        }
        for t in tried
    ]
    rows += [{"model": key, "state": "skipped", "why": why.to_json(), "share": 0.0, "seconds": 0.0} for key, why in left_out]
    single = next((t.model for t in tried if t.number in choice.weights), "")
    return {
        "chosen": ENSEMBLE_KEY if choice.is_ensemble else single,
        "measure": "" if choice.figure is None else "cross_entropy" if ground.is_classes else "rmse",
        "figure": choice.figure,
        "rows": len(ground.rows),
        "fold_rows": 0 if ground.fold_rows is None else len(ground.fold_rows),
        "budget_minutes": budget / 60,
        "sentences": [s.to_json() for s in choice.sentences],
        "candidates": rows,
    }


def forget(ctx: JobContext) -> None:
    """Throw away what candidates left in the job's folder, once the run has its results."""
    for name in ("auto", "search"):
        shutil.rmtree(ctx.folder / name, ignore_errors=True)
