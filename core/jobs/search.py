"""The search for a family's settings inside a training job, time-boxed: optuna proposes, the validation part judges.

The first trial has the settings as they were asked for. Networks whose validation loss is worse than the median of earlier
trials at the same epoch are ended early. Each finished trial lies in the job's folder as JSON, from which a stopped or killed
search goes on; nothing is pickled. The best trial is kept only if it beats the first one clearly: of many trials, the best
figure is partly luck.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import NotEnoughData, SettingProblem
from core.evaluation.selection import paired_gain
from core.jobs.auto import Chosen, Trying
from core.jobs.candidates import Tried, Turn, make_ground
from core.jobs.choice import Choice, figure_words
from core.messages import Message, msg, msg_n
from core.models import model_by_key
from core.training.events import Event
from core.training.prepare import Prepared
from core.training.ranges import Range, search_ranges
from core.training.resolve import Resolved

if TYPE_CHECKING:
    from core.jobs.context import JobContext

FIRST_TRIALS = 4  # drawn at random before any is pruned or the sampler learns
WARM_EPOCHS = 5
MOST_TRIALS = 1_000
MOST_REPEATS = 50  # draws of settings that were tried before, after which there are no others
TRIAL_SHARE = 0.25  # of the whole time, at most, for one network


def run_search(ctx: JobContext, asked: Resolved, prepared: Prepared, folder: Path) -> Chosen | None:
    """Search within the time and write the kept trial's bundle to `folder`; None where a stop came before the first.

    Raises:
        SettingProblem: the family has nothing to search.
        Problem: no trial could be fitted; it is what the first one met.
    """
    return _Search(ctx, asked, prepared).run(folder)


class _Search(Trying):
    """One attempt of a search."""

    def __init__(self, ctx: JobContext, asked: Resolved, prepared: Prepared) -> None:
        super().__init__(ctx, asked, "search")
        self.key = asked.spec.key
        self.ranges = search_ranges(asked.spec, asked.model_settings, asked.fit)
        if not self.ranges:
            raise SettingProblem(
                msg("{model} has no setting to search.", model=asked.spec.title),
                msg("Expected a family with numbers or choices of its own."),
                msg("Train it as it is, or search another family."),
            )
        self.ground = make_ground(asked, prepared, [asked.width])

    def run(self, folder: Path) -> Chosen | None:
        number = self._take_up()
        self.study = _study(self.auto.request.seed + number)  # a sampler that begins again would draw the same once more
        for earlier in self.candidates:
            self._remember(earlier)
        while self.left() > 0 and len(self.candidates) < MOST_TRIALS and not self.ctx.stop_requested():
            longest = max((t.seconds for t in self.candidates if t.state == "done"), default=0.0)
            if self.candidates and self.left() < 0.5 * longest:
                break
            if not self._trial():
                break
        usable = [t for t in self.candidates if t.is_usable and t.figure is not None]
        if not usable:
            if self.problem is not None and not self.ctx.stop_requested():
                raise self.problem
            return None
        return self.written(self._choose(usable), folder)

    def _take_up(self) -> int:
        """Trials of earlier attempts, and how many there are."""
        number = 0
        while (earlier := self.kept.read(number)) is not None and self.is_of_these_features(earlier):
            self.candidates.append(earlier)
            self.used += earlier.seconds
            self.tell(earlier)
            number += 1
        return number

    def _ask(self) -> tuple[Any, dict[str, Any]] | None:
        """A trial with settings that were not tried yet; None where the sampler finds no others."""
        distributions = {name: _distribution(r) for name, r in self.ranges.items()}
        if not self.candidates:
            self.study.enqueue_trial(self._asked())
            return self.study.ask(distributions), {}
        for _ in range(MOST_REPEATS):
            trial = self.study.ask(distributions)
            known = next((t for t in self.candidates if (t.options or self._asked()) == trial.params), None)
            if known is None:
                return trial, dict(trial.params)
            state = None if known.figure is not None and known.state == "done" else _states().FAIL
            self.study.tell(trial, known.figure if state is None else None, state=state)
        return None

    def _trial(self) -> bool:
        """One trial; False where there are no more settings to try."""
        number, asked = len(self.candidates), self._ask()
        if asked is None:
            return False
        trial, options = asked
        tried = Tried(number, self.key, "waiting", options=options)
        self.candidates.append(tried)
        curve: dict[int, float] = {}
        is_pruned = False

        def heard(event: Event) -> None:
            nonlocal is_pruned
            value = event.values.get("val_loss")
            if event.kind == "epoch" and isinstance(value, float) and math.isfinite(value):
                epoch = int(event.values["epoch"])  # type: ignore[call-overload]
                curve[epoch] = value
                trial.report(value, epoch)
                is_pruned = is_pruned or trial.should_prune()
            self.ctx.emit(event)

        turn = Turn(self._slice(), heard, self.ctx.stop_requested, lambda: is_pruned)
        done = self.attempt(tried, turn)
        if is_pruned and done.trained.get("stopped_by") == "budget":
            why = msg("Ended after {n} epochs: worse than the median of the trials before.", n=len(curve))
            done = replace(done, state="pruned", why=why.to_json())
        done.trained["curve"] = {str(k): v for k, v in curve.items()}
        self.candidates[number] = done
        states = _states()
        if done.state == "done" and done.figure is not None:
            self.study.tell(trial, done.figure)
        else:
            self.study.tell(trial, state=states.PRUNED if done.state == "pruned" else states.FAIL)
        if done.state != "stopped":  # one that the user stopped begins again
            self.kept.write(done)
        self.tell(done)
        return True

    def _remember(self, tried: Tried) -> None:
        import optuna

        states = _states()
        state = {"done": states.COMPLETE, "pruned": states.PRUNED}.get(tried.state, states.FAIL)
        curve = {int(k): float(v) for k, v in tried.trained.get("curve", {}).items()}
        params = tried.options or self._asked()
        distributions = {name: _distribution(self.ranges[name]) for name in params}
        self.study.add_trial(
            optuna.trial.create_trial(
                params=params,
                distributions=distributions,
                value=tried.figure if tried.state == "done" else None,
                intermediate_values=curve,
                state=state,
            )
        )

    def _asked(self) -> dict[str, Any]:
        """The settings as they were asked for, of those that are searched."""
        given = {**self.auto.fit.model_dump(), **self.auto.model_settings.model_dump()}
        return {name: given[name] for name in self.ranges}

    def _slice(self) -> float:
        return max(1.0, min(self.left(), TRIAL_SHARE * self.budget))

    def _choose(self, usable: list[Tried]) -> Choice:
        """The trial with the smallest figure, where it beats the first by more than one standard error; else the first."""
        best = min(usable, key=lambda t: t.figure or math.inf)
        first = next((t for t in usable if t.number == 0), None)
        n_pruned = sum(t.state == "pruned" for t in self.candidates)
        title = model_by_key(self.key).title
        sentences = [
            msg_n(
                "{n} setting of {model} was tried, {pruned} ended early.",
                "{n} settings of {model} were tried, {pruned} ended early.",
                len(self.candidates),
                model=title,
                pruned=n_pruned,
            )
        ]
        if first is None or best is first:
            sentences.append(self._best_sentence(best) if first is None else self._kept_sentence(best))
            return Choice({best.number: 1.0}, best.figure, tuple(sentences))
        losses = [self.ground.loss(self.ground.rows)(self._outputs(t)) for t in (first, best)]
        if paired_gain(losses[0], losses[1], self.ground.units(self.ground.rows)).is_clear:
            sentences += [self._best_sentence(best), self._before_sentence(first)]
            return Choice({best.number: 1.0}, best.figure, tuple(sentences))
        sentences.append(
            msg(
                "The best has {best} on {n} validation rows, the settings as asked for {first}: not better by more than one "
                "standard error, and of many trials the best is partly luck. The settings as asked for were kept.",
                best=figure_words(self.ground, best.figure),
                first=figure_words(self.ground, first.figure),
                n=len(self.ground.rows),
            )
        )
        return Choice({first.number: 1.0}, first.figure, tuple(sentences))

    def _outputs(self, tried: Tried) -> Any:
        found = self.kept.outputs(tried.number)
        if found is None:
            raise NotEnoughData(
                msg("The outputs of trial {n} are gone.", n=tried.number + 1),
                msg("Expected the folder of the job as it was."),
                msg("Start the search again."),
            )
        return found

    def _best_sentence(self, best: Tried) -> Message:
        return msg(
            "Trial {number} was kept: {figure} on {n} validation rows.",
            number=best.number + 1,
            figure=figure_words(self.ground, best.figure),
            n=len(self.ground.rows),
        )

    def _before_sentence(self, first: Tried) -> Message:
        return msg("With the settings as asked for: {figure}.", figure=figure_words(self.ground, first.figure))

    def _kept_sentence(self, best: Tried) -> Message:
        return msg(
            "None is better than the settings as asked for: {figure} on {n} validation rows.",
            figure=figure_words(self.ground, best.figure),
            n=len(self.ground.rows),
        )


def _states() -> Any:
    from optuna.trial import TrialState

    return TrialState


def _study(seed: int) -> Any:
    """A study in memory: what it has to know after a restart is told to it again."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=FIRST_TRIALS)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=FIRST_TRIALS, n_warmup_steps=WARM_EPOCHS)
    return optuna.create_study(sampler=sampler, pruner=pruner)


def _distribution(one: Range) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if one.words:
        return CategoricalDistribution(one.words)
    if one.is_whole:
        return IntDistribution(int(one.low), int(one.high), log=one.is_log)
    return FloatDistribution(one.low, one.high, log=one.is_log)
