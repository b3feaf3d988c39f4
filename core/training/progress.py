"""Where a fit stands: history, early stopping and learning rate as plain values, so that they can be stored and tested."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.training.settings import FitSettings

SMALLEST_SHARE = 0.01


@dataclass(slots=True)
class Progress:
    """The state of a fit between two batches; with the weights and the optimiser's state it is all that a resume needs.

    `epoch` epochs are complete; of the running one `next_batch` batches are done, with the sums (loss · weight,
    weight, metric · weight, length of the gradient). `wait` counts epochs since the best one; `slow` those since the best one or the last
    halving of the learning rate; `halvings` counts these.
    """

    epoch: int = 0
    next_batch: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0] * 4)
    best: float = math.inf
    best_epoch: int = 0
    wait: int = 0
    slow: int = 0
    halvings: int = 0
    seconds: float = 0.0
    history: list[dict[str, float | None]] = field(default_factory=list)

    def is_improved(self, value: float) -> bool:
        """Whether this value of the watched loss is better than all before. NaN never is."""
        return value < self.best

    def end_epoch(self, record: dict[str, float | None], watched: float, settings: FitSettings) -> None:
        """Count a complete epoch: the best one so far, the wait, and the learning-rate plan."""
        self.epoch, self.next_batch, self.sums = self.epoch + 1, 0, [0.0] * 4
        if self.is_improved(watched):
            self.best, self.best_epoch, self.wait, self.slow = watched, self.epoch, 0, 0
        else:
            self.wait, self.slow = self.wait + 1, self.slow + 1
        if settings.schedule == "plateau" and self.slow >= max(2, settings.patience // 3):
            self.halvings, self.slow = self.halvings + 1, 0
        self.history.append({**record, "best_epoch": self.best_epoch})

    def is_out_of_patience(self, settings: FitSettings) -> bool:
        """Whether validation has not improved for `patience` epochs."""
        return self.wait >= settings.patience

    def learning_rate(self, settings: FitSettings) -> float:
        """The rate of the running epoch, never below a hundredth of the first.

        plateau: halved each time the loss stalls for a third of the patience. cosine: from the first rate down to a
        hundredth of it over all epochs after the warm-up (Loshchilov, Hutter 2017, equation 5).
        """
        if settings.schedule == "plateau":
            share = max(SMALLEST_SHARE, 0.5**self.halvings)
        elif settings.schedule == "cosine":
            warm = math.ceil(settings.warmup_epochs)
            phase = min(max(self.epoch - warm, 0) / max(settings.epochs - 1 - warm, 1), 1.0)
            share = SMALLEST_SHARE + (1 - SMALLEST_SHARE) * 0.5 * (1 + math.cos(math.pi * phase))
        else:
            share = 1.0
        return settings.learning_rate * share

    def learning_rates(self, settings: FitSettings, n_steps: int, n_batches: int) -> NDArray[np.float32]:
        """The rates (n_steps,) of the next steps: the epoch's, times s / (warm-up · n_batches) in step s from 1 of the fit.

        Source: Goyal et al. (2017), arXiv:1706.02677, section 2.2.
        """
        step = self.epoch * n_batches + self.next_batch + np.arange(1, n_steps + 1)
        warm_steps = settings.warmup_epochs * n_batches
        share = np.minimum(1.0, step / warm_steps) if warm_steps > 0 else np.ones(n_steps)
        return (self.learning_rate(settings) * share).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """The stored form. An infinite best is stored as null."""
        stored = asdict(self)
        stored["best"] = None if math.isinf(self.best) else self.best
        return stored

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """The progress that `to_json` wrote."""
        return cls(**{**stored, "best": math.inf if stored["best"] is None else stored["best"]})
