"""When to write a checkpoint, and how to know that it belongs to the fit that finds it."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from core.models.spec import NetworkSpec, Shape, Task
from core.settings import Settings
from core.training.checkpoint import Snapshot, write_checkpoint
from core.training.data import TrainingData
from core.training.settings import FitSettings

CHECKPOINT_SECONDS = 10.0
CHECKPOINT_SHARE = 0.01


def config_hash(
    spec: NetworkSpec, settings: Settings, shape: Shape, task: Task, data: TrainingData, fit_settings: FitSettings, seed: int
) -> str:
    """What must be equal for a checkpoint to be used; how long to go on (epochs, patience, budget) may change."""
    fixed = fit_settings.model_dump(exclude={"epochs", "patience", "budget_minutes", "tensorboard"})
    n_validation = 0 if data.validation is None else data.validation.n
    sizes = [shape.window_rows, shape.n_features, shape.n_outputs, *([shape.n_tokens, shape.n_words] if shape.n_tokens else [])]
    facts = [spec.key, settings.model_dump(), sizes, task]
    text = json.dumps([*facts, fixed, seed, data.train.n, n_validation], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Keeper:
    """When to write a checkpoint: not too often, and never for more than a hundredth of the time."""

    def __init__(self, folder: Path | None, config_hash: str, seconds: float) -> None:
        self.folder, self.config_hash, self.seconds = folder, config_hash, seconds
        self.written = time.monotonic()

    def is_due(self) -> bool:
        return self.folder is not None and time.monotonic() - self.written >= self.seconds

    def write(self, snapshot: Snapshot) -> None:
        if self.folder is None:
            return
        began = time.monotonic()
        write_checkpoint(self.folder, snapshot, self.config_hash)
        self.written = time.monotonic()
        if self.seconds > 0:
            self.seconds = max(self.seconds, (self.written - began) / CHECKPOINT_SHARE)
