"""Whether a run's probabilities mean what they say, and what one temperature, fitted on the validation part, would make of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.evaluation.calibration import Calibration, Temperature, at_temperature, calibration, fit_temperature, log_loss
from core.messages import Message, msg
from core.workflows.class_rows import class_rows
from core.workflows.csv_out import rows_from_one, write_csv
from core.workflows.results import Results


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """Calibration of the probability of `positive` on the test part, as it is and at the temperature of the validation part.

    `log_loss` is over all classes, (as it is, at the temperature). `scaled` is None where there is no temperature. `baseline` is the
    baseline's probability as it is.
    """

    positive: str
    n: int
    plain: Calibration
    scaled: Calibration | None
    baseline: Calibration | None
    temperature: Temperature
    log_loss: tuple[float, float | None]

    @property
    def helps(self) -> bool:
        """Whether the temperature makes the probabilities of the test part better in both figures."""
        before, after = self.log_loss
        if self.scaled is None or after is None or self.scaled.brier.value is None or self.plain.brier.value is None:
            return False
        return after < before and self.scaled.brier.value <= self.plain.brier.value

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


def calibration_view(results: Results, positive: str | None = None) -> CalibrationView:
    """Reliability on the test part, before and after temperature scaling.

    Raises:
        SettingProblem: the run predicts no class, or there is no such class.
    """
    held, test = (class_rows(results, part, positive) for part in ("validation", "test"))
    found = fit_temperature(held.truth, held.probabilities)
    blocks = results.blocks(test.rows)
    seed = results.run.request.seed
    scaled = None
    after = None
    if found.value is not None:
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
        log_loss=(log_loss(test.truth, test.probabilities), after),
    )


def export_calibrated(results: Results, path: Path) -> None:
    """All scored rows with their probabilities at the temperature of the validation part, as CSV; rows count from 1.

    Raises:
        SettingProblem: the run predicts no class.
        NotEnoughData: there is no temperature.
    """
    from core.errors import NotEnoughData

    held = class_rows(results, "validation")
    found = fit_temperature(held.truth, held.probabilities)
    if found.value is None:
        raise NotEnoughData(
            found.why_not or msg("There is no temperature."),
            msg("Expected held-out rows of each class."),
            msg("Train again with a larger validation part."),
        )
    names = [f"probability_{c}" for c in held.classes]
    table = results.cells(results.columns).copy()
    table[names] = at_temperature(np.asarray(table[names], dtype=np.float64), found.value)
    write_csv(rows_from_one(table), path, formula_safe=True)
