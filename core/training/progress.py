"""Where a fit stands: history, early stopping and learning rate as plain values, so that they can be stored and tested."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from core.training.settings import FitSettings

SMALLEST_SHARE = 0.01


@dataclass(slots=True)
class Progress:
    """The state of a fit between two batches; with the weights and the optimiser's state it is all that a resume needs.

    `epoch` epochs are complete; of the running one `next_batch` batches are done, with the sums (loss · weight,
    weight, metric · weight). `wait` counts epochs since the best one; `slow` those since the best one or the last
    halving of the learning rate; `halvings` counts these.
    """

    epoch: int = 0
    next_batch: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
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
        self.epoch, self.next_batch, self.sums = self.epoch + 1, 0, [0.0, 0.0, 0.0]
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
        hundredth of it over all epochs (Loshchilov, Hutter 2017, equation 5).
        """
        if settings.schedule == "plateau":
            share = max(SMALLEST_SHARE, 0.5**self.halvings)
        elif settings.schedule == "cosine":
            phase = min(self.epoch / max(settings.epochs - 1, 1), 1.0)
            share = SMALLEST_SHARE + (1 - SMALLEST_SHARE) * 0.5 * (1 + math.cos(math.pi * phase))
        else:
            share = 1.0
        return settings.learning_rate * share

    def to_json(self) -> dict[str, Any]:
        """The stored form. An infinite best is stored as null."""
        stored = asdict(self)
        stored["best"] = None if math.isinf(self.best) else self.best
        return stored

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """The progress that `to_json` wrote."""
        return cls(**{**stored, "best": math.inf if stored["best"] is None else stored["best"]})
