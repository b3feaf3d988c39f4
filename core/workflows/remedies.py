"""What a diagnosis of the curves leads to: the same training with one thing changed, ready to be started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.messages import Message, msg
from core.models import baseline_for, model_by_key
from core.training.presets import PRESETS
from core.training.request import TrainRequest
from core.training.resolve import Resolved, resolve
from core.training.task_settings import TaskSettings
from core.workflows.datasets import open_dataset
from core.workflows.records import Diagnosis, Run
from core.workflows.workspace import Workspace

MORE_DROPOUT, MOST_DROPOUT = 0.2, 0.5
SIZES = ("units", "filters", "head_units")


@dataclass(frozen=True, slots=True)
class Remedy:
    """`label` says what is changed; `request` is the run's own with that change."""

    label: Message
    request: TrainRequest


def remedy_of(ws: Workspace, run: Run, found: Diagnosis | None) -> Remedy | None:
    """The change that the diagnosis of a run asks for, or None where there is nothing to change.

    diverging: a tenth of the learning rate. plateau: three times the learning rate. overfitting: dropout 0.2 higher, and where it is at
    0.5 already or the family has none, half the size of its layers. improving: the next more thorough preset, and after the last one
    twice the epochs. too_little_data: the baseline instead.
    """
    if found is None or found.remedy is None:
        return None
    resolved = resolve(open_dataset(ws, run.dataset_id, run.dataset_version), run.request)
    made = _CHANGES[found.code](resolved) if found.code in _CHANGES else None
    return None if made is None else Remedy(made[0], run.request.with_values(**made[1]))


Change = tuple[Message, dict[str, Any]]


def _rate(resolved: Resolved, factor: float) -> Change:
    rate = float(f"{resolved.fit.learning_rate * factor:.3g}")
    return msg("Train again with learning rate {rate}", rate=rate), _options(resolved, {"learning_rate": rate})


def _simpler(resolved: Resolved) -> Change | None:
    settings = resolved.model_settings.model_dump()
    dropout = settings.get("dropout")
    if isinstance(dropout, float) and dropout < MOST_DROPOUT:
        more = round(min(MOST_DROPOUT, dropout + MORE_DROPOUT), 3)
        return msg("Train again with dropout {value}", value=more), _options(resolved, {"dropout": more})
    halves = {name: settings[name] // 2 for name in SIZES if isinstance(settings.get(name), int) and settings[name] >= 8}
    if not halves:
        return None
    return msg("Train again with layers half as large"), _options(resolved, halves)


def _longer(resolved: Resolved) -> Change:
    place = PRESETS.index(resolved.request.preset)
    if place + 1 < len(PRESETS) and "epochs" not in resolved.request.options:
        return msg("Train again, more thoroughly"), {"preset": PRESETS[place + 1]}
    epochs = 2 * resolved.fit.epochs
    return msg("Train again with up to {n} epochs", n=epochs), _options(resolved, {"epochs": epochs})


def _baseline(resolved: Resolved) -> Change:
    # Of a forecast the baseline learns nothing at all: the straight line is what little data can carry.
    usual = baseline_for(resolved.request.task, has_text=resolved.reads_text)[0]
    key = usual if resolved.past is None else resolved.recommendation.model
    kept = {name: value for name, value in resolved.request.options.items() if name in TaskSettings.model_fields}
    return msg("Train {model} instead", model=model_by_key(key).title), {"model": key, "options": kept}


def _options(resolved: Resolved, changes: Mapping[str, Any]) -> dict[str, Any]:
    return {"options": {**resolved.request.options, **changes}}


_CHANGES: dict[str, Any] = {
    "diverging": lambda resolved: _rate(resolved, 0.1),
    "plateau": lambda resolved: _rate(resolved, 3.0),
    "overfitting": _simpler,
    "improving": _longer,
    "too_little_data": _baseline,
}
