"""Quick, normal, thorough: fit settings from one word and the size of the data."""

from __future__ import annotations

import math

from core.errors import unknown_choice
from core.models.estimate import reads_text
from core.models.spec import NetworkSpec
from core.training.settings import FitSettings

PRESETS: tuple[str, ...] = ("quick", "normal", "thorough")
_EPOCHS = {"quick": 15, "normal": 60, "thorough": 200}
_EPOCHS_OF_ROWS = {"quick": 30, "normal": 200, "thorough": 600}
_PATIENCE = {"quick": 5, "normal": 12, "thorough": 30}
_PATIENCE_OF_ROWS = {"quick": 8, "normal": 40, "thorough": 80}
_STEPS_AN_EPOCH = 70
_RATE_OF_ROWS, _RATE_OF_WINDOWS = 0.002, 0.0005
_SMALLEST_BATCH, _LARGEST_BATCH = 16, 256
_FEWEST_STEPS = {"quick": 300, "normal": 1500, "thorough": 4000}


def preset_settings(preset: str, spec: NetworkSpec, n_windows: int) -> FitSettings:
    """Settings for `n_windows` training windows.

    The batch is the power of two that gives about 70 steps an epoch, between 16 and 256. Few windows make few steps
    an epoch, so that epochs and patience grow until the fit can make enough steps in all. Windows overlap and say
    much of the same, so that a predicting family that reads them takes smaller steps than one that reads rows:
    with 0.001 it knows the training machines by heart after two epochs (C-MAPSS FD001, judged on validation engines). Rows
    do not overlap, and a family that predicts from them may make three times as many epochs: of 60 on the steel works' energy
    use the last was the best. They also wait longer: their validation error falls in small steps for hundreds of epochs, and a fit
    that gives up after 12 without a better one was still far from its best on the two sets that were tried.

    Raises:
        SettingProblem: no such preset.
    """
    if preset not in PRESETS:
        raise unknown_choice("preset", preset, PRESETS)
    batch = _batch_size(n_windows)
    steps = math.ceil(max(n_windows, 1) / batch)
    fewest = max(_EPOCHS[preset], math.ceil(_FEWEST_STEPS[preset] / steps))
    patience = max(_PATIENCE[preset], fewest // 6)
    predicts = "anomaly" not in spec.tasks
    epochs = fewest
    if not (spec.windowed or not predicts or reads_text(spec)):
        epochs, patience = max(_EPOCHS_OF_ROWS[preset], fewest), max(_PATIENCE_OF_ROWS[preset], patience)
    overlapping = spec.windowed and predicts
    rate = _RATE_OF_WINDOWS if overlapping else _RATE_OF_ROWS
    return FitSettings(batch_size=batch, epochs=epochs, patience=patience, learning_rate=rate)


def _batch_size(n_windows: int) -> int:
    wanted = max(n_windows, 1) / _STEPS_AN_EPOCH
    return min(_LARGEST_BATCH, max(_SMALLEST_BATCH, 2 ** round(math.log2(max(wanted, 1)))))
