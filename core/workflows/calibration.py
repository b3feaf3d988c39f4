"""Whether a run's probabilities mean what they say, and what one temperature, fitted on the validation part, would make of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import NotEnoughData
from core.evaluation.calibration import (
    Calibration,
    Temperature,
    TemperatureGain,
    at_temperature,
    calibration,
    fit_temperature,
    log_loss,
    temperature_gain,
)
from core.messages import Message, msg
from core.workflows.class_rows import class_rows
from core.workflows.csv_out import rows_from_one, write_csv
from core.workflows.results import Results


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """Calibration of the probability of `positive` on the test part, as it is and at the temperature of the validation part.

    `gain` is what the temperature takes off the log loss of validation rows that it was not fitted on. The
    temperature is offered only where that is more than chance gives: else `scaled` is None. `log_loss` is over all classes, (as it is, at
    the temperature). `baseline` is the baseline's probability as it is.
    """

    positive: str
    n: int
    plain: Calibration
    scaled: Calibration | None
    baseline: Calibration | None
    temperature: Temperature
    gain: TemperatureGain
    log_loss: tuple[float, float | None]

    @property
    def is_offered(self) -> bool:
        """Whether the temperature makes held-out rows better by more than chance; the test part has no say in it."""
        return _is_offered(self.temperature, self.gain)

    @property
    def headline(self) -> Message:
        if self.plain.ece.value is None:
            return msg("There is no figure: {reason}", reason=self.plain.ece.why_not)
        told: dict[str, str | float] = {"positive": self.positive, "ece": round(100 * self.plain.ece.value, 2), "n": self.n}
        if self.plain.is_off:
            return msg(
                "Probabilities of '{positive}' are off by {ece} percentage points on average, more than chance explains", **told
            )
        return msg(
            "Probabilities of '{positive}' mean what they say: off by {ece} percentage points, no more than chance gives",
            **told,
        )

    @property
    def temperature_words(self) -> Message:
        """Whether a temperature is offered, and why."""
        return temperature_words(self.temperature, self.gain, self.log_loss)


def _is_offered(found: Temperature, gain: TemperatureGain) -> bool:
    return found.value is not None and gain.is_clear


def temperature_words(
    found: Temperature, gain: TemperatureGain, log_loss: tuple[float, float | None] = (float("nan"), None)
) -> Message:
    """Whether a temperature is offered, and why; with what it does on the test part where that is given."""
    if found.value is None:
        return found.why_not or msg("There is no temperature.")
    if gain.mean is None or gain.low is None or gain.high is None:
        return msg("No temperature is offered: {why}.", why=gain.why_not or msg("it cannot be told whether it would help"))
    told: dict[str, str | float | Message] = {"n": found.n, "value": f"{found.value:.4g}"}
    told |= {"gain": _small(gain.mean), "low": _small(gain.high), "high": _small(gain.low)}
    if not gain.is_clear:
        return msg(
            "No temperature is offered: on validation rows that it is not fitted on it changes the log loss by {gain} (95 %: {low} to {high}; below 0 is better), no clear gain.",
            **told,
        )
    told["sure"] = msg("too sure of itself") if found.value > 1 else msg("less sure than it could be")
    before, after = log_loss
    if after is None:
        return msg(
            "Temperature {value} from {n} validation rows: the model is {sure}. On validation rows that it is not fitted on it changes the log loss by {gain} (95 %: {low} to {high}; below 0 is better).",
            **told,
        )
    return msg(
        "Temperature {value} from {n} validation rows: the model is {sure}. On validation rows that it is not fitted on it changes the log loss by {gain} (95 %: {low} to {high}; below 0 is better), on the test part by {test}.",
        **told,
        test=_small(before - after),
    )


def _small(gain: float) -> str:
    """A gain as the change of the loss, with its sign."""
    shown = np.format_float_positional(-gain, precision=2, unique=False, fractional=False, trim="-", sign=True)
    return shown.replace("-", "−")


def calibration_view(results: Results, positive: str | None = None) -> CalibrationView:
    """Reliability on the test part, before and after temperature scaling.

    Raises:
        SettingProblem: the run predicts no class, or there is no such class.
    """
    held, test = (class_rows(results, part, positive) for part in ("validation", "test"))
    found = fit_temperature(held.truth, held.probabilities)
    blocks = results.blocks(test.rows)
    seed = results.run.request.seed
    # Chosen on the validation part alone: the test part judges what was chosen.
    gain = temperature_gain(held.truth, held.probabilities, blocks=results.blocks(held.rows), seed=seed)
    scaled = None
    after = None
    if found.value is not None and _is_offered(found, gain):
        warmer = at_temperature(test.probabilities, found.value)
        scaled = calibration(test.is_bad, warmer[:, test.place], blocks=blocks, seed=seed)
        after = log_loss(test.truth, warmer)
    base = None if test.baseline is None else test.baseline[:, test.place]
    return CalibrationView(
        positive=test.positive,
        n=len(test.rows),
        plain=calibration(test.is_bad, test.chance, blocks=blocks, seed=seed),
        scaled=scaled,
        baseline=None if base is None else calibration(test.is_bad, base, blocks=blocks, seed=seed, n_boot=0),
        temperature=found,
        gain=gain,
        log_loss=(log_loss(test.truth, test.probabilities), after),
    )


def export_calibrated(results: Results, path: Path) -> None:
    """All scored rows with their probabilities at the temperature of the validation part, as CSV; rows count from 1.

    Raises:
        SettingProblem: the run predicts no class.
        NotEnoughData: no temperature is offered.
    """
    held = class_rows(results, "validation")
    found = fit_temperature(held.truth, held.probabilities)
    gain = temperature_gain(held.truth, held.probabilities, blocks=results.blocks(held.rows), seed=results.run.request.seed)
    if found.value is None or not _is_offered(found, gain):
        raise NotEnoughData(
            temperature_words(found, gain),
            msg("Expected validation rows that show a temperature to help."),
            msg("Use the probabilities as they are, or train again with a larger validation part."),
        )
    names = [f"probability_{c}" for c in held.classes]
    table = results.cells(results.columns).copy()
    table[names] = at_temperature(np.asarray(table[names], dtype=np.float64), found.value)
    write_csv(rows_from_one(table), path, formula_safe=True)
